"""Any other JSON, by a mapping that staff write into devices.yaml.

The source's `topic` says what its topics are made of, its `layout` where in the payload the device's name, its time
and its availability are, and its `map`, or a device's, what the values mean: see json_paths for how that is written.

A device's name is what the payload gives as such, or what stands in the topic's place `{device}`; with a `{gateway}`
in the topic, it is `<gateway>/<device>`, or `<device>` alone. What a map does not name is read only where its own name
leaves no doubt (`gas_alarm`). Of a message of which nothing can be read every value is listed: that is the beginning of
a map. A payload that is no JSON is one plain value: `.`, or the name that stands in the topic's place `{field}`.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

from ingest.decoded import ANYWHERE, Decoded, GatewayWord, UnderBases, World
from ingest.dialects import json_times
from ingest.dialects.common import freshness, parsed, shorten, unknown_device
from ingest.dialects.facts import Facts
from ingest.dialects.json_paths import Leaf, PathError, Place, Template, find, first, leaves, where
from ingest.dialects.meanings import as_text
from ingest.dialects.names import tell
from ingest.message import Message
from rules.community import Availability, Device, Layout, Source
from rules.readings import Freshness, Reading

#: So many values of a message of which nothing can be read are listed, and so many devices of one message are read.
_MOST_LISTED = 20
_MOST_DEVICES = 200
_LONGEST_TEXT = 200
#: Values by whose name one knows that they say nothing of a home.
_ABOUT = frozenset(
    {
        "id", "did", "mac", "sn", "time", "ts", "timestamp", "at", "date", "rssi", "snr", "lqi", "linkquality", "seq",
        "version", "method", "model", "type", "msgid", "messageid", "ack", "device", "deviceid", "devid", "gateway",
        "ip", "resname",
    }
)  # fmt: skip


class _Item(NamedTuple):
    """What one device says in a message."""

    names: Sequence[str]
    said: Any


class _Route(NamedTuple):
    """What a topic is for: what stands at its places (None: it is of no form that we know), and of what it is."""

    places: Mapping[str, str] | None = None
    availability: Availability | None = None
    ignored: bool = False


class Json(UnderBases):
    """Reads one source of one's own. A layout that cannot be read is as good as none: `shouwang check` refuses it."""

    default_base: ClassVar = "+"

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        # A gateway's topics may begin with a slash.
        self.bases = tuple("" if base == ANYWHERE else base.rstrip("/") for base in (source.base, *source.more))
        self.subscriptions = tuple(f"{base}/#" if base else "#" for base in self.bases)
        self._map = source.map
        self._layout = layout = source.layout or Layout()
        # A topic is looked at twice, and comes again and again.
        self._routes = lru_cache(maxsize=4096)(self._route)
        texts = ([source.topic] if source.topic else []) + list(layout.topics)
        self._templates = [template for text in texts if (template := _template(text)) is not None]
        self._ignored_topics = [template for text in layout.ignore if (template := _template(text)) is not None]
        self._availability = [
            (found, one) for one in layout.availability if (found := _template(one.topic)) is not None
        ]

    def names(self, rest: str, payload: bytes) -> Sequence[str]:
        """Give the names of all devices that a message is of."""
        places, availability, _ = self._routes(rest)
        if places is None:
            return ()
        if availability is not None:
            return _named(places, None)
        if not payload:
            return ()
        return [name for item in self._items(places, _document(payload, places)) for name in item.names]

    def decode(self, message: Message, rest: str, world: World) -> Decoded:
        """Read a message by the layout and the map."""
        places, availability, ignored = self._routes(rest)
        if ignored:
            return self._ignored("not_a_safety_sensor")
        if places is not None and availability is not None:
            return self._is_there(message, availability, places, world)
        if places is None:
            sentence = (
                f"No form of topics of source {self._source} fits this one; write one, or add it to layout.ignore."
            )
            return Decoded(quarantine=("unknown_topic", sentence), source=self._source, foreign="" in self.bases)
        if not message.payload:
            return self._ignored("retained_clear" if message.retain else "empty_payload")
        try:
            document = _document(message.payload, places)
        except ValueError:
            return self._aside("malformed_json", "The payload is neither JSON nor a short text.")
        layout = self._layout
        if layout.ignore_where and _holds(document, layout.ignore_where):
            return self._ignored("not_a_safety_sensor")
        items = self._items(places, document)
        if not items:
            what = f"layout.each ({layout.each})" if layout.each else f"layout.device ({layout.device})"
            return self._aside("no_device", f"Nothing stands where {what} of source {self._source} leads to.")
        late = bool(layout.historic_where) and _holds(document, layout.historic_where)
        fresh = Freshness.HISTORIC if late else freshness(message)
        return self._read(message, document, items, world, fresh)

    # --- where things are ---

    def _route(self, rest: str) -> _Route:
        """Tell what a topic is for."""
        if any(template.match(rest) is not None for template in self._ignored_topics):
            return _Route(ignored=True)
        for template, how in self._availability:
            if (places := template.match(rest)) is not None:
                return _Route(places, how)
        if not self._templates:
            return _Route({"device": rest})
        return _Route(next((places for one in self._templates if (places := one.match(rest)) is not None), None))

    def _items(self, places: Mapping[str, str], document: Any) -> list[_Item]:
        layout = self._layout
        parts = [document] if layout.each is None else [one.value for one in find(document, layout.each)]
        if layout.device is None:
            names = _named(places, None)
            return [_Item(names, said) for said in parts[:_MOST_DEVICES]]
        items: list[_Item] = []
        for said in parts[:_MOST_DEVICES]:
            name = first(said, layout.device)
            if name is None and layout.each is not None:
                name = first(document, layout.device)
            if type(name) in {str, int} and name != "":
                items.append(_Item(_named(places, as_text(name)), said))
        return items

    # --- what is said ---

    def _is_there(self, message: Message, how: Availability, places: Mapping[str, str], world: World) -> Decoded:
        if not message.payload:
            return self._ignored("retained_clear")
        try:
            said = first(_document(message.payload, {}), how.path)
        except ValueError:
            said = None
        word = as_text(said).strip().lower()
        state = "online" if word in how.online else "offline" if word in how.offline else None
        if state is None:
            sentence = (
                f"{shorten(word)!r} is neither among the words for online nor for offline in layout.availability."
            )
            return self._aside("invalid_value", sentence)
        if "device" not in places:
            started_at = message.received_at if state == "online" and not message.retain else None
            word_of = GatewayWord(self._source, state, started_at, places.get("gateway", ""))
            return Decoded(gateway=word_of, source=self._source)
        names = _named(places, None)
        device = _find(names, world, self._source)
        if device is None:
            return unknown_device(self._source, names[0])
        reading = Reading(device.id, "availability", message.received_at, state, freshness=freshness(message))
        return Decoded((reading,), source=self._source)

    def _read(self, message: Message, document: Any, items: Sequence[_Item], world: World, fresh: Freshness) -> Decoded:
        readings: list[Reading] = []
        unmapped = []
        strangers: list[str] = []
        for item in items:
            device = _find(item.names, world, self._source)
            if device is None:
                strangers.append(item.names[0])
                continue
            facts = Facts(
                device,
                message,
                observed_at=self._time(item.said, document, message),
                freshness=fresh,
                meanings=self._map,
            )
            self._gather(facts, device, item.said)
            if fresh is not Freshness.HISTORIC:
                facts.alive()
            readings += facts.readings
            unmapped += facts.unmapped
        quarantine = unknown_device(self._source, strangers[0]).quarantine if strangers else None
        return Decoded(
            readings,
            quarantine=quarantine,
            unmapped=unmapped,
            strangers=tuple(dict.fromkeys(strangers)),
            source=self._source,
        )

    def _time(self, said: Any, document: Any, message: Message) -> Any:
        layout = self._layout
        if layout.time is None:
            return None
        value = first(said, layout.time)
        if value is None and layout.each is not None:
            value = first(document, layout.time)
        return None if value is None else json_times.read(value, layout, message.received_at)

    def _gather(self, facts: Facts, device: Device, said: Any) -> None:
        taken: set[Place] = set()
        known = False
        maps = [one for one in (device.map, self._map) if one]
        for text in maps[0] if len(maps) == 1 else dict.fromkeys(text for one in maps for text in one):
            try:
                found = find(said, text)
            except PathError:
                continue
            for holder, key, value in found:
                facts.by_map(text, value, what="", known=True)
                taken.add((holder, key))
                known = True
        left: list[Leaf] = []
        for leaf in leaves(said, taken):
            if tell(facts, leaf.name, leaf.value):
                known = True
            else:
                left.append(leaf)
        if not known:
            self._list(facts, said, left)

    def _list(self, facts: Facts, said: Any, left: Sequence[Leaf]) -> None:
        """List what a map would have to name."""
        paths = where(said)
        own = {self._layout.device, self._layout.time}
        wanting = [
            (path, leaf.value)
            for leaf in left
            if leaf.name.replace("_", "").lower() not in _ABOUT
            and (path := paths.get((leaf.holder, leaf.key))) is not None
            and path not in own
        ]
        for path, value in wanting[:_MOST_LISTED]:
            facts.by_map(path, value, what="input")


