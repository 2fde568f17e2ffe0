"""What the topics and snapshots of Shelly's first generation say.

Every value has a sign for "not known": `unknown`, -1, 999, or `is_valid: false` beside it.
"""

from typing import Any

from ingest.dialects.common import number
from ingest.dialects.facts import Facts
from ingest.dialects.meanings import Fact, Rank, off, on, unknown

_TEST = Fact(Rank.ALARM, "test", "active")
_GAS = {
    "none": Fact(Rank.CLEAR, "gas", "clear"),
    "mild": Fact(Rank.ALARM, "gas", "alarm", "mild"),
    "heavy": Fact(Rank.ALARM, "gas", "alarm", "heavy"),
    # It says nothing of the gas.
    "test": _TEST,
}
_OPERATION: dict[str, tuple[Fact, ...]] = {
    "normal": (Fact(Rank.CLEAR, "fault", "clear"), Fact(Rank.CLEAR, "warmup", "inactive")),
    "warmup": (Fact(Rank.ALARM, "warmup", "active"), unknown("gas")),
    "fault": (Fact(Rank.ALARM, "fault", "alarm", "sensor"), unknown("gas")),
    "unknown": (unknown("fault"), unknown("gas")),
}
#: While it is not `normal`, the state of the gas is `none` as well.
_NOT_SENSING = frozenset(_OPERATION) - {"normal"}
_SELF_TEST = {
    "not_completed": Fact(Rank.CLEAR, "test", "inactive"),
    "pending": Fact(Rank.CLEAR, "test", "inactive", "pending"),
    "running": _TEST,
    "completed": Fact(Rank.BETTER_THAN_UNKNOWN, "test", "passed"),
}
#: Channels that are a state by themselves: `sensor/<what>`.
_STATES = {
    "smoke": "smoke",
    "flood": "water_leak",
    "motion": "motion",
    "vibration": "vibration",
}
_CONTACT = {
    "open": Fact(Rank.ALARM, "contact", "open"),
    "close": Fact(Rank.CLEAR, "contact", "closed"),
    "closed": Fact(Rank.CLEAR, "contact", "closed"),
}
#: Numbers that are kept beside: quantity and unit. A temperature is in whatever unit is chosen at the device.
_MEASURED: dict[str, str | None] = {"temperature": None, "humidity": "%", "lux": "lx"}
#: Stands for "no value" in temperatures and humidities.
_NOT_MEASURED = 999.0


def sensor(facts: Facts, what: str, text: str, known: dict[str, Any]) -> tuple[str | None, dict[str, Any]]:
    """Take one of the topics below `sensor`; say why it is of no interest, if so, and what is to be remembered."""
    if what == "gas":
        fact = _GAS.get(text, unknown("gas"))
        facts.fact(unknown("gas") if text == "none" and known.get("operation") in _NOT_SENSING else fact)
    elif what == "operation":
        operation = text if text in _OPERATION else "unknown"
        for fact in _OPERATION[operation]:
            facts.fact(fact)
        return None, {"operation": operation}
    elif what == "self_test":
        facts.fact(_SELF_TEST.get(text, unknown("test")))
    elif what == "state":
        facts.fact(_CONTACT.get(text, unknown("contact")))
    elif what in _STATES:
        facts.fact(_flag(_STATES[what], text))
    elif what == "battery":
        facts.battery(text)
        return None, {"battery": True}
    elif what == "concentration":
        figure = _positive(text)
        facts.number("gas_concentration", figure, "ppm")
        return None if figure is not None else "invalid_value", {}
    elif what == "error":
        _error(facts, text)
    elif what in _MEASURED:
        _measure(facts, what, text)
    else:
        return "not_a_safety_sensor", {}
    return None, {}


