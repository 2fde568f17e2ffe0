"""What runs where on SQLite: everything also holds for what runs in the thread."""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from store.sqlite import Sqlite, SqliteConnection
from store.transaction import SLOW

_NUMBERS = sa.table("numbers", sa.column("number", sa.Integer))
_ALL = sa.select(_NUMBERS.c.number).order_by(_NUMBERS.c.number)


@pytest.fixture
async def file(tmp_path: Path) -> AsyncIterator[Sqlite]:
    """Give a file with an empty table of numbers."""
    with contextlib.closing(sqlite3.connect(tmp_path / "numbers.db")) as connection:
        connection.execute("CREATE TABLE numbers (number INTEGER)")
    file = Sqlite(make_url(f"sqlite:///{tmp_path}/numbers.db"))
    yield file
    await file.close()


async def _place(connection: SqliteConnection) -> list[bool]:
    """Make place() known to SQL, which notes whether it was called in this thread."""
    places: list[bool] = []
    here = threading.get_ident()

    def make(one: sa.Connection) -> None:
        raw = one.connection.driver_connection
        assert raw is not None
        raw.create_function("place", 0, lambda: places.append(threading.get_ident() == here))

    await connection.run_sync(make)
    return places


@pytest.mark.parametrize("chosen", [_ALL, _ALL.execution_options(**SLOW)], ids=["short", "slow"])
async def test_rows_can_be_had_in_every_way(chosen: sa.Select[int], file: Sqlite) -> None:
    async with file.write() as tx:
        await tx.execute(sa.insert(_NUMBERS), [{"number": number} for number in range(3)])

        assert (await tx.execute(chosen)).all() == [(0,), (1,), (2,)]
        assert [row.number for row in await tx.execute(chosen)] == [0, 1, 2]
        assert [row["number"] for row in (await tx.execute(chosen)).mappings()] == [0, 1, 2]
        assert (await tx.execute(chosen)).mappings().first() == {"number": 0}
        assert list(await tx.scalars(chosen)) == [0, 1, 2]
        assert await tx.scalar(chosen) == 0
        assert await tx.scalar(chosen.where(_NUMBERS.c.number > 9)) is None


@pytest.mark.parametrize("slow", [{}, SLOW], ids=["short", "slow"])
async def test_what_was_changed_is_counted(slow: dict[str, object], file: Sqlite) -> None:
    async with file.write() as tx:
        await tx.exec_driver_sql("INSERT INTO numbers VALUES (?)", [(1,), (2,), (3,)])

        removed = await tx.execute(sa.delete(_NUMBERS).where(_NUMBERS.c.number > 1).execution_options(**slow))

        assert removed.rowcount == 2


@pytest.mark.parametrize(
    ("statement", "values", "in_loop"),
    [
        (sa.text("SELECT place()"), None, True),
        (sa.text("INSERT INTO numbers VALUES (place())"), None, True),
        (sa.text("SELECT place()").execution_options(**SLOW), None, False),
        (sa.text("SELECT place(), :listed"), {"listed": "x" * 40_000}, False),
    ],
    ids=["select", "insert", "slow", "long list"],
)
async def test_only_what_is_short_runs_in_the_event_loop(
    statement: sa.TextClause, values: dict[str, str] | None, in_loop: bool, file: Sqlite
) -> None:
    async with file.write() as tx:
        places = await _place(tx)

        await tx.execute(statement, values)

        assert places == [in_loop]


@pytest.mark.parametrize(("count", "in_loop"), [(10, True), (5_000, False)])
async def test_only_a_few_rows_are_written_in_the_event_loop(count: int, in_loop: bool, file: Sqlite) -> None:
    async with file.write() as tx:
        places = await _place(tx)

        written = await tx.exec_driver_sql("INSERT INTO numbers SELECT ? WHERE place() IS NULL", [(1,)] * count)

        assert set(places) == {in_loop}
        assert written.rowcount == count


async def test_cancelling_waits_for_the_thread(file: Sqlite) -> None:
    """Whoever rolls back afterwards must not meet a connection that is still at work."""
    gate, done = threading.Event(), threading.Event()

    def work(_connection: sa.Connection) -> None:
        gate.wait(5)
        done.set()

    async with file.write() as tx:
        task = asyncio.create_task(tx.run_sync(work))
        await asyncio.sleep(0)
        for _ in range(3):
            task.cancel()
            await asyncio.sleep(0)
            assert not task.done()

        gate.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert done.is_set()


