"""What the fields of rtl_433's decoders mean.

A field's name mostly says what it is, whatever the decoder (docs/DATA_FORMAT.md of rtl_433 and src/devices). Some
decoders say more, or less, than their fields seem to: those have a reader of their own in MODELS.
"""

from collections.abc import Callable, Mapping
from typing import Any

from ingest.dialects.common import number, shorten
from ingest.dialects.facts import Facts
from ingest.dialects.meanings import HAZARDS, Fact, Rank, off, on, read
from rules.community import Device

#: Field: the kind it states, and whether 1 stands for the good state.
STATES: dict[str, tuple[str, bool]] = {
    "opened": ("contact", False),
    "contact_open": ("contact", False),
    "open": ("contact", False),
    "closed": ("contact", True),
    "tamper": ("tamper", False),
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
    "kr18 panic": on("sos"),
    "kr15 panic": on("sos"),
    "kr15 panic-3second": on("sos"),
    "panic": on("sos"),
}
#: Fields that hold such a word.
WORD_FIELDS = frozenset({"state", "event", "text", "extradata"})

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
_TRIGGERED = _ALARMS | {"motion", "contact", "vibration", "presence"}


def alarm(facts: Facts, device: Device, value: Any, kinds: frozenset[str] = _ALARMS) -> None:
    """Take a bit that says "alarm" and not of what: the registry knows what the device is. Else it needs a map."""
    if device.kind in kinds:
        facts.value(device.kind, value)
    else:
        facts.by_map("alarm", value, what="alarm_bit")


def _honeywell(facts: Facts, device: Device, fields: Fields) -> frozenset[str]:
    """Honeywell-Security: `contact_open` is the first loop, which of a smoke or motion detector is its alarm."""
    if device.kind in HAZARDS or device.kind in {"motion", "vibration"}:
        facts.value(device.kind, fields.get("contact_open"))
    elif "contact_open" in fields:
        reed = read("contact", fields.get("reed_open"))
        fact = read("contact", fields["contact_open"])
        # The second loop is another magnet or wire; the decoder's authors hold the first one to be the contact.
        differs = reed.rank == Rank.ALARM and fact.rank == Rank.CLEAR
        facts.fact(fact._replace(detail="reed_open=1") if differs else fact)
    if fields.get("alarm") == 1:
        # "not sure if these apply to all device types", says the decoder.
        facts.by_map("alarm", 1, what="alarm_bit")
    return frozenset({"contact_open", "reed_open", "state", "event", "alarm"})


def _dsc(facts: Facts, device: Device, fields: Fields) -> frozenset[str]:
    """DSC-Security: `closed` means all is well, of whatever device; `event: 0` is a sign of life."""
    if "closed" in fields:
        kind = device.kind if device.kind in HAZARDS or device.kind in {"motion", "vibration"} else "contact"
        facts.value(kind, fields["closed"], inverted=True)
    if fields.get("event") == 0:
        facts.fact(Fact(Rank.CLEAR, "heartbeat", "alive"))
    return frozenset({"closed", "event"})


def _alarm_of(kind: str) -> Callable[[Facts, Device, Fields], frozenset[str]]:
    def reads(facts: Facts, device: Device, fields: Fields) -> frozenset[str]:  # noqa: ARG001 - one shape for all
        if "alarm" in fields:
            facts.value(kind, fields["alarm"])
        return frozenset({"alarm"})

    return reads


def _wh55(facts: Facts, device: Device, fields: Fields) -> frozenset[str]:  # noqa: ARG001 - one shape for all
    """Fineoffset-WH55: `alarm` is whether its sounder is switched on, and how wet it is, `raw_value`, has no unit."""
    for field in ("raw_value", "alarm"):
        if field in fields:
            facts.by_map(field, fields[field], what="alarm_bit" if field == "alarm" else "input")
    return frozenset({"raw_value", "alarm", "sensitivity"})


#: The bits of a Cavius message.
_CAVIUS_PAIRING, _CAVIUS_TEST, _CAVIUS_ALARM, _CAVIUS_WARNING, _CAVIUS_MUTE = 0x80, 0x40, 0x20, 0x10, 0x04


_CAVIUS_TEXTS = {
    "fire alarm": _CAVIUS_ALARM,
    "alarm muted": _CAVIUS_MUTE,
    "pairing": _CAVIUS_PAIRING,
    "test alarm": _CAVIUS_TEST,
    "warning/water detected": _CAVIUS_WARNING,
}


def _cavius(facts: Facts, device: Device, fields: Fields) -> frozenset[str]:
    """Cavius-Security: smoke, heat and water detectors, of which none says that its alarm is over."""
    bits = fields.get("message")
    if type(bits) is not int:
        bits = _CAVIUS_TEXTS.get(str(fields.get("text")).lower(), 0)
    testing = bool(bits & _CAVIUS_TEST)
    if testing:
        facts.fact(on("test"))
        facts.testing()
    if bits & _CAVIUS_MUTE:
        facts.fact(on("mute"))
    if bits & _CAVIUS_ALARM:
        facts.fact(on(device.kind if device.kind in HAZARDS else "smoke"))
    if bits & _CAVIUS_WARNING:
        facts.fact(on("fault")._replace(detail="warning") if device.kind == "smoke" else on("water_leak"))
    return frozenset({"message", "text"})


def _gs558(facts: Facts, device: Device, fields: Fields) -> frozenset[str]:
    """Smoke-GS558: it sends only when it alarms, or while it is paired. Some motion detectors look like it."""
    if "code" in fields and fields.get("learn", 0) in (0, False, "0"):
        facts.fact(on(device.kind if device.kind == "motion" or device.kind in HAZARDS else "smoke"))
    return frozenset({"code", "learn", "unit"})


