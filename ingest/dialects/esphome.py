"""ESPHome.

    <topic prefix>/<component>/<object id>/state      ON, 21.5, nan, {"event_type": "press"}      retained, as a rule
    <topic prefix>/status                             online | offline: birth and will, of the whole node

Both the prefix and each entity's state topic can be chosen; what an entity is stands only in the discovery message for
Home Assistant (`discovery:` of the source). Without it a name that leaves no doubt is read, and the rest needs a map.

A device's name is what follows the base: `<topic prefix>/<object id>` where a node has several sensors, or the topic
prefix for all of its entities; where the prefix itself is a base, that. A custom state topic may stand for a device,
or whatever it lies under.
"""

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

from ingest.decoded import ANYWHERE, Decoded, UnderBases, World
from ingest.dialects.common import freshness, parsed, unknown_device
from ingest.dialects.discovery import Discovery, Entity, availability, entities, key, pick, written
from ingest.dialects.entities import UNKNOWN_WORDS, take, truth
from ingest.dialects.facts import Facts
from ingest.dialects.names import Way, plain, tell
from ingest.message import Message
from rules.community import Device, Source
from rules.readings import Reading

#: What an entity's topic says of it (ESPHome: the component types of components/mqtt).
_COMPONENTS = frozenset(
    """alarm_control_panel binary_sensor button climate cover date datetime event fan light lock number select sensor
    switch text text_sensor time update valve""".split()  # noqa: SIM905 - twenty quoted words are harder to read
)
_COMMANDS = frozenset({"command", "set"})
_DEEPEST = 8
_REMEMBERED = 4096
_ONLINE = {"online": True, "offline": False}


class _Place(NamedTuple):
    """What a topic is: an entity's, a node's, or one that was chosen freely."""

    #: The topic prefix without the base; the base itself where there is nothing else.
    node: str
    component: str | None = None
    object_id: str = ""
    #: What follows the object id, or the node: state, command, status, debug.
    ending: str = ""


