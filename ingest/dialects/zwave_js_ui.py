"""Z-Wave JS UI (formerly Zwavejs2Mqtt).

    <base>/[<location>/]<node>/<class>/<endpoint>/<property>[/<key>]                  gateway type ValueId
    <base>/[<location>/]<node>/<class name>/endpoint_<n>/<property>[/<key>]           gateway type Named
    <base>/[<location>/]<node>/status                true, {"value": true, "status": "Asleep"}; with lastActive
    <base>/_CLIENTS/ZWAVE_GATEWAY-<name>/status      {"value": true}: birth and will of the gateway

A value is published alone, with its time, or with all that the gateway knows of it. Each variable of a notification has
a topic of its own, 0 being idle; an event has one too, and is published once. A device's name is its node's as in the
topic, with its location or without; with `/<endpoint>` behind it where each endpoint is a device. With the gateway type
Manual, whatever stands behind the node needs a map, unless payloads are entire ValueId objects.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from ingest.decoded import Decoded, GatewayWord, UnderBases, World
from ingest.dialects import zwave_tables as tables
from ingest.dialects.common import observed, parse, unknown_device
from ingest.dialects.facts import Facts
from ingest.dialects.meanings import Fact, Rank
from ingest.dialects.names import tell
from ingest.dialects.zwave_values import READERS, Given, Value
from ingest.message import Message
from rules.community import Device, Source

#: After its start the gateway publishes what it remembers of each node.
STARTUP = timedelta(seconds=120)
_STATUS = {"dead": "offline", "alive": "online", "awake": "online", "asleep": "sleeping", "unknown": "unknown"}
_UNKNOWN_CLASS = re.compile(r"unknownClass_(\d+)")
_OF_GATEWAY = frozenset({"_CLIENTS", "_EVENTS", "driver"})
_OF_NODE = frozenset({"status", "lastActive", "nodeinfo"})
_DEEPEST = 8


class ZwaveJsUi(UnderBases):
    """Reads one gateway."""

    default_base: ClassVar = "zwave"

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._map = source.map
        self._started_at: datetime | None = None

    def names(self, rest: str, payload: bytes) -> Sequence[str]:  # noqa: ARG002 - the topic says it all
        """Give the node with its location and without, each with its endpoint too."""
        return () if rest.partition("/")[0] in _OF_GATEWAY else _names(rest)[0]

    def decode(self, message: Message, rest: str, world: World) -> Decoded:
        """Read a value, a status of a node, or a word of the gateway."""
        first, _, tail = rest.partition("/")
        if rest.endswith("/set"):
            return self._ignored("command")
        if first in _OF_GATEWAY:
            return self._gateway(message, first, tail)
        if not message.payload:
            return self._ignored("retained_clear" if message.retain else "empty_payload")
        names, value = _names(rest)
        device = next((one for name in names if (one := world.devices.get((self._source, name))) is not None), None)
        node, _, last = rest.rpartition("/")
        if last == "nodeinfo":
            return self._ignored("metadata")
        document = _document(message.payload)
        if value is None and last not in _OF_NODE and type(document) is dict:
            value = _told(document, rest, device)
        if device is None and value is not None and value.command_class not in READERS:
            return self._ignored(_of_no_interest(value))
        if device is None:
            return unknown_device(self._source, value.node if value is not None else node or rest)
        if last in _OF_NODE and value is None:
            return self._node(message, device, last, document)
        startup = self._in_startup(message, world)
        if value is None:
            return self._free(message, device, rest.removeprefix(device.name).strip("/"), document)
        return self._value(message, device, value, document, startup=startup)

    # --- the gateway itself ---

    def _gateway(self, message: Message, first: str, tail: str) -> Decoded:
        if first == "_EVENTS":
            return self._ignored("gateway_message")
        if not tail.endswith("status") or "/api/" in tail:
            return self._ignored("metadata" if tail.endswith("/version") else "reply")
        document = _document(message.payload)
        said = document.get("value") if type(document) is dict else document
        if type(said) is not bool:
            return self._aside("invalid_value", "The status of the gateway is neither true nor false.")
        started_at = None
        if said and not message.retain:
            started_at = self._started_at = message.received_at
        return Decoded(
            gateway=GatewayWord(self._source, "online" if said else "offline", started_at), source=self._source
        )

    def _in_startup(self, message: Message, world: World) -> bool:
        gateway = world.gateways.get((self._source, ""))
        known = gateway.started_at if gateway is not None else None
        started_at = max((one for one in (known, self._started_at) if one is not None), default=None)
        return started_at is not None and started_at <= message.received_at <= started_at + STARTUP

    # --- a node ---

    def _node(self, message: Message, device: Device, what: str, document: Any) -> Decoded:
        said = document.get("value") if type(document) is dict else document
        if what == "lastActive":
            facts = Facts(device, message, observed_at=observed(said, message.received_at))
            facts.alive()
            return Decoded(facts.readings, source=self._source)
        status = document.get("status") if type(document) is dict else said
        state = _STATUS.get(status.lower()) if type(status) is str else None
        if state is None and type(said) is bool:
            state = "online" if said else "offline"
        if state is None:
            return self._aside("invalid_value", "The status of a node is true, false, Alive, Awake, Asleep or Dead.")
        at = observed(document.get("time"), message.received_at) if type(document) is dict else None
        facts = Facts(device, message, observed_at=at)
        facts.fact(Fact(Rank.ALARM, "availability", state))
        return Decoded(facts.readings, source=self._source)

    def _value(self, message: Message, device: Device, value: Value, document: Any, *, startup: bool) -> Decoded:
        said, unit, at = _unpacked(document, message)
        facts = Facts(device, message, observed_at=at, startup=startup, meanings=self._map)
        ignored: str | None = None
        if not facts.by_map(value.field, said, what="entity", known=True):
            reader = READERS.get(value.command_class)
            given = Given(value, said, unit, device, message.retain)
            ignored = _of_no_interest(value) if reader is None else reader(facts, given)
        if facts.readings or facts.unmapped:
            ignored = None
        elif ignored is None:
            ignored = "attribute"
        return Decoded(facts.readings, ignored=ignored, unmapped=facts.unmapped, source=self._source)

    def _free(self, message: Message, device: Device, field: str, document: Any) -> Decoded:
        """Read a topic that was chosen freely."""
        said, unit, at = _unpacked(document, message)
        facts = Facts(device, message, observed_at=at, meanings=self._map)
        if not facts.by_map(field, said, what="entity", known=True) and not tell(facts, field, said, unit=unit):
            facts.by_map(field, said, what="entity")
        ignored = None if facts.readings or facts.unmapped else "attribute"
        return Decoded(facts.readings, ignored=ignored, unmapped=facts.unmapped, source=self._source)


def _of_no_interest(value: Value) -> str:
    return "not_a_safety_sensor" if value.command_class in tables.CONTROLS else "metadata"


def _unpacked(document: Any, message: Message) -> tuple[Any, str | None, datetime | None]:
    """Give the value, its unit and the device's time, whichever form of payload is chosen."""
    if type(document) is not dict or not document.keys() & {"value", "time", "commandClass"}:
        return document, None, None
    unit = document.get("unit")
    at = observed(document.get("time", document.get("lastUpdate")), message.received_at)
    return document.get("value"), unit if isinstance(unit, str) else None, at


