"""The Homie convention, versions 3 to 5.

    <base>/<device>/$state                          init, ready, disconnected, sleeping, lost, alert
    <base>/<device>/<node>/<property>               true, 21.5, open …                               retained, as a rule
    <base>/<device>/<node>/<property>/$datatype     with $name, $format, $unit, $settable, $retained: 3 and 4
    <base>/5/<device>/$description                  a JSON document with all of that: 5
    <base>/5/<device>/$alert/<id>                   what is wrong; an empty payload: it is over

What a property is about is told by its id and its name, with the node's before them where they do not suffice; a
`$format` tells what false and true stand for. A device's name is its Homie id, or `<device>/<node>` where a device has
several sensors. Of a root device (5) that is lost all its children are lost.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, NamedTuple

from ingest.decoded import Decoded, UnderBases, World
from ingest.dialects.common import number, parsed, shorten, unknown_device
from ingest.dialects.discovery import key
from ingest.dialects.entities import UNKNOWN_WORDS
from ingest.dialects.facts import Facts
from ingest.dialects.homie_properties import Property, description, take
from ingest.dialects.meanings import Fact, Rank
from ingest.message import Message
from rules.community import Device, Source

_VERSION = "5"
_AVAILABLE = {
    "init": "online",
    "ready": "online",
    "alert": "online",
    "sleeping": "sleeping",
    "disconnected": "offline",
    "lost": "offline",
}
#: Attributes of a property that say how to read it, and how they are kept.
_ATTRIBUTES = {"$name", "$datatype", "$format", "$unit", "$settable", "$retained"}
_MOST_ALERTS = 20


class _Place(NamedTuple):
    """A topic taken apart."""

    device: str
    node: str = ""
    property: str = ""
    #: What follows: $state, $alert/battery, set.
    attribute: str = ""


class Homie(UnderBases):
    """Reads the devices of one source."""

    default_base: ClassVar = "homie"

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._map = source.map
        #: By Homie device: which of ours are nodes of it, and which Homie devices take over its being lost.
        self._nodes: defaultdict[str, set[str]] = defaultdict(set)
        self._children: defaultdict[str, set[str]] = defaultdict(set)

    def names(self, rest: str, payload: bytes) -> Sequence[str]:
        """Give the device, its node, and the keys of what is learnt of them."""
        place = _place(rest)
        device, node = place.device, place.node
        if place.attribute == "$description":
            return [key(device), *(key(f"{device}/{one}") for one in description(payload))]
        if node:
            return (
                key(f"{device}/{node}/{place.property}"),
                key(f"{device}/{node}"),
                key(device),
                f"{device}/{node}",
                device,
            )
        if place.attribute != "$state":
            return key(device), device
        each = [device, *self._children.get(device, ())]
        return [name for one in each for name in (one, key(one), *self._nodes.get(one, ()))]

    def decode(self, message: Message, rest: str, world: World) -> Decoded:
        """Read a value, a state, or what a device says of itself."""
        place = _place(rest)
        attribute = place.attribute
        if place.device.startswith("$"):
            return self._ignored("broadcast")
        if attribute.endswith("/set") or attribute == "set":
            return self._ignored("command")
        if attribute.startswith("$log"):
            return self._ignored("log")
        if attribute.startswith("$alert/") and not place.node:
            return self._alert(message, place, world)
        if not message.payload and not attribute:
            return self._ignored("retained_clear" if message.retain else "empty_payload")
        if attribute == "$description":
            return self._describe(message, place, world)
        if attribute in {"$state", "$online"} and not place.node:
            return self._state(message, place, world)
        if attribute.startswith("$stats/") and not place.node:
            return self._stats(message, place, world)
        if attribute:
            return self._attribute(message, place, world)
        if not place.property:
            return self._aside(
                "unknown_topic", "A topic of Homie has a device, a node and a property, or an attribute."
            )
        return self._value(message, place, world)

    # --- a device ---

    def _state(self, message: Message, place: _Place, world: World) -> Decoded:
        if not message.payload:
            return self._ignored("retained_clear" if message.retain else "empty_payload")
        said = _text(message.payload).lower()
        if place.attribute == "$online":
            said = {"true": "ready", "false": "lost"}.get(said, said)
        if said not in _AVAILABLE:
            return self._aside("invalid_value", "A $state is init, ready, disconnected, sleeping, lost or alert.")
        before = self._known(world, place.device)
        found = list(self._all_of(world, place.device))
        readings = []
        for device in found:
            facts = Facts(device, message)
            facts.fact(Fact(Rank.ALARM, "availability", _AVAILABLE[said]))
            if said == "alert":
                facts.fact(Fact(Rank.ALARM, "fault", "alarm", "alert"))
            elif said == "ready" and before.get("state") == "alert":
                facts.fact(Fact(Rank.CLEAR, "fault", "clear", "alert"))
            readings += facts.readings
        for child in sorted(self._children.get(place.device, ())):
            # A child's own state counts again where its root is not lost any more.
            state = "lost" if said == "lost" else str(self._known(world, child).get("state"))
            if state not in _AVAILABLE or "lost" not in {said, before.get("state")}:
                continue
            for device in self._all_of(world, child):
                facts = Facts(device, message)
                facts.fact(Fact(Rank.ALARM, "availability", _AVAILABLE[state]))
                readings += facts.readings
        learnt = {key(place.device): before | {"state": said}} if before.get("state") != said else None
        if not found and not readings:
            return unknown_device(self._source, place.device)._replace(learnt=learnt)
        return Decoded(readings, learnt=learnt, source=self._source)

    def _alert(self, message: Message, place: _Place, world: World) -> Decoded:
        """Take what is wrong with a device, and that it is over."""
        name = shorten(place.attribute.partition("/")[2])
        before = self._known(world, place.device)
        alerts = [one for one in before.get("alerts", ()) if one != name]
        if message.payload:
            alerts = [*alerts, name][-_MOST_ALERTS:]
        device = world.devices.get((self._source, place.device))
        if device is None:
            return unknown_device(self._source, place.device)
        facts = Facts(device, message)
        if "battery" in name.lower().split("-"):
            facts.battery(state="low" if message.payload else "ok")
        else:
            wrong = [one for one in alerts if "battery" not in one]
            facts.fact(
                Fact(
                    Rank.ALARM if wrong else Rank.CLEAR,
                    "fault",
                    "alarm" if wrong else "clear",
                    wrong[-1] if wrong else name,
                )
            )
        now = before | {"alerts": alerts}
        learnt = {key(place.device): now} if alerts != before.get("alerts", []) else None
        return Decoded(facts.readings, learnt=learnt, source=self._source)

    def _stats(self, message: Message, place: _Place, world: World) -> Decoded:
        device = world.devices.get((self._source, place.device))
        if device is None:
            return unknown_device(self._source, place.device)
        facts = Facts(device, message)
        if place.attribute == "$stats/battery":
            facts.battery(number(_text(message.payload)))
        facts.alive()
        return Decoded(facts.readings, source=self._source)

    # --- what it says of itself ---

    def _describe(self, message: Message, place: _Place, world: World) -> Decoded:
        if not message.payload:
            return self._ignored("retained_clear" if message.retain else "empty_payload")
        try:
            document = parsed(message.payload)
        except ValueError:
            return self._aside("malformed_json", "A $description is a JSON document.")
        if type(document) is not dict:
            return self._aside("invalid_value", "A $description is a JSON object.")
        root = document.get("root")
        if isinstance(root, str) and root != place.device:
            self._children[root].add(place.device)
        children = document.get("children")
        for child in children if isinstance(children, list) else ():
            if isinstance(child, str) and child != place.device:
                # As long as it has not said which root it has.
                self._children[root if isinstance(root, str) else place.device].add(child)
        learnt: dict[str, dict[str, Any] | None] = {}
        for name, said in description(message.payload).items():
            known = key(f"{place.device}/{name}")
            if world.definitions.get((self._source, known)) != said:
                learnt[known] = said
        return Decoded(ignored="attribute", learnt=learnt or None, source=self._source)

    def _attribute(self, message: Message, place: _Place, world: World) -> Decoded:
        learns = (
            place.attribute in _ATTRIBUTES if place.property else place.attribute in {"$name", "$type"} and place.node
        )
        if not learns:
            return self._ignored("attribute")
        known = key(
            f"{place.device}/{place.node}/{place.property}" if place.property else f"{place.device}/{place.node}"
        )
        before = world.definitions.get((self._source, known)) or {}
        now = before | {place.attribute[1:]: shorten(_text(message.payload), 300)}
        return Decoded(ignored="attribute", learnt={known: now} if now != before else None, source=self._source)

    # --- a value ---

    def _value(self, message: Message, place: _Place, world: World) -> Decoded:
        source = self._source
        name = f"{place.device}/{place.node}"
        device = world.devices.get((source, name)) or world.devices.get((source, place.device))
        if device is None:
            return unknown_device(source, place.device)
        if device.name == name:
            self._nodes[place.device].add(name)
        of_property = world.definitions.get((source, key(f"{name}/{place.property}"))) or {}
        of_node = world.definitions.get((source, key(name))) or {}
        known = Property.of(place.node, place.property, of_property, of_node)
        startup = self._known(world, place.device).get("state") == "init"
        facts = Facts(device, message, startup=startup, meanings=self._map)
        text = _text(message.payload)
        missing = text.lower() in UNKNOWN_WORDS
        ignored = take(facts, known, None if missing else text, retained=message.retain)
        if missing:
            facts.unmapped.clear()
        if facts.readings or facts.unmapped:
            ignored = None
        elif ignored is None:
            ignored = "invalid_value"
        return Decoded(facts.readings, ignored=ignored, unmapped=facts.unmapped, source=source)

    def _known(self, world: World, device: str) -> dict[str, Any]:
        return world.definitions.get((self._source, key(device))) or {}

    def _all_of(self, world: World, device: str) -> Iterable[Device]:
        """Give our devices that a Homie device is: itself, and its nodes."""
        for name in (device, *sorted(self._nodes.get(device, ()))):
            found = world.devices.get((self._source, name))
            if found is not None:
                yield found


def _place(rest: str) -> _Place:
    parts = rest.split("/")
    if parts[0] == _VERSION and (len(parts) >= 4 or any(part.startswith("$") for part in parts[1:3])):
        del parts[0]
    names = next((at for at, part in enumerate(parts) if at and part.startswith("$")), 3)
    device, node, name = (*parts[:names], "", "", "")[:3]
    return _Place(device, node, name, "/".join(parts[min(names, 3) :]))


def _text(payload: bytes) -> str:
    return payload.decode("utf-8", "replace").strip()
