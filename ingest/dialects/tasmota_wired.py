"""What a Tasmota device says of what is wired to it: switches, buttons, radio codes, and values with a map."""

from typing import Any

from ingest.dialects.facts import Facts
from ingest.dialects.meanings import read
from ingest.dialects.names import tell
from rules.community import Device, Mapped, Source
from rules.readings import UNKNOWN

_SWITCH, _BUTTON = "Switch", "Button"
#: A press that is over.
_RELEASED = frozenset({"CLEAR", "RELEASE", "OFF"})
#: What devices publish of themselves below `stat` and `tele`, and is no sensor.
NO_SENSORS = frozenset(
    {
        *("POWER", "DIMMER", "COLOR", "HSBCOLOR", "CT", "FADE", "SPEED", "WAKEUP", "SHUTTER", "ENERGY", "MARGINS"),
        *("SSERIALRECEIVED", "SERIALRECEIVED", "IRRECEIVED", "EVENT", "BACKLOG", "RULE", "TIMERS", "UPGRADE", "OTA"),
    }
)
#: Fields of a Bluetooth sensor, which stands in its gateway's SENSOR under a name of its own (LYWSD03-52680f).
_BLE_FIELDS = frozenset({"Battery", "RSSI", "MAC", "mac", "PIR", "Leak", "Door", "Btn", "Moisture", "Fertility", "NMT"})
#: Those that no sensor on a wire has, so that an alias without a dash is known as well.
_BLE_SURE = frozenset({"Battery", "RSSI", "MAC", "mac"})
#: Chips with inputs, and Tuya's controller, by how they say what their data points are: (field, its name for all).
_CHIPS = {"MCP230XX": "MCP230XX", "MCP230XX_INT": "MCP230XX", "MCP23XXX": "MCP23XXX", "TuyaReceived": "TuyaReceived"}
#: Of Tuya's data points, those that are truths, choices and bits; numbers and texts are settings and measurements.
_TUYA_POINTS = ("DpType1Id", "DpType4Id", "DpType5Id")
_BLE_STATES = {"PIR": "motion", "Leak": "water_leak"}


def is_wired(key: str) -> bool:
    """Tell whether a field is a switch's or a button's (Switch1, Button2), or of a chip that may have some."""
    return (key.startswith((_SWITCH, _BUTTON)) and key[6:].isdigit()) or key in _CHIPS


def take(facts: Facts, document: dict[str, Any], maps: dict[str, Mapped]) -> bool:
    """Take switches, buttons, and whatever has a map, also inside (`ANALOG.A0`); say whether anything was there."""
    found = False
    for key, value in document.items():
        if key in _CHIPS:
            found = _points(facts, key, value) or found
        elif is_wired(key):
            found = True
            action = value.get("Action", value.get("ACTION")) if type(value) is dict else value
            if key.startswith(_SWITCH):
                facts.by_map(key, action, what="switch")
            else:
                press(facts, key, action)
        elif key in maps:
            found = facts.by_map(key, value, what="input", known=True) or found
    for path in maps:
        if "." in path and path.partition(".")[0] not in _CHIPS:
            inside: Any = document
            for part in path.split("."):
                inside = inside.get(part, _ABSENT) if type(inside) is dict else _ABSENT
            if inside is not _ABSENT:
                found = facts.by_map(path, inside, what="input", known=True) or found
    return found


def _points(facts: Facts, chip: str, points: Any) -> bool:
    """Take a chip's inputs: `MCP230XX.D1`, whether it is told now (MCP230XX_INT) or again (MCP230XX)."""
    if type(points) is not dict:
        return False
    found = False
    for name, value in points.items():
        listed = (name[:1] == "D" and name[1:].isdigit()) or name.startswith(_TUYA_POINTS)
        told, field = f"{chip}.{name}", f"{_CHIPS[chip]}.{name}"
        mapped = told != field and facts.by_map(told, value, what="input", known=True)
        mapped = mapped or facts.by_map(field, value, what="input", known=not listed)
        found = found or mapped or listed
    return found


def press(facts: Facts, field: str, action: Any) -> None:
    """Take a button's action: SINGLE, DOUBLE, HOLD …."""
    if type(action) is not str or not action or action.upper() in _RELEASED:
        return
    if not facts.by_map(field, action, what="event", known=True):
        facts.pressed(action.lower())


def published(facts: Facts, field: str, text: str) -> str | None:
    """Take a topic that a rule of the device's publishes, such as stat/…/PIR1; say why it is of no interest, if so."""
    if facts.by_map(field, text, what="entity", known=True) or tell(facts, field, text):
        return None
    if field.rstrip("0123456789").upper() in NO_SENSORS or read("test", text).state == UNKNOWN:
        return "not_a_safety_sensor"
    facts.by_map(field, text, what="entity")
    return None


def bluetooth(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Give the Bluetooth sensors of a message, by their names."""
    return {
        key: one
        for key, one in document.items()
        if type(one) is dict
        and key != "Wifi"
        and not key.startswith("IBEACON")
        and (_BLE_SURE & one.keys() or ("-" in key and (_BLE_FIELDS & one.keys() or "Temperature" in one)))
    }


def of_bluetooth(facts: Facts, fields: dict[str, Any], maps: dict[str, Mapped]) -> None:
    """Take what a Bluetooth sensor says; whether its Door 1 is open depends on the model, so that it needs a map."""
    for key, value in fields.items():
        if key in maps and facts.by_map(key, value, what="input", known=True):
            continue
        if key == "Battery":
            facts.battery(value)
        elif key in _BLE_STATES:
            facts.value(_BLE_STATES[key], value)
        elif key == "Door":
            facts.by_map(key, value, what="input")
        elif key == "Btn" and type(value) in {int, str}:
            facts.pressed("press")


def radio(received: Any) -> tuple[str, str] | None:
    """Give the code of a radio message in hex without 0x, and the key that the bridge has learnt it as, if any."""
    if type(received) is not dict:
        return None
    said, key = received.get("Data"), received.get("RfKey")
    if type(said) is int and 0 <= said < 1 << 64:
        code = f"{said:06X}"
    elif type(said) is str and 0 < len(said) <= 64:
        code = said.removeprefix("0x").upper()
    else:
        return None
    return code, f"RfKey{key}" if type(key) is int else ""


def of_radio(facts: Facts, device: Device, source: Source, code: str, key: str) -> None:
    """Take a code: it has no meaning but what staff have written down. Without states it stands for "on"."""
    for field in (key, code):
        how = (device.map or {}).get(field) or (source.map or {}).get(field)
        if how is None:
            continue
        if how.kind == "button" and not how.states:
            facts.pressed("press")
        else:
            facts.by_map(field, code if how.states else True, what="rf_code")
        return
    facts.by_map(code, code, what="rf_code")


_ABSENT: Any = object()
