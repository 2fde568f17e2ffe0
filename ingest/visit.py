"""A short visit to a broker under a name of one's own: to listen, to publish, to leave and to come back.

For whoever examines a broker (`shouwang doctor`). Nothing here uses the client id of the service, which the broker
would throw out for it. paho runs in a thread of its own here: a visit lasts seconds, and what it must not do is to hold
up the event loop while a broker hangs.
"""

import asyncio
import contextlib
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from ingest.options import MqttOptions, Protocol
from ingest.paho_connection import tls_context

_REFUSED = 0x80
_PUBLISHED_AT_ONCE = 100
_KEEPALIVE_S = 10
#: How long the broker may take to let us go.
_GOODBYE_S = 2.0


class VisitError(Exception):
    """The broker could not be visited, or threw us out; the text says why, without the password."""


class RefusedVisitError(VisitError):
    """The broker does not let us in, by the name we have or by user and password."""


class NameRefusedError(RefusedVisitError):
    """The broker does not take the client id of the visit: it may well take another."""


class _VersionError(VisitError):
    """The broker may speak another version of MQTT."""


#: What a broker says of who we are: another version of MQTT would not help.
_REFUSALS: dict[int, type[VisitError]] = {
    133: NameRefusedError,
    134: RefusedVisitError,
    135: RefusedVisitError,
    138: RefusedVisitError,
    140: RefusedVisitError,
}


class Heard(NamedTuple):
    """A message as the broker handed it over."""

    topic: str
    payload: bytes
    qos: int
    retain: bool


class Greeting(NamedTuple):
    """What the broker said on connecting. All but the first are known with MQTT 5 only."""

    session_present: bool
    #: Seconds for which it will keep the session; None: as long as was asked for, or not said.
    session_expiry_s: int | None = None
    maximum_qos: int = 2


class Published(NamedTuple):
    """What became of messages that were published with QoS 1."""

    acknowledged: int
    #: By the broker's words.
    refused: Counter[str]


