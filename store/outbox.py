"""The outbox: what is to be told to whom, and what became of it.

A delivery is claimed (outbox_claim.py), handed to a provider outside of any transaction, and its outcome recorded here
by whoever holds the fence it was claimed with; the provider's later words are in outbox_receipts.py.
"""

from collections.abc import Collection, Iterable
from dataclasses import fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from rules.decisions import CancelUnsent, Delivery, DeliveryState, NewDelivery, Paged, Priority, Purpose
from store import dialect
from store.database import Transaction
from store.outbox_claim import claim
from store.outbox_receipts import receipt, receipt_of_others, set_state
from store.outbox_rows import (
    AT_REST,
    CHOSEN,
    KEPT_TOGETHER,
    WITH_ID,
    Attempt,
    change,
    delivery_of,
    in_one_try_with,
    note_attempts,
)
from store.prepared import once
from store.tables import WAITING, attempts, outbox

__all__ = [
    "add",
    "attempts_of",
    "by_id",
    "cancel",
    "claim",
    "count_waiting",
    "failed",
    "latest_at",
    "next_at",
    "of_bundle",
    "of_incident",
    "oldest_waiting",
    "paged",
    "put_back",
    "receipt",
    "receipt_of_others",
    "retry",
    "sent",
    "set_state",
    "spared",
    "unknown",
]

_S = DeliveryState

_NEW = tuple(field.name for field in fields(NewDelivery))
_ADDED = (*_NEW, "created_at", "state", "next_attempt_at")

_PAGED = once(
    sa.select(
        outbox.c.id.label("delivery_id"),
        *(outbox.c[field.name] for field in fields(Paged) if field.name != "delivery_id"),
    )
    .where(outbox.c.incident_id == sa.bindparam("which"))
    .order_by(outbox.c.id)
)
_SOONEST = once(
    sa.select(
        sa.select(sa.func.min(outbox.c.next_attempt_at)).where(sa.text(WAITING)).scalar_subquery(),
        sa.select(sa.func.min(outbox.c.lease_until)).where(sa.text("state = 'sending'")).scalar_subquery(),
    )
)


async def add(tx: Transaction, deliveries: Iterable[NewDelivery], now: datetime) -> int:
    """Put deliveries into the outbox; return how many were new.

    One with the key of an earlier one is not written: nobody gets a step twice by one way (invariant one-page).
    """
    rows = ((*(getattr(one, name) for name in _NEW), now, str(DeliveryState.PENDING), now) for one in deliveries)
    return await dialect.insert_new(tx, outbox, _ADDED, rows)


async def cancel(tx: Transaction, unsent: CancelUnsent) -> int:
    """Cancel what has not left yet; return how many (invariant quiet-after-answer)."""
    waiting = sa.update(outbox).where(
        outbox.c.incident_id == unsent.incident_id,
        outbox.c.state == str(_S.PENDING),
        outbox.c.purpose.in_(sorted(unsent.purposes)),
    )
    if unsent.recipient_id is not None:
        waiting = waiting.where(outbox.c.recipient_id == unsent.recipient_id)
    changed = await tx.execute(waiting.values(state=str(_S.CANCELLED), error=unsent.reason, **AT_REST))
    return changed.rowcount


async def paged(tx: Transaction, incident_id: str) -> list[Paged]:
    """Give who has been, or is being, told of an incident, in the order it was decided; whatever became of it."""
    rows = await tx.execute(_PAGED, {"which": incident_id})
    return [
        Paged(**{**row, "purpose": Purpose(row["purpose"]), "state": DeliveryState(row["state"])})
        for row in rows.mappings()
    ]


# --- what became of a claimed delivery; each says whether it was still the caller's to say ----------------------------
#
# `against` says whether the try that is over speaks against the provider; None where it is not a try that is over, but
# a question about a doubt, or where the provider was never asked. `along`: it went in one message with another, which
# speaks for all of them.


