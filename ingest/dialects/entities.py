"""What an entity in Home Assistant's sense says, wherever its value comes from.

Its device class tells what it is and which way round: `on` is the alarm, the open door, the low battery (Home
Assistant: BinarySensorDeviceClass, SensorDeviceClass). Where there is no class, a name that leaves no doubt tells;
what has neither needs a map.
"""

from typing import Any

from ingest.dialects.common import number, shorten
from ingest.dialects.discovery import Entity, written
from ingest.dialects.facts import Facts
from ingest.dialects.meanings import HELP, NOT_HELP, PRESSES, Fact, Rank, off, on, unknown
from ingest.dialects.names import Way, plain, tell
from rules.community import Device

#: What a binary sensor's class says it is about; "on" is the first of the kind's two states.
BINARY: dict[str, str] = {
    "battery": "battery",
    "carbon_monoxide": "carbon_monoxide",
    "connectivity": "availability",
    "door": "contact",
    "garage_door": "contact",
    "gas": "gas",
    "moisture": "water_leak",
    "motion": "motion",
    "moving": "vibration",
    "occupancy": "presence",
    "opening": "contact",
    "presence": "presence",
    "problem": "fault",
    "smoke": "smoke",
    "tamper": "tamper",
    "vibration": "vibration",
    "window": "contact",
}
#: Classes of binary sensors that say nothing of a person's safety.
_OTHER_BINARY = frozenset({"battery_charging", "cold", "light", "lock", "plug", "power", "running", "sound", "update"})
#: A class that says `unsafe` and not of what: the registry knows what the device is.
_UNSAFE = {"safety": frozenset({"gas", "smoke", "carbon_monoxide", "water_leak", "sos", "fall"})}
#: Classes of sensors that are no numbers, and of no use.
_TIMES = frozenset({"date", "timestamp"})
#: What stands for "not known", beside what is no payload of the entity at all.
UNKNOWN_WORDS = frozenset({"", "unknown", "unavailable", "none", "null", "nan", "undefined"})
_ON = frozenset({"on", "true", "1"})
_OFF = frozenset({"off", "false", "0"})
PANEL = frozenset(
    """disarmed armed_home armed_away armed_night armed_vacation armed_custom_bypass pending arming disarming
    triggered""".split()  # noqa: SIM905 - ten quoted words are harder to read
)
#: What people and gateways do with an entity, and what is none of ours.
NOT_SAFETY = frozenset(
    """automation calendar camera climate conversation counter cover date datetime device_tracker fan geo_location group
    humidifier image input_datetime input_number input_select input_text lawn_mower light lock media_player notify
    person plant proximity remote scene schedule script select siren stt sun switch text time timer todo tts update
    vacuum valve wake_word water_heater weather zone""".split()  # noqa: SIM905 - see above
)
_PRESS_DOMAINS = frozenset({"button", "input_button"})


def take(facts: Facts, entity: Entity, value: Any, device: Device, *, retained: bool) -> str | None:
    """Take an entity's value; give the word why it is of no interest, or None.

    `value` is as published: text, or what a template has picked from JSON. An event that is `retained` has happened
    some time before, and is never a press.
    """
    domain = entity.domain
    if domain == "event":
        return _event(facts, entity, value, retained=retained)
    if facts.by_map(entity.object_id, value, what="entity", known=True):
        return None
    if domain in {"binary_sensor", "input_boolean"}:
        return _binary(facts, entity, value, device)
    if domain == "sensor":
        return _sensor(facts, entity, value)
    if domain == "number":
        return _measured(facts, entity, value)
    if domain == "alarm_control_panel":
        state = written(value).strip().lower()
        facts.fact(Fact(Rank.CLEAR, "alarm_panel", state) if state in PANEL else unknown("alarm_panel"))
        return None
    if domain in NOT_SAFETY or domain in _PRESS_DOMAINS:
        return "not_a_safety_sensor"
    facts.by_map(entity.object_id, value, what="entity")
    return None


