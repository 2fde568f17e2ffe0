"""Faults of the clock of the machine. A machine that stands still is in process.py (Frozen)."""

import asyncio
from dataclasses import dataclass

from tests.faults.faults.base import NOTHING
from tests.faults.load import Load
from tests.faults.world import World
from tests.real.waiting import until

#: The auditor looks for times that lie ahead every 30 s.
_REPAIRED_WITHIN_S = 45.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockStepped:
    """The wall clock of the service is stepped, and stepped back; what it measures durations by runs on."""

    by_s: int
    seconds: float = 12.0
    aftermath_s: float = _REPAIRED_WITHIN_S
    needs = NOTHING

    @property
    def name(self) -> str:
        return f"wall clock stepped by {self.by_s:+d} s and back"

    async def strike(self, world: World, load: Load) -> None:
        world.ledger.clock_moved = True
        await load.raise_one()
        world.set_clock(f"{self.by_s:+d}")
        await load.raise_one()
        await asyncio.sleep(self.seconds / 2)
        await load.raise_one()
        await asyncio.sleep(self.seconds / 2)
        world.set_clock("+0")
        await load.raise_one()
        await world.ready()


@dataclass(frozen=True, slots=True, kw_only=True)
class DaylightSaving:
    """The service lives through the hour that its zone has twice, or has not; the layout says when and where."""

    #: Seconds until the change is over, counted from the start of the service.
    seconds: float = 25.0
    aftermath_s: float = 0.0
    needs = NOTHING
    name = "daylight saving changes"

    async def strike(self, world: World, load: Load) -> None:
        # Before, while and after it changes; nothing may come early or late for it.
        for _ in range(5):
            await load.raise_one()
            await asyncio.sleep(self.seconds / 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtWhileWrong:
    """The wall clock of the service is wrong when a doubt arises, and right again before or after it is asked about."""

    by_s: int
    #: Put right before anybody asks.
    back_first: bool
    aftermath_s: float = _REPAIRED_WITHIN_S
    needs = NOTHING

    @property
    def name(self) -> str:
        when = "before" if self.back_first else "after"
        return f"a doubt while the clock is wrong by {self.by_s:+d} s, put right {when} it is asked about"

    async def strike(self, world: World, load: Load) -> None:
        world.ledger.clock_moved = True
        world.set_clock(f"{self.by_s:+d}")
        # Read again by libfaketime once a second.
        await asyncio.sleep(1.5)
        faults = world.twilio.faults
        # A receipt would settle it.
        receipts, lost = faults.add("callbacks_lost", times=1), faults.add("answer_lost", times=1)
        await load.raise_one()
        await until("the doubt is there", lambda: lost.met)
        if not self.back_first:
            await asyncio.sleep(25.0)
        world.set_clock("+0")
        faults.remove(lost)
        faults.remove(receipts)
        await asyncio.sleep(5.0)
        await world.ready()
