"""What has left lately, and who waits their turn: pacing has no memory but the outbox, so it outlives the process."""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from rules import pace
from rules.decisions import Delivery
from rules.pace import Pacing, Sent
from store.database import Transaction
from store.prepared import once
from store.tables import UtcTime, outbox

_MESSAGE = (outbox.c.channel, outbox.c.address, outbox.c.recipient_id, outbox.c.priority)
#: One row for each message: the first of those that are in it.
_FIRST = sa.or_(outbox.c.bundle.is_(None), outbox.c.bundle == outbox.c.id)
_LATELY = once(
    sa.union_all(
        sa.select(*_MESSAGE, outbox.c.sent_at.label("at")).where(
            outbox.c.sent_at > sa.bindparam("since", type_=UtcTime), _FIRST
        ),
        sa.select(*_MESSAGE, outbox.c.claimed_at.label("at")).where(sa.text("state = 'sending'"), _FIRST),
    )
)


async def in_turn(
    tx: Transaction, messages: list[list[Delivery]], *, pacing: Pacing | None, now: datetime
) -> list[list[Delivery]]:
    """Give the messages that may leave now, and write down for the others when it is their turn.

    Where all of them are life-safety pages nothing is looked up: they never wait (invariant life-first).
    """
    if pacing is None or not any(pace.is_held(those[0]) for those in messages):
        return messages
    rows = await tx.execute(_LATELY, {"since": now - pace.LONGEST})
    turns = pace.turns((those[0] for those in messages), sent=(Sent(*row) for row in rows), pacing=pacing, now=now)
    may_leave = []
    for those, (_, at) in zip(messages, turns, strict=True):
        if at > now:
            await _put_off(tx, (one.id for one in those), at)
        else:
            may_leave.append(those)
    return may_leave


async def _put_off(tx: Transaction, ids: Iterable[int], at: datetime) -> None:
    await tx.execute(sa.update(outbox).where(outbox.c.id.in_(list(ids))).values(next_attempt_at=at))
