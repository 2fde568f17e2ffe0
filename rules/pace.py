"""How fast messages may leave: what providers allow, kept for ordinary messages so that it is there for urgent ones.

A life-safety page is never held back: what the provider itself then refuses is tried again, and put together with what
waits by then (rules/bundle.py). Everything else waits its turn: it leaves a part of what a provider allows to
life-safety pages, and to one person by one way it leaves no more often than every few seconds, so that what comes in
quick succession is one message.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from rules.decisions import Delivery, Priority

#: Of what a provider allows, life-safety pages have this much to themselves.
RESERVE = 0.25

_LONG_AGO = datetime.min.replace(tzinfo=UTC)

#: The longest time over which a limit may count.
LONGEST = timedelta(minutes=5)

#: Clocks of two processes may differ by so much.
_SKEW = timedelta(seconds=30)


class Limit(NamedTuple):
    """So many messages within so many seconds."""

    messages: int
    seconds: int


#: What providers allow, by the name of a channel for all of its messages, or by the scheme of an Apprise address for
#: each address. SMS and voice: a long number of Twilio sends one part and begins one call a second. WeCom's and
#: DingTalk's robots: 20 a minute, and DingTalk then blocks for ten minutes. Feishu's: 5 a second and 100 a minute.
#: ntfy's public server: 60 at once, then one in five seconds. Figures of the providers' own documentation, 2026.
KNOWN: Mapping[str, tuple[Limit, ...]] = {
    "sms": (Limit(60, 60),),
    "voice": (Limit(60, 60),),
    "wecombot": (Limit(20, 60),),
    "dingtalk": (Limit(20, 60),),
    "feishu": (Limit(5, 1), Limit(100, 60)),
    "lark": (Limit(5, 1), Limit(100, 60)),
    "ntfy": (Limit(60, 300),),
    "ntfys": (Limit(60, 300),),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pacing:
    """What holds for ordinary messages."""

    #: As KNOWN; a name that is not there is not limited.
    limits: Mapping[str, tuple[Limit, ...]] = field(default_factory=lambda: KNOWN)
    #: Seconds between two messages to one person by one way; 0 for none.
    gap_s: int = 10


class Sent(NamedTuple):
    """A message that has left, or is leaving: one row for all that is in it."""

    channel: str
    address: str
    recipient_id: str
    priority: int
    at: datetime


def is_held(delivery: Delivery) -> bool:
    """Whether a delivery is one that waits its turn at all (invariant life-first)."""
    return delivery.priority is not Priority.LIFE_SAFETY_PAGE


def turns(
    waiting: Iterable[Delivery], *, sent: Iterable[Sent], pacing: Pacing, now: datetime
) -> list[tuple[Delivery, datetime]]:
    """Say when each of some messages may leave, in their order; `now` for those that may at once.

    `sent` is what left within LONGEST. Each one that is given a turn counts for those behind it.
    """
    # What is said to have left later than now has left before the clock was set back; nobody knows when.
    left = [one for one in sent if one.at <= now + _SKEW]
    given = []
    for one in waiting:
        at = _turn(one, left, pacing, now) if is_held(one) else now
        left.append(Sent(one.channel, one.address, one.recipient_id, int(one.priority), at))
        given.append((one, at))
    return given


def names(delivery: Delivery) -> tuple[str, str]:
    """Give the names under which limits are looked up: that of the channel, and that of what the address belongs to."""
    scheme, found, _ = delivery.address.partition("://")
    return delivery.channel, scheme.lower() if found and delivery.channel == "apprise" else ""


def _turn(one: Delivery, left: Sequence[Sent], pacing: Pacing, now: datetime) -> datetime:
    channel, scheme = names(one)
    by_channel = [each.at for each in left if each.channel == one.channel]
    to_address = [each.at for each in left if each.channel == one.channel and each.address == one.address]
    at = now
    for limit in pacing.limits.get(channel, ()):
        at = max(at, _free(by_channel, limit))
    for limit in pacing.limits.get(scheme, ()):
        at = max(at, _free(to_address, limit))
    # News of an alarm tells people that they need not go: it waits for the provider alone.
    if pacing.gap_s and not _is_urgent(one.priority):
        to_person = [
            each.at
            for each in left
            if each.recipient_id == one.recipient_id and each.channel == one.channel and not _is_urgent(each.priority)
        ]
        at = max([at, *(each + timedelta(seconds=pacing.gap_s) for each in to_person)])
    return at


def _is_urgent(priority: int) -> bool:
    return priority in {Priority.LIFE_SAFETY_PAGE, Priority.LIFE_SAFETY_INFORM}


def _free(times: Sequence[datetime], limit: Limit) -> datetime:
    """From when on one more is within a limit, its reserve left free."""
    allowed = max(1, int(limit.messages * (1 - RESERVE)))
    if len(times) < allowed:
        return _LONG_AGO
    return sorted(times)[-allowed] + timedelta(seconds=limit.seconds)