async def sent(
    tx: Transaction,
    delivery: Delivery,
    *,
    provider_id: str | None,
    status: str | None,
    now: datetime,
    against: bool | None = None,
    along: bool = False,
) -> bool:
    """Record that the provider has taken it.

    True also where the provider's own receipt came before its answer and has said so already.
    """
    mine = await _settle(
        tx,
        delivery,
        now,
        _S.SENT,
        "",
        against=against,
        along=along,
        provider_id=provider_id,
        provider_status=status,
        sent_at=now,
        error=None,
        **AT_REST,
    )
    if mine or provider_id is None:
        return mine
    known = await by_id(tx, delivery.id)
    return known is not None and known.fence == delivery.fence and known.provider_id == provider_id


async def retry(
    tx: Transaction,
    delivery: Delivery,
    *,
    at: datetime,
    error: str,
    now: datetime,
    against: bool | None = None,
    along: bool = False,
    refused: bool = False,
    apart: bool = False,
) -> bool:
    """Record that the provider has certainly not taken it, and let it be tried again at a time.

    `refused`: this provider never will take it; another one may. `apart`: it need not stay with what it was in one
    message with, for none of it has ever left.
    """
    waiting = AT_REST | {"next_attempt_at": at}
    if apart:
        waiting["bundle"] = None
    outcome = _S.FAILED if refused else _S.PENDING
    return await _settle(
        tx, delivery, now, _S.PENDING, error, outcome=outcome, against=against, along=along, error=error, **waiting
    )


async def failed(
    tx: Transaction,
    delivery: Delivery,
    *,
    error: str,
    now: datetime,
    against: bool | None = None,
    along: bool = False,
) -> bool:
    """Record that it will not arrive."""
    return await _settle(tx, delivery, now, _S.FAILED, error, against=against, along=along, error=error, **AT_REST)


async def spared(tx: Transaction, delivery: Delivery, *, error: str, now: datetime) -> bool:
    """Record that it has not left after all, and that nobody waits for it; `error` says why."""
    return await _settle(tx, delivery, now, _S.CANCELLED, error, against=None, along=False, error=error, **AT_REST)


async def unknown(
    tx: Transaction,
    delivery: Delivery,
    *,
    ask_at: datetime,
    error: str,
    now: datetime,
    against: bool | None = None,
    along: bool = False,
) -> bool:
    """Record that it is not known whether the provider has taken it, and when to ask."""
    began = sa.func.coalesce(outbox.c.doubt_since, outbox.c.claimed_at, sa.literal(now, outbox.c.claimed_at.type))
    waiting = AT_REST | {"next_attempt_at": ask_at, "doubt_since": began, "bundle": KEPT_TOGETHER}
    return await _settle(tx, delivery, now, _S.UNKNOWN, error, against=against, along=along, error=error, **waiting)


async def _settle(
    tx: Transaction,
    delivery: Delivery,
    now: datetime,
    state: DeliveryState,
    detail: str,
    *,
    outcome: DeliveryState | None = None,
    against: bool | None,
    along: bool,
    **values: Any,
) -> bool:
    held = (_S.SENDING, _S.UNKNOWN)
    if not await change(tx, delivery.id, {"state": str(state), **values}, states=held, fence=delivery.fence):
        return False
    provider = None if against is None else delivery.provider
    counts = None if along else against
    await note_attempts(tx, [Attempt(delivery.id, now, str(outcome or state), detail, provider, counts)])
    return True


async def put_back(tx: Transaction, latest: datetime, now: datetime) -> int:
    """Let be due now what would be looked at after `latest`; return how many (the clock was set back)."""
    waiting = sa.update(outbox).where(sa.text(WAITING), outbox.c.next_attempt_at > latest)
    sending = sa.update(outbox).where(sa.text("state = 'sending'"), outbox.c.lease_until > latest)
    changed = await tx.execute(waiting.values(next_attempt_at=now))
    return changed.rowcount + (await tx.execute(sending.values(lease_until=now))).rowcount


# --- looking ----------------------------------------------------------------------------------------------------------


async def by_id(tx: Transaction, delivery_id: int) -> Delivery | None:
    """Give a delivery."""
    row = (await tx.execute(WITH_ID, {"which": delivery_id})).mappings().first()
    return None if row is None else delivery_of(row)


