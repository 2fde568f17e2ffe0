"""ThingsBoard's device and gateway API, where what devices and gateways publish can be listened to.

    v1/devices/me/telemetry         {"smoke": true}, {"ts": ..., "values": {...}}, or an array of either
    v2/t                            the same, by its short name
    v1/gateway/telemetry            {"Device A": [{"ts": ..., "values": {...}}], "Device B": [...]}
    v1/gateway/connect|disconnect   {"device": "Device A"}

Who `me` is, is in the MQTT login, which a listener never sees: such a source has one device, named `me`. Behind a
gateway a device has the name that the gateway gives it. Keys are free: what is called what it is, is read (names.py),
and what a LoRaWAN codec says (lorawan_tables.py); the rest needs a map.
"""

from collections.abc import Sequence
from itertools import islice
from typing import Any, ClassVar, Final

from ingest.decoded import Decoded, UnderBases, Unmapped, World
from ingest.dialects.common import is_late, observed, parsed, shorten, unknown_device
from ingest.dialects.facts import Facts
from ingest.dialects.lorawan import sound
from ingest.dialects.lorawan_fields import tell_fields
from ingest.dialects.meanings import Fact, Rank
from ingest.message import Message
from rules.community import Device, Source
from rules.readings import Freshness, Reading

#: Devices in one message of a gateway, and samples of one of them.
_MOST_DEVICES: Final = 200
_MOST_SAMPLES: Final = 200
_SHORT: Final = {"t": "telemetry", "a": "attributes", "r": "rpc"}
_IGNORED: Final = {"attributes": "attribute", "rpc": "command", "claim": "command", "provision": "command"}
_STATES: Final = {
    "connect": Fact(Rank.CLEAR, "availability", "online"),
    "disconnect": Fact(Rank.ALARM, "availability", "offline"),
}

Sample = tuple[Any, dict[str, Any]]


class ThingsBoard(UnderBases):
    """Reads one device, or the devices behind a gateway."""

    default_base: ClassVar = "v1"

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._map = source.map
        if tuple(self.bases) == ("v1",):
            self.bases = ("v1", "v2")
            self.subscriptions = ("v1/#", "v2/#")

    def names(self, rest: str, payload: bytes) -> Sequence[str]:
        """Give the device of the topic, or those in a gateway's message."""
        who, what, _ = _split(rest)
        if who is not None:
            return (who,) if what == "telemetry" else ()
        try:
            document = parsed(payload)
        except ValueError:
            return ()
        if type(document) is not dict:
            return ()
        if what in _STATES:
            name = document.get("device")
            return (name,) if type(name) is str else ()
        return list(islice(document, _MOST_DEVICES)) if what == "telemetry" else ()

    def decode(self, message: Message, rest: str, world: World) -> Decoded:
        """Read telemetry, or that a device came or went behind a gateway."""
        who, what, more = _split(rest)
        if more and what != "telemetry":
            return self._ignored("reply" if "response" in more else "command")
        if what in _IGNORED:
            return self._ignored(_IGNORED[what])
        if what != "telemetry" and not (who is None and what in _STATES):
            return self._aside("unknown_topic", "The device and gateway API of ThingsBoard has no such topic.")
        if more == ["p"]:
            return self._ignored("binary")
        if not message.payload:
            return self._ignored("retained_clear" if message.retain else "empty_payload")
        try:
            document = parsed(message.payload)
        except ValueError:
            return self._aside("malformed_json", "The payload is not valid JSON.")
        if who is not None:
            device = world.devices.get((self._source, who))
            return unknown_device(self._source, who) if device is None else self._device(message, device, document)
        if type(document) is not dict:
            return self._aside("invalid_value", "What a gateway publishes is a JSON object.")
        return (
            self._gateway(message, document, world)
            if what == "telemetry"
            else self._came(message, document, _STATES[what], world)
        )

    def _device(self, message: Message, device: Device, document: Any) -> Decoded:
        samples = _samples(document)
        if samples is None:
            return self._aside("invalid_value", "Telemetry is a JSON object, or an array of them.")
        readings, unmapped = self._read(message, device, samples)
        return Decoded(readings, unmapped=unmapped, source=self._source)

    def _gateway(self, message: Message, document: dict[str, Any], world: World) -> Decoded:
        readings: list[Reading] = []
        unmapped: list[Unmapped] = []
        strangers: list[str] = []
        refused: tuple[str, str] | None = None
        for name, value in islice(document.items(), _MOST_DEVICES):
            device = world.devices.get((self._source, name))
            samples = _samples(value)
            if samples is None:
                refused = refused or ("invalid_value", f"The telemetry of {shorten(name)!r} is no array of objects.")
            elif device is None:
                strangers.append(name)
            else:
                more, needed = self._read(message, device, samples)
                readings += more
                unmapped += needed
        if strangers:
            refused = unknown_device(self._source, strangers[0]).quarantine
        return Decoded(readings, quarantine=refused, unmapped=unmapped, strangers=strangers, source=self._source)

    def _came(self, message: Message, document: dict[str, Any], state: Fact, world: World) -> Decoded:
        name = document.get("device")
        if type(name) is not str:
            return self._aside("invalid_value", "It does not say which device.")
        device = world.devices.get((self._source, name))
        if device is None:
            return unknown_device(self._source, name)
        facts = Facts(device, message)
        facts.fact(state)
        return Decoded(facts.readings, source=self._source)

    def _read(self, message: Message, device: Device, samples: list[Sample]) -> tuple[list[Reading], list[Unmapped]]:
        """Read a device's samples in the order of their times; what comes late is history."""
        readings: list[Reading] = []
        unmapped: list[Unmapped] = []
        facts: Facts | None = None
        for at, values in samples:
            facts = Facts(
                device,
                message,
                observed_at=observed(at, message.received_at),
                freshness=Freshness.HISTORIC if is_late(at, message.received_at) else None,
                meanings=self._map,
            )
            tell_fields(facts, device, values, measured=True)
            readings += sound(facts.readings)
            unmapped += facts.unmapped
        if facts is not None and not readings:
            facts.alive()
            readings = facts.readings
        return readings, unmapped


def _split(rest: str) -> tuple[str | None, str, list[str]]:
    """Give the device that a topic is of (None: behind a gateway), what it is about, and what follows."""
    parts = rest.split("/")
    if parts[0] == "gateway" and len(parts) > 1:
        return None, parts[1], parts[2:]
    if parts[0] == "devices" and len(parts) > 2:
        return parts[1], parts[2], parts[3:]
    # Below a base that goes as far as `me`, and by short names.
    return "me", _SHORT.get(parts[0], parts[0]), [one for one in parts[1:] if one != "j"]


def _samples(document: Any) -> list[Sample] | None:
    """Give samples with their times, oldest first; None where it is none."""
    parts = document if type(document) is list else [document]
    samples: list[Sample] = []
    for part in parts[:_MOST_SAMPLES]:
        if type(part) is not dict:
            return None
        values = part.get("values")
        samples.append((part.get("ts"), values) if type(values) is dict else (None, part))
    if len(samples) > 1:
        samples.sort(key=_order)
    return samples or None


def _order(sample: Sample) -> float:
    """What has no time is of now, after all the others."""
    at = sample[0]
    return float(at) if type(at) in {int, float} and -1e15 < at < 1e15 else 1e15
