"""Which hours of the week shifts leave uncovered, and those hours in words. Local time; a day has 24 hours here."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from rules.periods import Shift
from shouwang.config.scalars import DAYS

_DAY: Final = 24 * 60
_WEEK: Final = 7 * _DAY


class Gap(NamedTuple):
    """Minutes from Monday 00:00; the end is not in it, and lies past the week's end where the gap does."""

    start: int
    end: int


def gaps(shifts: Iterable[Shift]) -> tuple[Gap, ...]:
    """Give the parts of the week in which none of these shifts is on."""
    found: list[Gap] = []
    covered_until = 0
    for start, end in sorted(part for shift in shifts for part in _parts(shift)):
        if start > covered_until:
            found.append(Gap(covered_until, start))
        covered_until = max(covered_until, end)
    if covered_until < _WEEK:
        found.append(Gap(covered_until, _WEEK))
    if len(found) > 1 and found[0].start == 0 and found[-1].end == _WEEK:
        found[-1] = Gap(found[-1].start, found.pop(0).end + _WEEK)
    return tuple(found)


def _parts(shift: Shift) -> Iterable[tuple[int, int]]:
    start = shift.window.start.hour * 60 + shift.window.start.minute
    end = shift.window.end.hour * 60 + shift.window.end.minute
    length = (end - start) % _DAY or _DAY
    for day in shift.days:
        begin = day * _DAY + start
        yield begin, min(begin + length, _WEEK)
        if begin + length > _WEEK:
            yield 0, begin + length - _WEEK


def in_words(found: Iterable[Gap]) -> str:
    """Say `mon-sun 22:00-07:00`, `sat 12:00 to mon 08:00`; the end of a day is 24:00."""
    by_hours: dict[tuple[int, int], list[int]] = {}
    longer: list[str] = []
    for start, end in found:
        if end - start >= _WEEK:
            return "mon-sun 00:00-24:00"
        if end - start <= _DAY:
            by_hours.setdefault((start % _DAY, end - start), []).append(start // _DAY)
        else:
            longer.append(f"{_moment(start)} to {_moment(end)}")
    daily = [
        f"{_day_names(days)} {_clock(start)}-{_clock((start + length) % _DAY or _DAY)}"
        for (start, length), days in by_hours.items()
    ]
    return ", ".join(daily + longer)


def _moment(minute: int) -> str:
    return f"{DAYS[minute // _DAY % 7]} {_clock(minute % _DAY)}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _day_names(days: list[int]) -> str:
    runs: list[list[int]] = []
    for day in sorted(days):
        if runs and day == runs[-1][-1] + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ",".join(DAYS[run[0]] if len(run) == 1 else f"{DAYS[run[0]]}-{DAYS[run[-1]]}" for run in runs)
