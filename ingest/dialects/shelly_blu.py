"""Shelly BLU devices as the maker's script tells of them: an event `shelly-blu` with what the packet held, by name.

The script is `ble-shelly-blu.shelly.js` of ALLTERCO/shelly-script-examples; its names are those of BTHome, where the
true (1) of a binary sensor is always the state that is worth telling: open, motion, smoke, wet, low battery.
"""

from typing import Any, Final

from ingest.dialects.facts import Facts
from ingest.dialects.meanings import off, on, unknown

EVENT: Final = "shelly-blu"
_LONGEST_ADDRESS = 40

_BINARY = {
    "window": "contact",
    "door": "contact",
    "garage_door": "contact",
    "opening": "contact",
    "motion": "motion",
    "moving": "motion",
    "occupancy": "presence",
    "presence": "presence",
    "vibration": "vibration",
    "smoke": "smoke",
    "carbon_monoxide": "carbon_monoxide",
    "tamper": "tamper",
    "battery_low": "battery",
    "problem": "fault",
}
_MEASURED = {"temperature": "°C", "humidity": "%", "illuminance": "lx"}
#: BTHome numbers of a button's presses; 0 is none. 128 and 254 are the same press of two firmwares.
_PRESSES = {1: "single", 2: "double", 3: "triple", 4: "long", 5: "long_double", 6: "long_triple"}
_PRESSES |= dict.fromkeys((128, 254), "hold")


def address(event: dict[str, Any]) -> str | None:
    """Give the address of the device that an event is about, in small letters; None where it is about none."""
    data = event.get("data")
    if event.get("event") != EVENT or type(data) is not dict:
        return None
    said = data.get("address")
    return said.lower() if type(said) is str and 0 < len(said) <= _LONGEST_ADDRESS else None


def take(facts: Facts, data: dict[str, Any], *, presses: bool) -> bool:
    """Take what a packet held; say whether a press was in it. `presses`: whether presses are news."""
    pressed = False
    for name, value in data.items():
        if name in _BINARY:
            kind = _BINARY[name]
            sure = type(value) in {bool, int} and value in (0, 1)
            facts.fact((on(kind) if value else off(kind)) if sure else unknown(kind))
        elif name == "battery":
            facts.battery(value)
        elif name in _MEASURED and type(value) is not list:
            facts.number("measurement", value, _MEASURED[name], detail=name)
        elif name == "button" or name.startswith("button_"):
            for one in value if type(value) is list else (value,):
                if type(one) is int and (action := _PRESSES.get(one)) is not None:
                    pressed = True
                    if presses:
                        facts.pressed(action)
    return pressed
