"""Messages between the connection and the subscriber."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable

from ingest.message import Message
from ingest.urgent import is_urgent


class Mailbox:
    """A queue that hands its messages over in batches; one reader, one event loop."""

    def __init__(self) -> None:
        self._queue: deque[Message] = deque()
        self._waiter: asyncio.Future[None] | None = None
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
        """Wait for the first message, then up to `seconds` for more, but not once one looks urgent."""
        while not self._queue:
            await self._wait(1, None)
        if len(self._queue) < limit and not any(is_urgent(one.topic, one.payload) for one in self._queue):
            await self._wait(limit, seconds)
        queue = self._queue
        return [queue.popleft() for _ in range(min(limit, len(queue)))]

    async def _wait(self, wanted: int, seconds: float | None) -> None:
        loop = asyncio.get_running_loop()
        self._wanted = wanted
        self._waiter = loop.create_future()
        timer = loop.call_later(seconds, self._wake) if seconds is not None else None
        try:
            await self._waiter
        finally:
            self._waiter = None
            if timer is not None:
                timer.cancel()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
