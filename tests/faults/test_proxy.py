"""The proxy does to connections what it says."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.faults.packets import Watcher
from tests.faults.proxy import Connection, Direction, Proxy, Verdict
from tests.real.waiting import LOOPBACK


@pytest.fixture
async def echo() -> AsyncIterator[int]:
    """A server that says everything again."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1000):
                writer.write(data)
        except ConnectionError:
            pass
        writer.close()

    server = await asyncio.start_server(handle, LOOPBACK, 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


@pytest.fixture
async def proxy(echo: int) -> AsyncIterator[Proxy]:
    async with Proxy(echo) as proxy:
        yield proxy


class Caller:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def says(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def hears(self, count: int) -> bytes:
        """Give what comes until so many bytes are there, or the connection is not."""
        try:
            return await self._reader.readexactly(count)
        except asyncio.IncompleteReadError as error:
            return error.partial
        except ConnectionError:
            return b"cut"

    def hangs_up(self) -> None:
        self._writer.close()


@pytest.fixture
async def caller(proxy: Proxy) -> AsyncIterator[Caller]:
    caller = Caller(*await asyncio.open_connection(LOOPBACK, proxy.port))
    yield caller
    caller.hangs_up()


async def test_what_is_said_gets_through(caller: Caller) -> None:
    await caller.says(b"hello")

    assert await caller.hears(5) == b"hello"


async def test_it_cuts(proxy: Proxy, caller: Caller) -> None:
    await caller.says(b"hello")
    await caller.hears(5)
    proxy.cut()

    assert await caller.hears(1) in {b"", b"cut"}
    assert proxy.cuts == 1


@pytest.mark.parametrize("direction", ["up", "down"])
async def test_it_cuts_in_the_middle(proxy: Proxy, caller: Caller, direction: Direction) -> None:
    proxy.cut_after(3, direction)
    await caller.says(b"hello")

    assert await caller.hears(5) in {b"hel", b"cut", b""}
    assert proxy.cuts == 1


async def test_while_it_is_silent_nothing_is_lost(proxy: Proxy, caller: Caller) -> None:
    proxy.flowing.clear()
    await caller.says(b"hello")
    heard = asyncio.create_task(caller.hears(5))
    await asyncio.sleep(0.05)
    assert not heard.done()

    proxy.flowing.set()
    assert await heard == b"hello"


async def test_it_refuses_and_takes_again(proxy: Proxy, caller: Caller) -> None:
    await proxy.refuse()
    with pytest.raises(OSError, match=r"refused|Connect"):
        await asyncio.open_connection(LOOPBACK, proxy.port)

    await proxy.listen()
    again = Caller(*await asyncio.open_connection(LOOPBACK, proxy.port))
    await again.says(b"hello")
    assert await again.hears(5) == b"hello"
    again.hangs_up()


async def test_a_tap_may_cut_before_a_piece_or_after_its_answer(proxy: Proxy, caller: Caller) -> None:
    seen: list[bytes] = []

    def tap(_connection: Connection, direction: Direction, data: bytes) -> Verdict:
        if direction == "up":
            seen.append(data)
        return "cut after the answer" if b"COMMIT" in data and direction == "up" else "pass"

    proxy.taps.append(tap)
    await caller.says(b"COMMIT")

    assert await caller.hears(6) in {b"", b"cut"}, "the answer must not get through"
    assert seen == [b"COMMIT"]


def piece_by_piece(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
@pytest.mark.parametrize("version", [4, 5])
def test_the_watcher_sees_what_is_acknowledged_and_nothing_else(version: int, size: int) -> None:
    """Whatever pieces the packets come in."""
    seen: list[tuple[str, bytes]] = []
    watcher = Watcher(lambda topic, payload: seen.append((topic, payload)))
    connection = Connection.__new__(Connection)
    connection.memory = {}
    connect = b"\x10\x0c\x00\x04MQTT" + bytes([version]) + b"\x02\x00\x3c\x00\x00"
    properties = b"\x02\x0b\x01" if version == 5 else b""

    def publish(mid: int, payload: bytes, qos: int = 1) -> bytes:
        content = b"\x00\x01t" + (mid.to_bytes(2, "big") if qos else b"") + properties + payload
        assert len(content) < 128
        return bytes([0x30 | qos << 1, len(content)]) + content

    for piece in piece_by_piece(connect, size):
        watcher(connection, "up", piece)
    for piece in piece_by_piece(publish(7, b"one") + publish(8, b"two") + publish(0, b"none", qos=0), size):
        watcher(connection, "down", piece)
    assert seen == []

    for piece in piece_by_piece(b"\x40\x02\x00\x08" + b"\xc0\x00" + b"\x40\x02\x00\x07", size):
        watcher(connection, "up", piece)
    assert seen == [("t", b"two"), ("t", b"one")]
