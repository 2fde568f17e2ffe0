import asyncio
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from rules.decisions import CancelUnsent, DeliveryState, Paged, Priority, Purpose
from store import incidents, outbox
from store.database import Database

S = DeliveryState


async def test_a_delivery_waits_until_it_is_claimed(box: Any, make: Any) -> None:
    new = make.delivery(speech="燃气泄漏", late_s=12, drill=True)
    assert await box.put(new) == 1

    waiting = await box.only()
    assert waiting.state is S.PENDING
    assert waiting.created_at == make.now
    assert {name: getattr(waiting, name) for name in ("text", "speech", "late_s", "drill", "priority", "purpose")} == {
        "text": new.text,
        "speech": "燃气泄漏",
        "late_s": 12,
        "drill": True,
        "priority": Priority.LIFE_SAFETY_PAGE,
        "purpose": Purpose.PAGE,
    }

    (claimed,) = await box.claim()
    assert claimed == await box.only()
    assert (claimed.state, claimed.owner, claimed.fence, claimed.attempts) == (S.SENDING, "one", 1, 1)
    assert await box.claim() == []


async def test_a_person_gets_a_step_once_by_a_way(box: Any, make: Any) -> None:
    """Invariant one-page: what would be written twice is silently written once."""
    assert await box.put(make.delivery(), make.delivery("r0s1"), make.delivery(channel="voice")) == 3
    again = (make.delivery(text="another text"), make.delivery("r0s1"), make.delivery("r0s2"))
    assert await box.put(*again) == 1
    assert await box.put() == 0

    assert [one.step_key for one in await box.all()] == ["r0s0", "r0s1", "r0s0", "r0s2"]
    assert (await box.all())[0].text == make.delivery().text


async def test_the_most_urgent_leave_first(box: Any, make: Any) -> None:
    """Invariant life-first."""
    order = [Priority.INFORM, Priority.PAGE, Priority.LIFE_SAFETY_INFORM, Priority.LIFE_SAFETY_PAGE, Priority.PAGE]
    await box.put(*(make.delivery(f"k{number}", priority=one) for number, one in enumerate(order)))

    assert [one.step_key for one in await box.claim(limit=2)] == ["k3", "k1"]
    assert [one.step_key for one in await box.claim()] == ["k4", "k2", "k0"]


async def test_a_claim_may_ask_for_some_channels(box: Any, make: Any) -> None:
    await box.put(make.delivery(), make.delivery(channel="voice"), make.delivery(channel="apprise"))

    assert {one.channel for one in await box.claim(channels={"voice", "apprise"})} == {"voice", "apprise"}
    assert [one.channel for one in await box.claim()] == ["sms"]


async def test_what_is_of_no_use_any_more_is_cancelled(box: Any, make: Any) -> None:
    page = {"priority": Priority.PAGE}
    await box.put(make.delivery("early", expires_at=make.at(seconds=5), **page), make.delivery("late", **page))

    assert [one.step_key for one in await box.claim(make.at(seconds=5))] == ["late"]
    assert [(one.step_key, one.state, one.error) for one in await box.all()] == [
        ("early", S.CANCELLED, "expired"),
        ("late", S.SENDING, None),
    ]


async def test_a_life_safety_page_that_was_never_tried_does_not_expire(box: Any, make: Any, database: Database) -> None:
    """While nobody has answered, its step would be told to nobody; one that was tried is left to the steps after it."""
    await box.put(make.delivery("untold", expires_at=make.at(seconds=5)))
    await box.put(make.delivery("tried", expires_at=make.at(seconds=5)))
    async with database.write() as tx:
        await tx.execute(sa.text("UPDATE outbox SET attempts = 1 WHERE step_key = 'tried'"))

    assert [one.step_key for one in await box.claim(make.at(hours=1))] == ["untold"]


async def test_nobody_is_paged_for_what_somebody_has_answered(box: Any, make: Any, database: Database) -> None:
    """Invariant quiet-after-answer: looked at in the very transaction that marks a delivery as sending."""
    await box.put(make.delivery(), make.delivery("inform:answered", purpose=Purpose.INFORM, priority=Priority.INFORM))
    async with database.write() as tx:
        await box.answer(tx)

    assert [one.step_key for one in await box.claim()] == ["inform:answered"]
    page = (await box.all())[0]
    assert (page.state, page.error) == (S.CANCELLED, "answered")


