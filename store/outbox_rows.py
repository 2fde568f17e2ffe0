"""What the parts of the outbox share: rows as deliveries, and the record of tries."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from rules.decisions import Delivery, DeliveryState, Priority, Purpose
from store import dialect
from store.database import Transaction
from store.tables import attempts, outbox

#: All that the dispatcher needs of a delivery.
CHOSEN = sa.select(*(outbox.c[field.name] for field in fields(Delivery)))

#: A delivery that nobody is busy with, and that waits for nothing.
AT_REST: dict[str, Any] = {"owner": None, "lease_until": None, "next_attempt_at": None, "doubt_since": None}


def delivery_of(row: Mapping[Any, Any]) -> Delivery:
    """Make a delivery of a row of CHOSEN."""
    return Delivery(
        **{
            **row,
            "purpose": Purpose(row["purpose"]),
            "priority": Priority(row["priority"]),
            "state": DeliveryState(row["state"]),
        }
    )


async def note_attempts(tx: Transaction, tries: Iterable[tuple[int, datetime, str, str]]) -> None:
    """Keep what came of tries: delivery, time, outcome, detail."""
    await dialect.insert(tx, attempts, ("delivery_id", "at", "outcome", "detail"), tries)
