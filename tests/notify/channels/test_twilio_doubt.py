"""The questions about a doubt, without HTTP."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from notify.channel import DoubtOutcome
from notify.channels.twilio_doubt import NEWEST, SKEW, Memory, look_for, oldest_of
from rules.decisions import Delivery

Make = Callable[..., Delivery]


@dataclass
class Item:
    """What Twilio lists."""

    sid: str
    date_created: datetime | None
    status: str = "sent"


class Lists:
    """Two lists, and what was asked of them."""

    def __init__(self, newest: list[Item], since: list[Item] | None = None) -> None:
        self._newest = newest
        self._since = since or []
        self.asked: list[Any] = []

    async def newest(self, limit: int) -> list[Any]:
        self.asked.append(limit)
        return list(self._newest)

    async def since(self, moment: datetime, limit: int) -> list[Any]:
        self.asked.append((moment, limit))
        return list(self._since)


async def test_one_question_is_enough_where_it_shows_everything(make_delivery: Make) -> None:
    lists = Lists([])
    answer = await look_for(
        make_delivery(), newest=lists.newest, since=lists.since, fits=lambda _: True, memory=Memory()
    )
    assert answer.outcome is DoubtOutcome.ABSENT
    assert lists.asked == [NEWEST]


async def test_where_not_everything_can_be_seen_nothing_is_called_absent(make_delivery: Make) -> None:
    """Invariant one-page: an absence must be known, not supposed."""
    delivery = make_delivery()
    others = [Item(f"SM{n}", delivery.created_at) for n in range(1000)]
    lists = Lists(others[:NEWEST], others)
    answer = await look_for(delivery, newest=lists.newest, since=lists.since, fits=lambda _: False, memory=Memory())
    assert answer.outcome is DoubtOutcome.CANNOT_ASK
    assert lists.asked == [NEWEST, (delivery.created_at - SKEW, 1000)]


async def test_of_several_the_oldest_is_taken(make_delivery: Make) -> None:
    delivery = make_delivery()
    items = [Item(f"SM{n}", delivery.created_at + timedelta(seconds=n)) for n in (5, 1, 3)]
    lists = Lists(items)
    answer = await look_for(delivery, newest=lists.newest, since=lists.since, fits=lambda _: True, memory=Memory())
    assert answer.provider_id == "SM1"


async def test_an_item_without_a_time_is_rather_taken_than_sent_again(make_delivery: Make) -> None:
    lists = Lists([Item("SM1", None)])
    answer = await look_for(
        make_delivery(), newest=lists.newest, since=lists.since, fits=lambda _: True, memory=Memory()
    )
    assert answer.outcome is DoubtOutcome.FOUND


async def test_memory_is_bounded_and_keeps_what_is_new(make_delivery: Make) -> None:
    memory = Memory()
    for number in range(6000):
        memory.note(f"SM{number}", 1)
    memory.note(None, 1)
    other = replace(make_delivery(), id=2)
    assert await memory.free(other, ["SM5999", "SM0"]) == ["SM0"]


MADE = datetime(2026, 3, 9, 4, 0, tzinfo=UTC)
HOUR, MINUTE, NOTHING = timedelta(hours=1), timedelta(minutes=1), timedelta()


@pytest.mark.parametrize(
    ("now", "ahead", "oldest"),
    [
        (MADE + MINUTE, NOTHING, MADE - SKEW),
        # A little is no news: times are whole seconds, and an answer takes its time.
        (MADE + MINUTE, SKEW, MADE - SKEW),
        (MADE + MINUTE, -HOUR, MADE - SKEW),
        (MADE + MINUTE, HOUR, MADE - SKEW - HOUR),
        # Set back since it was made.
        (MADE - HOUR, NOTHING, MADE - HOUR - 2 * HOUR),
        (MADE - HOUR, HOUR, MADE - HOUR - 2 * HOUR - HOUR),
    ],
)
def test_how_old_an_item_may_be(now: datetime, ahead: timedelta, oldest: datetime) -> None:
    """Invariant one-page, with a clock that is or was wrong."""
    assert oldest_of(MADE, now=now, ahead=ahead, if_set_back=2 * HOUR) == oldest


async def test_the_oldest_is_asked_for_when_the_provider_has_answered(make_delivery: Make) -> None:
    """Only then it is known how far our clock is off."""
    delivery = make_delivery()
    lists = Lists([Item("SM1", delivery.created_at - HOUR)])

    def oldest() -> datetime:
        assert lists.asked
        return delivery.created_at - 2 * HOUR

    answer = await look_for(
        delivery, newest=lists.newest, since=lists.since, fits=lambda _: True, memory=Memory(), oldest=oldest
    )
    assert answer.provider_id == "SM1"
