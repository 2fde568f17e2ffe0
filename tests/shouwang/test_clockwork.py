"""What is due: each row by itself, none in the way of the others."""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from ingest.message import Message
from rules import machine
from rules.decisions import Due, DueKind, SetDue
from rules.incident import Verb
from shouwang.clockwork import Clockwork
from store import due, incidents
from store.database import Database

Start = Callable[[], Awaitable[Any]]


class Bench:
    """A service whose clock is moved by hand."""

    def __init__(self, service: Any) -> None:
        self.service = service
        self.core = service.core
        self.clockwork: Clockwork = service.clockwork
        self.moment: datetime = service.core.now()
        service.core.now = lambda: self.moment

    def passes(self, **time: float) -> None:
        self.moment += timedelta(**time)

    async def says(self, topic: str, payload: bytes) -> None:
        message = Message(topic=topic, payload=payload, retain=False, received_at=self.moment)
        await self.service.intake.take_in([message])

    async def gas(self) -> str:
        await self.says("zigbee2mqtt/yl-1-2-301-gas", b'{"gas":true}')
        return (await self.incidents())[0].id

    async def incidents(self) -> list[Any]:
        async with self.core.database.read() as tx:
            return await incidents.listing(tx, open_only=True, limit=10)

    async def put(self, kind: DueKind, subject: str, *, after: timedelta = timedelta()) -> None:
        async with self.core.database.write() as tx:
            await due.put(tx, [SetDue(kind=kind, subject=subject, due_at=self.moment + after)])

    async def due(self, kind: DueKind, subject: str) -> datetime | None:
        async with self.core.database.write() as tx:
            rows = await due.claim(tx, self.moment + timedelta(days=365), 1000)
        return next((row.due_at for row in rows if (row.kind, row.subject) == (kind, subject)), None)


@pytest.fixture
async def bench(start: Start) -> Bench:
    service, _ = await start()
    bench = Bench(service)
    await bench.clockwork.tick()
    bench.passes(minutes=1)
    return bench


async def test_nothing_due_is_nothing_done(bench: Bench) -> None:
    assert await bench.clockwork.tick() == 0


async def test_everything_due_is_done_however_much_it_is(bench: Bench) -> None:
    """More than one transaction takes; what it leaves behind is done in the same go."""
    async with bench.core.database.write() as tx:
        many = [SetDue(kind=DueKind.OFFLINE, subject=f"gone-{number}", due_at=bench.moment) for number in range(120)]
        await due.put(tx, many)

    assert await bench.clockwork.tick() == 120


async def test_one_row_that_cannot_be_handled_blocks_no_other(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is put off by half a minute, loudly; the steps of others go out (invariant never-silent)."""
    first = await bench.gas()
    await bench.says("shouwang/v1/yl-1-2-302/gas/event", b'{"kind":"gas","state":"alarm"}')
    step_due = machine.step_due

    def bad(incident: Any, **more: Any) -> Any:
        if incident.id == first:
            raise ArithmeticError("this one is broken")
        return step_due(incident, **more)

    monkeypatch.setattr(machine, "step_due", bad)
    bench.passes(seconds=61)
    with caplog.at_level(logging.ERROR):
        await bench.clockwork.tick()

    assert await bench.due(DueKind.STEP, first) == bench.moment + timedelta(seconds=30)
    other = next(one for one in await bench.incidents() if one.id != first)
    assert other.step == 2
    assert "it is tried again in" in caplog.text

    monkeypatch.undo()
    bench.passes(seconds=30)
    await bench.clockwork.tick()
    assert next(one for one in await bench.incidents() if one.id == first).step == 2


async def test_what_another_process_is_busy_with_is_left_to_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that somebody else has locked are passed over; nobody waits for them in a circle."""
    await bench.put(DueKind.OFFLINE, "yl-1-2-301-gas")

    async def nothing(*_: Any) -> list[Due]:
        return []

    monkeypatch.setattr(due, "claim", nothing)
    assert await bench.clockwork.tick() == 0


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        (DueKind.STEP, "no-such-incident"),
        (DueKind.HOLD, "no-such-rule/yl-1-2-301-door"),
        (DueKind.HOLD, "door-open-at-night/no-such-device"),
        (DueKind.ABSENCE, "no-door-activity/no-such-home"),
        (DueKind.ABSENCE, "gas-leak/yl-1-2-301"),
        (DueKind.OFFLINE, "no-such-device"),
    ],
)
async def test_what_is_due_of_nothing_is_forgotten(bench: Bench, kind: DueKind, subject: str) -> None:
    """The files have changed since; nothing happens, and nothing is left behind."""
    await bench.put(kind, subject)
    await bench.clockwork.tick()

    assert await bench.due(kind, subject) is None
    assert await bench.incidents() == []


@pytest.mark.parametrize("kind", [DueKind.ARRIVAL, DueKind.OUTCOME])
async def test_a_duty_that_is_not_this_state_s_does_nothing(bench: Bench, kind: DueKind) -> None:
    """A left-over arrival of an incident that nobody has answered asks nobody where they are."""
    incident_id = await bench.gas()
    before = (await bench.incidents())[0]
    await bench.put(kind, incident_id)
    await bench.clockwork.tick()

    assert (await bench.incidents())[0] == before


async def test_a_step_of_an_answered_incident_does_nothing(bench: Bench) -> None:
    """Invariant quiet-after-answer, also where a step is due in the same moment."""
    incident_id = await bench.gas()
    await bench.service.desk.act(incident_id, Verb.ACKNOWLEDGE, by="li", via="cli")
    before = (await bench.incidents())[0]
    await bench.put(DueKind.STEP, incident_id)
    await bench.clockwork.tick()

    assert (await bench.incidents())[0] == before


async def test_at_a_start_the_broker_speaks_first(start: Start) -> None:
    """What silence means is judged some seconds after the start; what people wait for is not put off."""
    bench = Bench((await start())[0])
    incident_id = await bench.gas()
    bench.passes(seconds=61)
    await bench.put(DueKind.OFFLINE, "yl-1-2-301-gas")
    await bench.put(DueKind.HOLD, "door-open-at-night/yl-1-2-301-door")
    await bench.clockwork.tick()

    assert await bench.due(DueKind.OFFLINE, "yl-1-2-301-gas") == bench.moment + timedelta(seconds=5)
    assert await bench.due(DueKind.HOLD, "door-open-at-night/yl-1-2-301-door") == bench.moment + timedelta(seconds=5)
    assert next(one for one in await bench.incidents() if one.id == incident_id).step == 2


async def test_a_step_and_an_answer_at_the_same_moment_do_not_wait_for_each_other(
    database: Database, folder: Any
) -> None:
    """Who handles what is due and who answers lock in one order; neither has to be begun again."""
    import asyncio  # noqa: PLC0415 - used here alone

    from shouwang.configuration import Configuration  # noqa: PLC0415
    from shouwang.service import Service  # noqa: PLC0415

    configuration = Configuration(folder, time_zone="Asia/Shanghai", language="zh")
    bench = Bench(Service(database, configuration.rulebook(), now=lambda: datetime(2026, 3, 2, 4).astimezone()))
    await configuration.apply(bench.service)
    incident_id = await bench.gas()
    await bench.clockwork.tick()
    for number in range(20):
        bench.passes(minutes=10)
        verb = (Verb.ACKNOWLEDGE, Verb.CANNOT_GO)[number % 2]
        done = await asyncio.gather(
            bench.clockwork._claim(50), bench.service.desk.act(incident_id, verb, by="chen", via="cli")
        )
        assert done[1].refused is None
