"""The database: opening it, bringing its schema up to date, and transactions.

One code path for SQLite and PostgreSQL. What differs is how a connection is made (sqlite.py, postgresql.py), and a
handful of words of SQL (dialect.py).
"""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import exc as sa_exc
from sqlalchemy.engine import URL, make_url

from store import migrating
from store.errors import (
    DatabaseError,
    DatabaseUnavailableError,
    RefusedError,
    SchemaTooNewError,
    StaleIncident,
    translated,
)
from store.sqlite import Sqlite, look_at_file
from store.together import PASSING, Together
from store.transaction import Transaction

if TYPE_CHECKING:
    from store.postgresql import Postgresql

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


class Database:
    """A database that is open. Make it with `open`, end it with `close`."""

    def __init__(self, backend: "Sqlite | Postgresql") -> None:
        self._backend = backend
        self._writers: set[asyncio.Task[Any] | None] = set()
        self._together = Together(self)

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return "sqlite" if isinstance(self._backend, Sqlite) else "postgresql"

    @property
    def folder(self) -> Path | None:
        """Where an SQLite database is kept; None for one on a server."""
        return self._backend.folder if isinstance(self._backend, Sqlite) else None

    @classmethod
    async def open(cls, url: str, *, create: bool = True) -> "Database":
        """Open a database by its SQLAlchemy URL (`sqlite:///path`, `postgresql://user:pass@host/name`).

        A file that is not there is made, unless `create` says otherwise: whoever looks in the wrong place must not find
        an empty database there. Raises DatabaseError with a sentence where it cannot be used: no such folder, no
        database file, not writable, no write-ahead log, no server, a schema newer than this program.
        """
        parsed = _parsed(url)
        backend = _backend(parsed, create=create)
        try:
            with _our_errors(f"The database {parsed.render_as_string(hide_password=True)} cannot be opened"):
                await backend.look(migrating.refuse_newer)
        except BaseException:
            await backend.close()
            raise
        return cls(backend)

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
                async with self._backend.write() as connection:
                    yield connection
        finally:
            self._writers.discard(task)

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[Transaction]:
        """Give a transaction that only reads, beside the writer: it sees what was committed before it began."""
        with _our_errors():
            async with self._backend.read() as connection:
                yield connection

    async def peek(self, statement: sa.Select[Any]) -> Any:
        """Give the first value of what a statement without parameters gives; a short one, made once.

        For what is asked several times a second, mostly in vain: on SQLite it costs a tenth of a transaction.
        """
        with _our_errors():
            if isinstance(self._backend, Sqlite):
                return await self._backend.peek(statement)
            async with self._backend.read() as connection:
                return await connection.scalar(statement)

    async def transact(self, unit: Callable[[Transaction], Awaitable[_T]], *, attempts: int = 3) -> _T:
        """Run a unit of work in a write transaction; all of it again where the database was away or another came first.

        The unit must be repeatable: a connection that is lost during COMMIT leaves it unknown whether it was written,
        so what the unit writes has to be guarded by a unique key, a fence or a version. On SQLite units that wait for
        the one writer share a transaction, for waiting for the disk costs more than what most of them write; where one
        of them fails, each has its own.
        """
        if not isinstance(self._backend, Sqlite):
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
        if not isinstance(self._backend, Sqlite):
            raise DatabaseError("A backup of a PostgreSQL database is made with pg_dump or a base backup.")
        with _our_errors():
            await self._backend.backup(path)

    async def close(self) -> None:
        """Let every connection go, once nobody writes any more."""
        await self._together.finish()
        await self._backend.close()

    def _refuse_second(self) -> asyncio.Task[Any] | None:
        task = asyncio.current_task()
        if task in self._writers:
            raise RuntimeError(
                "A task that is writing must use its transaction; a second one would wait for the first."
            )
        return task


def _backend(url: URL, *, create: bool) -> "Sqlite | Postgresql":
    if url.get_backend_name() == "sqlite":
        look_at_file(url, create=create)
        return Sqlite(url)
    # SQLAlchemy's asyncio layer takes eight megabytes of memory, and brings its object mapper with it.
    from store.postgresql import Postgresql  # noqa: PLC0415

    return Postgresql(url)


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except sa_exc.ArgumentError as error:
        raise DatabaseError(
            "The database URL cannot be read; write sqlite:///folder/file.db or postgresql://user:password@host/name."
        ) from error
    # Whatever driver is named behind a plus: which one is used is not the operator's concern.
    name = parsed.get_backend_name()
    if name not in {"sqlite", "postgresql", "postgres"}:
        raise DatabaseError(f"{name} databases are not supported; use sqlite or postgresql.")
    return parsed.set(drivername="sqlite" if name == "sqlite" else "postgresql+asyncpg")


@contextlib.contextmanager
def _our_errors(what: str | None = None) -> Iterator[None]:
    try:
        yield
    except (sa_exc.SQLAlchemyError, sqlite3.Error, OSError) as error:
        ours = translated(error)
        raise (type(ours)(f"{what}. {ours}") if what else ours) from error
