"""Publishing over a connection that fails in ways a real broker rarely shows."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from simulators.mqtt import Line


class MuteBroker:
    """Takes connections, and acknowledges messages on all but the first one."""

    def __init__(self) -> None:
        self.connections = 0
        self.heard: list[tuple[int, bytes]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                kind, length = await reader.readexactly(2)
                body = await reader.readexactly(length)
                if kind == 0x10:
                    writer.write(b"\x20\x02\x00\x00")
                elif kind & 0xF0 == 0x30:
                    end = 2 + int.from_bytes(body[:2])
                    self.heard.append((number, body[end + 2 :]))
                    if number > 1:
                        writer.write(b"\x40\x02" + body[end : end + 2])
        writer.close()


@contextlib.asynccontextmanager
async def listening(broker: MuteBroker) -> AsyncIterator[str]:
    server = await asyncio.start_server(broker.serve, "127.0.0.1", 0)
    async with server:
        yield f"mqtt://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_a_message_that_is_not_acknowledged_goes_out_on_another_connection() -> None:
    """Also where the first one stands and merely says nothing; and a mute broker holds up nobody who leaves."""
    broker = MuteBroker()
    async with listening(broker) as url, Line(url, name="test", answer_within_s=0.1) as line, asyncio.timeout(30):
        await line.publish("a/b", b"1")
        await line.publish("a/b", b"2")

    assert [heard for heard in broker.heard if heard[0] == 1] == [(1, b"1")]
    assert broker.heard[-2:] == [(2, b"1"), (2, b"2")]
