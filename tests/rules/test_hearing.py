from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.hearing import Gap, common, credited, lost

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def at(hours: float) -> datetime:
    return NOON + timedelta(hours=hours)


@pytest.mark.parametrize(
    ("gaps", "hours"),
    [
        ([], 0),
        ([(1, 3)], 2),
        # Only what lies between the two times counts.
        ([(-5, -1)], 0),
        ([(-5, 1)], 1),
        ([(9, 12)], 1),
        ([(11, 12)], 0),
        ([(-5, 20)], 10),
        # What lies in two gaps is lost once.
        ([(1, 3), (2, 5)], 4),
        ([(1, 9), (2, 3), (4, 5)], 8),
        ([(6, 7), (1, 2)], 2),
        ([(3, 3)], 0),
    ],
)
def test_what_is_lost_of_ten_hours(gaps: list[tuple[float, float]], hours: float) -> None:
    given_gaps = [Gap(at(began), at(ended)) for began, ended in gaps]

    assert lost(NOON, given_gaps, at(10)) == timedelta(hours=hours)
    assert credited(NOON, given_gaps, at(10)) == at(hours)


_HOURS = st.integers(-20, 40)


@given(st.lists(st.tuples(_HOURS, _HOURS).map(sorted), max_size=5))
def test_each_hour_is_lost_at_most_once(gaps: list[list[int]]) -> None:
    """However often something starts anew, silence gets longer by the gaps and by no more."""
    missing = {hour for began, ended in gaps for hour in range(began, ended) if 0 <= hour < 10}

    assert lost(NOON, [Gap(at(began), at(ended)) for began, ended in gaps], at(10)) == timedelta(hours=len(missing))


@given(*[st.lists(st.tuples(_HOURS, _HOURS).map(sorted), max_size=4)] * 2)
def test_what_two_miss_together(one: list[list[int]], other: list[list[int]]) -> None:
    """An hour is missed only where both miss it."""

    def hours(gaps: list[list[int]]) -> set[int]:
        return {hour for began, ended in gaps for hour in range(began, ended)}

    both = common(*([Gap(at(began), at(ended)) for began, ended in gaps] for gaps in (one, other)))

    missing = {hour for hour in hours(one) & hours(other) if 0 <= hour < 10}
    assert lost(NOON, both, at(10)) == timedelta(hours=len(missing))
