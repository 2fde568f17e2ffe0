import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from rules.decisions import CancelDue, DueKind, SetDue
from store import database as database_module
from store import due, replies, sqlite
from store.database import Database, DatabaseError, DatabaseUnavailableError, RefusedError
from store.tables import due as due_table


async def test_ping(database: Database) -> None:
    await database.ping()


async def test_what_is_committed_is_seen_by_readers_and_what_is_not_is_not(database: Database, make: Any) -> None:
    soon = SetDue(kind=DueKind.STEP, subject="i", due_at=make.now)
    async with database.write() as tx:
        await due.put(tx, [soon])
        async with database.read() as other:
            assert await due.next_at(other) is None

    async with database.read() as other:
        assert await due.next_at(other) == make.now


async def test_an_exception_leaves_nothing_behind(database: Database, make: Any) -> None:
    async with database.write() as tx:
        await due.put(tx, [SetDue(kind=DueKind.STEP, subject="before", due_at=make.now)])

    async def fail() -> None:
        async with database.write() as tx:
            await due.put(tx, [SetDue(kind=DueKind.STEP, subject="lost", due_at=make.now)])
            await due.cancel(tx, [CancelDue(kind=DueKind.STEP, subject="before")])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    async with database.write() as tx:
        assert [row.subject for row in await due.claim(tx, make.now, 10)] == ["before"]


async def test_a_cancelled_task_leaves_nothing_behind_and_the_writer_usable(database: Database, make: Any) -> None:
    inside = asyncio.Event()

    async def write() -> None:
        async with database.write() as tx:
            await due.put(tx, [SetDue(kind=DueKind.STEP, subject="lost", due_at=make.now)])
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(write())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    async with database.write() as tx:
        assert await due.next_at(tx) is None


async def test_a_task_cancelled_within_a_statement_leaves_the_writer_usable(database: Database, make: Any) -> None:
    rows = [SetDue(kind=DueKind.HOLD, subject=f"r/{number}", due_at=make.now) for number in range(4000)]

    async def write() -> None:
        async with database.write() as tx:
            await due.put(tx, rows)
            await due.put(tx, rows)

    for steps in range(1, 60):
        task = asyncio.create_task(write())
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async with database.write() as tx:
        assert await due.next_at(tx) is None
        await due.put(tx, rows[:1])
    async with database.read() as tx:
        assert await due.next_at(tx) == make.now


async def test_many_tasks_may_write_at_once(database: Database, make: Any) -> None:
    async def write(number: int) -> None:
        async with database.write() as tx:
            before = await tx.scalar(sa.select(sa.func.count()).select_from(due_table))
            assert before is not None
            await due.put(tx, [SetDue(kind=DueKind.HOLD, subject=f"r/{number}", due_at=make.now)])

    await asyncio.gather(*(write(number) for number in range(30)))

    async with database.read() as tx:
        assert await tx.scalar(sa.select(sa.func.count()).select_from(due_table)) == 30


async def test_what_is_asked_often_is_answered_outside_a_transaction(database: Database, make: Any) -> None:
    assert await database.peek(due.SOONEST) is None
    async with database.write() as tx:
        await due.put(tx, [SetDue(kind=DueKind.HOLD, subject="r/d", due_at=make.at(microseconds=7))])
        if database.dialect == "sqlite":  # what is not committed is not seen, and nobody waits for it
            assert await database.peek(due.SOONEST) is None
    assert await database.peek(due.SOONEST) == make.at(microseconds=7)


async def test_a_question_that_the_database_cannot_answer_is_an_error_of_ours(database: Database) -> None:
    with pytest.raises(DatabaseError):
        await database.peek(sa.select(sa.func.max(sa.table("none", sa.column("x")).c.x)))

    assert await database.peek(due.SOONEST) is None


async def test_a_task_cannot_wait_for_itself(database: Database) -> None:
    async with database.write() as tx:
        with pytest.raises(RuntimeError, match="must use its transaction"):
            async with database.write():
                pass
        assert await due.next_at(tx) is None
    async with database.write() as tx:
        assert await due.next_at(tx) is None


async def test_readers_cannot_write(database: Database, make: Any) -> None:
    with pytest.raises(DatabaseError):
        async with database.read() as tx:
            await due.put(tx, [SetDue(kind=DueKind.STEP, subject="i", due_at=make.now)])


