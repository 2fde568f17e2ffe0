"""What the words that devices use mean: on and off, true and 1, "leak", "checking", "testing alarm".

Only what is in these tables is understood; everything else is unknown, which is never clear (invariant
unknown-is-not-clear).
"""

from enum import IntEnum
from typing import Any, NamedTuple

from ingest.dialects.common import number, shorten
from rules.community import Mapped
from rules.readings import KINDS, UNKNOWN


class Rank(IntEnum):
    """Which of several facts about one kind in one message counts: the highest."""

    CLEAR = 0
    UNKNOWN = 1
    BETTER_THAN_UNKNOWN = 2
    ALARM = 3
    WORSE_THAN_ALARM = 4


class Fact(NamedTuple):
    """What one value of one property says."""

    rank: int
    kind: str
    state: str
    detail: str | None = None


#: Kinds whose alarm a device's test button may raise.
HAZARDS = frozenset({"gas", "smoke", "carbon_monoxide", "water_leak"})

#: Kinds that are numbers.
MEASURED = frozenset(kind for kind in KINDS if kind.endswith("_concentration")) | {"battery_voltage", "measurement"}

_TRUE: tuple[Any, ...] = (True, "true", "True", "TRUE", "on", "ON", "On")
_FALSE: tuple[Any, ...] = (False, "false", "False", "FALSE", "off", "OFF", "Off")

#: Actions by which somebody asks for help.
HELP = frozenset({"emergency", "panic", "sos", "help"})
#: Parts of an action's name that take it back.
NOT_HELP = frozenset({"release", "clear", "cleared", "cancel", "reset", "stop", "off", "test"})
#: A press of a plain button: asks for help where the registry says that the button is there for that.
PRESSES = frozenset(
    {"single", "double", "triple", "quadruple", "many", "hold", "long", "press", "pressed", "click", "on", "toggle"}
)

#: The two states of a kind: what "on" says, what "off" says.
_ON_OFF: dict[str, tuple[str, str]] = {
    "contact": ("open", "closed"),
    "motion": ("detected", "clear"),
    "presence": ("detected", "clear"),
    "vibration": ("detected", "clear"),
    "sos": ("pressed", "cleared"),
    "test": ("active", "inactive"),
    "mute": ("on", "off"),
    "warmup": ("active", "inactive"),
    "battery": ("low", "ok"),
}

_ON_WORDS = frozenset(
    {
        "alarm",
        "alarmed",
        "alarming",
        "detected",
        "leak",
        "leaking",
        "wet",
        "yes",
        "triggered",
        "fire",
        "1",
        "active",
        "on",
        "true",
    }
)
_OFF_WORDS = frozenset(
    {"normal", "clear", "none", "no", "ok", "idle", "dry", "safe", "inactive", "0", "off", "false", "null_alarm"}
)
#: Words of a hazard's or detector's state that say something of another kind.
_OTHER_KINDS: dict[str, Fact] = {
    **dict.fromkeys(
        ("detecting", "test", "testing", "checking", "self_test", "self_checking"),
        Fact(Rank.ALARM, "test", "active"),
    ),
    **dict.fromkeys(("preheat", "preheating", "warmup", "warm_up"), Fact(Rank.ALARM, "warmup", "active")),
    **dict.fromkeys(("silence", "silenced", "mute", "muted", "hush"), Fact(Rank.ALARM, "mute", "on")),
    **dict.fromkeys(("fault", "failure", "error", "sensor_fault"), Fact(Rank.ALARM, "fault", "alarm", "sensor")),
    **dict.fromkeys(("end_of_life", "eol", "lifetime"), Fact(Rank.ALARM, "end_of_life", "alarm")),
}
_WORDS: dict[str, dict[str, tuple[int, str, str | None]]] = {
    "contact": {
        "open": (Rank.ALARM, "open", None),
        "opened": (Rank.ALARM, "open", None),
        "tilted": (Rank.ALARM, "open", "tilted"),
        "error_forced_open": (Rank.ALARM, "open", "forced"),
        "closed": (Rank.CLEAR, "closed", None),
        "close": (Rank.CLEAR, "closed", None),
    },
    "fall": {
        "fall": (Rank.ALARM, "alarm", None),
        "falling": (Rank.ALARM, "alarm", None),
        "warning": (Rank.BETTER_THAN_UNKNOWN, "warning", None),
        "maybe_fall": (Rank.BETTER_THAN_UNKNOWN, "warning", None),
        "no_fall": (Rank.CLEAR, "clear", None),
    },
    "motion": dict.fromkeys(
        (
            *("small", "medium", "large", "small_move", "large_move", "small_movement", "large_movement"),
            *("motion", "moving", "move", "pir", "presence", "occupied"),
        ),
        (Rank.ALARM, "detected", None),
    ),
    "presence": dict.fromkeys(
        (
            *("motion", "stationary", "presence", "present", "occupied", "moving", "move", "static", "peaceful"),
            *("small_movement", "large_movement"),
        ),
        (Rank.ALARM, "detected", None),
    ),
    "test": {
        **dict.fromkeys(("checking", "running", "testing", "in_progress"), (Rank.ALARM, "active", None)),
        **dict.fromkeys(
            ("success", "check_success", "pass", "passed", "completed"), (Rank.BETTER_THAN_UNKNOWN, "passed", None)
        ),
        **dict.fromkeys(("failure", "check_failure", "fail", "failed"), (Rank.WORSE_THAN_ALARM, "failed", None)),
        **dict.fromkeys(("others",), (Rank.CLEAR, "inactive", None)),
    },
    "fault": dict.fromkeys(("fault", "error", "failure"), (Rank.ALARM, "alarm", None)),
    "warmup": dict.fromkeys(("preheat", "preheating", "warmup", "warm_up", "warming_up"), (Rank.ALARM, "active", None)),
    "end_of_life": {
        "expired": (Rank.ALARM, "alarm", None),
        "expires_soon": (Rank.ALARM, "alarm", "expires_soon"),
    },
    "battery": {
        "low": (Rank.ALARM, "low", None),
        **dict.fromkeys(("medium", "middle", "high", "usb", "full"), (Rank.CLEAR, "ok", None)),
    },
}