async def test_who_cannot_go_is_not_tried_again(box: Any, make: Any, database: Database) -> None:
    """What was under way when they said so, and was not taken, is due again; it does not leave."""
    await box.put(make.delivery(), make.delivery("inform:x", purpose=Purpose.INFORM, priority=Priority.INFORM))
    (whose,) = {one.recipient_id for one in await box.all()}
    async with database.write() as tx:
        await tx.execute(sa.text("UPDATE incidents SET declined = :who"), {"who": f'["{whose}"]'})

    assert [one.step_key for one in await box.claim()] == ["inform:x"]
    assert (await box.all())[0].state is S.CANCELLED


async def test_a_page_of_an_incident_that_is_not_there_does_not_leave(box: Any, make: Any) -> None:
    await box.put(make.delivery(incident_id="nothing"))

    assert await box.claim() == []


async def test_what_is_set_aside_does_not_keep_others_from_leaving(box: Any, make: Any, database: Database) -> None:
    await box.put(*(make.delivery(f"r0s{number}") for number in range(10)))
    async with database.write() as tx:
        await box.answer(tx)
    await box.put(make.delivery("inform:answered", purpose=Purpose.INFORM, priority=Priority.INFORM))

    assert [one.step_key for one in await box.claim(limit=2)] == ["inform:answered"]


async def test_an_answer_cancels_what_has_not_left(box: Any, make: Any, database: Database) -> None:
    await box.put(make.delivery("gone"))
    await box.claim()
    await box.put(make.delivery("waiting"), make.delivery("inform:x", purpose=Purpose.INFORM))

    async with database.write() as tx:
        assert await outbox.cancel(tx, CancelUnsent(incident_id="0a1b2c3d", reason="answered by 李明")) == 1
        assert await outbox.cancel(tx, CancelUnsent(incident_id="another", reason="")) == 0

    assert [(one.state, one.error) for one in await box.all()] == [
        (S.SENDING, None),
        (S.CANCELLED, "answered by 李明"),
        (S.PENDING, None),
    ]
    async with database.write() as tx:
        both = frozenset({Purpose.PAGE, Purpose.INFORM})
        assert await outbox.cancel(tx, CancelUnsent(incident_id="0a1b2c3d", reason="over", purposes=both)) == 1


async def test_who_has_been_told_is_known_with_what_became_of_it(box: Any, make: Any, database: Database) -> None:
    await box.put(make.delivery(), make.delivery("inform:x", purpose=Purpose.INFORM))
    (first, _) = await box.claim()

    async with database.read() as tx:
        assert (await outbox.paged(tx, "0a1b2c3d"))[0] == Paged(
            delivery_id=first.id,
            step_key="r0s0",
            recipient_id="w07-a",
            recipient_name="李明",
            channel="sms",
            address="+8613800000001",
            purpose=Purpose.PAGE,
            state=S.SENDING,
        )
        assert [one.purpose for one in await outbox.paged(tx, "0a1b2c3d")] == [Purpose.PAGE, Purpose.INFORM]
        assert await outbox.paged(tx, "another") == []


# --- what became of it ------------------------------------------------------------------------------------------------


async def test_what_the_provider_took_is_sent(box: Any, make: Any, database: Database) -> None:
    await box.put(make.delivery())
    (claimed,) = await box.claim()
    async with database.write() as tx:
        assert await outbox.sent(tx, claimed, provider_id="SM1", status="queued", now=make.now)
        assert await outbox.attempts_of(tx, claimed.id) == [(make.now, "sent", "")]

    one = await box.only()
    assert (one.state, one.provider_id, one.provider_status, one.owner) == (S.SENT, "SM1", "queued", None)
    assert await box.claim(make.at(hours=1)) == []


async def test_what_the_provider_refused_for_now_is_tried_again_at_its_time(
    box: Any, make: Any, database: Database
) -> None:
    await box.put(make.delivery())
    (claimed,) = await box.claim()
    async with database.write() as tx:
        assert await outbox.retry(tx, claimed, at=make.at(seconds=8), error="429", now=make.now)

    assert await box.claim(make.at(seconds=7)) == []
    (again,) = await box.claim(make.at(seconds=8))
    assert (again.attempts, again.fence, again.error) == (2, 2, "429")
    async with database.write() as tx:
        assert await outbox.failed(tx, again, error="21211", now=make.now)
        assert [outcome for _, outcome, _ in await outbox.attempts_of(tx, again.id)] == ["pending", "failed"]
    assert ((await box.only()).state, (await box.only()).error) == (S.FAILED, "21211")


