"""The auditor of invariant never-silent: every open incident has somebody answering, or a next step due."""

import logging
from datetime import timedelta

from rules import machine
from rules.incident import Incident, IncidentState
from shouwang import verdicts
from shouwang.core import Core
from store import incidents, outbox
from store.database import Transaction
from store.errors import DatabaseError

_log = logging.getLogger(__name__)

#: Neither a try, nor a question, nor a lease is ever put off for so long.
_LONGEST_WAIT = timedelta(minutes=10)


async def audit(core: Core) -> int:
    """Find incidents that nobody would be told of again in time, repair them loudly, and return how many they were.

    Either nothing is due of them, or their times lie ahead because the clock has been set back.
    """
    repaired = 0
    async with core.database.read() as tx:
        suspects = await _suspects(core, tx)
    for suspect in suspects:
        try:
            repaired += await _repair(core, suspect)
        except DatabaseError:
            raise
        except Exception:  # noqa: BLE001 - one that cannot be repaired must not keep the others from it
            _log.exception("incident %s stands still and cannot be repaired", suspect, extra={"incident": suspect})
    await _put_back(core)
    core.metrics.auditor_repairs.inc(repaired)
    return repaired


async def _suspects(core: Core, tx: Transaction) -> dict[str, bool]:
    """Give the ids of incidents to repair, and whether anything is due of each."""
    ahead = await incidents.from_ahead(tx, core.now() + machine.AHEAD)
    return {one.id: True for one in ahead} | {one.id: False for one in await incidents.without_next(tx)}


async def _repair(core: Core, incident_id: str) -> bool:
    async with core.database.write() as tx:
        # Looked at again under the lock: a decision may have come between.
        suspects = await _suspects(core, tx)
        if incident_id not in suspects:
            return False
        incident: Incident | None = await incidents.load(tx, incident_id, lock=True)
        if incident is None:
            return False
        now = core.now()
        # An outcome is asked for again and again: none of the incident's own times need lie ahead for the next to.
        has_next = suspects[incident_id] and incident.state is not IncidentState.ON_SCENE
        decision = machine.repair(incident, has_next=has_next, now=now)
        if decision is None:
            return False
        _log.error(
            "incident %s stood still: %s; its next step is set anew",
            incident.code,
            "the clock was set back" if suspects[incident_id] else "nobody was answering and nothing was due",
            extra={"incident": incident.id},
        )
        await verdicts.write(core, tx, decision, before=incident, now=now)
        return True


async def _put_back(core: Core) -> None:
    now = core.now()
    async with core.database.read() as tx:
        waiting = await outbox.latest_at(tx)
    if waiting is None or waiting <= now + _LONGEST_WAIT:
        return
    async with core.database.write() as tx:
        count = await outbox.put_back(tx, now + _LONGEST_WAIT, now)
    _log.error("%d messages waited for a time that the clock had already shown; they are due now", count)
    core.wake_dispatcher()
