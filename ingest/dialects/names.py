"""What fields say that gateways name freely, where the name itself leaves no doubt: GasAlarm, door_open, water_leak.

A name is read only as a whole: `kitchen_gas_alarm` is an alarm of gas, but `gas_alarm_limit`, `gas_valve_state` and
`last_gas_alarm` are nothing that can be read. Whether the `true` of a `contact` or a `door` stands for open nobody can
know, so that of those only the words are understood. What is not read here needs a map.
"""

import re
from enum import Enum, auto
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

from ingest.dialects.common import number, shorten
from ingest.dialects.facts import Facts
from ingest.dialects.meanings import HAZARDS, Fact, Rank, read, read_word
from rules.readings import UNKNOWN


class Way(Enum):
    """How the value of a field is read."""

    STATE = auto()
    #: A hazard's name alone: 1 and true are its alarm, 12.5 is how much there is of it.
    EITHER = auto()
    NUMBER = auto()
    LEVEL = auto()
    VOLTAGE = auto()
    #: True is the opposite of what the kind's name says: `door_closed`.
    INVERTED = auto()
    #: Of which only words say something.
    WORDS = auto()


class Plain(NamedTuple):
    """What a name leaves no doubt of."""

    kind: str
    way: Way
    unit: str | None = None


def _each(names: str, meaning: Any) -> dict[tuple[str, ...], Any]:
    return {tuple(name.split()): meaning for name in names.split(",")}


_HAZARDS: dict[tuple[str, ...], str] = {
    **_each("gas, gas leak, gas leakage, lpg, methane, combustible gas", "gas"),
    **_each("smoke, fire, smog, smoke fire", "smoke"),
    **_each("co, carbon monoxide", "carbon_monoxide"),
    **_each("water leak, water leakage, waterleak, leak, leakage, flood, water flood", "water_leak"),
}
#: What may follow a hazard, and leaves it one: whether there is an alarm.
_STATE_ENDS = frozenset({"alarm", "alert", "detected", "detector", "sensor", "state", "status", "active"})
#: And what makes a number of it, with its unit.
_NUMBER_ENDS: dict[str, str | None] = {
    "concentration": None,
    "density": None,
    "value": None,
    "ppm": "ppm",
    "lel": "%LEL",
}
#: Whole names, behind any room or number.
_NAMES: dict[tuple[str, ...], Plain] = {
    **_each("door open, window open, door opened, contact open, is open", Plain("contact", Way.STATE)),
    **_each("door closed, window closed, contact closed", Plain("contact", Way.INVERTED)),
    **_each(
        "contact, contact state, contact status, door, door state, door status, door contact, window, window state, "
        "window status, magnet status, opening",
        Plain("contact", Way.WORDS),
    ),
    **_each(
        "motion, pir, occupancy, motion detected, motion state, motion status, motion alarm, pir status, pir alarm",
        Plain("motion", Way.STATE),
    ),
    **_each("presence, human presence, presence state, presence detected, occupied", Plain("presence", Way.STATE)),
    **_each("vibration, vibration detected, shock", Plain("vibration", Way.STATE)),
    **_each(
        "sos, sos alarm, sos pressed, panic, panic alarm, emergency, emergency call, help call", Plain("sos", Way.STATE)
    ),
    **_each("fall, fall alarm, fall detected, fall down, fall status", Plain("fall", Way.STATE)),
    **_each("tamper, tampered, tamper alarm, tamper status, tamper detected", Plain("tamper", Way.STATE)),
    **_each(
        "battery, battery level, battery percent, battery percentage, battery pct, battery soc, bat, batt",
        Plain("battery", Way.LEVEL, "%"),
    ),
    **_each("low battery, battery low, battery alarm, low batt, batt low", Plain("battery", Way.STATE)),
    **_each(
        "battery voltage, battery v, bat v, battery mv, battery volt, bat voltage",
        Plain("battery_voltage", Way.VOLTAGE, "V"),
    ),
    **_each("test, self test, selftest, testing", Plain("test", Way.STATE)),
    **_each("mute, muted, silence, silenced, hush", Plain("mute", Way.STATE)),
    **_each("warmup, warm up, preheat, preheating", Plain("warmup", Way.STATE)),
    **_each("end of life, eol", Plain("end_of_life", Way.STATE)),
    **_each("fault, sensor fault, device fault, trouble, malfunction", Plain("fault", Way.STATE)),
}
#: With any of these in it, a name is of something else: a setting, a count, the past.
_OTHER = frozenset(
    """no not non last previous old count counter counts times total time timestamp date enable enabled disable disabled
    config setting settings set limit threshold max min valve meter usage flow consumption interval delay duration sound
    volume buzzer led light mode type id name version reset clear cleared restore temperature humidity rate raw
    rain snow free flag
    """.split()  # noqa: SIM905 - a list of forty quoted words is harder to read
)
_ELECTRIC = frozenset({"volt", "voltage", "v", "mv", "current", "power", "temp", "charge", "charging", "health"})
_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")


