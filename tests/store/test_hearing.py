from datetime import timedelta
from typing import Any

from rules.hearing import Gap
from store import hearing
from store.database import Database

MINUTE = timedelta(minutes=1)


async def test_a_pause_in_listening_is_a_gap(database: Database, make: Any) -> None:
    async with database.write() as tx:
        assert (await hearing.load(tx)).until is None
        assert await hearing.listens(tx, make.now, at_least=MINUTE) is None
        assert await hearing.listens(tx, make.at(seconds=30), at_least=MINUTE) is None
        assert await hearing.listens(tx, make.at(hours=2), at_least=MINUTE) == (make.at(seconds=30), make.at(hours=2))

        known = await hearing.load(tx)
        assert known.until == make.at(hours=2)
        assert known.of("any", make.at(hours=3)) == [Gap(make.at(seconds=30), make.at(hours=2))]


async def test_a_gateway_that_is_off_is_a_gap_of_its_own(database: Database, make: Any) -> None:
    async with database.write() as tx:
        await hearing.loses(tx, "g", make.now)
        await hearing.loses(tx, "g", make.at(minutes=5))
        known = await hearing.load(tx)
        assert known.of("g", make.at(hours=1)) == [Gap(make.now, make.at(hours=1))]
        assert known.of("other", make.at(hours=1)) == []

        await hearing.regains(tx, "g", make.at(hours=2))
        await hearing.regains(tx, "g", make.at(hours=3))
        await hearing.loses(tx, "g", make.at(hours=4))
        known = await hearing.load(tx)
        assert known.of("g", make.at(hours=5)) == [
            Gap(make.now, make.at(hours=2)),
            Gap(make.at(hours=4), make.at(hours=5)),
        ]


async def test_old_gaps_are_forgotten_and_lasting_ones_are_not(database: Database, make: Any) -> None:
    async with database.write() as tx:
        await hearing.loses(tx, "g", make.now)
        await hearing.regains(tx, "g", make.at(hours=1))
        await hearing.loses(tx, "h", make.now)
        assert await hearing.prune(tx, make.at(hours=2)) == 1
        assert list((await hearing.load(tx)).gaps) == ["h"]


async def test_of_many_gateways_those_are_given_that_are_asked_about(database: Database, make: Any) -> None:
    async with database.write() as tx:
        for one in ("a", "a/hall", "b"):
            await hearing.loses(tx, one, make.now)

    async with database.read() as tx:
        assert set((await hearing.load(tx, ["a", "a/attic"])).gaps) == {"a"}
        assert set((await hearing.load(tx, ["a/hall", "b"])).gaps) == {"a/hall", "b"}
        assert set((await hearing.load(tx)).gaps) == {"a", "a/hall", "b"}
