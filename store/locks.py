"""Locks that a transaction holds until its end.

Order, for whoever takes several: homes first, then incidents. SQLite has one writer, and needs none of this.
"""

from collections.abc import Iterable
from hashlib import blake2b

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from store import dialect
from store.database import Transaction

_GIVEN = (
    sa.func.unnest(sa.bindparam("keys", type_=postgresql.ARRAY(sa.BigInteger)))
    .table_valued("key", name="given")
    .render_derived()
)
_TAKE = sa.select(sa.func.count(sa.func.pg_advisory_xact_lock(_GIVEN.c.key)))


async def homes(tx: Transaction, home_ids: Iterable[str]) -> None:
    """Let no other process decide about these homes until this transaction ends.

    Two processes that hear of the same home at the same moment would otherwise both see what was before, and both open
    an incident; one of them would be refused by the database and have to begin again.
    """
    if dialect.is_sqlite(tx):
        return
    keys = {int.from_bytes(blake2b(one.encode(), digest_size=8).digest(), signed=True) for one in home_ids}
    await tx.execute(_TAKE, {"keys": sorted(keys)})
