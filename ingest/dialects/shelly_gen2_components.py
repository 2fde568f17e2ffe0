"""What the components of Shelly's second generation say, by their keys: `smoke:0`, `input:1` and the like.

A notification carries only what has changed: what is not in it says nothing. `alarm: null` or an error beside it is
unknown, never clear.
"""

from typing import Any

from ingest.dialects.common import number, shorten
from ingest.dialects.facts import Facts
from ingest.dialects.meanings import Fact, Rank, off, on, unknown

#: Components that are devices of their own behind a gateway, or parts of a room.
_PARTS = ("bthomedevice:", "bthomesensor:", "blutrv:", "presencezone:")
#: The zone that every presence sensor has; others are drawn by hand.
_MAIN_ZONE = "presencezone:200"

_HAZARDS = {"smoke": "smoke", "flood": "water_leak"}
#: Measured beside: the field, and its unit.
_MEASURED = {
    "temperature": ("tC", "°C"),
    "humidity": ("rh", "%"),
    "illuminance": ("lux", "lx"),
    "voltmeter": ("voltage", "V"),
}
_PRESSES = {
    "single_push": "single",
    "double_push": "double",
    "triple_push": "triple",
    "long_push": "long",
    "long_double_push": "long_double",
    "long_triple_push": "long_triple",
    "hold_press": "hold",
}
#: Virtual components may mean anything.
_VIRTUAL = frozenset({"boolean", "enum", "number", "text"})


def is_part(key: str) -> bool:
    """Tell whether a component may be a device of its own."""
    return key.startswith(_PARTS)


def take(facts: Facts, key: str, status: dict[str, Any], *, own: bool = False) -> None:
    """Take the status of a component, or what has changed of it. `own`: it is registered as a device of its own."""
    kind, _, place = key.partition(":")
    if kind in _HAZARDS:
        _hazard(facts, _HAZARDS[kind], status)
    elif kind == "devicepower":
        _power(facts, status)
    elif kind == "input":
        _input(facts, key, status)
    elif kind == "presencezone":
        _zone(facts, key, status, own=own)
    elif kind == "bthomesensor":
        if "value" in status:
            facts.by_map(key, status["value"], what="bthome")
    elif kind == "bthomedevice":
        if "battery" in status:
            facts.battery(status["battery"])
        _errors(facts, status)
    elif kind in _MEASURED and place:
        field, unit = _MEASURED[kind]
        if field in status:
            facts.number("measurement", status[field], unit, detail=kind)
    elif kind in _VIRTUAL and "value" in status:
        facts.by_map(key, status["value"], what="input", known=kind != "boolean")
    elif kind == "switch" and "output" in status:
        facts.by_map(key, status["output"], what="switch", known=True)


def happen(facts: Facts, key: str, event: str) -> None:
    """Take an event of a component; what only tells of settings says nothing."""
    kind = key.partition(":")[0]
    hazard = _HAZARDS.get(kind)
    if hazard is not None:
        # The names of webhooks have the component's in front.
        event = event.removeprefix(f"{kind}.")
        if event == "alarm":
            facts.fact(on(hazard))
        elif event == "alarm_off":
            facts.fact(off(hazard))
        elif event == "alarm_test":
            facts.fact(on("test"))
        elif event == "cable_unplugged":
            facts.fact(Fact(Rank.ALARM, "fault", "alarm", event))
            facts.fact(unknown(hazard))
    elif event in _PRESSES and not facts.by_map(f"{key}.event", event, what="event", known=True):
        facts.pressed(_PRESSES[event])


def _hazard(facts: Facts, kind: str, status: dict[str, Any]) -> None:
    broken = _errors(facts, status)
    if "alarm" in status:
        alarm = status["alarm"]
        if alarm is True:
            facts.fact(on(kind))
        else:
            facts.fact(off(kind) if alarm is False and not broken else unknown(kind))
    elif broken:
        facts.fact(unknown(kind))
    if "mute" in status:
        facts.fact(_flag("mute", status["mute"]))


def _errors(facts: Facts, status: dict[str, Any]) -> bool:
    """Take a list of errors; say whether there are any."""
    errors = status.get("errors")
    if type(errors) is not list:
        return False
    codes = [one for one in errors if type(one) is str]
    if codes:
        facts.fact(Fact(Rank.ALARM, "fault", "alarm", shorten(",".join(codes))))
    elif not errors:
        facts.fact(off("fault"))
    return bool(errors)


def _power(facts: Facts, status: dict[str, Any]) -> None:
    battery = status.get("battery")
    if type(battery) is dict:
        facts.battery(battery.get("percent"))
        volts = number(battery.get("V"))
        if volts is not None and volts > 0:
            facts.number("battery_voltage", volts, "V")
    _errors(facts, status)


def _input(facts: Facts, key: str, status: dict[str, Any]) -> None:
    """Take an input's state. What is wired there nobody can know; a button has none (null)."""
    if "state" in status:
        state = status["state"]
        facts.by_map(key, state, what="input", known=state is None)
    elif "percent" in status:
        facts.by_map(key, status["percent"], what="input", known=True)
    _errors(facts, status)


def _zone(facts: Facts, key: str, status: dict[str, Any], *, own: bool) -> None:
    if "value" in status:
        value = status["value"]
        if own or key == _MAIN_ZONE:
            facts.fact(_flag("presence", value))
        else:
            facts.by_map(key, value, what="input")
    if "num_objects" in status:
        facts.number("measurement", status["num_objects"], None, detail="num_objects")


def _flag(kind: str, value: Any) -> Fact:
    return on(kind) if value is True else off(kind) if value is False else unknown(kind)
