"""A provider of a few lines over real HTTP, which does to requests whatever a test says."""

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

import pytest

from notify.channels.http import Courier
from notify.channels.twilio_client import TwilioAccount, TwilioClient
from simulators.twilio import ACCOUNT_SID, AUTH_TOKEN, FakeTwilio


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
        self._over = asyncio.Event()
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
        self._over.set()
        for writer in self._writers:
            writer.close()
        await asyncio.gather(*self._handlers)
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
                await self._over.wait()
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


# --- the stateful fake of Twilio --------------------------------------------------------------------------------------


class Clock:
    """A time that tests move."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 9, 4, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def pass_s(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def twilio(clock: Clock) -> AsyncIterator[FakeTwilio]:
    """Give the fake; nothing happens in it until `advance()`."""

    async def nowhere(*_: Any, **__: Any) -> Any:
        raise OSError("no service listens in these tests")

    async with FakeTwilio(now=clock, post=nowhere) as running:
        yield running


@pytest.fixture
async def connect(clock: Clock) -> AsyncIterator[Callable[..., TwilioClient]]:
    """Give a function that makes a client for a base URL."""
    made: list[TwilioClient] = []

    def make(base_url: str, **account: Any) -> TwilioClient:
        plain = {
            "account_sid": ACCOUNT_SID,
            "auth_token": AUTH_TOKEN,
            "from_number": "+15005550006",
            "api_base_url": base_url,
        }
        courier = Courier(timeout_s=1.0, connect_timeout_s=1.0)
        made.append(TwilioClient(TwilioAccount(**(plain | account)), now=clock, courier=courier))
        return made[-1]

    yield make
    for client in made:
        await client.aclose()
