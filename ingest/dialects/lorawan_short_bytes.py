"""LoRaWAN payloads without a codec: the makers whose payloads are short. See lorawan_bytes.py."""

from collections.abc import Mapping
from typing import Any, Final

Fields = dict[str, Any]


def browan(words: str, port: int | None, data: bytes) -> Fields | None:  # noqa: ARG001 - the port says it
    """Read a payload of Browan."""
    if port not in {100, 102, 106, 147} or len(data) < 2:
        return None
    return {"status": data[0] & 1, "battery": (25 + (data[1] & 0x0F)) / 10, "temperatureBoard": (data[2] & 0x7F) - 32}


_NETVOX_DOORS: Final[Mapping[int, str]] = {2: "R311A", 29: "R718F", 125: "R730F"}
_NETVOX_LEAKS: Final = frozenset({6, 18, 50})
_NETVOX_BUTTONS: Final[Mapping[int, str]] = {16: "RB02I", 49: "R718T", 77: "R312A"}
_NETVOX_VIBRATIONS: Final[Mapping[int, str]] = {26: "R718DA", 27: "R718DB", 137: "R730DA", 139: "R730DB", 168: "R311DA"}


def netvox(words: str, port: int | None, data: bytes) -> Fields | None:  # noqa: ARG001 - the payload names its device
    """Read a payload of Netvox."""
    if port != 6 or len(data) < 6 or data[2] == 0:
        return None
    device, volts, first = data[1], data[3], data[4]
    found: Fields = {"Volt": f"{(volts & 0x7F) / 10}(low battery)" if volts & 0x80 else volts / 10}
    if device in _NETVOX_DOORS:
        found |= {"Device": _NETVOX_DOORS[device], "OnOff": first}
    elif device in _NETVOX_LEAKS:
        found["WaterLeak_1"] = int(first != 0)
        if device == 6:
            found["WaterLeak_2"] = int(data[5] != 0)
    elif device == 10:
        found |= {"FireAlarm": int(first != 0), "HighTempAlarm": int(data[5] != 0)}
    elif device == 17:
        found |= {"COAlarm": int(first != 0), "HighTempAlarm": int(data[5] != 0)}
    elif device in _NETVOX_BUTTONS:
        found |= {"Device": _NETVOX_BUTTONS[device], "Alarm": first}
    elif device in _NETVOX_VIBRATIONS:
        found |= {"Device": _NETVOX_VIBRATIONS[device], "status": first}
    elif device == 3:
        found |= {"Occupy": data[8], "DisassembledAlarm": data[9]}
    else:
        return None
    return found


#: By type: its name where it matters, and how long it is.
_ELSYS: Final[Mapping[int, tuple[str, int]]] = {
    0x01: ("", 2), 0x02: ("", 1), 0x03: ("", 3), 0x04: ("", 2), 0x05: ("motion", 1), 0x06: ("", 2), 0x07: ("vdd", 2),
    0x08: ("", 2), 0x09: ("", 6), 0x0A: ("", 2), 0x0B: ("", 4), 0x0C: ("", 2), 0x0D: ("digital", 1), 0x0E: ("", 2),
    0x0F: ("accMotion", 1), 0x10: ("", 4), 0x11: ("occupancy", 1), 0x12: ("waterleak", 1), 0x13: ("", 65),
    0x14: ("", 4), 0x15: ("", 2), 0x16: ("", 2), 0x17: ("", 4), 0x18: ("", 2), 0x19: ("", 2), 0x1A: ("digital2", 1),
    0x1B: ("", 4), 0x1C: ("", 2),
}  # fmt: skip


def elsys(words: str, port: int | None, data: bytes) -> Fields:  # noqa: ARG001 - the payload says it all
    """Read a payload of Elsys."""
    found: Fields = {}
    at = 0
    while at < len(data) and data[at] in _ELSYS:
        name, length = _ELSYS[data[at]]
        if name and at + length < len(data):
            found[name] = int.from_bytes(data[at + 1 : at + 1 + length], "big")
        at += 1 + length
    return found


