"""Decoders of rtl_433 that say more, or less, than the names of their fields seem to (src/devices of rtl_433)."""

from collections.abc import Callable
from typing import Any

from ingest.dialects.facts import Facts
from ingest.dialects.meanings import HAZARDS, Fact, Rank, off, on, read
from ingest.dialects.rtl_433_tables import TRIGGERED, Fields, alarm
from rules.community import Device


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
        if device.kind in TRIGGERED:
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
    """Interlogix-Security: five inputs. A contact's first is its reed; a glass-break detector's closes on the break.

    Which of a smoke or motion detector's inputs are what is not known (rtl_433_tests, tests/interlogix).
    """
    what = fields.get("subtype", fields.get("device_type"))
    switches = [field for field in fields if field.startswith("switch")]
    for field in switches:
        if facts.by_map(field, fields[field], what="switch", known=what in {"contact", "glass", "keyfob"}):
            continue
        if field == "switch1" and what == "contact":
            facts.value("contact", fields[field])
        elif field == "switch1" and what == "glass":
            facts.value("vibration", {"CLOSED": True, "OPEN": False}.get(str(fields[field])))
        elif what == "keyfob" and fields[field] == "CLOSED":
            facts.pressed(field)
    return frozenset({*switches, "raw_message", "device_type"})


def _yale(facts: Facts, device: Device, fields: Fields) -> frozenset[str]:
    """Yale-HSA: event 1 is that it was triggered, and nothing is sent when that is over; the rest is guessed."""
    if fields.get("event") in (1, "01") and device.kind in TRIGGERED:
        facts.fact(on(device.kind))
    elif "event" in fields:
        facts.by_map("event", fields["event"], what="event")
    return frozenset({"event", "state", "stype"})


def _powercode(facts: Facts, device: Device, fields: Fields) -> frozenset[str]:
    """Visonic-Powercode: what its alarm bit is of depends on the device."""
    if "alarm" in fields:
        alarm(facts, device, fields["alarm"], TRIGGERED)
    return frozenset({"alarm", "restore", "supervised", "else"})


def _activlink(facts: Facts, device: Device, fields: Fields) -> frozenset[str]:  # noqa: ARG001 - one shape for all
    """Honeywell-ActivLink: door bells and motion detectors, which send only when there is something."""
    if fields.get("subtype") == "PIR-Motion":
        facts.fact(on("motion"))
    elif fields.get("subtype") == "Doorbell":
        facts.pressed("doorbell")
    # Only a contact has them; -1 is neither open nor closed.
    own = {"alert", "secret_knock", "relay"}
    return frozenset(own if fields.get("subtype") == "Contact" else own | {"open", "tampered"})


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
    "Generic motion sensor": _generic_motion,
    "Chuango-Security": _chuango,
    "Chuango Security Technology": _chuango,
    "Jasco-Security": _jasco,
    "Jasco/GE Choice Alert Security Devices": _jasco,
    "SimpliSafe-Sensor": _simplisafe,
    "SimpliSafe Sensor": _simplisafe,
    "Interlogix-Security": _interlogix,
    "Interlogix": _interlogix,
    "Yale-HSA": _yale,
    "Visonic-Powercode": _powercode,
    "Honeywell-ActivLink": _activlink,
    "Generic-Remote": _code_of,
    "HT680-Remote": _code_of,
    "HCS200": _code_of,
    "Microchip-HCS200": _code_of,
}
