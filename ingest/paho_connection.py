"""One connection to the broker: paho's protocol on an asyncio transport, from CONNECT to the end.

Every connection has a paho client of its own, so that nothing of an earlier one can linger: a handle holds the
connection it came in, and an acknowledgement can reach no other.
"""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from ingest.options import MqttOptions
from ingest.packets import PING, Publish, acknowledgements
from ingest.wire import Wire

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

#: Filters in one SUBSCRIBE; brokers limit the packet.
_FILTERS_AT_ONCE = 200
_MISC_EVERY_S = 1.0
_REFUSED = 0x80
_UNSUPPORTED_VERSION = 132
_TAKEN_OVER = 142


class ConnectionEndedError(Exception):
    """The connection could not be made, or came to its end; the text says why."""

    def __init__(self, sentence: str, *, other_version: bool = False, taken_over: bool = False) -> None:
        super().__init__(sentence)
        #: The broker may speak another version of MQTT.
        self.other_version = other_version
        #: Another client has connected under our client id.
        self.taken_over = taken_over


class SubscriptionRefusedError(ConnectionEndedError):
    """The broker does not let us listen to something; the connection stands."""


class _Client(Client):
    """paho's client on a wire that is connected already."""

    wire: Wire

    def _create_socket(self) -> Wire:
        return self.wire


