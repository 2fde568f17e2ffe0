"""The security journal: what looks as if somebody meant harm, or could do some; of each kind and subject one line."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from store import dialect
from store.database import Transaction
from store.tables import security_journal

_COLUMNS = ("kind", "source", "subject", "first_at", "last_at", "count", "detail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of it."""

    #: A word: `wrong_home`, `wrong_source`, `flood`, `too_large`.
    kind: str
    source: str
    #: A topic, or a device's name in its source.
    subject: str
    first_at: datetime
    last_at: datetime
    count: int = 1
    #: The latest, in a sentence.
    detail: str = ""


async def note(tx: Transaction, entries: Iterable[Entry]) -> None:
    """Write entries down; those of a kind, source and subject that are there already count on."""
    counts: Counter[tuple[str, str, str]] = Counter()
    latest: dict[tuple[str, str, str], Entry] = {}
    for one in entries:
        key = (one.kind, one.source, one.subject)
        counts[key] += one.count
        latest[key] = one
    table = security_journal
    for key, one in sorted(latest.items()):
        there = sa.update(table).where(table.c.kind == key[0], table.c.source == key[1], table.c.subject == key[2])
        changed = there.values(last_at=one.last_at, count=table.c.count + counts[key], detail=one.detail)
        if not (await tx.execute(changed)).rowcount:
            row = (*key, one.first_at, one.last_at, counts[key], one.detail)
            await dialect.insert_new(tx, table, _COLUMNS, [row])


async def listing(tx: Transaction, limit: int = 1_000) -> list[Entry]:
    """Give the entries, the one that was added to last first."""
    columns = (security_journal.c[name] for name in _COLUMNS)
    rows = await tx.execute(sa.select(*columns).order_by(security_journal.c.last_at.desc()).limit(limit))
    return [Entry(**row) for row in rows.mappings()]


async def prune(tx: Transaction, before: datetime) -> int:
    """Forget what has not been added to since a time; return how many lines went."""
    return (await tx.execute(sa.delete(security_journal).where(security_journal.c.last_at < before))).rowcount
