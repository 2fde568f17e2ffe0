"""SQLite: one connection that writes, a few that read.

SQLAlchemy's asyncio layer hands every statement to a greenlet, and aiosqlite each of its parts to a thread: 530 µs of
processor time a statement, and 65 µs where only the greenlet is left, of which SQLAlchemy and SQLite themselves need 20
(measured). A batch of messages is half a dozen statements, an alarm two dozen. So here

* short statements run where they are asked for, on SQLAlchemy's blocking connection, or on the driver's own where they
  are made once (prepared.py) or write rows: they touch a few pages of a local file;
* COMMIT, which waits for the disk, runs in a thread, and so does what may take long: bulk writes, long lists of keys,
  schema changes, and statements marked `SLOW`;
* BEGIN IMMEDIATE tries at once and waits for another process's lock only in the thread.

sqlite3 transactions are driven by these words alone (`isolation_level=None`): the driver's implicit ones begin late, at
the first write, and a transaction that has read before cannot be upgraded once somebody else has written.
"""

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self, TypeVar, cast

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import URL

from store import prepared
from store.documents import to_json
from store.errors import DatabaseError
from store.transaction import Bound, Rows, Values

_T = TypeVar("_T")

#: How long a connection waits for another process's lock on a file, in seconds.
BUSY_TIMEOUT_S = 5.0

#: ON CONFLICT DO UPDATE, json_each and RETURNING are all there from here on.
_AT_LEAST = (3, 35, 0)

#: Page cache a connection may hold, in KiB. The state lives on disk and in the kernel's cache; ours stays modest.
_WRITER_CACHE_KIB = 3_000
_READER_CACHE_KIB = 500

#: Connections that read at the same time.
_READERS = 8

#: A bound text longer than this is a long list of keys; an executemany of more rows than this is a bulk write.
_LONG_TEXT = 32_768
_MANY_ROWS = 1_000


