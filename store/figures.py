"""What became of what was sent, by person, channel and provider.

Read off the outbox and the record of tries, which are written in the transaction that settles a delivery or a receipt:
nothing is counted beside them, so that nothing can be counted twice or lost, whenever the process dies.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from rules.decisions import DeliveryState
from store.database import Transaction
from store.tables import attempts, outbox
from store.transaction import SLOW

_S = DeliveryState


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One person by one channel and one provider, since a time. A message that names several homes counts once."""

    recipient_id: str
    recipient_name: str
    channel: str
    #: None where the channel was not set up.
    provider: str | None
    #: Messages that the provider has taken; each is delivered, failed, or nothing more is known of it.
    accepted: int = 0
    delivered: int = 0
    #: Taken, and then not delivered: undelivered, busy, no answer.
    failed: int = 0
    #: Tries that the provider refused; some of these messages went by another one, or later.
    refused: int = 0
    #: Tries that were never answered, or with a word that leaves open whether it was taken.
    unanswered: int = 0
    #: Messages of which it is known when the phone had them, and seconds from the provider having taken them until
    #: then; of a call, until it was over.
    timed: int = 0
    seconds_mean: float | None = None
    seconds_max: float | None = None


_COUNTS = ("accepted", "delivered", "failed", "refused", "unanswered", "timed")
_KEY = ("recipient_id", "channel", "provider")

#: In microseconds, as times are kept.
_TOOK = sa.type_coerce(outbox.c.delivered_at, sa.BigInteger) - sa.type_coerce(outbox.c.sent_at, sa.BigInteger)


#: Which message a delivery was in: that of the provider's id, or what left together, or itself.
_MESSAGE = sa.func.coalesce(
    outbox.c.provider_id,
    sa.literal("bundle ") + sa.cast(outbox.c.bundle, sa.String),
    sa.literal("delivery ") + sa.cast(outbox.c.id, sa.String),
)


def _messages(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.count(sa.distinct(sa.case((condition, _MESSAGE))))


def _tries(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.sum(sa.case((condition, 1), else_=0))


_TAKEN = (
    sa.select(
        outbox.c.recipient_id,
        outbox.c.channel,
        outbox.c.provider,
        sa.func.max(outbox.c.recipient_name).label("recipient_name"),
        sa.func.count(sa.distinct(_MESSAGE)).label("accepted"),
        _messages(outbox.c.state == str(_S.DELIVERED)).label("delivered"),
        _messages(outbox.c.state == str(_S.FAILED)).label("failed"),
        _messages(outbox.c.delivered_at.is_not(None)).label("timed"),
        sa.func.avg(_TOOK).label("mean"),
        sa.func.max(_TOOK).label("longest"),
    )
    .where(outbox.c.sent_at.is_not(None))
    .group_by(outbox.c.recipient_id, outbox.c.channel, outbox.c.provider)
)

_NOT_TAKEN = (
    sa.select(
        outbox.c.recipient_id,
        outbox.c.channel,
        attempts.c.provider,
        sa.func.max(outbox.c.recipient_name).label("recipient_name"),
        _tries(sa.or_(attempts.c.outcome == str(_S.PENDING), attempts.c.outcome == str(_S.FAILED))).label("refused"),
        _tries(attempts.c.outcome == str(_S.UNKNOWN)).label("unanswered"),
    )
    .join(outbox, outbox.c.id == attempts.c.delivery_id)
    # In the words of the index.
    .where(sa.text("attempts.against IS NOT NULL AND attempts.outcome <> 'sent'"))
    .group_by(outbox.c.recipient_id, outbox.c.channel, attempts.c.provider)
)


async def since(tx: Transaction, began: datetime, *, recipient_id: str | None = None) -> list[Figures]:
    """Give what became of what providers took, and did not take, from a time on; by person, channel and provider.

    A message counts at the provider that took it, a try at the one it was made at. With `recipient_id` only of one
    person.
    """
    taken = _TAKEN.where(outbox.c.sent_at >= began)
    refused = _NOT_TAKEN.where(attempts.c.at >= began)
    if recipient_id is not None:
        taken = taken.where(outbox.c.recipient_id == recipient_id)
        refused = refused.where(outbox.c.recipient_id == recipient_id)
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in (await tx.execute(taken.execution_options(**SLOW))).mappings():
        times = {"seconds_mean": _seconds(row["mean"]), "seconds_max": _seconds(row["longest"])}
        found[_key(row)] = {name: row[name] for name in row if name not in {"mean", "longest"}} | times
    for row in (await tx.execute(refused.execution_options(**SLOW))).mappings():
        found[_key(row)] = (
            dict(row) | found.get(_key(row), {}) | {name: row[name] for name in ("refused", "unanswered")}
        )
    rows = (Figures(**values) for values in found.values())
    return sorted(rows, key=lambda one: (one.recipient_name, one.recipient_id, one.channel, one.provider or ""))


def by_provider(figures: Iterable[Figures]) -> list[Figures]:
    """Add up everybody's, by channel and provider; whose they are is empty then."""
    found: dict[tuple[str, str], Figures] = {}
    for one in figures:
        key = (one.channel, one.provider or "")
        nobody = replace(one, recipient_id="", recipient_name="")
        found[key] = _sum(found[key], nobody) if key in found else nobody
    return [found[key] for key in sorted(found)]


def _sum(one: Figures, other: Figures) -> Figures:
    timed = one.timed + other.timed
    seconds = (one.seconds_mean or 0.0) * one.timed + (other.seconds_mean or 0.0) * other.timed
    longest = [each.seconds_max for each in (one, other) if each.seconds_max is not None]
    counts = {name: getattr(one, name) + getattr(other, name) for name in _COUNTS}
    return replace(
        one, **counts, seconds_mean=seconds / timed if timed else None, seconds_max=max(longest, default=None)
    )


def _key(row: Mapping[Any, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in _KEY)


def _seconds(microseconds: Any) -> float | None:
    return None if microseconds is None else float(microseconds) / 1e6
