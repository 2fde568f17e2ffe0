"""How a single value of a codec's field is taken: as a word, a number, a press, a battery's volts."""

import re
from collections.abc import Mapping
from typing import Any, Final

from ingest.dialects.common import number, shorten
from ingest.dialects.facts import Facts
from ingest.dialects.lorawan_tables import PHRASES, How, Step, plain
from ingest.dialects.meanings import HAZARDS, Fact, Rank, off, on, unknown
from rules.community import Device

_MOST_PARTS: Final = 50
_LONGEST_WORD: Final = 80
#: A device's kind decides what its `alarm` is about.
_ALARMED: Final = HAZARDS | {"sos", "fall"}
_PRESSED: Final = {
    **dict.fromkeys(("short", "shortpress", "singlepress", "singleclick", "single", "1"), "single"),
    **dict.fromkeys(("long", "longpress", "held", "hold"), "long"),
    **dict.fromkeys(("double", "doublepress", "doubleclick", "2"), "double"),
    **dict.fromkeys(("triple", "triplepress", "3"), "triple"),
    **dict.fromkeys(("true", "on", "pressed", "press"), "press"),
}
_NOT_PRESSED: Final = frozenset(
    {"0", "false", "off", "none", "normal", "released", "release", "notpressed", "unknown", ""}
)
_VOLTS: Final = re.compile(r"^\s*(\d{1,6}(?:\.\d{1,6})?)\s*(m?)v?", re.IGNORECASE)


class Taker:
    """Takes the values of one payload."""

    __slots__ = ("_device", "_facts", "_known", "_measured", "_said")

    def __init__(
        self, facts: Facts, device: Device, said: Mapping[str, Any], *, known: bool, measured: bool = False
    ) -> None:
        """Begin; `known`: the maker is, so that what no table has does not matter; `measured`: temperatures do."""
        self._facts = facts
        self._device = device
        self._said = said
        self._known = known
        self._measured = measured

    def take(self, step: Step, name: str, value: Any) -> None:
        """Take a field that a table has."""
        facts, how = self._facts, step.how
        if how is How.STATE:
            fact = step.words.get(_word(value) or "")
            facts.fact(unknown(step.kind) if fact is None else _detailed(fact, step, name))
        elif how is How.VOLTS:
            self._volts(value)
        elif how is How.PERCENT:
            facts.battery(value)
        elif how is How.BATTERY:
            self._battery(value)
        elif how is How.NUMBER:
            if self._measured and (figure := number(value)) is not None:
                facts.number(step.kind, figure, step.unit, detail=shorten(name))
        elif how is How.COUNT:
            facts.fact(_counted(step, value))
        elif how is How.PRESS:
            self._press(value)
        elif how is How.HINT:
            self._hint(step, name, value)
        elif how is How.SERIES:
            for part in str(value).split(",")[:_MOST_PARTS]:
                if (fact := step.words.get(plain(part))) is not None:
                    facts.fact(fact)
        elif how is How.ALARM:
            self._alarm(name, value)
        elif how is How.INPUT:
            if (fact := step.words.get(_word(value) or "")) is not None:
                facts.fact(fact)
            else:
                facts.by_map(name, value, what="input")

    def other(self, name: str, value: Any) -> None:
        """Take a field that no table has: a number that is none of yes and no is a measurement of its name."""
        if self._known:
            return
        if type(value) in {int, float}:
            figure = number(value)
            if figure is not None and figure not in {0.0, 1.0}:
                self._facts.number("measurement", figure, None, detail=shorten(name))
                return
        if type(value) in {bool, int, float} or (type(value) is str and value):
            self._facts.by_map(name, value, what="input")

    def _hint(self, step: Step, name: str, value: Any) -> None:
        """Take a word of which only some say something; `event` and `reason` are such fields."""
        word = _word(value)
        if word is None:
            return
        if step.words:
            fact = step.words.get(word)
            if fact is not None:
                self._facts.fact(fact if step.detail is None else fact._replace(detail=step.detail))
            return
        if self._is_smoke_detector():
            self._smoke_detector(word)
            return
        phrase = PHRASES.get(word)
        if phrase is None:
            self._facts.by_map(name, value, what="event", known=self._known)
            return
        for fact in phrase:
            self._facts.fact(fact)

    def _is_smoke_detector(self) -> bool:
        kind = self._said.get("type")
        return type(kind) is str and kind.lower().startswith("smoke")

    def _smoke_detector(self, word: str) -> None:
        """Milesight GS524N: one word for what has happened, and how much smoke there is, in percent."""
        facts = self._facts
        concentration = number(self._said.get("concentration"))
        if concentration is not None:
            facts.number("smoke_concentration", concentration, "%")
        if word in {"alarm", "smokealarm"}:
            facts.fact(on("smoke"))
            return
        if word == "normal":
            facts.fact(off("smoke"))
            facts.fact(off("mute"))
            return
        for fact in PHRASES.get(word, ()):
            facts.fact(fact)
        # While it is tested it still measures, and that there is no smoke is then said by the measurement alone.
        none = word.startswith("testing") and concentration == 0.0
        facts.fact(off("smoke") if none else unknown("smoke"))

    def _alarm(self, name: str, value: Any) -> None:
        phrase = PHRASES.get(_word(value) or "")
        if phrase is not None:
            for fact in phrase:
                self._facts.fact(fact)
        elif self._device.kind in _ALARMED:
            self._facts.value(self._device.kind, value)
        else:
            self._facts.by_map(name, value, what="alarm_bit")

    def _press(self, value: Any) -> None:
        word = _word(value)
        if word is not None and word not in _NOT_PRESSED:
            self._facts.pressed(_PRESSED.get(word) or str(value))

    def _battery(self, value: Any) -> None:
        """Read `battery` of a codec nobody knows: volts where it cannot be percent; where it may be both, nothing."""
        figure = number(value)
        if figure is None:
            if type(value) is str:
                self._volts(value)
        elif figure >= 1000 or (0 < figure <= 5 and not figure.is_integer()):
            self._volts(figure)
        elif 5 < figure <= 100:
            self._facts.battery(figure)

    def _volts(self, value: Any) -> None:
        """Take volts, also as `3.1V` or Netvox's `2.3(low battery)`; from a hundred on they are millivolts."""
        if type(value) is str:
            if "low" in value.lower():
                self._facts.fact(on("battery"))
            found = _VOLTS.match(value)
            value = None if found is None else float(found[1]) / (1000 if found[2] else 1)
        figure = number(value)
        if figure is None:
            return
        volts = round(figure / 1000 if figure >= 100 else figure, 4)
        if 0 < volts < 20:
            self._facts.number("battery_voltage", volts, "V")


def _word(value: Any) -> str | None:
    """Write a value as the tables have it; None where it is nothing that could be in one."""
    kind = type(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is str:
        return plain(value) if len(value) <= _LONGEST_WORD else None
    if kind is int:
        return str(value) if -1 <= value <= 255 else None
    return str(int(value)) if kind is float and value in {0.0, 1.0, 2.0, 3.0, 255.0} else None


def _counted(step: Step, value: Any) -> Fact:
    fact = step.words.get(_word(value) or "")
    if fact is not None:
        return fact
    figure = number(value)
    if figure is None or not 0 <= figure < 65535:
        return unknown(step.kind)
    return on(step.kind) if figure > 0 else off(step.kind)


def _detailed(fact: Fact, step: Step, name: str) -> Fact:
    if fact.rank != Rank.ALARM:
        return fact
    if step.detail is not None:
        return fact._replace(detail=step.detail)
    return fact._replace(detail=shorten(name)) if fact.kind == "fault" else fact
