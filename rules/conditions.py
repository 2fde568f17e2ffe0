"""What a fact means for a condition, and what a device's facts together say of its life. Pure and without memory."""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import NamedTuple

from rules.community import Device
from rules.readings import ALARM_STATES, KINDS, UNKNOWN, DeviceState, Freshness, Reading
from rules.rulebook import StateIs, Threshold

#: Stored in place of an alarm that came while the device was being tested.
TEST = "test"

#: So many missed heartbeats make a device offline (EN 50136 practice: several missed polls, not one).
MISSED_HEARTBEATS = 3

#: A battery that gains so many points has been charged or changed; less than that is noise.
_BATTERY_GAIN = 5.0

_SAYS_NOTHING = frozenset({None, UNKNOWN, TEST})

#: Words of availability that are signs of life: a device that goes to sleep as expected was awake until then.
PRESENT = frozenset({"online", "sleeping"})

States = Mapping[tuple[str, str], DeviceState]


class Verdict(Enum):
    """What a fact says of a condition."""

    TRUE = auto()
    FALSE = auto()
    #: Past neither bound of a threshold: neither begins nor ends it.
    BETWEEN = auto()
    #: Says nothing, and is never read as FALSE (invariant unknown-is-not-clear).
    UNKNOWN = auto()
    #: An alarm of a device that was being tested.
    TEST = auto()


def judge(condition: StateIs | Threshold, row: DeviceState | None) -> Verdict:
    """Say what is known of one kind of fact means for a condition on that kind."""
    if row is None:
        return Verdict.UNKNOWN
    if isinstance(condition, StateIs):
        if row.state == condition.state:
            return Verdict.TRUE
        if row.state == TEST:
            return Verdict.TEST
        return Verdict.UNKNOWN if row.state in _SAYS_NOTHING else Verdict.FALSE
    return _judge_number(condition, row)


def _judge_number(condition: Threshold, row: DeviceState) -> Verdict:
    value = row.value
    if condition.below is not None:
        # A battery may say in a word what another says in a number.
        if row.kind == "battery" and row.state == "low":
            return Verdict.TRUE
        if value is None:
            return Verdict.FALSE if row.kind == "battery" and row.state == "ok" else Verdict.UNKNOWN
        if value < condition.below:
            return Verdict.TRUE
        return Verdict.FALSE if condition.clear_above is None or value > condition.clear_above else Verdict.BETWEEN
    if value is None or condition.above is None:
        return Verdict.UNKNOWN
    if value > condition.above:
        return Verdict.TRUE
    return Verdict.FALSE if condition.clear_below is None or value < condition.clear_below else Verdict.BETWEEN


def settle(reading: Reading, row: DeviceState | None) -> tuple[str | None, float | None]:
    """Give the state and value that are known once a reading has been heard.

    A part the reading does not carry stays as it was, so that a device that says `{"battery": 80, "battery_low":
    false}` in every message changes nothing by it. Neither part, or a number that is none, is unknown.
    """
    state, value = reading.state, reading.value
    if value is not None and not math.isfinite(value):
        value, state = None, state or UNKNOWN
    if state is None and value is None:
        state = UNKNOWN
    if state == UNKNOWN:
        return UNKNOWN, None
    if reading.under_test and is_alarm(reading.kind, state):
        return TEST, value
    if row is None:
        return state, value
    # Both parts of one message are heard at the same time; what was heard before it is the older word.
    older = row.kind == "battery" and row.last_seen < reading.received_at
    if value is None:
        outdated = older and state == "ok" and row.state != "ok"
        return state, None if outdated else row.value
    if state is None:
        outdated = older and row.state == "low" and (row.value is None or value - row.value >= _BATTERY_GAIN)
        return None if outdated or row.state == UNKNOWN else row.state, value
    return state, value


def moved(
    reading: Reading, before: DeviceState | None, state: str | None, value: float | None, *, at: datetime, active: bool
) -> DeviceState:
    """Give the row as it is after a reading."""
    if before is None:
        return DeviceState(
            reading.device_id,
            reading.kind,
            state,
            value,
            reading.unit,
            true_since=at,
            last_seen=at,
            active_at=at if active else None,
            freshness=reading.freshness,
        )
    changed = state != before.state or (state is None and value != before.value)
    since = at if changed else before.true_since
    heard = before.last_seen if was_heard(before) else since
    return before._replace(
        state=state,
        value=value,
        unit=reading.unit if reading.unit is not None else before.unit,
        true_since=since,
        last_seen=at if reading.freshness is Freshness.LIVE else heard,
        active_at=at if active else before.active_at,
        # A word that says nothing does not make an old one fresh.
        freshness=before.freshness if state == UNKNOWN else reading.freshness,
    )


