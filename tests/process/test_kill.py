"""Killed with SIGKILL, again and again, under load: no alarm is lost, and no step is told twice.

Invariants ack-after-commit and one-page, of the process as it is run, on each broker and each database. Every alarm
here was acknowledged by the broker to its sensor, sensors repeat their alarms afterwards, and what the provider has
stored in the end is compared with what was raised: one text for each step of each incident, to the right number.
"""

import asyncio
import contextlib
import logging
import os
import random
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy.engine import make_url

_log = logging.getLogger(__name__)

#: More for a long run: SHOUWANG_TEST_KILLS=10 kills ten times as often.
TIMES = int(os.environ.get("SHOUWANG_TEST_KILLS", "1"))
#: By installation: how often at a moment of chance.
BY_CHANCE = {
    "mosquitto-sqlite": 16 * TIMES,
    "embedded-sqlite": 14 * TIMES,
    "mosquitto-postgresql": 8 * TIMES,
    "mosquitto-sqlite-traced": 0,
}
#: And by name, once each; see tests/real/crash_at.py.
POINTS = (
    "received",
    "deciding",
    "committed",
    "acknowledged",
    "claiming",
    "claimed",
    "told",
    "recording",
    "recorded",
    "stepping",
    "stepped",
)
#: And at system calls: which, and the how manieth.
SYSTEM_CALLS = [("fdatasync", 1), ("fdatasync", 2), ("sendto", 1), ("sendto", 2), ("sendto", 3), ("recvfrom", 3)]
#: Homes that may raise an alarm, and homes that never do.
CALM = 20
HOMES = 40 + 6 * max(BY_CHANCE.values())
#: A page in doubt is asked about when its lease has run out and the provider's list can be believed.
SETTLED_WITHIN_S = 240
STEPS_S = (0, 3, 6)

pytestmark = [pytest.mark.broker, pytest.mark.slow, pytest.mark.timeout(1200)]


@dataclass(slots=True)
class Outcome:
    """What an installation came to."""

    skipped: str | None = None
    failed: BaseException | None = None
    kills: int = 0
    raised: dict[int, str] = field(default_factory=dict)
    told: list[tuple[int, str]] = field(default_factory=list)
    wanted: Counter[tuple[int, str]] = field(default_factory=Counter)
    lost: Counter[tuple[int, str]] = field(default_factory=Counter)
    complaints: list[dict[str, Any]] = field(default_factory=list)
    ordinary: int = 0

    @property
    def heard(self) -> Counter[tuple[int, str]]:
        return Counter(self.told)


