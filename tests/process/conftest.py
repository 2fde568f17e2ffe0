"""The real process, `shouwang run`, driven from outside as whoever runs it would: signals, files, topics, HTTP.

Nothing here looks into the process. Times are bounds after which a test gives up, and are never measured.
"""

import asyncio
import contextlib
import getpass
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from simulators.mqtt import Line
from simulators.twilio import FakeTwilio, Message

NUMBER = "+15005550006"
PUBLIC = "https://alarm.example.org"
LOOPBACK = "127.0.0.1"
#: Longer than anything takes on a machine that is busy with other things.
PATIENCE_S = 90.0
_SHOUWANG = (str(Path(sys.executable).parent / "shouwang"),)


def free_port() -> int:
    """Give a port below those that the system hands out: it must stay free while whoever listens there is down."""
    while True:
        port = secrets.choice(range(20_000, 30_000))
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind((LOOPBACK, port))
            return port


async def until(what: str, true: Callable[[], object], *, within_s: float = PATIENCE_S) -> None:
    """Wait until something is so; fail, in words, where it does not become so."""
    try:
        async with asyncio.timeout(within_s):
            while not true():  # noqa: ASYNC110 - what is waited for happens in another process
                await asyncio.sleep(0.02)
    except TimeoutError:
        pytest.fail(f"waited {within_s:.0f} s, and still not: {what}")


# --- the community ----------------------------------------------------------------------------------------------------

#: Six micro-grids under two general grids; each has one worker with one telephone.
MICRO = {f"m{number}": f"+8613800000{number:03}" for number in range(1, 7)}
GENERAL = {"g1": "+8613800000101", "g2": "+8613800000102"}
DESK = "+8613800000201"
_GENERAL_OF = {micro: "g1" if int(micro[1:]) <= 3 else "g2" for micro in MICRO}
_ADDRESS = re.compile(r"桂花巷(\d+)号")


def micro_of(home: int) -> str:
    return f"m{home % 6 + 1}"


def told_of(home: int) -> tuple[str, str, str]:
    """Whom the three steps of an incident in a home reach: its worker, the general grid's, the desk."""
    micro = micro_of(home)
    return MICRO[micro], GENERAL[_GENERAL_OF[micro]], DESK


def home_in(text: str) -> int:
    """Which home a text is about."""
    found = _ADDRESS.search(text)
    assert found, f"no address in {text!r}"
    return int(found[1])


def steps(*after_s: float) -> list[dict[str, Any]]:
    """Steps to the worker, the general grid's worker and the desk, by text, so many seconds after the beginning."""
    return [
        {"after": f"{after}s", "to": to, "by": ["sms"]}
        for after, to in zip(after_s, ("assigned", "general", "desk"), strict=False)
    ]


