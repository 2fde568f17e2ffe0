"""The time of the story: faster than the real one while all is quiet, and never ahead of what is still to be done."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta


class StoryClock:
    """Shows aware UTC times from `start` on; `speed` of its seconds pass in a real one.

    It stands still at a barrier until the barrier is moved. The stage puts one at whatever is due next, so that a step
    of a minute is never late because an hour passes in a second, however busy the machine is.
    """

    def __init__(self, start: datetime, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._shown = start
        self._since = monotonic()
        self._barrier = start
        self._speed = 1.0

    def now(self) -> datetime:
        """The time of the story."""
        passed = timedelta(seconds=(self._monotonic() - self._since) * self._speed)
        return max(self._shown, min(self._shown + passed, self._barrier))

    @property
    def speed(self) -> float:
        """Seconds of the story in a real second."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        self._go_on_from_here()
        self._speed = speed

    def stop_at(self, barrier: datetime) -> None:
        """Go on, but not past this time; one that has passed already stops the clock where it is."""
        self._go_on_from_here()
        self._barrier = max(barrier, self._shown)

    def real_s_until(self, moment: datetime) -> float:
        """Real seconds until the clock shows a time, at its present speed."""
        return max(0.0, (moment - self.now()).total_seconds() / self._speed)

    def _go_on_from_here(self) -> None:
        # What has passed while it stood at a barrier is not caught up with.
        self._shown = self.now()
        self._since = self._monotonic()