async def test_a_doubt_is_asked_about_and_never_simply_sent_again(box: Any, make: Any, database: Database) -> None:
    """Invariant one-page: a doubt remembers since when it lasts, and one process asks at a time."""
    await box.put(make.delivery())
    (claimed,) = await box.claim()
    async with database.write() as tx:
        assert await outbox.unknown(tx, claimed, ask_at=make.at(seconds=20), error="timeout", now=make.at(seconds=10))

    assert await box.claim(make.at(seconds=19)) == []
    (asked,) = await box.claim(make.at(seconds=20), owner="asker")
    assert asked == await box.only()
    assert (asked.state, asked.fence, asked.owner, asked.attempts) == (S.UNKNOWN, 2, None, 1)
    assert asked.doubt_since == make.now
    assert await box.claim(make.at(seconds=49)) == []

    async with database.write() as tx:
        assert not await outbox.sent(tx, claimed, provider_id="SM1", status=None, now=make.at(seconds=21))
        assert await outbox.unknown(tx, asked, ask_at=make.at(seconds=40), error="500", now=make.at(seconds=21))
    (again,) = await box.claim(make.at(seconds=40))
    assert again.doubt_since == make.now
    async with database.write() as tx:
        assert await outbox.retry(tx, again, at=make.at(seconds=41), error="absent", now=make.at(seconds=41))
    (sending,) = await box.claim(make.at(seconds=41))
    assert (sending.state, sending.doubt_since, sending.attempts) == (S.SENDING, None, 2)


async def test_a_sender_that_died_leaves_a_doubt(box: Any, make: Any, database: Database) -> None:
    """Invariant one-page: and like every doubt it is in the journal."""
    await box.put(make.delivery())
    (claimed,) = await box.claim()

    assert await box.claim(make.at(seconds=29)) == []
    (doubted,) = await box.claim(make.at(seconds=30), owner="two")
    assert (doubted.state, doubted.fence, doubted.doubt_since) == (S.UNKNOWN, 2, make.now)
    async with database.write() as tx:
        assert await outbox.attempts_of(tx, claimed.id) == [
            (make.at(seconds=30), "unknown", "the sender's lease ran out")
        ]
        (line,) = await incidents.journal(tx, claimed.incident_id)
    assert (line.event, line.at, line.detail["channel"]) == ("doubt", make.at(seconds=30), claimed.channel)
    assert line.detail["name"] == claimed.recipient_name


async def test_a_doubt_is_asked_about_also_where_somebody_has_answered(box: Any, make: Any, database: Database) -> None:
    await box.put(make.delivery())
    (claimed,) = await box.claim()
    async with database.write() as tx:
        await outbox.unknown(tx, claimed, ask_at=make.at(seconds=1), error="", now=make.now)
        await box.answer(tx)
    (asked,) = await box.claim(make.at(seconds=1))
    async with database.write() as tx:
        await outbox.retry(tx, asked, at=make.at(seconds=2), error="absent", now=make.at(seconds=2))

    assert await box.claim(make.at(seconds=2)) == []
    assert (await box.only()).state is S.CANCELLED


@pytest.mark.parametrize("outcome", ["sent", "retry", "failed", "unknown"])
async def test_who_was_too_slow_has_no_say_any_more(outcome: str, box: Any, make: Any, database: Database) -> None:
    """The fence: a writer that slept through its lease must not undo what another has found out since."""
    words: dict[str, dict[str, Any]] = {
        "sent": {"provider_id": "SM1", "status": "queued"},
        "retry": {"at": make.now, "error": ""},
        "failed": {"error": ""},
        "unknown": {"ask_at": make.now, "error": ""},
    }
    await box.put(make.delivery())
    (slow,) = await box.claim()
    (asker,) = await box.claim(make.at(seconds=31))

    async with database.write() as tx:
        say = getattr(outbox, outcome)
        assert not await say(tx, slow, now=make.at(seconds=32), **words[outcome])
        assert await outbox.retry(tx, asker, at=make.at(seconds=40), error="absent", now=make.at(seconds=33))
        assert not await say(tx, asker, now=make.at(seconds=34), **words[outcome])


async def test_a_late_answer_within_the_same_claim_still_counts(box: Any, make: Any, database: Database) -> None:
    """The lease has run out, and nobody has asked yet: what the sender knows is better than a question."""
    await box.put(make.delivery())
    (claimed,) = await box.claim()
    assert await box.claim(make.at(seconds=30), limit=0) == []
    assert (await box.only()).state is S.UNKNOWN

    async with database.write() as tx:
        assert await outbox.sent(tx, claimed, provider_id="SM1", status="queued", now=make.at(seconds=31))
    assert (await box.only()).state is S.SENT


