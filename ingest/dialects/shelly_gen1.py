"""Shelly devices of the first generation: smoke, gas, flood, door/window, motion, buttons, and inputs of relays.

    shellies/<model>-<id>/sensor/<what>     one plain value a topic
    shellies/<model>-<id>/online            true | false, the will; false each time a battery device goes back to sleep
    shellies/<model>-<id>/info, …/status    everything at once, as JSON
    shellies/<model>-<id>/input_event/<n>   {"event": "S", "event_cnt": 7}

`<model>-<id>` may be replaced by a prefix of one's own at the device; it is the device's name. What is wired to a plain
input nobody can know: that needs a map for `input/0`. Topics and values as in ioBroker.shelly, src/lib/devices/gen1,
and in the maker's API documentation of the first generation.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, ClassVar

from ingest.decoded import Decoded, UnderBases, World
from ingest.dialects.common import freshness, observed, parsed, shorten, unknown_device
from ingest.dialects.facts import Facts
from ingest.dialects.shelly_gen1_words import sensor, snapshot
from ingest.message import Message
from rules.community import Device, Source
from rules.readings import Reading

#: Models that sleep between two messages, by how their default names begin.
_BATTERY_MODELS = ("shellysmoke", "shellyflood", "shellydw", "shellymotion", "shellybutton", "shellyht", "shellysense")
#: The same as the maker calls them in `announce`.
_BATTERY_TYPES = ("SHSM", "SHWT", "SHDW", "SHMOS", "SHBTN", "SHHT", "SHSEN")
#: Kinds that these models are, when their names have been changed and nothing else has been heard.
_BATTERY_KINDS = frozenset({"smoke", "water_leak", "contact", "motion", "vibration", "sos", "button"})

#: Where a device's name ends, and its topics begin.
_CHANNELS = frozenset(
    {
        *("sensor", "online", "info", "status", "announce", "command", "input", "input_event", "longpush", "relay"),
        *("adc", "ext_temperature", "ext_humidity", "ext_switch", "valve", "temperature", "temperature_f", "voltage"),
        *("overtemperature", "overload", "loaderror", "light", "white", "color", "roller", "emeter", "thermostats"),
        *("settings", "temperature_status", "power", "energy", "battery", "charger"),
    }
)
#: What a controller writes below the device's own topics.
_COMMANDS = frozenset({"sensor/mute", "sensor/unmute", "sensor/start_self_test"})
_COMMAND_ENDS = ("/command", "/set")

_PRESSES = {
    "S": "single",
    "SS": "double",
    "SSS": "triple",
    "L": "long",
    "SL": "single_long",
    "LS": "long_single",
}


class ShellyGen1(UnderBases):
    """Reads the devices under one base, which is always `shellies` but for bridges."""

    default_base: ClassVar = "shellies"

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._map = source.map

    def names(self, rest: str, payload: bytes) -> Sequence[str]:
        """Give the device's name: it is also the key of what is remembered of it."""
        name, channel = _split(rest)
        if not name and channel == "announce":
            announced = _announced(payload)
            return (announced[0],) if announced is not None else ()
        return (name,) if name else ()

    def decode(self, message: Message, rest: str, world: World) -> Decoded:
        """Read one of a device's topics."""
        name, channel = _split(rest)
        if channel == "command" or channel in _COMMANDS or channel.endswith(_COMMAND_ENDS):
            return self._ignored("command")
        if channel == "announce":
            return self._announce(message, world)
        if not name or not channel:
            return self._aside("unknown_topic", "A topic of this dialect is <device>/<what>, such as …/sensor/gas.")
        if not message.payload:
            return self._ignored("retained_clear" if message.retain else "empty_payload")
        device = world.devices.get((self._source, name))
        if device is None:
            return unknown_device(self._source, name)
        known = world.definitions.get((self._source, name)) or {}
        if channel in {"info", "status"}:
            return self._everything(message, device, channel)
        text = message.payload.decode("utf-8", "replace").strip()
        if channel == "online":
            return self._online(message, device, text, known)
        facts = Facts(device, message, meanings=self._map)
        first, _, what = channel.partition("/")
        if first == "input_event":
            return self._press(message, device, facts, channel, known)
        learnt: dict[str, Any] = {}
        ignored: str | None = None
        if first == "input":
            facts.by_map(channel, text, what="input")
        elif first == "ext_switch":
            facts.by_map(channel, text, what="switch")
        elif first != "sensor":
            mapped = facts.by_map(channel, text, what="switch", known=True)
            ignored = None if mapped else "not_a_safety_sensor"
        elif not facts.by_map(channel, text, what="input", known=True):
            ignored, learnt = sensor(facts, what, text, known)
        facts.alive()
        return Decoded(
            facts.readings,
            ignored=ignored,
            learnt=self._learn(name, known, learnt),
            unmapped=facts.unmapped,
            source=self._source,
        )

    # --- topics -------------------------------------------------------------------------------------------------------

    def _announce(self, message: Message, world: World) -> Decoded:
        """Remember the model: it tells which devices sleep."""
        announced = _announced(message.payload)
        if announced is None:
            return self._ignored("announce")
        name, model = announced
        known = world.definitions.get((self._source, name)) or {}
        learnt = self._learn(name, known, {"model": model, "vendor": "Shelly"})
        return Decoded(ignored="announce", learnt=learnt, source=self._source)

    def _online(self, message: Message, device: Device, text: str, known: dict[str, Any]) -> Decoded:
        if text not in {"true", "false"}:
            return self._aside("invalid_value", "online is either true or false.")
        state = "online" if text == "true" else "sleeping" if _sleeps(device, known) else "offline"
        reading = Reading(device.id, "availability", message.received_at, state=state, freshness=freshness(message))
        return Decoded((reading,), source=self._source)

    def _everything(self, message: Message, device: Device, channel: str) -> Decoded:
        """Read a snapshot of the device's own, or what a motion sensor says."""
        try:
            document = parsed(message.payload)
        except ValueError:
            return self._aside("malformed_json", f"{channel} is not valid JSON.")
        if type(document) is not dict:
            return self._aside("invalid_value", f"{channel} is a JSON object.")
        at = document.get("unixtime", document.get("timestamp") if document.get("motion") is True else None)
        facts = Facts(device, message, observed_at=observed(at, message.received_at), meanings=self._map)
        snapshot(facts, document)
        facts.alive()
        return Decoded(facts.readings, source=self._source)

    def _press(self, message: Message, device: Device, facts: Facts, channel: str, known: dict[str, Any]) -> Decoded:
        """Read an event of an input. Its counter tells a press from its being told again at the next wake-up."""
        try:
            document = parsed(message.payload)
        except ValueError:
            document = None
        event, count = (document.get("event"), document.get("event_cnt")) if type(document) is dict else (None, None)
        if type(event) is not str:
            return self._aside("invalid_value", 'An input event is {"event": "S", "event_cnt": 1}.')
        ignored, learnt = None, {}
        if type(count) is int and 0 <= count < 1 << 32:
            learnt = {channel: count}
        if not event or (learnt and known.get(channel) == count):
            facts.alive()
            ignored = "empty_action_reset"
        elif not facts.by_map(channel, event, what="event", known=event in _PRESSES) and event in _PRESSES:
            facts.pressed(_PRESSES[event])
        return Decoded(
            facts.readings,
            ignored=ignored,
            learnt=self._learn(device.name, known, learnt),
            unmapped=facts.unmapped,
            source=self._source,
        )

    def _learn(
        self, name: str, known: dict[str, Any], learnt: dict[str, Any]
    ) -> dict[str, dict[str, Any] | None] | None:
        """Give what is to be remembered of a device, where that is new."""
        if all(known.get(key) == value for key, value in learnt.items()):
            return None
        return {name: {**known, **learnt}}


