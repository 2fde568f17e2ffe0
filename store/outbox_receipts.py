"""The provider's later words on a delivery, and what they make of it."""

from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from rules.decisions import Delivery, DeliveryState
from store import dialect
from store.database import Transaction
from store.outbox_rows import AT_REST, CHOSEN, WITH_ID, Attempt, change, delivery_of, in_one_try_with, note_attempts
from store.prepared import once
from store.tables import outbox, receipts

_S = DeliveryState

_HELD_WITH_ID = once(WITH_ID.with_for_update())

#: From which states a delivery may come into a state by a receipt: only forward, and never out of `delivered`.
_FROM: dict[DeliveryState, frozenset[DeliveryState]] = {
    _S.SENT: frozenset({_S.PENDING, _S.SENDING, _S.UNKNOWN, _S.CANCELLED}),
    _S.DELIVERED: frozenset({_S.PENDING, _S.SENDING, _S.UNKNOWN, _S.SENT, _S.FAILED, _S.CANCELLED}),
    _S.FAILED: frozenset({_S.PENDING, _S.SENDING, _S.UNKNOWN, _S.SENT}),
}


async def receipt(
    tx: Transaction,
    *,
    provider_id: str | None,
    delivery_id: int | None,
    status: str,
    error_code: str | None,
    now: datetime,
    provider: str | None = None,
) -> Delivery | None:
    """Take in a provider's word on a delivery; give the delivery where it is news, with its new provider status.

    The delivery is found by `delivery_id` (it is in the address that the provider calls back), or by the id that the
    provider gave it. A word that has come before, that is about nothing we know, or that comes after the delivery
    arrived, is no news. Any word proves that the provider has the message: what was unknown, or was about to be sent
    again, is `sent` from then on, by `provider` where the caller knows whose word it is: a request that landed late at
    one provider settles also what is under way to another. What the status means is for the caller to say: see
    `set_state`.
    """
    row = (provider_id or f"delivery:{delivery_id}", status, error_code, now)
    if not await dialect.insert_new(tx, receipts, ("provider_id", "status", "error_code", "received_at"), [row]):
        return None
    delivery = await _concerned(tx, provider_id, delivery_id)
    if delivery is None or delivery.state is _S.DELIVERED:
        return None
    if delivery.state is _S.CANCELLED and not delivery.attempts:
        return None
    word = _Word(provider_id, status, error_code, provider)
    return await _heed(tx, delivery, word, now)


async def receipt_of_others(
    tx: Transaction,
    delivery: Delivery,
    *,
    status: str,
    error_code: str | None,
    now: datetime,
) -> list[Delivery]:
    """Take in the same word for what was in one message with a delivery; give those for which it is news.

    `delivery` is what `receipt` gave: the others have left with it, to the same provider, under the same id. What was
    only in an earlier try with it is not meant: a page that is sent again without others does not name them.
    """
    if delivery.bundle is None:
        return []
    together = CHOSEN.where(in_one_try_with(delivery), outbox.c.id != delivery.id).order_by(outbox.c.id)
    rows = await tx.execute(together.with_for_update())
    others = [delivery_of(row) for row in rows.mappings()]
    word = _Word(delivery.provider_id, status, error_code, delivery.provider)
    return [
        await _heed(tx, other, word, now)
        for other in others
        if other.state is not _S.DELIVERED and other.provider_id in {None, delivery.provider_id}
    ]


class _Word(NamedTuple):
    """What a provider says of a message."""

    provider_id: str | None
    status: str
    error_code: str | None
    provider: str | None


async def _heed(tx: Transaction, delivery: Delivery, word: _Word, now: datetime) -> Delivery:
    provider_id, status, error_code, provider = word
    new: dict[str, Any] = {"provider_status": status, "error": error_code or delivery.error}
    if delivery.provider_id is None and provider_id is not None:
        new["provider_id"] = provider_id
    if delivery.state in _FROM[_S.SENT]:
        new |= {"state": str(_S.SENT), "sent_at": now, "provider": provider or delivery.provider, **AT_REST}
        await note_attempts(tx, [Attempt(delivery.id, now, str(_S.SENT), f"the provider reports {status}")])
    await change(tx, delivery.id, new)
    return replace(
        delivery,
        provider_id=delivery.provider_id or provider_id,
        provider_status=status,
        error=new["error"],
        provider=new.get("provider", delivery.provider),
        sent_at=new.get("sent_at", delivery.sent_at),
        state=DeliveryState(new.get("state", delivery.state)),
        owner=None,
        doubt_since=None if "state" in new else delivery.doubt_since,
    )


async def set_state(
    tx: Transaction, delivery_id: int, state: DeliveryState, *, error: str | None = None, at: datetime | None = None
) -> bool:
    """Let a delivery come into a state by the provider's word; False where it has gone beyond it already.

    `at` is when the phone had it, where that is known.
    """
    new: dict[str, Any] = {"state": str(state), **AT_REST}
    if at is not None:
        new["delivered_at"] = at
    if error is not None:
        new["error"] = error
    return await change(tx, delivery_id, new, states=_FROM[state])


async def _concerned(tx: Transaction, provider_id: str | None, delivery_id: int | None) -> Delivery | None:
    if delivery_id is not None:
        rows = await tx.execute(_HELD_WITH_ID, {"which": delivery_id})
    else:
        rows = await tx.execute(CHOSEN.where(outbox.c.provider_id == provider_id).with_for_update())
    row = rows.mappings().first()
    if row is None:
        return None
    delivery = delivery_of(row)
    # A second message for one delivery: what becomes of it says nothing about the one that is on record.
    if None not in {delivery.provider_id, provider_id} and delivery.provider_id != provider_id:
        return None
    return delivery
