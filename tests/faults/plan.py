"""Which scenarios there are: each fault by itself, faults of one sort after the other, and combinations of chance."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from tests.faults import plan_providers
from tests.faults.faults.base import Fault
from tests.faults.faults.broker import BrokerRestarted, BrokerSilent, BrokerSlow, CutInMidPacket
from tests.faults.faults.clock import ClockStepped, DaylightSaving, DoubtWhileWrong
from tests.faults.faults.database import (
    CommitCut,
    DatabaseSilent,
    DiskFull,
    FilesMayNotGrow,
    PostgresRestarted,
    SqliteLocked,
    Unwritable,
)
from tests.faults.faults.partition import Partitioned
from tests.faults.faults.process import Frozen, Killed, KilledAtCall, KilledAtPoints, Terminated
from tests.faults.faults.provider import (
    ForgedCallbacks,
    ProviderNotFound,
    ProviderRefuses,
    WrongCredentials,
)
from tests.faults.ledger import Step
from tests.faults.load import Amount
from tests.faults.people import PLAIN, Manners
from tests.faults.plan_providers import CALLBACKS, CALLS, LISTED_LATE, PROVIDER, of_calls
from tests.faults.scenario import TEXTS, Scenario
from tests.faults.world import Layout
from tests.real.crash_at import POINTS

POSTGRESQL = Layout(database="postgresql")
EMBEDDED = Layout(broker="embedded")
#: What each of these is called.
LAYOUTS = {
    "Mosquitto, SQLite": Layout(),
    "Mosquitto, PostgreSQL": POSTGRESQL,
    "embedded broker, SQLite": EMBEDDED,
}
#: A kill with its start takes some three seconds.
ALARMS_A_KILL = 10
KILLS_A_RUN = 40

#: Everybody who is told says something, and most of them that they cannot go; by itself the policy is slow.
ALL_ANSWER = Manners(go=(0.3, 0.3, 0.5), cannot=(0.7, 0.7, 0.5), press_go=0.4, press_cannot=0.6, busy=0, away=0)
SLOW_STEPS = (Step(0, 0), Step(90, 0, ("voice",)), Step(160, 1, ("sms", "voice")), Step(240, 2))
#: What is closed and goes on alarming for a while is brought up again; a clock that jumps makes an hour of a second.
#: And a broker that was killed may say again what it said before: what is closed then alarms anew (docs/reliability.md,
#: "Where it ends").
NO_OUTCOME = Manners(finish=0.0)


def bounded(seed: int) -> list[Scenario]:
    """Everything once, in minutes. What takes longest comes first."""
    calls = [("fdatasync", 1), ("fdatasync", 2), ("sendto", 1), ("sendto", 2), ("sendto", 3), ("recvfrom", 3)]
    return [
        *kills(12, 60, embedded=7, postgresql=6, sqlite=12),
        *(
            Scenario(
                name=f"SIGKILL at named points {words}",
                faults=((KilledAtPoints(points=points),),),
                amount=Amount(alarms=60, alarms_per_s=0.3),
            )
            for words, points in (("of the way in", tuple(POINTS)[:6]), ("of the way out", tuple(POINTS)[6:]))
        ),
        Scenario(
            name="SIGKILL at system calls", faults=tuple((KilledAtCall(call=call, nth=nth),) for call, nth in calls)
        ),
        Scenario(name="two processes, one cut off", layout=POSTGRESQL, faults=((Partitioned(),),), amount=_FEW),
        Scenario(
            name="suspended, stopped, terminated",
            faults=((Frozen(seconds=38.0),), (Frozen(seconds=3.0),), (Terminated(times=4),)),
        ),
        Scenario(
            name="broker restarted",
            faults=(
                (BrokerRestarted(),),
                (BrokerRestarted(killed=True),),
                (BrokerRestarted(forgets=True),),
                (BrokerRestarted(killed=True, down_s=5.0),),
            ),
            amount=Amount(manners=NO_OUTCOME),
        ),
        Scenario(
            name="connection to the broker",
            faults=((CutInMidPacket(times=6),), (BrokerSlow(),), (BrokerSilent(),)),
        ),
        Scenario(
            name="PostgreSQL",
            layout=POSTGRESQL,
            faults=(
                (CommitCut(arrives=False),),
                (CommitCut(arrives=True),),
                (PostgresRestarted(),),
                (DatabaseSilent(),),
            ),
        ),
        Scenario(name="SQLite", faults=((SqliteLocked(),), (FilesMayNotGrow(),))),
        Scenario(name="disk", layout=Layout(disk_mib=24), faults=((DiskFull(),), (Unwritable(),))),
        Scenario(name="provider: requests", faults=tuple((one,) for one in PROVIDER), amount=Amount(alarms=50)),
        Scenario(
            name="provider: callbacks, lists",
            faults=(*((one,) for one in CALLBACKS), *LISTED_LATE, (ForgedCallbacks(),)),
            amount=Amount(alarms=50),
        ),
        Scenario(
            name="provider: calls",
            faults=tuple((of_calls(one),) for one in (*PROVIDER, *CALLS)),
            amount=Amount(alarms=60),
        ),
        Scenario(
            name="provider: callbacks, lists of calls",
            faults=(
                *((of_calls(one),) for one in CALLBACKS if one.kind.startswith("callbacks")),
                *(tuple(of_calls(one) for one in row) for row in LISTED_LATE),
            ),
            amount=Amount(alarms=40),
        ),
        *plan_providers.two_providers(),
        Scenario(
            name="people who cannot go",
            faults=((Killed(times=3),), (PROVIDER[0],), (Killed(times=2), PROVIDER[1])),
            steps=SLOW_STEPS,
            amount=Amount(alarms=30, manners=ALL_ANSWER),
        ),
        Scenario(
            name="provider: out of reach",
            faults=((ProviderRefuses(),), (ProviderNotFound(),)),
        ),
        Scenario(
            name="provider: wrong credentials",
            faults=((WrongCredentials(),),),
            repeat_s=45.0,
            steps=(Step(0, 0), Step(2, 0, ("voice",)), Step(4, 1, ("sms", "voice")), Step(6, 2)),
            amount=_FEW,
        ),
        Scenario(
            name="clock stepped",
            layout=Layout(clock=True),
            faults=((ClockStepped(by_s=3600),), (ClockStepped(by_s=-3600),)),
            amount=Amount(manners=NO_OUTCOME),
            repeat_s=6 * 3600.0,
        ),
        Scenario(
            name="clock wrong in a doubt",
            layout=Layout(clock=True),
            faults=tuple(
                (DoubtWhileWrong(by_s=by_s, back_first=back_first),)
                for by_s in (3600, -3600)
                for back_first in (True, False)
            ),
            amount=Amount(alarms=40, alarms_per_s=0.3, manners=NO_OUTCOME),
            repeat_s=6 * 3600.0,
        ),
        *(
            Scenario(
                name=f"daylight saving {word}",
                layout=Layout(about=about, time_zone="Europe/Berlin"),
                faults=((DaylightSaving(),),),
                amount=_FEW,
            )
            for word, about in (
                ("begins", datetime(2027, 3, 28, 1, tzinfo=UTC)),
                ("ends", datetime(2027, 10, 31, 1, tzinfo=UTC)),
            )
        ),
        *(combination(random.Random(f"{seed}/{number}"), number) for number in range(3)),
    ]


_FEW = Amount(alarms=12)


def kills(total: int, alarms: int, *, sqlite: int, embedded: int, postgresql: int) -> Iterator[Scenario]:
    """Kill at random, on each broker and each database; the numbers are shares of `total` kills and `alarms`."""
    times_of = {
        "Mosquitto, SQLite": sqlite,
        "embedded broker, SQLite": embedded,
        "Mosquitto, PostgreSQL": postgresql,
    }
    for words, times in times_of.items():
        layout = LAYOUTS[words]
        yield Scenario(
            name=f"SIGKILL at random: {words}",
            layout=layout,
            faults=((Killed(times=times, with_broker=layout is EMBEDDED),),),
            amount=Amount(alarms=max(20, alarms * times // total), alarms_per_s=2.0),
        )


def long(seed: int, *, kills_wanted: int, alarms_wanted: int) -> Iterator[Scenario]:
    """Kill so often, in installations one after the other, half of them with a provider that fails at the same time.

    By texts alone, and some of those who are told first answer that they go: hundreds of homes alarm in one
    installation, and what is lost or doubled there must not be mistaken for somebody's change of mind.
    """
    chance = random.Random(seed)
    killed = raised = number = 0
    while killed < kills_wanted or raised < alarms_wanted:
        words, layout = tuple(LAYOUTS.items())[number % len(LAYOUTS)]
        if number // len(LAYOUTS) % 2:
            words, layout = f"{words}, two providers", replace(layout, two_providers=True)
        left = max(1, -(-(kills_wanted - killed) // KILLS_A_RUN))
        alarms = min(1000, max(ALARMS_A_KILL * KILLS_A_RUN, -(-(alarms_wanted - raised) // left)))
        amount = Amount(alarms=alarms, alarms_per_s=alarms / (KILLS_A_RUN * 3.5), manners=PLAIN)
        faults: list[tuple[Fault, ...]] = []
        for _ in range(4):
            row: tuple[Fault, ...] = (Killed(times=KILLS_A_RUN // 4, with_broker=layout.broker == "embedded"),)
            faults.append((*row, chance.choice(PROVIDER)) if chance.random() < 0.5 else row)
        name = f"kills {number}: {words}"
        yield Scenario(name=name, sort=words, layout=layout, faults=tuple(faults), amount=amount, steps=TEXTS)
        killed, raised, number = killed + KILLS_A_RUN, raised + alarms, number + 1


def combination(chance: random.Random, number: int) -> Scenario:
    """Some faults of different sorts at the same time, a few times."""
    layout = chance.choice((Layout(), POSTGRESQL))
    database: tuple[Fault, ...] = (
        (CommitCut(arrives=True, times=2), CommitCut(arrives=False, times=2), DatabaseSilent(), PostgresRestarted())
        if layout is POSTGRESQL
        else (SqliteLocked(seconds=7.0),)
    )
    broker: tuple[Fault, ...] = (
        BrokerRestarted(),
        BrokerRestarted(killed=True),
        CutInMidPacket(times=2),
        BrokerSlow(seconds=5.0),
        BrokerSilent(),
    )
    process: tuple[Fault, ...] = (Killed(times=2), Frozen(seconds=4.0), Terminated())
    sorts = (process, broker, database, PROVIDER)
    rows = tuple(
        tuple(chance.choice(sort) for sort in chance.sample(sorts, chance.choice((2, 2, 3)))) for _ in range(3)
    )
    goes_back = any(isinstance(one, BrokerRestarted) and one.killed for row in rows for one in row)
    amount = Amount(alarms=40, manners=NO_OUTCOME if goes_back else Manners())
    return Scenario(name=f"combination {number}", layout=layout, faults=rows, amount=amount)