# --- topics ---


def _names(rest: str) -> tuple[list[str], Value | None]:
    """Give the names that a device with this topic may have, and the value that it is of."""
    value = _of_topic(rest)
    if value is None:
        node, _, last = rest.rpartition("/")
        if last in _OF_NODE:
            return _with_and_without(node), None
        names = [rest]
        while "/" in names[-1] and len(names) < _DEEPEST:
            names.append(names[-1].rpartition("/")[0])
        return names, None
    each = _with_and_without(value.node)
    return [*(f"{one}/{value.endpoint}" for one in each), *each], value


def _with_and_without(node: str) -> list[str]:
    location, _, name = node.rpartition("/")
    return [node, name] if location else [node]


def _of_topic(rest: str) -> Value | None:
    parts = rest.split("/")
    size = len(parts)
    for at in (size - 3, size - 4):
        # <node>/<class>/<endpoint>/<property>[/<key>]
        if at >= 1 and parts[at].isdecimal() and parts[at + 1].isdecimal() and 0x20 <= int(parts[at][:4]) <= 0xFF:
            return Value("/".join(parts[:at]), int(parts[at]), parts[at + 1], parts[at + 2], "/".join(parts[at + 3 :]))
    for at in range(1, size - 1):
        name = parts[at]
        command_class = tables.NUMBERS.get(name)
        if command_class is None:
            unnamed = _UNKNOWN_CLASS.fullmatch(name)
            if unnamed is None:
                continue
            command_class = int(unnamed[1][:4])
        begins = 2 if parts[at + 1].startswith("endpoint_") else 1
        names = parts[at + begins :]
        if not names:
            continue
        endpoint = parts[at + 1].removeprefix("endpoint_") if begins == 2 else "0"
        return Value("/".join(parts[:at]), command_class, endpoint, names[0], "/".join(names[1:]))
    return None


def _told(document: dict[str, Any], rest: str, device: Device | None) -> Value | None:
    """Make out a value from what the payload says of it, where its topic was chosen freely."""
    command_class, name, of = (document.get(one) for one in ("commandClass", "property", "propertyKey"))
    if type(command_class) is not int or type(name) not in {str, int}:
        return None
    node = device.name if device is not None else rest.rpartition("/")[0] or rest
    return Value(node, command_class, str(document.get("endpoint", 0)), str(name), "" if of is None else str(of))


def _document(payload: bytes) -> Any:
    try:
        return parse(payload)
    except ValueError:
        return payload.decode("utf-8", "replace").strip()
