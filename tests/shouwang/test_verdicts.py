"""A decision is written whole, or not at all."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from ingest.message import Message
from rules import machine
from rules.decisions import CancelDue, Decision, DueKind, JournalEntry, SetDue
from rules.incident import Incident, OutcomeKind, Verb
from rules.machine import Action
from shouwang import verdicts
from store import due, findings, incidents, outbox
from store.errors import StaleIncident

Start = Callable[[], Awaitable[Any]]


@pytest.fixture
async def service(start: Start) -> Any:
    """A service with one open gas incident."""
    service, _ = await start()
    gas = Message(
        topic="zigbee2mqtt/yl-1-2-301-gas", payload=b'{"gas":true}', retain=False, received_at=service.core.now()
    )
    await service.intake.take_in([gas])
    return service


async def the_incident(service: Any) -> Incident:
    async with service.core.database.read() as tx:
        return (await incidents.listing(tx, open_only=False, limit=1))[0]


async def act(service: Any, verb: Verb, before: Incident, **more: Any) -> Any:
    async with service.core.database.write() as tx:
        action = Action(verb=verb, by="li", by_name="李明", via="cli", **more)
        now = service.core.now()
        decision = machine.act(before, action, paged=await outbox.paged(tx, before.id), now=now)
        await verdicts.write(service.core, tx, decision, before=before, now=now)
    return decision


async def test_an_incident_is_opened_whole(service: Any) -> None:
    """Incident, journal, finding, due time and outbox come in one transaction."""
    incident = await the_incident(service)
    async with service.core.database.write() as tx:
        assert [entry.event for entry in await incidents.journal(tx, incident.id)] == ["opened", "paged"]
        assert [one.rule_id for one in await findings.of_incident(tx, incident.id)] == ["gas-leak"]
        step = [row for row in await due.claim(tx, service.core.now() + timedelta(minutes=1), 9) if row.kind == "step"]
        assert [row.subject for row in step] == [incident.id]
        assert [row.recipient_id for row in await outbox.paged(tx, incident.id)] == ["li"]
        assert await incidents.with_code(tx, incident.code) == incident


async def test_a_refusal_writes_nothing(service: Any) -> None:
    incident = await the_incident(service)
    await act(service, Verb.OUTCOME, incident, outcome=OutcomeKind.REAL)
    closed = await the_incident(service)
    async with service.core.database.read() as tx:
        before = await incidents.journal(tx, incident.id)
    decision = await act(service, Verb.ACKNOWLEDGE, closed)

    assert decision.refusal is not None
    assert await the_incident(service) == closed
    async with service.core.database.read() as tx:
        assert await incidents.journal(tx, incident.id) == before


async def test_who_decided_on_an_old_version_writes_nothing(service: Any) -> None:
    """Two writers cannot both believe that they were first."""
    incident = await the_incident(service)
    await act(service, Verb.ACKNOWLEDGE, incident)
    acknowledged = await the_incident(service)
    with pytest.raises(StaleIncident):
        await act(service, Verb.ARRIVE, incident)

    assert await the_incident(service) == acknowledged


async def test_a_closed_incident_lets_go(service: Any) -> None:
    """Its code rests for 30 days (invariant code-is-unique), its findings stand on alone, and no step is due."""
    incident = await the_incident(service)
    await act(service, Verb.OUTCOME, incident, outcome=OutcomeKind.REAL)

    async with service.core.database.write() as tx:
        assert await findings.of_incident(tx, incident.id) == []
        assert ("gas-leak", "yl-1-2-301-gas") in await findings.standing(tx, ["yl-1-2-301-gas"])
        rows = await due.claim(tx, service.core.now() + timedelta(days=365), 99)
        assert [row for row in rows if row.subject == incident.id] == []

        class Stubborn:
            """Chooses the same code again and again."""

            def randrange(self, stop: int) -> int:
                return 0

        near = service.core.now() + timedelta(days=29, hours=23)
        taken = [await incidents.new_code(tx, f"other-{number}", near, Stubborn()) for number in range(184)]  # type: ignore[arg-type]
        assert incident.code not in taken
        later = service.core.now() + timedelta(days=30)
        assert await incidents.new_code(tx, "another", later, Stubborn()) == incident.code  # type: ignore[arg-type]


async def test_of_several_due_times_of_one_subject_the_last_counts(service: Any) -> None:
    now = service.core.now()

    def at(hours: float, *, if_absent: bool = False) -> SetDue:
        return SetDue(kind=DueKind.HOLD, subject="r/d", due_at=now + timedelta(hours=hours), if_absent=if_absent)

    async def after(*changes: SetDue | CancelDue) -> float | None:
        async with service.core.database.write() as tx:
            await verdicts.write_due(tx, changes)
            rows = await due.claim(tx, now + timedelta(days=365), 99)
        found = next((row.due_at for row in rows if row.subject == "r/d"), None)
        return None if found is None else (found - now).total_seconds() / 3600

    cancel = CancelDue(kind=DueKind.HOLD, subject="r/d")
    assert await after(at(1), cancel) is None
    assert await after(cancel, at(1)) == 1
    assert await after(at(2, if_absent=True)) == 1
    assert await after(at(2), at(3)) == 3
    assert await after(cancel) is None
    assert await after(at(4, if_absent=True)) == 4


async def test_an_incident_that_has_nobody_to_tell_is_an_error_in_the_log(
    service: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Its clock runs on, and reaches nobody: whoever runs the service must hear of it."""
    incident = await the_incident(service)
    now = service.core.now()
    entry = JournalEntry(incident_id=incident.id, at=now, event="nobody_to_page", actor="clock")
    async with service.core.database.write() as tx:
        await verdicts.write(service.core, tx, Decision(incident=incident, journal=(entry,)), before=incident, now=now)

    (line,) = [one for one in caplog.records if one.levelname == "ERROR"]
    assert "nobody_to_page" in line.message