class PahoConnection:
    """A connection; made by `open`, over when `ended` is done.

    `on_session(present)` is called before the first message, `on_publish(connection, messages)` with the messages in
    their order; both on the event loop, and neither may raise.
    """

    def __init__(
        self,
        options: MqttOptions,
        version: MQTTProtocolVersion,
        *,
        on_session: Callable[[bool], None],
        on_publish: Callable[["PahoConnection", list[Publish]], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._options = options
        self._on_session = on_session
        self._on_publish = on_publish
        self.version = version
        #: Why it ended.
        self.ended: asyncio.Future[ConnectionEndedError] = self._loop.create_future()
        self._greeted: asyncio.Future[None] = self._loop.create_future()
        self._subscribing: dict[int, asyncio.Future[list[ReasonCode]]] = {}
        #: Ids of messages that were handed over and not acknowledged.
        self._open: set[int] = set()
        self._misc: asyncio.TimerHandle | None = None
        self.wire = Wire(
            properties=version == MQTTProtocolVersion.MQTTv5,
            on_publish=self._published,
            on_other=self._read,
            on_lost=self._lost,
        )
        self._client = self._new_client()

    @property
    def alive(self) -> bool:
        """Whether an acknowledgement can still be sent."""
        return not self.ended.done()

    @property
    def unacknowledged(self) -> int:
        """How many messages the broker waits for us to acknowledge."""
        return len(self._open)

    async def open(self) -> None:
        """Connect and wait for the broker's CONNACK. Raises ConnectionEndedError, OSError or TimeoutError."""
        options = self._options
        # Reading the system's authorities takes a while.
        tls = await asyncio.to_thread(tls_context, options) if options.tls else None
        await self._loop.create_connection(
            lambda: self.wire,
            options.host,
            options.port,
            ssl=tls,
            server_hostname=options.host if tls else None,
            happy_eyeballs_delay=0.25,
        )
        more: dict[str, Any] = {}
        if self.version == MQTTProtocolVersion.MQTTv5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho has no types here
            properties.SessionExpiryInterval = options.session_expiry_s
            properties.ReceiveMaximum = options.receive_maximum
            more = {"clean_start": False, "properties": properties}
        self._client.connect_async(options.host, options.port, options.keepalive_s, **more)
        self._client.reconnect()
        self._write()
        self._tick()
        await self._unless_ended(self._greeted)

    async def subscribe(self, filters: Sequence[str]) -> None:
        """Subscribe with QoS 1 and wait for the broker's word.

        Retained messages come where the subscription is new to the session (MQTT 5) or always (3.1.1). Raises
        SubscriptionRefusedError where the broker refuses a filter, ConnectionEndedError where it comes to that.
        """
        for start in range(0, len(filters), _FILTERS_AT_ONCE):
            part = filters[start : start + _FILTERS_AT_ONCE]
            if self.version == MQTTProtocolVersion.MQTTv5:
                asked: list[Any] = [
                    (one, SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB))
                    for one in part
                ]
            else:
                asked = [(one, 1) for one in part]
            code, mid = self._client.subscribe(asked)
            if code != MQTTErrorCode.MQTT_ERR_SUCCESS or mid is None:
                raise ConnectionEndedError(f"could not subscribe: {code.name}")
            answer = self._subscribing[mid] = self._loop.create_future()
            try:
                reasons = await self._unless_ended(answer)
            finally:
                del self._subscribing[mid]
            for one, reason in zip(part, reasons, strict=False):
                if reason.value >= _REFUSED:
                    raise SubscriptionRefusedError(f"the broker refuses the subscription {one!r}: {reason}")

    def unsubscribe(self, filters: Sequence[str]) -> None:
        """Ask the broker not to send these any more."""
        if filters:
            self._client.unsubscribe(list(filters))

    def acknowledge(self, mids: Sequence[int]) -> None:
        """Acknowledge messages of this connection in the order given; after its end, nothing happens."""
        if self.ended.done():
            return
        self._open.difference_update(mids)
        with contextlib.suppress(BrokenPipeError):  # it is about to end, and the broker sends them again
            self.wire.send(acknowledgements(mids))
            self.wire.flush()

    def disconnect(self) -> None:
        """Say goodbye and close; the broker keeps the session."""
        if not self.ended.done():
            self._client.disconnect()
            self._write()
        self.abort(None)

    def abort(self, error: BaseException | None) -> None:
        """End it at once."""
        self._end(ConnectionEndedError("closed by us" if error is None else f"{type(error).__name__}: {error}"))
        if error is None:
            self.wire.close()
        else:
            self.wire.abort()

    # --- what the wire calls ---

    def _published(self, messages: list[Publish]) -> None:
        waiting = self._open
        fresh: list[Publish] = []
        for one in messages:
            if one.qos:
                if one.dup and one.mid in waiting:
                    continue  # NATS sends again what waits longer than its ack_wait, while we are still at it.
                waiting.add(one.mid)
            fresh.append(one)
        if fresh:
            self._on_publish(self, fresh)

    def _read(self) -> None:
        code = self._client.loop_read()
        if code != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._end(ConnectionEndedError(f"paho ended the connection: {code.name}", other_version=not self._met))

    def _lost(self, error: BaseException | None) -> None:
        why = "the broker closed the connection" if error is None else f"{type(error).__name__}: {error}"
        broke = error is None or isinstance(error, OSError)
        if not broke:
            _log.error("a packet from the broker could not be handled", exc_info=error)
        elif not self._met:
            why += " (before it answered: are the port and mqtt:// or mqtts:// right?)"
        self._end(ConnectionEndedError(why, other_version=broke and not self._met))

    # --- what paho calls ---

    def _new_client(self) -> _Client:
        options = self._options
        client = _Client(
            CallbackAPIVersion.VERSION2,
            client_id=options.client_id,
            clean_session=None if self.version == MQTTProtocolVersion.MQTTv5 else False,
            protocol=self.version,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.wire = self.wire
        if options.username is not None:
            client.username_pw_set(options.username, options.password)
        if _log.isEnabledFor(logging.DEBUG):
            client.enable_logger(_log)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        # With this set, paho leaves the writing to us.
        client.on_socket_register_write = self._on_register_write
        return client

    def _on_register_write(self, _client: Client, _data: Any, _sock: Any) -> None:
        self._loop.call_soon(self._write)

    def _on_connect(
        self, _client: Client, _data: Any, flags: ConnectFlags, reason: ReasonCode, _properties: Any
    ) -> None:
        if reason.value >= _REFUSED:
            self._end(
                ConnectionEndedError(
                    f"the broker refuses us: {reason}", other_version=reason.value == _UNSUPPORTED_VERSION
                )
            )
            return
        self._on_session(flags.session_present)
        if not self._greeted.done():
            self._greeted.set_result(None)

    def _on_subscribe(self, _client: Client, _data: Any, mid: int, reasons: list[ReasonCode], _properties: Any) -> None:
        answer = self._subscribing.get(mid)
        if answer is not None and not answer.done():
            answer.set_result(reasons)

    def _on_disconnect(
        self, _client: Client, _data: Any, flags: DisconnectFlags, reason: ReasonCode, _properties: Any
    ) -> None:
        who = "the broker ended the connection" if flags.is_disconnect_packet_from_server else "the connection broke"
        self._end(ConnectionEndedError(f"{who}: {reason}", taken_over=reason.value == _TAKEN_OVER))

    # --- the rest ---

    @property
    def _met(self) -> bool:
        return self._greeted.done()

    async def _unless_ended(self, answer: asyncio.Future[_T]) -> _T:
        either: set[asyncio.Future[Any]] = {answer, self.ended}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if self.ended.done():
            raise self.ended.result()
        return answer.result()

    def _write(self) -> None:
        self._client.loop_write()
        self.wire.flush()

    def _tick(self) -> None:
        """Let paho send its pings and notice when they are not answered."""
        if not self.ended.done():
            # A broker waits half as long again as it was told to.
            self._misc = self._loop.call_later(min(_MISC_EVERY_S, self._options.keepalive_s / 4), self._tick)
            if self.wire.paused:
                # The answer to a ping stands behind all that we do not read for now: paho would give the broker up. It
                # must only not give up us.
                with contextlib.suppress(BrokenPipeError):
                    self.wire.send(PING)
                    self.wire.flush()
            else:
                self._client.loop_misc()

    def _end(self, why: ConnectionEndedError) -> None:
        if not self.ended.done():
            self.ended.set_result(why)
        if self._misc is not None:
            self._misc.cancel()


def tls_context(options: MqttOptions) -> ssl.SSLContext:
    """Trust what the options say, and show our own certificate where there is one. Reads files."""
    context = ssl.create_default_context(cafile=str(options.ca_file) if options.ca_file else None)
    if options.cert_file is not None:
        context.load_cert_chain(options.cert_file, options.key_file)
    return context
