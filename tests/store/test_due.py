from typing import Any

import pytest

from rules.decisions import CancelDue, Due, DueKind, SetDue
from store import due
from store.database import Database


def _set(kind: DueKind, subject: str, at: Any) -> SetDue:
    return SetDue(kind=kind, subject=subject, due_at=at)


async def test_what_people_wait_for_comes_first_then_the_oldest(database: Database, make: Any) -> None:
    """Invariant life-first: after an outage thousands of sensors are overdue, and one step of a gas leak."""
    async with database.write() as tx:
        await due.put(tx, [_set(DueKind.OFFLINE, f"d{number}", make.at(seconds=number)) for number in range(9)])
        await due.put(
            tx, [_set(DueKind.STEP, "i2", make.at(seconds=30)), _set(DueKind.ARRIVAL, "i1", make.at(seconds=20))]
        )
        await due.put(tx, [_set(DueKind.OUTCOME, "later", make.at(hours=2))])

        claimed = await due.claim(tx, make.at(minutes=1), 4)
        assert [row.subject for row in claimed] == ["i1", "i2", "d0", "d1"]
        assert claimed[0] == Due(kind=DueKind.ARRIVAL, subject="i1", due_at=make.at(seconds=20))
        assert [row.subject for row in await due.claim(tx, make.at(minutes=1), 1)] == ["i1"]


async def test_a_time_that_is_put_replaces_and_one_that_is_put_where_absent_does_not(
    database: Database, make: Any
) -> None:
    async with database.write() as tx:
        await due.put(tx, [_set(DueKind.HOLD, "r/d", make.at(hours=1)), _set(DueKind.HOLD, "r/d", make.at(hours=2))])
        assert await due.next_at(tx) == make.at(hours=2)
        await due.put(tx, [_set(DueKind.HOLD, "r/d", make.at(hours=3))])
        assert await due.next_at(tx) == make.at(hours=3)
        await due.put_absent(tx, [_set(DueKind.HOLD, "r/d", make.now), _set(DueKind.HOLD, "r/e", make.at(hours=4))])
        assert [row.subject for row in await due.claim(tx, make.at(hours=5), 9)] == ["r/d", "r/e"]


async def test_sooner_is_never_later(database: Database, make: Any) -> None:
    async with database.write() as tx:
        await due.put_sooner(tx, [_set(DueKind.OFFLINE, "d", make.at(hours=3))])
        await due.put_sooner(tx, [_set(DueKind.OFFLINE, "d", make.at(hours=4))])
        assert await due.next_at(tx) == make.at(hours=3)
        await due.put_sooner(tx, [_set(DueKind.OFFLINE, "d", make.at(hours=1))])
        assert await due.next_at(tx) == make.at(hours=1)


async def test_what_is_cancelled_does_not_happen(database: Database, make: Any) -> None:
    async with database.write() as tx:
        await due.put(tx, [_set(DueKind.STEP, "i", make.now), _set(DueKind.ARRIVAL, "i", make.now)])
        cancelled = [CancelDue(kind=DueKind.STEP, subject="i"), CancelDue(kind=DueKind.STEP, subject="never was")]
        await due.cancel(tx, cancelled)
        assert [row.kind for row in await due.claim(tx, make.now, 9)] == [DueKind.ARRIVAL]


async def test_rows_stay_until_they_are_put_anew_or_cancelled(database: Database, make: Any) -> None:
    """Invariant never-silent: a process that dies with a claimed row loses nothing."""
    async with database.write() as tx:
        await due.put(tx, [_set(DueKind.STEP, "i", make.now)])

    async def die_at_work() -> None:
        async with database.write() as tx:
            assert len(await due.claim(tx, make.now, 9)) == 1
            await due.cancel(tx, [CancelDue(kind=DueKind.STEP, subject="i")])
            raise ZeroDivisionError

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            await die_at_work()


async def test_two_processes_never_claim_the_same_row(postgres_database_url: str, make: Any) -> None:
    one, other = await Database.open(postgres_database_url), await Database.open(postgres_database_url)
    async with one.write() as tx:
        await due.put(tx, [_set(DueKind.STEP, f"i{number}", make.at(seconds=number)) for number in range(6)])

    async with one.write() as first, other.write() as second:
        here = {row.subject for row in await due.claim(first, make.at(hours=1), 4)}
        there = {row.subject for row in await due.claim(second, make.at(hours=1), 4)}

    assert here == {"i0", "i1", "i2", "i3"}
    assert there == {"i4", "i5"}
    await one.close()
    await other.close()


async def test_without_anything_due_there_is_no_next_time(database: Database) -> None:
    async with database.read() as tx:
        assert await due.next_at(tx) is None