def rules_document(policy: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Rules for the five kinds of which a life may depend, all with one policy that is not repeated within a test."""
    titles = {"gas": "燃气泄漏", "smoke": "烟雾报警", "carbon_monoxide": "一氧化碳", "sos": "紧急呼救", "fall": "跌倒"}
    return {
        "version": 1,
        "rules": [
            {
                "id": kind.replace("_", "-"),
                "title": title,
                "when": {"kind": kind, "state": "pressed" if kind == "sos" else "alarm"},
                "severity": "critical",
                "plan": "look",
                "policy": "life",
            }
            for kind, title in titles.items()
        ],
        "plans": {"look": {"first": "立即上门查看", "steps": ["先打电话"]}},
        "policies": {"life": {"answer_within": "1h", "steps": list(policy), "repeat": {"every": "2h"}}},
    }


def write_yaml(path: Path, document: object) -> None:
    """Write a file as editors do: under another name first, so that nobody reads half of it. JSON is YAML."""
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(document, ensure_ascii=False, indent=1), "utf-8")
    fresh.replace(path)


def write_community(
    folder: Path,
    homes: Mapping[int, Sequence[Mapping[str, Any]]],
    policy: Sequence[Mapping[str, Any]],
    sources: Sequence[Mapping[str, str]] = (),
) -> None:
    """Write the three files: `homes` maps the number of a home to its devices; `sources` are further ones."""
    micro = [
        {"id": one, "level": "micro", "name": f"{one}院", "parent": general} for one, general in _GENERAL_OF.items()
    ]
    general = [{"id": one, "level": "general", "name": f"{one}网格", "parent": "c"} for one in GENERAL]
    workers = [
        {"id": f"w-{grid}", "name": f"员{grid}", "role": role, "grids": [grid], "contact": [{"sms": phone}]}
        for role, phones in (("micro", MICRO), ("general", GENERAL), ("desk", {"c": DESK}))
        for grid, phone in phones.items()
    ]
    write_yaml(
        folder / "devices.yaml",
        {
            "version": 1,
            "sources": [
                {"id": "zigbee", "dialect": "zigbee2mqtt", "base": "zigbee2mqtt"},
                {"id": "own", "dialect": "shouwang", "base": "shouwang/v1"},
                *sources,
            ],
            "homes": [
                {"id": f"h{home}", "grid": micro_of(home), "address": f"桂花巷{home}号", "devices": list(devices)}
                for home, devices in homes.items()
            ],
        },
    )
    grids = [{"id": "c", "level": "community", "name": "桂花社区"}, *general, *micro]
    write_yaml(folder / "grids.yaml", {"version": 1, "grids": grids, "workers": workers})
    write_yaml(folder / "rules.yaml", rules_document(policy))


# --- the process ------------------------------------------------------------------------------------------------------


class Shouwang:
    """One installation: its folder, its settings, and the process that runs there, or does not."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.port = free_port()
        self.environment = {
            "SHOUWANG_HTTP__LISTEN": f"{LOOPBACK}:{self.port}",
            "SHOUWANG_DATABASE__URL": f"sqlite:///{folder}/shouwang.db",
            "SHOUWANG_HTTP__API_TOKEN": "a-token-of-the-tests",
            **environment,
        }
        self.log = folder / "log.jsonl"
        self.log.touch()
        self.starts = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._children: list[psutil.Process] = []
        self._offset = 0

    @property
    def pid(self) -> int:
        assert self._process is not None, "it has never been started"
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def spawn(self, *arguments: str, command: Sequence[str] = _SHOUWANG) -> None:
        """Start the process, and do not wait for anything."""
        assert not self.running
        self.starts += 1
        self._offset = self.log.stat().st_size
        outside = {name: value for name, value in os.environ.items() if not name.startswith("SHOUWANG_")}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *(arguments or ("run",))],
                cwd=self.folder,
                env={**outside, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def start(self, *arguments: str, command: Sequence[str] = _SHOUWANG) -> None:
        """Start the process, and wait until it says that it is ready."""
        self.spawn(*arguments, command=command)
        await self.ready()

    async def ready(self) -> None:
        async with httpx.AsyncClient() as http, asyncio.timeout(PATIENCE_S):
            while True:
                assert self.running, f"it ended with {self.returncode}: {self.said()}"
                with contextlib.suppress(httpx.HTTPError):
                    if (await http.get(f"http://{LOOPBACK}:{self.port}/readyz")).status_code == 200:
                        break
                await asyncio.sleep(0.02)
        self._note_children()

    async def connected(self) -> None:
        """Wait until it listens to the broker, which is when it can do harm."""
        await until("connected to the broker", lambda: not self.running or self.has_said("connected to mqtt"))
        self._note_children()

    def send(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    async def kill9(self, *, with_children: bool = False) -> None:
        """Kill it at once; with its children as a machine that loses power does, or let them notice."""
        self._note_children()
        if with_children:
            # It would start them again.
            self.send(signal.SIGSTOP)
            for child in self._children:
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
        self.send(signal.SIGKILL)
        assert await self.ended() == -signal.SIGKILL

    async def stop(self) -> int:
        self._note_children()
        self.send(signal.SIGTERM)
        return await self.ended()

    async def ended(self) -> int:
        """Wait for the end of the process; give its exit status."""
        await until("the process has ended", lambda: not self.running)
        assert self.returncode is not None
        return self.returncode

    @property
    def returncode(self) -> int | None:
        return self._process.poll() if self._process is not None else None

    def _note_children(self) -> None:
        with contextlib.suppress(psutil.Error):
            known = {one.pid for one in self._children}
            self._children += [one for one in psutil.Process(self.pid).children() if one.pid not in known]

    async def close(self) -> None:
        """Leave nothing running."""
        if self.running:
            self._note_children()
            self.send(signal.SIGCONT)
            self.send(signal.SIGKILL)
            await self.ended()
        # A broker that is ours ends by itself with us.
        _, alive = await asyncio.to_thread(psutil.wait_procs, self._children, 10)
        for child in alive:
            child.kill()

    # --- what it says -------------------------------------------------------------------------------------------------

    def said(self, *, ever: bool = False) -> str:
        """Everything it has written since its last start, or since its first."""
        with self.log.open("rb") as log:
            log.seek(0 if ever else self._offset)
            return log.read().decode()

    def has_said(self, words: str) -> bool:
        return words in self.said()

    def lines(self, *, ever: bool = False) -> list[dict[str, Any]]:
        """What it has logged; every line must be one JSON object."""
        return [json.loads(line) for line in self.said(ever=ever).splitlines()]

    def complaints(self) -> list[dict[str, Any]]:
        """What it has ever logged as an error, or with a traceback."""
        return [one for one in self.lines(ever=True) if one["level"] == "error" or "exception" in one]

    async def get(self, path: str) -> httpx.Response:
        async with httpx.AsyncClient() as http:
            token = {"Authorization": f"Bearer {self.environment['SHOUWANG_HTTP__API_TOKEN']}"}
            return await http.get(f"http://{LOOPBACK}:{self.port}{path}", headers=token)

    async def incidents(self) -> list[dict[str, Any]]:
        found: dict[str, Any] = (await self.get("/api/v1/incidents?state=all")).json()
        return list(found["incidents"])

    async def command(self, *arguments: str) -> tuple[int, str]:
        """Run a command of the same installation beside it; give its exit status and what it printed."""
        outside = {name: value for name, value in os.environ.items() if not name.startswith("SHOUWANG_")}
        process = await asyncio.create_subprocess_exec(
            *_SHOUWANG,
            *arguments,
            cwd=self.folder,
            env={**outside, **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        async with asyncio.timeout(PATIENCE_S):
            output, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, output.decode()


# --- all of it together -----------------------------------------------------------------------------------------------


class Site:
    """An installation with its broker, its provider and its sensors."""

    # Test modules cannot import this file; what they need of it they find here.
    until = staticmethod(until)
    steps = staticmethod(steps)
    told_of = staticmethod(told_of)
    home_in = staticmethod(home_in)
    rules_document = staticmethod(rules_document)
    write_yaml = staticmethod(write_yaml)

    def __init__(self, shouwang: Shouwang, twilio: FakeTwilio, sensors: Line) -> None:
        self.shouwang = shouwang
        self.twilio = twilio
        self.publish = sensors.publish

    def community(self, *args: Any, **kwargs: Any) -> None:
        """Write the three files of the installation; see write_community."""
        write_community(self.shouwang.folder, *args, **kwargs)

    async def zigbee(self, name: str, **fields: object) -> None:
        """A Zigbee sensor says something; returns when the broker has it."""
        await self.publish(f"zigbee2mqtt/{name}", json.dumps(fields, ensure_ascii=False).encode())

    async def own(self, home: int, device: str, **event: object) -> None:
        """A sensor of Shouwang's own dialect says something."""
        await self.publish(f"shouwang/v1/h{home}/{device}/event", json.dumps(event).encode())

    async def incident(self) -> dict[str, Any]:
        """The only incident there has been, whole."""
        (incident,) = await self.shouwang.incidents()
        whole: dict[str, Any] = (await self.shouwang.get(f"/api/v1/incidents/{incident['id']}")).json()
        return whole

    @property
    def texts(self) -> list[Message]:
        """The texts that the provider has stored, which is what people get, once each."""
        return [one for one in self.twilio.messages if one.direction != "inbound"]

    def told(self, home: int) -> list[str]:
        """The numbers that have got a text about a home, in order."""
        return [one.to for one in self.texts if home_in(one.body) == home]

    async def told_is(self, home: int, numbers: Collection[str]) -> None:
        """Wait until at least these have been told of a home."""
        await until(f"{len(numbers)} texts about home {home}", lambda: len(self.told(home)) >= len(numbers))
        assert self.told(home) == list(numbers)


@contextlib.contextmanager
def mosquitto_process(folder: Path, program: str, port: int) -> Iterator[str]:
    """Start a Mosquitto that keeps sessions and loses no message in a queue; give its address."""
    folder.mkdir(parents=True, exist_ok=True)
    configuration = folder / "mosquitto.conf"
    configuration.write_text(
        f"listener {port} {LOOPBACK}\nallow_anonymous true\nuser {getpass.getuser()}\n"
        f"persistence true\npersistence_location {folder}/\n"
        "max_queued_messages 1000000\nmax_inflight_messages 1000\n"
    )
    with (
        (folder / "mosquitto.log").open("w") as log,
        subprocess.Popen([program, "-c", configuration], stderr=log) as it,
    ):
        try:
            for _ in range(500):
                with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=1):
                    break
                assert it.poll() is None, log.read_text()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    it.wait(0.02)
            yield f"mqtt://{LOOPBACK}:{port}"
        finally:
            it.terminate()
            try:
                it.wait(10)
            except subprocess.TimeoutExpired:
                it.kill()


@contextlib.asynccontextmanager
async def open_site(folder: Path, mosquitto: str | None, **environment: str) -> AsyncIterator[Site]:
    """An installation, not started yet, beside a Mosquitto of its own; with the embedded broker where that is None."""
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - before anything runs
    async with contextlib.AsyncExitStack() as stack:
        if mosquitto is not None:
            url = stack.enter_context(mosquitto_process(folder / "mosquitto", mosquitto, free_port()))
            settings = {"SHOUWANG_MQTT__URL": url}
        else:
            port = free_port()
            url = f"mqtt://{LOOPBACK}:{port}"
            settings = {
                "SHOUWANG_MQTT__URL": "embedded",
                "SHOUWANG_MQTT__EMBEDDED_PORT": str(port),
                "SHOUWANG_MQTT__EMBEDDED_DIR": str(folder / "broker"),
            }
        yield await stack.enter_async_context(_site(folder, url, {**settings, **environment}))


@contextlib.asynccontextmanager
async def _site(folder: Path, mqtt_url: str, environment: Mapping[str, str]) -> AsyncIterator[Site]:
    async with FakeTwilio(numbers=[NUMBER]) as twilio, Line(mqtt_url, name="sensors") as sensors:
        shouwang = Shouwang(
            folder,
            {
                "SHOUWANG_HTTP__PUBLIC_URL": PUBLIC,
                "SHOUWANG_TWILIO__ACCOUNT_SID": twilio.account_sid,
                "SHOUWANG_TWILIO__AUTH_TOKEN": twilio.auth_token,
                "SHOUWANG_TWILIO__FROM_NUMBER": NUMBER,
                "SHOUWANG_TWILIO__API_BASE_URL": twilio.base_url,
                **environment,
            },
        )
        twilio.routes[PUBLIC] = f"http://{LOOPBACK}:{shouwang.port}"
        twilio.sms_url = f"{PUBLIC}/webhooks/twilio/sms"
        try:
            yield Site(shouwang, twilio, sensors)
        finally:
            await shouwang.close()


@pytest.fixture(scope="session")
def mosquitto_program(real_part: Callable[[str, str], None]) -> str:
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        real_part("Mosquitto", "it is not installed")
        raise AssertionError
    return program


@pytest.fixture
async def site(tmp_path: Path, mosquitto_program: str) -> AsyncIterator[Site]:
    """An installation beside a Mosquitto, with SQLite; not started yet."""
    async with open_site(tmp_path, mosquitto_program) as site:
        yield site


@pytest.fixture(scope="session")
def opened() -> Any:
    """Give `open_site`, for tests that need an installation of another kind, or several."""
    return open_site


class BrokerLater:
    """A Mosquitto that is not there yet."""

    def __init__(self, folder: Path, program: str) -> None:
        self._folder = folder
        self._program = program
        self._port = free_port()
        self.url = f"mqtt://{LOOPBACK}:{self._port}"

    def started(self) -> contextlib.AbstractContextManager[str]:
        return mosquitto_process(self._folder, self._program, self._port)


@pytest.fixture
def broker_later(tmp_path: Path, mosquitto_program: str) -> BrokerLater:
    return BrokerLater(tmp_path / "later", mosquitto_program)
