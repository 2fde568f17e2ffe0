"""The one place where the time of day is read."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Says what time it is; tests hand in one that they move by hand."""

    def now(self) -> datetime:
        """The time as an aware datetime in UTC."""
        ...


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        """The time as an aware datetime in UTC."""
        return datetime.now(UTC)


def elapsed() -> float:
    """Seconds by a clock that nobody sets; where there is such a one, it goes on while the machine is suspended."""
    return time.clock_gettime(_UNSET)


_UNSET = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
