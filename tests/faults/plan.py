"""Which scenarios there are: each fault by itself, faults of one sort after the other, and combinations of chance."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime

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
    ProviderFails,
    ProviderNotFound,
    ProviderRefuses,
    WrongCredentials,
)
from tests.faults.load import Amount
from tests.faults.scenario import Scenario
from tests.faults.world import Layout
from tests.real.crash_at import POINTS

POSTGRESQL = Layout(database="postgresql")
EMBEDDED = Layout(broker="embedded")
#: A kill with its start takes some three seconds.
ALARMS_A_KILL = 10
KILLS_A_RUN = 40

PROVIDER: tuple[ProviderFails, ...] = (
    ProviderFails(kind="answer_lost", words="answer lost after acceptance"),
    ProviderFails(kind="error_before", words="500 before it is stored"),
    ProviderFails(kind="error_after", words="500 after it is stored"),
    ProviderFails(kind="rate_limited", words="429 without Retry-After"),
    ProviderFails(kind="rate_limited", words="429 with Retry-After", settings={"retry_after": 3}),
    ProviderFails(kind="hang", words="stored, never answered", times=2),
    ProviderFails(kind="hang_before", words="neither stored nor answered", times=2),
    ProviderFails(kind="slow", words="answers after 6 s", settings={"seconds": 6.0}),
    ProviderFails(kind="lands_late", words="lands after 5 s, never answered", times=2, settings={"seconds": 5.0}),
    ProviderFails(kind="refuse", words="connection reset before anything"),
)
CALLBACKS: tuple[ProviderFails, ...] = (
    ProviderFails(kind="callbacks_late", words="callbacks 8 s late", times=5, settings={"seconds": 8.0}),
    ProviderFails(kind="callbacks_twice", words="callbacks twice", times=5),
    ProviderFails(kind="callbacks_out_of_order", words="callbacks out of order", times=5),
    ProviderFails(kind="callbacks_lost", words="callbacks lost", times=5),
    ProviderFails(kind="undelivered", words="texts undelivered", times=2),
    ProviderFails(kind="failed", words="texts failed", times=2),
)
#: A doubt about a message that the provider does not list yet.
LISTED_LATE: tuple[tuple[Fault, ...], ...] = (
    (
        ProviderFails(kind="late_listing", words="listed 8 s late", times=4, settings={"seconds": 8.0}),
        ProviderFails(kind="answer_lost", words="answer lost after acceptance", times=2),
    ),
)


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
            name="provider: out of reach",
            faults=((ProviderRefuses(),), (ProviderNotFound(),)),
        ),
        Scenario(
            name="provider: wrong credentials",
            faults=((WrongCredentials(),),),
            repeat_s=45.0,
            steps_s=(0, 2, 4),
            amount=_FEW,
        ),
        Scenario(
            name="clock stepped",
            layout=Layout(clock=True),
            faults=((ClockStepped(by_s=3600),), (ClockStepped(by_s=-3600),)),
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
            amount=Amount(alarms=40, alarms_per_s=0.3),
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
    layouts = {
        "Mosquitto, SQLite": (Layout(), sqlite),
        "embedded broker, SQLite": (EMBEDDED, embedded),
        "Mosquitto, PostgreSQL": (POSTGRESQL, postgresql),
    }
    for words, (layout, times) in layouts.items():
        yield Scenario(
            name=f"SIGKILL at random: {words}",
            layout=layout,
            faults=((Killed(times=times, with_broker=layout is EMBEDDED),),),
            amount=Amount(alarms=max(20, alarms * times // total), alarms_per_s=2.0),
        )


def long(seed: int, *, kills_wanted: int, alarms_wanted: int) -> Iterator[Scenario]:
    """Kill so often, in installations one after the other, half of them with a provider that fails at the same time."""
    chance = random.Random(seed)
    killed = raised = number = 0
    while killed < kills_wanted or raised < alarms_wanted:
        layout = (Layout(), POSTGRESQL, EMBEDDED)[number % 3]
        left = max(1, -(-(kills_wanted - killed) // KILLS_A_RUN))
        alarms = min(1000, max(ALARMS_A_KILL * KILLS_A_RUN, -(-(alarms_wanted - raised) // left)))
        amount = Amount(alarms=alarms, alarms_per_s=alarms / (KILLS_A_RUN * 3.5))
        faults: list[tuple[Fault, ...]] = []
        for _ in range(4):
            row: tuple[Fault, ...] = (Killed(times=KILLS_A_RUN // 4, with_broker=layout is EMBEDDED),)
            faults.append((*row, chance.choice(PROVIDER)) if chance.random() < 0.5 else row)
        names = {Layout(): "Mosquitto, SQLite", POSTGRESQL: "Mosquitto, PostgreSQL", EMBEDDED: "embedded, SQLite"}
        yield Scenario(name=f"kills {number}: {names[layout]}", layout=layout, faults=tuple(faults), amount=amount)
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
    return Scenario(name=f"combination {number}", layout=layout, faults=rows, amount=Amount(alarms=40))
