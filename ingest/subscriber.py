"""From the broker to the service: batches in, acknowledgements out, nothing dropped between."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from ingest.message import FULL_BATCH, Message
from ingest.source import MqttSource

_log = logging.getLogger(__name__)

_FIRST_PAUSE_S = 0.1
#: A database that is back after an hour is noticed this soon: an alarm may be waiting.
_LONGEST_PAUSE_S = 2.0


class Subscriber:
    """Feeds a handler with batches of messages.

    `handle` returning means that everything the batch causes is committed; only then is it acknowledged, in the order
    of arrival, and only where the connection still stands (invariant ack-after-commit). `handle` raising means that
    nothing is; the same batch is handed over again after a pause, for as long as it takes. Meanwhile the broker holds
    back what follows.
    """

    def __init__(
        self,
        source: MqttSource,
        handle: Callable[[Sequence[Message]], Awaitable[None]],
        *,
        batch_limit: int = FULL_BATCH,
        gather_s: float = 0.5,
    ) -> None:
        self._source = source
        self._handle = handle
        self._batch_limit = batch_limit
        self._gather_s = gather_s

    @property
    def connected(self) -> bool:
        """Whether messages can arrive now."""
        return self._source.connected

    @property
    def last_message_at(self) -> datetime | None:
        """When the last message arrived; aware, in UTC."""
        return self._source.last_message_at

    async def run(self) -> None:
        """Run until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._source.run())
            tasks.create_task(self._consume())

    async def _consume(self) -> None:
        while True:
            batch = await self._source.gather(self._batch_limit, self._gather_s)
            await self._until_handled(batch)
            self._source.acknowledge(batch)

    async def _until_handled(self, batch: Sequence[Message]) -> None:
        pause = _FIRST_PAUSE_S
        while True:
            try:
                await self._handle(batch)
            except Exception:  # noqa: BLE001 - nothing that a handler does may lose a message
                _log.exception("%d messages could not be handled; trying again in %.1f s", len(batch), pause)
            else:
                return
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
            pause = min(pause * 2, _LONGEST_PAUSE_S)
