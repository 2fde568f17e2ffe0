"""What could not be decoded or belongs to no known device, kept with the reason (invariant nothing-dropped)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from store import dialect
from store.database import Transaction
from store.tables import quarantine

_COLUMNS = ("received_at", "topic", "payload", "retain", "reason", "sentence")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """A message that was set aside."""

    received_at: datetime
    topic: str
    payload: bytes
    retain: bool
    #: A word for the counter, e.g. `unknown_device`, `malformed_json`.
    reason: str
    #: A sentence for a person.
    sentence: str


async def add(tx: Transaction, messages: Sequence[Quarantined]) -> None:
    """Set messages aside. Texts that a database cannot hold are made such that it can: here is the last resort."""
    rows = (
        (one.received_at, _storable(one.topic), one.payload, one.retain, _storable(one.reason), _storable(one.sentence))
        for one in messages
    )
    await dialect.insert(tx, quarantine, _COLUMNS, rows)


async def listing(tx: Transaction, limit: int) -> list[Quarantined]:
    """Give the latest, newest first."""
    columns = (quarantine.c[name] for name in _COLUMNS)
    rows = await tx.execute(
        sa.select(*columns).order_by(quarantine.c.received_at.desc(), quarantine.c.id.desc()).limit(limit)
    )
    return [Quarantined(**row) for row in rows.mappings()]


async def counts(tx: Transaction) -> dict[str, int]:
    """Count what is kept by reason."""
    rows = await tx.execute(sa.select(quarantine.c.reason, sa.func.count()).group_by(quarantine.c.reason))
    return {row[0]: row[1] for row in rows}


async def prune(tx: Transaction, before: datetime, *, limit: int = 20_000) -> int:
    """Forget messages received before a time, the oldest first, at most `limit` at once; return how many went."""
    return await dialect.prune(tx, quarantine, quarantine.c.received_at, before, limit=limit)


def _storable(text: str) -> str:
    """Take out what PostgreSQL (NUL) or UTF-8 (half a surrogate pair) has no place for."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
