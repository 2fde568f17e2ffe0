"""What Tasmota's Zigbee bridge says of a device: names and values of Z_PostProcess and Z_Data_Alarm in its sources.

A zone of the alarm cluster (0500) says only "alarm 1" and "alarm 2". What that is, is in the zone's type, which the
bridge knows after `ZbInfo`; it then names the fact itself (`Contact`, `Fire`, `Water`, `CO` …). Where it does not, the
type that was heard in a `ZbInfo` or the kind that is registered tells, and else nobody can know.
"""

from collections.abc import Mapping
from enum import Enum, auto
from functools import lru_cache
from typing import Any

from ingest.dialects.common import number, shorten
from ingest.dialects.facts import Facts
from ingest.dialects.meanings import Fact, Rank, off, on, unknown
from rules.community import Device

#: Contact: 1 is open, which is the opposite of Zigbee2MQTT's.
_STATES = {
    "Contact": "contact",
    "Fire": "smoke",
    "Smoke": "smoke",
    "Water": "water_leak",
    "CO": "carbon_monoxide",
    "PersonalAlarm": "sos",
    "Panic": "sos",
    "Occupancy": "motion",
    "Movement": "vibration",
    "Vibration": "vibration",
    "GlassBreak": "vibration",
    "Tamper": "tamper",
    "BatteryLow": "battery",
    "Test": "test",
}
#: Those of them that are what a zone's alarm is.
_ALARMS = frozenset(_STATES) - {"Tamper", "BatteryLow", "Test", "Smoke", "Vibration"}
_FAULTS = {"Failure": "trouble", "MainsFault": "mains_power", "BatteryDefect": "battery_defect"}
_NUMBERS = {"SmokeDensity": "smoke_concentration", "GasDensity": "gas_concentration"}
_MEASURED = {"Temperature": "°C", "Humidity": "%", "Illuminance": "lx"}
#: ZCL zone types; 0x2B is carbon monoxide, and combustible gas as well.
_ZONE_TYPES = {
    0x0D: "motion",
    0x15: "contact",
    0x28: "smoke",
    0x2A: "water_leak",
    0x2B: "carbon_monoxide",
    0x2C: "sos",
    0x2D: "vibration",
    0x10F: "sos",
    0x115: "sos",
    0x21D: "sos",
    0x226: "vibration",
}
#: The same as `Config` has them behind the endpoint: "A01.2".
_ZONE_CONFIGS = {"1": 0x0D, "2": 0x15, "3": 0x28, "4": 0x2A, "5": 0x2B, "6": 0x2C, "7": 0x2D, "8": 0x115, "9": 0x226}
#: Registered kinds that a zone's alarm may be.
_ZONE_KINDS = frozenset({*_ZONE_TYPES.values(), "gas", "presence"})
_TEST = 0x100
_BITS = (("tamper", 4), ("battery", 8), ("test", _TEST))
_FAULT_BITS = ((0x40, "trouble"), (0x80, "mains_power"), (0x200, "battery_defect"))

#: Commands that a remote has sent, as "<cluster>!<command>".
_COMMANDS = {
    "0501!02": "emergency",
    "0501!03": "emergency_fire",
    "0501!04": "panic",
    "0006!00": "off",
    "0006!01": "on",
    "0006!02": "toggle",
}
_TUYA_CLICKS = {"00": "single", "01": "double", "02": "hold"}
_VIBRATIONS = frozenset({"vibrate", "tilt", "drop"})
#: What says nothing of the device's state.
_PLAIN = frozenset({"Device", "Name", "Endpoint", "LinkQuality", "Group", "IEEEAddr", "ModelId", "Manufacturer"})


class _How(Enum):
    """How a field is read."""

    NOTHING = auto()
    #: A state, and such a one that it is what a zone's alarm is.
    ALARM = auto()
    STATE = auto()
    FAULT = auto()
    BATTERY = auto()
    VOLTAGE = auto()
    NUMBER = auto()
    MEASURED = auto()
    OTHER = auto()