class SqliteConnection:
    """A Transaction on SQLite. Used by one task at a time."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._raw = cast("sqlite3.Connection", connection.connection.driver_connection)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite")
        self._changes_before = 0

    @classmethod
    async def open(cls, engine: sa.Engine) -> Self:
        """Make a connection of an engine."""
        return cls(await asyncio.get_running_loop().run_in_executor(None, engine.connect))

    # --- what the functions of the store call ---

    @property
    def dialect(self) -> sa.Dialect:
        """SQLite's."""
        return self._connection.dialect

    async def execute(self, statement: sa.Executable, parameters: Values = None, /) -> Rows:
        """Execute a statement."""
        short = _is_short(statement, parameters)
        made = prepared.find(statement, self.dialect)
        if made is not None:
            if short:
                return made.run(self._raw, parameters)
            return await self.in_thread(made.run, self._raw, parameters)
        if short:
            return self._connection.execute(statement, parameters)
        return await self.in_thread(self._execute_and_fetch, statement, parameters)

    async def scalar(self, statement: sa.Executable, parameters: Bound = None, /) -> Any:
        """Give the first value of the first row, or None."""
        return (await self.execute(statement, parameters)).scalar()

    async def scalars(self, statement: sa.Executable, parameters: Bound = None, /) -> sa.ScalarResult[Any]:
        """Give the first value of each row."""
        return (await self.execute(statement, parameters)).scalars()

    async def exec_driver_sql(self, sql: str, parameters: Any = None, /) -> Rows:
        """Execute a text for each of some rows."""
        if not isinstance(parameters, list):
            return self._connection.exec_driver_sql(sql, parameters)
        # Past SQLAlchemy, which takes longer than the few rows that an alarm writes; of what it gives only the number
        # of rows is ever asked.
        if len(parameters) <= _MANY_ROWS:
            return cast("Rows", self._raw.executemany(sql, parameters))
        return cast("Rows", await self.in_thread(self._raw.executemany, sql, parameters))

    def peek(self, statement: sa.Select[Any]) -> Any:
        """Give the first value of the first row, or None; outside a transaction."""
        return prepared.prepare(statement, self.dialect).run(self._raw, None).scalar()

    async def run_sync(self, function: Callable[..., _T], /, *args: Any) -> _T:
        """Call a function with the connection, in the thread."""
        return await self.in_thread(function, self._connection, *args)

    # --- what the engine calls ---

    async def in_thread(self, function: Callable[..., _T], *args: Any) -> _T:
        """Run a call on this connection in its thread; a cancellation waits until the call has ended."""
        future = asyncio.get_running_loop().run_in_executor(self._thread, function, *args)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            # Whoever rolls back next must not meet a connection that is still at work.
            while not future.done():
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait([future])
            future.exception()  # seen; the cancellation is the greater news
            raise

    def begin(self) -> None:
        """Begin a transaction that only reads."""
        self._changes_before = self._raw.total_changes
        self._raw.execute("BEGIN")
        self._connection.begin()

    async def begin_immediate(self) -> None:
        """Begin a transaction that holds the write lock from the start."""
        raw = self._raw
        self._changes_before = raw.total_changes
        raw.execute("PRAGMA busy_timeout = 0")
        try:
            raw.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            self._be_patient()
            try:
                await self.in_thread(raw.execute, "BEGIN IMMEDIATE")
            except asyncio.CancelledError:
                # It may have begun all the same, and nobody knows of it who would end it.
                if raw.in_transaction:
                    raw.rollback()
                raise
        else:
            self._be_patient()
        self._connection.begin()

    async def commit(self) -> None:
        """Commit; on return it is on disk. Where nothing was changed there is nothing to wait for."""
        if self._raw.total_changes == self._changes_before:
            self._connection.commit()
        else:
            await self.in_thread(self._connection.commit)

    async def rollback(self) -> None:
        """Undo what the transaction has done, as far as there is one."""
        # Not in_transaction(): after a COMMIT that failed (a full disk) SQLAlchemy holds on to a transaction that it
        # does not call one any more, and would never begin another.
        if self._connection.get_transaction() is not None:
            await self.in_thread(self._connection.rollback)
        if self._raw.in_transaction:
            await self.in_thread(self._raw.rollback)

    async def close(self) -> None:
        """Close; closing twice is harmless."""
        if not self._connection.closed:
            try:
                await self.in_thread(self._let_go)
            finally:
                self._thread.shutdown(wait=False)

    def _let_go(self) -> None:
        # Closed in mid-transaction, SQLite keeps the lock for as long as somebody still holds a cursor.
        if self._raw.in_transaction:
            self._raw.rollback()
        self._connection.close()

    def _be_patient(self) -> None:
        self._raw.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT_S * 1000)}")

    def _execute_and_fetch(self, statement: sa.Executable, parameters: Values) -> Rows:
        result = self._connection.execute(statement, parameters)
        # What has been fetched answers to the same questions about its rows.
        return cast("Rows", result.freeze()()) if result.returns_rows else result