def snapshot(facts: Facts, document: dict[str, Any]) -> None:
    """Take everything that `info` (HTTP's /status) or a motion sensor's `status` says."""
    valid = document.get("is_valid") is not False
    gas = document.get("gas_sensor")
    if type(gas) is dict:
        operation = gas.get("sensor_state")
        alarm = _GAS.get(_text(gas.get("alarm_state")), unknown("gas"))
        if operation != "normal" and alarm.state == "clear":
            alarm = unknown("gas")
        facts.fact(alarm)
        for fact in _OPERATION.get(_text(operation), _OPERATION["unknown"]):
            facts.fact(fact)
        facts.fact(_SELF_TEST.get(_text(gas.get("self_test_state")), unknown("test")))
    concentration = document.get("concentration")
    if type(concentration) is dict:
        figure = concentration.get("ppm") if concentration.get("is_valid") is not False else None
        facts.number("gas_concentration", _positive(figure), "ppm")
    for field, kind in (("smoke", "smoke"), ("flood", "water_leak")):
        if field in document:
            _state(facts, kind, document[field], valid=valid)
    sensor = document.get("sensor")
    if type(sensor) is dict:
        sound = valid and sensor.get("is_valid") is not False
        if "state" in sensor:
            facts.fact(_CONTACT.get(_text(sensor["state"]) if sound else "", unknown("contact")))
        _movement(facts, sensor, valid=sound)
    _movement(facts, document, valid=valid)
    accelerometer = document.get("accel")
    if type(accelerometer) is dict and "vibration" in accelerometer:
        _state(facts, "vibration", accelerometer["vibration"], valid=valid)
    battery = document.get("bat")
    if type(battery) is dict:
        facts.battery(battery.get("value"))
        volts = number(battery.get("voltage"))
        if volts is not None and volts > 0:
            facts.number("battery_voltage", volts, "V")
    else:
        facts.battery(battery)
    if "sensor_error" in document:
        _error(facts, document["sensor_error"])
    inputs = document.get("inputs")
    for place, one in enumerate(inputs[:8] if type(inputs) is list else ()):
        if type(one) is dict and "input" in one:
            facts.by_map(f"input/{place}", one["input"], what="input", known=True)


def _movement(facts: Facts, document: dict[str, Any], *, valid: bool) -> None:
    if "motion" in document:
        fact = _flag("motion", document["motion"])
        # Its watching can be switched off.
        asleep = document.get("active") is False and fact.state == "clear"
        facts.fact(fact if valid and not asleep else unknown("motion"))
    if "vibration" in document:
        _state(facts, "vibration", document["vibration"], valid=valid)


def _state(facts: Facts, kind: str, value: Any, *, valid: bool) -> None:
    """Take true and false, or {"value": true, "is_valid": true}."""
    if type(value) is dict:
        valid = valid and value.get("is_valid") is not False
        value = value.get("value")
    facts.fact(_flag(kind, value) if valid else unknown(kind))


def _flag(kind: str, value: Any) -> Fact:
    """Read what is true or false, or 1 or 0; everything else, -1 above all, is unknown."""
    if value is True or (type(value) in {int, str} and value in (1, "1", "true")):
        return on(kind)
    if value is False or (type(value) in {int, str} and value in (0, "0", "false")):
        return off(kind)
    return unknown(kind)


def _error(facts: Facts, value: Any) -> None:
    code = number(value)
    if code is None or code < 0:
        facts.fact(unknown("fault"))
    else:
        facts.fact(Fact(Rank.ALARM, "fault", "alarm", "sensor") if code else Fact(Rank.CLEAR, "fault", "clear"))


def _measure(facts: Facts, what: str, text: str) -> None:
    figure = number(text)
    facts.number("measurement", None if figure == _NOT_MEASURED else figure, _MEASURED[what], detail=what)


def _positive(value: Any) -> float | None:
    """A number, but for -1, which stands for "not valid"."""
    figure = number(value)
    return figure if figure is not None and figure >= 0 else None


def _text(value: Any) -> str:
    return value if type(value) is str else ""
