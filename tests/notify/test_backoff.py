"""The waiting times, row by row."""

import itertools
import math

import pytest

from notify.backoff import ASK_AT_MOST_S, FIRST_ASK_S, ask_delay_s, retry_delay_s


@pytest.mark.parametrize(
    ("attempts", "retry_after_s", "delay_s"),
    [
        (0, None, 2),
        (1, None, 2),
        (2, None, 4),
        (3, None, 8),
        (4, None, 15),
        (5, None, 30),
        (6, None, 60),
        (7, None, 60),
        (1000, None, 60),
        # The provider's word is honoured where it is longer than ours, up to two minutes.
        (1, 1.0, 2),
        (1, 20.0, 20),
        (5, 20.0, 30),
        (1, 3600.0, 120),
        (1, math.inf, 120),
        # Nonsense is not.
        (1, 0.0, 2),
        (1, -5.0, 2),
        (1, math.nan, 2),
    ],
)
def test_the_next_try(attempts: int, retry_after_s: float | None, delay_s: float) -> None:
    assert retry_delay_s(attempts, retry_after_s) == delay_s


@pytest.mark.parametrize(
    ("age_s", "delay_s"), [(-1, 15), (0, 15), (5, 10), (14, 1), (15, 15), (30, 30), (45, 45), (60, 60), (600, 60)]
)
def test_the_next_question_about_a_doubt(age_s: float, delay_s: float) -> None:
    assert ask_delay_s(age_s) == delay_s


def test_a_doubt_is_never_asked_about_before_a_late_request_has_landed() -> None:
    """A request may take 10 s; asking earlier could hear "absent" of a message that is about to arrive (one-page)."""
    age, ages = 0.0, []
    for _ in range(5):
        age += ask_delay_s(age)
        ages.append(age)
    assert ages[0] == FIRST_ASK_S > 10
    assert max(b - a for a, b in itertools.pairwise(ages)) <= ASK_AT_MOST_S