async def test_a_begin_that_was_cancelled_leaves_no_transaction_behind(file: Sqlite, tmp_path: Path) -> None:
    """Nobody would ever end it: no other process could write any more, and neither could this one."""
    async with file.write():
        pass
    other = sqlite3.connect(tmp_path / "numbers.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    async def write() -> None:
        async with file.write():
            pass

    waiting = asyncio.create_task(write())
    for _ in range(3):
        await asyncio.sleep(0)
    waiting.cancel()
    other.execute("ROLLBACK")
    with pytest.raises(asyncio.CancelledError):
        await waiting

    other.execute("BEGIN IMMEDIATE")
    other.execute("ROLLBACK")
    other.close()
    await write()


async def test_a_commit_that_fails_is_undone_and_the_next_one_works(
    file: Sqlite, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def write(number: int) -> None:
        async with file.write() as tx:
            await tx.execute(sa.insert(_NUMBERS), {"number": number})

    async def fail(_connection: SqliteConnection) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as broken:
        broken.setattr(SqliteConnection, "commit", fail)
        with pytest.raises(sqlite3.OperationalError, match="disk"):
            await write(1)
    await write(2)

    async with file.read() as tx:
        assert list(await tx.scalars(_ALL)) == [2]


async def test_after_a_commit_that_sqlite_refused_others_can_write(file: Sqlite) -> None:
    """As on a disk that is full: what SQLAlchemy keeps of the failed transaction must not stay in the way."""
    async with file.write() as tx:
        await tx.exec_driver_sql("CREATE TABLE homes (id INTEGER PRIMARY KEY)")
        await tx.exec_driver_sql("CREATE TABLE devices (home INTEGER REFERENCES homes DEFERRABLE INITIALLY DEFERRED)")
    assert file._writer is not None
    # The only thing that makes SQLite itself refuse at COMMIT, and not before.
    file._writer._raw.execute("PRAGMA foreign_keys = ON")

    async def write(number: int, *more: str) -> None:
        async with file.write() as tx:
            await tx.execute(sa.insert(_NUMBERS), {"number": number})
            for sql in more:
                await tx.exec_driver_sql(sql)

    with pytest.raises(sa.exc.IntegrityError, match="FOREIGN KEY"):
        await write(1, "INSERT INTO devices VALUES (7)")
    await write(2)

    async with file.read() as tx:
        assert list(await tx.scalars(_ALL)) == [2]


async def test_a_writer_that_cannot_even_undo_is_replaced(file: Sqlite, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(_connection: SqliteConnection) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    async def write_badly() -> None:
        async with file.write() as tx:
            await tx.execute(sa.insert(_NUMBERS), {"number": 1})
            raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(SqliteConnection, "rollback", fail)
        with pytest.raises(sqlite3.OperationalError, match="disk"):
            await write_badly()

    async with file.write() as tx:
        assert list(await tx.scalars(_ALL)) == []


async def test_more_readers_than_connections_wait_for_one_another(file: Sqlite) -> None:
    async def read() -> int:
        async with file.read() as tx:
            await asyncio.sleep(0)
            return int(await tx.scalar(sa.select(sa.func.count()).select_from(_NUMBERS)))

    assert await asyncio.gather(*(read() for _ in range(50))) == [0] * 50


async def test_closing_twice_is_harmless(file: Sqlite) -> None:
    async with file.write(), file.read():
        pass
    await file.close()
    await file.close()


async def test_it_is_closed_when_the_transaction_is_over(file: Sqlite) -> None:
    """A connection that is closed in its thread while a statement runs in another takes the whole process with it."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def write() -> int:
        async with file.write() as connection:
            begun.set()
            await go_on.wait()
            return (await connection.execute(sa.insert(_NUMBERS).values(number=7))).rowcount

    writing = asyncio.create_task(write())
    await begun.wait()
    closing = asyncio.create_task(file.close())
    await asyncio.sleep(0.05)
    assert not closing.done()
    go_on.set()

    assert await writing == 1
    await closing
    async with file.read() as connection:
        assert list(await connection.scalars(_ALL)) == [7]
