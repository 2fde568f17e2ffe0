"""Everything that waits for a time."""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from rules.decisions import CancelDue, Due, DueKind, SetDue
from store import dialect
from store.database import Transaction
from store.prepared import once
from store.tables import ESCALATING, due

_COLUMNS = ("kind", "subject", "due_at")


def _ripe(condition: str) -> sa.Select[tuple[str, str, datetime]]:
    return (
        sa.select(due.c.kind, due.c.subject, due.c.due_at)
        .where(sa.text(condition), due.c.due_at <= sa.bindparam("now"))
        .order_by(due.c.due_at)
        .limit(sa.bindparam("most", type_=sa.Integer))
        .with_for_update(skip_locked=True)
    )


#: The time of whatever is due first.
SOONEST = sa.select(sa.func.min(due.c.due_at))
#: Statements of the hot path are made once: making one takes longer than SQLite takes for it.
_CANCEL = once(sa.delete(due).where(due.c.kind == sa.bindparam("what"), due.c.subject == sa.bindparam("whose")))

#: What a person waits for comes before what only a sensor waits for (invariant life-first).
_IN_ORDER = (once(_ripe(ESCALATING)), once(_ripe(f"NOT ({ESCALATING})")))


async def put(tx: Transaction, changes: Iterable[SetDue]) -> None:
    """Let things happen at their times, each in place of what was due for the same kind and subject."""
    await dialect.upsert(tx, due, _COLUMNS, _rows(changes), change=("due_at",))


async def put_absent(tx: Transaction, changes: Iterable[SetDue]) -> None:
    """Let things happen at their times, where nothing is due for the same kind and subject yet."""
    await dialect.insert_new(tx, due, _COLUMNS, _rows(changes))


async def put_sooner(tx: Transaction, changes: Iterable[SetDue]) -> None:
    """Let things happen at their times, or earlier where they are due earlier already."""
    await dialect.upsert(tx, due, _COLUMNS, _rows(changes), change=("due_at",), least=True)


async def cancel(tx: Transaction, changes: Iterable[CancelDue]) -> None:
    """Let things not happen any more."""
    for change in sorted(changes, key=lambda one: (one.kind, one.subject)):
        await tx.execute(_CANCEL, {"what": str(change.kind), "whose": change.subject})


async def claim(tx: Transaction, now: datetime, limit: int) -> list[Due]:
    """Give what is due: steps, arrivals and outcomes first, then the rest, each oldest first.

    The rows stay until they are put anew or cancelled; on PostgreSQL they are locked until the transaction ends, and
    what another process has locked is passed over.
    """
    claimed: list[Due] = []
    for ripe in _IN_ORDER:
        if len(claimed) < limit:
            rows = await tx.execute(ripe, {"now": now, "most": limit - len(claimed)})
            claimed.extend(Due(kind=DueKind(row.kind), subject=row.subject, due_at=row.due_at) for row in rows)
    return claimed


async def next_at(tx: Transaction) -> datetime | None:
    """Give the time of whatever is due first."""
    soonest: datetime | None = await tx.scalar(SOONEST)
    return soonest


def _rows(changes: Iterable[SetDue]) -> Iterable[tuple[str, str, datetime]]:
    return ((str(change.kind), change.subject, change.due_at) for change in changes)


async def hasten(tx: Transaction, kind: DueKind, home_id: str, at: datetime) -> None:
    """Let what is due of a kind in a home (subjects are `<rule>/<home>`) be due at a time, if it is due later."""
    mine = (due.c.kind == str(kind)) & due.c.subject.endswith(f"/{home_id}", autoescape=True) & (due.c.due_at > at)
    await tx.execute(sa.update(due).where(mine).values(due_at=at))
