"""Shelly devices of the second generation and later: Plus, Pro, Gen3, Gen4, and BLU devices heard through them.

    <prefix>/events/rpc              NotifyFullStatus (at a wake-up), NotifyStatus (what has changed), NotifyEvent
    <prefix>/status/<component>      the same by component, where "generic status update over MQTT" is on
    <prefix>/events/ble              a BLU device's packet, from ioBroker's script
    <prefix>/online                  true | false, the will; false each time a battery device goes back to sleep

The prefix is the device's id unless another is chosen there; it is the device's name in devices.yaml, and the id is
understood as well. BLU devices are `<prefix>/bthomedevice:200`, or by their address where the gateway runs a script
(see shelly_blu). Frames and components as in the maker's API documentation (shelly-api-docs.shelly.cloud, gen2).
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, ClassVar

from ingest.decoded import ANYWHERE, Decoded, GatewayWord, UnderBases, World
from ingest.dialects import shelly_blu as blu
from ingest.dialects import shelly_gen2_components as components
from ingest.dialects.common import freshness, parsed, unknown_device
from ingest.dialects.shelly_gen2_answer import Answer
from ingest.message import Message
from rules.community import Device, Source
from rules.readings import Reading

_EVENTS = "events/rpc"
_SCANS = "events/ble"
_STATUS = "/status/"
#: Models that sleep, by how their ids begin.
_BATTERY_MODELS = ("shellyplussmoke", "shellyflood", "shellyplusht", "shellyhtg3", "shellyht", "shellysmoke")
#: Kinds that these models are, when their names have been changed and nothing else has been heard.
_BATTERY_KINDS = frozenset({"smoke", "water_leak"})
_NOTIFICATIONS = frozenset({"NotifyFullStatus", "NotifyStatus", "NotifyEvent"})
#: What else stands below a prefix.
_IGNORED = {"rpc": "command", "command": "command", "debug/log": "log", "announce": "announce", "info": "announce"}
_MOST_EVENTS = 32


class ShellyGen2(UnderBases):
    """Reads the devices under some bases; with `+` as base, those whose prefix is their id."""

    default_base: ClassVar = ANYWHERE

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._of = source
        self.subscriptions: Sequence[str] = tuple(dict.fromkeys(one for base in self.bases for one in _filters(base)))
        #: Of bases that are a device's own prefix.
        self._own = tuple(base for base in self.bases if base)

    def names(self, rest: str, payload: bytes) -> Sequence[str]:
        """Give the prefix, the id, and whatever BLU devices it speaks of."""
        name, channel = _split(rest)
        named = (name,) if name else self._own
        if channel.startswith("status/"):
            key = channel[7:]
            return (*named, *(f"{one}/{key}" for one in named)) if components.is_part(key) else named
        if channel not in {_EVENTS, _SCANS}:
            return named
        try:
            document = parsed(payload)
        except ValueError:
            return named
        if type(document) is not dict:
            return named
        source = document.get("src")
        if type(source) is str and source and source not in named:
            named = (*named, source)
        if channel == _SCANS:
            scanned = blu.of_scan(document)
            return named if scanned is None else (*named, *blu.names(named, scanned))
        params = document.get("params")
        if type(params) is not dict:
            return named
        parts: list[str] = []
        for key, status in params.items():
            if components.is_part(key):
                parts += [f"{one}/{key}" for one in named]
            elif key == blu.COMPONENT and type(status) is dict:
                for packet in blu.of_status(status):
                    parts += blu.names(named, packet)
        for event in _events(params):
            component = event.get("component")
            if type(component) is str and components.is_part(component):
                parts += [f"{one}/{component}" for one in named]
            elif (heard := blu.of_event(event)) is not None:
                parts += blu.names(named, heard)
        return (*named, *parts)

    def decode(self, message: Message, rest: str, world: World) -> Decoded:
        """Read a notification, a component's status, or the will."""
        name, channel = _split(rest)
        if not channel:
            return self._aside(
                "unknown_topic", "A topic of this dialect ends with /events/rpc, /status/<component> or /online."
            )._replace(foreign=True)
        if not name:
            name = message.topic[: -len(rest) - 1]
        if (reason := _IGNORED.get(channel)) is not None:
            return self._ignored("reply" if channel == "rpc" and _is_reply(message.payload) else reason)
        if not message.payload:
            return self._ignored("retained_clear" if message.retain else "empty_payload")
        if channel == "online":
            return self._online(message, name, world)
        try:
            document = parsed(message.payload)
        except ValueError:
            return self._aside("malformed_json", "The payload is not valid JSON.")
        if type(document) is not dict:
            return self._aside("invalid_value", "The payload is not a JSON object.")
        if channel.startswith("status/"):
            at = document.get("last_updated_ts")
            return Answer(self._of, message, world, names=(name,), at=at).status({channel[7:]: document})
        said = document.get("src")
        names = (name, said) if type(said) is str and said and said != name else (name,)
        if channel == _SCANS:
            packet = blu.of_scan(document)
            if packet is None:
                return self._ignored("vendor_raw")
            return Answer(self._of, message, world, names=names, at=None).packet(packet)
        if "method" not in document and ("result" in document or "error" in document):
            return self._ignored("reply")
        method, params = document.get("method"), document.get("params")
        if type(method) is not str or method not in _NOTIFICATIONS or type(params) is not dict:
            return self._aside("invalid_value", "A notification has a method (Notify…) and params.")
        answer = Answer(self._of, message, world, names=names, at=params.get("ts"))
        return answer.events(_events(params)) if method == "NotifyEvent" else answer.status(params)

    def _online(self, message: Message, name: str, world: World) -> Decoded:
        text = message.payload.strip()
        if text not in {b"true", b"false"}:
            return self._aside("invalid_value", "online is either true or false.")._replace(foreign=True)
        source = self._source
        device = world.devices.get((source, name))
        gateway = None
        if (source, name) in world.gateways:
            gateway = GatewayWord(source, "online" if text == b"true" else "offline", None, name)
        if device is None:
            return unknown_device(source, name) if gateway is None else Decoded(gateway=gateway, source=source)
        known = world.definitions.get((source, name)) or {}
        state = "online" if text == b"true" else "sleeping" if _sleeps(device, known) else "offline"
        reading = Reading(device.id, "availability", message.received_at, state=state, freshness=freshness(message))
        return Decoded((reading,), gateway=gateway, source=source)


