"""Uncovered hours of the week, against a look at every minute."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.periods import DailyWindow, Shift
from shouwang.config.hours import gaps, in_words
from shouwang.config.scalars import shift


@pytest.mark.parametrize(
    ("shifts", "words"),
    [
        (["mon-sun 07:00-22:00"], "mon-sun 22:00-07:00"),
        (["mon-sun 22:00-07:00"], "mon-sun 07:00-22:00"),
        (["mon-sun 00:00-24:00"], ""),
        (["mon-sun 08:00-08:00"], ""),
        (["mon-sun 07:00-22:00", "mon-sun 22:00-07:00"], ""),
        (["mon-fri 08:00-20:00"], "mon-thu 20:00-08:00, fri 20:00 to mon 08:00"),
        (["mon-sun 00:00-12:00"], "mon-sun 12:00-24:00"),
        (["mon-fri 00:00-24:00"], "sat 00:00 to mon 00:00"),
        (["tue-sun 00:00-24:00"], "mon 00:00-24:00"),
        (["mon-sun 06:00-12:00", "mon-sun 13:00-06:00"], "mon-sun 12:00-13:00"),
        (["mon,wed,fri 09:00-09:30"], "mon 09:30 to wed 09:00, wed 09:30 to fri 09:00, fri 09:30 to mon 09:00"),
        ([], "mon-sun 00:00-24:00"),
    ],
)
def test_hours_in_words(shifts: list[str], words: str) -> None:
    assert in_words(gaps(shift(text) for text in shifts)) == words


moments = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30]))
shifts = st.builds(
    lambda days, start, end: Shift(days=days, window=DailyWindow(start=start, end=end)),
    st.frozensets(st.integers(0, 6), min_size=1),
    moments,
    moments,
)


@given(st.lists(shifts, max_size=4))
def test_a_gap_is_where_no_shift_contains_the_moment(team: list[Shift]) -> None:
    """A second opinion by the rule that decides on duty itself, every quarter of an hour of a week."""
    uncovered = gaps(team)
    monday, week, zone = datetime(2026, 1, 5, tzinfo=UTC), 7 * 24 * 60, ZoneInfo("UTC")
    for minute in range(0, week, 15):
        moment = monday + timedelta(minutes=minute)
        in_gap = any(gap.start <= at < gap.end for gap in uncovered for at in (minute, minute + week))

        assert in_gap is not any(one.contains(moment, zone) for one in team)
