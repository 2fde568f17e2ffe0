"""Messages between the connection and the subscriber."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable

from ingest.message import Message
from ingest.urgent import is_urgent

#: A batch of so many is not waited for any longer: what a transaction costs by itself is by then shared widely enough,
#: and an alarm that closes the next batch should not have many messages before it.
_ENOUGH = 100

#: Nor is one once nothing has come for this long: the rest may wait at the broker for our acknowledgements.
_QUIET_S = 0.02


class Mailbox:
    """A queue that hands its messages over in batches; one reader, one event loop."""

    def __init__(self) -> None:
        self._queue: deque[Message] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._wanted = 1

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, message: Message) -> None:
        """Add a message behind the others."""
        self._queue.append(message)
        if self._waiter is not None and (len(self._queue) >= self._wanted or is_urgent(message.topic, message.payload)):
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
        enough = min(limit, _ENOUGH)
        if len(self._queue) < enough and not any(is_urgent(one.topic, one.payload) for one in self._queue):
            await self._wait(enough, seconds)
        queue = self._queue
        return [queue.popleft() for _ in range(min(limit, len(queue)))]

    async def _wait(self, wanted: int, seconds: float | None) -> None:
        loop = asyncio.get_running_loop()
        self._wanted = wanted
        self._waiter = loop.create_future()
        if seconds is not None:
            self._look_later(loop.time() + seconds)
        try:
            await self._waiter
        finally:
            self._waiter = None
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def _look_later(self, deadline: float) -> None:
        """Wake the reader at a time, or before it as soon as nothing comes any more."""
        loop = asyncio.get_running_loop()
        at = min(deadline, loop.time() + _QUIET_S)
        self._timer = loop.call_at(at, self._look, deadline, len(self._queue))

    def _look(self, deadline: float, before: int) -> None:
        if len(self._queue) == before or asyncio.get_running_loop().time() >= deadline:
            self._wake()
        else:
            self._look_later(deadline)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