async def of_incident(tx: Transaction, incident_id: str) -> list[Delivery]:
    """Give all deliveries of an incident, in the order they were decided."""
    rows = await tx.execute(CHOSEN.where(outbox.c.incident_id == incident_id).order_by(outbox.c.id))
    return [delivery_of(row) for row in rows.mappings()]


async def of_bundle(tx: Transaction, delivery: Delivery) -> list[Delivery]:
    """Give all that is in one message with a delivery, itself among them, in the order they were decided."""
    if delivery.bundle is None:
        return [delivery]
    rows = await tx.execute(CHOSEN.where(in_one_try_with(delivery)).order_by(outbox.c.id))
    return [delivery_of(row) for row in rows.mappings()]


async def attempts_of(tx: Transaction, delivery_id: int) -> list[tuple[datetime, str, str]]:
    """Give what came of each try of a delivery: time, outcome, detail."""
    chosen = sa.select(attempts.c.at, attempts.c.outcome, attempts.c.detail)
    rows = await tx.execute(chosen.where(attempts.c.delivery_id == delivery_id).order_by(attempts.c.id))
    return [(row.at, row.outcome, row.detail) for row in rows]


async def oldest_waiting(tx: Transaction) -> dict[Priority, datetime]:
    """Give, by priority, since when the oldest delivery has waited that has neither left nor been given up."""
    oldest = sa.select(outbox.c.priority, sa.func.min(outbox.c.created_at)).where(sa.text(WAITING))
    rows = await tx.execute(oldest.group_by(outbox.c.priority))
    return {Priority(row[0]): row[1] for row in rows}


async def count_waiting(tx: Transaction) -> int:
    """Count the deliveries that have neither left nor been given up."""
    return await tx.scalar(sa.select(sa.func.count()).select_from(outbox).where(sa.text(WAITING))) or 0


async def next_at(tx: Transaction) -> datetime | None:
    """Give the time from which on `claim` may find something."""
    times = (await tx.execute(_SOONEST)).one()
    return min((each for each in times if each is not None), default=None)


async def latest_at(tx: Transaction) -> datetime | None:
    """Give the time up to which something waits: a try, a question, or the end of a lease."""
    waiting = sa.select(sa.func.max(outbox.c.next_attempt_at)).where(sa.text(WAITING))
    leased = sa.select(sa.func.max(outbox.c.lease_until)).where(sa.text("state = 'sending'"))
    times = (await tx.execute(sa.select(waiting.scalar_subquery(), leased.scalar_subquery()))).one()
    return max((each for each in times if each is not None), default=None)


async def requested(tx: Transaction, delivery: Delivery) -> tuple[datetime | None, list[datetime]]:
    """Give when a delivery's last request was made, as far as is known, and when those of others to its address were.

    Of the others only what is under way or in doubt by the same provider; of a message with several homes once.
    """
    moment = sa.func.coalesce(outbox.c.doubt_since, outbox.c.claimed_at)
    own: datetime | None = await tx.scalar(sa.select(moment).where(outbox.c.id == delivery.id))
    message = sa.func.coalesce(outbox.c.bundle, outbox.c.id)
    others = sa.select(message, sa.func.max(moment)).where(
        outbox.c.channel == delivery.channel,
        outbox.c.address == delivery.address,
        outbox.c.provider == delivery.provider,
        outbox.c.state.in_([str(DeliveryState.SENDING), str(DeliveryState.UNKNOWN)]),
        message != (delivery.bundle or delivery.id),
    )
    return own, [row[1] for row in await tx.execute(others.group_by(message)) if row[1] is not None]


async def of_others(tx: Transaction, delivery: Delivery, provider_ids: Collection[str]) -> set[str]:
    """Give those of the provider's ids that belong to other deliveries than this one, and what was in its message."""
    chosen = sa.select(outbox.c.provider_id).where(
        outbox.c.provider_id.in_(sorted(provider_ids)), outbox.c.id != delivery.id
    )
    if delivery.bundle is not None:
        chosen = chosen.where(sa.or_(outbox.c.bundle.is_(None), sa.not_(in_one_try_with(delivery))))
    return {str(one) for one in await tx.scalars(chosen)}
