"""Somebody does something to an incident: decided on what it is now, and written in the same transaction."""

from rules import machine
from rules.decisions import Decision
from rules.incident import Incident
from rules.machine import Action
from shouwang import verdicts
from shouwang.core import Core
from store import incidents, outbox
from store.database import Transaction


async def act(core: Core, tx: Transaction, incident: Incident, action: Action) -> Decision:
    """Do it, or refuse it in words. Nobody else writes the incident until the transaction ends."""
    now = core.now()
    before = await incidents.load(tx, incident.id, lock=True) or incident
    decision = machine.act(before, action, paged=await outbox.paged(tx, before.id), now=now)
    await verdicts.write(core, tx, decision, before=before, now=now)
    return decision
