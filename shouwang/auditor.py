"""The auditor of invariant never-silent: every open incident has somebody answering, or a next step due."""

import logging

from rules import machine
from shouwang import verdicts
from shouwang.core import Core
from store import incidents

_log = logging.getLogger(__name__)


async def audit(core: Core) -> int:
    """Find incidents that nobody would ever be told of again, repair them loudly, and return how many they were."""
    repaired = 0
    async with core.database.read() as tx:
        suspects = await incidents.without_next(tx)
    for suspect in suspects:
        async with core.database.write() as tx:
            # Looked at again under the lock: a decision may have come between.
            if suspect.id not in {one.id for one in await incidents.without_next(tx)}:
                continue
            incident = await incidents.load(tx, suspect.id, lock=True)
            if incident is None:
                continue
            now = core.now()
            decision = machine.repair(incident, has_next=False, now=now)
            if decision is None:
                continue
            _log.error(
                "incident %s stood still: nobody was answering and nothing was due; its next step is due now",
                incident.code,
                extra={"incident": incident.id},
            )
            await verdicts.write(core, tx, decision, before=incident, now=now)
            repaired += 1
    core.metrics.auditor_repairs.inc(repaired)
    return repaired
