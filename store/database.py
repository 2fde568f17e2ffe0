"""The database: opening it, bringing its schema up to date, and transactions.

One code path for SQLite and PostgreSQL. What differs is how a connection is made (here), and a handful of words of SQL
(dialect.py).
"""

import asyncio
import contextlib
import logging
import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import orjson
import sqlalchemy as sa
from sqlalchemy import exc as sa_exc
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.util import await_only

from store import migrating, sqlite_driver
from store.documents import to_json
from store.errors import (
    DatabaseError,
    DatabaseUnavailableError,
    RefusedError,
    SchemaTooNewError,
    StaleIncident,
    translated,
)
from store.together import PASSING, Together

__all__ = [
    "Database",
    "DatabaseError",
    "DatabaseUnavailableError",
    "RefusedError",
    "SchemaTooNewError",
    "StaleIncident",
    "Transaction",
]

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

#: A connection inside a transaction; the first argument of every function of the store.
Transaction = AsyncConnection

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
}

#: How long a connection waits for another process's lock on an SQLite file, in seconds.
_BUSY_TIMEOUT_S = 5.0

#: ON CONFLICT DO UPDATE, json_each and RETURNING are all there from here on.
_SQLITE_AT_LEAST = (3, 35, 0)

#: Page cache a connection may hold, in KiB. The state lives on disk and in the kernel's cache; ours stays modest.
_WRITER_CACHE_KIB = 4_000
_READER_CACHE_KIB = 500


