"""Sparkplug B: edge nodes with devices behind them.

    <base>/<group>/NBIRTH|NDATA|NDEATH/<node>              the node itself
    <base>/<group>/DBIRTH|DDATA|DDEATH/<node>/<device>     a device behind it
    <base>/<group>/NCMD|DCMD/...                           commands to them
    <base>/STATE/<host>                                    an application that listens

A device's name is `<group>/<node>/<device>`; a node that has sensors of its own is `<group>/<node>`. A birth gives
every metric with its name and type, and a number in place of the name (the alias) by which later messages may call it:
that table is kept. A birth is a snapshot of what holds, not news.

We never publish, so that a node cannot be asked for the births that we have missed: what comes by a number that is not
known is set aside, and says so.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from ingest.decoded import Decoded, GatewayWord, UnderBases, World
from ingest.dialects.common import freshness, observed, unknown_device
from ingest.dialects.facts import Facts
from ingest.dialects.meanings import HAZARDS
from ingest.dialects.names import plain, tell
from ingest.dialects.sparkplug_wire import Metric, Payload, read, typed
from ingest.message import Message
from rules.community import Device, Source
from rules.readings import Freshness, Reading

_COMMANDS = frozenset({"NCMD", "DCMD"})
_OF_NODES = frozenset({"NBIRTH", "NDATA", "NDEATH"})
_OF_DEVICES = frozenset({"DBIRTH", "DDATA", "DDEATH"})
#: Metrics by which a node or device is steered, or describes itself.
_OWN = ("Node Control/", "Device Control/", "Properties/", "Node Info/", "Node Metrics/", "bdSeq", "Meta/")
#: Names that say "alarm" and not of what: the registry knows what the device is.
_ALARMS = frozenset({"alarm", "alarm state", "alarm status", "alarmstate", "alarm_state", "alarm active"})
#: Text that is the state of something.
_STATES = frozenset(
    "on off open opened close closed alarm normal clear detected active inactive true false yes no triggered ok".split()  # noqa: SIM905
)
_KEPT = 2000


class _Topic(NamedTuple):
    kind: str
    #: `<group>/<node>`
    node: str
    #: `<group>/<node>/<device>`, or the node where it is the node's own.
    name: str


class Sparkplug(UnderBases):
    """Reads the nodes of one source."""

    default_base: ClassVar = "spBv1.0"

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._map = source.map

    def names(self, rest: str, payload: bytes) -> Sequence[str]:  # noqa: ARG002 - the topic says it all
        """Give the device, and the keys of its own birth and its node's."""
        topic = _topic(rest)
        if topic is None:
            return ()
        return (topic.name, f"/{topic.name}") if topic.name == topic.node else (
            topic.name, f"/{topic.name}", f"/{topic.node}"
        )  # fmt: skip

    def decode(self, message: Message, rest: str, world: World) -> Decoded:
        """Read a birth, data or a death."""
        if rest.startswith("STATE/"):
            return self._ignored("gateway_message")
        parts = rest.split("/")
        if len(parts) > 1 and parts[1] in _COMMANDS:
            return self._ignored("command")
        topic = _topic(rest)
        if topic is None:
            return self._aside(
                "unknown_topic", "A topic of Sparkplug is <group>/NDATA/<node> or <group>/DDATA/<node>/<device>."
            )
        if topic.kind == "DDEATH":
            return self._availability(message, topic, world, "offline")
        if not message.payload:
            return self._ignored("retained_clear" if message.retain else "empty_payload")
        try:
            payload = read(message.payload)
        except ValueError as error:
            sentence = (
                str(error)
                if message.payload[:1] != b"{" or "metrics" in str(error)
                else "The payload is not valid JSON."
            )
            return self._aside("malformed_payload", sentence)
        if topic.kind == "NDEATH":
            return self._node_dies(message, topic, payload, world)
        if topic.kind.endswith("BIRTH"):
            return self._birth(message, topic, payload, world)
        return self._data(message, topic, payload, world)

    # --- births and deaths ---

    def _birth(self, message: Message, topic: _Topic, payload: Payload, world: World) -> Decoded:
        learnt = {f"/{topic.name}": _table(payload)}
        gateway = None
        if topic.kind == "NBIRTH":
            started_at = None if message.retain else message.received_at
            gateway = GatewayWord(self._source, "online", started_at, topic.node)
        device = world.devices.get((self._source, topic.name))
        if device is None:
            unknown = self._stranger(topic, [metric.name or "" for metric in payload.metrics])
            ignored = None if gateway is not None else unknown.ignored
            return unknown._replace(learnt=learnt, gateway=gateway, ignored=ignored)
        readings = [self._word(message, device, "online")] if topic.kind == "DBIRTH" else []
        unmapped = []
        for facts in self._gather(message, device, payload, [*learnt.values()], snapshot=True)[0]:
            readings += facts.readings
            unmapped += facts.unmapped
        return Decoded(readings, learnt=learnt, gateway=gateway, unmapped=unmapped, source=self._source)

    def _node_dies(self, message: Message, topic: _Topic, payload: Payload, world: World) -> Decoded:
        born = world.definitions.get((self._source, f"/{topic.node}"), {}).get("bd_seq")
        dead = _session(payload)
        if born is not None and dead is not None and born != dead:
            # The will of an earlier session: the node has been born again since.
            return self._ignored("gateway_message")
        device = world.devices.get((self._source, topic.node))
        readings = () if device is None else (self._word(message, device, "offline"),)
        return Decoded(readings, gateway=GatewayWord(self._source, "offline", None, topic.node), source=self._source)

    def _availability(self, message: Message, topic: _Topic, world: World, state: str) -> Decoded:
        device = world.devices.get((self._source, topic.name))
        if device is None:
            return unknown_device(self._source, topic.name)
        return Decoded((self._word(message, device, state),), source=self._source)

    @staticmethod
    def _word(message: Message, device: Device, state: str) -> Reading:
        return Reading(device.id, "availability", message.received_at, state, freshness=freshness(message))

    # --- data ---

    def _data(self, message: Message, topic: _Topic, payload: Payload, world: World) -> Decoded:
        # Some nodes tell of all aliases in their own birth.
        tables = [
            found
            for name in dict.fromkeys((topic.name, topic.node))
            if (found := world.definitions.get((self._source, f"/{name}"))) is not None
        ]
        device = world.devices.get((self._source, topic.name))
        if device is None:
            return self._stranger(
                topic, [one.name or _look(tables, "aliases", str(one.alias)) or "" for one in payload.metrics]
            )
        gathered, nameless = self._gather(message, device, payload, tables, snapshot=False)
        readings = [reading for facts in gathered for reading in facts.readings]
        unmapped = [one for facts in gathered for one in facts.unmapped]
        if nameless:
            sentence = (
                f"{topic.name} says something under the number {nameless[0]}, whose name was in a birth that has not "
                "been heard. Have the node send its births again: by a rebirth request, or by starting it anew."
            )
            return Decoded(readings, quarantine=("unknown_alias", sentence), unmapped=unmapped, source=self._source)
        return Decoded(readings, unmapped=unmapped, source=self._source)

    def _stranger(self, topic: _Topic, names: Sequence[str]) -> Decoded:
        """Tell of who is in no file; a node that says nothing of homes is but a gateway."""
        if topic.name == topic.node and not any(plain(name) for name in names if not name.startswith(_OWN)):
            return self._ignored("gateway_message")
        return unknown_device(self._source, topic.name)

    def _gather(
        self, message: Message, device: Device, payload: Payload, tables: Sequence[Mapping[str, Any]], *, snapshot: bool
    ) -> tuple[list[Facts], list[int]]:
        """Take the metrics; give the facts of now, those of earlier moments, and the aliases that have no name."""
        received_at = message.received_at
        now = Facts(
            device,
            message,
            observed_at=observed(payload.timestamp, received_at),
            merged=snapshot,
            startup=snapshot,
            meanings=self._map,
        )
        gathered = [now]
        nameless: list[int] = []
        for metric in payload.metrics:
            name = metric.name or _look(tables, "aliases", str(metric.alias))
            if name is None:
                if metric.alias is not None:
                    nameless.append(metric.alias)
                continue
            if name.startswith(_OWN):
                continue
            facts = now
            if metric.is_historical:
                at = observed(metric.timestamp or payload.timestamp, received_at)
                facts = Facts(device, message, observed_at=at, freshness=Freshness.HISTORIC, meanings=self._map)
                gathered.append(facts)
            kind = metric.datatype or _look(tables, "types", name)
            _take(facts, device, name, typed(metric.value, kind), metric.unit or _look(tables, "units", name))
        # Whatever it says now, it lives; unless the broker or the node says so of an earlier time.
        if all(not metric.is_historical for metric in payload.metrics):
            now.alive()
        return gathered, nameless


