"""The auditor: loud where something stood still, silent where nothing did. What it repairs is told in stories."""

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from ingest.message import Message
from rules import machine
from rules.decisions import CancelDue, DeliveryState, DueKind
from rules.incident import Verb
from shouwang import auditor
from store import due, incidents, outbox

Start = Callable[[], Awaitable[Any]]


async def stand_still(service: Any) -> str:
    """Open an incident and take its next step away; give its id."""
    gas = Message(
        topic="zigbee2mqtt/yl-1-2-301-gas", payload=b'{"gas":true}', retain=False, received_at=service.core.now()
    )
    await service.intake.take_in([gas])
    async with service.core.database.write() as tx:
        incident = (await incidents.listing(tx, open_only=True, limit=1))[0]
        await due.cancel(tx, [CancelDue(kind=DueKind.STEP, subject=incident.id)])
    return incident.id


async def test_where_all_is_well_it_says_nothing(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    service, _ = await start()
    gas = Message(
        topic="zigbee2mqtt/yl-1-2-301-gas", payload=b'{"gas":true}', retain=False, received_at=service.core.now()
    )
    await service.intake.take_in([gas])
    with caplog.at_level(logging.ERROR):
        assert await auditor.audit(service.core) == 0
    assert [one for one in caplog.records if one.levelno >= logging.ERROR] == []


async def test_what_stood_still_is_repaired_loudly(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    """Invariant never-silent: the step is due again at its own time, and an operator can see that it was not."""
    service, _ = await start()
    incident_id = await stand_still(service)
    with caplog.at_level(logging.ERROR):
        assert await auditor.audit(service.core) == 1

    record = next(one for one in caplog.records if "stood still" in one.message)
    assert record.incident == incident_id
    async with service.core.database.read() as tx:
        assert await incidents.without_next(tx) == []
        assert (await incidents.journal(tx, incident_id))[-1].event == "repaired"


async def test_two_auditors_repair_once(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process, or a decision, came between the look and the repair."""
    service, _ = await start()
    await stand_still(service)
    repair = machine.repair
    seen: list[int] = []

    listed = incidents.without_next

    async def other_first(tx: Any) -> Any:
        found = await listed(tx)
        if not seen:
            seen.append(1)
            return found
        return []

    monkeypatch.setattr(incidents, "without_next", other_first)
    monkeypatch.setattr(machine, "repair", lambda *a, **k: seen.append(2) or repair(*a, **k))
    assert await auditor.audit(service.core) == 0
    assert seen == [1]


async def open_one(service: Any) -> str:
    gas = Message(
        topic="zigbee2mqtt/yl-1-2-301-gas", payload=b'{"gas":true}', retain=False, received_at=service.core.now()
    )
    await service.intake.take_in([gas])
    async with service.core.database.read() as tx:
        return str((await incidents.listing(tx, open_only=True, limit=1))[0].id)


@pytest.mark.parametrize(
    ("verbs", "waits_s"), [((), 60), ((Verb.ACKNOWLEDGE,), 300), ((Verb.ACKNOWLEDGE, Verb.ARRIVE), 3600)]
)
async def test_a_clock_that_is_set_back_makes_nobody_wait_for_it(
    start: Start, verbs: tuple[Verb, ...], waits_s: int
) -> None:
    """Invariant never-silent: an hour that comes twice is no hour in which nobody is told."""
    service, _ = await start()
    incident_id = await open_one(service)
    for verb in verbs:
        await service.desk.act(incident_id, verb, by="li", via="cli")
    back = service.core.now() - timedelta(hours=1)
    service.core.now = lambda: back

    assert await auditor.audit(service.core) == 1
    assert await auditor.audit(service.core) == 0
    async with service.core.database.read() as tx:
        assert await due.next_at(tx) <= back + timedelta(seconds=waits_s)


async def test_a_clock_that_is_set_back_puts_off_no_question_for_the_outcome(start: Start) -> None:
    """Invariant never-silent: also where the person arrived long before, and was reminded in the hour that comes twice.

    Only the due time tells from when the next reminder counts.
    """
    service, _ = await start()
    incident_id = await open_one(service)
    await service.desk.act(incident_id, Verb.ARRIVE, by="li", via="cli")
    noon = service.core.now()
    service.core.now = lambda: noon + timedelta(hours=3)
    await service.clockwork.tick()
    assert await auditor.audit(service.core) == 0
    service.core.now = lambda: noon + timedelta(hours=2)

    assert await auditor.audit(service.core) == 1
    await service.clockwork.tick()
    assert await auditor.audit(service.core) == 0
    async with service.core.database.read() as tx:
        assert [one.event for one in await incidents.journal(tx, incident_id)].count("outcome_overdue") == 2


async def test_a_message_whose_time_lies_ahead_leaves_all_the_same(start: Start) -> None:
    """Neither a try that waits, nor the lease of a process that died, waits for an hour to come again."""
    service, _ = await start()
    await open_one(service)
    (page,) = await service.deliveries.claim(16)
    back = service.core.now() - timedelta(hours=1)
    service.core.now = lambda: back
    await auditor.audit(service.core)

    (doubt,) = await service.deliveries.claim(16)
    assert (doubt.id, doubt.state) == (page.id, DeliveryState.UNKNOWN)
    async with service.core.database.write() as tx:
        assert await outbox.retry(tx, doubt, at=back + timedelta(hours=1), error="", now=back)
    await auditor.audit(service.core)
    (again,) = await service.deliveries.claim(16)
    assert again.id == page.id


async def test_one_that_cannot_be_repaired_keeps_no_other_from_it(
    start: Start, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    service, _ = await start()
    await stand_still(service)
    other = Message(
        topic="shouwang/v1/yl-1-2-302/gas/event",
        payload=b'{"kind":"gas","state":"alarm"}',
        retain=False,
        received_at=service.core.now(),
    )
    await service.intake.take_in([other])
    async with service.core.database.write() as tx:
        for one in await incidents.listing(tx, open_only=True, limit=9):
            await due.cancel(tx, [CancelDue(kind=DueKind.STEP, subject=one.id)])
    repair = machine.repair
    tried: list[str] = []

    def first_fails(incident: Any, **more: Any) -> Any:
        tried.append(incident.id)
        if len(tried) == 1:
            raise KeyError("a text that is not there")
        return repair(incident, **more)

    monkeypatch.setattr(machine, "repair", first_fails)
    assert await auditor.audit(service.core) == 1
    assert "cannot be repaired" in caplog.text
