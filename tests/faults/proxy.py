"""A TCP proxy between the service and a part it depends on, that can cut, stall, slow down and refuse.

It stands for the network: what goes wrong here happens to real connections of real processes.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Self

from tests.real.waiting import LOOPBACK, free_port

Direction = Literal["up", "down"]

#: Looks at what is about to be passed on; what it answers is done with the connection.
Verdict = Literal["pass", "cut", "cut after the answer"]
Tap = Callable[["Connection", Direction, bytes], Verdict]

_CHUNK = 65_536


class Connection:
    """One connection through the proxy."""

    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self._writers = (client, server)
        #: Cut when the server has said something more, which is not passed on.
        self.doomed = False
        #: For taps: what they have seen so far.
        self.memory: dict[str, object] = {}

    def cut(self) -> None:
        """Reset both sides: no byte more gets through, and both learn of it."""
        for writer in self._writers:
            with contextlib.suppress(OSError):
                sock = writer.get_extra_info("socket")
                if sock is not None and sock.family != socket.AF_UNIX:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()


class Proxy:
    """Listens on a port of its own, and passes on to `upstream`: a port of this machine, or a Unix socket."""

    def __init__(self, upstream: int | Path) -> None:
        self.upstream = upstream
        self.port = free_port()
        #: Not set: nothing gets through, and nobody is told so (a half-open connection).
        self.flowing = asyncio.Event()
        self.flowing.set()
        #: Seconds by which every piece is late.
        self.delay_s = 0.0
        #: Bytes of a piece that are passed on at once; fewer make more pieces.
        self.piece = _CHUNK
        self.taps: list[Tap] = []
        #: Cut the connection when so many more bytes have gone this way.
        self._cut_after: dict[Direction, int] = {}
        self._connections: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.cuts = 0

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.refuse()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def listen(self) -> None:
        """Take connections (again)."""
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, LOOPBACK, self.port)

    async def refuse(self) -> None:
        """Refuse new connections, and cut those there are."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.cut()

    def cut(self) -> None:
        """Cut all connections; new ones are taken."""
        for connection in list(self._connections):
            connection.cut()
            self.cuts += 1

    def cut_after(self, count: int, direction: Direction) -> None:
        """Cut when `count` more bytes have gone in a direction: in the middle of whatever that is."""
        self._cut_after[direction] = count

    # --- one connection -----------------------------------------------------------------------------------------------

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            if isinstance(self.upstream, Path):
                up_reader, up_writer = await asyncio.open_unix_connection(self.upstream)
            else:
                up_reader, up_writer = await asyncio.open_connection(LOOPBACK, self.upstream)
        except OSError:
            writer.transport.abort()
            self._tasks.discard(task)
            return
        connection = Connection(writer, up_writer)
        self._connections.add(connection)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(connection, reader, up_writer, "up"))
                both.create_task(self._pump(connection, up_reader, writer, "down"))
        except* (OSError, EOFError):
            pass
        finally:
            for one in (writer, up_writer):
                one.transport.abort()
            self._connections.discard(connection)
            self._tasks.discard(task)

    async def _pump(
        self, connection: Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, direction: Direction
    ) -> None:
        while data := await reader.read(self.piece):
            await self.flowing.wait()
            if self.delay_s:
                await asyncio.sleep(self.delay_s)
            verdict: Verdict = "pass"
            if connection.doomed and direction == "down":
                verdict = "cut"
            for tap in self.taps:
                verdict = _worse(verdict, tap(connection, direction, data))
            # A tap may have stopped the flow.
            await self.flowing.wait()
            if verdict == "cut":
                self.cuts += 1
                connection.cut()
                break
            connection.doomed = connection.doomed or verdict == "cut after the answer"
            if (left := self._cut_after.get(direction)) is not None:
                self._cut_after[direction] = left - len(data)
                if left <= len(data):
                    del self._cut_after[direction]
                    writer.write(data[:left])
                    await writer.drain()
                    # Time for those bytes to arrive; a reset may overtake them.
                    await asyncio.sleep(0.02)
                    self.cuts += 1
                    connection.cut()
                    break
            writer.write(data)
            await writer.drain()
        # Either side has ended: so does the other pump.
        raise EOFError


def _worse(one: Verdict, other: Verdict) -> Verdict:
    order: tuple[Verdict, ...] = ("pass", "cut after the answer", "cut")
    return max(one, other, key=order.index)
