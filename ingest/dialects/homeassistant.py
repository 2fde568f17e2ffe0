"""Home Assistant, as its integration MQTT Statestream publishes what it knows.

    <base>/<domain>/<object id>/state               on, off, unavailable, 21.5 …                     all retained
    <base>/<domain>/<object id>/<attribute>         "gas", 3, ["a"]: JSON        publish_attributes: true
    <base>/<domain>/<object id>/last_updated        with last_changed            publish_timestamps: true
    homeassistant/status                            online | offline             birth and will of Home Assistant

What an entity is stands in its attribute `device_class`, a message of its own that comes before or after the state. A
state that could not be read without it is kept until then. An event's type is an attribute as well, and its state the
time at which it happened: where that time is no news, nothing was pressed.

A device's name is the entity's id (`binary_sensor.kitchen_gas`), its object id (`kitchen_gas`), or what the object ids
of all its entities begin with (`kitchen_gas` for `sensor.kitchen_gas_battery`).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, NamedTuple

from ingest.decoded import ANYWHERE, Decoded, GatewayWord, UnderBases, World
from ingest.dialects.common import freshness, observed, parse, shorten, unknown_device
from ingest.dialects.discovery import Entity, key
from ingest.dialects.entities import NOT_SAFETY, UNKNOWN_WORDS, take
from ingest.dialects.facts import Facts
from ingest.dialects.meanings import Fact, Rank
from ingest.message import Message
from rules.community import Device, Source
from rules.readings import Freshness, Reading

#: After its start Home Assistant publishes what its integrations remember, some of them late.
STARTUP = timedelta(seconds=120)
#: The messages of one change come one after the other.
_TOGETHER = timedelta(seconds=60)
#: How far from ours a clock may be, where nothing is known of an event but its time.
_CLOCKS_APART = timedelta(minutes=10)

_ONLINE = frozenset({"online", "offline"})
_LEARNT = {"device_class": "class", "unit_of_measurement": "unit"}
_SEEN = frozenset({"last_updated", "last_changed", "last_reported"})
#: Domains whose state is the time at which something happened.
_MOMENTS = frozenset({"event", "button", "input_button"})
#: Domains that say whether the device behind them can be reached.
_SENSORS = frozenset({"binary_sensor", "sensor", "alarm_control_panel"}) | _MOMENTS
_DOMAINS = NOT_SAFETY | _SENSORS | {"input_boolean", "number"}
_MOST_PREFIXES = 4


class _Said(NamedTuple):
    """A message of an entity, and what is known of that."""

    message: Message
    domain: str
    object_id: str
    known: dict[str, Any]
    device: Device
    startup: bool

    @property
    def key(self) -> str:
        return key(f"{self.domain}.{self.object_id}")


class HomeAssistant(UnderBases):
    """Reads one Home Assistant."""

    default_base: ClassVar = ANYWHERE

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._map = source.map
        #: Where its birth and will come; also where gateways announce themselves to it, which is not ours.
        self._status_under = source.discovery.strip("/") if source.discovery else None
        if self._status_under is not None and self._status_under not in self.bases:
            self.bases = (*self.bases, self._status_under)
            self.subscriptions = (*self.subscriptions, f"{self._status_under}/status")
        self._own = frozenset(base.strip("/") for base in (source.base, *source.more))
        self._started_at: datetime | None = None

    def names(self, rest: str, payload: bytes) -> Sequence[str]:  # noqa: ARG002 - the topic says it all
        """Give the entity's key, its id, its object id, and what that begins with."""
        entity = _entity(rest)
        if entity is None:
            return ()
        domain, object_id, _ = entity
        return key(f"{domain}.{object_id}"), *_names(domain, object_id)

    def decode(self, message: Message, rest: str, world: World) -> Decoded:
        """Read a state, an attribute, or a word of Home Assistant itself."""
        if rest == "status":
            return self._status(message)
        base = message.topic[: len(message.topic) - len(rest)].rstrip("/")
        if base not in self._own and not (ANYWHERE in self._own and _entity(rest) is not None):
            return Decoded(ignored="gateway_message", source=self._source, foreign=True)
        if rest.endswith("/config") and rest.count("/") >= 2:
            return Decoded(ignored="discovery_config", source=self._source, foreign=True)
        entity = _entity(rest)
        if entity is None:
            return self._aside(
                "unknown_topic", "A topic of statestream ends with a domain, an object id and what it says."
            )
        domain, object_id, attribute = entity
        if not message.payload:
            return self._ignored("retained_clear" if message.retain else "empty_payload")
        device = next(
            (one for name in _names(domain, object_id) if (one := world.devices.get((self._source, name))) is not None),
            None,
        )
        known = world.definitions.get((self._source, key(f"{domain}.{object_id}"))) or {}
        said = None
        if device is not None:
            said = _Said(message, domain, object_id, known, device, self._in_startup(message, world))
        if attribute in _LEARNT:
            return self._learn(message, f"{domain}.{object_id}", attribute, known, said)
        if attribute in _SEEN:
            return self._seen(message, domain, object_id, device)
        if attribute != "state" and (domain, attribute) != ("event", "event_type"):
            return self._ignored("attribute")
        if said is None:
            if domain in NOT_SAFETY:
                return self._ignored("not_a_safety_sensor")
            return unknown_device(self._source, f"{domain}.{object_id}")
        return self._state(said) if attribute == "state" else self._event(said)

    # --- Home Assistant itself ---

    def _status(self, message: Message) -> Decoded:
        if not message.payload:
            return self._ignored("retained_clear")
        state = _text(message.payload).lower()
        if state not in _ONLINE:
            return self._aside("invalid_value", "The status is neither online nor offline.")
        started_at = None
        if state == "online" and not message.retain:
            started_at = self._started_at = message.received_at
        return Decoded(gateway=GatewayWord(self._source, state, started_at), source=self._source)

    def _in_startup(self, message: Message, world: World) -> bool:
        gateway = world.gateways.get((self._source, ""))
        known = gateway.started_at if gateway is not None else None
        started_at = max((one for one in (known, self._started_at) if one is not None), default=None)
        return started_at is not None and started_at <= message.received_at <= started_at + STARTUP

    # --- an entity ---

    def _state(self, said: _Said) -> Decoded:
        message, domain, known = said.message, said.domain, said.known
        text = _text(message.payload)
        lowered = text.lower()
        facts = Facts(said.device, message, startup=said.startup, meanings=self._map)
        if lowered == "unavailable" and domain in _SENSORS:
            facts.fact(Fact(Rank.ALARM, "availability", "offline"))
        if domain in _MOMENTS:
            return self._moment(said, facts, text)
        missing = lowered in UNKNOWN_WORDS
        entity = Entity(domain, said.object_id, known.get("class"), known.get("unit"))
        ignored = take(facts, entity, None if missing else text, said.device, retained=message.retain)
        if missing:
            facts.unmapped.clear()
        if facts.readings or facts.unmapped:
            ignored = None
        elif ignored is None:
            ignored = "invalid_value"
        learnt = None
        if facts.unmapped and "class" not in known:
            pending = {"state": shorten(text), "at": message.received_at.isoformat(), "retained": message.retain}
            if (known.get("pending") or {}).get("state") != pending["state"]:
                learnt = {said.key: known | {"pending": pending}}
        return Decoded(facts.readings, ignored=ignored, unmapped=facts.unmapped, learnt=learnt, source=self._source)

    def _learn(
        self, message: Message, entity_id: str, attribute: str, known: dict[str, Any], said: _Said | None
    ) -> Decoded:
        value = _text(message.payload)
        now = {name: one for name, one in known.items() if name != _LEARNT[attribute]}
        if value and value != "null":
            now[_LEARNT[attribute]] = shorten(value)
        pending = now.pop("pending", None) if "class" in now else None
        learnt = {key(entity_id): now or None} if now != known else None
        if type(pending) is not dict or said is None:
            return Decoded(ignored="attribute", learnt=learnt, source=self._source)
        fresh = _since(pending, message)
        facts = Facts(said.device, message, freshness=fresh, startup=said.startup, meanings=self._map)
        entity = Entity(said.domain, said.object_id, now["class"], now.get("unit"))
        take(facts, entity, pending.get("state"), said.device, retained=True)
        readings = facts.readings
        return Decoded(readings, ignored=None if readings else "attribute", learnt=learnt, source=self._source)

    def _seen(self, message: Message, domain: str, object_id: str, device: Device | None) -> Decoded:
        """Note when something of it changed last; that may have been that it could not be reached any more."""
        if device is None:
            stranger = f"{domain}.{object_id}"
            if domain in NOT_SAFETY:
                return Decoded(ignored="not_a_safety_sensor", strangers=(stranger,), source=self._source)
            return unknown_device(self._source, stranger)
        text = _text(message.payload)
        reading = Reading(
            device.id,
            "heartbeat",
            message.received_at,
            "alive",
            observed_at=observed(text, message.received_at),
            freshness=Freshness.RETAINED if message.retain else Freshness.CACHED,
            detail=shorten(text),
        )
        return Decoded((reading,), source=self._source)

    # --- what happens at a moment ---

    def _moment(self, said: _Said, facts: Facts, text: str) -> Decoded:
        """Tell from the time of the last event whether there has been one; the attribute that follows tells which."""
        message, known = said.message, said.known
        if text.lower() in UNKNOWN_WORDS:
            readings = facts.readings
            return Decoded(readings, ignored=None if readings else "invalid_value", source=self._source)
        before = known.get("event_at")
        news = not message.retain and shorten(text) != before
        if news and before is None:
            news = _is_near(text, message.received_at)
        learnt = None
        if shorten(text) != before:
            kept = {name: one for name, one in known.items() if name not in {"event_at", "heard_at"}}
            heard = {"heard_at": message.received_at.isoformat()} if news else {}
            learnt = {said.key: kept | {"event_at": shorten(text)} | heard}
        if news and said.domain != "event":
            take(facts, Entity("event", said.object_id), "press", said.device, retained=False)
        ignored = None if facts.readings or facts.unmapped else "attribute"
        return Decoded(facts.readings, ignored=ignored, learnt=learnt, unmapped=facts.unmapped, source=self._source)

    def _event(self, said: _Said) -> Decoded:
        message, known = said.message, said.known
        heard_at = _moment_of(known.get("heard_at"))
        together = heard_at is not None and timedelta() <= message.received_at - heard_at <= _TOGETHER
        if not message.retain and "event_at" in known and not together:
            # Said again, as after a restart, and not pressed again.
            return self._ignored("attribute")
        facts = Facts(said.device, message, meanings=self._map)
        entity = Entity("event", said.object_id, known.get("class"))
        ignored = take(facts, entity, _text(message.payload), said.device, retained=message.retain)
        return Decoded(facts.readings, ignored=ignored, unmapped=facts.unmapped, source=self._source)