async def test_two_processes_never_claim_the_same_delivery(database_url: str, box: Any, make: Any) -> None:
    """Invariant one-page, with any number of dispatchers."""
    await box.put(*(make.delivery(f"r0s{number}") for number in range(60)))
    one, other = await Database.open(database_url), await Database.open(database_url)
    claimed: list[int] = []

    async def work(database: Database, owner: str) -> None:
        while True:
            async with database.write() as tx:
                mine = await outbox.claim(tx, owner=owner, now=make.now, limit=7, lease_s=30)
                await asyncio.sleep(0)
            if not mine:
                return
            claimed.extend(delivery.id for delivery in mine)

    await asyncio.gather(*(work(each, f"owner {number}") for number in range(3) for each in (one, other)))

    assert len(claimed) == len(set(claimed)) == 60
    await one.close()
    await other.close()


async def test_open_claims_of_two_processes_do_not_wait_for_each_other(postgres_database_url: str, make: Any) -> None:
    one, other = await Database.open(postgres_database_url), await Database.open(postgres_database_url)
    async with one.write() as tx:
        informs = (make.delivery(f"k{number}", purpose=Purpose.INFORM) for number in range(4))
        await outbox.add(tx, informs, make.now)

    async with one.write() as first, other.write() as second:
        here = await outbox.claim(first, owner="one", now=make.now, limit=3, lease_s=30)
        there = await outbox.claim(second, owner="two", now=make.now, limit=3, lease_s=30)

    assert [delivery.step_key for delivery in here] == ["k0", "k1", "k2"]
    assert [delivery.step_key for delivery in there] == ["k3"]
    await one.close()
    await other.close()


# --- receipts ---------------------------------------------------------------------------------------------------------


async def _receipt(database: Database, make: Any, status: str, **other: Any) -> Any:
    values = {"provider_id": "SM1", "delivery_id": None, "error_code": None, "now": make.at(seconds=5)}
    async with database.write() as tx:
        return await outbox.receipt(tx, status=status, **values | other)


@pytest.fixture
async def sent(box: Any, make: Any, database: Database) -> Any:
    await box.put(make.delivery())
    (claimed,) = await box.claim()
    async with database.write() as tx:
        await outbox.sent(tx, claimed, provider_id="SM1", status="queued", now=make.now)
    return claimed


async def test_a_receipt_is_news_once(box: Any, sent: Any, make: Any, database: Database) -> None:
    news = await _receipt(database, make, "sent")
    assert news == await box.only()
    assert (news.id, news.provider_status, news.state) == (sent.id, "sent", S.SENT)

    assert await _receipt(database, make, "sent") is None
    news = await _receipt(database, make, "undelivered", error_code="30003", delivery_id=sent.id)
    assert (news.provider_status, news.error) == ("undelivered", "30003")


async def test_receipts_go_forward_only(box: Any, sent: Any, make: Any, database: Database) -> None:
    await _receipt(database, make, "delivered")
    async with database.write() as tx:
        assert await outbox.set_state(tx, sent.id, S.DELIVERED)

    assert await _receipt(database, make, "sent") is None
    assert await _receipt(database, make, "failed") is None
    async with database.write() as tx:
        assert not await outbox.set_state(tx, sent.id, S.SENT)
        assert not await outbox.set_state(tx, sent.id, S.FAILED, error="30003")
        assert not await outbox.set_state(tx, sent.id, S.DELIVERED)
    one = await box.only()
    assert (one.state, one.provider_status) == (S.DELIVERED, "delivered")


async def test_what_failed_may_turn_out_to_have_arrived(box: Any, sent: Any, make: Any, database: Database) -> None:
    async with database.write() as tx:
        assert await outbox.set_state(tx, sent.id, S.FAILED, error="30008")
        assert not await outbox.set_state(tx, sent.id, S.SENT)
    assert (await box.only()).error == "30008"

    assert await _receipt(database, make, "delivered") is not None
    async with database.write() as tx:
        assert await outbox.set_state(tx, sent.id, S.DELIVERED)


async def test_a_receipt_resolves_a_doubt(box: Any, make: Any, database: Database) -> None:
    """The provider calls back with the delivery's id in the address: so it has taken it."""
    await box.put(make.delivery())
    (claimed,) = await box.claim()
    async with database.write() as tx:
        await outbox.unknown(tx, claimed, ask_at=make.at(seconds=20), error="timeout", now=make.now)

    news = await _receipt(database, make, "sent", delivery_id=claimed.id)
    assert news == await box.only()
    assert (news.state, news.provider_id, news.doubt_since) == (S.SENT, "SM1", None)
    assert await box.claim(make.at(hours=1)) == []


