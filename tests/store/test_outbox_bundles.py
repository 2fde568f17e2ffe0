"""Several deliveries in one message: claimed, settled, asked about and sent again together, each with its own row."""

from typing import Any

from rules.bundle import Bundling
from rules.decisions import Brief, DeliveryState, Priority
from rules.pace import Pacing
from store import outbox
from store.database import Database

S = DeliveryState
BRIEF = Brief(what="燃气泄漏", place="玉林北街1号院", first="开窗", more="王秀英")
TWO = Bundling(homes=2)
MANY = Bundling()


def pages(make: Any, count: int, **other: Any) -> list[Any]:
    return [make.delivery(f"k{number}", brief=BRIEF, **other) for number in range(count)]


async def test_what_waits_for_one_person_is_taken_together(box: Any, make: Any) -> None:
    await box.put(*pages(make, 3), make.delivery("other", recipient_id="w07-b", brief=BRIEF))
    first, other = await box.claim(bundling=MANY)

    assert [one.step_key for one in first.members] == ["k0", "k1", "k2"]
    assert [one.step_key for one in other.members] == ["other"]
    rows = await box.all()
    assert {row.state for row in rows} == {S.SENDING}
    assert [row.bundle for row in rows] == [first.id, first.id, first.id, None]
    assert [row.brief for row in rows] == [BRIEF] * 4
    assert [one.fence for one in first.members] == [1, 1, 1]


async def test_without_bundling_each_goes_alone(box: Any, make: Any) -> None:
    await box.put(*pages(make, 2))
    assert [one.others for one in await box.claim()] == [(), ()]


async def test_a_limit_counts_messages_and_finds_all_for_them(box: Any, make: Any) -> None:
    """However little room there is, who is told is told of everything that waits (invariant life-first)."""
    await box.put(*pages(make, 5), *pages(make, 5, recipient_id="w07-b"))
    (one,) = await box.claim(limit=1, bundling=MANY)
    assert len(one.members) == 5
    (other,) = await box.claim(limit=1, bundling=MANY)
    assert {member.recipient_id for member in other.members} == {"w07-b"}
    assert await box.claim(limit=1, bundling=MANY) == []


async def test_what_does_not_fit_is_the_next_message(box: Any, make: Any) -> None:
    await box.put(*pages(make, 5))
    assert [len(one.members) for one in await box.claim(limit=2, bundling=TWO)] == [2, 2]
    assert [len(one.members) for one in await box.claim(limit=2, bundling=TWO)] == [1]


async def test_what_was_surely_not_taken_may_go_with_others(box: Any, make: Any, database: Database) -> None:
    await box.put(*pages(make, 2))
    (message,) = await box.claim(bundling=MANY)
    async with database.write() as tx:
        for one in message.members:
            assert await outbox.retry(tx, one, at=make.now, error="429", now=make.now, apart=True)
    await box.put(make.delivery("k9", brief=BRIEF))

    (again,) = await box.claim(bundling=MANY)
    assert [one.step_key for one in again.members] == ["k0", "k1", "k9"]


async def test_a_lease_that_ran_out_is_one_doubt(box: Any, make: Any, database: Database) -> None:
    """It is asked about as a whole, in the same words, and sent again with nobody else (invariant one-page)."""
    await box.put(*pages(make, 3))
    (message,) = await box.claim(bundling=MANY)
    await box.put(make.delivery("k9", brief=BRIEF))
    later = make.at(seconds=31)

    claimed = await box.claim(later, limit=2, bundling=MANY)
    (doubt,) = [one for one in claimed if one.state is S.UNKNOWN]
    assert (doubt.id, doubt.text) == (message.id, message.text)
    assert len(doubt.members) == 3
    async with database.write() as tx:
        for one in doubt.members:
            assert await outbox.retry(tx, one, at=later, error="not there", now=later)
    await box.put(make.delivery("k10", brief=BRIEF))
    sent = await box.claim(later, bundling=MANY)
    assert [[one.step_key for one in each.members] for each in sent] == [["k0", "k1", "k2"], ["k10"]]


async def test_one_that_was_in_doubt_alone_stays_alone(box: Any, make: Any, database: Database) -> None:
    await box.put(*pages(make, 1))
    (first,) = await box.claim(bundling=MANY)
    async with database.write() as tx:
        assert await outbox.unknown(tx, first, ask_at=make.now, error="no answer", now=make.now)
    (doubt,) = await box.claim(bundling=MANY)
    async with database.write() as tx:
        assert await outbox.retry(tx, doubt, at=make.now, error="not there", now=make.now)
    await box.put(make.delivery("k9", brief=BRIEF))

    assert [len(one.members) for one in await box.claim(bundling=MANY)] == [1, 1]


async def test_what_is_left_of_a_doubt_is_asked_about(box: Any, make: Any, database: Database) -> None:
    """The first of a message may be settled by itself, as of no use any more; the others do not wait for it."""
    await box.put(*pages(make, 3))
    (message,) = await box.claim(bundling=MANY)
    async with database.write() as tx:
        for one in message.members:
            assert await outbox.unknown(tx, one, ask_at=make.now, error="no answer", now=make.now)
    (doubt,) = await box.claim(limit=1, bundling=MANY)
    async with database.write() as tx:
        assert await outbox.failed(tx, doubt, error="of no use", now=make.now)
    (doubt,) = await box.claim(make.at(seconds=31), limit=1, bundling=MANY)

    assert [one.step_key for one in doubt.members] == ["k1", "k2"]


