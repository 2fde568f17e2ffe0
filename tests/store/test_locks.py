import asyncio
from typing import Any

from rules.decisions import DueKind, SetDue
from store import due, locks
from store.database import Database


async def test_two_processes_do_not_decide_about_one_home_at_once(postgres_database_url: str, make: Any) -> None:
    one, other = await Database.open(postgres_database_url), await Database.open(postgres_database_url)
    order: list[str] = []

    async def second() -> None:
        async with other.write() as tx:
            await locks.homes(tx, ["c", "b"])
            order.append("second")
            assert await due.next_at(tx) == make.now

    async with one.write() as tx:
        await locks.homes(tx, ["a", "b", "a"])
        waiting = asyncio.create_task(second())
        async with other.write() as free:
            await locks.homes(free, ["d"])
        await due.put(tx, [SetDue(kind=DueKind.STEP, subject="i", due_at=make.now)])
        order.append("first")
    await waiting

    assert order == ["first", "second"]
    await one.close()
    await other.close()


async def test_many_homes_are_locked_whatever_the_order(database: Database) -> None:
    homes = [f"h{number}" for number in range(500)]

    async def take(named: list[str]) -> None:
        async with database.write() as tx:
            await locks.homes(tx, named)
            await asyncio.sleep(0)

    await asyncio.gather(take(homes), take(homes[::-1]), take([]))
