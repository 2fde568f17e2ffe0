"""The processes of a trial, each ended by its own id."""

import contextlib
import json
import os
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Self

from benchmarks.communities import MARKER, Dialect

_TICKS_S: Final = 1 / os.sysconf("SC_CLK_TCK")
_ENDS_WITHIN_S: Final = 20.0


class TrialError(Exception):
    """A trial could not be carried out; the text says why."""


class Process:
    """A child process and what the kernel knows of it."""

    def __init__(
        self,
        name: str,
        command: list[str],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        talks: bool = False,
    ) -> None:
        """Start it; with `talks`, it reads lines of its standard input and answers with lines of its output."""
        self.name = name
        self.log = log
        pipe = subprocess.PIPE if talks else subprocess.DEVNULL
        with log.open("ab") as errors:
            self._child = subprocess.Popen(
                command, stdin=pipe, stdout=pipe, stderr=errors, env=environment, cwd=cwd, text=True
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._child.poll() is None

    @property
    def pid(self) -> int:
        """Its id."""
        return self._child.pid

    def end(self) -> None:
        """End it, if need be by force."""
        if self.running:
            self._child.terminate()
            try:
                self._child.wait(_ENDS_WITHIN_S)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        for stream in (self._child.stdin, self._child.stdout):
            if stream is not None:
                stream.close()

    def line(self) -> dict[str, Any]:
        """Read the next line that it says."""
        assert self._child.stdout is not None
        text = self._child.stdout.readline()
        if not text:
            raise TrialError(f"the {self.name} has ended: {self.last_words()}")
        said: dict[str, Any] = json.loads(text)
        if "error" in said:
            raise TrialError(f"the {self.name} failed: {said['error']}")
        return said

    def say(self, what: Mapping[str, Any]) -> None:
        """Send it a line."""
        assert self._child.stdin is not None
        self._child.stdin.write(json.dumps(what) + "\n")
        self._child.stdin.flush()

    def last_words(self) -> str:
        """Give the end of its log."""
        return self.log.read_text("utf-8", "replace")[-1_000:]

    def cpu_s(self) -> float:
        """Processor time so far, of all its threads, user and system; in steps of a hundredth of a second."""
        fields = Path(f"/proc/{self.pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * _TICKS_S

    def memory_mib(self) -> tuple[float, float]:
        """Resident memory now, and at the most so far."""
        status = Path(f"/proc/{self.pid}/status").read_text("ascii", "replace")
        kib = dict(line.split(":", 1) for line in status.splitlines() if line.startswith(("VmRSS", "VmHWM")))
        return int(kib["VmRSS"].split()[0]) / 1024, int(kib["VmHWM"].split()[0]) / 1024


def free_port() -> int:
    """Give a port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def wait_for_port(port: int, process: Process) -> None:
    """Wait until somebody listens."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and process.running:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.01)
    raise TrialError(f"the {process.name} does not listen: {process.last_words()}")


# --- the broker -------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def broker(folder: Path) -> Iterator[str]:
    """Run Mosquitto with queues that hold whatever a trial sends; give its URL."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    config = folder / "mosquitto.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
        "max_queued_messages 5000000\nmax_inflight_messages 1000\nset_tcp_nodelay true\n",
        "ascii",
    )
    command = ["/usr/sbin/mosquitto" if Path("/usr/sbin/mosquitto").exists() else "mosquitto", "-c", str(config)]
    with Process("broker", command, log=folder / "mosquitto.log") as process:
        wait_for_port(port, process)
        yield f"mqtt://127.0.0.1:{port}"


# --- the provider -----------------------------------------------------------------------------------------------------


class Provider:
    """The fake Twilio in a process of its own, and its ledger."""

    def __init__(self, process: Process, where: Mapping[str, Any]) -> None:
        self.process = process
        self.where = where

    def requests(self) -> list[dict[str, Any]]:
        """Give every request to send or to call."""
        with urllib.request.urlopen(f"{self.where['base_url']}/_fake/ledger", timeout=30) as answer:
            found: list[dict[str, Any]] = json.load(answer)["requests"]
            return found

    def wait_for(self, count: Callable[[str], int], wanted: int, *, within_s: float) -> list[dict[str, Any]]:
        """Wait until the bodies of texts come to as much as is `wanted`; give their requests."""
        deadline = time.monotonic() + within_s
        while True:
            requests = [one for one in self.requests() if one["resource"] == "messages"]
            come = sum(count(one["params"]["Body"]) for one in requests)
            if come >= wanted:
                return requests
            if time.monotonic() > deadline:
                raise TrialError(f"{come} of {wanted} alarms have reached the provider")
            time.sleep(0.5)


@contextlib.contextmanager
def provider(folder: Path) -> Iterator[Provider]:
    """Run the fake provider."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "simulators", "twilio"]
    with Process("provider", command, log=folder / "provider.log", talks=True) as process:
        yield Provider(process, process.line())


# --- the service ------------------------------------------------------------------------------------------------------


class Service:
    """`shouwang run`, and how to look at it from outside."""

    def __init__(self, process: Process, port: int, folder: Path) -> None:
        self.process = process
        self._port = port
        self._database = folder / "shouwang.db"
        self.ready_after_s = 0.0

    def _get(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}{path}", timeout=10) as answer:
            text: str = answer.read().decode()
            return text

    def wait_until_ready(self, since: float, *, at_most_s: float) -> None:
        """Wait for `/readyz` to be content, and note how long after `since` (monotonic) that was."""
        while time.monotonic() < since + at_most_s:
            if not self.process.running:
                raise TrialError(f"the service has ended: {self.process.last_words()}")
            with contextlib.suppress(OSError):
                self._get("/readyz")
                self.ready_after_s = time.monotonic() - since
                return
            time.sleep(0.02)
        raise TrialError(f"the service is not ready within {at_most_s:g} s: {self.process.last_words()}")

    def metric(self, name: str, label: str = "") -> float:
        """Give the sum of a metric over its labels; of those with one alone (`what="repeated"`) where it is given."""
        lines = [line for line in self._get("/metrics").splitlines() if label in line]
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith((f"{name} ", f"{name}{{")))

    def wait_for_marker(self, state: str, *, at_most_s: float) -> float:
        """Wait until the marker's state is committed; give the monotonic time at which it was seen.

        It is looked for in the database file, so that the service does nothing for being watched.
        """
        asked = "SELECT 1 FROM device_states WHERE device_id = ? AND kind = 'contact' AND state = ?"
        deadline = time.monotonic() + at_most_s
        with contextlib.closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True)) as database:
            while time.monotonic() < deadline:
                if database.execute(asked, (MARKER, state)).fetchone():
                    return time.monotonic()
                time.sleep(0.005)
        raise TrialError(f"what was sent last is not committed within {at_most_s:g} s: {self.process.last_words()}")

    def read_at(self, kinds: tuple[str, ...]) -> dict[str, float]:
        """Give when (wall clock, seconds) the alarm of each device was read from the socket, by device."""
        marks = ", ".join("?" * len(kinds))
        asked = f"SELECT device_id, true_since FROM device_states WHERE kind IN ({marks}) AND state = 'alarm'"
        with contextlib.closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True)) as database:
            return {device: microseconds / 1e6 for device, microseconds in database.execute(asked, kinds)}


