"""The bytes of a connection: how a busy socket is left alone, and read again."""

import asyncio
import math
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from ingest import wire
from ingest.packets import Publish
from ingest.wire import Wire

Until = Callable[[Callable[[], Any]], Coroutine[Any, Any, None]]


def publish(number: int) -> bytes:
    return b"\x30\x06\x00\x01t" + number.to_bytes(3, "big")


class Line:
    """A wire and the broker's end of it."""

    def __init__(self) -> None:
        self.got: list[int] = []
        self.lost: list[BaseException | None] = []
        self.wire = Wire(properties=False, on_publish=self._published, on_other=lambda: None, on_lost=self.lost.append)
        self.broker, self.ours = socket.socketpair()
        self.broker.setblocking(False)

    def _published(self, messages: list[Publish]) -> None:
        self.got.extend(int.from_bytes(one.payload, "big") for one in messages)

    def send(self, *numbers: int) -> None:
        self.broker.sendall(b"".join(map(publish, numbers)))


@pytest.fixture
async def line(monkeypatch: pytest.MonkeyPatch, until: Until) -> AsyncIterator[Line]:
    """Give a line that has just become busy: it is being left alone."""
    monkeypatch.setattr(wire, "_COUNTED_FOR_S", math.inf)
    monkeypatch.setattr(wire, "_REST_S", 0.05)
    monkeypatch.setattr(wire, "_QUICK", None)  # a pair of sockets is not TCP
    line = Line()
    transport, _ = await asyncio.get_running_loop().create_connection(lambda: line.wire, sock=line.ours)
    line.wire._pace_s = 0.002
    line.send(*range(100))
    await until(lambda: len(line.got) == 100)
    assert not transport.is_reading()
    yield line
    transport.abort()
    line.broker.close()
    await until(lambda: line.lost)


async def test_what_comes_during_a_rest_is_read_at_its_end(line: Line, until: Until) -> None:
    line.send(100, 101)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(line.got) == 100

    await until(lambda: len(line.got) == 102)
    assert line.got == list(range(102))


async def test_a_packet_that_a_rest_cuts_in_two_is_put_together(line: Line, until: Until) -> None:
    line.broker.sendall(publish(100)[:4])
    await until(lambda: line.wire._rest is None)
    line.broker.sendall(publish(100)[4:])

    await until(lambda: line.got[-1] == 100)


async def test_after_a_rest_in_which_nothing_came_the_next_message_is_read_when_it_comes(
    line: Line, until: Until
) -> None:
    await until(lambda: line.wire._rest is None)

    line.send(100)
    await until(lambda: len(line.got) == 101)


async def test_that_the_broker_has_gone_during_a_rest_is_noticed(line: Line, until: Until) -> None:
    line.send(100)
    line.broker.close()

    await until(lambda: line.lost)
    assert line.got[-1] == 100


async def test_what_is_paused_is_not_read_at_the_end_of_a_rest(line: Line, until: Until) -> None:
    line.wire.pause()
    line.send(100)
    await until(lambda: line.wire._rest is None)
    await asyncio.sleep(0)
    assert len(line.got) == 100

    line.wire.resume()
    await until(lambda: len(line.got) == 101)


class Encrypted(asyncio.Transport):
    """A transport of which only asyncio can read."""

    def __init__(self) -> None:
        super().__init__({"sslcontext": object(), "socket": None})
        self.reading = True

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def is_closing(self) -> bool:
        return False


async def test_behind_tls_asyncio_reads_again_after_a_rest(monkeypatch: pytest.MonkeyPatch, until: Until) -> None:
    monkeypatch.setattr(wire, "_COUNTED_FOR_S", math.inf)
    line, transport = Line(), Encrypted()
    line.wire.connection_made(transport)
    line.wire._pace_s = 0.002
    line.wire.data_received(b"".join(map(publish, range(100))))
    assert not transport.reading

    await until(lambda: transport.reading)
    for one in (line.broker, line.ours):
        one.close()
