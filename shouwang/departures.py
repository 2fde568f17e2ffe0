"""What was just decided on leaves at once: claimed in the transaction that decided on it, sent after its commit.

A claim of its own would cost an alarm a second commit, and a wait for whoever else wants to write. Nothing depends on
this way: what is not claimed here, the dispatcher claims.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple

from notify.dispatcher import Dispatcher
from rules.decisions import Delivery
from shouwang.deliveries import Deliveries
from store.database import Transaction

#: Turns of the event loop in which a request gets from its task to the socket.
_TURNS = 4


class Claimed(NamedTuple):
    """What may leave, and when it was claimed by the clock of the event loop."""

    deliveries: Sequence[Delivery]
    at: float


class Departures:
    """Between those who decide and the dispatcher."""

    def __init__(self, deliveries: Deliveries, dispatcher: Dispatcher) -> None:
        self._deliveries = deliveries
        self._dispatcher = dispatcher

    def promised(self) -> AbstractContextManager[None]:
        """From before the claim until it has been started."""
        return self._dispatcher.promised()

    async def claim(self, tx: Transaction) -> Claimed:
        """Claim what is due, as far as the dispatcher has room; life-safety first."""
        now = asyncio.get_running_loop().time()
        room = self._dispatcher.room
        return Claimed(await self._deliveries.claim_within(tx, room) if room > 0 else (), now)

    async def start(self, claimed: Claimed) -> None:
        """Send it, once the transaction is committed; on return the requests have left.

        They would otherwise wait for whatever the caller does next to the event loop.
        """
        if self._dispatcher.room <= len(claimed.deliveries):
            # There may be more, or there was no room at all.
            self._dispatcher.wake()
        self._dispatcher.start(claimed.deliveries, claimed.at)
        for _ in range(_TURNS):
            await asyncio.sleep(0)
