"""Figures of deliveries, read off the outbox and the record of tries, on both databases."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from rules.bundle import Bundling
from rules.decisions import Brief, DeliveryState
from store import figures, outbox, providers
from store.database import Database
from store.figures import Figures

S = DeliveryState


class Line:
    """An outbox whose deliveries are settled by hand."""

    def __init__(self, box: Any, make: Any, database: Database) -> None:
        self.box, self.make, self.database = box, make, database
        self.number = 0

    async def claimed(self, provider: str, at: datetime | None = None, **fields: Any) -> Any:
        """One delivery, handed to a provider."""
        self.number += 1
        await self.box.put(self.make.delivery(f"k{self.number}", expires_at=self.make.at(days=9), **fields))

        async def choose(_tx: Any, deliveries: Any) -> dict[int, str | None]:
            return {one.id: provider for one in deliveries}

        (one,) = await self.box.claim(at, choose=choose)
        assert one.provider == provider
        return one

    async def taken(
        self, provider: str, *, at: datetime | None = None, delivered: datetime | None = None, **more: Any
    ) -> Any:
        """One that the provider has taken, and that the phone had at a time."""
        one = await self.claimed(provider, at, **more)
        now = at or self.make.now
        async with self.database.write() as tx:
            await outbox.sent(tx, one, provider_id=f"SM{one.id}", status="queued", now=now, against=False)
            if delivered:
                assert await outbox.set_state(tx, one.id, S.DELIVERED, at=delivered)
        return one

    async def since(self, at: datetime, **other: Any) -> list[Figures]:
        async with self.database.read() as tx:
            return await figures.since(tx, at, **other)


@pytest.fixture
def line(box: Any, make: Any, database: Database) -> Line:
    return Line(box, make, database)


async def test_nothing_sent_has_no_figures(line: Line, make: Any) -> None:
    await line.box.put(make.delivery())

    assert await line.since(make.at(days=-7)) == []


async def test_each_person_channel_and_provider_has_its_own(line: Line, make: Any, database: Database) -> None:
    await line.taken("twilio", delivered=make.at(seconds=4))
    await line.taken("twilio", delivered=make.at(seconds=8.5))
    await line.taken("twilio")
    failed = await line.taken("twilio_2")
    async with database.write() as tx:
        assert await outbox.set_state(tx, failed.id, S.FAILED, error="undelivered 30007")
    await line.taken("twilio", channel="voice", recipient_id="w07-b", recipient_name="陈刚")

    li = {"recipient_id": "w07-a", "recipient_name": "李明", "channel": "sms"}
    assert await line.since(make.now) == [
        Figures(**li, provider="twilio", accepted=3, delivered=2, timed=2, seconds_mean=6.25, seconds_max=8.5),
        Figures(**li, provider="twilio_2", accepted=1, failed=1),
        Figures(recipient_id="w07-b", recipient_name="陈刚", channel="voice", provider="twilio", accepted=1),
    ]
    assert [one.recipient_id for one in await line.since(make.now, recipient_id="w07-b")] == ["w07-b"]


async def test_what_one_refused_and_the_other_took_counts_at_both(line: Line, make: Any, database: Database) -> None:
    one = await line.claimed("twilio")
    async with database.write() as tx:
        assert await outbox.retry(tx, one, at=make.now, error="401", now=make.now, against=True, refused=True)
    again = await _claim_again(line, "twilio_2")
    async with database.write() as tx:
        await outbox.sent(tx, again, provider_id="SM1", status="queued", now=make.now, against=False)
        assert await providers.tries_of(tx, [one.id]) == {one.id: [("twilio", S.FAILED), ("twilio_2", S.SENT)]}

    assert [(row.provider, row.accepted, row.refused) for row in await line.since(make.now)] == [
        ("twilio", 0, 1),
        ("twilio_2", 1, 0),
    ]


async def test_a_doubt_counts_once_as_no_answer_however_often_it_is_asked_about(
    line: Line, make: Any, database: Database
) -> None:
    """And a lease that ran out, a refusal of our own, and an end without a try count at nobody."""
    one = await line.claimed("twilio")
    async with database.write() as tx:
        await outbox.unknown(tx, one, ask_at=make.now, error="no answer", now=make.now, against=True)
    for _ in range(3):
        (asked,) = await line.box.claim(make.at(minutes=1))
        assert asked.provider == "twilio"
        async with database.write() as tx:
            await outbox.unknown(tx, asked, ask_at=make.now, error="not reached", now=make.now)
    (asked,) = await line.box.claim(make.at(minutes=1))
    async with database.write() as tx:
        await outbox.sent(tx, asked, provider_id="SM1", status="sent", now=make.now)
    ours = await line.claimed("twilio")
    async with database.write() as tx:
        await outbox.failed(tx, ours, error="the number has said STOP", now=make.now)
    left = await line.claimed("twilio")
    (doubt,) = await line.box.claim(make.at(minutes=2))
    assert (doubt.id, doubt.state) == (left.id, S.UNKNOWN)

    (row,) = await line.since(make.now)
    assert (row.accepted, row.unanswered, row.refused) == (1, 1, 0)


async def test_a_time_bounds_them(line: Line, make: Any) -> None:
    await line.taken("twilio", at=make.now)
    await line.taken("twilio", at=make.at(days=1))

    assert [row.accepted for row in await line.since(make.at(days=-1))] == [2]
    assert [row.accepted for row in await line.since(make.at(hours=1))] == [1]
    assert await line.since(make.at(days=2)) == []


async def test_a_receipt_that_comes_twice_counts_once(line: Line, make: Any, database: Database) -> None:
    one = await line.taken("twilio")
    for _ in range(2):
        async with database.write() as tx:
            await outbox.receipt(
                tx, provider_id=f"SM{one.id}", delivery_id=one.id, status="delivered", error_code=None, now=make.now
            )
            await outbox.set_state(tx, one.id, S.DELIVERED, at=make.at(seconds=3))

    (row,) = await line.since(make.now)
    assert (row.accepted, row.delivered, row.seconds_mean) == (1, 1, 3.0)


async def test_a_receipt_says_whose_it_is(line: Line, make: Any, database: Database) -> None:
    """A request that landed late at the first settles what is under way to the second."""
    one = await line.claimed("twilio_2")
    async with database.write() as tx:
        told = await outbox.receipt(
            tx,
            provider_id="SM1",
            delivery_id=one.id,
            status="sent",
            error_code=None,
            now=make.now,
            provider="twilio",
        )
        assert told is not None
        assert (told.provider, told.sent_at) == ("twilio", make.now)
        late = await outbox.sent(tx, one, provider_id="SM2", status="queued", now=make.now, against=False)
        assert not late, "the other's answer says nothing of what is on record"
    assert (await line.box.only()).provider == "twilio"


def test_providers_add_up() -> None:
    li = Figures(
        recipient_id="a",
        recipient_name="李明",
        channel="sms",
        provider="twilio",
        accepted=3,
        delivered=2,
        timed=2,
        seconds_mean=4.0,
        seconds_max=5.0,
    )
    chen = replace(li, recipient_id="b", accepted=1, delivered=1, timed=1, seconds_mean=10.0, seconds_max=10.0)
    silent = replace(li, recipient_id="c", delivered=0, timed=0, seconds_mean=None, seconds_max=None, refused=2)
    other = replace(li, provider="twilio_2")

    first, second = figures.by_provider([li, chen, silent, other])
    assert (first.provider, first.accepted, first.delivered, first.refused) == ("twilio", 7, 3, 2)
    assert (first.seconds_mean, first.seconds_max) == (6.0, 10.0)
    assert second == replace(other, recipient_id="", recipient_name="")


async def _claim_again(line: Line, provider: str) -> Any:
    async def choose(_tx: Any, deliveries: Any) -> dict[int, str | None]:
        return {one.id: provider for one in deliveries}

    (one,) = await line.box.claim(choose=choose)
    return one


async def test_the_latest_tries_of_a_provider_are_known(line: Line, make: Any, database: Database) -> None:
    """With what became of the message since; of one channel, and not older than asked for."""
    for second in range(4):
        await line.taken("twilio", at=make.at(seconds=second), recipient_id=f"w{second}")
    await line.taken("twilio", channel="voice")
    await line.taken("twilio_2")
    await line.claimed("twilio_2", make.at(seconds=9))
    async with database.read() as tx:
        found = await providers.recent(tx, channel="sms", provider="twilio", since=make.at(seconds=1), limit=2)
        every = await providers.recent(tx, channel="sms", provider="twilio", since=make.at(seconds=1), limit=9)
        under_way = [await providers.under_way(tx, channel="sms", provider=one) for one in ("twilio", "twilio_2")]

    assert [(one.at, one.recipient_id, one.against, one.state) for one in found] == [
        (make.at(seconds=3), "w3", False, S.SENT),
        (make.at(seconds=2), "w2", False, S.SENT),
    ]
    assert len(every) == 3
    assert under_way == [[], [make.at(seconds=9)]]


async def test_a_message_that_names_several_homes_counts_once(line: Line, make: Any, database: Database) -> None:
    """Taken, delivered or not: the provider has one message, and has done well or badly once."""
    brief = Brief(place="玉林北街1号院", what="燃气泄漏", first="开窗关阀勿开灯")
    pages = [make.delivery(f"k{number}", brief=brief, text="…") for number in range(3)]
    await line.box.put(*pages)

    async def choose(_tx: Any, deliveries: Any) -> dict[int, str | None]:
        return {one.id: "twilio" for one in deliveries}

    async def handed_over() -> Any:
        (message,) = await line.box.claim(choose=choose, bundling=Bundling())
        assert len(message.members) == 3
        return message

    message = await handed_over()
    async with database.write() as tx:
        for one in message.members:
            along = one is not message
            assert await outbox.retry(tx, one, at=make.now, error="429", now=make.now, against=True, along=along)
    message = await handed_over()
    async with database.write() as tx:
        for one in message.members:
            taken = {"provider_id": "SM1", "status": "queued", "now": make.now, "against": False}
            assert await outbox.sent(tx, one, **taken, along=one is not message)
            assert await outbox.set_state(tx, one.id, S.DELIVERED, at=make.at(seconds=4))
        recent = await providers.recent(tx, channel="sms", provider="twilio", since=make.at(hours=-1), limit=9)
        tries = await providers.tries_of(tx, [one.id for one in message.members])

    (row,) = await line.since(make.now)
    assert (row.accepted, row.delivered, row.refused, row.timed, row.seconds_mean) == (1, 1, 1, 1, 4.0)
    assert [one.against for one in recent] == [False, True]
    assert set(map(tuple, tries.values())) == {(("twilio", S.PENDING), ("twilio", S.SENT))}
