"""How the providers of a channel have done lately, read off the record of tries: nothing is kept beside it.

So it is as exact as the outbox is, outlives the process, and is the same for two processes over one database.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from rules.decisions import DeliveryState
from store.database import Transaction
from store.prepared import once
from store.tables import TRIED, UtcTime, attempts, outbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What came of one try at a provider, and what became of the delivery since."""

    at: datetime
    against: bool
    recipient_id: str
    state: DeliveryState
    error: str | None


_RECENT = once(
    sa.select(attempts.c.at, attempts.c.against, outbox.c.recipient_id, outbox.c.state, outbox.c.error)
    .join(outbox, outbox.c.id == attempts.c.delivery_id)
    .where(
        # The partial index wants its own words beside the comparison.
        sa.text(f"attempts.{TRIED}"),
        attempts.c.provider == sa.bindparam("whose"),
        attempts.c.at >= sa.bindparam("since", type_=UtcTime),
        outbox.c.channel == sa.bindparam("how"),
    )
    .order_by(attempts.c.at.desc(), attempts.c.id.desc())
    .limit(sa.bindparam("most", type_=sa.Integer))
)

#: What left in one message is one of them.
_UNDER_WAY = once(
    sa.select(sa.func.coalesce(outbox.c.bundle, outbox.c.id).label("message"), outbox.c.claimed_at).where(
        sa.text("state = 'sending'"),
        outbox.c.channel == sa.bindparam("how"),
        outbox.c.provider == sa.bindparam("whose"),
    )
)


async def recent(tx: Transaction, *, channel: str, provider: str, since: datetime, limit: int) -> list[Tried]:
    """Give the latest tries of a channel at a provider, the newest first."""
    values = {"how": channel, "whose": provider, "since": since, "most": limit}
    rows = await tx.execute(_RECENT, values)
    return [Tried(**{**row, "state": DeliveryState(row["state"])}) for row in rows.mappings()]


async def under_way(tx: Transaction, *, channel: str, provider: str) -> list[datetime]:
    """Give when each message was handed to a provider of which it is not known yet what came of it, in order."""
    rows = await tx.execute(_UNDER_WAY, {"how": channel, "whose": provider})
    return sorted({row.message: row.claimed_at for row in rows}.values())


async def tries_of(tx: Transaction, delivery_ids: Collection[int]) -> dict[int, list[tuple[str, DeliveryState]]]:
    """Give, by delivery, at which providers it was tried and what came of each, in order."""
    tries: dict[int, list[tuple[str, DeliveryState]]] = {one: [] for one in delivery_ids}
    chosen = sa.select(attempts.c.delivery_id, attempts.c.provider, attempts.c.outcome).where(
        attempts.c.delivery_id.in_(sorted(tries)), attempts.c.provider.is_not(None)
    )
    for row in await tx.execute(chosen.order_by(attempts.c.id)):
        tries[row.delivery_id].append((row.provider, DeliveryState(row.outcome)))
    return tries