def zone_type(fields: dict[str, Any]) -> int | None:
    """Give the zone type that a device's data tell, if any."""
    said = fields.get("ZoneType")
    if type(said) is int and said in _ZONE_TYPES:
        return said
    config = fields.get("Config")
    for one in config if type(config) is list else ():
        if type(one) is str and one.startswith("A") and (found := _ZONE_CONFIGS.get(one.partition(".")[2])):
            return found
    return None


def zone_status(fields: dict[str, Any]) -> int | None:
    """Give the status of an alarm zone, from its name or raw; None where there is none."""
    for key in ("ZoneStatusChange", "ZoneStatus"):
        said = fields.get(key)
        if type(said) is int and 0 <= said <= 0xFFFF:
            return said
    for key in ("0500!00", "0500<00", "0500?00"):
        raw = fields.get(key)
        if type(raw) is str and len(raw) >= 4:
            try:
                return int(raw[2:4] + raw[:2], 16)
            except ValueError:
                return None
    return None


def is_test(fields: dict[str, Any], status: int | None) -> bool:
    """Tell whether the device says that it is being tested."""
    return fields.get("Test") in (1, True) or (status is not None and bool(status & _TEST))


def remembered(facts: Facts, fields: dict[str, Any]) -> None:
    """Take what the bridge remembers of a device; of its zone it does not keep all (so that this is not read)."""
    facts.battery(fields.get("BatteryPercentage"))
    if "Occupancy" in fields:
        facts.fact(_flag("motion", fields["Occupancy"]))
    reachable = fields.get("Reachable")
    # After the bridge's own restart nothing is "reachable" until it speaks.
    if reachable is True:
        facts.fact(Fact(Rank.CLEAR, "availability", "online"))


def heard(
    facts: Facts, device: Device, fields: Mapping[str, Any], status: int | None, zone: int | None, *, mapped: bool
) -> None:
    """Take what a device has just said. `zone` is its zone's type, `mapped` whether staff have mapped anything."""
    faults: list[str] = []
    named = False
    for key, value in fields.items():
        how, about = _how(key)
        if how is _How.NOTHING or (mapped and facts.by_map(key, value, what="alarm_bit", known=True)):
            continue
        if how is _How.ALARM or how is _How.STATE:
            named = named or how is _How.ALARM
            facts.fact(_flag(_as_registered(about, device), value))
        elif how is _How.FAULT:
            if value in (1, True):
                faults.append(about)
        elif how is _How.BATTERY:
            facts.battery(value)
        elif how is _How.VOLTAGE:
            if key == "BatteryVoltage" or "Battery" in fields:
                _voltage(facts, value)
        elif how is _How.NUMBER:
            facts.number(about, value, None)
        elif how is _How.MEASURED:
            facts.number("measurement", value, about, detail=key.lower())
        else:
            _other(facts, device, key, value)
    if status is not None:
        _zone(facts, device, status, zone, named=named, mapped=mapped)
        faults += [code for bit, code in _FAULT_BITS if status & bit]
    if faults:
        facts.fact(Fact(Rank.ALARM, "fault", "alarm", ",".join(dict.fromkeys(faults))))
    elif status is not None:
        facts.fact(off("fault"))


@lru_cache(maxsize=1024)
def _how(key: str) -> tuple[_How, Any]:
    """Tell how a field is read, and what it is about: a kind, a fault's code, or a unit."""
    plain = key.rstrip("0123456789") if key[-1:].isdigit() and "!" not in key and "/" not in key else key
    if key in _PLAIN:
        return _How.NOTHING, None
    if plain in _STATES:
        return (_How.ALARM if plain in _ALARMS else _How.STATE), _STATES[plain]
    if key in _FAULTS:
        return _How.FAULT, _FAULTS[key]
    if key in {"BatteryPercentage", "Battery"}:
        return _How.BATTERY, None
    if key in {"BatteryVoltage", "Voltage"}:
        return _How.VOLTAGE, None
    if key in _NUMBERS:
        return _How.NUMBER, _NUMBERS[key]
    return (_How.MEASURED, _MEASURED[key]) if key in _MEASURED else (_How.OTHER, None)