@contextlib.contextmanager
def service(folder: Path, *, broker_url: str, provider_at: Provider, ready_within_s: float = 30.0) -> Iterator[Service]:
    """Run the service in a folder that has the three files; its database is there too."""
    port = free_port()
    where = provider_at.where
    environment = {key: value for key, value in os.environ.items() if not key.startswith("SHOUWANG_")} | {
        "SHOUWANG_MQTT__URL": broker_url,
        "SHOUWANG_DATABASE__URL": f"sqlite:///{folder}/shouwang.db",
        "SHOUWANG_CONFIG__DIR": str(folder),
        "SHOUWANG_HTTP__LISTEN": f"127.0.0.1:{port}",
        "SHOUWANG_HTTP__PUBLIC_URL": f"http://127.0.0.1:{port}",
        "SHOUWANG_TWILIO__ACCOUNT_SID": where["account_sid"],
        "SHOUWANG_TWILIO__AUTH_TOKEN": where["auth_token"],
        "SHOUWANG_TWILIO__FROM_NUMBER": where["numbers"][0],
        "SHOUWANG_TWILIO__API_BASE_URL": where["base_url"],
    }
    command = [str(Path(sys.executable).parent / "shouwang"), "run"]
    since = time.monotonic()
    with Process("service", command, log=folder / "service.log", environment=environment, cwd=folder) as process:
        running = Service(process, port, folder)
        running.wait_until_ready(since, at_most_s=ready_within_s)
        yield running


# --- the load ---------------------------------------------------------------------------------------------------------


class Load:
    """The process that publishes."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def prepare(self, **what: Any) -> None:
        """Let it make messages; see loader.py."""
        self._process.say(what)
        self._process.line()

    def send(self) -> None:
        """Let it send them."""
        self._process.say({"do": "send"})

    def report(self) -> dict[str, Any]:
        """Wait until the broker has acknowledged them all; tell what it came to."""
        return self._process.line()

    def cpu_s(self) -> float:
        """Processor time that it has taken so far."""
        return self._process.cpu_s()


@contextlib.contextmanager
def load(folder: Path, *, broker_url: str, homes: int, dialect: Dialect) -> Iterator[Load]:
    """Run the process that publishes as the homes of a community."""
    command = [sys.executable, "-m", "benchmarks.loader", broker_url, str(homes), dialect]
    with Process("load", command, log=folder / "load.log", talks=True) as process:
        yield Load(process)
