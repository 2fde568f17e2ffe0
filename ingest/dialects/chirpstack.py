"""ChirpStack 4, and 3 as far as it writes alike.

    application/<id>/device/<DevEUI>/event/<up|join|status|log|ack|txack|location|integration>
    [<region>/]gateway/<id>/state/conn                              retained; the last will of each gateway

As JSON, or protobuf (chirpstack_wire.py). A device's name in devices.yaml is its DevEUI, or its name in ChirpStack.
What its log says of a device's uplinks that could not be taken (`ERROR`) is a fault until the next one is.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, ClassVar, Final, NamedTuple

from ingest.decoded import Decoded, GatewayWord, UnderBases, World
from ingest.dialects.chirpstack_wire import connection, event
from ingest.dialects.common import number, observed, parse, parsed, unknown_device
from ingest.dialects.facts import Facts
from ingest.dialects.lorawan import Uplink, read_uplink
from ingest.dialects.meanings import Fact, Rank
from ingest.message import Message
from rules.community import Device, Source

_APPLICATION: Final = "application"
_GATEWAY: Final = "gateway"
#: What stands before a DevEUI; ChirpStack before 3 had nodes.
_DEVICES: Final = frozenset({"device", "node"})
_READ: Final = frozenset({"up", "rx", "join", "status", "log", "error"})
_IGNORED: Final = {
    "ack": "gateway_message",
    "txack": "gateway_message",
    "tx": "command",
    "location": "not_a_safety_sensor",
    "integration": "metadata",
    "down": "command",
}
#: What a device does wrong, or has wrong: the others are about what is sent to it.
_FAULTS: Final = frozenset({"UPLINK_MIC", "UPLINK_CODEC", "OTAA", "UPLINK_F_CNT_RESET", "UPLINK_FCNT_RESET"})
#: Before the keys under which such a fault is remembered; no device's name begins so.
_REMEMBERED: Final = "+log/"


class _Heard(NamedTuple):
    """An event of a device of ours, and where a fault of it is remembered."""

    document: dict[str, Any]
    device: Device
    message: Message
    key: str


class ChirpStack(UnderBases):
    """Reads one ChirpStack."""

    default_base: ClassVar = _APPLICATION

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._map = source.map
        if tuple(self.bases) == (_APPLICATION,):
            self.bases = (_APPLICATION, _GATEWAY)
        # Everything that a gateway hears would be far too much.
        self.subscriptions = tuple(
            f"{base}/+/state/+" if base.rpartition("/")[2] == _GATEWAY else f"{base}/#" for base in self.bases
        )

    def names(self, rest: str, payload: bytes) -> Sequence[str]:
        """Give the DevEUI, the device's name, and where a fault of it is remembered."""
        eui, kind, _ = _split(rest)
        if eui is None or kind not in _READ:
            return ()
        document = _document(kind, payload) if payload[:1] == b"{" else None
        name = None if document is None else _info(document).get("deviceName")
        found = [eui, eui.upper(), f"{_REMEMBERED}{eui}"]
        if type(name) is str and name:
            found.append(name)
        return found

    def decode(self, message: Message, rest: str, world: World) -> Decoded:
        """Read an event of a device, or the state of a gateway."""
        eui, kind, command = _split(rest)
        if eui is None:
            return self._gateway(message, rest)
        if command:
            return self._ignored("command")
        if kind not in _READ:
            reason = _IGNORED.get(kind)
            return (
                self._ignored(reason) if reason else self._aside("unknown_topic", f"ChirpStack has no event {kind!r}.")
            )
        if not message.payload:
            return self._ignored("retained_clear" if message.retain else "empty_payload")
        document = _document(kind, message.payload)
        if document is None:
            return self._aside(
                "malformed_json",
                "The event is neither a JSON object nor a protobuf message of ChirpStack 4; set its MQTT to JSON.",
            )
        device = self._device(world, eui, document)
        if device is None:
            return unknown_device(self._source, eui)
        heard = _Heard(document, device, message, f"{_REMEMBERED}{eui}")
        if kind in {"log", "error"}:
            # INFO need not be written; and version 3 writes errors alone.
            return self._log(heard, document.get("level", "INFO" if kind == "log" else "ERROR"))
        if kind in {"up", "rx"}:
            return self._up(heard, world)
        facts = Facts(device, message, observed_at=observed(document.get("time"), message.received_at))
        if kind == "join":
            facts.fact(Fact(Rank.CLEAR, "availability", "online"))
        else:
            _status(facts, document)
        return Decoded(facts.readings, source=self._source)

    def _device(self, world: World, eui: str, document: dict[str, Any]) -> Device | None:
        source, devices = self._source, world.devices
        device = devices.get((source, eui)) or devices.get((source, eui.upper()))
        if device is None:
            name = _info(document).get("deviceName")
            device = devices.get((source, name)) if type(name) is str else None
        return device

    def _up(self, heard: _Heard, world: World) -> Decoded:
        document, device, message, key = heard
        said = document.get("object")
        if said is None and type(text := document.get("objectJSON")) is str:
            try:
                said = parse(text.encode("utf-8", "replace"))
            except ValueError:
                said = None
        port = document.get("fPort")
        uplink = Uplink(said, document.get("data"), port if type(port) is int else None, _hints(_info(document)))
        readings, unmapped = read_uplink(uplink, device, message, meanings=self._map, at=_time(document))
        learnt = None
        fault = world.definitions.get((self._source, key))
        if fault is not None and (fault.get("code") != "UPLINK_CODEC" or said):
            # What it has sent could be taken.
            learnt = {key: None}
            if not any(one.kind == "fault" for one in readings):
                facts = Facts(device, message, observed_at=observed(_time(document), message.received_at))
                facts.fact(Fact(Rank.CLEAR, "fault", "clear"))
                readings = [*readings, *facts.readings]
        return Decoded(readings, unmapped=unmapped, learnt=learnt, source=self._source)

    def _log(self, heard: _Heard, level: Any) -> Decoded:
        """Take an error about what a device has sent."""
        document, device, message, key = heard
        code = document.get("code", document.get("type"))
        if level != "ERROR" or type(code) is not str or code not in _FAULTS:
            return self._ignored("log")
        facts = Facts(device, message, observed_at=observed(document.get("time"), message.received_at))
        facts.fact(Fact(Rank.ALARM, "fault", "alarm", code))
        return Decoded(facts.readings, learnt={key: {"code": code}}, source=self._source)

    def _gateway(self, message: Message, rest: str) -> Decoded:
        parts = rest.split("/")
        if _GATEWAY in parts[:-1]:
            parts = parts[parts.index(_GATEWAY) + 1 :]
        if len(parts) < 3 or parts[1] not in {"state", "event", "command"}:
            return self._aside(
                "unknown_topic",
                "The topic is neither application/<id>/device/<DevEUI>/event/... nor gateway/<id>/state/conn.",
            )
        if parts[1] != "state" or parts[2] != "conn":
            return self._ignored("command" if parts[1] == "command" else "gateway_message")
        if not message.payload:
            return self._ignored("retained_clear")
        try:
            if message.payload[:1] == b"{":
                document = parse(message.payload)
                # As in protobuf, OFFLINE need not be written.
                state = document.get("state", "OFFLINE" if "gatewayId" in document else None)
                state = {0: "OFFLINE", 1: "ONLINE"}.get(state, state) if type(state) is int else state
            else:
                state = connection(message.payload)
        except ValueError:
            state = None
        if type(state) is not str or state not in {"ONLINE", "OFFLINE"}:
            return self._aside("invalid_value", "A gateway's connection is ONLINE or OFFLINE.")
        return Decoded(gateway=GatewayWord(self._source, state.lower(), name=parts[0]), source=self._source)