def _other(facts: Facts, device: Device, key: str, value: Any) -> None:
    if key == "Reachable":
        if type(value) is bool:
            facts.fact(Fact(Rank.CLEAR, "availability", "online" if value else "offline"))
    elif key == "Click":
        if type(value) is str and value:
            facts.pressed(value)
    elif key == "AqaraVibrationMode":
        if value in _VIBRATIONS:
            facts.fact(on("vibration")._replace(detail=value))
    elif key == "Power":
        # Before the bridge knew the model, an Aqara door sensor's contact was its "power".
        if device.kind == "contact" and type(value) in {bool, int}:
            facts.fact(_flag("contact", value))
    elif key in _COMMANDS:
        if key[:4] == "0501" or device.kind in {"sos", "button"}:
            facts.pressed(_COMMANDS[key])
    elif key == "0006!FD":
        facts.pressed(_TUYA_CLICKS.get(value, "press") if type(value) is str else "press")
    elif key.startswith(("EF00/", "FCC0/")):
        # A maker's own data points: 1 may be the alarm of one model and the self-test of another.
        facts.by_map(key, value, what="alarm_bit")


def _zone(facts: Facts, device: Device, status: int, zone: int | None, *, named: bool, mapped: bool) -> None:
    """Take the bits of a zone's status; what its alarms are is known by now, or needs a map."""
    for kind, bit in _BITS:
        facts.fact(_flags(kind)[bool(status & bit)])
    if mapped:
        first = facts.by_map("alarm1", bool(status & 1), what="alarm_bit", known=True)
        named = facts.by_map("alarm2", bool(status & 2), what="alarm_bit", known=True) or first or named
    if named:
        return
    kind = _as_registered(_ZONE_TYPES[zone], device) if zone in _ZONE_TYPES else device.kind
    if kind == "contact":
        facts.fact(on(kind) if status & 1 else off(kind))
    elif kind in _ZONE_KINDS:
        facts.fact(on(kind) if status & 3 else off(kind))
    else:
        facts.by_map("alarm1", bool(status & 1), what="alarm_bit")
        facts.by_map("alarm2", bool(status & 2), what="alarm_bit", known=not status & 2)


def _as_registered(kind: str, device: Device) -> str:
    """Tell gas from carbon monoxide, and presence from motion: one zone type stands for both."""
    if kind == "carbon_monoxide" and device.kind == "gas":
        return "gas"
    return "presence" if kind == "motion" and device.kind == "presence" else kind


def _voltage(facts: Facts, value: Any) -> None:
    volts = number(value)
    if volts is not None and 0 < volts < 20:
        facts.number("battery_voltage", volts, "V")


def _flag(kind: str, value: Any) -> Fact:
    # Of equal keys a table does not tell 1 from 1.0, and a bridge says neither 1.0 nor "1".
    return _flags(kind)[value] if type(value) in {bool, int} and value in (0, 1) else unknown(kind)


@lru_cache(maxsize=64)
def _flags(kind: str) -> tuple[Fact, Fact]:
    return off(kind), on(kind)


def described(fields: dict[str, Any]) -> dict[str, Any]:
    """Give what is worth remembering of a device's data: model, vendor, and its zone's type."""
    found: dict[str, Any] = {}
    for key, name in (("ModelId", "model"), ("Manufacturer", "vendor")):
        said = fields.get(key)
        if type(said) is str and said:
            found[name] = shorten(said)
    zone = zone_type(fields)
    if zone is not None:
        found["zone"] = zone
    return found