class Database:
    """A database that is open. Make it with `open`, end it with `close`."""

    def __init__(self, url: URL, writer: AsyncEngine, reader: AsyncEngine) -> None:
        self._url = url
        self._writer = writer
        self._reader = reader
        self._kept: AsyncConnection | None = None
        self._writing = asyncio.Lock()
        self._writers: set[asyncio.Task[Any] | None] = set()
        self._together = Together(self)

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._url.get_backend_name()

    @classmethod
    async def open(cls, url: str, *, create: bool = True) -> "Database":
        """Open a database by its SQLAlchemy URL (`sqlite:///path`, `postgresql://user:pass@host/name`).

        A file that is not there is made, unless `create` says otherwise: whoever looks in the wrong place must not find
        an empty database there. Raises DatabaseError with a sentence where it cannot be used: no such folder, no
        database file, not writable, no write-ahead log, no server, a schema newer than this program.
        """
        parsed = _parsed(url)
        if parsed.get_backend_name() == "sqlite":
            _look_at_file(parsed, create=create)
            database = cls(
                parsed,
                _sqlite_engine(parsed, _WRITER_CACHE_KIB, writes=True),
                _sqlite_engine(parsed, _READER_CACHE_KIB, writes=False),
            )
        else:
            engine = _postgres_engine(parsed)
            database = cls(parsed, engine, engine)
        try:
            await database._look()
        except BaseException:
            await database.close()
            raise
        return database

    async def migrate(self) -> None:
        """Bring the schema up to date. Raises SchemaTooNewError where a newer program has been here."""
        async with self.write() as tx:
            await tx.run_sync(migrating.upgrade)

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[Transaction]:
        """Give a transaction that commits at the end and rolls back on any exception.

        On SQLite there is one writer at a time, first come first served. Raises DatabaseUnavailableError where the
        whole block may be run again, DatabaseError where the database needs help, RefusedError where it refuses the
        values.
        """
        task = self._refuse_second()
        self._writers.add(task)
        try:
            with _our_errors():
                async with self._one_writer() if self.dialect == "sqlite" else self._writer.begin() as connection:
                    yield connection
        finally:
            self._writers.discard(task)

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[Transaction]:
        """Give a transaction that only reads, beside the writer: it sees what was committed before it began."""
        with _our_errors():
            async with self._reader.connect() as connection:
                if self.dialect != "sqlite":
                    await connection.execution_options(postgresql_readonly=True)
                async with connection.begin():
                    yield connection

    async def transact(self, unit: Callable[[Transaction], Awaitable[_T]], *, attempts: int = 3) -> _T:
        """Run a unit of work in a write transaction; all of it again where the database was away or another came first.

        The unit must be repeatable: a connection that is lost during COMMIT leaves it unknown whether it was written,
        so what the unit writes has to be guarded by a unique key, a fence or a version. On SQLite units that wait for
        the one writer share a transaction, for waiting for the disk costs more than what most of them write; where one
        of them fails, each has its own.
        """
        if self.dialect != "sqlite":
            return await self.alone(unit, attempts)
        self._refuse_second()
        return await self._together.run(unit, attempts)

    async def alone(self, unit: Callable[[Transaction], Awaitable[_T]], attempts: int = 3) -> _T:
        """As transact, in a transaction of its own."""
        while True:
            attempts -= 1
            try:
                async with self.write() as tx:
                    return await unit(tx)
            except PASSING:
                if attempts <= 0:
                    raise
                _log.warning("a unit of work is run again", exc_info=True)

    async def ping(self) -> None:
        """Ask for a sign of life. Raises DatabaseError where there is none."""
        async with self.read() as tx:
            await tx.execute(sa.select(1))

    async def backup(self, path: Path) -> None:
        """Write a complete, consistent copy of an SQLite database beside the running service.

        PostgreSQL has its own tools for that (pg_dump, base backups).
        """
        if self.dialect != "sqlite":
            raise DatabaseError("A backup of a PostgreSQL database is made with pg_dump or a base backup.")
        with _our_errors():
            async with self._writer.connect() as connection:
                raw = (await connection.get_raw_connection()).driver_connection
                assert isinstance(raw, sqlite_driver.Connection)  # noqa: S101 - for the type checker
                await raw.in_thread(_vacuum_into, raw, path)

    async def close(self) -> None:
        """Let every connection go."""
        if self._kept is not None:
            kept, self._kept = self._kept, None
            await kept.close()
        await self._writer.dispose()
        if self._reader is not self._writer:
            await self._reader.dispose()

    def _refuse_second(self) -> asyncio.Task[Any] | None:
        task = asyncio.current_task()
        if task in self._writers:
            raise RuntimeError(
                "A task that is writing must use its transaction; a second one would wait for the first."
            )
        return task

    @contextlib.asynccontextmanager
    async def _one_writer(self) -> AsyncIterator[Transaction]:
        async with self._writing:
            # Taking a connection out of the pool and putting it back costs half of a small transaction.
            if self._kept is None or self._kept.closed:
                self._kept = await self._writer.connect()
            connection = self._kept
            try:
                async with connection.begin():
                    yield connection
            except BaseException:
                if connection.invalidated or connection.in_transaction():
                    self._kept = None
                    await connection.close()
                raise

    async def _look(self) -> None:
        with _our_errors(f"The database {_shown(self._url)} cannot be opened"):
            async with self._writer.connect() as connection:
                if self.dialect == "postgresql":
                    setting = await connection.scalar(sa.text("SHOW synchronous_commit"))
                    if setting == "off":
                        raise DatabaseError(
                            "PostgreSQL runs with synchronous_commit = off, which may forget an alarm that was already"
                            " acknowledged. Set it to on for this role or database."
                        )
                # On SQLite this takes the write lock, and so says at once whether the file can be written at all.
                await connection.run_sync(migrating.refuse_newer)


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except sa_exc.ArgumentError as error:
        raise DatabaseError(
            "The database URL cannot be read; write sqlite:///folder/file.db or postgresql://user:password@host/name."
        ) from error
    drivername = _DRIVERS.get(parsed.drivername, parsed.drivername)
    if drivername not in _DRIVERS.values():
        raise DatabaseError(f"{parsed.drivername} databases are not supported; use sqlite or postgresql.")
    return parsed.set(drivername=drivername)


def _shown(url: URL) -> str:
    return url.render_as_string(hide_password=True)