class Visit:
    """A connection that stands. Made by `visit`."""

    def __init__(self, client: Client, version: MQTTProtocolVersion, on_message: Callable[[Heard], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._client = client
        self._on_message = on_message
        self.version = version
        self.ended: asyncio.Future[VisitError] = self._loop.create_future()
        self._greeted: asyncio.Future[Greeting] = self._loop.create_future()
        self._granted: dict[int, asyncio.Future[list[ReasonCode]]] = {}
        self._acknowledged = 0
        self._refused: Counter[str] = Counter()
        self._answered = asyncio.Event()
        self._running = False
        client.on_connect = self._soon(self._connected)
        client.on_disconnect = self._soon(self._disconnected)
        client.on_subscribe = self._soon(self._subscribed)
        client.on_publish = self._soon(self._published)
        client.on_message = self._soon(self._heard)

    @property
    def greeting(self) -> Greeting:
        """What the broker said on connecting."""
        return self._greeted.result()

    @property
    def certificate_ends(self) -> datetime | None:
        """Until when the broker's certificate is good; None where nothing is encrypted."""
        found = self._client.socket()
        certificate = found.getpeercert() if isinstance(found, ssl.SSLSocket) else None
        if not certificate:
            return None
        return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)

    async def open(self, options: MqttOptions, keep_s: int, *, resume: bool) -> None:
        """Connect, and wait until the broker has let us in. Raises VisitError or OSError."""
        more: dict[str, Any] = {}
        if self._v5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho has no types here
            properties.SessionExpiryInterval = keep_s
            more = {"clean_start": not resume, "properties": properties}
        keepalive_s = min(options.keepalive_s, _KEEPALIVE_S)
        await asyncio.to_thread(self._client.connect, options.host, options.port, keepalive_s, **more)
        self._client.loop_start()
        self._running = True
        await self._unless_ended(self._greeted)

    async def subscribe(self, filters: Sequence[str]) -> dict[str, int]:
        """Subscribe with QoS 1; give the QoS that was granted for each, 128 and more where it was refused."""
        granted: dict[str, int] = {}
        for one in filters:
            asked: list[Any] = [(one, SubscribeOptions(qos=1))] if self._v5 else [(one, 1)]
            _, mid = self._client.subscribe(asked)
            if mid is None:
                raise VisitError("the broker ended the connection")
            answer = self._granted.setdefault(mid, self._loop.create_future())
            reasons = await self._unless_ended(answer)
            granted[one] = reasons[0].value if reasons else _REFUSED
        return granted

    async def publish(self, topic: str, payloads: Sequence[bytes], *, within_s: float) -> Published:
        """Publish with QoS 1; come back when all is answered, or after so many seconds. Raises VisitError."""
        acknowledged, refused = self._acknowledged, Counter(self._refused)
        last = acknowledged + refused.total() + len(payloads)
        for payload in payloads:
            if self._client.publish(topic, payload, qos=1).rc not in {
                MQTTErrorCode.MQTT_ERR_SUCCESS,
                MQTTErrorCode.MQTT_ERR_QUEUE_SIZE,
            }:
                raise VisitError("the broker ended the connection while we published")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while self._acknowledged + self._refused.total() < last:
                    if self.ended.done():
                        raise self.ended.result()
                    self._answered.clear()
                    await self._answered.wait()
        return Published(self._acknowledged - acknowledged, self._refused - refused)

    async def leave(self, *, forget: bool = False) -> None:
        """Say goodbye; with `forget` the broker is to forget the session at once, whatever was asked for before."""
        properties = None
        if forget and self._v5:
            properties = Properties(PacketTypes.DISCONNECT)  # type: ignore[no-untyped-call]  # paho has no types here
            properties.SessionExpiryInterval = 0
        self._client.disconnect(properties=properties)
        # The thread is not waited for where the broker hangs; it is one that ends with the process.
        if self._running:
            await asyncio.wait({self.ended}, timeout=_GOODBYE_S)
            if self.ended.done():
                self._client.loop_stop()

    # --- in the event loop, what paho's thread has seen ---

    def _soon(self, handle: Callable[..., None]) -> Callable[..., None]:
        def seen(_client: Client, _data: Any, *what: Any) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is interested any more
                self._loop.call_soon_threadsafe(handle, *what)

        return seen

    def _connected(self, flags: ConnectFlags, reason: ReasonCode, properties: Properties | None) -> None:
        if reason.value < _REFUSED:
            found = getattr(properties, "SessionExpiryInterval", None), getattr(properties, "MaximumQoS", 2)
            if not self._greeted.done():
                self._greeted.set_result(Greeting(flags.session_present, *found))
        else:
            self._end(_REFUSALS.get(reason.value, _VersionError)(f"the broker refuses us: {reason}"))

    def _disconnected(self, _flags: object, reason: ReasonCode, _properties: object) -> None:
        if self._greeted.done():
            self._end(VisitError(f"the broker ended the connection: {reason}"))
        else:
            self._end(_VersionError("the broker closed the connection before it answered (is it mqtt:// or mqtts://?)"))

    def _subscribed(self, mid: int, reasons: list[ReasonCode], _properties: object) -> None:
        answer = self._granted.setdefault(mid, self._loop.create_future())
        if not answer.done():
            answer.set_result(reasons)

    def _published(self, _mid: int, reason: ReasonCode, _properties: object) -> None:
        if reason.value < _REFUSED:
            self._acknowledged += 1
        else:
            self._refused[str(reason)] += 1
        self._answered.set()

    def _heard(self, message: MQTTMessage) -> None:
        self._on_message(Heard(message.topic, bytes(message.payload), message.qos, message.retain))

    def _end(self, why: VisitError) -> None:
        if not self.ended.done():
            self.ended.set_result(why)
        self._answered.set()

    @property
    def _v5(self) -> bool:
        return self.version == MQTTProtocolVersion.MQTTv5

    async def _unless_ended(self, answer: "asyncio.Future[Any]") -> Any:
        await asyncio.wait({answer, self.ended}, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            answer.cancel()
            raise self.ended.result()
        return answer.result()


@contextlib.asynccontextmanager
async def visit(
    options: MqttOptions,
    client_id: str,
    *,
    keep_s: int = 0,
    resume: bool = False,
    forget: bool = False,
    acknowledge: bool = True,
    on_message: Callable[[Heard], None] = lambda _: None,
) -> AsyncIterator[Visit]:
    """Connect as `client_id`, speaking the version of MQTT that the service would speak.

    With `keep_s` the broker is asked to keep the session so long after we have left (MQTT 3.1.1: for ever, so come back
    without it); with `resume` we take up the session that it has. With `forget` we leave for good, whatever was asked.
    Without `acknowledge` whatever is handed over stays the broker's to send again.
    `on_message` is called on the event loop. Raises VisitError.
    """
    versions = {
        Protocol.V5: [MQTTProtocolVersion.MQTTv5],
        Protocol.V311: [MQTTProtocolVersion.MQTTv311],
        Protocol.AUTO: [MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311],
    }[options.protocol]
    for number, version in enumerate(versions, 1):
        try:
            client = await asyncio.to_thread(_client, options, client_id, version, lasting=bool(keep_s) or resume)
        except (ssl.SSLError, OSError) as error:
            raise VisitError(f"the certificates cannot be used: {error.strerror or error}") from error
        client.manual_ack_set(not acknowledge)
        here = Visit(client, version, on_message)
        try:
            try:
                async with asyncio.timeout(options.connect_timeout_s):
                    await here.open(options, keep_s, resume=resume)
            except _VersionError:
                if number == len(versions):
                    raise
                continue
            except TimeoutError:
                raise VisitError(f"no answer within {options.connect_timeout_s:g} s") from None
            except OSError as error:
                raise VisitError(_words(error, tls=options.tls)) from error
            yield here
            return
        finally:
            await here.leave(forget=forget)


def _words(error: OSError, *, tls: bool) -> str:
    what = error.reason if isinstance(error, ssl.SSLError) else error.strerror
    # Who is greeted by something else than he expects hangs up.
    encrypted = tls and isinstance(error, ssl.SSLError | ConnectionResetError)
    return f"no {'encrypted ' if encrypted else ''}connection: {what or error}"


def _client(options: MqttOptions, client_id: str, version: MQTTProtocolVersion, *, lasting: bool) -> Client:
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        clean_session=None if version == MQTTProtocolVersion.MQTTv5 else not lasting,
        protocol=version,
        reconnect_on_failure=False,
    )
    client.connect_timeout = options.connect_timeout_s
    client.max_inflight_messages_set(_PUBLISHED_AT_ONCE)
    if options.username is not None:
        client.username_pw_set(options.username, options.password)
    if options.tls:
        client.tls_set_context(tls_context(options))
    return client
