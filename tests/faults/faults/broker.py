"""Faults of the broker and of the way to it."""

import asyncio
import signal
from dataclasses import dataclass

from tests.faults.faults.base import NOTHING
from tests.faults.load import Load
from tests.faults.world import World
from tests.real.waiting import PATIENCE_S

#: Longer than the longest pause between two tries to connect.
_RECONNECTS_S = 35.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerRestarted:
    """The broker ends (in good order or killed), and comes back with its sessions or without them."""

    killed: bool = False
    forgets: bool = False
    down_s: float = 2.0
    aftermath_s: float = _RECONNECTS_S
    needs = NOTHING

    @property
    def name(self) -> str:
        how = "killed" if self.killed else "restarted"
        return f"broker {how}, {'its sessions gone' if self.forgets else 'with its sessions'}"

    async def strike(self, world: World, load: Load) -> None:
        mosquitto, ledger = world.mosquitto, world.ledger
        assert mosquitto is not None
        if self.killed or self.forgets:
            # Mosquitto acknowledges before it writes; and what it forgets is not ours any more.
            ledger.broker_may_lose = True
        await load.raise_one()
        await asyncio.to_thread(mosquitto.end, signal.SIGKILL if self.killed else signal.SIGTERM)
        if self.forgets:
            mosquitto.forget()
        await asyncio.sleep(self.down_s)
        await mosquitto.start()
        await world.ready()


@dataclass(frozen=True, slots=True, kw_only=True)
class CutInMidPacket:
    """The connection to the broker is reset in the middle of a packet, either way."""

    times: int = 4
    aftermath_s: float = _RECONNECTS_S
    needs = NOTHING

    @property
    def name(self) -> str:
        return f"connection to the broker cut in mid-packet, {self.times} times"

    async def strike(self, world: World, load: Load) -> None:
        proxy = world.mqtt
        assert proxy is not None
        for number in range(self.times):
            await world.ready()
            before = proxy.cuts
            if number % 2:
                # A PUBACK has four bytes.
                proxy.cut_after(4 * world.chance.randint(0, 5) + world.chance.randint(1, 3), "up")
            else:
                proxy.cut_after(world.chance.randint(3, 400), "down")
            await load.raise_one()
            async with asyncio.timeout(PATIENCE_S):
                while proxy.cuts == before:  # noqa: ASYNC110 - it happens on the wire
                    await asyncio.sleep(0.02)
        await world.ready()


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerSlow:
    """Every piece to and from the broker is late, and pieces are small."""

    seconds: float = 8.0
    delay_s: float = 0.1
    aftermath_s: float = 10.0
    needs = NOTHING

    @property
    def name(self) -> str:
        return f"broker slow for {self.seconds:g} s"

    async def strike(self, world: World, load: Load) -> None:
        proxy = world.mqtt
        assert proxy is not None
        proxy.delay_s, proxy.piece = self.delay_s, 700
        try:
            await load.raise_one()
            await asyncio.sleep(self.seconds)
        finally:
            proxy.delay_s, proxy.piece = 0.0, 65_536
        await world.ready()


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerSilent:
    """The connection to the broker is half open: nothing gets through, and nobody says so."""

    seconds: float = 12.0
    aftermath_s: float = _RECONNECTS_S
    needs = NOTHING

    @property
    def name(self) -> str:
        return f"connection to the broker half open for {self.seconds:g} s"

    async def strike(self, world: World, load: Load) -> None:
        proxy = world.mqtt
        assert proxy is not None
        proxy.flowing.clear()
        try:
            await load.raise_one()
            await asyncio.sleep(self.seconds)
        finally:
            # What is held back here belongs to connections that may be given up already.
            proxy.cut()
            proxy.flowing.set()
        await world.ready()