def _look_at_file(url: URL, *, create: bool) -> None:
    if url.database in {None, "", ":memory:"}:
        raise DatabaseError("SQLite in memory keeps nothing; name a file, as in sqlite:///folder/file.db.")
    assert url.database is not None  # noqa: S101 - for the type checker
    if url.database.startswith("file:"):
        return
    path = Path(url.database).resolve()
    if path.is_dir():
        raise DatabaseError(f"{path} is a folder; the database has to be a file.")
    if not path.parent.is_dir():
        raise DatabaseError(f"The folder {path.parent} for the database does not exist.")
    if not create and not path.exists():
        raise DatabaseError(f"There is no database {path}; has the service run here?")
    target = path if path.exists() else path.parent
    if not os.access(target, os.W_OK):
        raise DatabaseError(f"{target} cannot be written by this user.")
    # Names, addresses and health notes of old people: for nobody else on this machine. SQLite's other files follow.
    try:
        path.touch(mode=0o600)
    except OSError as error:
        raise DatabaseError(f"{path} cannot be written: {error.strerror}.") from error


def _sqlite_engine(url: URL, cache_kib: int, *, writes: bool) -> AsyncEngine:
    if sqlite3.sqlite_version_info < _SQLITE_AT_LEAST:
        raise DatabaseError(
            f"This Python comes with SQLite {sqlite3.sqlite_version}; {'.'.join(map(str, _SQLITE_AT_LEAST))} is needed."
        )

    async def connect(*args: Any, **options: Any) -> sqlite_driver.Connection:
        connection = await sqlite_driver.Connection.open(*args, busy_timeout_s=_BUSY_TIMEOUT_S, **options)
        try:
            await connection.in_thread(_prepare_sqlite, connection, cache_kib, writes)
        except BaseException:
            await connection.close()
            raise
        return connection

    engine = create_async_engine(
        url,
        connect_args={"async_creator_fn": connect},
        # Values are people's numbers and addresses; an error that is logged must not name them.
        hide_parameters=True,
        json_serializer=to_json,
        json_deserializer=orjson.loads,
        pool_size=1 if writes else 4,
        max_overflow=4,
        query_cache_size=1000,
    )

    @sa.event.listens_for(engine.sync_engine, "begin")
    def begin(connection: sa.Connection) -> None:
        driver: Any = connection.connection.driver_connection
        await_only(driver.begin(immediate=writes))

    return engine


def _prepare_sqlite(connection: sqlite_driver.Connection, cache_kib: int, writes: bool) -> None:
    mode = connection.run("PRAGMA journal_mode = WAL")
    if mode != "wal":
        raise DatabaseError(
            f"SQLite would not keep a write-ahead log (journal mode {mode}); is the file on a network share?"
            " Put it on a local disk."
        )
    connection.run("PRAGMA synchronous = FULL")
    connection.run(f"PRAGMA cache_size = -{cache_kib}")
    connection.run("PRAGMA wal_autocheckpoint = 4000")
    connection.run("PRAGMA journal_size_limit = 67108864")
    connection.run("PRAGMA trusted_schema = OFF")
    if not writes:
        connection.run("PRAGMA query_only = ON")


def _vacuum_into(connection: sqlite_driver.Connection, path: Path) -> None:
    if path.exists():
        raise DatabaseError(f"{path} exists already; a backup never writes over a file.")
    connection.run("VACUUM INTO ?", (str(path),))


def _postgres_engine(url: URL) -> AsyncEngine:
    return create_async_engine(
        url,
        # Values are people's numbers and addresses; an error that is logged must not name them.
        hide_parameters=True,
        json_serializer=to_json,
        json_deserializer=orjson.loads,
        pool_size=5,
        max_overflow=10,
        pool_pre_ping=True,
        query_cache_size=1000,
        connect_args={
            # Seconds; a server that is silent for longer counts as gone, so that nobody waits for a dead connection.
            "timeout": 10,
            "command_timeout": 60,
            "server_settings": {"application_name": "shouwang", "jit": "off"},
        },
    )


@contextlib.contextmanager
def _our_errors(what: str | None = None) -> Any:
    try:
        yield
    except (sa_exc.SQLAlchemyError, sqlite3.Error, OSError) as error:
        ours = translated(error)
        raise (type(ours)(f"{what}. {ours}") if what else ours) from error
