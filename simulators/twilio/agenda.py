"""What will happen later in the simulated world, in order of time.

Time is whatever `now` says. With a speed, the agenda keeps itself by sleeping; without one nothing moves until
somebody calls `run_due`, so that a story in virtual time decides when the world goes on.
"""

import asyncio
import contextlib
import heapq
import itertools
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

_log = logging.getLogger(__name__)

#: Gets the time it was due at, which may lie before `now` where time has jumped.
Action = Callable[[datetime], Awaitable[None]]


class Entry:
    """One thing that will happen, unless it is cancelled first."""

    __slots__ = ("action", "at", "cancelled", "key")

    def __init__(self, at: datetime, action: Action, key: str) -> None:
        self.at = at
        self.action = action
        self.key = key
        self.cancelled = False

    def cancel(self) -> None:
        """Let it not happen."""
        self.cancelled = True


class Agenda:
    """Things to do at aware times; equal times in the order they were entered."""

    def __init__(self, now: Callable[[], datetime], *, speed: float | None) -> None:
        self._now = now
        self._speed = speed
        self._heap: list[tuple[datetime, int, Entry]] = []
        self._count = itertools.count()
        self._changed = asyncio.Event()
        self._current: datetime | None = None
        #: One at a time for one thing of the world (a message, a call); different things do not wait for each other.
        self._turns: dict[str, asyncio.Task[None]] = {}

    def at(self, when: datetime, action: Action, *, key: str = "") -> Entry:
        """Enter an action; those with the same key run one after the other."""
        entry = Entry(when, action, key)
        heapq.heappush(self._heap, (when, next(self._count), entry))
        self._changed.set()
        return entry

    def time(self) -> datetime:
        """The time of what is being done by `run_due` at this moment, else `now`."""
        return self._current or self._now()

    def next_at(self) -> datetime | None:
        """When the next thing is due, or None."""
        while self._heap and self._heap[0][2].cancelled:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def _pop_due(self) -> Entry | None:
        due = self.next_at()
        if due is None or due > self._now():
            return None
        return heapq.heappop(self._heap)[2]

    async def run_due(self) -> int:
        """Do everything that is due by now, and what follows from it by now, in order; return how much it was."""
        done = 0
        while (entry := self._pop_due()) is not None:
            self._current = entry.at
            try:
                await entry.action(entry.at)
            finally:
                self._current = None
            done += 1
        return done

    async def run(self) -> None:
        """Keep the agenda for ever, at the speed given (seconds of `now` in a real second)."""
        speed = self._speed or 1.0
        while True:
            while (entry := self._pop_due()) is not None:
                before = self._turns.get(entry.key) if entry.key else None
                task = asyncio.create_task(_in_turn(before, entry))
                self._turns[entry.key or f"#{id(task)}"] = task
            self._turns = {key: task for key, task in self._turns.items() if not task.done()}
            self._changed.clear()
            due = self.next_at()
            wait = None if due is None else max(0.0, (due - self._now()).total_seconds() / speed)
            # Not wait_for(): before Python 3.12 it swallows a cancellation that comes together with what it waits for.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._changed.wait()

    def clear(self) -> None:
        """Forget everything that is due later."""
        self._heap.clear()

    async def stop(self) -> None:
        """Cancel what is under way; what is due later stays entered."""
        for task in self._turns.values():
            task.cancel()
        await asyncio.gather(*self._turns.values(), return_exceptions=True)
        self._turns.clear()


async def _in_turn(before: asyncio.Task[None] | None, entry: Entry) -> None:
    if before is not None:
        await asyncio.wait([before])
    if entry.cancelled:
        return
    try:
        await entry.action(entry.at)
    except Exception:  # noqa: BLE001 - one happening that fails must not stop the world
        _log.exception("a simulated happening failed")
