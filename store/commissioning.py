"""Homes whose devices are being tested, and how the tests of devices went."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from store import dialect
from store.database import Transaction
from store.tables import device_states, device_tests, state_changes, testing


class Window(NamedTuple):
    """A time in which a home's devices are tested. Times are aware and in UTC."""

    home_id: str
    began_at: datetime
    until: datetime
    #: Who tests.
    by: str


class Test(NamedTuple):
    """How the test of a device went."""

    device_id: str
    home_id: str
    at: datetime
    by: str
    passed: bool
    note: str | None


class Heard(NamedTuple):
    """Something that a device has said in a window."""

    device_id: str
    kind: str
    state: str | None
    at: datetime


async def begin(tx: Transaction, window: Window) -> None:
    """Open a window, or prolong the one that is open."""
    await dialect.upsert(tx, testing, Window._fields, [window], change=("began_at", "until", "by"))


async def end(tx: Transaction, home_id: str) -> None:
    """Close a window."""
    await tx.execute(sa.delete(testing).where(testing.c.home_id == home_id))


@dialect.statement
def _under_test(on_sqlite: bool) -> sa.Select[tuple[str]]:
    among = dialect.among(testing.c.home_id, "ids", on_sqlite=on_sqlite)
    now: sa.BindParameter[datetime] = sa.bindparam("now")
    return sa.select(testing.c.home_id).where(among, testing.c.began_at <= now, testing.c.until > now)


async def under_test(tx: Transaction, home_ids: Iterable[str], now: datetime) -> set[str]:
    """Give those of some homes that are being tested now."""
    return set(await tx.scalars(_under_test(tx), {"ids": dialect.keys(tx, home_ids), "now": now}))


async def heard(tx: Transaction, device_ids: Sequence[str], since: datetime) -> list[Heard]:
    """Give what devices have said since a time: every change, and what is true of them if it was said again."""
    on_sqlite = dialect.is_sqlite(tx)
    keys = {"ids": dialect.keys(tx, device_ids)}
    among = dialect.among(state_changes.c.device_id, "ids", on_sqlite=on_sqlite)
    columns = (state_changes.c[name] for name in ("device_id", "kind", "state", "received_at"))
    changed = sa.select(*columns).where(
        among, state_changes.c.received_at >= since, state_changes.c.freshness == "live"
    )
    found = [Heard(*row) for row in await tx.execute(changed, keys)]
    among = dialect.among(device_states.c.device_id, "ids", on_sqlite=on_sqlite)
    columns = (device_states.c[name] for name in ("device_id", "kind", "state", "last_seen"))
    said = sa.select(*columns).where(among, device_states.c.last_seen >= since, device_states.c.freshness == "live")
    return sorted([*found, *(Heard(*row) for row in await tx.execute(said, keys))], key=lambda one: one.at)


async def record(tx: Transaction, tests: Iterable[Test]) -> None:
    """Keep how tests went."""
    await dialect.insert(tx, device_tests, Test._fields, tests)


async def last_tests(tx: Transaction, home_ids: Iterable[str]) -> dict[str, Test]:
    """Give the last test of each device of some homes, by device."""
    among = dialect.among(device_tests.c.home_id, "ids", on_sqlite=dialect.is_sqlite(tx))
    columns = (device_tests.c[name] for name in Test._fields)
    rows = await tx.execute(
        sa.select(*columns).where(among).order_by(device_tests.c.at, device_tests.c.id),
        {"ids": dialect.keys(tx, home_ids)},
    )
    return {row[0]: Test(*row) for row in rows}


async def last_passed(tx: Transaction, home_id: str) -> dict[str, datetime]:
    """Give when each device of a home last passed a test, by device."""
    passed = sa.select(device_tests.c.device_id, sa.func.max(device_tests.c.at))
    passed = passed.where(device_tests.c.home_id == home_id, device_tests.c.passed).group_by(device_tests.c.device_id)
    return {row[0]: row[1] for row in await tx.execute(passed)}


async def prune(tx: Transaction, before: datetime) -> int:
    """Forget windows that ended before a time; return how many went."""
    return (await tx.execute(sa.delete(testing).where(testing.c.until < before))).rowcount
