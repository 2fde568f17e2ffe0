"""What the parts of the outbox share: rows as deliveries, and the record of tries."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from rules.decisions import Brief, Delivery, DeliveryState, Priority, Purpose
from store import dialect
from store.database import Transaction
from store.prepared import once
from store.tables import attempts, outbox

#: All that the dispatcher needs of a delivery.
CHOSEN = sa.select(*(outbox.c[field.name] for field in fields(Delivery) if field.name in outbox.c))
#: The one with the id bound as `which`.
WITH_ID = once(CHOSEN.where(outbox.c.id == sa.bindparam("which")))

#: A delivery that nobody is busy with, and that waits for nothing.
AT_REST: dict[str, Any] = {"owner": None, "lease_until": None, "next_attempt_at": None, "doubt_since": None}

#: What may have left is only ever with what it left with: a receipt that comes late must say nothing of others.
KEPT_TOGETHER = sa.func.coalesce(outbox.c.bundle, outbox.c.id)


def in_one_try_with(delivery: Delivery) -> sa.ColumnElement[bool]:
    """Say of a row whether it is, or was, in the same request as a delivery that is in a bundle; itself among them.

    A bundle that was in doubt may be settled in parts, and what is then sent again is a message without the rest.
    """
    its = outbox.alias()
    claimed_at = sa.select(its.c.claimed_at).where(its.c.id == delivery.id).scalar_subquery()
    return sa.and_(outbox.c.bundle == delivery.bundle, outbox.c.claimed_at == claimed_at)


def delivery_of(row: Mapping[Any, Any]) -> Delivery:
    """Make a delivery of a row of CHOSEN."""
    return Delivery(
        **{
            **row,
            "purpose": Purpose(row["purpose"]),
            "priority": Priority(row["priority"]),
            "state": DeliveryState(row["state"]),
            "brief": None if row["brief"] is None else Brief(**row["brief"]),
        }
    )


class Attempt(NamedTuple):
    """A line of the record of a delivery; its fields are columns of `attempts`."""

    delivery_id: int
    at: datetime
    outcome: str
    detail: str
    #: None where it was no try at a provider.
    provider: str | None = None
    #: Whether it speaks against the provider; None where it was no try, or went along in one message with another.
    against: bool | None = None


async def note_attempts(tx: Transaction, tries: Iterable[Attempt]) -> None:
    """Keep what came of tries, and of questions about them."""
    await dialect.insert(tx, attempts, Attempt._fields, tries)


async def change(
    tx: Transaction,
    delivery_id: int,
    new: Mapping[str, Any],
    *,
    states: Iterable[DeliveryState] = DeliveryState,
    fence: int | None = None,
) -> bool:
    """Give columns of a delivery new values where it is in one of these states, and held with this fence if any.

    False where it is not. The statement is made once for each set of columns: making it takes longer than SQLite does.
    """
    computed = {name: value for name, value in new.items() if isinstance(value, sa.ColumnElement)}
    made = _changing(tuple(name for name in new if name not in computed), frozenset(states), fence is not None)
    values: dict[str, Any] = {f"new_{name}": value for name, value in new.items() if name not in computed}
    values["which"] = delivery_id
    if fence is not None:
        values["held"] = fence
    changed = await tx.execute(made.values(computed) if computed else made, values)
    return bool(changed.rowcount)


@cache
def _changing(names: tuple[str, ...], states: frozenset[DeliveryState], fenced: bool) -> sa.Update:
    made = sa.update(outbox).where(outbox.c.id == sa.bindparam("which"))
    if states != frozenset(DeliveryState):
        # Written out, for a list that is bound is expanded anew each time.
        made = made.where(outbox.c.state.in_([sa.literal_column(f"'{state}'") for state in sorted(states)]))
    if fenced:
        made = made.where(outbox.c.fence == sa.bindparam("held"))
    return once(made.values({name: sa.bindparam(f"new_{name}") for name in names}))