#: What a map may say in place of a kind's own states: it is the detector's own, and says nothing of what it watches.
ASIDE: dict[str, Fact] = {
    "test": Fact(Rank.ALARM, "test", "active"),
    "warmup": Fact(Rank.ALARM, "warmup", "active"),
    "fault": Fact(Rank.ALARM, "fault", "alarm"),
    "mute": Fact(Rank.ALARM, "mute", "on"),
    "end_of_life": Fact(Rank.ALARM, "end_of_life", "alarm"),
    "tamper": Fact(Rank.ALARM, "tamper", "alarm"),
}


def on(kind: str) -> Fact:
    """What "on" says of a kind."""
    return Fact(Rank.ALARM, kind, _ON_OFF.get(kind, ("alarm", "clear"))[0])


def off(kind: str) -> Fact:
    """What "off" says of a kind."""
    return Fact(Rank.CLEAR, kind, _ON_OFF.get(kind, ("alarm", "clear"))[1])


def unknown(kind: str) -> Fact:
    """What null, and everything that we do not understand, says of a kind (invariant unknown-is-not-clear)."""
    return Fact(Rank.UNKNOWN, kind, UNKNOWN)


def booleans(kind: str, *, inverted: bool) -> dict[Any, Fact]:
    """The meaning of true and false, however they are spelt, and of null."""
    yes, no = (off(kind), on(kind)) if inverted else (on(kind), off(kind))
    return {**dict.fromkeys(_TRUE, yes), **dict.fromkeys(_FALSE, no), None: unknown(kind)}


def is_false(value: Any) -> bool:
    """Whether a definition's value is one of the spellings of false."""
    return type(value) in {bool, str} and value in _FALSE


def read_word(kind: str, text: str) -> Fact:
    """The meaning of a word as a kind's state, e.g. of an enumeration's value."""
    word = text.strip().lower().replace(" ", "_").replace("-", "_")
    special = _WORDS.get(kind, {}).get(word)
    if special is not None:
        return Fact(special[0], kind, special[1], special[2])
    if word.lstrip("_").isdecimal() and word not in {"0", "1"}:
        # -1 stands for "not known", and is no 1.
        return unknown(kind)
    if kind in HAZARDS and word in _OTHER_KINDS:
        return _OTHER_KINDS[word]
    if kind == "test" and word.startswith("fail"):
        return Fact(Rank.WORSE_THAN_ALARM, kind, "failed", word)
    # A contact's true and false depend on its polarity, so that plain on and off say nothing here.
    if kind != "contact":
        first, _, _ = word.partition("_")
        last = word.rpartition("_")[2]
        if word in _OFF_WORDS or (first in {"no", "not"} and kind != "battery") or last in _OFF_WORDS:
            return off(kind)
        if word in _ON_WORDS or (last in _ON_WORDS and last != word):
            return on(kind)
        if special := _WORDS.get(kind, {}).get(last):
            return Fact(special[0], kind, special[1], special[2])
    return unknown(kind)


def read(kind: str, value: Any, *, inverted: bool = False) -> Fact:
    """The meaning of a value of which only its kind is known: a truth value, 1 or 0, or a word.

    `inverted`: true, on and 1 stand for the good state, as with a contact that is made.
    """
    if type(value) is str:
        value = value.strip()
    elif type(value) is float and value in (0.0, 1.0):
        value = int(value)
    if type(value) in {bool, int, str} and (type(value) is not int or value in (0, 1)):
        if value in _TRUE or value == "1":
            return off(kind) if inverted else on(kind)
        if value in _FALSE or value == "0":
            return on(kind) if inverted else off(kind)
    return read_word(kind, value) if type(value) is str else unknown(kind)


def mapped(how: Mapped, value: Any) -> tuple[str | None, float | None]:
    """Read a value as staff have written down: a state, or a number with its scale; UNKNOWN where it is neither.

    Raises ValueError where the field is said to be of no interest.
    """
    if how.kind is None:
        raise ValueError("a field of no interest has no meaning")
    if how.unknown and as_text(value) in how.unknown:
        return UNKNOWN, None
    if how.states:
        return how.states.get(as_text(value), UNKNOWN), None
    if how.kind in MEASURED or (how.kind == "battery" and number(value) is not None):
        figure = number(value)
        if figure is None or (figure < 0 and how.kind.endswith("_concentration")):
            return UNKNOWN, None
        return None, figure * how.scale
    if how.kind == "button":
        # Buttons call their presses what they like.
        return (UNKNOWN if value is None or value == "" else shorten(as_text(value))), None
    fact = read(how.kind, value, inverted=how.invert)
    return (fact.state if fact.kind == how.kind else UNKNOWN), None


def as_text(value: Any) -> str:
    """Write a value as devices.yaml would: true, 1, ON."""
    if value is None:
        return "null"
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is float and value.is_integer():
        value = int(value)
    return str(value)
