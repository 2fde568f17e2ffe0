"""Windows of the day, also on the days on which the clocks change."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.periods import DailyWindow, Shift, held_at

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = DailyWindow(start=time(22), end=time(6))
MINUTE = timedelta(minutes=1)


def local(text: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


@pytest.mark.parametrize(
    ("clock", "inside"),
    [
        ("21:59", False),
        ("22:00", True),
        ("23:59", True),
        ("00:00", True),
        ("05:59", True),
        ("06:00", False),
        ("12:00", False),
    ],
)
def test_a_window_past_midnight(clock: str, inside: bool) -> None:
    assert NIGHT.contains(local(f"2026-03-02 {clock}"), SHANGHAI) is inside


@pytest.mark.parametrize(
    ("moment", "start", "end"),
    [
        ("2026-03-02 23:00", "2026-03-02 22:00", "2026-03-03 06:00"),
        ("2026-03-03 02:00", "2026-03-02 22:00", "2026-03-03 06:00"),
        ("2026-03-03 06:00", "2026-03-03 22:00", "2026-03-04 06:00"),
        ("2026-03-03 21:59", "2026-03-03 22:00", "2026-03-04 06:00"),
        ("2026-03-03 22:00", "2026-03-03 22:00", "2026-03-04 06:00"),
    ],
)
def test_the_stretch_a_moment_lies_in_or_the_next(moment: str, start: str, end: str) -> None:
    assert NIGHT.span(local(moment), SHANGHAI) == (local(start), local(end))


def test_a_window_by_day() -> None:
    day = DailyWindow(start=time(8), end=time(20))

    assert day.span(local("2026-03-02 07:00"), SHANGHAI) == (local("2026-03-02 08:00"), local("2026-03-02 20:00"))
    assert day.span(local("2026-03-02 20:00"), SHANGHAI) == (local("2026-03-03 08:00"), local("2026-03-03 20:00"))


def test_the_whole_day_has_no_end() -> None:
    """A window whose ends are equal is always on, so a hold in it never has to start again at midnight."""
    always = DailyWindow(start=time(0), end=time(0))

    since = local("2026-03-02 23:50")
    assert always.contains(since, SHANGHAI)
    assert held_at(since, timedelta(hours=30), always, SHANGHAI) == since + timedelta(hours=30)


def test_a_night_with_changing_clocks_is_an_hour_longer_or_shorter() -> None:
    autumn = NIGHT.span(local("2026-10-25 00:00", BERLIN), BERLIN)
    spring = NIGHT.span(local("2026-03-29 00:00", BERLIN), BERLIN)

    assert autumn.end - autumn.start == timedelta(hours=9)
    assert spring.end - spring.start == timedelta(hours=7)


def test_a_window_in_the_hour_that_is_skipped_does_not_occur() -> None:
    skipped = DailyWindow(start=time(2, 15), end=time(2, 45))

    span = skipped.span(local("2026-03-29 00:00", BERLIN), BERLIN)

    assert span == (local("2026-03-30 02:15", BERLIN), local("2026-03-30 02:45", BERLIN))


def test_a_window_that_begins_in_the_hour_that_is_skipped_begins_after_it() -> None:
    window = DailyWindow(start=time(2, 30), end=time(4))

    span = window.span(local("2026-03-29 00:00", BERLIN), BERLIN)

    assert span == (local("2026-03-29 03:00", BERLIN), local("2026-03-29 04:00", BERLIN))


def test_a_window_in_the_hour_that_comes_twice_occurs_twice() -> None:
    twice = DailyWindow(start=time(2, 15), end=time(2, 45))

    first = twice.span(local("2026-10-25 00:00", BERLIN), BERLIN)
    second = twice.span(first.end, BERLIN)

    assert second.start - first.start == timedelta(hours=1)
    assert first.end - first.start == second.end - second.start == 30 * MINUTE


@given(
    st.times(),
    st.times(),
    st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 hypothesis wants naive bounds and adds the zone
    st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns"]),
)
def test_a_span_is_where_the_window_is(start: time, end: time, moment: datetime, zone_name: str) -> None:
    """`span` and `contains` never disagree, and no stretch is left out between the moment and the one that is given."""
    window, zone = DailyWindow(start=start, end=end), ZoneInfo(zone_name)
    if start == end:
        return

    span = window.span(moment, zone)

    instant = timedelta(microseconds=1)
    assert span.end > moment
    assert window.contains(span.start, zone)
    assert not window.contains(span.start - instant, zone)
    assert window.contains(span.end - instant, zone)
    assert not window.contains(span.end, zone)
    assert window.contains(moment, zone) is (span.start <= moment)
    steps = int((span.start - moment) / (7 * MINUTE))
    assert not any(window.contains(moment + step * 7 * MINUTE, zone) for step in range(steps))


@pytest.mark.parametrize(
    ("since", "due"),
    [
        ("2026-03-02 21:00", "2026-03-02 22:15"),  # counts from the window's start
        ("2026-03-02 22:00", "2026-03-02 22:15"),
        ("2026-03-03 03:00", "2026-03-03 03:15"),
        ("2026-03-03 05:45", "2026-03-03 06:00"),  # just fits
        ("2026-03-03 05:46", "2026-03-03 22:15"),  # would pass the end, so the next window
        ("2026-03-03 12:00", "2026-03-03 22:15"),
    ],
)
def test_a_hold_is_served_within_one_window(since: str, due: str) -> None:
    assert held_at(local(since), 15 * MINUTE, NIGHT, SHANGHAI) == local(due)


def test_a_hold_without_a_window_and_a_window_without_a_hold() -> None:
    noon = local("2026-03-02 12:00")

    assert held_at(noon, 15 * MINUTE, None, SHANGHAI) == noon + 15 * MINUTE
    assert held_at(noon, timedelta(0), NIGHT, SHANGHAI) == local("2026-03-02 22:00")


def test_a_hold_longer_than_its_window_never_ends() -> None:
    assert held_at(local("2026-03-02 12:00"), timedelta(hours=9), NIGHT, SHANGHAI) is None


def test_a_shift_past_midnight_belongs_to_the_day_it_begins_on() -> None:
    monday_night = Shift(days=frozenset({0}), window=NIGHT)

    assert monday_night.contains(local("2026-03-02 23:00"), SHANGHAI)
    assert monday_night.contains(local("2026-03-03 05:00"), SHANGHAI)
    assert not monday_night.contains(local("2026-03-02 05:00"), SHANGHAI)
