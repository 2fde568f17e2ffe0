"""The demo's world while it stands: lets time pass, and happen what is due, and never gets ahead of anything.

Time stands still while a message is on its way, a delivery is under way, or somebody does something from outside; then
it goes on to whatever is due next, and stops there. So a story told at any speed, on however busy a machine, is the
same to the second. world.py builds it.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from typing import Final

from ingest.embedded import EmbeddedBroker
from notify.channel import SendOutcome, SendResult
from rules.decisions import Delivery
from rules.incident import Incident
from shouwang import auditor
from shouwang.demo.clock import StoryClock
from shouwang.demo.ledger import Ledger
from shouwang.demo.people import Directory
from shouwang.service import Service
from simulators.homes import REPEAT_S, Homes
from simulators.life import Fact
from simulators.twilio import FakeTwilio
from store import incidents
from store.database import Database

#: The community's own number at the provider.
NUMBER: Final = "+15005550006"
ZONE: Final = "Asia/Shanghai"
_AUDIT_EVERY_S: Final = 0.5
#: Time stands still for what is under way, but not for ever: what takes longer is a broken promise.
WAIT_AT_MOST_S: Final = 10.0
_LONGEST_NAP_S: Final = 0.05
_SHORTEST_NAP_S: Final = 0.002


class StuckError(Exception):
    """What the story waits for did not happen."""


class PushOnScreen:
    """Channel `apprise`: in place of services that are far away, it remembers what each address was pushed."""

    name = "apprise"

    def __init__(self) -> None:
        self.pushed: list[Delivery] = []

    async def send(self, delivery: Delivery) -> SendResult:
        """Remember it."""
        self.pushed.append(delivery)
        return SendResult(outcome=SendOutcome.ACCEPTED)


class Stage:
    """The world, while it stands. `play` keeps it going; `until` and `see` wait for times and happenings."""

    def __init__(
        self,
        *,
        service: Service,
        database: Database,
        broker: EmbeddedBroker,
        twilio: FakeTwilio,
        homes: Homes,
        directory: Directory,
        clock: StoryClock,
        ledger: Ledger,
        push: PushOnScreen,
        errors: list[str],
    ) -> None:
        self.service = service
        self.database = database
        self.broker = broker
        self.twilio = twilio
        self.homes = homes
        self.directory = directory
        self.clock = clock
        self.ledger = ledger
        self.push = push
        self.errors = errors
        self.repairs = 0
        #: All incidents, the newest first; as of the last look.
        self.incidents: list[Incident] = []
        #: Called whenever something may have happened.
        self.watch: list[Callable[[], Awaitable[None]]] = []
        #: Told of each moment of ordinary life.
        self.on_life: Callable[[datetime, list[Fact]], None] = lambda _at, _facts: None
        self._moments = homes.moments(clock.now())
        self._next_moment = next(self._moments)
        #: Alarms that stand, and when their sensor will say so again.
        self._repeats: dict[str, datetime] = {}
        self._targets: list[datetime] = []
        self._looked = asyncio.Event()
        self._audited = 0.0
        self._busy_since: float | None = None
        #: How many are doing something from outside just now, and whether anybody has since the last look.
        self._hands = 0
        self._touched = False

    # --- what one can do ----------------------------------------------------------------------------------------------

    async def alarm(self, device_id: str) -> float:
        """Let a sensor raise its alarm, and repeat it until it is clear; give the real (monotonic) time before it."""
        with self.standing_still():
            began = time.monotonic()
            await self.homes.alarm(device_id)
        if self.directory.devices[device_id].kind not in {"contact", "motion", "sos"}:
            self._repeats[device_id] = self.clock.now() + timedelta(seconds=REPEAT_S)
        return began

    async def clear(self, device_id: str) -> None:
        """Let a sensor say that all is well."""
        self._repeats.pop(device_id, None)
        with self.standing_still():
            await self.homes.clear(device_id)

    async def test(self, device_id: str) -> None:
        """Press a sensor's test button, and let it go."""
        with self.standing_still():
            await self.homes.alarm(device_id, test=True)
            await self.homes.clear(device_id)

    async def battery(self, device_id: str, percent: float) -> None:
        """Let a sensor say how full its battery is."""
        with self.standing_still():
            await self.homes.battery(device_id, percent)

    async def reply(self, number: str, text: str) -> None:
        """Let the owner of a phone text us."""
        with self.standing_still():
            await self.twilio.phone(number).replies(text, to=NUMBER)

    async def until(self, moment: datetime) -> None:
        """Let the story go on until a time, exactly."""
        self._targets.append(moment)
        try:
            while self.clock.now() < moment:
                await self._next_look()
        finally:
            self._targets.remove(moment)

    async def see(self, what: str, condition: Callable[[], bool], *, within: timedelta, real_s: float = 45.0) -> None:
        """Let the story go on until something is so; raises StuckError where it is not within that time."""
        latest, patience = self.clock.now() + within, time.monotonic() + real_s
        while not condition():
            if self.clock.now() >= latest or time.monotonic() > patience:
                raise StuckError(what)
            await self._next_look()

    async def rest(self) -> None:
        """Wait until nothing is under way: every message is handled, and everything due has left."""
        patience = time.monotonic() + WAIT_AT_MOST_S
        while await self._under_way() and time.monotonic() < patience:
            await self._next_look()

    async def act(self, act: Callable[[], Awaitable[object]]) -> None:
        """Let somebody do something else with a phone."""
        with self.standing_still():
            await act()

    @contextlib.contextmanager
    def standing_still(self) -> Iterator[None]:
        """Let no time pass while somebody does something, nor until what follows from it has been seen to."""
        self.clock.stop_at(self.clock.now())
        self._hands += 1
        try:
            yield
        finally:
            self._hands -= 1
            self._touched = True
            self.ledger.news.set()

    @property
    def stands_still(self) -> bool:
        """Whether the story waits for somebody outside of it."""
        return self._hands > 0

    async def _next_look(self) -> None:
        self._looked.clear()
        await self._looked.wait()

    # --- keeping it going ---------------------------------------------------------------------------------------------

    async def play(self) -> None:
        """Let time pass, and happen what is due; for ever."""
        while True:
            self._touched = False
            await self._happen()
            # Looked at before the clock goes on, so that everything is told at the time at which it happened.
            async with self.database.read() as tx:
                self.incidents = await incidents.listing(tx, open_only=False, limit=100)
            for look in self.watch:
                await look()
            self._looked.set()
            held, barrier = await self._held(), await self._barrier()
            self.clock.stop_at(self.clock.now() if held or self._hands or self._touched else barrier)
            await self._nap(barrier)

    async def _happen(self) -> None:
        now = self.clock.now()
        while self._next_moment[0] <= now:
            at, facts = self._next_moment
            self._next_moment = next(self._moments)
            self.on_life(at, facts)
            await self.homes.live(facts)
        for device_id, at in list(self._repeats.items()):
            if at <= now:
                self._repeats[device_id] = at + timedelta(seconds=REPEAT_S)
                await self.homes.repeat(device_id)
        if not self.ledger.outstanding:
            await self.service.clockwork.tick()
            await self.twilio.advance()
            if await self._waits_in_outbox():
                self.service.dispatcher.wake()
        if time.monotonic() - self._audited > _AUDIT_EVERY_S:
            self._audited = time.monotonic()
            self.repairs += await auditor.audit(self.service.core)

    async def _held(self) -> bool:
        """Whether time must stand still, because something is under way."""
        if not await self._under_way():
            self._busy_since = None
            return False
        if self._busy_since is None:
            self._busy_since = time.monotonic()
        return time.monotonic() - self._busy_since < WAIT_AT_MOST_S

    async def _under_way(self) -> bool:
        if self.ledger.outstanding or self.service.dispatcher.under_way:
            return True
        return await self._waits_in_outbox()

    async def _waits_in_outbox(self) -> bool:
        due = await self.service.deliveries.next_at()
        return due is not None and due <= self.clock.now()

    async def _barrier(self) -> datetime:
        times = [
            self._next_moment[0],
            *self._repeats.values(),
            *self._targets,
            await self.service.clockwork.next_at(),
            await self.service.deliveries.next_at(),
            self.twilio.next_at(),
        ]
        return min(one for one in times if one is not None)

    async def _nap(self, barrier: datetime) -> None:
        """Sleep until something can happen: the clock has come to the barrier, or a message is on its way."""
        self.ledger.news.clear()
        nap = _SHORTEST_NAP_S if self._busy_since is not None else self.clock.real_s_until(barrier)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(_SHORTEST_NAP_S, min(nap, _LONGEST_NAP_S))):
                await self.ledger.news.wait()
