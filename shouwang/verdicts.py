"""Writing decisions down: everything a decision consists of, in the transaction it was made in."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from rules.decisions import CancelDue, Decision, DueKind, SetDue
from rules.incident import Incident
from rules.readings import ALARM_STATES, LIFE_SAFETY_KINDS
from rules.watch import LOOK_AGAIN
from shouwang.core import Core
from store import due, findings, incidents, outbox
from store.database import Transaction

_log = logging.getLogger(__name__)

#: How long a code rests after its incident was resolved (invariant code-is-unique).
CODE_REST = timedelta(days=30)


#: What somebody who reads the log must not pass over: nobody is being told, or only because there was nobody else.
_LOUD = {
    "nobody_to_page": logging.ERROR,
    "nobody_on_duty_anywhere": logging.WARNING,
    "everybody_declined": logging.WARNING,
}


async def write(core: Core, tx: Transaction, decision: Decision, *, before: Incident | None, now: datetime) -> None:
    """Write a decision; `before` is the incident as it was loaded, None where the decision opens it.

    Raises StaleIncident where another writer came first; the caller's transaction must then be begun again.
    """
    after = decision.incident
    if decision.refusal is not None:
        return
    if before is None:
        await incidents.insert(tx, after)
    elif after != before:
        await incidents.save(tx, after, before=before)

    await incidents.add_journal(tx, decision.journal)
    await write_due(tx, decision.due)
    for cancel in decision.cancel:
        await outbox.cancel(tx, cancel)
    if decision.deliveries:
        await outbox.add(tx, decision.deliveries, now)

    if not after.is_open and (before is None or before.is_open):
        await incidents.release_code(tx, after.id, now + CODE_REST)
        await _look_again(tx, after, now)
        await findings.detach(tx, after.id)

    _tell_operators(core, decision)


async def write_due(tx: Transaction, changes: Iterable[SetDue | CancelDue]) -> None:
    """Write changes of due times; of several for one subject the last counts."""
    last = {(change.kind, change.subject): change for change in changes}.values()
    await due.put(tx, [one for one in last if isinstance(one, SetDue) and not one.if_absent])
    await due.put_absent(tx, [one for one in last if isinstance(one, SetDue) and one.if_absent])
    await due.cancel(tx, [one for one in last if isinstance(one, CancelDue)])


async def _look_again(tx: Transaction, closed: Incident, now: datetime) -> None:
    """What alarms on after somebody has closed it is looked at again, once, for many a gateway never repeats it."""
    if not (closed.verified and closed.is_life_safety):
        return
    lasting = LIFE_SAFETY_KINDS - ALARM_STATES.keys()
    standing = [one for one in await findings.of_incident(tx, closed.id) if one.kind in lasting and one.device_id]
    at = now + LOOK_AGAIN
    await due.put(
        tx, [SetDue(kind=DueKind.HOLD, subject=f"{one.rule_id}/{one.device_id}", due_at=at) for one in standing]
    )


def _tell_operators(core: Core, decision: Decision) -> None:
    incident = decision.incident
    for entry in decision.journal:
        level = _LOUD.get(entry.event, logging.INFO)
        _log.log(level, "incident %s %s: %s", incident.code, entry.event, entry.actor, extra={"incident": incident.id})
    core.metrics.late_steps.inc(any(delivery.late_s for delivery in decision.deliveries))
