"""A broker made of a script: it says what a test wants, and remembers what it was told."""

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from ingest.decode import Decoded, Decoder, World
from ingest.message import Message
from rules.community import Device, Source

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@dataclass
class Reader:
    """Decodes single messages in a world of devices; `reads(topic, payload)`."""

    source: Source
    world: World = field(default_factory=World)

    def __post_init__(self) -> None:
        self.decoder = Decoder([self.source])

    def knows(self, name: str, kind: str, *, invert: bool = False) -> Device:
        device = Device(id=f"id of {name}", home_id="h1", kind=kind, source=self.source.id, name=name, invert=invert)
        self.world.devices[self.source.id, name] = device
        return device

    def reads(self, topic: str, payload: str | bytes, *, retain: bool = False, at: datetime = NOON) -> Decoded:
        raw = payload.encode() if isinstance(payload, str) else payload
        return self.decoder.decode(Message(topic, raw, retain, at), self.world)


@pytest.fixture
def zigbee() -> Reader:
    return Reader(Source(id="site", dialect="zigbee2mqtt", base="zigbee2mqtt"))


@pytest.fixture
def own() -> Reader:
    return Reader(Source(id="own", dialect="shouwang", base="shouwang/v1"))


def remaining_length(length: int) -> bytes:
    coded = b""
    while True:
        length, byte = divmod(length, 128)
        coded += bytes([byte | 0x80 if length else byte])
        if not length:
            return coded


def packet(first: int, content: bytes) -> bytes:
    return bytes([first]) + remaining_length(len(content)) + content


@dataclass
class Script:
    """What the scripted broker does, and what it has heard."""

    #: The version of MQTT it speaks; the other one is refused.
    version: int = 5
    session_present: bool = False
    #: Sent in place of the CONNACK, where set.
    connack: bytes | None = None
    #: Sent together with the CONNACK, before any SUBSCRIBE.
    with_connack: bytes = b""
    #: Reason code for every subscription, but for those that are refused.
    suback: int = 1
    refuses: frozenset[str] = frozenset()
    answers_subscribe: bool = True
    connects: list[bytes] = field(default_factory=list)
    subscribes: list[tuple[str, int]] = field(default_factory=list)
    unsubscribes: list[str] = field(default_factory=list)
    acknowledged: list[int] = field(default_factory=list)
    goodbyes: int = 0
    writer: asyncio.StreamWriter | None = None
    port: int = 0

    def publish(
        self, topic: str, payload: bytes = b"x", *, qos: int = 1, mid: int = 0, dup: bool = False, retain: bool = False
    ) -> bytes:
        name = topic.encode()
        content = struct.pack("!H", len(name)) + name + (struct.pack("!H", mid) if qos else b"")
        content += (b"\0" if self.version == 5 else b"") + payload
        return packet(0x30 | qos << 1 | dup << 3 | retain, content)

    async def say(self, data: bytes) -> None:
        assert self.writer is not None
        self.writer.write(data)
        await self.writer.drain()

    async def hang_up(self) -> None:
        assert self.writer is not None
        self.writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        try:
            while True:
                first = (await reader.readexactly(1))[0]
                shift = length = 0
                while True:
                    byte = (await reader.readexactly(1))[0]
                    length |= (byte & 0x7F) << shift
                    shift += 7
                    if byte < 0x80:
                        break
                await self._hear(first, await reader.readexactly(length))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _hear(self, first: int, content: bytes) -> None:
        kind = first & 0xF0
        if kind == 0x10:
            self.connects.append(content)
            if self.connack is not None:
                await self.say(self.connack)
            elif content[6] != self.version:
                await self.say(b"\x20\x02\x00\x01" if self.version == 4 else b"\x20\x03\x00\x84\x00")
            else:
                flags = bytes([self.session_present, 0])
                await self.say(packet(0x20, flags + (b"\0" if self.version == 5 else b"")) + self.with_connack)
        elif kind == 0x80:
            mid, position = content[:2], 3 if self.version == 5 else 2
            codes = b""
            while position < len(content):
                size = int.from_bytes(content[position : position + 2], "big")
                topic = content[position + 2 : position + 2 + size].decode()
                self.subscribes.append((topic, content[position + 2 + size]))
                position += size + 3
                codes += bytes([0x87 if topic in self.refuses else self.suback])
            if self.answers_subscribe:
                middle = b"\0" if self.version == 5 else b""
                await self.say(packet(0x90, mid + middle + codes))
        elif kind == 0xA0:
            mid, position = content[:2], 3 if self.version == 5 else 2
            while position < len(content):
                size = int.from_bytes(content[position : position + 2], "big")
                self.unsubscribes.append(content[position + 2 : position + 2 + size].decode())
                position += size + 2
            await self.say(packet(0xB0, mid + (b"\0\0" if self.version == 5 else b"")))
        elif kind == 0x40:
            self.acknowledged.append(int.from_bytes(content[:2], "big"))
        elif kind == 0xC0:
            await self.say(b"\xd0\x00")
        elif kind == 0xE0:
            self.goodbyes += 1


@pytest.fixture
async def script() -> AsyncIterator[Script]:
    """Give a scripted broker that listens on a free port."""
    script = Script()
    server = await asyncio.start_server(script.serve, "127.0.0.1", 0)
    script.port = server.sockets[0].getsockname()[1]
    yield script
    server.close()
    if script.writer is not None:
        script.writer.close()
    await asyncio.sleep(0)


@pytest.fixture
def until() -> Callable[[Callable[[], Any]], Any]:
    """Give what waits for a condition, and fails after ten seconds."""

    async def until(condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110 - what is waited for is outside, and tells nobody
                await asyncio.sleep(0.005)

    return until
