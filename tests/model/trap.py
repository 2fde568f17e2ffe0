"""Where a process can die, and where its database can fail it.

Before each statement, on both sides of each commit, and around each request to a provider.

One trap is set at a time, for the n-th such point from now on. `crash` is kill -9: from then on nothing of the dead
process reaches the database any more. `away` is a database that does not answer once (behind a commit: one that has
committed and could not say so). `bug` is a mistake of ours in the midst of something.
"""

import asyncio
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import sqlalchemy as sa

import store.sqlite
from store.errors import DatabaseUnavailableError
from store.sqlite import SqliteConnection

KINDS = ("crash", "away", "bug")


class Crash(BaseException):
    """The process is dead. No handler of the product catches it."""


class Bug(Exception):  # noqa: N818 - a bug is what it is
    """A mistake that was put there."""


class Trap:
    """The one trap."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Take it away; a new process lives."""
        self.kind: str | None = None
        self._left = 0
        self.dead = False
        #: Where it went off, until somebody has looked.
        self.sprung: str | None = None
        #: Transactions that were written since somebody has looked.
        self.commits = 0

    def arm(self, kind: str, after: int) -> None:
        """Let the `after`-th point from now on fail."""
        self.kind, self._left = kind, after

    def point(self, where: str, *, written: bool = False) -> None:
        """Pass a point."""
        if self.dead:
            raise Crash(where)
        self.commits += written
        if self.kind is None or (self.kind == "bug" and where in {"commit", "committed", "send", "answer"}):
            return
        self._left -= 1
        if self._left > 0:
            return
        kind, self.kind = self.kind, None
        self.sprung = f"{kind} at {where}"
        if kind == "crash":
            self.dead = True
            raise Crash(where)
        if kind == "away":
            raise DatabaseUnavailableError(f"injected: {where}")
        raise Bug(where)

    def send_point(self, where: str) -> None:
        """Pass a point at which the database has no part."""
        if self.dead or self.kind == "crash":
            self.point(where)


TRAP = Trap()


def set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the points into the connection to SQLite."""
    real = {
        name: getattr(SqliteConnection, name)
        for name in ("execute", "exec_driver_sql", "run_sync", "begin_immediate", "commit")
    }

    def passing(name: str) -> Any:
        async def method(self: SqliteConnection, *arguments: Any, **named: Any) -> Any:
            TRAP.point(name)
            return await real[name](self, *arguments, **named)

        return method

    async def commit(self: SqliteConnection) -> None:
        changed = self._raw.total_changes != self._changes_before
        TRAP.point("commit")
        await real["commit"](self)
        TRAP.point("committed", written=changed)

    for name in ("execute", "exec_driver_sql", "run_sync", "begin_immediate"):
        monkeypatch.setattr(SqliteConnection, name, passing(name))
    monkeypatch.setattr(SqliteConnection, "commit", commit)
    monkeypatch.setattr(SqliteConnection, "in_thread", _at_once)
    monkeypatch.setattr(SqliteConnection, "open", classmethod(_open))
    # Engines hold no connection here, but every statement they have made.
    monkeypatch.setattr(store.sqlite, "_engine", cache(store.sqlite._engine))


async def _at_once(_: SqliteConnection, function: Callable[..., Any], *arguments: Any) -> Any:
    """In the place of a thread, for the same must come out each time; others have their turn meanwhile."""
    await asyncio.sleep(0)
    return function(*arguments)


async def _open(cls: type[SqliteConnection], engine: sa.Engine) -> SqliteConnection:
    made = cls(engine.connect())
    # Processes die here, and machines do not.
    made._raw.execute("PRAGMA synchronous = OFF")
    return made
