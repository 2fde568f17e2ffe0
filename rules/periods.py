"""Windows of the day and shifts of the week, in a named time zone."""

from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyWindow:
    """From a time of day to another, past midnight where `end` is not after `start`; the end is not in it."""

    start: time
    end: time

    def contains(self, moment: datetime, zone: ZoneInfo) -> bool:
        """Say whether an aware moment lies in the window of its local day."""
        local = moment.astimezone(zone).time()
        if self.start < self.end:
            return self.start <= local < self.end
        return local >= self.start or local < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A window of the day on some days of the week (0 is Monday). The day is the one on which the window begins."""

    days: frozenset[int]
    window: DailyWindow

    def contains(self, moment: datetime, zone: ZoneInfo) -> bool:
        """Say whether somebody with this shift is on duty at an aware moment."""
        if not self.window.contains(moment, zone):
            return False
        local = moment.astimezone(zone)
        begins_yesterday = self.window.start >= self.window.end and local.time() < self.window.end
        return (local.weekday() - begins_yesterday) % 7 in self.days
