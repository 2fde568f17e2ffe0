"""Replies that were handled, and addresses whose owner wants no more messages."""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from store import dialect
from store.database import Transaction
from store.prepared import once
from store.tables import opted_out as stopped
from store.tables import replies

_OPTED_OUT = once(sa.select(stopped.c.address).where(stopped.c.address == sa.bindparam("whose")))
_COLUMNS = ("provider_id", "sender", "text", "received_at", "verdict", "answer")


async def earlier_answer(tx: Transaction, provider_id: str) -> str | None:
    """Give what was answered to a reply that has come before; None where it is new."""
    answer: str | None = await tx.scalar(sa.select(replies.c.answer).where(replies.c.provider_id == provider_id))
    return answer


async def record(
    tx: Transaction, *, provider_id: str, sender: str, text: str, received_at: datetime, verdict: str, answer: str
) -> bool:
    """Note that a reply was handled, and what was answered; False where it was noted before."""
    row = (provider_id, sender, text.replace("\0", ""), received_at, verdict, answer)
    return bool(await dialect.insert_new(tx, replies, _COLUMNS, [row]))


async def answers_since(
    tx: Transaction, sender: str, since: datetime, *, verdicts: Collection[str] | None = None
) -> int:
    """Count the replies of a sender that got an answer since a time; with `verdicts` only those that came to one."""
    counted = sa.select(sa.func.count()).where(
        replies.c.sender == sender, replies.c.received_at >= since, replies.c.answer != ""
    )
    if verdicts is not None:
        counted = counted.where(replies.c.verdict.in_(sorted(verdicts)))
    return await tx.scalar(counted) or 0


async def prune(tx: Transaction, before: datetime) -> int:
    """Forget replies received before a time; return how many went."""
    return (await tx.execute(sa.delete(replies).where(replies.c.received_at < before))).rowcount


async def opt_out(tx: Transaction, address: str, now: datetime) -> None:
    """Note that the owner of an address said STOP."""
    await dialect.insert_new(tx, stopped, ("address", "since"), [(address, now)])


async def opt_in(tx: Transaction, address: str) -> None:
    """Note that the owner of an address said START."""
    await tx.execute(sa.delete(stopped).where(stopped.c.address == address))


async def opted_out(tx: Transaction, address: str) -> bool:
    """Say whether the owner of an address wants no more messages."""
    return await tx.scalar(_OPTED_OUT, {"whose": address}) is not None
