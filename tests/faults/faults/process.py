"""Faults of the process itself."""

import asyncio
import os
import signal
from dataclasses import dataclass

from tests.faults.faults.base import NOTHING
from tests.faults.ledger import now
from tests.faults.load import Load
from tests.faults.world import World
from tests.real.waiting import until

_RECOVERS_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Killed:
    """SIGKILL at moments of chance, soon after it has begun to listen, or before."""

    times: int = 1
    #: The embedded broker is killed with it, every other time, as when a machine loses power.
    with_broker: bool = False
    aftermath_s: float = _RECOVERS_S
    needs = NOTHING

    @property
    def name(self) -> str:
        return f"SIGKILL at random, {self.times} times"

    async def strike(self, world: World, load: Load) -> None:
        chance = world.chance
        for number in range(self.times):
            if number % 6 != 5:
                await world.ready()
            await asyncio.sleep(chance.uniform(0.0, 1.0))
            await world.kill(with_children=self.with_broker and number % 2 == 0)
            await until("started again", lambda: world.shouwang.running)
        await world.ready()


@dataclass(frozen=True, slots=True, kw_only=True)
class KilledAtPoints:
    """SIGKILL at named points of an alarm's way, a start for each; see tests/real/crash_at.py."""

    points: tuple[str, ...]
    aftermath_s: float = _RECOVERS_S
    needs = NOTHING

    @property
    def name(self) -> str:
        return f"SIGKILL at {', '.join(self.points)}"

    async def strike(self, world: World, load: Load) -> None:
        first, *others = self.points
        world.by_entry("--crash-at", first)
        await world.kill()
        await until("started again", lambda: world.shouwang.running)
        for following in (*others, None):
            starts, world.dying = world.shouwang.starts, True
            if following is None:
                world.normal()
            else:
                world.by_entry("--crash-at", following)
            # Not every alarm comes by every point: what was claimed already is not claimed again.
            deadline = now() + 60.0
            while world.shouwang.starts == starts and now() < deadline:
                await load.raise_one()
                await asyncio.sleep(2.0)
            await world.has_died(starts)
        await world.ready()


@dataclass(frozen=True, slots=True, kw_only=True)
class KilledAtCall:
    """SIGKILL at the n-th system call of a kind: between words of a protocol, before the disk has it."""

    call: str
    nth: int
    aftermath_s: float = _RECOVERS_S
    needs = frozenset({"strace"})

    @property
    def name(self) -> str:
        return f"SIGKILL at {self.call} no. {self.nth}"

    async def strike(self, world: World, load: Load) -> None:
        await world.ready()
        starts, world.dying = world.shouwang.starts, True
        inject = (f"--trace={self.call}", f"--inject={self.call}:signal=SIGKILL:when={self.nth}")
        assert world.tools.strace is not None
        pid = str(world.shouwang.pid)
        strace = await asyncio.create_subprocess_exec(
            world.tools.strace, "-f", "-qq", "-o", os.devnull, *inject, "-p", pid
        )
        try:
            await load.raise_one()
            await world.has_died(starts)
        finally:
            if strace.returncode is None:
                strace.kill()
            await strace.wait()
        await world.ready()


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """SIGSTOP, and SIGCONT later: a machine that stands still. Longer than a lease (30 s), it is a suspended one."""

    seconds: float
    aftermath_s: float = _RECOVERS_S
    needs = NOTHING

    @property
    def name(self) -> str:
        return f"stopped for {self.seconds:g} s"

    async def strike(self, world: World, load: Load) -> None:
        await world.ready()
        world.shouwang.send(signal.SIGSTOP)
        try:
            await load.raise_one()
            await asyncio.sleep(self.seconds)
        finally:
            world.shouwang.send(signal.SIGCONT)
        await world.ready()


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminated:
    """SIGTERM in the middle of a batch: it must end with 0, and lose nothing either."""

    times: int = 1
    aftermath_s: float = _RECOVERS_S
    needs = NOTHING

    @property
    def name(self) -> str:
        return f"SIGTERM in mid-batch, {self.times} times"

    async def strike(self, world: World, load: Load) -> None:
        for _ in range(self.times):
            await world.ready()
            alarm = asyncio.create_task(load.raise_one())
            await asyncio.sleep(world.chance.uniform(0.0, 0.05))
            async with world.stopped():
                pass
            await alarm
