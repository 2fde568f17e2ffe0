"""Whether a device has shown in a test that it works: what must be heard of each kind."""

from collections.abc import Iterable
from typing import NamedTuple

from rules.conditions import TEST
from rules.readings import ALARM_STATES, UNKNOWN


class Said(NamedTuple):
    """A kind and state that a device has said live in the window."""

    kind: str
    state: str | None


class Verdict(NamedTuple):
    """How a test stands."""

    passed: bool
    #: What is still to be done, as a key of the texts: press, open_and_close, close, open, move, speak; None: nothing.
    to_do: str | None


def judge(kind: str, said: Iterable[Said]) -> Verdict:
    """Say how the test of a device of a kind stands, by all that it has said so far."""
    heard = set(said)
    states = {one.state for one in heard if one.kind == kind}
    match kind:
        case "gas" | "smoke" | "carbon_monoxide" | "water_leak":
            alarmed = bool(states & {TEST, "alarm"})
            tested = any(one.kind == "test" and one.state in {"active", "passed"} for one in heard)
            return _verdict(alarmed or tested, "press")
        case "sos" | "fall" | "button":
            pressed = bool(states & {TEST, ALARM_STATES.get(kind)}) or (kind != "fall" and _any(heard, "button"))
            return _verdict(pressed, "press")
        case "contact":
            missing = {"open", "closed"} - states
            to_do = "open_and_close" if len(missing) == 2 else "close" if "closed" in missing else "open"
            return _verdict(not missing, to_do)
        case "motion" | "presence" | "vibration":
            return _verdict("detected" in states, "move")
        case _:
            return _verdict(any(one.state != UNKNOWN for one in heard), "speak")


def _any(heard: Iterable[Said], kind: str) -> bool:
    return any(one.kind == kind for one in heard)


def _verdict(passed: bool, to_do: str) -> Verdict:
    return Verdict(passed, None if passed else to_do)