def _take(facts: Facts, device: Device, name: str, value: Any, unit: str | None) -> None:
    if facts.by_map(name, value, what="", known=True) or tell(facts, name, value, unit=unit):
        return
    if device.kind in HAZARDS and name.rpartition("/")[2].lower() in _ALARMS:
        facts.value(device.kind, value)
    elif type(value) is bool or value in (0, 1) or (type(value) is str and value.lower() in _STATES):
        facts.by_map(name, value, what="input")
    elif type(value) in {int, float}:
        facts.number("measurement", value, unit, detail=name)


def _topic(rest: str) -> _Topic | None:
    parts = rest.split("/")
    if len(parts) == 3 and parts[1] in _OF_NODES:
        node = f"{parts[0]}/{parts[2]}"
        return _Topic(parts[1], node, node)
    if len(parts) == 4 and parts[1] in _OF_DEVICES:
        node = f"{parts[0]}/{parts[2]}"
        return _Topic(parts[1], node, f"{node}/{parts[3]}")
    return None


def _session(payload: Payload) -> int | None:
    """Give the number of the session that a birth begins, and a death ends."""
    found = next((metric.value for metric in payload.metrics if metric.name == "bdSeq"), None)
    return found if type(found) is int else None


def _table(payload: Payload) -> dict[str, Any]:
    """Give what is kept of a birth: names by alias, types and units by name, the session."""
    metrics: list[Metric] = [metric for metric in payload.metrics[:_KEPT] if metric.name is not None]
    return {
        "aliases": {str(metric.alias): metric.name for metric in metrics if metric.alias is not None},
        "types": {metric.name: metric.datatype for metric in metrics if metric.datatype is not None},
        "units": {metric.name: metric.unit for metric in metrics if metric.unit is not None},
        "bd_seq": _session(payload),
    }


def _look(tables: Sequence[Mapping[str, Any]], part: str, key: str) -> Any:
    """Look something up in what births have told, the device's own before its node's."""
    for table in tables:
        known = table.get(part)
        if type(known) is dict and key in known:
            return known[key]
    return None
