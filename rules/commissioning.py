"""Tests of devices: what must be heard of each kind, and when a home is due for the next one."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from rules.community import Device
from rules.conditions import TEST
from rules.decisions import CancelDue, DueKind, Finding, FindingEvent, SetDue
from rules.readings import ALARM_STATES, UNKNOWN
from rules.watch import UNTESTED, Evaluation, Rulings, Standing

#: A home that is due for a test is looked at again after so long, should nobody tell of one.
_LOOK_AGAIN = timedelta(days=1)


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


def untested_due(
    rulings: Rulings,
    rule_id: str,
    home_id: str,
    *,
    devices: Collection[Device],
    passed: Mapping[str, datetime],
    standing: Standing,
    now: datetime,
) -> Evaluation:
    """Say what follows when a home may be due for a test, or has been tested.

    `passed` is when each device last passed one, by id. The rule counts from the oldest of them; a device that has
    never passed one is due at once, for this is called when it has been there for as long as a test is good.
    """
    subject = f"{rule_id}/{home_id}"
    rule, condition = next((one for one in rulings.untested if one[0].id == rule_id), (None, None))
    if rule is None or condition is None or not devices:
        return Evaluation(due=[CancelDue(kind=DueKind.UNTESTED, subject=subject)])
    good_for = timedelta(seconds=condition.hold_s)
    ages = [
        (device, now - passed[device.id] if device.id in passed else None)
        for device in sorted(devices, key=lambda one: one.id)
    ]
    over = [(device, age) for device, age in ages if age is None or age >= good_for]
    stands = standing.get((rule_id, home_id))

    def look(at: datetime, event: FindingEvent | None = None, reason: str = "") -> Evaluation:
        found = [
            Finding(event=event, rule_id=rule_id, home_id=home_id, device_id=None, kind=UNTESTED, at=now, reason=reason)
            for event in ((event,) if event is not None else ())
        ]
        return Evaluation(findings=found, due=[SetDue(kind=DueKind.UNTESTED, subject=subject, due_at=at)])

    if over:
        if stands is not None:
            return look(now + _LOOK_AGAIN)
        return look(now + _LOOK_AGAIN, FindingEvent.RAISED, rulings.reasons.untested(over))
    next_at = min(passed[device.id] for device in devices) + good_for
    if stands is not None:
        return look(next_at, FindingEvent.CLEARED, rulings.reasons.tested_again())
    return look(next_at)
