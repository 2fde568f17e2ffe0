"""Shouwang's own troubles, as they were last written down: for the next start, and for who asks.

The service keeps them in memory and tells of them without a database; what stands here is a copy of that.
"""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from rules.trouble import Trouble, TroubleKind
from store import dialect
from store.database import Transaction
from store.tables import troubles

_KEY = ("kind", "subject")
_REST = ("detail", "began_at", "seen_at", "stands", "ended_at", "spells", "told", "told_at")


async def save(tx: Transaction, changed: Iterable[Trouble]) -> None:
    """Write troubles down; each takes the place of the one with its key."""
    rows = [(str(one.kind), one.subject, *(getattr(one, name) for name in _REST)) for one in changed]
    await dialect.upsert(tx, troubles, (*_KEY, *_REST), rows, change=_REST)


async def listing(tx: Transaction, *, ended_since: datetime | None = None) -> list[Trouble]:
    """Give those that stand, and those that ended after a time; all of them where none is given. Newest first.

    A kind that this program does not know (a newer one wrote it) is left out.
    """
    chosen = sa.select(*(troubles.c[name] for name in (*_KEY, *_REST))).order_by(
        troubles.c.began_at.desc(), troubles.c.kind, troubles.c.subject
    )
    if ended_since is not None:
        chosen = chosen.where(sa.or_(troubles.c.ended_at.is_(None), troubles.c.ended_at >= ended_since))
    rows = (await tx.execute(chosen)).mappings()
    known = {str(kind) for kind in TroubleKind}
    return [Trouble(**{**row, "kind": TroubleKind(row["kind"])}) for row in rows if row["kind"] in known]


async def prune(tx: Transaction, before: datetime) -> int:
    """Forget those that ended before a time and whose end was told; return how many went."""
    over = sa.delete(troubles).where(troubles.c.ended_at < before, troubles.c.told.is_(False))
    return (await tx.execute(over)).rowcount
