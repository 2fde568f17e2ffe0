"""Units of work of several tasks in one transaction: waiting for the disk costs more than what most of them write."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, NamedTuple, Protocol, TypeVar

from store.errors import DatabaseUnavailableError, StaleIncident
from store.transaction import Transaction

_T = TypeVar("_T")

Work = Callable[[Transaction], Awaitable[_T]]

#: Failures after which the same work may succeed.
PASSING = (DatabaseUnavailableError, StaleIncident)

#: Units that share a transaction at the most: an alarm may be waiting for the writer meanwhile.
_AT_MOST = 16


class _Unit(NamedTuple):
    work: Work[Any]
    attempts: int
    result: "asyncio.Future[Any]"


class Writes(Protocol):
    """The database."""

    def write(self) -> AbstractAsyncContextManager[Transaction]:
        """Give a transaction."""

    async def alone(self, unit: Work[_T], attempts: int) -> _T:
        """Run a unit in a transaction of its own."""


class Together:
    """Where units of work wait for the one writer of a database.

    Those that wait when it is their turn are written together; where one of them fails, each is written by itself.
    """

    def __init__(self, database: Writes) -> None:
        self._database = database
        self._waiting: list[_Unit] = []
        self._writer: asyncio.Task[None] | None = None

    async def run(self, work: Work[_T], attempts: int) -> _T:
        """Give what a unit of work gives, once it is written."""
        result: asyncio.Future[_T] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Unit(work, attempts, result))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_all(), name="units of work")
        return await result

    async def finish(self) -> None:
        """Wait until nothing is being written any more."""
        while self._writer is not None:
            await asyncio.wait([self._writer])

    async def _write_all(self) -> None:
        group: list[_Unit] = []
        try:
            while self._waiting:
                group = []
                try:
                    async with self._database.write() as tx:
                        # Those that came while this waited for its turn are among them.
                        group = self._next()
                        results = [await one.work(tx) for one in group]
                except Exception as error:  # noqa: BLE001 - it goes to whom it belongs to
                    group = group or self._next()
                    for one in group:
                        await self._settle(one, error if len(group) == 1 else None)
                else:
                    for one, value in zip(group, results, strict=True):
                        _tell(one, value)
        finally:
            self._writer = None
            for one in (*group, *self._waiting):
                one.result.cancel()

    def _next(self) -> list[_Unit]:
        group, self._waiting = self._waiting[:_AT_MOST], self._waiting[_AT_MOST:]
        return [one for one in group if not one.result.done()]

    async def _settle(self, one: _Unit, failed: Exception | None) -> None:
        """Run a unit by itself; `failed` is what it has failed with where it was by itself already."""
        if failed is None:
            attempts = one.attempts
        elif one.attempts > 1 and isinstance(failed, PASSING):
            attempts = one.attempts - 1
        else:
            _tell(one, failed)
            return
        try:
            _tell(one, await self._database.alone(one.work, attempts))
        except Exception as error:  # noqa: BLE001 - as above
            _tell(one, error)


def _tell(one: _Unit, outcome: Any) -> None:
    if one.result.done():
        return
    if isinstance(outcome, Exception):
        one.result.set_exception(outcome)
    else:
        one.result.set_result(outcome)