class Trial:
    """One installation, its load, and whoever kills it."""

    def __init__(self, site: Any, outcome: Outcome, seed: int) -> None:
        self._site = site
        self._shouwang = site.shouwang
        self._outcome = outcome
        self._random = random.Random(seed)
        self._waiting = list(range(1, HOMES + 1))
        self._random.shuffle(self._waiting)
        self._alarms: list[asyncio.Task[None]] = []
        self._over = False

    @staticmethod
    def homes() -> Mapping[int, list[dict[str, str]]]:
        return {
            home: [
                {"id": f"h{home}-gas", "kind": "gas", "source": "zigbee"},
                {"id": f"h{home}-smoke", "kind": "smoke", "source": "own", "name": f"h{home}/smoke"},
                {"id": f"h{home}-sos", "kind": "sos", "source": "own", "name": f"h{home}/sos"},
                {"id": f"h{home}-door", "kind": "contact", "source": "zigbee"},
            ]
            for home in range(1, HOMES + CALM + 1)
        }

    # --- what sensors say ---------------------------------------------------------------------------------------------

    async def _introduce(self) -> None:
        """Every sensor has said once that all is well."""
        for home in range(1, HOMES + 1):
            await self._site.zigbee(f"h{home}-gas", gas=False)
            await self._site.own(home, "smoke", kind="smoke", state="clear")

    async def _ordinary(self) -> None:
        """Doors open and close all the time, in all homes, and everything else is well in some."""
        while not self._over:
            home = self._random.randint(1, HOMES)
            about = {"linkquality": self._random.randint(1, 255), "battery": self._random.randint(60, 100)}
            await self._site.zigbee(f"h{home}-door", contact=self._random.random() < 0.5, **about)
            calm = self._random.randint(HOMES + 1, HOMES + CALM)
            await self._site.zigbee(f"h{calm}-gas", gas=False, **about)
            await self._site.own(calm, "smoke", kind="smoke", state="clear")
            self._outcome.ordinary += 3
            await asyncio.sleep(self._random.expovariate(100))

    def _raise(self) -> None:
        """An alarm in a home that has not had one; it counts when the broker has acknowledged it."""
        home = self._waiting.pop()
        kind = self._outcome.raised[home] = self._random.choice(["gas", "smoke", "sos"])
        self._alarms.append(asyncio.create_task(self._say(home, kind)))

    async def _say(self, home: int, kind: str) -> None:
        if kind == "gas":
            await self._site.zigbee(f"h{home}-gas", gas=True, battery=90, linkquality=self._random.randint(1, 255))
        else:
            await self._site.own(home, kind, kind=kind, state="pressed" if kind == "sos" else "alarm")

    async def _raise_for(self, seconds: float, count: int) -> None:
        for at in sorted(self._random.uniform(0, seconds) for _ in range(count)):
            await asyncio.sleep(at / count)
            self._raise()

    async def _repeat(self) -> None:
        """Sensors repeat the alarms that stand. A call for help is pressed once."""
        for home, kind in list(self._outcome.raised.items()):
            if kind != "sos":
                await self._say(home, kind)

    # --- who kills ----------------------------------------------------------------------------------------------------

    async def by_chance(self, times: int, *, embedded: bool) -> None:
        """Kill it so often, soon after it has begun to listen, and now and then before.

        The embedded broker goes with it, every other time as roughly; so sensors must first find it again.
        """
        for number in range(times):
            self._shouwang.spawn()
            if number % 6 != 5:
                await self._shouwang.connected()
            seconds = self._random.uniform(1.0, 2.0) if embedded else self._random.uniform(0.0, 0.6)
            alarms = asyncio.create_task(self._raise_for(seconds, self._random.randint(1, 3)))
            await asyncio.sleep(seconds)
            if number % 6 == 5:
                await asyncio.sleep(1.0)
            await self._killed(with_children=embedded and number % 2 == 0)
            await alarms

    async def at_points(self) -> None:
        """Let it kill itself at each of the named points."""
        script = str(Path(__file__).parent.parent / "real" / "crash_at.py")
        for point in POINTS:
            self._shouwang.spawn(point, command=(sys.executable, script))
            await self._shouwang.connected()
            self._raise()
            assert await self._shouwang.ended() == -signal.SIGKILL, point
            self._outcome.kills += 1

    async def under_way(self) -> None:
        """Kill it while a request is at the provider: one that was stored, and one that never is."""
        for fault in ("slow", "hang_before"):
            self._site.twilio.faults.add(fault, times=1, seconds=5)
            self._shouwang.spawn()
            self._raise()
            await self._site.until("a request", lambda: any(f.met for f in self._site.twilio.faults))
            await self._killed()
            self._site.twilio.faults.clear()

    async def at_system_calls(self) -> None:
        """Kill it at a system call: between words of a protocol, before the disk has it."""
        for name, nth in SYSTEM_CALLS:
            self._shouwang.spawn()
            await self._shouwang.connected()
            inject = (f"--trace={name}", f"--inject={name}:signal=SIGKILL:when={nth}")
            strace = await asyncio.create_subprocess_exec(
                "strace", "-f", "-qq", "-o", os.devnull, *inject, "-p", str(self._shouwang.pid)
            )
            try:
                self._raise()
                assert await self._shouwang.ended() == -signal.SIGKILL, name
                self._outcome.kills += 1
            finally:
                with contextlib.suppress(ProcessLookupError):
                    strace.kill()
                await strace.wait()

    async def _killed(self, *, with_children: bool = False) -> None:
        assert self._shouwang.running, f"it ended by itself: {self._shouwang.said()}"
        await self._shouwang.kill9(with_children=with_children)
        self._outcome.kills += 1

    # --- the end ------------------------------------------------------------------------------------------------------

    async def run(self, *kills: Callable[["Trial"], Any]) -> None:
        await self._shouwang.start()
        await self._introduce()
        load = asyncio.create_task(self._ordinary())
        assert await self._shouwang.stop() == 0
        for kill in kills:
            await kill(self)
        await self._shouwang.start()
        await asyncio.gather(*self._alarms)
        # Told, and not cancelled: in Python 3.11 a wait with a time-out may swallow that.
        self._over = True
        await load
        outcome, site = self._outcome, self._site
        outcome.wanted = Counter((home, number) for home in outcome.raised for number in site.told_of(home))

        def settled() -> bool:
            outcome.told = [(home, one.to) for one in site.texts for home in site.homes_in(one.body)]
            return not outcome.wanted - outcome.heard

        with contextlib.suppress(site.WaitedInVainError):
            await site.until("everybody told", settled, within_s=SETTLED_WITHIN_S)
        outcome.lost = outcome.wanted - outcome.heard
        # No repeat may make up for what was lost; whatever comes twice comes now.
        await self._repeat()
        await asyncio.sleep(3)
        assert await self._shouwang.stop() == 0
        settled()
        outcome.complaints = self._shouwang.complaints()


