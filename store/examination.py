"""Looking at a database from outside, for whoever examines an installation: reads, and changes nothing.

The service's own way in (database.py) takes the write lock, switches the journal over and refuses what it cannot work
with; here all of that is only looked at, so that a running service notices nothing. What the disk can do is tried with
a database of its own in the same folder, which is removed at once.
"""

import contextlib
import secrets
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from store import migrating
from store.errors import DatabaseError, SchemaTooNewError, translated

#: Connections that the service opens at the most; see postgresql.py.
SERVICE_CONNECTIONS = 15

_CONNECT_S = 5
_COMMITS = 15
#: A bigger file is not read as a whole beside a service that needs the disk.
_CHECKED_B = 512 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SqliteFacts:
    """What an SQLite file says of itself."""

    path: Path
    journal_mode: str
    size_b: int
    #: Of the write-ahead log beside it.
    log_b: int
    #: What is wrong with the file by SQLite's own check; empty where nothing is, None where it is too big to be read.
    damage: str | None
    #: Why this program cannot use its schema; empty where it can.
    schema: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskTrial:
    """What became of a database that was made for a trial."""

    journal_mode: str
    #: Seconds that a commit waited for the disk: the one in the middle.
    commit_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFacts:
    """What a PostgreSQL server says of itself, and of our database."""

    version: str
    synchronous_commit: str
    fsync: bool
    full_page_writes: bool
    encoding: str
    read_only: bool
    #: Connections that the server allows this role, how many there are now, and how many of them are the service's.
    connections_allowed: int
    connections_used: int
    connections_ours: int
    #: Seconds for one question and its answer.
    round_trip_s: float
    schema: str


def sqlite_path(url: str) -> Path | None:
    """Give the file of an SQLite database; None for another database, or one that is no plain file."""
    parsed = make_url(url)
    if (
        parsed.get_backend_name() != "sqlite"
        or not parsed.database
        or parsed.database.startswith(("file:", ":memory:"))
    ):
        return None
    return Path(parsed.database)


def look_at_sqlite(path: Path) -> SqliteFacts:
    """Read an SQLite file. Blocks. Raises DatabaseError."""
    try:
        with contextlib.closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=2)
        ) as connection:
            (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
            size_b, checked = path.stat().st_size, None
            if size_b <= _CHECKED_B:
                (checked,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            log = path.with_name(f"{path.name}-wal")
            return SqliteFacts(
                path=path,
                journal_mode=mode,
                size_b=size_b,
                log_b=log.stat().st_size if log.exists() else 0,
                damage="" if checked == "ok" else checked,
                schema=_of_sqlite(path),
            )
    except (sqlite3.Error, OSError) as error:
        raise DatabaseError(f"{path} cannot be read as a database: {error}.") from error


def _of_sqlite(path: Path) -> str:
    uri = f"{path.absolute().as_uri()}?mode=ro"
    engine = sa.create_engine(
        "sqlite://", creator=lambda: sqlite3.connect(uri, uri=True, timeout=2), poolclass=NullPool, hide_parameters=True
    )
    try:
        with engine.connect() as connection:
            return _schema(connection)
    finally:
        engine.dispose()


def _schema(connection: sa.Connection) -> str:
    try:
        migrating.refuse_newer(connection)
    except SchemaTooNewError as error:
        return str(error)
    return ""


def try_disk(folder: Path) -> DiskTrial:
    """Make a database in a folder, write to it as the service does, and remove it. Blocks. Raises DatabaseError."""
    path = folder / f".shouwang-doctor-{secrets.token_hex(4)}.db"
    try:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=2)) as connection:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("CREATE TABLE trial (number INTEGER)")
            took = []
            for number in range(_COMMITS):
                began = time.perf_counter()
                connection.execute("INSERT INTO trial VALUES (?)", (number,))
                took.append(time.perf_counter() - began)
            (kept,) = connection.execute("SELECT count(*) FROM trial").fetchone()
        if kept != _COMMITS:
            raise DatabaseError(f"Of {_COMMITS} commits in {folder}, {kept} were kept.")
        return DiskTrial(journal_mode=mode, commit_s=median(took))
    except sqlite3.Error as error:
        raise DatabaseError(f"A database in {folder} cannot be written: {error}.") from error
    finally:
        for end in ("", "-wal", "-shm", "-journal"):
            with contextlib.suppress(OSError):
                path.with_name(path.name + end).unlink(missing_ok=True)


class Server:
    """A connection to a PostgreSQL server. Made by `postgresql`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def clock(self) -> datetime:
        """Give the server's time."""
        now: datetime = await self._one("SELECT clock_timestamp()")
        return now

    async def look(self) -> ServerFacts:
        """Read what there is to know. Raises DatabaseError."""
        with _our_errors():
            took = []
            for _ in range(5):
                began = time.perf_counter()
                await self._one("SELECT 1")
                took.append(time.perf_counter() - began)
            allowed = int(await self._show("max_connections")) - int(await self._show("superuser_reserved_connections"))
            of_role = await self._one("SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user")
            ours = "datname = current_database() AND application_name = 'shouwang'"
            return ServerFacts(
                version=await self._show("server_version"),
                synchronous_commit=await self._show("synchronous_commit"),
                fsync=await self._show("fsync") == "on",
                full_page_writes=await self._show("full_page_writes") == "on",
                encoding=await self._show("server_encoding"),
                read_only=bool(await self._one("SELECT pg_is_in_recovery()"))
                or await self._show("default_transaction_read_only") == "on",
                connections_allowed=allowed if of_role < 0 else min(allowed, of_role),
                # Not our own one.
                connections_used=await self._one("SELECT count(*) FROM pg_stat_activity WHERE datname IS NOT NULL") - 1,
                connections_ours=await self._one(f"SELECT count(*) FROM pg_stat_activity WHERE {ours}"),  # noqa: S608 - both are our own words
                round_trip_s=median(took),
                schema=await self._connection.run_sync(_schema),
            )

    async def _one(self, sql: str) -> Any:
        return await self._connection.scalar(sa.text(sql))

    async def _show(self, setting: str) -> str:
        return str(await self._one(f"SHOW {setting}"))


@contextlib.asynccontextmanager
async def postgresql(url: str) -> AsyncIterator[Server]:
    """Connect to a PostgreSQL server, for reading only. Raises DatabaseError."""
    engine = create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"),
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={
            "timeout": _CONNECT_S,
            "command_timeout": _CONNECT_S,
            "server_settings": {"application_name": "shouwang doctor"},
        },
    )
    try:
        with _our_errors():
            connection = await engine.connect()
        try:
            await connection.execution_options(postgresql_readonly=True)
            yield Server(connection)
        finally:
            await connection.close()
    finally:
        await engine.dispose()


@contextlib.contextmanager
def _our_errors() -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        raise translated(error) from error
