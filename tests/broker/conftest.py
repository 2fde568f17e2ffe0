"""Real brokers, each started by the test that needs it."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt import publish as paho_publish
from paho.mqtt.enums import MQTTProtocolVersion

from ingest import embedded, paho_source
from ingest.embedded import EmbeddedBroker, EmbeddedBrokerError
from ingest.message import Message
from ingest.options import MqttOptions
from ingest.paho_source import PahoSource

Until = Callable[[Callable[[], Any]], Coroutine[Any, Any, None]]
#: What a missing real part is told to; see tests/conftest.py.
RealPart = Callable[[str, str], None]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


async def answers(port: int) -> None:
    """Wait until somebody listens."""
    async with asyncio.timeout(10):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.02)


@dataclass
class Mosquitto:
    """A Mosquitto with a configuration of its own, that forgets little unless told to."""

    program: str
    folder: Path
    persistent: bool = True
    anonymous: bool = True
    #: Lines for its listener.
    lines: list[str] = field(default_factory=list)
    #: As it is installed, with its own limits.
    untouched: bool = False
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    #: Seconds within which it would send again what it holds unacknowledged.
    patience: float = 0.4

    async def start(self) -> None:
        self.port = self.port or free_port()
        lines = [
            f"listener {self.port} 127.0.0.1",
            f"allow_anonymous {str(self.anonymous).lower()}",
            *self.lines,
        ]
        if not self.untouched:
            lines += ["max_inflight_messages 1000", "max_queued_messages 1000000", "persistent_client_expiration 30d"]
        if self.persistent and not self.untouched:
            lines += ["persistence true", f"persistence_location {self.folder}/"]
            lines += ["autosave_on_changes true", "autosave_interval 1"]
        if os.geteuid() == 0:
            lines.append("user root")  # it would change to a user who cannot write in our folder
        config = self.folder / "mosquitto.conf"
        config.write_text("\n".join(lines) + "\n")
        self._launch(config)
        await answers(self.port)

    def _launch(self, config: Path) -> None:
        with (self.folder / "mosquitto.log").open("ab") as log:
            self.process = subprocess.Popen([self.program, "-c", str(config)], stdout=log, stderr=log)

    async def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        await asyncio.to_thread(self.process.wait)

    async def start_again(self) -> None:
        await self.start()

    async def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            await asyncio.to_thread(self.process.wait)


MakeMosquitto = Callable[..., Coroutine[Any, Any, Mosquitto]]


@pytest.fixture
async def make_mosquitto(tmp_path: Path, real_part: RealPart) -> AsyncIterator[MakeMosquitto]:
    """Give what starts a Mosquitto; its arguments are fields of Mosquitto."""
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        real_part("Mosquitto", "install the package mosquitto")
        return
    made: list[Mosquitto] = []

    async def make(**fields: Any) -> Mosquitto:
        folder = tmp_path / f"mosquitto{len(made)}"
        folder.mkdir()
        one = Mosquitto(program, folder, **fields)
        made.append(one)
        await one.start()
        return one

    yield make
    for one in made:
        await one.stop()


@pytest.fixture
async def mosquitto(make_mosquitto: MakeMosquitto) -> Mosquitto:
    return await make_mosquitto()


@dataclass
class Nats:
    """The embedded broker, which starts again by itself."""

    broker: EmbeddedBroker
    patience: float = 1.5

    @property
    def port(self) -> int:
        return self.broker.port

    async def kill(self) -> None:
        assert self.broker.pid is not None
        os.kill(self.broker.pid, signal.SIGKILL)

    async def start_again(self) -> None:
        await answers(self.port)


@pytest.fixture
async def nats(tmp_path: Path, real_part: RealPart, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Nats]:
    monkeypatch.setattr(embedded, "ACK_WAIT", "1s")
    broker = EmbeddedBroker(tmp_path / "nats")
    try:
        await broker.__aenter__()
    except EmbeddedBrokerError as error:
        real_part("The embedded broker", str(error))
        return
    yield Nats(broker)
    await broker.__aexit__(None, None, None)


@pytest.fixture(params=["mosquitto-5", "mosquitto-3.1.1", "nats-3.1.1"])
def site(request: pytest.FixtureRequest) -> tuple[Mosquitto | Nats, str]:
    """Give each broker with each version of MQTT that it speaks."""
    name, _, version = request.param.partition("-")
    return request.getfixturevalue(name), version


@dataclass
class Listener:
    """A source that runs."""

    source: PahoSource
    task: asyncio.Task[None]

    async def stop(self) -> None:
        """Say goodbye to the broker."""
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def vanish(self) -> None:
        """Go as a killed process does: without goodbye."""
        connection = self.source._connection
        assert connection is not None
        connection.wire.abort()
        await self.stop()

    def cut(self) -> None:
        """Break the connection; the source goes on."""
        assert self.source._connection is not None
        self.source._connection.wire.abort()

    async def take(self, count: int) -> list[Message]:
        """Wait for as many messages."""
        taken: list[Message] = []
        async with asyncio.timeout(20):
            while len(taken) < count:
                taken += await self.source.gather(500, 0.0)
        return taken

    async def stays_silent(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self.source.gather(1, 0.0)
        except TimeoutError:
            return True
        return False


@dataclass
class Hands:
    """What tests do with brokers; `listen` gives a source that runs until the test ends."""

    listeners: list[Listener] = field(default_factory=list)

    async def until(self, condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(20):
            while not condition():  # noqa: ASYNC110 - what is waited for is outside, and tells nobody
                await asyncio.sleep(0.005)

    async def listen(self, port: int, *, connected: bool = True, **options: Any) -> Listener:
        source = PahoSource(MqttOptions(**{"host": "127.0.0.1", "port": port, **options}), ["home/#"])
        listener = Listener(source, asyncio.create_task(source.run()))
        self.listeners.append(listener)
        if connected:
            await self.until(lambda: source.connected)
        return listener

    async def publish(self, port: int, payloads: list[str], *, retain: bool = False, **more: Any) -> None:
        """Publish with QoS 1 on home/gas, and come back when the broker has acknowledged all of it."""
        await asyncio.to_thread(
            paho_publish.multiple,
            [("home/gas", payload, 1, retain) for payload in payloads],
            hostname="127.0.0.1",
            port=port,
            client_id=f"publisher-{id(payloads)}",
            protocol=MQTTProtocolVersion.MQTTv311,
            **more,
        )


@pytest.fixture
async def hands(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hands]:
    """Give hands; reconnects come soon."""
    monkeypatch.setattr(paho_source, "_FIRST_PAUSE_S", 0.02)
    monkeypatch.setattr(paho_source, "_LONGEST_PAUSE_S", 0.1)
    hands = Hands()
    yield hands
    for listener in hands.listeners:
        await listener.stop()


@pytest.fixture
def payloads() -> Callable[[list[Message]], list[str]]:
    """Give what reads the payloads of messages as text."""
    return lambda messages: [one.payload.decode() for one in messages]