@lru_cache(maxsize=1024)
def _split(rest: str) -> tuple[str | None, str, bool]:
    """Give a topic's DevEUI in small letters, its kind of event, and whether it is a command; None: not a device's."""
    parts = rest.split("/")
    for at in (1, 2):
        if len(parts) > at + 2 and parts[at] in _DEVICES:
            return parts[at + 1].lower(), parts[-1], "command" in parts[at + 2 : -1]
    return None, "", False


def _document(kind: str, payload: bytes) -> dict[str, Any] | None:
    try:
        document = parsed(payload) if payload[:1] == b"{" else event(kind, payload)
    except ValueError:
        return None
    return document if type(document) is dict else None


def _info(document: dict[str, Any]) -> dict[str, Any]:
    """Give what is said of the device: in a part of its own, in version 3 beside the rest."""
    info = document.get("deviceInfo")
    return info if type(info) is dict else document


def _hints(info: dict[str, Any]) -> list[str]:
    tags = info.get("tags")
    words = [info.get("deviceProfileName"), *(tags.values() if type(tags) is dict else ()), info.get("deviceName")]
    return [word for word in words if type(word) is str]


def _time(document: dict[str, Any]) -> Any:
    """Give when the network server, or before version 4 a gateway, heard it."""
    time = document.get("time")
    if time is None:
        heard = document.get("rxInfo")
        if type(heard) is list and heard and type(heard[0]) is dict:
            return heard[0].get("time")
    return time


def _status(facts: Facts, document: dict[str, Any]) -> None:
    """Take a device's word on its battery: percent, or in old versions 1 to 254; 0 is mains, 255 unknown."""
    if document.get("externalPowerSource") is not True and document.get("batteryLevelUnavailable") is not True:
        facts.battery(document.get("batteryLevel"))
        old = number(document.get("battery"))
        if "batteryLevel" not in document and old is not None and 1 <= old <= 254:
            facts.battery(round(old / 2.54, 1))
    facts.alive()
