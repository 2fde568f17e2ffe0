"""The auditor: loud where something stood still, silent where nothing did. What it repairs is told in stories."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from ingest.message import Message
from rules import machine
from rules.decisions import CancelDue, DueKind
from shouwang import auditor
from store import due, incidents

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
