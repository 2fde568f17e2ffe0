"""A real Mosquitto, which can be killed, restarted, and made to forget."""

import asyncio
import contextlib
import getpass
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.real.waiting import LOOPBACK

_STARTS_WITHIN_S = 15.0
_ENDS_WITHIN_S = 10.0


class Mosquitto:
    """A Mosquitto that keeps sessions and loses no message in a queue; with a folder and a port of its own."""

    def __init__(self, folder: Path, program: str, port: int, *, autosave: bool = False) -> None:
        """`autosave` writes to disk with every change, which is as much as a Mosquitto 2.0 can do against SIGKILL."""
        folder.mkdir(parents=True, exist_ok=True)
        self.url = f"mqtt://{LOOPBACK}:{port}"
        self.port = port
        self._folder = folder
        self._program = program
        self._configuration = folder / "mosquitto.conf"
        self._configuration.write_text(
            f"listener {port} {LOOPBACK}\nallow_anonymous true\nuser {getpass.getuser()}\n"
            f"persistence true\npersistence_location {folder}/\n"
            "max_queued_messages 1000000\nmax_inflight_messages 1000\n"
            + ("autosave_on_changes true\nautosave_interval 1\n" if autosave else "")
        )
        self._process: subprocess.Popen[bytes] | None = None

    def spawn(self) -> None:
        """Start it, and do not wait."""
        with (self._folder / "mosquitto.log").open("a") as log:
            self._process = subprocess.Popen([self._program, "-c", self._configuration], stderr=log)

    @property
    def listens(self) -> bool:
        """Whether it takes connections. Raises AssertionError where it has ended."""
        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "mosquitto.log").read_text()
        with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, self.port), timeout=1):
            return True
        return False

    async def start(self) -> None:
        """Start it, and wait until it listens."""
        self.spawn()
        async with asyncio.timeout(_STARTS_WITHIN_S):
            while not self.listens:  # noqa: ASYNC110 - it happens in another process
                await asyncio.sleep(0.02)

    def start_and_wait(self) -> None:
        """Start it, and wait until it listens, where there is no event loop."""
        self.spawn()
        deadline = time.monotonic() + _STARTS_WITHIN_S
        while not self.listens:
            assert time.monotonic() < deadline, "it does not listen"
            time.sleep(0.02)

    def end(self, number: int = signal.SIGTERM) -> None:
        """End it, by SIGKILL where it does not heed another signal; its sessions stay on disk, as far as written."""
        if (process := self._process) is None:
            return
        process.send_signal(number)
        try:
            process.wait(_ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._process = None

    def forget(self) -> None:
        """Delete what it has kept: sessions, queues, retained messages. While it is down."""
        assert self._process is None
        (self._folder / "mosquitto.db").unlink(missing_ok=True)


@contextlib.contextmanager
def mosquitto_process(folder: Path, program: str, port: int) -> Iterator[str]:
    """Run a Mosquitto; give its address."""
    it = Mosquitto(folder, program, port)
    it.start_and_wait()
    try:
        yield it.url
    finally:
        it.end()
