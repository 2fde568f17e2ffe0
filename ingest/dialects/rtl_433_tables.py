"""What the fields of rtl_433's decoders mean.

A field's name mostly says what it is, whatever the decoder (docs/DATA_FORMAT.md of rtl_433 and src/devices). For those
that say more, or less, than their fields seem to, see rtl_433_models.
"""

import re
from collections.abc import Mapping
from typing import Any

from ingest.dialects.common import number, shorten
from ingest.dialects.facts import Facts
from ingest.dialects.meanings import HAZARDS, Fact, Rank, off, on
from rules.community import Device

#: Field: the kind it states, and whether 1 stands for the good state.
STATES: dict[str, tuple[str, bool]] = {
    "opened": ("contact", False),
    "contact_open": ("contact", False),
    "open": ("contact", False),
    "closed": ("contact", True),
    "tamper": ("tamper", False),
    "tampered": ("tamper", False),
    "motion": ("motion", False),
    "leak": ("water_leak", False),
    "leak_detected": ("water_leak", False),
    "detect_wet": ("water_leak", False),
    "water": ("water_leak", False),
    "wet": ("water_leak", False),
    "smoke": ("smoke", False),
    "fire": ("smoke", False),
    "gas": ("gas", False),
    "carbon_monoxide": ("carbon_monoxide", False),
    "panic": ("sos", False),
    "battery_low": ("battery", False),
    "test": ("test", False),
}

#: What a decoder says in words in `event`, `state` and the like, and what that means. Everything else is no fact.
WORDS: dict[str, Fact] = {
    "open": on("contact"),
    "opened": on("contact"),
    "contact open": on("contact"),
    "close": off("contact"),
    "closed": off("contact"),
    "contact closed": off("contact"),
    "door/window open": on("contact"),
    "door/window closed": off("contact"),
    "motion": on("motion"),
    "motion tripped": on("motion"),
    "motion ready": off("motion"),
    "tamper": on("tamper"),
    "water": on("water_leak"),
    "water leak": on("water_leak"),
    "smoke": on("smoke"),
    "fire alarm": on("smoke"),
    "low battery": on("battery"),
    "battery": on("battery"),
    "panic": on("sos"),
    "panic-3second": on("sos"),
    "keypad panic button": on("sos"),
}
#: Fields that hold such a word.
WORD_FIELDS = frozenset({"state", "event", "text", "extradata", "remarks"})
#: Models of X10 before what their senders say: "KR15A PANIC", "DS10A DOOR/WINDOW OPEN".
_SENDER = re.compile(r"^[a-z]{2}\d+a? ")

#: What a number is measured in, by the end of its field's name; longer ends first.
UNITS: dict[str, str] = {
    "_C": "°C",
    "_F": "°F",
    "_hPa": "hPa",
    "_kPa": "kPa",
    "_ppm": "ppm",
    "_ppb": "ppb",
    "_ug_m3": "µg/m³",
    "_mm": "mm",
    "_W": "W",
    "_kW": "kW",
    "_kWh": "kWh",
    "_lux": "lx",
    "_m_s": "m/s",
    "_km_h": "km/h",
    "_cm": "cm",
    "_V": "V",
    "_A": "A",
}
#: And of names that hold no unit.
NUMBERS: dict[str, str] = {"humidity": "%", "moisture": "%", "light_lux": "lx"}

Fields = Mapping[str, Any]


#: Kinds of devices of which a plain "alarm" says that very thing.
_ALARMS = HAZARDS | {"sos", "fall"}
#: And of which being triggered does, as when a door opens.
TRIGGERED = _ALARMS | {"motion", "contact", "vibration", "presence"}


def alarm(facts: Facts, device: Device, value: Any, kinds: frozenset[str] = _ALARMS) -> None:
    """Take a bit that says "alarm" and not of what: the registry knows what the device is. Else it needs a map."""
    if device.kind in kinds:
        facts.value(device.kind, value)
    else:
        facts.by_map("alarm", value, what="alarm_bit")


def words(facts: Facts, field: str, said: str) -> bool:
    """Take a word of a decoder; say whether it means something."""
    word = _SENDER.sub("", said.strip().lower())
    fact = WORDS.get(word)
    if fact is not None:
        facts.fact(fact)
    elif word == "heartbeat":
        facts.fact(Fact(Rank.CLEAR, "heartbeat", "alive"))
    elif "button" in word or word.startswith("key-fob"):
        facts.pressed(shorten(said))
    elif word in {"on", "off"}:
        # A remote, or a sensor that pretends to be one; jumpers in it decide which of the two is which.
        facts.by_map(field, said, what="switch")
    else:
        return False
    return True


def measurement(facts: Facts, field: str, value: Any) -> bool:
    """Take a number whose name tells its unit; say whether it does."""
    if field.startswith("battery") or number(value) is None:
        return False
    unit = NUMBERS.get(field)
    if unit is None:
        unit = next((unit for end, unit in UNITS.items() if field.endswith(end)), None)
    if unit is None:
        return False
    facts.number("carbon_monoxide_concentration" if field == "co_ppm" else "measurement", value, unit, detail=field)
    return True
