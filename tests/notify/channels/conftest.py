"""A provider of a few lines over real HTTP, which does to requests whatever a test says."""

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

import pytest


class Trouble(Enum):
    """Ways of not answering."""

    #: Takes the request and says nothing.
    HANG = "hang"
    #: Takes the request and resets the connection.
    RESET = "reset"
    #: Resets the connection before reading anything.
    RESET_AT_ONCE = "reset_at_once"
    #: Takes the request and closes the connection.
    CLOSE = "close"
    #: Answers half of what it promised.
    CUT = "cut"


@dataclass
class Seen:
    """A request as it came in."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    #: Which connection it came over, counted from 1.
    connection: int

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def fields(self) -> list[tuple[str, str]]:
        return parse_qsl(self.body.decode(), keep_blank_values=True)


@dataclass
class Answer:
    """What to answer with."""

    status: int = 200
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        body = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), **self.headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"HTTP/1.1 {self.status} Whatever\r\n{head}\r\n".encode() + body


Behaviour = Answer | Trouble | Callable[[Seen], Answer | Trouble]


class Provider:
    """Answers with `behaviour`, a value or a function of the request."""

    def __init__(self) -> None:
        self.behaviour: Behaviour = Answer()
        self.seen: list[Seen] = []
        self.connections = 0
        self.port = 0
        self._handlers: set[asyncio.Task[Any]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def hang_up_idle(self) -> None:
        """Close every connection."""
        for writer in list(self._writers):
            writer.close()
        await asyncio.sleep(0.05)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._handle, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._handlers:
            task.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)
        await self._server.wait_closed()

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        task.add_done_callback(self._handlers.discard)
        self._writers.add(writer)
        self.connections += 1
        number = self.connections
        try:
            if self.behaviour is Trouble.RESET_AT_ONCE:
                return _reset(writer)
            while await self._answer_one(reader, writer, number):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: int) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        parts = urlsplit(target)
        seen = Seen(method, parts.path, dict(parse_qsl(parts.query)), headers, body, connection)
        self.seen.append(seen)
        does = self.behaviour if isinstance(self.behaviour, Answer | Trouble) else self.behaviour(seen)
        match does:
            case Answer():
                writer.write(does.encoded())
                await writer.drain()
                return True
            case Trouble.HANG:
                await asyncio.sleep(3600)
            case Trouble.RESET:
                _reset(writer)
            case Trouble.CUT:
                writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 1000\r\n\r\n{")
                await writer.drain()
            case _:
                pass
        return False


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST instead of FIN."""
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with Provider() as running:
        yield running


@pytest.fixture
def nobody() -> str:
    """Give an address at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


@pytest.fixture
def answer() -> type[Answer]:
    return Answer


@pytest.fixture
def trouble() -> type[Trouble]:
    return Trouble
