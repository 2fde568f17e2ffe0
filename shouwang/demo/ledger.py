"""What went in and what came of it: every message of the homes, from the broker's word to our acknowledgement."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from ingest.message import Message
from ingest.source import MqttSource

_Said = tuple[str, bytes]


class Ledger:
    """Counts messages on their way. Something that the broker has and nobody has committed yet is `outstanding`."""

    def __init__(self) -> None:
        self.published = 0
        self.committed = 0
        self.acknowledged = 0
        #: Set at every change, for whoever waits for the next one.
        self.news = asyncio.Event()
        #: Above zero: published and not committed; below: the other way round, where the broker's word came later.
        self._balance: Counter[_Said] = Counter()
        self._outstanding = 0

    @property
    def outstanding(self) -> int:
        """How many messages the broker has taken that are not committed."""
        return self._outstanding

    def on_published(self, topic: str, payload: bytes) -> None:
        """The broker has taken a message of the homes."""
        self.published += 1
        self._balance[topic, payload] += 1
        self._outstanding += self._balance[topic, payload] > 0
        self.news.set()

    def on_committed(self, messages: Sequence[Message]) -> None:
        """A batch is on disk, with everything it caused."""
        self.committed += len(messages)
        for message in messages:
            said = (message.topic, message.payload)
            self._outstanding -= self._balance[said] > 0
            self._balance[said] -= 1
            if not self._balance[said]:
                del self._balance[said]
        self.news.set()

    def on_acknowledged(self, count: int) -> None:
        """The broker has been told that it may forget so many."""
        self.acknowledged += count
        self.news.set()


class LedgerSource:
    """An MqttSource that enters acknowledgements into a ledger."""

    def __init__(self, source: MqttSource, ledger: Ledger) -> None:
        self._source = source
        self._ledger = ledger

    @property
    def connected(self) -> bool:
        """As of the source."""
        return self._source.connected

    @property
    def last_message_at(self) -> datetime | None:
        """As of the source."""
        return self._source.last_message_at

    async def run(self) -> None:
        """As of the source."""
        await self._source.run()

    async def gather(self, limit: int, seconds: float) -> list[Message]:
        """As of the source."""
        return await self._source.gather(limit, seconds)

    def acknowledge(self, messages: Sequence[Message]) -> int:
        """As of the source, and noted."""
        count = self._source.acknowledge(messages)
        self._ledger.on_acknowledged(count)
        return count


def committing(
    ledger: Ledger, take_in: Callable[[Sequence[Message]], Awaitable[None]]
) -> Callable[[Sequence[Message]], Awaitable[None]]:
    """Give a handler of batches that enters them into the ledger when they are committed."""

    async def handle(messages: Sequence[Message]) -> None:
        await take_in(messages)
        ledger.on_committed(messages)

    return handle


@contextmanager
def errors_logged() -> Iterator[list[str]]:
    """Collect what anybody logs as an error, in place of printing warnings between the lines of the story."""
    lines: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.levelno >= logging.ERROR:
                error = record.exc_info[1] if record.exc_info else None
                lines.append(f"{record.name}: {record.getMessage()}" + (f" ({error!r})" if error else ""))

    handler = Collector()
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield lines
    finally:
        root.removeHandler(handler)