def _entity(rest: str) -> tuple[str, str, str] | None:
    """Give domain, object id and attribute; they come last where what they begin with is not known."""
    parts = rest.split("/")
    if len(parts) < 3:
        return None
    if parts[0] in _DOMAINS:
        return parts[0], parts[1], "/".join(parts[2:])
    return parts[-3], parts[-2], parts[-1]


def _names(domain: str, object_id: str) -> list[str]:
    names = [f"{domain}.{object_id}", object_id]
    while (beginning := names[-1].rpartition("_")[0]) and len(names) < _MOST_PREFIXES + 2:
        names.append(beginning)
    return names


def _text(payload: bytes) -> str:
    """Read a word, with or without the quotes of JSON."""
    text = payload.decode("utf-8", "replace").strip()
    if text[:1] == '"':
        try:
            value = parse(payload)
        except ValueError:
            return text
        return value.strip() if type(value) is str else text
    return text


def _since(pending: dict[str, Any], message: Message) -> Freshness:
    """How fresh a state is that could not be read when it came."""
    if message.retain or pending.get("retained") is not False:
        return Freshness.RETAINED
    at = _moment_of(pending.get("at"))
    together = at is not None and abs(message.received_at - at) <= _TOGETHER
    return freshness(message) if together else Freshness.CACHED


def _is_near(text: str, received_at: datetime) -> bool:
    at = _moment_of(text)
    return at is not None and abs(received_at - at) <= _CLOCKS_APART


def _moment_of(text: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return at if at.tzinfo is not None else None
