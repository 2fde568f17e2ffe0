"""Probes in the outbox: those of the last hour, and forgetting them."""

from datetime import datetime

import sqlalchemy as sa

from rules.probe import RECIPIENT, Earlier
from store.database import Transaction
from store.tables import attempts, journal, outbox

_OURS = outbox.c.recipient_id == RECIPIENT


async def since(tx: Transaction, at: datetime) -> list[Earlier]:
    """Give those that were let through since a time."""
    rows = await tx.execute(sa.select(outbox.c.created_at, outbox.c.channel).where(_OURS, outbox.c.created_at >= at))
    return [Earlier(at=row.created_at, channel=row.channel) for row in rows]


async def prune(tx: Transaction, before: datetime) -> int:
    """Forget those from before a time; return how many went."""
    old = sa.select(outbox.c.id).where(_OURS, outbox.c.created_at < before)
    await tx.execute(sa.delete(attempts).where(attempts.c.delivery_id.in_(old)))
    # There is no incident; but a doubt about one is journalled as any other.
    noted = sa.select(outbox.c.incident_id).where(_OURS, outbox.c.created_at < before)
    await tx.execute(sa.delete(journal).where(journal.c.incident_id.in_(noted)))
    return (await tx.execute(sa.delete(outbox).where(_OURS, outbox.c.created_at < before))).rowcount