class Esphome(UnderBases):
    """Reads the nodes of one source."""

    default_base: ClassVar = ANYWHERE
    by_topic: ClassVar = True

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._own = frozenset(self.bases)
        self._map = source.map
        self._discovery = Discovery(source)
        self.bases = (*self.bases, *self._discovery.bases)
        self.subscriptions = (*self.subscriptions, *self._discovery.subscriptions)
        self._place = lru_cache(maxsize=_REMEMBERED)(self._find)
        #: Devices that are known to be one of several on a node: what is said of the node is said of them.
        self._on_node: defaultdict[str, set[str]] = defaultdict(set)

    def names(self, rest: str, payload: bytes) -> Sequence[str]:
        """Give the topic's key, and the names that a device with this topic may have; `rest` is the whole topic."""
        if self._discovery.is_config(rest):
            return self._discovery.names(rest[len(self._discovery.prefix or "") + 1 :], payload)
        place = self._place(rest)
        if place is None:
            return ()
        node = place.node
        if place.component is not None:
            return key(rest), f"{node}/{place.component}/{place.object_id}", f"{node}/{place.object_id}", node
        others = self._on_node.get(node, ())
        return [key(rest), *_upwards(self._under(rest) or node), node, *others]

    def decode(self, message: Message, rest: str, world: World) -> Decoded:
        """Read a state, a status or a discovery message; `rest` is the whole topic."""
        source = self._source
        if self._discovery.is_config(rest):
            return self._discovery.decode(message, world, self._is_ours)
        place = self._place(rest)
        if place is None:
            return Decoded(ignored="gateway_message", source=source, foreign=True)
        if rest.startswith(("esphome/discover", "esphome/ping")):
            return self._ignored("announce" if rest.startswith("esphome/discover/") else "command")
        if place.ending in _COMMANDS:
            return self._ignored("command")
        if place.ending == "debug" and place.component is None:
            return self._ignored("log")
        if not message.payload:
            return self._ignored("retained_clear" if message.retain else "empty_payload")
        definition = world.definitions.get((source, key(rest)))
        if (place.ending == "status" and place.component is None) or availability(definition) is not None:
            return self._status(message, place, definition, world)
        return self._state(message, place, definition, world)

    # --- topics ---

    def _is_ours(self, topic: str) -> bool:
        return self._under(topic) is not None and self._place(topic) is not None

    def _under(self, topic: str) -> str | None:
        """Give what follows the base, the longest that fits; None where none does."""
        end = len(topic)
        while (end := topic.rfind("/", 0, end)) >= 0:
            if topic[:end] in self._own:
                return topic[end + 1 :]
        return topic if "" in self._own else None

    def _find(self, topic: str) -> _Place | None:
        rest = self._under(topic)
        prefix = self._discovery.prefix
        if rest is None or (prefix is not None and "" in self._own and topic.startswith(f"{prefix}/")):
            return None
        base = topic[: len(topic) - len(rest)].rstrip("/")
        parts = rest.split("/")
        # Whatever ends otherwise was chosen freely.
        grammar = parts[-1] == "state" or parts[-1] in _COMMANDS
        for at in range(len(parts) - 3, max(len(parts) - 6, -1), -1):
            if grammar and parts[at] in _COMPONENTS and (at or base):
                node = "/".join(parts[:at]) or base
                return _Place(node, parts[at], parts[at + 1], "/".join(parts[at + 2 :]))
        node, _, ending = rest.rpartition("/")
        return _Place(node or base or rest, None, "", ending)

    # --- what they say ---

    def _status(self, message: Message, place: _Place, definition: dict[str, Any] | None, world: World) -> Decoded:
        how = availability(definition)
        value: Any = message.payload.decode("utf-8", "replace").strip()
        if how is not None and how.path:
            value = _picked(message.payload, how.path)
        online = {how.on: True, how.off: False}.get(written(value)) if how is not None else None
        if online is None:
            online = _ONLINE.get(written(value).lower())
        if online is None:
            return self._aside("invalid_value", "A status is online or offline, or what the discovery message says.")
        found = [world.devices.get((self._source, one)) for one in (place.node, *self._on_node.get(place.node, ()))]
        state, fresh = "online" if online else "offline", freshness(message)
        readings = [
            Reading(one.id, "availability", message.received_at, state, freshness=fresh)
            for one in dict.fromkeys(device for device in found if device is not None)
        ]
        return Decoded(readings, source=self._source) if readings else unknown_device(self._source, place.node)

    def _state(self, message: Message, place: _Place, definition: dict[str, Any] | None, world: World) -> Decoded:
        source, topic, node = self._source, message.topic, place.node
        if place.component is not None:
            names = [f"{node}/{place.component}/{place.object_id}", f"{node}/{place.object_id}", node]
            field = place.object_id
        else:
            names = [*_upwards(self._under(topic) or node), node]
            field = ""
        device = next((found for one in names if (found := world.devices.get((source, one))) is not None), None)
        known = entities(definition)
        if device is None:
            return unknown_device(source, node)
        if device.name != node:
            self._on_node[node].add(device.name)
        if not field:
            field = topic.removesuffix("/state").rpartition("/")[2]
        if place.component is not None and place.ending != "state" and not known:
            return self._ignored("not_a_safety_sensor")
        facts = Facts(device, message, meanings=self._map)
        ignored: str | None = None
        if known:
            for entity in known:
                ignored = self._entity(
                    facts, entity._replace(object_id=field) if len(known) == 1 else entity, message, device
                )
        elif place.component is not None:
            domain = "sensor" if place.component == "text_sensor" else place.component
            ignored = self._entity(facts, Entity(domain, field), message, device)
        else:
            _free(facts, field, message.payload.decode("utf-8", "replace").strip())
        if facts.readings or facts.unmapped:
            ignored = None
        elif ignored is None:
            facts.alive()
        return Decoded(facts.readings, ignored=ignored, unmapped=facts.unmapped, source=source)

    def _entity(self, facts: Facts, entity: Entity, message: Message, device: Device) -> str | None:
        text = message.payload.decode("utf-8", "replace").strip()
        value: Any = text
        if entity.path is None:
            facts.by_map(entity.object_id, text, what="entity")
            return None
        if entity.path:
            value = _picked(message.payload, entity.path)
        elif entity.domain == "event":
            document = _picked(message.payload, ())
            value = document if type(document) is dict else text
        return take(facts, entity, value, device, retained=message.retain)


def _free(facts: Facts, field: str, text: str) -> None:
    """Read a topic that was chosen freely and that no discovery message has spoken of."""
    said = truth(Entity("binary_sensor", field), text)
    if facts.by_map(field, text, what="switch", known=True):
        return
    told = plain(field)
    value: Any = said
    if said is None and text.lower() not in UNKNOWN_WORDS:
        value = text
    if told is None or (told.way is Way.WORDS and said is not None) or not tell(facts, field, value):
        facts.by_map(field, text, what="entity" if said is None else "switch")


def _picked(payload: bytes, path: Sequence[str | int]) -> Any:
    try:
        return pick(parsed(payload), tuple(path))
    except ValueError:
        return None


def _upwards(rest: str) -> list[str]:
    """Give a topic and all that it lies under."""
    found = [rest]
    while "/" in found[-1] and len(found) < _DEEPEST:
        found.append(found[-1].rpartition("/")[0])
    return found