def mclimate(words: str, port: int | None, data: bytes) -> Fields | None:  # noqa: ARG001 - of no port in particular
    """Read a payload of MClimate's flood sensor."""
    if "flood" not in words or not 2 <= len(data) <= 3:
        return None
    reason = ("keepalive", "testButtonPressed", "floodDetected", "fraudDetected")
    return {
        "reason": reason[data[0] >> 5] if data[0] >> 5 < len(reason) else "unknown",
        "boxTamper": data[0] >> 3 & 1,
        "flood": data[0] >> 1 & 1,
        "battery": data[1] * 16 / 1000,
    }


def radio_bridge(words: str, port: int | None, data: bytes) -> Fields | None:  # noqa: ARG001 - the payload says it all
    """Read a payload of Radio Bridge."""
    kind, first = data[1], data[2]
    if kind == 0x01:
        return {
            "Supervisory": {
                "TamperState": first >> 3 & 1,
                "BatteryLow": first >> 1 & 1,
                "Battery": f"{data[4] >> 4}.{data[4] & 15}V",
            }
        }
    if kind == 0x02:
        return {"Tamper": {"Event": "Open" if first == 0 else "Closed"}}
    if kind == 0x03:
        return {"DoorWindow": {"Event": "Closed" if first == 0 else "Open"}}
    if kind == 0x06:
        return {"Button": {"State": {0: "Pressed", 1: "Released", 2: "Held"}.get(data[3], "unknown")}}
    if kind == 0x07:
        return {"Contact": {"Event": "Contacts Shorted" if first == 0 else "Contacts Opened"}}
    if kind == 0x08:
        return {"Water": {"Event": "Water Present" if first == 0 else "Water Not Present"}}
    return None


_YOBIIQ: Final = (
    "batteryLevelInPercentage", "powerEvent", "lowBatteryAlarm", "faultAlarm", "smokeAlarm", "interconnectAlarm",
    "testButtonPressed",
)  # fmt: skip


def yobiiq(words: str, port: int | None, data: bytes) -> Fields | None:  # noqa: ARG001 - one model
    """Read a payload of Yobiiq's smoke detector."""
    if port != 8:
        return None
    found: Fields = {}
    for at in range(0, len(data) - 2, 3):
        if not 1 <= data[at] <= len(_YOBIIQ):
            break
        found[_YOBIIQ[data[at] - 1]] = data[at + 2]
    return found


_TEKTELIC: Final[Mapping[tuple[int, int], tuple[str, int]]] = {
    (0x00, 0xBA): ("battery_voltage", 2), (0x00, 0xFF): ("", 2), (0x01, 0x00): ("reed_state", 1),
    (0x02, 0x00): ("", 1), (0x03, 0x67): ("", 2), (0x04, 0x68): ("", 1), (0x05, 0x02): ("", 2),
    (0x06, 0x00): ("break_in", 1), (0x07, 0x71): ("", 6), (0x08, 0x04): ("", 2), (0x09, 0x00): ("moisture", 1),
    (0x0A, 0x00): ("motion_event_state", 1), (0x0B, 0x67): ("", 2), (0x0C, 0x00): ("", 1), (0x0D, 0x04): ("", 2),
}  # fmt: skip


def tektelic(words: str, port: int | None, data: bytes) -> Fields | None:  # noqa: ARG001 - one kind of payload
    """Read a payload of Tektelic's home and room sensors."""
    if port != 10:
        return None
    found: Fields = {}
    at = 0
    while at + 2 < len(data) and (entry := _TEKTELIC.get((data[at], data[at + 1]))) is not None:
        name, length = entry
        if name:
            found[name] = int.from_bytes(data[at + 2 : at + 2 + length], "big")
        at += 2 + length
    return found
