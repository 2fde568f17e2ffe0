"""What several dialects need."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import orjson

from ingest.decoded import Decoded
from ingest.message import FULL_BATCH, Message
from rules.readings import Freshness

_FAR_PAST = timedelta(days=366)
_FUTURE = timedelta(minutes=5)
#: A sample that is older when it comes was kept somewhere meanwhile: it is history, and pages nobody.
LATE = timedelta(minutes=10)
#: What is before was said by a clock that nobody had set.
_CLOCKS_SET = datetime(2000, 1, 1, tzinfo=UTC)
#: Smaller numbers are seconds since 1970, larger ones milliseconds.
_MILLISECONDS_FROM = 100_000_000_000
#: Documents of a batch are remembered between asking for names and decoding, as far as they are small.
_SMALL = 4096


def observed(value: Any, received_at: datetime) -> datetime | None:
    """Read a device's own time: ISO 8601 with a zone, or seconds or milliseconds since 1970.

    None where it cannot be true: no zone, more than a year old, or more than five minutes ahead of the receive time.
    """
    try:
        if type(value) is str:
            at = datetime.fromisoformat(value)
            if at.tzinfo is None:
                return None
            at = at.astimezone(UTC)
        elif type(value) in {int, float}:
            at = datetime.fromtimestamp(value / 1000 if value >= _MILLISECONDS_FROM else value, UTC)
        else:
            return None
        return at if received_at - _FAR_PAST <= at <= received_at + _FUTURE else None
    except (ValueError, OverflowError, OSError):
        return None


def is_late(value: Any, received_at: datetime) -> bool:
    """Tell whether a sample's time, in the forms that observed() reads, says that it is history, of however long ago.

    A time that cannot be true, of a clock that was never set or that goes ahead, says nothing.
    """
    try:
        if type(value) is str:
            at = datetime.fromisoformat(value)
        elif type(value) in {int, float}:
            at = datetime.fromtimestamp(value / 1000 if value >= _MILLISECONDS_FROM else value, UTC)
        else:
            return False
        return at.tzinfo is not None and _CLOCKS_SET <= at < received_at - LATE
    except (ValueError, OverflowError, OSError):
        return False


def freshness(message: Message) -> Freshness:
    """Tell what the retain flag says of a fact."""
    return Freshness.RETAINED if message.retain else Freshness.LIVE


def number(value: Any) -> float | None:
    """Read a number, also from text such as "80.00"; None for everything else, nan and infinity included."""
    if type(value) is str:
        try:
            value = float(value)
        except ValueError:
            return None
    if type(value) not in {int, float}:
        return None
    # nan and the infinities fail this; a device's numbers are never so large.
    return float(value) if -1e15 < value < 1e15 else None


def parse(payload: bytes) -> Any:
    """Read JSON; raises ValueError."""
    return orjson.loads(payload)


_remembered = lru_cache(maxsize=FULL_BATCH)(parse)


def parsed(payload: bytes) -> Any:
    """Read JSON that is looked at twice, for names and for facts; raises ValueError. It is not to be changed."""
    return _remembered(payload) if len(payload) <= _SMALL else parse(payload)


def word(payload: bytes) -> str | None:
    """Read a payload that is `word`, `"word"` or `{"state": "word"}`, in small letters; None where it is none."""
    try:
        value: Any = orjson.loads(payload)
    except ValueError:
        value = payload.decode("utf-8", "replace")
    if type(value) is dict:
        value = value.get("state")
    return value.strip().lower() if type(value) is str else None


def unknown_device(source: str, name: str) -> Decoded:
    """Say that a name is in no file."""
    return Decoded(
        quarantine=("unknown_device", f"Source {source} has no device named {shorten(name)!r} in devices.yaml."),
        strangers=(name,),
        source=source,
    )


def shorten(text: str, most: int = 80) -> str:
    """Keep a sentence readable whatever a device has sent."""
    return text if len(text) <= most else text[: most - 1] + "…"