def worn_out(before: DeviceState, reading: Reading, latch_s: float) -> DeviceState:
    """Give what is still known of an alarm that the device never takes back: after so long, nothing.

    Then the next word of it is news. What a gateway repeats beside other facts counts from the alarm's beginning, what
    the device says itself from its last word; what a gateway says at its own start wears nothing out.
    """
    if reading.freshness is not Freshness.LIVE or reading.startup:
        return before
    if not is_alarm(before.kind, before.state) or reading.state != before.state:
        return before
    since = before.true_since if reading.merged else before.last_seen
    return before._replace(state=UNKNOWN) if reading.received_at - since >= timedelta(seconds=latch_s) else before


def is_alarm(kind: str, state: str | None) -> bool:
    """Say whether a state means that something is wrong or somebody asks for help."""
    return state is not None and (state == "alarm" or ALARM_STATES.get(kind) == state)


def is_event(kind: str, state: str) -> bool:
    """Say whether a state is an event of its own each time it is said, rather than a condition that lasts.

    What follows it (`cleared`) is the reset of a button, not the end of the need.
    """
    return kind == "button" or ALARM_STATES.get(kind) == state


def shows_activity(kind: str, before: DeviceState | None, state: str | None) -> bool:
    """Say whether a live fact shows that a person is doing something."""
    if state in _SAYS_NOTHING:
        return False
    match kind:
        case "contact" | "vibration":
            changed = before is not None and before.state not in _SAYS_NOTHING and before.state != state
            return changed or (kind == "vibration" and state == "detected")
        case "motion" | "presence":
            return state == "detected"
        case "button":
            return True
        case _:
            return ALARM_STATES.get(kind) == state


class Life(NamedTuple):
    """What a device's facts together say of its being alive."""

    #: The last sign of life; None where there has been none.
    seen: datetime | None
    #: Since when its gateway has called it offline without its having spoken; None where it has not.
    offline_since: datetime | None
    #: Whether it has spoken itself, rather than only been spoken of by retained and cached facts.
    heard: bool


def life(device_id: str, states: States) -> Life:
    """Gather the signs of life of one device."""
    seen: datetime | None = None
    heard = False
    for kind in KINDS:
        row = states.get((device_id, kind))
        if row is None or (kind == "availability" and row.state not in PRESENT):
            continue
        heard = heard or was_heard(row)
        if seen is None or row.last_seen > seen:
            seen = row.last_seen
    word = states.get((device_id, "availability"))
    offline_since = None
    if word is not None and word.state == "offline" and (seen is None or seen <= word.true_since):
        offline_since = word.true_since
    return Life(seen, offline_since, heard)


def was_heard(row: DeviceState) -> bool:
    """Say whether the device itself has said anything of this kind, rather than only somebody's cache."""
    return row.freshness == Freshness.LIVE or row.last_seen != row.true_since


def silent_at(device: Device, alive: Life, grace: timedelta) -> datetime | None:
    """Say when a device counts, or will count, as offline if it says nothing more; None: nobody has ever heard of it.

    After MISSED_HEARTBEATS heartbeats without a sign of life, or one after its gateway has called it offline.
    """
    if device.heartbeat_s is None:
        raise ValueError(f"{device.id} has no heartbeat, so nobody can say when it is silent")
    heartbeat = timedelta(seconds=device.heartbeat_s)
    moments = []
    if alive.seen is not None:
        moments.append(alive.seen + MISSED_HEARTBEATS * heartbeat + grace)
    if alive.offline_since is not None:
        moments.append(alive.offline_since + heartbeat + grace)
    return min(moments, default=None)


def can_tell(device: Device, alive: Life, now: datetime) -> bool:
    """Say whether a device's saying nothing of people can be trusted: it has spoken, and within its heartbeat.

    A device without a heartbeat has promised nothing, and is trusted until its gateway calls it offline.
    """
    if not alive.heard or alive.seen is None or alive.offline_since is not None:
        return False
    return device.heartbeat_s is None or now - alive.seen <= timedelta(seconds=device.heartbeat_s)
