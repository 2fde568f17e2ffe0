"""Messages from a broker, for ever: connects, subscribes, reconnects, and acknowledges only what is still its own."""

import asyncio
import logging
import random
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from paho.mqtt.enums import MQTTProtocolVersion

from ingest.mailbox import Mailbox
from ingest.message import Message
from ingest.options import MqttOptions, Protocol
from ingest.packets import Publish
from ingest.paho_connection import ConnectionEndedError, PahoConnection, SubscriptionRefusedError
from ingest.urgent import is_urgent

_log = logging.getLogger(__name__)

#: Of a payload that is too large so many bytes are kept, to see what it was.
BEGINNING = 1024

_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 30.0
#: A connection that lasted this long was a good one: the next attempt comes soon.
_GOOD_AFTER_S = 30.0
#: Two processes under one client id throw each other out; do not do it several times a second.
_TAKEN_OVER_PAUSE_S = 5.0


def _utc_now() -> datetime:
    return datetime.now(UTC)


class PahoSource:
    """An MqttSource on paho-mqtt.

    The subscriptions are made anew on every connection, because a session that the broker has kept need not hold them
    (a crash between CONNECT and SUBSCRIBE). A message with QoS 1 carries as its handle the connection it came in and
    its packet id; a message with QoS 0 has none. What was not handed over when a connection ends is held for `hold_s`:
    each of it is dropped when the broker sends that message again, and the rest is handed over after all. That a broker
    says it kept our session is not enough: one that died comes back with the session as it last wrote it down.

    What is `optional` is listened to where the broker allows it; a connection without it counts.

    The broker is held back by the receive maximum (MQTT 5), and by not reading the socket above `queue_limit`.
    """

    def __init__(
        self,
        options: MqttOptions,
        subscriptions: Iterable[str] = (),
        *,
        optional: Iterable[str] = (),
        now: Callable[[], datetime] = _utc_now,
        hold_s: float = 5.0,
    ) -> None:
        self._options = options
        self._filters = tuple(dict.fromkeys(subscriptions))
        self._optional = tuple(optional)
        self._now = now
        self._hold_s = hold_s
        self._mailbox = Mailbox()
        self._held: list[Message] = []
        self._holding: asyncio.TimerHandle | None = None
        self._connection: PahoConnection | None = None
        self._version = (
            MQTTProtocolVersion.MQTTv311 if options.protocol is Protocol.V311 else MQTTProtocolVersion.MQTTv5
        )
        self._connected = False
        self._last_message_at: datetime | None = None
        #: Counts connections; for logs and tests.
        self.generation = 0

    @property
    def connected(self) -> bool:
        """Whether the broker has confirmed our subscriptions and the connection stands."""
        return self._connected

    @property
    def last_message_at(self) -> datetime | None:
        """When the last message arrived; aware, in UTC."""
        return self._last_message_at

    @property
    def waiting(self) -> int:
        """Messages that have arrived and were not handed over."""
        return len(self._mailbox) + len(self._held)

    async def run(self) -> None:
        """Stay connected until cancelled; then say goodbye, with the session kept."""
        failures = 0
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            least = 0.0
            version = self._version
            try:
                await self._one_connection()
            except ConnectionEndedError as error:
                _log.warning("%s: %s", self._options.address, error)
                least = _TAKEN_OVER_PAUSE_S if error.taken_over else 0.0
                if error.other_version and self._options.protocol is Protocol.AUTO:
                    self._try_other_version()
            except OSError as error:  # TimeoutError is one of them
                _log.warning("%s cannot be reached: %s", self._options.address, str(error) or type(error).__name__)
            except Exception:  # noqa: BLE001 - the library may fail in any way; only cancelling ends this
                _log.exception("the MQTT client failed; connecting again")
            failures = 0 if loop.time() - began > _GOOD_AFTER_S or self._version != version else failures + 1
            # A float has no room for two to the power of a long night.
            pause = min(_FIRST_PAUSE_S * 2 ** min(failures, 16), _LONGEST_PAUSE_S) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
            await asyncio.sleep(max(pause, least))

    async def subscribe(self, subscriptions: Iterable[str]) -> None:
        """Listen to these topics from now on, and to no others; a connection that cannot is made anew."""
        before, self._filters = self._filters, tuple(dict.fromkeys(subscriptions))
        connection = self._connection
        if connection is None or not self._connected:
            return
        try:
            connection.unsubscribe([one for one in before if one not in self._filters])
            async with asyncio.timeout(self._options.connect_timeout_s):
                await connection.subscribe([one for one in self._filters if one not in before])
        except (ConnectionEndedError, TimeoutError, ValueError) as error:
            connection.abort(error)

    async def gather(self, limit: int, seconds: float) -> list[Message]:
        """Wait for messages and take up to `limit` of them, in order of arrival."""
        batch = await self._mailbox.gather(limit, seconds)
        if self._connection is not None and self._connection.wire.paused and not self._too_many:
            self._connection.wire.resume()
        return batch

    def acknowledge(self, messages: Sequence[Message]) -> int:
        """Acknowledge messages in the order given; gives how many were still to be acknowledged."""
        connection = self._connection
        if connection is None or not connection.alive:
            return 0
        mids = [one.handle[1] for one in messages if one.handle is not None and one.handle[0] is connection]
        connection.acknowledge(mids)
        return len(mids)

    # --- one connection ---

    async def _one_connection(self) -> None:
        self.generation += 1
        options = self._options
        connection = PahoConnection(options, self._version, on_session=self._on_session, on_publish=self._on_publish)
        self._connection = connection
        error: BaseException | None = None
        try:
            error = await self._last(connection)
        except asyncio.CancelledError:
            connection.disconnect()
            raise
        except BaseException as one:
            error = one
            raise
        finally:
            self._connected = False
            connection.abort(error)
            self._hold()
        raise error

    async def _last(self, connection: PahoConnection) -> ConnectionEndedError:
        """See a connection through, from its beginning to why it ended."""
        options = self._options
        async with asyncio.timeout(options.connect_timeout_s):
            await connection.open()
            await connection.subscribe(self._filters)
        self._connected = True
        version = "5" if connection.version == MQTTProtocolVersion.MQTTv5 else "3.1.1"
        _log.info(
            "connected to %s as %s (MQTT %s, connection %d)",
            options.address,
            options.client_id,
            version,
            self.generation,
        )
        for one in self._optional:
            try:
                await connection.subscribe([one])
            except SubscriptionRefusedError as error:
                _log.warning("%s; we go on without it", error)
        # Not awaited itself: whoever cancels us would cancel it.
        await asyncio.wait({connection.ended})
        return connection.ended.result()

    def _on_session(self, present: bool) -> None:
        if present:
            if self._held:
                _log.info("%d messages were not handled yet; the broker should send them again", len(self._held))
                self._hold_until_later()
        else:
            self._release()

    def _on_publish(self, connection: PahoConnection, messages: list[Publish]) -> None:
        now = self._last_message_at = self._now()
        if self._held:
            for again in messages:
                if again.dup:
                    self._let_go(again)
        most = self._options.payload_limit
        self._mailbox.put(
            [
                Message(topic, payload, retain, now, dup, (connection, mid) if qos else None, is_urgent(topic, payload))
                if len(payload) <= most
                else Message(
                    topic, payload[:BEGINNING], retain, now, dup, (connection, mid) if qos else None, size=len(payload)
                )
                for topic, payload, qos, retain, dup, mid in messages
            ]
        )
        if self._too_many and self._connected:
            connection.wire.pause()

    @property
    def _too_many(self) -> bool:
        return len(self._mailbox) >= self._options.queue_limit

    def _try_other_version(self) -> None:
        self._version = (
            MQTTProtocolVersion.MQTTv311 if self._version == MQTTProtocolVersion.MQTTv5 else MQTTProtocolVersion.MQTTv5
        )
        _log.info("trying MQTT %s", "5" if self._version == MQTTProtocolVersion.MQTTv5 else "3.1.1")

    # --- what the connection left behind ---

    def _hold(self) -> None:
        fresh = self._mailbox.take_out(lambda one: one.handle is not None and not one.handle[0].alive)
        if fresh:
            self._held.extend(fresh)
            self._hold_until_later()

    def _hold_until_later(self) -> None:
        if self._holding is not None:
            self._holding.cancel()
        self._holding = asyncio.get_running_loop().call_later(self._hold_s, self._release)

    def _let_go(self, again: Publish) -> None:
        """The broker has sent this one again: that one counts, for it can be acknowledged."""
        for number, held in enumerate(self._held):
            if held.topic == again.topic and held.payload == again.payload:
                del self._held[number]
                return

    def _release(self) -> None:
        """Hand over after all what the broker does not send again, or not soon."""
        if self._holding is not None:
            self._holding.cancel()
        held, self._held = self._held, []
        self._mailbox.put_back(held)
