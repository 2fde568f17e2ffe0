"""One run: an installation, a load, faults one after the other or together, and what came of it."""

import asyncio
import contextlib
import logging
import pprint
import random
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.course import courses
from tests.faults.faults.base import Fault
from tests.faults.judge import judge, missing
from tests.faults.ledger import Alarm, Ledger, Step, now
from tests.faults.load import Amount, Load
from tests.faults.observe import collect_messages, observe, taken_in
from tests.faults.problem import Problem
from tests.faults.tools import Tools
from tests.faults.world import Layout, World
from tests.real.waiting import WaitedInVainError, until

_log = logging.getLogger(__name__)

#: Everybody has been told within this after the last fault is over: a few doubts, one after the other.
SETTLES_WITHIN_S = 240.0
#: Whatever comes twice comes within this after sensors have repeated themselves.
QUIET_S = 3.0

#: Texts alone: to the home's worker, the general grid's, and the desk.
TEXTS = (Step(0, 0), Step(4, 1), Step(8, 2))
#: Its worker is called where a text is not answered, and so is the general grid's.
WITH_CALLS = (Step(0, 0), Step(4, 0, ("voice",)), Step(8, 1, ("sms", "voice")), Step(12, 2))

_PLAIN = Layout()
_USUAL = Amount()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What is done to an installation."""

    name: str
    #: One after the other; those of one row together.
    faults: tuple[tuple[Fault, ...], ...]
    #: Whose figures it is summed up with in a short table; by itself where this is empty.
    sort: str = ""
    layout: Layout = _PLAIN
    amount: Amount = _USUAL
    steps: tuple[Step, ...] = WITH_CALLS
    repeat_s: float = 7200.0
    #: Seconds of peace between two rows.
    between_s: tuple[float, float] = (0.3, 1.5)
    settles_within_s: float = SETTLES_WITHIN_S

    @property
    def needs(self) -> frozenset[str]:
        """The tools it takes."""
        return self.layout.needs.union(*(fault.needs for row in self.faults for fault in row))


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What came of a scenario, or why it was not run."""

    scenario: Scenario
    seed: str
    not_run: str | None = None
    error: str | None = None
    problems: list[Problem] = field(default_factory=list)
    kills: int = 0
    alarms: int = 0
    texts: int = 0
    calls: int = 0
    replies: int = 0
    ordinary: int = 0
    lost_by_broker: int = 0
    seconds: float = 0.0

    @property
    def failed(self) -> bool:
        """Whether the promise was broken, or the run itself did not get through."""
        return self.error is not None or bool(self.problems)

    def count(self, *kinds: str) -> int:
        """Give how many problems there are of some kinds."""
        return sum(Counter(one.kind for one in self.problems)[kind] for kind in kinds)


async def run(scenario: Scenario, *, seed: str, folder: Path, tools: Tools, required: frozenset[str]) -> Outcome:
    """Run a scenario; whatever goes wrong is in the outcome."""
    outcome = Outcome(scenario=scenario, seed=seed)
    if lacking := tools.lacking(scenario.needs):
        words = ", ".join(lacking)
        outcome.not_run = f"not run here: {words} missing"
        if required & set(lacking):
            outcome.error = f"{words} missing, and required here"
        return outcome
    began = time.monotonic()
    folder.mkdir(parents=True)  # noqa: ASYNC240 - before anything runs
    ledger = Ledger(steps=scenario.steps, repeat_s=scenario.repeat_s)
    try:
        async with World(folder, scenario.layout, ledger, tools, random.Random(seed)) as world:
            await _live(world, scenario)
    except (Exception, asyncio.CancelledError) as error:
        _log.debug("%s", scenario.name, exc_info=True)
        outcome.error = _in_words(error)
        (folder / "error.txt").write_text(traceback.format_exc())
        if isinstance(error, asyncio.CancelledError):
            raise
    outcome.problems = judge(ledger) if outcome.error is None else []
    outcome.kills, outcome.ordinary = ledger.kills, ledger.ordinary
    outcome.alarms, outcome.replies = len(ledger.alarms), len(ledger.replies) + len(ledger.tallies)
    outcome.texts = sum(one.channel == "sms" for one in ledger.messages)
    outcome.calls = sum(one.channel == "voice" for one in ledger.messages)
    outcome.lost_by_broker = len(ledger.lost_by_broker)
    outcome.seconds = time.monotonic() - began
    if outcome.problems:
        (folder / "problems.txt").write_text("\n".join(map(str, outcome.problems)))
        (folder / "ledger.txt").write_text(pprint.pformat(ledger, width=160))
    return outcome


