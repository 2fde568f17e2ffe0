"""The clock of the machine."""

from datetime import UTC, datetime

from shouwang.clock import Clock, SystemClock


def test_it_gives_the_time_in_utc() -> None:
    clock: Clock = SystemClock()
    before, now, after = datetime.now(UTC), clock.now(), datetime.now(UTC)

    assert before <= now <= after
    assert now.tzinfo is UTC
