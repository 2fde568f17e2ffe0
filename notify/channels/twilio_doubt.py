"""Finding at Twilio what a request that was never answered may have left there (invariant one-page).

Twilio has no idempotency keys, so a delivery is recognised by what it is: its recipient, its text, its time. Traps:

* What is still queued has no date of sending, and no list that is filtered by that date shows it. So the newest items
  to a number are looked at without the filter first.
* Their times are Twilio's and ours are ours. A clock of ours that was wrong when a text left must not make what is
  there look too old to be it: how far our clock is off now is seen by the date of Twilio's answers.
* One person can get the same text twice, and calls carry no text at all. So an item that belongs to another delivery
  must not be taken for this one: what this process has sent or found is remembered here, what others have is asked of
  the outbox by `taken`.

* Two calls to one number may be in doubt at the same time, and only one of them may have landed. It belongs to the
  request that was made just before it (`belongs_to_another`). Where both were made within seconds of one another,
  either may be taken for it; the status callback, which names the delivery, usually settles both before anybody asks.

An item that Twilio does not list yet is ABSENT here: whoever hears that has to know how old the doubt is.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime, timedelta
from typing import Any

from notify.channel import DoubtOutcome, DoubtResult
from notify.channels.http import MayHaveLeftError, NeverLeftError
from notify.channels.twilio_client import RefusedError, UnreadableError
from rules.decisions import Delivery

#: Which of some provider ids belong to other deliveries than this one.
Taken = Callable[[Delivery, Collection[str]], Awaitable[Collection[str]]]

#: When a delivery's request was made, and when those of others were of which nobody knows either, by our clock.
Requested = Callable[[Delivery], Awaitable[tuple[datetime | None, Collection[datetime]]]]

#: A request that was made so long before an item is hardly the one that made it: it has a time-out of ten seconds.
_SOON = timedelta(seconds=20)
#: Twilio's times are whole seconds, and how far our clock is ahead is known to a second or so.
_CLOSE = timedelta(seconds=3)

#: Twilio's clock and ours may differ by this much, and its times are whole seconds.
SKEW = timedelta(seconds=60)

#: How far back something is looked for that was made in what is now the future: our clock has been set back since, and
#: nobody knows by how much. A text is known by the code in it, a call by its number alone.
LONG_AGO = timedelta(hours=2)
A_WHILE_AGO = timedelta(minutes=5)

#: The first look: the newest this many to a number.
NEWEST = 100

#: The second look, by date, where the first did not see everything. More than this is not looked through.
_AT_MOST = 1000

_REMEMBERED = 5000


class Memory:
    """Which provider ids this process has seen, and for which delivery."""

    def __init__(self, taken: Taken | None = None) -> None:
        self._deliveries: OrderedDict[str, int] = OrderedDict()
        self._taken = taken

    def note(self, provider_id: str | None, delivery_id: int) -> None:
        """Remember that an item is a delivery's."""
        if provider_id is not None:
            self._deliveries.setdefault(provider_id, delivery_id)
            if len(self._deliveries) > _REMEMBERED:
                self._deliveries.popitem(last=False)

    async def free(self, delivery: Delivery, provider_ids: Collection[str]) -> list[str]:
        """Give those that belong to no other delivery, in their order."""
        # What was in one message with others went by the first of them.
        ours = {delivery.id, delivery.bundle}
        mine = [one for one in provider_ids if self._deliveries.get(one, delivery.id) in ours]
        taken = await self._taken(delivery, mine) if self._taken and mine else ()
        return [one for one in mine if one not in taken]


async def look_for(
    delivery: Delivery,
    *,
    newest: Callable[[int], Awaitable[list[Any]]],
    since: Callable[[datetime, int], Awaitable[list[Any]]],
    fits: Callable[[Any], bool],
    memory: Memory,
    oldest: Callable[[], datetime] | None = None,
) -> DoubtResult:
    """Ask twice at the most, and say whether the delivery is there.

    `newest` lists the latest items to the delivery's number; `since` lists those sent from a moment on. `fits` looks at
    one item; whether it is new enough is looked at here: `oldest` gives the time, asked when Twilio has answered. Of
    several items the oldest is taken: a delivery leaves only once.
    """
    began = delivery.created_at - SKEW

    async def match(items: list[Any]) -> DoubtResult | None:
        nonlocal began
        began = oldest() if oldest is not None else began
        fitting = {item.sid: item for item in items if _created(item) >= began and fits(item)}
        free = await memory.free(delivery, sorted(fitting, key=lambda sid: _created(fitting[sid])))
        if not free:
            return None
        memory.note(free[0], delivery.id)
        return DoubtResult(outcome=DoubtOutcome.FOUND, provider_id=free[0], status=fitting[free[0]].status)

    try:
        items = await newest(NEWEST)
        if found := await match(items):
            return found
        if len(items) >= NEWEST:
            items = await since(began, _AT_MOST)
            if found := await match(items):
                return found
            if len(items) >= _AT_MOST:
                return DoubtResult(outcome=DoubtOutcome.CANNOT_ASK, error="more messages than can be looked through")
    except (NeverLeftError, MayHaveLeftError) as error:
        return DoubtResult(outcome=DoubtOutcome.CANNOT_ASK, error=f"Twilio was not reached: {error}")
    except (RefusedError, UnreadableError) as error:
        return DoubtResult(outcome=DoubtOutcome.CANNOT_ASK, error=str(error))
    return DoubtResult(outcome=DoubtOutcome.ABSENT)


def belongs_to_another(
    created_at: datetime | None, own: datetime | None, others: Collection[datetime], *, ahead: timedelta
) -> bool:
    """Say whether an item that Twilio made at `created_at` by its clock is another's, by when the requests were made.

    `own` and `others` are by our clock, which is `ahead` of Twilio's. Only where there is no doubt: ours was made long
    before the item, and another one just before it.
    """
    if created_at is None or own is None:
        return False
    made = created_at + ahead
    return made > own + _SOON and any(own < other and other - _CLOSE <= made <= other + _SOON for other in others)


def oldest_of(created_at: datetime, *, now: datetime, ahead: timedelta, if_set_back: timedelta) -> datetime:
    """Give the time by Twilio's clock before which nothing can be a delivery that was made at `created_at` by ours.

    `ahead` is how far our clock is ahead of Twilio's at `now`; `if_set_back` how far to look back from now where it was
    further ahead when the delivery was made.
    """
    off = ahead if ahead > SKEW else timedelta()
    return (now - if_set_back if created_at > now else created_at - SKEW) - off


def _created(item: Any) -> datetime:
    created: datetime | None = (
        item.date_created or getattr(item, "date_sent", None) or getattr(item, "start_time", None)
    )
    # An item without any time is as new as can be: better taken for the delivery than sent again.
    return created or datetime.max.replace(tzinfo=UTC)
