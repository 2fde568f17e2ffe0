"""The driver as SQLAlchemy uses it: everything also holds for what runs in the thread."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from store.sqlite_driver import SLOW, Connection


@pytest.fixture
async def connection(tmp_path: Path) -> AsyncIterator[Connection]:
    connection = await Connection.open(str(tmp_path / "driver.db"), busy_timeout_s=0.05)
    connection.run("CREATE TABLE numbers (number INTEGER)")
    yield connection
    await connection.close()


@pytest.mark.parametrize("word", ["SELECT", f"SELECT {SLOW}"])
async def test_rows_can_be_fetched_in_every_way(word: str, connection: Connection) -> None:
    cursor = connection.cursor()
    await cursor.executemany("INSERT INTO numbers VALUES (?)", [(number,) for number in range(6)])
    await cursor.execute(f"{word} number FROM numbers ORDER BY number")

    assert [name for name, *_ in cursor.description] == ["number"]
    assert await cursor.fetchone() == (0,)
    assert list(await cursor.fetchmany(2)) == [(1,), (2,)]
    assert list(await cursor.fetchmany()) == [(3,)]
    assert list(await cursor.fetchall()) == [(4,), (5,)]
    assert await cursor.fetchone() is None
    await cursor.close()


@pytest.mark.parametrize(
    ("sql", "parameters", "in_loop"),
    [
        ("SELECT place()", (), True),
        ("INSERT INTO numbers VALUES (place())", (), True),
        (f"SELECT {SLOW} place()", (), False),
        ("SELECT place(), ?", ("x" * 40_000,), False),
        ("CREATE TABLE other AS SELECT place()", (), False),
    ],
)
async def test_only_what_is_short_runs_in_the_event_loop(
    sql: str, parameters: tuple[str, ...], in_loop: bool, connection: Connection
) -> None:
    places: list[bool] = []
    here = threading.get_ident()
    await connection.create_function("place", 0, lambda: places.append(threading.get_ident() == here))

    await connection.cursor().execute(sql, parameters)

    assert places == [in_loop]


@pytest.mark.parametrize(("count", "in_loop"), [(10, True), (5_000, False)])
async def test_only_a_few_rows_are_written_in_the_event_loop(count: int, in_loop: bool, connection: Connection) -> None:
    places: set[bool] = set()
    here = threading.get_ident()
    await connection.create_function("place", 0, lambda: places.add(threading.get_ident() == here))

    await connection.begin(immediate=True)
    cursor = connection.cursor()
    await cursor.executemany("INSERT INTO numbers SELECT ? WHERE place() IS NULL", [(1,)] * count)

    assert places == {in_loop}
    assert cursor.rowcount == count


async def test_cancelling_waits_for_the_thread(connection: Connection) -> None:
    """Whoever rolls back afterwards must not meet a connection that is still at work."""
    gate, done = threading.Event(), threading.Event()

    def work() -> None:
        gate.wait(5)
        done.set()

    task = asyncio.create_task(connection.in_thread(work))
    await asyncio.sleep(0)
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0)
        assert not task.done()

    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done.is_set()


async def test_begin_waits_for_the_lock_in_the_thread_and_gives_up_in_time(
    connection: Connection, tmp_path: Path
) -> None:
    other = sqlite3.connect(tmp_path / "driver.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    await connection.begin(immediate=False)
    await connection.rollback()
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        await connection.begin(immediate=True)
    other.execute("ROLLBACK")
    other.close()

    await connection.begin(immediate=True)
    await connection.rollback()
    await connection.rollback()
    await connection.commit()


async def test_a_begin_that_was_cancelled_leaves_no_transaction_behind(tmp_path: Path) -> None:
    """Nobody would ever end it: no other process could write any more, and neither could this one."""
    connection = await Connection.open(str(tmp_path / "driver.db"), busy_timeout_s=5)
    other = sqlite3.connect(tmp_path / "driver.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waiting = asyncio.create_task(connection.begin(immediate=True))
    await asyncio.sleep(0)
    waiting.cancel()
    other.execute("ROLLBACK")
    with pytest.raises(asyncio.CancelledError):
        await waiting

    other.execute("BEGIN IMMEDIATE")
    other.execute("ROLLBACK")
    other.close()
    await connection.begin(immediate=True)
    await connection.rollback()
    await connection.close()


async def test_closing_twice_is_harmless(tmp_path: Path) -> None:
    connection = await Connection.open(str(tmp_path / "driver.db"), busy_timeout_s=1)
    await connection.close()
    await connection.close()
    connection.stop()


async def test_it_can_be_closed_from_outside(tmp_path: Path) -> None:
    connection = await Connection.open(str(tmp_path / "driver.db"), busy_timeout_s=1)
    connection.stop()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.run("SELECT 1")