@lru_cache(maxsize=4096)
def plain(name: str) -> Plain | None:
    """Tell what a field is about whose name says so itself; None where it does not. Its last part counts."""
    words = [word.lower() for word in _WORD.findall(name.rpartition("/")[2])]
    while words and words[-1].isdecimal():
        if words[-1] == "2" and words[-2:-1] == ["co"]:
            return None
        words.pop()
    if not words or _OTHER.intersection(words) or ("co", "2") in pairwise(words):
        return None
    for size in (3, 2, 1):
        ending = tuple(words[-size:])
        if len(ending) == size and (known := _NAMES.get(ending)) is not None:
            # `volt_batt` and `current_batt` are no levels; `gas_fault` is the detector's fault.
            return None if known.way is Way.LEVEL and not _ELECTRIC.isdisjoint(words) else known
    return _hazard(words)


def _hazard(words: list[str]) -> Plain | None:
    ends: list[str] = []
    while words and (words[-1] in _STATE_ENDS or words[-1] in _NUMBER_ENDS):
        ends.insert(0, words.pop())
    for size in (2, 1):
        kind = _HAZARDS.get(tuple(words[-size:])) if len(words) >= size else None
        if kind is None:
            continue
        if not ends:
            return Plain(kind, Way.EITHER)
        measured = [end for end in ends if end in _NUMBER_ENDS]
        if not measured:
            return Plain(kind, Way.STATE)
        if len(measured) < len([end for end in ends if end != "sensor"]) or kind == "water_leak":
            return None
        return Plain(f"{kind}_concentration", Way.NUMBER, _NUMBER_ENDS[ends[-1]])
    return None


def tell(facts: Facts, name: str, value: Any, *, unit: str | None = None) -> bool:
    """Give the fact of a field whose name leaves no doubt; say whether there is one."""
    known = plain(name)
    if known is None:
        return False
    kind, way = known.kind, known.way
    if way is Way.WORDS:
        fact = read_word(kind, value) if type(value) is str else Fact(Rank.UNKNOWN, kind, UNKNOWN)
        if fact.state == UNKNOWN and value is not None and value != "":
            return False
        facts.fact(fact)
    elif way is Way.LEVEL:
        if type(value) is str and number(value) is None:
            facts.value("battery", value)
        else:
            facts.battery(value)
    elif way is Way.VOLTAGE:
        _voltage(facts, value)
    elif way is Way.NUMBER:
        facts.number(kind, _measured(value), unit or known.unit)
    elif way is Way.EITHER and kind in HAZARDS and (figure := _amount(value)) is not None:
        facts.number(f"{kind}_concentration" if kind != "water_leak" else "measurement", figure, unit)
    else:
        fact = read(kind, value, inverted=way is Way.INVERTED)
        if kind == "test" and fact.state == "active":
            facts.testing()
        facts.fact(fact._replace(detail=shorten(name)) if kind == "fault" and fact.detail is None else fact)
    return True


def _amount(value: Any) -> float | None:
    """How much there is: a number that cannot stand for yes or no, and is none of the signs for "not known"."""
    if type(value) is float:
        return _measured(value)
    return value if type(value) is int and 1 < value < 1e9 else None


def _measured(value: Any) -> float | None:
    figure = number(value)
    return figure if figure is not None and figure >= 0 else None


def _voltage(facts: Facts, value: Any) -> None:
    figure = number(value)
    if figure is not None and figure >= 500:
        figure /= 1000
    if figure is not None and 0 < figure < 20:
        facts.number("battery_voltage", round(figure, 4), "V")
