"""What the properties of Zigbee2MQTT's devices mean.

A gateway's own definitions (`bridge/devices`) say which value of a property is "on"; these tables say which fact a
property is about, and stand in where there is no definition.
"""

import re
from enum import IntEnum
from typing import Any, NamedTuple

from rules.readings import UNKNOWN


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


class How(IntEnum):
    """How a property's value is read."""

    STATE = 0
    FAULT = 1
    NUMBER = 2
    BATTERY = 3
    VOLTAGE = 4
    ACTION = 5
    #: Says `alarm` without saying of what: the registry knows what the device is.
    GENERIC = 6


#: Kinds whose alarm a device's test button may raise.
HAZARDS = frozenset({"gas", "smoke", "carbon_monoxide", "water_leak"})

#: Property: the kind of fact it states.
STATES: dict[str, str] = {
    **dict.fromkeys(("gas", "gas_state", "gas_sensor_state", "gas_sensor_status", "gas_leak", "natural_gas"), "gas"),
    **dict.fromkeys(("smoke", "smoke_state", "smoke_sensor_state", "smoke_sensor_status", "fire"), "smoke"),
    **dict.fromkeys(("carbon_monoxide", "co_state", "co_status", "carbon_monoxide_state"), "carbon_monoxide"),
    **dict.fromkeys(
        ("water_leak", "water_leakage", "water_leakage_state", "active_water_leak", "leak", "leakage", "flood"),
        "water_leak",
    ),
    **dict.fromkeys(("contact", "garage_door_contact", "opening_state", "door_state", "contact_state"), "contact"),
    **dict.fromkeys(("fall", "fall_status", "fall_down_status", "fall_state"), "fall"),
    **dict.fromkeys(("sos", "sos_state", "panic", "emergency"), "sos"),
    **dict.fromkeys(("tamper", "tamper_state"), "tamper"),
    **dict.fromkeys(("occupancy", "motion", "pir", "pir_state", "human_motion_state", "motion_state"), "motion"),
    **dict.fromkeys(("presence", "presence_state", "human_presence", "human_presence_state"), "presence"),
    **dict.fromkeys(("vibration",), "vibration"),
    **dict.fromkeys(("battery_low", "low_battery", "battery_state", "battery_alarm"), "battery"),
    **dict.fromkeys(
        (
            "test",
            "test_in_progress",
            "self_test",
            "selftest",
            "self_test_result",
            "halo_test_result",
            "self_checking",
            "checking_result",
        ),
        "test",
    ),
    **dict.fromkeys(("silence", "silenced", "mute", "muted", "muffling", "buzzer_mute"), "mute"),
    **dict.fromkeys(("preheat", "preheating", "warmup", "warm_up"), "warmup"),
}

#: Properties that are numbers unless the definition says that they are states.
STATES_IF_DEFINED: dict[str, str] = {"co": "carbon_monoxide"}

#: Property: the code of the fault it states. `ac_status: true` means that the mains has failed.
FAULTS: dict[str, str] = {
    "trouble": "trouble",
    "fault": "fault",
    "fault_alarm": "fault",
    "device_fault": "fault",
    "sensor_fault": "sensor",
    "battery_defect": "battery_defect",
    "ac_status": "mains_power",
    "end_of_life": "end_of_life",
}

#: Property: the kind of number and its unit where the definition does not say.
NUMBERS: dict[str, tuple[str, str]] = {
    "gas_value": ("gas_concentration", "LEL"),
    "gas_concentration": ("gas_concentration", "LEL"),
    "gas": ("gas_concentration", "LEL"),
    "co": ("carbon_monoxide_concentration", "ppm"),
    "co_value": ("carbon_monoxide_concentration", "ppm"),
    "co_concentration": ("carbon_monoxide_concentration", "ppm"),
    "carbon_monoxide": ("carbon_monoxide_concentration", "ppm"),
    "carbon_monoxide_value": ("carbon_monoxide_concentration", "ppm"),
    "smoke_value": ("smoke_concentration", "ppm"),
    "smoke_concentration": ("smoke_concentration", "ppm"),
    "smoke_concentration_ppm": ("smoke_concentration", "ppm"),
    "smoke_density": ("smoke_concentration", "dB/m"),
}