async def test_a_value_the_database_refuses_is_told_from_a_database_in_trouble(database: Database) -> None:
    """The same again would be refused again, so it must not look like something to wait for."""
    with pytest.raises(RefusedError, match=r"ck_due_kind|CHECK"):
        async with database.write() as tx:
            await tx.execute(sa.text("INSERT INTO due (kind, subject, due_at) VALUES ('tea', 's', 1)"))

    with pytest.raises(DatabaseError, match="no_such_table"):
        async with database.write() as tx:
            await tx.execute(sa.text("SELECT 1 FROM no_such_table"))


async def test_a_unit_of_work_is_run_again_where_the_database_was_away(database: Database, make: Any) -> None:
    tries = []

    async def unit(tx: database_module.Transaction) -> str:
        tries.append(await due.next_at(tx))
        await due.put(tx, [SetDue(kind=DueKind.STEP, subject="i", due_at=make.now)])
        if len(tries) < 3:
            raise DatabaseUnavailableError("gone for a moment")
        return "done"

    assert await database.transact(unit) == "done"
    assert tries == [None, None, None]


async def test_a_unit_of_work_is_given_up_in_the_end(database: Database) -> None:
    async def unit(tx: database_module.Transaction) -> None:
        raise DatabaseUnavailableError("gone for good")

    with pytest.raises(DatabaseUnavailableError, match="gone for good"):
        await database.transact(unit)


async def test_times_go_in_and_out_to_the_microsecond(database: Database, make: Any) -> None:
    exact = make.now.replace(microsecond=123457)
    async with database.write() as tx:
        await due.put(tx, [SetDue(kind=DueKind.STEP, subject="i", due_at=exact)])
        assert await due.next_at(tx) == exact


async def test_naive_times_are_refused(database: Database, make: Any) -> None:
    with pytest.raises(TypeError):
        async with database.write() as tx:
            await due.put(tx, [SetDue(kind=DueKind.STEP, subject="i", due_at=make.now.replace(tzinfo=None))])


# --- SQLite -----------------------------------------------------------------------------------------------------------


async def test_sqlite_runs_with_a_write_ahead_log_and_waits_for_the_disk(sqlite_database: Database) -> None:
    async with sqlite_database.write() as tx:
        assert (await tx.exec_driver_sql("PRAGMA journal_mode")).scalar() == "wal"
        assert (await tx.exec_driver_sql("PRAGMA synchronous")).scalar() == 2
        assert (await tx.exec_driver_sql("PRAGMA busy_timeout")).scalar() == 5000


async def test_sqlite_transactions_hold_the_write_lock_from_the_start(
    sqlite_url: str, sqlite_database: Database
) -> None:
    """Else a transaction that reads first fails at once when another process has written in between."""
    with sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), timeout=0) as other:
        async with sqlite_database.write():
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("BEGIN IMMEDIATE")
        other.execute("BEGIN IMMEDIATE")
        other.rollback()
    other.close()


async def test_sqlite_waits_for_another_process_without_holding_up_the_others(
    sqlite_url: str, sqlite_database: Database, make: Any
) -> None:
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    async def write() -> None:
        async with sqlite_database.write() as tx:
            await due.put(tx, [SetDue(kind=DueKind.STEP, subject="i", due_at=make.now)])

    task = asyncio.create_task(write())
    for _ in range(5):
        await sqlite_database.ping()
    assert not task.done()
    other.execute("COMMIT")
    other.close()
    await task

    async with sqlite_database.read() as tx:
        assert await due.next_at(tx) == make.now


async def test_sqlite_that_stays_busy_is_unavailable(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_S", 0.05)
    database = await Database.open(sqlite_url)
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseUnavailableError, match="locked"):
        async with database.write():
            pass
    other.close()
    async with database.write() as tx:
        await replies.opt_in(tx, "+8613900000001")
    await database.close()


async def test_two_programs_may_share_an_sqlite_file(sqlite_url: str, make: Any) -> None:
    one, other = await Database.open(sqlite_url), await Database.open(sqlite_url)

    async def write(database: Database, name: str) -> None:
        for number in range(20):
            async with database.write() as tx:
                await due.next_at(tx)
                await due.put(tx, [SetDue(kind=DueKind.HOLD, subject=f"{name}/{number}", due_at=make.now)])

    await asyncio.gather(write(one, "one"), write(other, "other"))

    async with one.read() as tx:
        assert await tx.scalar(sa.select(sa.func.count()).select_from(due_table)) == 40
    await one.close()
    await other.close()