def may_trace() -> bool:
    """Whether strace is here and allowed: an extra, and not one of the real parts."""
    strace = shutil.which("strace")
    return strace is not None and subprocess.run([strace, "-qq", "-o", os.devnull, "true"], check=False).returncode == 0


def _plan(name: str) -> list[Callable[[Trial], Any]]:
    by_chance = BY_CHANCE[name]
    embedded = name.startswith("embedded")
    kills: list[Callable[[Trial], Any]] = [lambda one: one.by_chance(by_chance, embedded=embedded)]
    match name:
        case "mosquitto-sqlite":
            kills += [Trial.at_points, Trial.under_way]
        case "mosquitto-postgresql":
            kills += [Trial.at_points]
        case "mosquitto-sqlite-traced":
            kills = [Trial.at_system_calls]
    return kills


async def _empty_database(postgres_url: str) -> str:
    connection = await asyncpg.connect(postgres_url)
    await connection.execute("CREATE DATABASE killed")
    await connection.close()
    return make_url(postgres_url).set(database="killed").render_as_string(hide_password=False)


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, opened: Any
) -> dict[str, Outcome]:
    """Run all installations side by side: most of the time of each goes into waiting for doubts to settle."""
    outcomes = {name: Outcome() for name in BY_CHANCE}
    if not may_trace():
        outcomes["mosquitto-sqlite-traced"].skipped = "strace is not installed, or may not trace here"
    parts: dict[str, Any] = {"embedded": None, "sqlite": None}
    for part, fixture in (("mosquitto", "mosquitto_program"), ("postgresql", "postgres_url")):
        try:
            parts[part] = request.getfixturevalue(fixture)
        except pytest.skip.Exception as skipped:
            for name, outcome in outcomes.items():
                if part in name:
                    outcome.skipped = str(skipped)

    async def one(name: str) -> None:
        outcome = outcomes[name]
        broker, database, *_ = name.split("-")
        settings = {}
        if database == "postgresql":
            settings = {"SHOUWANG_DATABASE__URL": await _empty_database(parts[database])}
        try:
            async with opened(tmp_path_factory.mktemp(name), parts[broker], **settings) as site:
                site.community(Trial.homes(), site.steps(*STEPS_S))
                await Trial(site, outcome, seed=len(name)).run(*_plan(name))
        except Exception as error:  # noqa: BLE001 - told by the test of this installation
            outcome.failed = error

    async def all_of_them() -> None:
        await asyncio.gather(*(one(name) for name, outcome in outcomes.items() if outcome.skipped is None))

    asyncio.run(all_of_them())
    return outcomes


@pytest.mark.parametrize("name", BY_CHANCE)
def test_no_alarm_is_lost_and_no_step_is_told_twice(name: str, outcomes: dict[str, Outcome]) -> None:
    """Invariants ack-after-commit and one-page, killed at any moment."""
    outcome = outcomes[name]
    if outcome.skipped is not None:
        pytest.skip(outcome.skipped)
    if outcome.failed is not None:
        raise outcome.failed
    _log.info(
        "%s: %d kills, %d ordinary messages, %d alarms, %d texts",
        name,
        outcome.kills,
        outcome.ordinary,
        len(outcome.raised),
        len(outcome.told),
    )

    assert outcome.kills >= BY_CHANCE[name]
    assert not outcome.lost, "steps of which nobody was told"
    assert not outcome.heard - outcome.wanted, "told twice, or told somebody else"


def test_there_were_at_least_fifty_kills(outcomes: dict[str, Outcome]) -> None:
    if any(outcome.skipped is not None for name, outcome in outcomes.items() if "traced" not in name):
        pytest.skip("an installation was skipped")
    assert sum(outcome.kills for outcome in outcomes.values()) >= 50