#: Properties that say `alarm` and not of what, by the kinds of devices for which we believe them.
GENERIC: dict[str, frozenset[str]] = {
    "alarm": frozenset({"gas", "smoke", "carbon_monoxide", "water_leak", "sos", "fall"}),
    "alarm_state": frozenset({"gas", "smoke", "carbon_monoxide", "water_leak"}),
    "alarm_1": frozenset({"gas", "smoke", "carbon_monoxide", "water_leak"}),
    "alarm_2": frozenset({"gas", "smoke", "carbon_monoxide", "water_leak"}),
    "water": frozenset({"water_leak"}),
    "door": frozenset({"contact"}),
    "door_open": frozenset({"contact"}),
    "window_open": frozenset({"contact"}),
}

#: An IAS zone status carries the test bit together with these: only then is `test` known to be of this very moment.
IAS_COMPANIONS = ("tamper", "battery_low", "trouble", "ac_status", "battery_defect", "supervision_reports")

#: Actions by which somebody asks for help.
HELP = frozenset({"emergency", "panic", "sos", "help"})
#: Parts of an action's name that take it back.
NOT_HELP = frozenset({"release", "clear", "cleared", "cancel", "reset", "stop", "off", "test"})
#: A press of a plain button: asks for help where the registry says that the button is there for that.
PRESSES = frozenset(
    {"single", "double", "triple", "quadruple", "many", "hold", "long", "press", "pressed", "click", "on", "toggle"}
)

#: Property endings of devices with several endpoints or several alarm bits.
_ENDING = re.compile(r"(?:_alarm)?(?:_(?:\d{1,2}|l\d|left|right|center|top|bottom))?$")

_TRUE: tuple[Any, ...] = (True, "true", "True", "TRUE", "on", "ON", "On")
_FALSE: tuple[Any, ...] = (False, "false", "False", "FALSE", "off", "OFF", "Off")

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
    {"alarm", "alarming", "detected", "leak", "leaking", "wet", "yes", "triggered", "fire", "1", "active", "on", "true"}
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
    **dict.fromkeys(("end_of_life", "eol", "lifetime"), Fact(Rank.ALARM, "fault", "alarm", "end_of_life")),
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
        "warning": (Rank.BETTER_THAN_UNKNOWN, "warning", None),
        "maybe_fall": (Rank.BETTER_THAN_UNKNOWN, "warning", None),
        "no_fall": (Rank.CLEAR, "clear", None),
    },
    "motion": dict.fromkeys(
        ("small", "large", "small_move", "large_move", "motion", "moving", "move", "pir", "presence", "occupied"),
        (Rank.ALARM, "detected", None),
    ),
    "presence": dict.fromkeys(
        ("motion", "stationary", "presence", "present", "occupied", "moving", "move", "static"),
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
    "battery": {
        "low": (Rank.ALARM, "low", None),
        **dict.fromkeys(("medium", "middle", "high", "usb", "full"), (Rank.CLEAR, "ok", None)),
    },
}


def kind_of(name: str) -> str | None:
    """Tell which kind of fact a property states, if any."""
    return STATES.get(name) or STATES.get(_ENDING.sub("", name))


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
    if kind in HAZARDS and word in _OTHER_KINDS:
        return _OTHER_KINDS[word]
    if kind == "test" and word.startswith("fail"):
        return Fact(Rank.WORSE_THAN_ALARM, kind, "failed", word)
    # A contact's true and false depend on its polarity, so that plain on and off say nothing here.
    if kind != "contact":
        first, _, _ = word.partition("_")
        last = word.rpartition("_")[2]
        if word in _OFF_WORDS or first in {"no", "not"} or last in _OFF_WORDS:
            return off(kind)
        if word in _ON_WORDS or (last in _ON_WORDS and last != word):
            return on(kind)
        if special := _WORDS.get(kind, {}).get(last):
            return Fact(special[0], kind, special[1], special[2])
    return unknown(kind)