async def test_a_receipt_is_for_all_that_was_in_the_message(box: Any, make: Any, database: Database) -> None:
    await box.put(*pages(make, 3))
    (message,) = await box.claim(bundling=MANY)
    async with database.write() as tx:
        word = {"status": "delivered", "error_code": None, "now": make.now}
        delivery = await outbox.receipt(tx, provider_id="SM1", delivery_id=message.id, **word)
        assert delivery is not None
        others = await outbox.receipt_of_others(tx, delivery, **word)
    assert [one.step_key for one in others] == ["k1", "k2"]
    rows = await box.all()
    assert {(row.state, row.provider_id) for row in rows} == {(S.SENT, "SM1")}
    async with database.read() as tx:
        assert await outbox.of_bundle(tx, rows[2]) == rows
        # A doubt about one of them does not take its own message for somebody else's.
        assert await outbox.of_others(tx, message, ["SM1"]) == set()


async def test_a_receipt_is_for_none_that_a_later_try_left_out(box: Any, make: Any, database: Database) -> None:
    """A page that is sent again alone does not name the others, who are still in doubt (invariant never-silent)."""
    await box.put(*pages(make, 3))
    (message,) = await box.claim(bundling=MANY)
    first, *rest = message.members
    later = make.at(seconds=20)
    async with database.write() as tx:
        assert await outbox.retry(tx, first, at=later, error="not there", now=later)
        for one in rest:
            assert await outbox.unknown(tx, one, ask_at=make.at(seconds=60), error="no answer", now=later)
    (again,) = await box.claim(later, bundling=MANY)
    assert again.members == (again,)
    async with database.write() as tx:
        word = {"status": "delivered", "error_code": None, "now": later}
        delivery = await outbox.receipt(tx, provider_id="SM2", delivery_id=again.id, **word)
        assert delivery is not None
        assert await outbox.receipt_of_others(tx, delivery, **word) == []
    async with database.read() as tx:
        # And what is found of the later try is not theirs either.
        assert await outbox.of_others(tx, rest[0], ["SM2"]) == {"SM2"}
        assert [one.id for one in await outbox.of_bundle(tx, rest[0])] == [one.id for one in rest]
    assert [row.state for row in await box.all()] == [S.SENT, S.UNKNOWN, S.UNKNOWN]


async def test_what_waits_its_turn_is_due_then(box: Any, make: Any, database: Database) -> None:
    """And goes in one message with what has come meanwhile; a page about a life does not wait (life-first)."""
    ordinary = {"priority": Priority.PAGE, "brief": BRIEF}
    pacing = Pacing(gap_s=10)
    await box.put(make.delivery("k0", **ordinary))
    (first,) = await box.claim(bundling=MANY, pacing=pacing)
    async with database.write() as tx:
        assert await outbox.sent(tx, first, provider_id="SM1", status="queued", now=make.now)
    await box.put(make.delivery("k1", **ordinary), make.delivery("urgent", brief=BRIEF))

    later = make.at(seconds=3)
    assert [one.step_key for one in await box.claim(later, bundling=MANY, pacing=pacing)] == ["urgent"]
    async with database.read() as tx:
        assert await outbox.next_at(tx) == make.at(seconds=10)
    await box.put(make.delivery("k2", **ordinary))
    assert await box.claim(make.at(seconds=9), bundling=MANY, pacing=pacing) == []
    (both,) = await box.claim(make.at(seconds=10), bundling=MANY, pacing=pacing)
    assert [one.step_key for one in both.members] == ["k1", "k2"]


async def test_what_is_leaving_counts_like_what_has_left(box: Any, make: Any) -> None:
    """Another process may have taken it a moment ago."""
    ordinary = {"priority": Priority.INFORM, "brief": BRIEF}
    await box.put(make.delivery("k0", **ordinary))
    await box.claim(bundling=MANY, pacing=Pacing())
    await box.put(*(make.delivery(f"k{number}", **ordinary) for number in (1, 2)))
    assert await box.claim(owner="two", bundling=MANY, pacing=Pacing()) == []


async def test_when_requests_were_made_of_which_nobody_knows(box: Any, make: Any, database: Database) -> None:
    """Of others to the same address; what is in one message with this is no other, and what is settled is known."""
    await box.put(*pages(make, 2))
    (message,) = await box.claim(bundling=MANY)
    async with database.read() as tx:
        assert await outbox.requested(tx, message) == (make.now, [])
    await box.put(make.delivery("later"), make.delivery("settled"))
    later, settled = await box.claim(make.at(seconds=9))
    async with database.write() as tx:
        assert await outbox.sent(tx, settled, provider_id="SM9", status="sent", now=make.now, against=False)
        assert await outbox.unknown(tx, later, ask_at=make.at(seconds=60), error="no answer", now=make.now)
    async with database.read() as tx:
        assert await outbox.requested(tx, message) == (make.now, [make.at(seconds=9)])
        assert await outbox.requested(tx, later) == (make.at(seconds=9), [make.now])
