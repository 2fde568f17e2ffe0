"""A database is looked at from outside, and nothing of it is changed."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from store import examination
from store.database import Database
from store.errors import DatabaseError


@pytest.fixture
def path(sqlite_url: str) -> Path:
    found = examination.sqlite_path(sqlite_url)
    assert found is not None
    return found


def everything(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in folder.iterdir() if one.is_file() and not one.name.endswith("-shm")}


def test_which_urls_are_files() -> None:
    assert examination.sqlite_path("sqlite:///shouwang.db") == Path("shouwang.db")
    assert examination.sqlite_path("sqlite:////var/lib/shouwang.db") == Path("/var/lib/shouwang.db")
    assert examination.sqlite_path("sqlite:///file:x?mode=ro") is None
    assert examination.sqlite_path("postgresql://me@localhost/x") is None


def test_a_sound_file(path: Path) -> None:
    before = everything(path.parent)
    facts = examination.look_at_sqlite(path)

    assert (facts.damage, facts.schema) == ("", "")
    assert facts.size_b == path.stat().st_size
    assert {name: content for name, content in everything(path.parent).items() if content} == before


async def test_a_file_in_use_is_read_beside_its_writer(sqlite_database: Database, path: Path) -> None:
    async with sqlite_database.write() as tx:
        await tx.execute(sa.text("CREATE TABLE trial (number INTEGER)"))
        facts = examination.look_at_sqlite(path)

    assert (facts.journal_mode, facts.damage) == ("wal", "")


def test_a_damaged_file_is_told(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE trial (word TEXT)")
        connection.executemany("INSERT INTO trial VALUES (?)", [("x" * 500,)] * 100)
    connection.close()
    content = bytearray(path.read_bytes())
    content[-3_000:-1_000] = b"\xff" * 2_000
    path.write_bytes(bytes(content))

    assert examination.look_at_sqlite(path).damage


def test_what_is_no_database_is_an_error_in_words(tmp_path: Path) -> None:
    path = tmp_path / "shouwang.db"
    path.write_text("no database" * 500)

    with pytest.raises(DatabaseError, match="cannot be read as a database"):
        examination.look_at_sqlite(path)


def test_a_schema_of_a_newer_program_is_told(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()

    assert "a newer Shouwang made" in examination.look_at_sqlite(path).schema


def test_a_trial_of_the_disk_leaves_nothing(tmp_path: Path) -> None:
    trial = examination.try_disk(tmp_path)

    assert trial.journal_mode == "wal"
    assert trial.commit_s > 0
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="cannot be written"):
        examination.try_disk(tmp_path / "nowhere")


@pytest.fixture
async def spoiled_url(fresh_postgres_url: str) -> str:
    """A database with settings that forget."""
    name = make_url(fresh_postgres_url).database
    engine = create_async_engine(
        make_url(fresh_postgres_url).set(drivername="postgresql+asyncpg"), isolation_level="AUTOCOMMIT"
    )
    async with engine.connect() as connection:
        for setting in ("synchronous_commit = off", "default_transaction_read_only = on"):
            await connection.execute(sa.text(f"ALTER DATABASE {name} SET {setting}"))
        await connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    await engine.dispose()
    return fresh_postgres_url


async def test_a_server_says_what_it_is(postgres_database_url: str) -> None:
    async with examination.postgresql(postgres_database_url) as server:
        facts = await server.look()
        now = await server.clock()

    assert (facts.synchronous_commit, facts.full_page_writes, facts.read_only) == ("on", True, False)
    # As tests have it; see tests/conftest.py.
    assert facts.fsync is False
    assert (facts.encoding, facts.schema) == ("UTF8", "")
    assert 0 <= facts.connections_used < facts.connections_allowed
    assert now.tzinfo is not None
    assert abs((datetime.now(UTC) - now).total_seconds()) < 60


async def test_a_server_that_forgets_says_so(spoiled_url: str) -> None:
    """The service refuses it; the doctor reads on."""
    async with examination.postgresql(spoiled_url) as server:
        facts = await server.look()

    assert (facts.synchronous_commit, facts.read_only) == ("off", True)
    assert "a newer Shouwang made" in facts.schema


async def test_the_services_own_connections_are_counted(postgres_database_url: str) -> None:
    service = await Database.open(postgres_database_url)
    try:
        async with service.read(), examination.postgresql(postgres_database_url) as server:
            facts = await server.look()
    finally:
        await service.close()

    assert facts.connections_ours == 1


async def test_no_server_is_an_error_in_words() -> None:
    with pytest.raises(DatabaseError, match="did not answer"):
        async with examination.postgresql("postgresql://me:a-secret-word@127.0.0.1:9/x"):
            pass
