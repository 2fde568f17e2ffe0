"""A clock that is moved by hand, for worlds in virtual time."""

from datetime import UTC, datetime, timedelta


class HandClock:
    """Stands still until it is moved; never goes back."""

    def __init__(self, start: datetime = datetime(2026, 3, 1, 19, 0, tzinfo=UTC)) -> None:
        self.time = start

    def now(self) -> datetime:
        """The time it shows."""
        return self.time

    def move(self, seconds: float) -> None:
        """Let so many seconds pass."""
        self.move_to(self.time + timedelta(seconds=seconds))

    def move_to(self, moment: datetime) -> None:
        """Let it be so late, if it is not yet."""
        self.time = max(self.time, moment)
