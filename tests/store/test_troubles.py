"""Own troubles as they are kept, on both databases."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from rules.trouble import Trouble, TroubleKind
from store import troubles
from store.database import Database
from store.tables import troubles as table


async def test_what_is_saved_is_there_again_and_saved_again_it_is_changed(database: Database, make: Any) -> None:
    now = make.now
    one = Trouble(kind=TroubleKind.BROKER, subject="", detail="", began_at=now, seen_at=now, stands=True)
    other = Trouble(kind=TroubleKind.DISK, subject="/var/lib", detail="3 MiB", began_at=now, seen_at=now, told=True)
    async with database.write() as tx:
        await troubles.save(tx, [one, other])
    over = replace(one, stands=False, ended_at=now + timedelta(minutes=5), spells=2, told_at=now)
    async with database.write() as tx:
        await troubles.save(tx, [over])

    async with database.read() as tx:
        assert {each.kind: each for each in await troubles.listing(tx)} == {over.kind: over, other.kind: other}
        assert await troubles.listing(tx, ended_since=now + timedelta(minutes=6)) == [other]


async def test_only_what_is_long_over_and_told_is_forgotten(database: Database, make: Any) -> None:
    now = make.now
    long_ago = now - timedelta(days=100)
    base = Trouble(kind=TroubleKind.DISK, subject="stands", detail="", began_at=long_ago, seen_at=now, stands=True)
    over = replace(base, subject="over", stands=False, ended_at=long_ago)
    untold = replace(over, subject="untold", told=True)
    async with database.write() as tx:
        await troubles.save(tx, [base, over, untold, replace(over, subject="lately", ended_at=now)])
        assert await troubles.prune(tx, now - timedelta(days=90)) == 1

    async with database.read() as tx:
        assert {one.subject for one in await troubles.listing(tx)} == {"stands", "untold", "lately"}


async def test_a_kind_of_a_newer_program_is_passed_over(database: Database, make: Any) -> None:
    one = Trouble(kind=TroubleKind.BROKER, subject="", detail="", began_at=make.now, seen_at=make.now)
    async with database.write() as tx:
        await troubles.save(tx, [one])
        await tx.execute(sa.update(table).values(kind="gravity"))

    async with database.read() as tx:
        assert await troubles.listing(tx) == []