def truth(entity: Entity, value: Any) -> bool | None:
    """Tell on from off; None where it is neither."""
    text = written(value).strip()
    lowered = text.lower()
    for payload, meaning in ((entity.on, True), (entity.off, False)):
        if payload is not None and (text == payload or (lowered == payload.lower() and lowered in {"true", "false"})):
            return meaning
    if entity.on is not None or entity.off is not None:
        # What the gateway has not announced is nothing that it means.
        return None
    if lowered in _ON:
        return True
    return False if lowered in _OFF else None


def _binary(facts: Facts, entity: Entity, value: Any, device: Device) -> str | None:
    said, name = truth(entity, value), entity.object_id
    device_class = entity.device_class
    kind = BINARY.get(device_class or "")
    if device.kind in _UNSAFE.get(device_class or "", ()):
        kind = device.kind
    if kind is not None:
        return _state(facts, kind, said, name)
    if device_class in _OTHER_BINARY:
        return "not_a_safety_sensor"
    told = plain(name) if device_class is None else None
    if told is not None and told.way is Way.WORDS and device.kind == "contact":
        return _state(facts, "contact", said, name)
    if told is None or told.way in {Way.NUMBER, Way.LEVEL, Way.VOLTAGE} or not tell(facts, name, said):
        facts.by_map(name, value, what="entity")
    return None


def _state(facts: Facts, kind: str, said: bool | None, name: str) -> str | None:
    if said is None and kind in {"battery", "availability"}:
        return "invalid_value"
    if kind == "availability":
        facts.fact(Fact(Rank.CLEAR, kind, "online") if said else Fact(Rank.ALARM, kind, "offline"))
    else:
        fact = unknown(kind) if said is None else on(kind) if said else off(kind)
        facts.fact(fact._replace(detail=shorten(name)) if kind == "fault" else fact)
    return None


def _sensor(facts: Facts, entity: Entity, value: Any) -> str | None:
    device_class, name = entity.device_class, entity.object_id
    if device_class in _TIMES:
        return "attribute"
    figure = number(value)
    missing = figure is None and (value is None or written(value).strip().lower() in UNKNOWN_WORDS)
    if device_class == "battery":
        if figure is None or not 0 <= figure <= 100:
            return "invalid_value"
        facts.battery(figure)
        return None
    if device_class == "carbon_monoxide":
        facts.number("carbon_monoxide_concentration", figure, entity.unit or "ppm")
        return None
    told = plain(name) if device_class in {None, "enum", "voltage"} else None
    if figure is None and not missing:
        # A text sensor; only words of which it is plain what they are about.
        if told is None or not tell(facts, name, value):
            facts.by_map(name, value, what="entity")
        return None
    if told is not None and told.kind != "contact" and (device_class is None or told.kind == "battery_voltage"):
        if told.way is Way.VOLTAGE and entity.unit == "mV" and figure is not None:
            figure /= 1000
        tell(facts, name, None if missing else figure, unit=entity.unit)
        return None
    return _measured(facts, entity, value)


def _measured(facts: Facts, entity: Entity, value: Any) -> str | None:
    figure = number(value)
    if figure is None:
        return "invalid_value"
    facts.number("measurement", figure, entity.unit, detail=shorten(entity.device_class or entity.object_id))
    return None


def _event(facts: Facts, entity: Entity, value: Any, *, retained: bool) -> str | None:
    action = value.get("event_type") if type(value) is dict else value
    if type(action) is not str or action.strip().lower() in UNKNOWN_WORDS:
        return "empty_action_reset" if action is None or action == "" else "invalid_value"
    if retained:
        facts.fact(Fact(Rank.CLEAR, "button", shorten(action), shorten(action)))
        return None
    if facts.by_map(entity.object_id, action, what="event", known=True):
        return None
    if entity.device_class == "motion":
        facts.fact(on("motion"))
        return None
    told = plain(entity.object_id)
    parts = set(action.lower().replace("-", "_").split("_"))
    if told is not None and told.kind == "sos" and parts & (HELP | PRESSES) and not parts & NOT_HELP:
        facts.fact(Fact(Rank.ALARM, "sos", "pressed", shorten(action)))
    else:
        facts.pressed(action)
    return None
