"""Windows of the day and shifts of the week, in a named time zone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


class Span(NamedTuple):
    """An unbroken stretch of time, aware and in UTC; the end is not in it."""

    start: datetime
    end: datetime


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

    def span(self, moment: datetime, zone: ZoneInfo) -> Span:
        """Give the stretch of the window that an aware moment lies in, or else the next one to begin.

        It is exactly where `contains` is true, also on a day on which the clocks change: a window that is skipped does
        not occur, one whose hour comes twice occurs twice. A window that is the whole day has neither start nor end.
        """
        if self.start == self.end:
            return Span(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
        moment = moment.astimezone(UTC)
        offset = moment.astimezone(zone).utcoffset()
        around = (moment - 2 * _DAY, moment + 3 * _DAY)
        if offset is not None and all(day.astimezone(zone).utcoffset() == offset for day in around):
            return self._span_of_steady_clocks(moment, offset)
        edges = sorted(set(self._edges(moment, zone)))
        # Between two neighbouring edges nothing changes, so the first instant of each piece speaks for all of it.
        pieces = [(edge, self.contains(edge, zone)) for edge in edges]
        start: datetime | None = None
        for edge, inside in pieces:
            if inside and start is None:
                start = edge
            elif not inside and start is not None:
                if edge > moment:
                    return Span(start, edge)
                start = None
        raise AssertionError(f"no stretch of {self} within days of {moment}")  # pragma: no cover

    def _span_of_steady_clocks(self, moment: datetime, offset: timedelta) -> Span:
        """Give the stretch without looking for changes of the clocks, which few days have."""
        yesterday = (moment + offset).date() - _DAY
        length = (datetime.combine(yesterday, self.end) - datetime.combine(yesterday, self.start)) % _DAY
        start = datetime.combine(yesterday, self.start, tzinfo=UTC) - offset
        while start + length <= moment:
            start += _DAY
        return Span(start, start + length)

    def _edges(self, moment: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        """Every instant around a moment at which `contains` may change: both ends, and changes of the clocks."""
        today = moment.astimezone(zone).date()
        for days in range(-2, 5):
            for boundary in (self.start, self.end):
                for fold in (0, 1):
                    local = datetime.combine(today + days * _DAY, boundary, tzinfo=zone)
                    yield local.replace(fold=fold).astimezone(UTC)
        for days in range(-3, 6):
            yield from _clock_change(moment + days * _DAY, zone)


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


def held_at(since: datetime, hold: timedelta, window: DailyWindow | None, zone: ZoneInfo) -> datetime | None:
    """Say when something true since an aware moment will have been true for `hold` within one stretch of the window.

    Time outside the window does not count, and what is left of one stretch is not carried into the next. None: the
    window is shorter than the hold, so that it can never be.
    """
    if window is None:
        return since + hold
    begin = since
    # What is left of the first stretch may be too short, and a change of the clocks may cut the second.
    for _ in range(4):
        span = window.span(begin, zone)
        due = max(since, span.start) + hold
        if due <= span.end:
            return due
        begin = span.end
    return None


def _clock_change(start: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """Find the change of the clocks within the day after `start` (in UTC), if there is one."""
    low, high = start.replace(microsecond=0), start.replace(microsecond=0) + _DAY
    before = low.astimezone(zone).utcoffset()
    if high.astimezone(zone).utcoffset() == before:
        return
    while high - low > _SECOND:
        middle = low + (high - low) // _SECOND // 2 * _SECOND
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    yield high