class Sqlite:
    """A file. One writer at a time, first come first served; readers beside it see what was committed before."""

    def __init__(self, url: URL) -> None:
        if sqlite3.sqlite_version_info < _AT_LEAST:
            raise DatabaseError(
                f"This Python comes with SQLite {sqlite3.sqlite_version}; {'.'.join(map(str, _AT_LEAST))} is needed."
            )
        #: Where it is; the folder we are in where the address is one of SQLite's own (`file:…`).
        self.folder = Path(url.database or "").resolve().parent if not _is_uri(url) else Path.cwd()
        self._writing = asyncio.Lock()
        self._writes = _engine(url, _WRITER_CACHE_KIB, writes=True)
        self._writer: SqliteConnection | None = None
        self._reading = asyncio.Semaphore(_READERS)
        self._reads = _engine(url, _READER_CACHE_KIB, writes=False)
        self._readers: list[SqliteConnection] = []

    async def look(self, refuse_newer: Callable[[sa.Connection], None]) -> None:
        """See whether it can be used: the file can be written, and its schema is none that is not known."""
        # This takes the write lock, and so says at once whether the file can be written at all.
        async with self.write() as tx:
            await tx.run_sync(refuse_newer)

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[SqliteConnection]:
        """Give the transaction that writes."""
        async with self._writing:
            connection = self._writer
            if connection is None:
                connection = self._writer = await SqliteConnection.open(self._writes)
            try:
                await connection.begin_immediate()
                yield connection
                await connection.commit()
            except BaseException:
                await self._undo(connection)
                raise

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[SqliteConnection]:
        """Give a transaction that reads."""
        async with self._reading:
            connection = self._readers.pop() if self._readers else await SqliteConnection.open(self._reads)
            try:
                connection.begin()
                yield connection
                await connection.commit()
            except BaseException:
                await connection.close()
                raise
            self._readers.append(connection)

    async def peek(self, statement: sa.Select[Any]) -> Any:
        """Give the first value of what a statement without parameters gives; a short one, made once."""
        async with self._reading:
            connection = self._readers.pop() if self._readers else await SqliteConnection.open(self._reads)
            try:
                value = connection.peek(statement)
            except BaseException:
                await connection.close()
                raise
            self._readers.append(connection)
            return value

    async def backup(self, path: Path) -> None:
        """Write a complete, consistent copy."""
        connection = await SqliteConnection.open(self._writes)
        try:
            await connection.run_sync(_vacuum_into, path)
        finally:
            await connection.close()

    async def close(self) -> None:
        """Let every connection go."""
        # Not in the middle of a transaction: a connection that is closed in one thread and used in another takes the
        # whole process with it.
        async with self._writing:
            for connection in (*self._readers, *filter(None, [self._writer])):
                await connection.close()
            self._readers.clear()
            self._writer = None

    async def _undo(self, connection: SqliteConnection) -> None:
        try:
            await connection.rollback()
        except BaseException:
            self._writer = None
            await connection.close()
            raise


def look_at_file(url: URL, *, create: bool) -> None:
    """See to it that there is a file that can be opened, and that it is private. Raises DatabaseError."""
    if url.database in {None, "", ":memory:"}:
        raise DatabaseError("SQLite in memory keeps nothing; name a file, as in sqlite:///folder/file.db.")
    assert url.database is not None  # noqa: S101 - for the type checker
    if _is_uri(url):
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


def _is_uri(url: URL) -> bool:
    return (url.database or "").startswith("file:")


def _engine(url: URL, cache_kib: int, *, writes: bool) -> sa.Engine:
    engine = sa.create_engine(
        url,
        # Which connection is used when is decided here, not by a pool.
        poolclass=sa.NullPool,
        connect_args={"isolation_level": None, "check_same_thread": False, "timeout": BUSY_TIMEOUT_S},
        # Values are people's numbers and addresses; an error that is logged must not name them.
        hide_parameters=True,
        json_serializer=to_json,
        json_deserializer=orjson.loads,
        query_cache_size=1000,
    )

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise DatabaseError(
                f"SQLite would not keep a write-ahead log (journal mode {mode}); is the file on a network share?"
                " Put it on a local disk."
            )
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA cache_size = -{cache_kib}")
        connection.execute("PRAGMA wal_autocheckpoint = 4000")
        connection.execute("PRAGMA journal_size_limit = 67108864")
        connection.execute("PRAGMA trusted_schema = OFF")
        if not writes:
            connection.execute("PRAGMA query_only = ON")

    return engine


def _vacuum_into(connection: sa.Connection, path: Path) -> None:
    if path.exists():
        raise DatabaseError(f"{path} exists already; a backup never writes over a file.")
    raw = cast("sqlite3.Connection", connection.connection.driver_connection)
    raw.execute("VACUUM INTO ?", (str(path),))


def _is_short(statement: sa.Executable, parameters: Values) -> bool:
    if statement.get_execution_options().get("slow"):
        return False
    if isinstance(parameters, Mapping):
        return not any(isinstance(value, (str, bytes)) and len(value) > _LONG_TEXT for value in parameters.values())
    return parameters is None or len(parameters) <= _MANY_ROWS
