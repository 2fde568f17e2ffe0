"""Messages between the connection and the subscriber."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice

from ingest.message import Message

#: A batch of so many is not waited for any longer: what a transaction costs by itself is by then shared widely enough.
_ENOUGH = 400

#: So many are enough where they came within so many seconds: an alarm that comes next should not find a long batch
#: under way.
_ENOUGH_AT_ONCE = 50
_AT_ONCE_S = 0.025

#: Nor is a batch waited for once nothing has come for this long: the rest may wait at the broker for our
#: acknowledgements. A little longer than a busy socket is left alone (see ingest.wire).
_QUIET_S = 0.035


class Mailbox:
    """A queue that hands its messages over in batches; one reader, one event loop."""

    def __init__(self) -> None:
        self._queue: deque[Message] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._wanted = 1
        self._later = (0.0, 1)
        self._deadline = 0.0

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, messages: Iterable[Message]) -> None:
        """Add messages behind the others."""
        before = len(self._queue)
        self._queue.extend(messages)
        if self._waiter is None:
            return
        if self._timer is not None:
            # Put off here and not looked at on a period: being woken costs more.
            now = asyncio.get_running_loop().time()
            if now >= self._later[0]:
                self._wanted = self._later[1]
            self._look_later(now)
        if len(self._queue) >= self._wanted or self._has_urgent(before):
            self._wake()

    def put_back(self, messages: Iterable[Message]) -> None:
        """Add messages before the others, in their order."""
        self._queue.extendleft(reversed(list(messages)))
        if self._queue:
            self._wake()

    def take_out(self, unwanted: Callable[[Message], bool]) -> list[Message]:
        """Remove some messages, wherever they stand."""
        taken = [message for message in self._queue if unwanted(message)]
        if taken:
            self._queue = deque(message for message in self._queue if not unwanted(message))
        return taken

    async def gather(self, limit: int, seconds: float) -> list[Message]:
        """Wait for the first message, then up to `seconds` for more, as long as more come and none looks urgent."""
        while not self._queue:
            await self._wait(1, None)
        enough = min(limit, _ENOUGH_AT_ONCE)
        if len(self._queue) < enough and not self._has_urgent():
            await self._wait(min(limit, len(self._queue) + _ENOUGH_AT_ONCE), seconds, min(limit, _ENOUGH))
        queue = self._queue
        return [queue.popleft() for _ in range(min(limit, len(queue)))]

    def _has_urgent(self, start: int = 0) -> bool:
        return any(one.urgent for one in islice(self._queue, start, None))

    async def _wait(self, wanted: int, seconds: float | None, later: int = 1) -> None:
        """Wait for `wanted` messages, for `later` as many once some time has passed, or for so many seconds."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._wanted = wanted
        self._later = (now + _AT_ONCE_S, later)
        self._waiter = loop.create_future()
        if seconds is not None:
            self._deadline = now + seconds
            self._look_later(now)
        try:
            await self._waiter
        finally:
            self._waiter = None
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def _look_later(self, now: float) -> None:
        """Wake the reader at its deadline, or before it once nothing has come for a while."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(min(self._deadline, now + _QUIET_S), self._wake)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
