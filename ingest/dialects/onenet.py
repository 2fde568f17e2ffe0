"""China Mobile's OneNET and Alibaba Cloud's Alink, where what devices publish can be listened to.

    $sys/<product>/<device>/thing/property/post          {"params": {"GasAlarm": {"value": 1, "time": ms}}}
    $sys/<product>/<device>/thing/event/post             {"params": {"<event>": {"value": {...}, "time": ms}}}
    $sys/<product>/<device>/thing/pack/post|history/post sub-devices; history is never paged
    $sys/<product>/<device>/dp/post/json                 {"dp": {"<stream>": [{"v": ..., "t": seconds}]}}
    /sys/<product>/<device>/thing/event/property/post    Alink; events on thing/event/<event>/post

A device's name in devices.yaml is its device name, or `<product>/<device name>`. What an identifier of a thing model
means, its product's owner has chosen: what says plainly what it is, is read, and of Alink what its standard thing
models have; the rest needs a map. An event that has come is `true` there.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, ClassVar, Final

from ingest.decoded import Decoded, UnderBases, Unmapped, World
from ingest.dialects.common import is_late, observed, parsed, unknown_device
from ingest.dialects.facts import Facts
from ingest.dialects.lorawan import sound
from ingest.dialects.lorawan_fields import tell_fields
from ingest.dialects.meanings import Fact, Rank, on, read
from ingest.dialects.names import plain, tell
from ingest.dialects.onenet_documents import Part, Sample, parts_of
from ingest.message import Message
from rules.community import Device, Source
from rules.readings import Freshness, Reading

_MOST_PARTS: Final = 200
_ONENET: Final = "$sys"
_ALINK: Final = "/sys"
_LOGINS: Final = {
    "login": Fact(Rank.CLEAR, "availability", "online"),
    "logout": Fact(Rank.ALARM, "availability", "offline"),
}
#: Why a topic is of no interest, by the first words behind the device's name; the first that fits counts.
_IGNORED: Final = (
    (("thing", "model", "up_raw"), "binary"),
    (("thing", "model"), "command"),
    (("thing", "property"), "command"),
    (("thing", "service"), "command"),
    (("thing", "config"), "command"),
    (("thing", "desired"), "command"),
    (("thing", "sub"), "gateway_message"),
    (("thing", "topo"), "gateway_message"),
    (("thing", "deviceinfo"), "attribute"),
    (("thing",), "gateway_message"),
    (("dp",), "binary"),
    (("cmd", "response"), "reply"),
    (("cmd",), "command"),
    (("image",), "metadata"),
    (("ota",), "command"),
    (("rrpc",), "command"),
    (("ext",), "gateway_message"),
)
#: What Alink's standard thing models have whose name alone does not say which of 1 and 0 is which, or what it is.
_STANDARD: Final = {"WaterSensorState": "water_leak", "ContactState": "contact", "MotionAlarmState": "motion"}
_STANDARD_EVENTS: Final = {"LowElectricityAlarm": on("battery")}
#: In an event's parameters: whether what the event is called by is so.
_STATES: Final = frozenset({"state", "status", "alarm", "alarmstate", "alarmstatus", "value"})


class OneNet(UnderBases):
    """Reads products of OneNET or of Alink."""

    default_base: ClassVar = _ONENET

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._map = source.map
        # Alink's topics begin with a slash, which stands for an empty level.
        self.bases = tuple(base.rstrip("/") for base in (source.base, *source.more))
        if self.bases == (_ONENET,):
            self.bases = (_ONENET, _ALINK)
        self.subscriptions = tuple(f"{base}/#" for base in self.bases)

    def names(self, rest: str, payload: bytes) -> Sequence[str]:
        """Give the device of the topic and those that the message is about, alone and with their products."""
        product, device, tail = _split(rest)
        found = [device, f"{product}/{device}"]
        if len(tail) > 2 and (tail[-2] in {"pack", "history"} or tail[-2] == "sub"):
            document = _document(payload)
            for part in islice(parts_of(document, tail) or (), _MOST_PARTS):
                if part.device is not None:
                    found += [part.device, f"{part.product}/{part.device}"]
        return found

    def decode(self, message: Message, rest: str, world: World) -> Decoded:
        """Read what a device, or a gateway for others, has posted."""
        product, name, tail = _split(rest)
        if not tail:
            return self._aside("unknown_topic", "A topic of this dialect is .../<product>/<device>/thing/... or dp/...")
        last = tail[-1]
        if last == "reply" or last.endswith("_reply") or last in {"accepted", "rejected"}:
            return self._ignored("reply")
        if not _is_post(tail):
            for beginning, reason in _IGNORED:
                if tuple(tail[: len(beginning)]) == beginning:
                    return self._ignored(reason)
            return self._aside("unknown_topic", "Neither OneNET nor Alink has such a topic.")
        if not message.payload:
            return self._ignored("retained_clear" if message.retain else "empty_payload")
        document = _document(message.payload)
        if document is None:
            return self._aside("malformed_json", "The payload is not a valid JSON object.")
        parts = parts_of(document, tail)
        if parts is None:
            return self._aside("invalid_value", "The message has no params of the form that its topic asks for.")
        # OneNET's events have no more than thing/event/post; Alink's properties are events as well.
        return self._parts(message, parts, (product, name), world, alink=tail[1] == "event" and len(tail) > 3)

    def _parts(
        self, message: Message, parts: Iterator[Part], topic: tuple[str, str], world: World, *, alink: bool
    ) -> Decoded:
        readings: list[Reading] = []
        unmapped: list[Unmapped] = []
        strangers: list[str] = []
        for part in islice(parts, _MOST_PARTS):
            product, name = (part.product, part.device) if part.device is not None else topic
            known = world.devices
            device = known.get((self._source, f"{product}/{name}")) or known.get((self._source, name))
            if device is None:
                strangers.append(name)
            elif part.login is not None:
                facts = Facts(device, message)
                facts.fact(_LOGINS[part.login])
                readings += facts.readings
            else:
                more, needed = self._read(message, device, part, alink=alink)
                readings += more
                unmapped += needed
        refused = unknown_device(self._source, strangers[0]).quarantine if strangers else None
        if not (readings or unmapped or strangers):
            return self._ignored("empty_payload")
        return Decoded(readings, quarantine=refused, unmapped=unmapped, strangers=strangers, source=self._source)

    def _read(
        self, message: Message, device: Device, part: Part, *, alink: bool
    ) -> tuple[list[Reading], list[Unmapped]]:
        readings: list[Reading] = []
        unmapped: list[Unmapped] = []
        facts = self._facts(message, device, None, historic=part.historic)
        for sample in part.samples:
            facts = self._facts(message, device, sample.time, historic=part.historic)
            if sample.event is None:
                fields = _standard(facts, sample.fields) if alink else sample.fields
                tell_fields(facts, device, fields, measured=True)
            else:
                _event(facts, sample, _STANDARD_EVENTS.get(sample.event) if alink else None)
            readings += sound(facts.readings)
            unmapped += facts.unmapped
        if not readings:
            facts.alive()
            readings = facts.readings
        return readings, unmapped

    def _facts(self, message: Message, device: Device, time: Any, *, historic: bool) -> Facts:
        return Facts(
            device,
            message,
            observed_at=observed(time, message.received_at),
            freshness=Freshness.HISTORIC if historic or is_late(time, message.received_at) else None,
            meanings=self._map,
        )


def _standard(facts: Facts, fields: dict[str, Any]) -> dict[str, Any]:
    """Take what a standard thing model says, unless it is mapped; give the rest."""
    if _STANDARD.keys().isdisjoint(fields):
        return fields
    rest = {}
    for key, value in fields.items():
        kind = _STANDARD.get(key)
        if kind is None:
            rest[key] = value
        elif not (facts.has_map and facts.by_map(key, value, what="input", known=True)):
            facts.fact(read(kind, value))
    return rest


def _event(facts: Facts, sample: Sample, standard: Fact | None) -> None:
    """Take an event: what it is called says what has happened, unless its parameters say that it has not."""
    name = sample.event or ""
    if facts.has_map:
        written = facts.by_map(name, True, what="event", known=True)
        for key, value in sample.fields.items():
            written = facts.by_map(f"{name}.{key}", value, what="event", known=True) or written
        if written:
            return
    if standard is not None:
        facts.fact(standard)
        return
    if plain(name) is not None:
        said = next((value for key, value in sample.fields.items() if _is_state(key, name)), True)
        if tell(facts, name, said):
            return
    told = [tell(facts, key, value) for key, value in sample.fields.items() if plain(key) is not None]
    if not any(told):
        facts.by_map(name, True, what="event")


def _is_state(key: str, name: str) -> bool:
    word = key.lower().replace("_", "")
    return word in _STATES or word == name.lower().replace("_", "")


def _is_post(tail: list[str]) -> bool:
    if tail[0] == "thing":
        return tail[-1] == "post" or (len(tail) == 3 and tail[1] == "sub" and tail[2] in _LOGINS)
    return tail == ["dp", "post", "json"]


def _split(rest: str) -> tuple[str, str, list[str]]:
    product, _, more = rest.partition("/")
    device, _, tail = more.partition("/")
    return product, device, tail.split("/") if tail else []


def _document(payload: bytes) -> dict[str, Any] | None:
    try:
        document = parsed(payload)
    except ValueError:
        return None
    return document if type(document) is dict else None
