"""The time of the story."""

from datetime import UTC, datetime, timedelta

from shouwang.demo.clock import StoryClock

START = datetime(2026, 3, 2, 13, 43, tzinfo=UTC)


class Real:
    """A real clock, moved by hand."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_it_stands_still_until_it_is_told_how_far_it_may_go() -> None:
    real = Real()
    clock = StoryClock(START, monotonic=real)
    real.seconds += 5

    assert clock.now() == START


def test_it_goes_at_its_speed_and_not_past_the_barrier() -> None:
    real = Real()
    clock = StoryClock(START, monotonic=real)
    clock.speed = 10
    clock.stop_at(after(60))
    assert clock.real_s_until(after(60)) == 6

    real.seconds += 2
    assert clock.now() == after(20)
    real.seconds += 100
    assert clock.now() == after(60)


def test_what_passed_at_a_barrier_is_not_caught_up_with() -> None:
    """However long something takes, the story goes on from where it stood."""
    real = Real()
    clock = StoryClock(START, monotonic=real)
    clock.stop_at(after(1))
    real.seconds += 50
    clock.stop_at(after(100))

    assert clock.now() == after(1)
    real.seconds += 3
    assert clock.now() == after(4)


def test_a_new_speed_counts_from_now() -> None:
    real = Real()
    clock = StoryClock(START, monotonic=real)
    clock.stop_at(after(10_000))
    real.seconds += 4
    clock.speed = 100
    real.seconds += 1

    assert clock.now() == after(104)


def test_it_never_goes_back() -> None:
    real = Real()
    clock = StoryClock(START, monotonic=real)
    clock.stop_at(after(100))
    real.seconds += 10
    clock.stop_at(after(5))

    assert clock.now() == after(10)
