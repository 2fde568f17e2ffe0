"""What a fact means for a condition, and what facts together say of a device."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rules.community import Device
from rules.conditions import (
    Life,
    Verdict,
    can_tell,
    is_alarm,
    is_event,
    judge,
    life,
    moved,
    settle,
    shows_activity,
    silent_at,
    was_heard,
    worn_out,
)
from rules.readings import UNKNOWN, DeviceState, Freshness, Reading
from rules.rulebook import StateIs, Threshold

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
NO_TIME = timedelta(0)
GAS = StateIs(kind="gas", state="alarm")
LOW = Threshold(kind="battery", below=15, clear_above=20)
MUCH = Threshold(kind="gas_concentration", above=10, clear_below=5)
SENSOR = Device(id="d", home_id="h", kind="gas", source="s", name="d", heartbeat_s=3600)


def row(state: str | None = None, value: float | None = None, *, kind: str = "gas", **more: Any) -> DeviceState:
    since, seen = more.get("since", NOON), more.get("seen", NOON)
    freshness = more.get("freshness", Freshness.LIVE)
    return DeviceState("d", kind, state, value, None, since, seen, more.get("active"), freshness)


def reading(state: str | None = None, value: float | None = None, *, kind: str = "gas", **more: Any) -> Reading:
    return Reading("d", kind, more.pop("at", NOON), state=state, value=value, **more)


@pytest.mark.parametrize(
    ("condition", "known", "verdict"),
    [
        (GAS, None, Verdict.UNKNOWN),
        (GAS, row("alarm"), Verdict.TRUE),
        (GAS, row("clear"), Verdict.FALSE),
        (GAS, row(UNKNOWN), Verdict.UNKNOWN),
        (GAS, row(None, 3.0), Verdict.UNKNOWN),
        (GAS, row("test"), Verdict.TEST),
        (LOW, row(None, 14.9, kind="battery"), Verdict.TRUE),
        (LOW, row(None, 15.0, kind="battery"), Verdict.BETWEEN),
        (LOW, row(None, 20.0, kind="battery"), Verdict.BETWEEN),
        (LOW, row(None, 20.1, kind="battery"), Verdict.FALSE),
        (LOW, row("low", kind="battery"), Verdict.TRUE),
        (LOW, row("ok", kind="battery"), Verdict.FALSE),
        (LOW, row("low", 80.0, kind="battery"), Verdict.TRUE),
        (LOW, row("ok", 3.0, kind="battery"), Verdict.TRUE),
        (LOW, row(UNKNOWN, kind="battery"), Verdict.UNKNOWN),
        (Threshold(kind="battery", below=15), row(None, 15.0, kind="battery"), Verdict.FALSE),
        (MUCH, row(None, 10.0, kind="gas_concentration"), Verdict.BETWEEN),
        (MUCH, row(None, 10.1, kind="gas_concentration"), Verdict.TRUE),
        (MUCH, row(None, 5.0, kind="gas_concentration"), Verdict.BETWEEN),
        (MUCH, row(None, 4.9, kind="gas_concentration"), Verdict.FALSE),
        (MUCH, row(UNKNOWN, kind="gas_concentration"), Verdict.UNKNOWN),
        (MUCH, row("low", 11.0, kind="gas_concentration"), Verdict.TRUE),
        (Threshold(kind="measurement", above=10), row(None, 10.0, kind="measurement"), Verdict.FALSE),
        (Threshold(kind="measurement", below=10), row("ok", kind="measurement"), Verdict.UNKNOWN),
    ],
)
def test_verdicts(condition: StateIs | Threshold, known: DeviceState | None, verdict: Verdict) -> None:
    assert judge(condition, known) is verdict


@pytest.mark.parametrize(
    ("heard", "known", "settled"),
    [
        (reading("alarm"), None, ("alarm", None)),
        (reading(), None, (UNKNOWN, None)),
        (reading(), row("alarm"), (UNKNOWN, None)),
        (reading(UNKNOWN, 3.0), row("alarm"), (UNKNOWN, None)),
        (reading(value=math.nan), None, (UNKNOWN, None)),
        (reading(value=math.inf), row(None, 3.0), (UNKNOWN, None)),
        (reading("alarm", math.nan), None, ("alarm", None)),
        (reading("alarm", under_test=True), row("clear"), ("test", None)),
        (reading("clear", under_test=True), row("alarm"), ("clear", None)),
        (reading("pressed", kind="sos", under_test=True), None, ("test", None)),
        (reading("open", kind="contact", under_test=True), None, ("open", None)),
        (reading(value=3.0), row("alarm"), ("alarm", 3.0)),
        (reading(value=3.0), row(UNKNOWN), (None, 3.0)),
        (reading("clear"), row("alarm", 3.0), ("clear", 3.0)),
    ],
)
def test_what_is_known_after_a_reading(
    heard: Reading, known: DeviceState | None, settled: tuple[str | None, float | None]
) -> None:
    assert settle(heard, known) == settled


@pytest.mark.parametrize(
    ("heard", "known", "settled"),
    [
        # The older word is dropped where the newer one contradicts it …
        ({"value": 80.0}, ("low", None), (None, 80.0)),
        ({"value": 21.0}, ("low", 14.0), (None, 21.0)),
        ({"state": "ok"}, (None, 3.0), ("ok", None)),
        ({"state": "ok"}, ("low", 3.0), ("ok", None)),
        # … but noise is no contradiction, and what is said again is no news.
        ({"value": 81.0}, ("low", 80.0), ("low", 81.0)),
        ({"value": 13.0}, ("low", 14.0), ("low", 13.0)),
        ({"value": 3.0}, ("ok", 80.0), ("ok", 3.0)),
        ({"state": "ok"}, ("ok", 3.0), ("ok", 3.0)),
        ({"state": "low"}, (None, 80.0), ("low", 80.0)),
    ],
)
def test_a_battery_says_it_in_a_word_or_a_number(
    heard: dict[str, Any], known: tuple[str | None, float | None], settled: tuple[str | None, float | None]
) -> None:
    before = row(*known, kind="battery")

    assert settle(reading(kind="battery", at=NOON + HOUR, **heard), before) == settled


@pytest.mark.parametrize("heard", [{"value": 80.0}, {"state": "ok"}])
def test_both_words_of_one_message_count(heard: dict[str, Any]) -> None:
    before = row("low", 3.0, kind="battery")

    state, value = settle(reading(kind="battery", **heard), before)

    assert (state, value) == (heard.get("state", "low"), heard.get("value", 3.0))


@pytest.mark.parametrize(
    ("kind", "state", "alarm"),
    [
        ("gas", "alarm", True),
        ("sos", "pressed", True),
        ("fall", "alarm", True),
        ("fall", "warning", False),
        ("contact", "open", False),
        ("button", "pressed", False),
        ("gas", None, False),
    ],
)
def test_alarms(kind: str, state: str | None, alarm: bool) -> None:
    assert is_alarm(kind, state) is alarm


@pytest.mark.parametrize(
    ("kind", "state", "event"),
    [
        ("sos", "pressed", True),
        ("fall", "alarm", True),
        ("button", "single", True),
        ("sos", "cleared", False),
        ("gas", "alarm", False),
        ("contact", "open", False),
    ],
)
def test_events(kind: str, state: str, event: bool) -> None:
    assert is_event(kind, state) is event


@pytest.mark.parametrize(
    ("kind", "before", "state", "active"),
    [
        ("contact", "closed", "open", True),
        ("contact", "open", "closed", True),
        ("contact", "open", "open", False),
        ("contact", None, "open", False),
        ("contact", UNKNOWN, "open", False),
        ("contact", "open", UNKNOWN, False),
        ("vibration", None, "detected", True),
        ("vibration", "detected", "detected", True),
        ("vibration", "detected", "clear", True),
        ("vibration", "clear", "clear", False),
        ("motion", None, "detected", True),
        ("motion", "detected", "clear", False),
        ("presence", "detected", "detected", True),
        ("sos", None, "pressed", True),
        ("sos", "pressed", "cleared", False),
        ("fall", "clear", "alarm", True),
        ("button", None, "single", True),
        ("button", None, UNKNOWN, False),
        ("gas", "clear", "alarm", False),
        ("battery", "ok", "low", False),
    ],
)
def test_what_shows_a_persons_activity(kind: str, before: str | None, state: str, active: bool) -> None:
    known = None if before is None else row(before, kind=kind)

    assert shows_activity(kind, known, state) is active


def test_a_row_moves_on() -> None:
    first = moved(reading("clear", unit="%"), None, "clear", None, at=NOON, active=False)
    second = moved(reading("open"), first, "open", None, at=NOON + HOUR, active=True)

    assert (first.true_since, first.last_seen, first.active_at, first.unit) == (NOON, NOON, None, "%")
    assert (second.true_since, second.last_seen, second.active_at) == (NOON + HOUR,) * 3
    assert second.unit == "%"


def test_a_number_has_been_what_it_is_since_it_changed_but_a_word_beside_it_for_longer() -> None:
    number = moved(reading(value=3.0), row(None, 2.0), None, 3.0, at=NOON + HOUR, active=False)
    beside = moved(reading(value=3.0), row("ok", 2.0), "ok", 3.0, at=NOON + HOUR, active=False)

    assert number.true_since == NOON + HOUR
    assert beside.true_since == NOON


def test_who_has_only_been_spoken_of_was_not_heard() -> None:
    first = moved(reading(value=1.0, freshness=Freshness.RETAINED), None, "ok", 1.0, at=NOON, active=False)
    again = moved(reading(value=2.0, freshness=Freshness.CACHED), first, "ok", 2.0, at=NOON + HOUR, active=False)
    live = moved(reading(value=3.0), again, "ok", 3.0, at=NOON + 2 * HOUR, active=False)
    stale = moved(reading(freshness=Freshness.RETAINED), live, "low", 3.0, at=NOON + 3 * HOUR, active=False)

    assert [was_heard(one) for one in (first, again, live, stale)] == [False, False, True, True]
    assert stale.last_seen == NOON + 2 * HOUR


def known(*rows: DeviceState) -> dict[tuple[str, str], DeviceState]:
    return {(one.device_id, one.kind): one for one in rows}


def test_the_life_of_a_device_is_in_all_its_facts() -> None:
    states = known(row("clear"), row(None, 80.0, kind="battery", seen=NOON + HOUR))

    assert life("d", states) == Life(seen=NOON + HOUR, offline_since=None, heard=True)
    assert life("other", states) == Life(seen=None, offline_since=None, heard=False)


def test_that_it_is_called_offline_is_no_sign_of_life() -> None:
    offline = row("offline", kind="availability", since=NOON + HOUR, seen=NOON + 2 * HOUR)

    assert life("d", known(row("clear"), offline)) == Life(seen=NOON, offline_since=NOON + HOUR, heard=True)
    assert life("d", known(row("clear", seen=NOON + 2 * HOUR), offline)).offline_since is None


def test_that_it_is_called_online_is_one() -> None:
    online = row("online", kind="availability", seen=NOON + HOUR)

    assert life("d", known(row("clear"), online)).seen == NOON + HOUR


@pytest.mark.parametrize(
    ("alive", "hours"),
    [
        (Life(NOON, None, True), 3),
        (Life(NOON, NOON, True), 1),
        (Life(None, NOON, True), 1),
        (Life(NOON, NOON + 5 * HOUR, True), 3),
        (Life(None, None, False), None),
    ],
)
def test_when_silence_counts_as_offline(alive: Life, hours: int | None) -> None:
    expected = None if hours is None else NOON + hours * HOUR

    assert silent_at(SENSOR, alive, NO_TIME) == expected
    if expected is not None:
        assert silent_at(SENSOR, alive, HOUR) == expected + HOUR


def test_a_device_without_a_heartbeat_is_never_late() -> None:
    with pytest.raises(ValueError, match="no heartbeat"):
        silent_at(Device(id="d", home_id="h", kind="gas", source="s", name="d"), Life(NOON, None, True), NO_TIME)


@pytest.mark.parametrize(
    ("alive", "heartbeat_s", "trusted"),
    [
        (Life(NOON - HOUR, None, True), 3600, True),
        (Life(NOON - 2 * HOUR, None, True), 3600, False),
        (Life(NOON - 2 * HOUR, None, True), None, True),
        (Life(NOON, NOON, True), 3600, False),
        (Life(NOON, None, False), 3600, False),
        (Life(None, None, False), None, False),
    ],
)
def test_whose_quiet_can_be_trusted(alive: Life, heartbeat_s: int | None, trusted: bool) -> None:
    device = Device(id="d", home_id="h", kind="motion", source="s", name="d", heartbeat_s=heartbeat_s)

    assert can_tell(device, alive, NOON) is trusted


@pytest.mark.parametrize(
    ("changes", "hours", "state"),
    [
        ({}, 11, "alarm"),
        ({}, 12, "unknown"),
        ({"merged": True}, 10, "alarm"),
        ({"merged": True}, 11, "unknown"),
        ({"startup": True}, 30, "alarm"),
        ({"freshness": Freshness.CACHED}, 30, "alarm"),
        ({"state": "clear"}, 30, "alarm"),
    ],
)
def test_an_alarm_that_is_never_taken_back_wears_out(changes: Any, hours: int, state: str) -> None:
    """What the device says itself counts from its last word, what its gateway repeats from the alarm's beginning."""
    began = datetime(2026, 11, 23, 12, tzinfo=UTC)
    # It began an hour before it was last said.
    row = DeviceState(
        "d", "smoke", "alarm", None, None, began - timedelta(hours=1), began, active_at=None, freshness=Freshness.LIVE
    )
    reading = Reading("d", "smoke", began + timedelta(hours=hours), "alarm")._replace(**changes)

    assert worn_out(row, reading, 12 * 3600).state == state