@lru_cache(maxsize=4096)
def _split(rest: str) -> tuple[str, str]:
    """Tell a device's name, which may hold slashes, from the topic below it."""
    parts = rest.split("/")
    if len(parts) == 1:
        return "", rest
    at = next((place for place, part in enumerate(parts) if place and part in _CHANNELS), 1)
    return "/".join(parts[:at]), "/".join(parts[at:])


def _announced(payload: bytes) -> tuple[str, str] | None:
    """Read {"id": "shellygas-AABBCC", "model": "SHGS-1", …}."""
    try:
        document = parsed(payload)
    except ValueError:
        return None
    if type(document) is not dict:
        return None
    name, model = document.get("id"), document.get("model")
    return (name, shorten(model)) if type(name) is str and name and type(model) is str else None


def _sleeps(device: Device, known: dict[str, Any]) -> bool:
    """Whether a device is one of those that say that they are offline each time they go back to sleep."""
    model = device.model or known.get("model")
    if type(model) is str and model:
        return model.startswith(_BATTERY_TYPES) or model.lower().startswith(_BATTERY_MODELS)
    last = device.name.rpartition("/")[2]
    if last.startswith("shelly"):
        return last.startswith(_BATTERY_MODELS)
    # With a map it is a relay's or a module's input, which is on mains power.
    return known.get("battery") is True or (device.kind in _BATTERY_KINDS and not device.map)
