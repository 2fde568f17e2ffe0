"""The questions about a doubt, without HTTP."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from notify.channel import DoubtOutcome
from notify.channels.twilio_doubt import NEWEST, SKEW, Memory, look_for
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
