"""Times in which somebody could not be heard, and what silence is worth that falls into them.

A gateway that is off, or a service that was down, must not make every sensor behind it look silent. But a clock that
begins anew with each of their starts would hide a dead sensor behind one that starts often. So each gap counts for what
it is: silence is longer by it, and nothing else changes.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple


class Gap(NamedTuple):
    """A time, from and until, in which nothing could be heard."""

    began: datetime
    ended: datetime


def common(one: Iterable[Gap], other: Iterable[Gap]) -> list[Gap]:
    """Give the times that lie in gaps of the one as of the other: where either may be heard, both must be missed."""
    others = list(other)
    pairs = [Gap(max(a.began, b.began), min(a.ended, b.ended)) for a in one for b in others]
    return [gap for gap in pairs if gap.began < gap.ended]


def lost(since: datetime, gaps: Iterable[Gap], now: datetime) -> timedelta:
    """Give how much of the time from `since` to `now` lies in gaps; these may overlap, in any order."""
    total = timedelta()
    at = since
    for gap in sorted(gaps):
        began, ended = max(gap.began, at), min(gap.ended, now)
        if ended > began:
            total += ended - began
            at = ended
    return total


def credited(since: datetime, gaps: Iterable[Gap], now: datetime) -> datetime:
    """Give the time from which silence that began at `since` counts at `now`: later by what was lost of it."""
    return since + lost(since, gaps, now)


#: Who could not be heard is given so long to speak up after it can be: Zigbee2MQTT gives mains-powered devices ten
#: minutes before it calls them offline, and as many after its own start.
GRACE = timedelta(minutes=10)


def not_before(moment: datetime, back_at: datetime | None) -> datetime:
    """Give when silence that would count from `moment` does, where it could be heard again only since `back_at`.

    Within GRACE of that nothing is made of it. Yet a gateway that starts again and again hides nothing for longer than
    GRACE: so much silence beyond its time counts whatever happened meanwhile.
    """
    return moment if back_at is None else min(max(moment, back_at + GRACE), moment + GRACE)