def _generic_motion(facts: Facts, device: Device, fields: Fields) -> frozenset[str]:  # noqa: ARG001 - one shape for all
    """Generic-Motion: it sends only when something moves."""
    if "code" in fields:
        facts.fact(on("motion"))
    return frozenset({"code"})


#: What a Chuango sensor's command says of the sensor: it was triggered, in one of the panel's zones.
_CHUANGO_TRIGGERED = frozenset({"24H Zone", "Normal Zone", "Single Delay Zone", "Home Mode Zone", "Alarm"})
_CHUANGO: dict[Any, Fact] = {"Low Battery": on("battery"), "Tamper": on("tamper"), "Test": on("test")}


def _chuango(facts: Facts, device: Device, fields: Fields) -> frozenset[str]:
    """Chuango-Security: a trigger is sent, and nothing when it is over."""
    said = fields.get("cmd")
    if type(said) is str and said in _CHUANGO:
        facts.fact(_CHUANGO[said])
    elif said in _CHUANGO_TRIGGERED:
        if device.kind in _TRIGGERED:
            facts.fact(on(device.kind))
        else:
            facts.by_map("cmd", said, what="rf_code")
    elif type(said) is str and said not in {"?", ""}:
        facts.pressed(said)
    return frozenset({"cmd", "cmd_id"})


def _jasco(facts: Facts, device: Device, fields: Fields) -> frozenset[str]:
    """Jasco: `status` is called "Closed"; its battery is always 0, which says nothing."""
    if "status" in fields:
        kind = device.kind if device.kind in HAZARDS else "contact"
        facts.value(kind, fields["status"], inverted=True)
    return frozenset({"status", "statusData", "battery_ok"})


def _simplisafe(facts: Facts, device: Device, fields: Fields) -> frozenset[str]:
    """SimpliSafe-Sensor: states 1 and 2 are those of a contact; what others mean is not known."""
    state = fields.get("state")
    if state in (1, 2) and device.kind in {"", "contact"}:
        facts.fact(on("contact") if state == 1 else off("contact"))
    elif state is not None:
        facts.by_map("state", state, what="event")
    return frozenset({"state", "extradata"})


def _interlogix(facts: Facts, device: Device, fields: Fields) -> frozenset[str]:  # noqa: ARG001 - one shape for all
    """Interlogix-Security: five inputs, of which only a glass-break detector's first is documented."""
    glass = fields.get("subtype") == "glass"
    switches = [field for field in fields if field.startswith("switch")]
    for field in switches:
        if facts.by_map(field, fields[field], what="switch", known=glass):
            continue
        if glass and field == "switch1" and type(fields[field]) is str:
            facts.value("vibration", fields[field] == "CLOSED")
    return frozenset({*switches, "raw_message"})


def _yale(facts: Facts, device: Device, fields: Fields) -> frozenset[str]:  # noqa: ARG001 - one shape for all
    """Yale-HSA: what its events and states mean is guessed by the decoder's author."""
    if "event" in fields:
        facts.by_map("event", fields["event"], what="event")
    return frozenset({"event", "state", "stype"})


def _powercode(facts: Facts, device: Device, fields: Fields) -> frozenset[str]:
    """Visonic-Powercode: what its alarm bit is of depends on the device."""
    if "alarm" in fields:
        alarm(facts, device, fields["alarm"], _TRIGGERED)
    return frozenset({"alarm", "restore", "supervised", "else"})


def _activlink(facts: Facts, device: Device, fields: Fields) -> frozenset[str]:  # noqa: ARG001 - one shape for all
    """Honeywell-ActivLink: door bells and motion detectors, which send only when there is something."""
    if fields.get("subtype") == "PIR-Motion":
        facts.fact(on("motion"))
    elif fields.get("subtype") == "Doorbell":
        facts.pressed("doorbell")
    return frozenset({"alert", "secret_knock", "relay"})


def code(facts: Facts, fields: Fields) -> frozenset[str]:
    """Take a remote's or cheap sensor's code, or a decoder's that somebody wrote into rtl_433's configuration."""
    found = [field for field in ("cmd", "code", "button", "tristate", "data") if field in fields]
    if found:
        facts.by_map(found[0], fields[found[0]], what="rf_code")
    elif not facts.readings:
        facts.by_map("model", fields.get("model"), what="rf_code")
    return frozenset(found)


def _code_of(facts: Facts, device: Device, fields: Fields) -> frozenset[str]:  # noqa: ARG001 - one shape for all
    return code(facts, fields)


#: Model: takes its peculiar fields and tells which they were; the rest are read by name.
MODELS: dict[str, Callable[[Facts, Device, Fields], frozenset[str]]] = {
    "Honeywell-Security": _honeywell,
    "DSC-Security": _dsc,
    "Bresser-Leakage": _alarm_of("water_leak"),
    "Fineoffset-WH55": _wh55,
    "Cavius-Security": _cavius,
    "Smoke-GS558": _gs558,
    "Smoke detector GS 558": _gs558,
    "Smoke_detector_GS_558": _gs558,
    "Generic-Motion": _generic_motion,
    "Chuango-Security": _chuango,
    "Jasco-Security": _jasco,
    "Jasco/GE Choice Alert Security Devices": _jasco,
    "SimpliSafe-Sensor": _simplisafe,
    "Interlogix-Security": _interlogix,
    "Yale-HSA": _yale,
    "Visonic-Powercode": _powercode,
    "Honeywell-ActivLink": _activlink,
    "Generic-Remote": _code_of,
    "HT680-Remote": _code_of,
    "HCS200": _code_of,
    "Microchip-HCS200": _code_of,
}


def words(facts: Facts, field: str, said: str) -> bool:
    """Take a word of a decoder; say whether it means something."""
    word = said.strip().lower()
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
