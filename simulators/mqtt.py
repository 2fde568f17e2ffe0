"""Publishing, with aiomqtt. Here its shortcomings do no harm: nothing is received."""

import asyncio
import contextlib
import logging
import secrets
import ssl
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import NamedTuple, Protocol, Self
from urllib.parse import unquote, urlsplit

import aiomqtt

_log = logging.getLogger(__name__)

_RECONNECT_S = 1.0


class Publish(Protocol):
    """Sends one message; returns when the broker has it (QoS 1)."""

    async def __call__(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Send it."""


class Broker(NamedTuple):
    """Where a broker is."""

    host: str
    port: int
    username: str | None
    password: str | None
    tls: bool


class Will(NamedTuple):
    """What the broker says, retained, when a connection is lost."""

    topic: str
    payload: bytes


def parse_url(url: str) -> Broker:
    """Read `mqtt://user:password@host:port` or `mqtts://…`; raises ValueError."""
    parts = urlsplit(url if "://" in url else f"mqtt://{url}")
    if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname:
        raise ValueError(f"not the address of an MQTT broker: {url!r} (mqtt://host:port)")
    tls = parts.scheme == "mqtts"
    return Broker(
        host=parts.hostname,
        port=parts.port or (8883 if tls else 1883),
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        tls=tls,
    )


class Line:
    """A connection to publish by, that comes back by itself when it is lost.

    `on_connect` is called each time, e.g. to say what a gateway says at its start. Use as a context manager; inside,
    `publish` waits for the connection where there is none.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str,
        will: Will | None = None,
        on_connect: Callable[[], Awaitable[None]] | None = None,
        answer_within_s: float = 10.0,
    ) -> None:
        """`answer_within_s` is how long the broker may take to acknowledge a message, and to let us go."""
        self._broker = parse_url(url)
        self._answer_within_s = answer_within_s
        # No dots: the NATS server refuses them in client ids.
        self._identifier = f"sim-{name}-{secrets.token_hex(4)}".replace(".", "-")
        self._name = name
        self._will = will
        self.on_connect = on_connect
        self._client: aiomqtt.Client | None = None
        self._there = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._listening: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Send a message with QoS 1; returns when the broker has it. Sent again where that is not known."""
        while True:
            await self._there.wait()
            if (client := self._client) is None:
                continue
            try:
                await client.publish(topic, payload, qos=1, retain=retain)
            except aiomqtt.MqttError:
                # Also where the connection stands and the broker does not answer: only another one helps.
                if self._client is client:
                    self._there.clear()
                    if self._listening is not None:
                        self._listening.cancel()
            else:
                return

    async def _keep(self) -> None:
        broker, will = self._broker, self._will
        while not self._closing.is_set():
            try:
                async with aiomqtt.Client(
                    broker.host,
                    broker.port,
                    username=broker.username,
                    password=broker.password,
                    identifier=self._identifier,
                    timeout=self._answer_within_s,
                    will=aiomqtt.Will(will.topic, will.payload, qos=1, retain=True) if will else None,
                    tls_context=ssl.create_default_context() if broker.tls else None,
                ) as client:
                    self._client = client
                    self._there.set()
                    await self._use(client)
            except aiomqtt.MqttError as exc:
                # It may stand in for being cancelled.
                if self._closing.is_set():
                    return
                _log.warning("%s: no connection to the broker, trying again: %s", self._name, exc)
            finally:
                self._there.clear()
                self._client = None
            await asyncio.sleep(_RECONNECT_S)

    async def _use(self, client: aiomqtt.Client) -> None:
        """Say what is said at the start, and stay until the connection is lost."""
        # Beside the wait, because what `on_connect` publishes waits for a new connection where this one is lost.
        greeting = asyncio.ensure_future(self.on_connect()) if self.on_connect else None
        listening = self._listening = asyncio.ensure_future(self._listen(client))
        try:
            await asyncio.wait({listening})
        finally:
            for task in (greeting, listening):
                if task is not None:
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)
        if not listening.cancelled() and (error := listening.exception()) is not None:
            raise error

    @staticmethod
    async def _listen(client: aiomqtt.Client) -> None:
        """Wait for the end of the connection: nothing is subscribed to, so that nothing else ends this."""
        async for _ in client.messages:
            pass

    async def __aenter__(self) -> Self:
        self._keeper = asyncio.create_task(self._keep(), name=f"line {self._name}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