async def test_a_receipt_stops_a_second_try_that_has_not_begun(box: Any, make: Any, database: Database) -> None:
    """The provider's listing lagged behind, the message was thought absent, and then it is called delivered."""
    await box.put(make.delivery())
    (claimed,) = await box.claim()
    async with database.write() as tx:
        await outbox.retry(tx, claimed, at=make.at(seconds=9), error="absent", now=make.now)

    await _receipt(database, make, "delivered", delivery_id=claimed.id)
    assert await box.claim(make.at(seconds=9)) == []


async def test_a_receipt_may_come_before_the_providers_own_answer(box: Any, make: Any, database: Database) -> None:
    await box.put(make.delivery())
    (claimed,) = await box.claim()
    await _receipt(database, make, "sent", delivery_id=claimed.id)

    async with database.write() as tx:
        assert not await outbox.unknown(tx, claimed, ask_at=make.now, error="timeout", now=make.now)
        assert not await outbox.sent(tx, claimed, provider_id="SM2", status="queued", now=make.now)
        assert await outbox.sent(tx, claimed, provider_id="SM1", status="queued", now=make.now)
    assert (await box.only()).provider_status == "sent"


async def test_a_receipt_about_something_else_is_no_news(box: Any, sent: Any, make: Any, database: Database) -> None:
    assert await _receipt(database, make, "failed", provider_id="SM9") is None
    assert await _receipt(database, make, "failed", provider_id="SM9", delivery_id=sent.id) is None
    assert await _receipt(database, make, "failed", provider_id=None, delivery_id=99_999) is None
    assert (await box.only()).state is S.SENT


async def test_a_call_may_be_reported_without_its_id(box: Any, sent: Any, make: Any, database: Database) -> None:
    assert (await _receipt(database, make, "busy", provider_id=None, delivery_id=sent.id)).provider_status == "busy"
    assert await _receipt(database, make, "busy", provider_id=None, delivery_id=sent.id) is None


# --- looking ----------------------------------------------------------------------------------------------------------


async def test_how_long_and_how_much_is_waiting(box: Any, make: Any, database: Database) -> None:
    await box.put(make.delivery("a"), make.delivery("b", priority=Priority.INFORM, purpose=Purpose.INFORM))
    async with database.write() as tx:
        await outbox.add(tx, [make.delivery("c")], make.at(seconds=9))
        assert await outbox.oldest_waiting(tx) == {Priority.LIFE_SAFETY_PAGE: make.now, Priority.INFORM: make.now}
        assert await outbox.count_waiting(tx) == 3
        assert await outbox.next_at(tx) == make.now
    await box.claim()
    async with database.read() as tx:
        assert await outbox.oldest_waiting(tx) == {Priority.LIFE_SAFETY_PAGE: make.at(seconds=9)}
        assert await outbox.next_at(tx) == make.at(seconds=9)
    await box.claim(make.at(seconds=10))
    async with database.read() as tx:
        assert await outbox.next_at(tx) == make.at(seconds=30)
        assert await outbox.count_waiting(tx) == 0


async def test_without_anything_waiting_there_is_no_next_time(box: Any, database: Database) -> None:
    async with database.read() as tx:
        assert await outbox.next_at(tx) is None
        assert await outbox.by_id(tx, 1) is None
        assert await outbox.of_incident(tx, "nothing") == []


async def test_by_id(box: Any, make: Any, database: Database) -> None:
    await box.put(make.delivery())
    one = await box.only()
    async with database.read() as tx:
        assert await outbox.by_id(tx, one.id) == replace(one)


async def test_what_was_spared_and_landed_all_the_same_has_arrived(box: Any, make: Any, database: Database) -> None:
    """Any word of the provider proves that it has the message; who is then on the way is news for its reader."""
    await box.put(make.delivery("tried"))
    (tried,) = await box.claim()
    async with database.write() as tx:
        assert await outbox.spared(tx, tried, error="not at the provider, and not needed any more", now=make.now)
        assert not await outbox.spared(tx, tried, error="again", now=make.now)
    assert (await box.only()).state is S.CANCELLED
    async with database.write() as tx:
        word = {"status": "delivered", "error_code": None, "now": make.now}
        delivery = await outbox.receipt(tx, provider_id="SM1", delivery_id=tried.id, **word)
        assert delivery is not None
        assert await outbox.set_state(tx, tried.id, S.DELIVERED)
    assert ((await box.only()).state, (await box.only()).provider_id) == (S.DELIVERED, "SM1")
