"""Models of Zigbee sensors: what they are called, which properties they have, and how each says a thing.

A few of each kind, with the differences that matter to a reader: booleans, "ON"/"OFF", numbered alarms, enums, a
contact that is false when open.
"""

from dataclasses import dataclass
from random import Random
from typing import Any

from simulators.community import SimDevice
from simulators.life import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Binary:
    """A property with two values. `on` is what it is in alarm, open, detected."""

    name: str
    on: Any = True
    off: Any = False

    def expose(self) -> dict[str, Any]:
        """Its entry in `exposes`."""
        return {
            "type": "binary",
            "name": self.name,
            "label": self.name.replace("_", " ").capitalize(),
            "property": self.name,
            "access": 1,
            "value_on": self.on,
            "value_off": self.off,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Enum:
    """A property with named values; `words` maps our states to them."""

    name: str
    words: dict[str, str]
    others: tuple[str, ...] = ()

    def expose(self) -> dict[str, Any]:
        """Its entry in `exposes`."""
        return {
            "type": "enum",
            "name": self.name,
            "label": self.name.replace("_", " ").capitalize(),
            "property": self.name,
            "access": 1,
            "values": [*self.words.values(), *self.others],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A make of sensor. `main` says what the sensor is for."""

    name: str
    vendor: str
    description: str
    kind: str
    main: Binary | Enum
    battery: bool = True
    extras: tuple[Binary, ...] = ()

    @property
    def cached_properties(self) -> tuple[str, ...]:
        """What a gateway remembers of it."""
        names = [] if self.main.name == "action" else [self.main.name]
        names += [extra.name for extra in self.extras]
        return (*names, *(("battery",) if self.battery else ()), "linkquality")

    def exposes(self) -> list[dict[str, Any]]:
        """The list a gateway publishes of it."""
        numbers = [("linkquality", "lqi", 255)] + ([("battery", "%", 100)] if self.battery else [])
        return [
            self.main.expose(),
            *(extra.expose() for extra in self.extras),
            *(
                {
                    "type": "numeric",
                    "name": name,
                    "label": name.capitalize(),
                    "property": name,
                    "access": 1,
                    "unit": unit,
                    "value_min": 0,
                    "value_max": highest,
                }
                for name, unit, highest in numbers
            ),
        ]

    def encode(self, fact: Fact) -> dict[str, Any]:
        """The fields by which it says a fact; none where it has no property for it."""
        if fact.kind == "battery":
            return {"battery": round(fact.value or 0)} if self.battery else {}
        if fact.kind == self.kind:
            if isinstance(self.main, Enum):
                return {self.main.name: self.main.words[fact.state]} if fact.state in self.main.words else {}
            return {self.main.name: self.main.off if fact.state in {"clear", "closed"} else self.main.on}
        for extra in self.extras:
            if extra.name == fact.kind:
                return {extra.name: extra.off if fact.state in {"clear", "inactive"} else extra.on}
        return {}


_TAMPER = Binary(name="tamper")
_TEST = Binary(name="test")

MODELS: tuple[Model, ...] = (
    Model(
        name="TS0204", vendor="Tuya", description="Gas sensor", kind="gas", main=Binary(name="gas"), battery=False,
        extras=(_TAMPER,),
    ),
    Model(
        name="JTQJ-BF-01LM/BW", vendor="Aqara", description="Natural gas detector", kind="gas",
        main=Binary(name="gas"), battery=False, extras=(_TEST,),
    ),
    Model(
        name="EG-GAS1", vendor="Imou", description="Gas alarm with numbered outputs", kind="gas",
        main=Binary(name="gas_alarm_1"), battery=False,
    ),
    Model(
        name="TS0205", vendor="Tuya", description="Smoke sensor", kind="smoke", main=Binary(name="smoke"),
        extras=(_TAMPER,),
    ),
    Model(
        name="JY-GZ-01AQ", vendor="Aqara", description="Smoke detector", kind="smoke", main=Binary(name="smoke"),
        extras=(_TEST,),
    ),
    Model(
        name="TS0601_smoke_4", vendor="Tuya", description="Smoke sensor", kind="smoke",
        main=Enum(name="smoke_state", words={"alarm": "alarm", "clear": "none"}, others=("detecting", "unknown")),
    ),
    Model(
        name="HS1CA-E", vendor="HEIMAN", description="Carbon monoxide sensor", kind="carbon_monoxide",
        main=Binary(name="carbon_monoxide"), extras=(_TAMPER,),
    ),
    Model(
        name="TS0601_co_sensor", vendor="Tuya", description="CO sensor", kind="carbon_monoxide",
        main=Binary(name="carbon_monoxide", on="ON", off="OFF"),
    ),
    Model(
        name="MCCGQ11LM", vendor="Aqara", description="Door and window sensor", kind="contact",
        main=Binary(name="contact", on=False, off=True),
    ),
    Model(
        name="SNZB-04", vendor="SONOFF", description="Contact sensor", kind="contact",
        main=Binary(name="contact", on=False, off=True), extras=(_TAMPER,),
    ),
    Model(
        name="RTCGQ11LM", vendor="Aqara", description="Motion sensor", kind="motion", main=Binary(name="occupancy"),
    ),
    Model(
        name="TS0601_presence", vendor="Tuya", description="Presence sensor", kind="presence", battery=False,
        main=Binary(name="presence"),
    ),
    Model(
        name="DJT11LM", vendor="Aqara", description="Vibration sensor", kind="vibration",
        main=Binary(name="vibration"),
    ),
    Model(
        name="SJCGQ11LM", vendor="Aqara", description="Water leak sensor", kind="water_leak",
        main=Binary(name="water_leak"),
    ),
    Model(
        name="TS0215A_sos", vendor="Tuya", description="SOS button", kind="sos",
        main=Enum(name="action", words={"pressed": "emergency"}),
    ),
    Model(
        name="TS0601_fall", vendor="Tuya", description="Fall detection radar", kind="fall", battery=False,
        main=Enum(name="fall_down_status", words={"alarm": "fall", "clear": "none", "warning": "maybe_fall"}),
    ),
)  # fmt: skip


def model_of(device: SimDevice, seed: int = 0) -> Model:
    """The model a device is: one of its kind, always the same for a seed; raises ValueError for a kind without one."""
    models = [model for model in MODELS if model.kind == device.kind]
    if not models:
        raise ValueError(f"no Zigbee model of kind {device.kind} is simulated (device {device.id})")
    return Random(f"{seed}/{device.id}/model").choice(models)