async def _live(world: World, scenario: Scenario) -> None:
    load = Load(world, scenario.amount)
    load.write_files()
    with world.disturbed("the first start", 5.0):
        await world.up()
    try:
        await load.introduce()
        # What is not acknowledged yet comes again after a fault, behind an alarm: the all-clear from before it.
        await taken_in(world, load.introduced)
        load.begin()
        for row in scenario.faults:
            async with asyncio.TaskGroup() as together:
                for fault in row:
                    together.create_task(_strike(fault, world, load))
            await asyncio.sleep(world.chance.uniform(*scenario.between_s))
        await load.finish()
        await world.ready()
        await _find_what_the_broker_lost(world, load)
        await _settle(world, scenario.settles_within_s)
        await load.hush()
        # Who could not go just now is followed by somebody, also where they had taken several homes by one key.
        await observe(world)
        await _settle(world, scenario.settles_within_s)
        # No repeat may make up for what was lost; whatever comes twice comes now.
        if not missing(world.ledger):
            await load.say_again(_standing(world))
        await asyncio.sleep(QUIET_S)
        await world.ready()
        await collect_messages(world)
        await observe(world)
        if scenario.layout.two_providers and not any(one.requests for one in world.providers[1:]):
            world.ledger.complaints.append("nothing went by the second provider")
    finally:
        await load.end()
    async with asyncio.timeout(60):
        await _end(world)


async def _strike(fault: Fault, world: World, load: Load) -> None:
    _log.info("%s: %s", world.folder.name, fault.name)
    with world.disturbed(fault.name, fault.aftermath_s):
        await fault.strike(world, load)


async def _find_what_the_broker_lost(world: World, load: Load) -> None:
    """Let sensors say again what their broker has lost; they would do so by themselves, sooner or later."""
    ledger = world.ledger
    if not ledger.broker_may_lose:
        return
    with contextlib.suppress(WaitedInVainError):
        await until("all acknowledged", lambda: ledger.acknowledged.keys() >= ledger.alarms.keys(), within_s=15)
    answered = {one.home for one in ledger.replies}
    ledger.lost_by_broker = ledger.alarms.keys() - ledger.acknowledged.keys() - answered
    with world.disturbed("sensors repeat what the broker lost", 5.0):
        await load.say_again({home: ledger.alarms[home] for home in ledger.lost_by_broker})


def _standing(world: World) -> dict[int, Alarm]:
    """Give the alarms that sensors go on repeating: a call for help is pressed once, and what is over is over."""
    course = courses(world.ledger)
    return {
        home: alarm for home, alarm in world.ledger.alarms.items() if alarm.kind != "sos" and not course[home].closed
    }


async def _settle(world: World, within_s: float) -> None:
    deadline = now() + within_s
    while now() < deadline:
        await collect_messages(world)
        if not missing(world.ledger):
            return
        await asyncio.sleep(0.7)
    _log.info("%s: still missing: %s", world.folder.name, missing(world.ledger))


async def _end(world: World) -> None:
    """End the process as an operator does, while everything works: with 0."""
    world._wanted, world.dying = False, True
    code = await world.shouwang.stop()
    if code != 0:
        world.ledger.complaints.append(f"in the end it ended with {code}")


def _in_words(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return "".join(traceback.format_exception_only(error)).strip()