def _filters(base: str) -> Sequence[str]:
    if base:
        return (f"{base}/#",)
    return (f"+/{_EVENTS}", f"+/{_SCANS}", "+/status/+", "+/online")


@lru_cache(maxsize=4096)
def _split(rest: str) -> tuple[str, str]:
    """Tell a device's prefix, which may hold slashes, from the topic below it; without a topic it is none of ours."""
    name, slash, key = rest.rpartition(_STATUS)
    if slash and "/" not in key:
        return name, f"status/{key}"
    if rest.startswith("status/") and rest.count("/") == 1:
        return "", rest
    for channel in (_EVENTS, "online", _SCANS, *_IGNORED):
        if rest == channel:
            return "", channel
        if rest.endswith(f"/{channel}"):
            return rest[: -len(channel) - 1], channel
    return rest, ""


def _events(params: dict[str, Any]) -> list[dict[str, Any]]:
    events = params.get("events")
    return [one for one in events[:_MOST_EVENTS] if type(one) is dict] if type(events) is list else []


def _is_reply(payload: bytes) -> bool:
    try:
        document = parsed(payload)
    except ValueError:
        return False
    return type(document) is dict and "method" not in document


def _sleeps(device: Device, known: dict[str, Any]) -> bool:
    """Whether a device is one of those that say that they are offline each time they go back to sleep."""
    sleeps = known.get("sleeps")
    if type(sleeps) is bool:
        return sleeps
    if device.name.rpartition("/")[2].lower().startswith(_BATTERY_MODELS):
        return True
    # With a map it is wired to an input of something that is on mains power.
    return device.kind in _BATTERY_KINDS and not device.map