def _document(payload: bytes, places: Mapping[str, str]) -> Any:
    """Give the payload as JSON, or as a plain text; raises ValueError where it is neither."""
    document: Any
    try:
        document = parsed(payload)
    except ValueError:
        document = payload.decode("utf-8").strip()
        if len(document) > _LONGEST_TEXT or document[:1] in {"{", "[", ""}:
            raise ValueError("neither JSON nor a short text") from None
    return {places["field"]: document} if "field" in places else document


def _named(places: Mapping[str, str], name: str | None) -> Sequence[str]:
    """Give the names that a device may have, the fullest first."""
    gateway = places.get("gateway")
    name = name if name is not None else places.get("device")
    if name is None:
        return () if gateway is None else (gateway,)
    return (name,) if gateway is None else (f"{gateway}/{name}", name)


def _holds(document: Any, conditions: Mapping[str, Sequence[str]]) -> bool:
    for text, words in conditions.items():
        try:
            if any(as_text(one.value) in words for one in find(document, text)):
                return True
        except PathError:
            continue
    return False


def _template(text: str) -> Template | None:
    try:
        return Template(text)
    except PathError:
        return None


def _find(names: Sequence[str], world: World, source: str) -> Device | None:
    return next((found for name in names if (found := world.devices.get((source, name))) is not None), None)