def _modes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}


async def test_what_is_known_of_people_is_for_nobody_else_on_the_machine(tmp_path: Path, make: Any) -> None:
    database = await Database.open(f"sqlite:///{tmp_path}/shouwang.db")
    await database.migrate()
    modes = _modes(tmp_path)
    await database.close()

    assert modes.keys() >= {"shouwang.db", "shouwang.db-wal"}
    assert set(modes.values()) == {0o600}


async def test_a_backup_is_a_complete_database(sqlite_database: Database, make: Any, tmp_path: Path) -> None:
    async with sqlite_database.write() as tx:
        await due.put(tx, [SetDue(kind=DueKind.STEP, subject="i", due_at=make.now)])
    await sqlite_database.backup(tmp_path / "copy.db")

    copy = await Database.open(f"sqlite:///{tmp_path}/copy.db")
    async with copy.read() as tx:
        assert await due.next_at(tx) == make.now
    await copy.close()

    with pytest.raises(DatabaseError, match="exists already"):
        await sqlite_database.backup(tmp_path / "copy.db")


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("sqlite:///{path}/missing/shouwang.db", "The folder {path}/missing for the database does not exist"),
        ("sqlite:///{path}", "is a folder; the database has to be a file"),
        ("sqlite://", "keeps nothing; name a file"),
        ("sqlite:///{path}/note.txt", "file is not a database"),
        ("mysql://root@localhost/shouwang", "mysql databases are not supported; use sqlite or postgresql"),
        ("nonsense", "The database URL cannot be read"),
        ("sqlite:///file:{path}/shouwang.db?vfs=unix-none&uri=true", "would not keep a write-ahead log"),
        ("postgresql://postgres:secret@127.0.0.1:1/shouwang", "cannot be opened.*did not answer"),
    ],
)
async def test_what_cannot_be_opened_is_said_in_a_sentence(url: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("This is not a database, but a note that is long enough to be looked at.\n" * 99)

    with pytest.raises(DatabaseError, match=sentence.format(path=tmp_path)) as refusal:
        await Database.open(url.format(path=tmp_path))

    assert "secret" not in str(refusal.value)


async def test_a_postgresql_database_that_does_not_exist_is_said_in_a_sentence(postgres_url: str) -> None:
    with pytest.raises(DatabaseError, match=r"cannot be opened.*\"missing\" does not exist"):
        await Database.open(postgres_url.replace("/postgres?", "/missing?"))


async def test_postgresql_that_forgets_on_a_crash_is_refused(fresh_postgres_url: str) -> None:
    """A message is acknowledged after the commit; a commit that is not on disk is none."""
    database = await Database.open(fresh_postgres_url)
    async with database.write() as tx:
        name = await tx.scalar(sa.text("SELECT current_database()"))
        await tx.execute(sa.text(f"ALTER DATABASE {name} SET synchronous_commit = off"))
    await database.close()

    with pytest.raises(DatabaseError, match="synchronous_commit = off"):
        await Database.open(fresh_postgres_url)


async def test_a_connection_that_was_cut_is_unavailable_and_then_replaced(
    postgres_database_url: str, make: Any
) -> None:
    database = await Database.open(postgres_database_url)

    async def be_cut_off() -> None:
        async with database.write() as tx:
            pid = await tx.scalar(sa.text("SELECT pg_backend_pid()"))
            async with database.read() as other:
                await other.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
            await due.put(tx, [SetDue(kind=DueKind.STEP, subject="i", due_at=make.now)])

    with pytest.raises(DatabaseUnavailableError):
        await be_cut_off()

    async with database.write() as tx:
        assert await due.next_at(tx) is None
    await database.close()


async def test_a_database_that_is_only_looked_at_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match=r"There is no database .*shouwang\.db; has the service run here"):
        await Database.open(f"sqlite:///{tmp_path}/shouwang.db", create=False)
    assert not list(tmp_path.iterdir())  # noqa: ASYNC240 - a look at one local folder
