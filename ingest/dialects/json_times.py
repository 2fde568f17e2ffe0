"""A device's own time, as a gateway of one's own writes it."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ingest.dialects.common import number, observed
from rules.community import Layout

#: Numbers since 1970, by how many make a second; and text as ISO 8601 has it.
FORMATS: dict[str, float] = {"s": 1, "ms": 1e3, "us": 1e6, "ns": 1e9, "iso": 0}

#: Forms that are ISO 8601, which is read ten times as fast.
_ISO = frozenset({None, "iso", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"})


def read(value: Any, layout: Layout, received_at: datetime) -> datetime | None:
    """Read a time; None where it cannot be true, or is text without a zone of which the layout gives none."""
    form = layout.time_format
    try:
        if form is None:
            figure = number(value)
            if figure is not None:
                return observed(figure, received_at)
        elif per_second := FORMATS.get(form):
            # Nanoseconds are more than any measured number may be.
            figure = float(value) if type(value) in {int, float, str} else None
            return None if figure is None else _sane(datetime.fromtimestamp(figure / per_second, UTC), received_at)
        if type(value) is not str:
            return None
        at = datetime.fromisoformat(value) if form in _ISO else datetime.strptime(value, form or "")  # noqa: DTZ007 - see below
        if at.tzinfo is None:
            zone = _zone(layout.time_zone)
            if zone is None:
                return None
            at = at.replace(tzinfo=zone)
        return _sane(at.astimezone(UTC), received_at)
    except (ValueError, OverflowError, OSError):
        return None


def _sane(at: datetime, received_at: datetime) -> datetime | None:
    return observed(at.timestamp(), received_at)


@lru_cache(maxsize=64)
def _zone(name: str | None) -> ZoneInfo | None:
    try:
        return None if name is None else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
