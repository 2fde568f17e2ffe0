"""A connection to SQLite for SQLAlchemy's aiosqlite dialect that does not cross threads for every word.

aiosqlite hands each call to a thread: opening a cursor, executing, fetching and closing are four crossings, and one
crossing costs more than ten times what a short statement on a warm page does (measured: 530 µs of processor time a
statement, 45 µs without crossings). A batch of messages is half a dozen such statements. So here

* short statements run where they are asked for: they touch a few pages of a local file;
* COMMIT, which waits for the disk, runs in a thread, and so does what may take long: bulk writes, long lists, schema
  changes, and statements marked with the comment `SLOW`;
* BEGIN IMMEDIATE tries at once and waits for another process's lock only in the thread.

sqlite3 transactions are driven by these words alone (`isolation_level=None`): the driver's implicit ones begin late, at
the first write, and a transaction that has read before cannot be upgraded once somebody else has written.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self, TypeVar

_T = TypeVar("_T")

#: A statement with this comment after its first word leaves the event loop alone.
SLOW = "/* slow */"

#: A bound text longer than this is a long list of keys; an executemany of more rows than this is a bulk write.
_LONG_TEXT = 32_768
_MANY_ROWS = 1_000

_SHORT_WORDS = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "PRAGMA", "SAVEPOINT", "RELEASE", "ROLLBACK")


class Connection:
    """What SQLAlchemy's adapter of aiosqlite needs of a connection. Used by one task at a time."""

    def __init__(self, connection: sqlite3.Connection, *, busy_timeout_s: float) -> None:
        self._conn = connection
        self._connection: sqlite3.Connection | None = connection  # the adapter looks whether this is None
        self._busy_timeout_ms = int(busy_timeout_s * 1000)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite")
        self._changes_before = 0

    @classmethod
    async def open(cls, *args: Any, busy_timeout_s: float, **options: Any) -> Self:
        """Take what sqlite3.connect takes."""
        options |= {"isolation_level": None, "check_same_thread": False, "timeout": busy_timeout_s}
        return cls(sqlite3.connect(*args, **options), busy_timeout_s=busy_timeout_s)

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """Run a statement outside of any transaction, on the spot; give the first value of its first row, if any."""
        row = self._conn.execute(sql, parameters).fetchone()
        return None if row is None else row[0]

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

    async def begin(self, *, immediate: bool) -> None:
        """Begin a transaction; an immediate one holds the write lock from the start."""
        self._changes_before = self._conn.total_changes
        if not immediate:
            self._conn.execute("BEGIN")
            return
        self._conn.execute("PRAGMA busy_timeout = 0")
        try:
            self._conn.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            self._conn.execute(f"PRAGMA busy_timeout = {self._busy_timeout_ms}")
            try:
                await self.in_thread(self._conn.execute, "BEGIN IMMEDIATE")
            except asyncio.CancelledError:
                # It may have begun all the same, and nobody knows of it who would end it.
                if self._conn.in_transaction:
                    self._conn.rollback()
                raise
        else:
            self._conn.execute(f"PRAGMA busy_timeout = {self._busy_timeout_ms}")

    def cursor(self) -> "Cursor":
        """Open a cursor."""
        return Cursor(self, self._conn.cursor())

    async def commit(self) -> None:
        """Commit; on return it is on disk. Where nothing was changed there is nothing to wait for."""
        if self._conn.total_changes == self._changes_before:
            self._conn.commit()
        else:
            await self.in_thread(self._conn.commit)

    async def rollback(self) -> None:
        """Roll back where there is something to roll back."""
        if self._conn.in_transaction:
            await self.in_thread(self._conn.rollback)

    async def close(self) -> None:
        """Close; closing twice is harmless."""
        if self._connection is not None:
            self._connection = None
            try:
                await self.in_thread(self._let_go)
            finally:
                self._thread.shutdown(wait=False)

    def stop(self) -> None:
        """Close from outside an event loop."""
        if self._connection is not None:
            self._connection = None
            self._let_go()
            self._thread.shutdown(wait=False)

    def _let_go(self) -> None:
        # Closed in mid-transaction, SQLite keeps the lock for as long as somebody still holds a cursor.
        if self._conn.in_transaction:
            self._conn.rollback()
        self._conn.close()

    async def create_function(self, *args: Any, **options: Any) -> None:
        """Make a function known to SQL."""
        self._conn.create_function(*args, **options)


class Cursor:
    """A cursor; see the module on what runs where."""

    def __init__(self, connection: Connection, cursor: sqlite3.Cursor) -> None:
        self._connection = connection
        self._cursor = cursor
        self._rows: list[Any] | None = None

    async def __aenter__(self) -> Self:
        return self

    @property
    def description(self) -> Any:
        """As in DB-API."""
        return self._cursor.description

    @property
    def rowcount(self) -> int:
        """As in DB-API."""
        return self._cursor.rowcount

    @property
    def lastrowid(self) -> int | None:
        """As in DB-API."""
        return self._cursor.lastrowid

    @property
    def arraysize(self) -> int:
        """As in DB-API."""
        return self._cursor.arraysize

    @arraysize.setter
    def arraysize(self, value: int) -> None:
        self._cursor.arraysize = value

    async def execute(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> Self:
        """Execute a statement."""
        if _is_short(sql, parameters):
            self._cursor.execute(sql, parameters)
        else:
            self._rows = await self._connection.in_thread(self._execute_and_fetch, sql, parameters)
        return self

    async def executemany(self, sql: str, rows: Sequence[Any]) -> Self:
        """Execute a statement for many rows."""
        if len(rows) <= _MANY_ROWS:
            self._cursor.executemany(sql, rows)
        else:
            await self._connection.in_thread(self._cursor.executemany, sql, rows)
        return self

    async def fetchone(self) -> Any:
        """As in DB-API."""
        if self._rows is not None:
            return self._rows.pop(0) if self._rows else None
        return self._cursor.fetchone()

    async def fetchmany(self, size: int | None = None) -> Iterable[Any]:
        """As in DB-API."""
        count = size or self._cursor.arraysize
        if self._rows is not None:
            taken, self._rows = self._rows[:count], self._rows[count:]
            return taken
        return self._cursor.fetchmany(count)

    async def fetchall(self) -> Iterable[Any]:
        """As in DB-API."""
        if self._rows is not None:
            taken, self._rows = self._rows, []
            return taken
        return self._cursor.fetchall()

    async def setinputsizes(self, *sizes: Any) -> None:
        """Do nothing; DB-API allows it."""

    async def close(self) -> None:
        """Close the cursor."""
        self._cursor.close()

    def _execute_and_fetch(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any]) -> list[Any]:
        self._cursor.execute(sql, parameters)
        return self._cursor.fetchall() if self._cursor.description else []


def _is_short(sql: str, parameters: Sequence[Any] | Mapping[str, Any]) -> bool:
    values = parameters.values() if isinstance(parameters, Mapping) else parameters
    return (
        sql.startswith(_SHORT_WORDS)
        and SLOW not in sql[:64]
        and not any(isinstance(value, (str, bytes)) and len(value) > _LONG_TEXT for value in values)
    )
