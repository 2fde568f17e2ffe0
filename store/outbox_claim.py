"""Taking deliveries out of the outbox to send them, or to ask about them.

A claim is a row that says who is busy with it, until when, and with which fence: a number that grows with every claim.
Who was slow finds the fence grown, and what they have to say is refused. A lease that ran out is not a failure but a
doubt, for the request may have left; a doubt is asked about, and never simply sent again (invariant one-page).
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from rules import bundle
from rules.bundle import NO_BUNDLING, Bundling
from rules.decisions import Delivery, DeliveryState, JournalEntry, Priority, Purpose
from rules.incident import IncidentState
from rules.pace import Pacing
from store.database import Transaction
from store.incidents import add_journal
from store.outbox_pace import in_turn
from store.outbox_rows import AT_REST, CHOSEN, KEPT_TOGETHER, Attempt, delivery_of, note_attempts
from store.prepared import once
from store.tables import WAITING, UtcTime, incidents, opted_out, outbox

_S = DeliveryState

_LEASE_OVER = "the sender's lease ran out"

#: Says by which provider each of some deliveries is to be sent; asked within the transaction of the claim.
Choose = Callable[[Transaction, Sequence[Delivery]], Awaitable[Mapping[int, str | None]]]

_RAN_OUT = once(
    sa.select(outbox.c.id, outbox.c.incident_id, outbox.c.recipient_name, outbox.c.channel)
    .where(sa.text("state = 'sending'"), outbox.c.lease_until <= sa.bindparam("now", type_=UtcTime))
    .with_for_update(skip_locked=True)
)

#: In the order of the index, which is the order of urgency (invariant life-first).
_WAITING = once(
    CHOSEN.add_columns(
        sa.select(incidents.c.state).where(incidents.c.id == outbox.c.incident_id).scalar_subquery().label("incident"),
        sa.select(incidents.c.declined)
        .where(incidents.c.id == outbox.c.incident_id)
        .scalar_subquery()
        .label("declined"),
        sa.and_(
            outbox.c.channel == sa.literal_column("'sms'"),
            sa.exists().where(opted_out.c.address == outbox.c.address),
        ).label("stopped"),
    )
    .where(sa.text(WAITING), outbox.c.next_attempt_at <= sa.bindparam("now", type_=UtcTime))
    .order_by(outbox.c.priority, outbox.c.next_attempt_at, outbox.c.id)
    .limit(sa.bindparam("most", type_=sa.Integer))
    .with_for_update(skip_locked=True, of=outbox)
)

#: More are not looked for when a message is filled.
_LONGEST_BUNDLE = 60
_FOR_THE_SAME = once(
    _WAITING.where(
        outbox.c.recipient_id == sa.bindparam("whose"),
        outbox.c.channel == sa.bindparam("by"),
        outbox.c.address == sa.bindparam("at"),
        outbox.c.priority == sa.bindparam("rank"),
        sa.text("state = 'pending'"),
    )
)
_FROM_THE_SAME = once(_WAITING.where(outbox.c.bundle == sa.bindparam("first")))
_TO_BE_TAKEN = outbox.c.id == sa.bindparam("which")
_TAKE = {
    _S.SENDING: once(
        sa.update(outbox)
        .where(_TO_BE_TAKEN)
        .values(
            state=str(_S.SENDING),
            fence=outbox.c.fence + 1,
            attempts=outbox.c.attempts + 1,
            next_attempt_at=None,
            owner=sa.bindparam("by"),
            lease_until=sa.bindparam("until"),
            claimed_at=sa.bindparam("now"),
            provider=sa.bindparam("whose"),
            bundle=sa.bindparam("along"),
        )
    ),
    _S.UNKNOWN: once(
        sa.update(outbox).where(_TO_BE_TAKEN).values(fence=outbox.c.fence + 1, next_attempt_at=sa.bindparam("until"))
    ),
}


async def claim(
    tx: Transaction,
    *,
    owner: str,
    now: datetime,
    limit: int,
    lease_s: float,
    channels: Collection[str] | None = None,
    max_priority: Priority | None = None,
    choose: Choose | None = None,
    bundling: Bundling = NO_BUNDLING,
    pacing: Pacing | None = None,
) -> list[Delivery]:
    """Take what is due, most urgent first: pending ones to be sent, unknown ones to be asked about.

    Up to `limit` messages: what waits for the same person by the same way goes along in one (rules/bundle.py), as
    `others` of the first. What `pacing` lets wait is not due any more, but at its turn (rules/pace.py).

    Sets aside on the way: leases that ran out become doubts; what has expired is cancelled, unless it is a life-safety
    page that was never tried; and so is a page whose incident somebody has answered (invariant quiet-after-answer).
    An unknown one stays unknown; only the next question
    about it is put off by the lease, so that one process asks at a time. `channels` restricts to some channels,
    `max_priority` to that priority and those before it. Whom `choose` picks is on record before the request leaves, so
    that a doubt is asked of the right one; without it the provider stays the one that was there.
    """
    await _turn_into_doubts(tx, now)
    until = now + timedelta(seconds=lease_s)
    ripe = _WAITING if channels is None else _WAITING.where(outbox.c.channel.in_(sorted(channels)))
    if max_priority is not None:
        ripe = ripe.where(outbox.c.priority <= int(max_priority))
    taken: list[Delivery] = []
    while len(taken) < limit:
        most = limit - len(taken)
        rows = (await tx.execute(ripe, {"now": now, "most": most})).mappings().all()
        found = _sorted_out(rows, now)
        for reason in ("expired", "answered"):
            await _cancel(tx, found[reason], reason)
        if len(rows) == most:
            # There may be more for the same people.
            found["send"] += await _companions(tx, found["send"], now)
            found["ask"] += await _companions(tx, found["ask"], now)
        together = bundle.messages(found["send"], bundling)[:most]
        together = await in_turn(tx, together, pacing=pacing, now=now)
        chosen = await choose(tx, [those[0] for those in together]) if choose and together else {}
        sending = await _take(tx, together, _S.SENDING, chosen=chosen, by=owner, until=until, now=now)
        asking = await _take(tx, bundle.messages(found["ask"]), _S.UNKNOWN, until=until)
        taken += [bundle.as_one(those) for those in (*sending, *asking)]
        if len(rows) < most:
            break
    return sorted(taken, key=lambda one: (one.priority, one.id))


def _sorted_out(rows: Iterable[Mapping[Any, Any]], now: datetime) -> dict[str, list[Delivery]]:
    found: dict[str, list[Delivery]] = {"send": [], "ask": [], "expired": [], "answered": []}
    for row in rows:
        columns = dict(row)
        incident, declined = columns.pop("incident"), columns.pop("declined") or ()
        delivery = delivery_of(columns)
        # What was under way when they said that they cannot go, and was not taken, does not go out again.
        spared = delivery.purpose is Purpose.PAGE and delivery.recipient_id in declined
        what = _what_to_do(delivery, incident, now)
        found["answered" if what == "send" and spared else what].append(delivery)
    return found


async def _companions(tx: Transaction, found: Sequence[Delivery], now: datetime) -> list[Delivery]:
    """Find what else is due and may go along with some deliveries, or may have left with them."""
    more = {one.id: one for one in found}
    for one in {among: one for one in found if (among := bundle.together(one)) is not None}.values():
        if one.bundle is None:
            values = {"whose": one.recipient_id, "by": one.channel, "at": one.address, "rank": int(one.priority)}
            rows = await tx.execute(_FOR_THE_SAME, {"now": now, "most": _LONGEST_BUNDLE, **values})
        else:
            rows = await tx.execute(_FROM_THE_SAME, {"now": now, "most": _LONGEST_BUNDLE, "first": one.bundle})
        kind = "ask" if one.state is _S.UNKNOWN else "send"
        for other in _sorted_out(rows.mappings(), now)[kind]:
            if bundle.together(other) == bundle.together(one):
                more.setdefault(other.id, other)
    return [one for one in more.values() if one not in found]


def _what_to_do(delivery: Delivery, incident_state: str | None, now: datetime) -> str:
    if delivery.state is _S.UNKNOWN:
        return "ask"
    if delivery.purpose is Purpose.PAGE and incident_state != IncidentState.OPEN:
        return "expired" if delivery.expires_at <= now else "answered"
    # The clock may have jumped, or nothing could leave for that long: while nobody has answered, a life may hang on it.
    untold = delivery.priority is Priority.LIFE_SAFETY_PAGE and not delivery.attempts
    return "expired" if delivery.expires_at <= now and not untold else "send"


async def _turn_into_doubts(tx: Transaction, now: datetime) -> None:
    rows = (await tx.execute(_RAN_OUT, {"now": now})).all()
    if not rows:
        return
    for row in rows:
        doubt = AT_REST | {"next_attempt_at": now, "doubt_since": outbox.c.claimed_at, "bundle": KEPT_TOGETHER}
        await tx.execute(sa.update(outbox).where(outbox.c.id == row.id).values(state=str(_S.UNKNOWN), **doubt))
    await note_attempts(tx, (Attempt(row.id, now, str(_S.UNKNOWN), _LEASE_OVER) for row in rows))
    # Every doubt is in the history of its incident (invariant one-page).
    await add_journal(tx, (_doubted(row, now) for row in rows))


def _doubted(row: Any, now: datetime) -> JournalEntry:
    detail = {"name": row.recipient_name, "channel": row.channel, "reason": _LEASE_OVER}
    return JournalEntry(incident_id=row.incident_id, at=now, event="doubt", actor="clock", detail=detail)


async def _cancel(tx: Transaction, deliveries: Iterable[Delivery], reason: str) -> None:
    ids = [one.id for one in deliveries]
    if ids:
        cancelled = {"state": str(_S.CANCELLED), "error": reason, **AT_REST}
        await tx.execute(sa.update(outbox).where(outbox.c.id.in_(ids)).values(cancelled))


async def _take(
    tx: Transaction,
    messages: Sequence[Sequence[Delivery]],
    state: DeliveryState,
    *,
    chosen: Mapping[int, str | None] | None = None,
    **values: Any,
) -> list[list[Delivery]]:
    """Write a claim for all deliveries of some messages; give them as they are now.

    `chosen`: by which provider each message is to be sent, by the first delivery in it.
    """
    sending = state is _S.SENDING
    taken: list[list[Delivery]] = []
    rows: list[dict[str, Any]] = []
    for those in messages:
        first = those[0]
        now = [
            replace(
                one,
                state=state,
                fence=one.fence + 1,
                attempts=one.attempts + int(sending),
                owner=values.get("by", one.owner),
                provider=one.provider if chosen is None else chosen.get(first.id, first.provider),
                bundle=first.id if sending and len(those) > 1 and one.bundle is None else one.bundle,
            )
            for one in those
        ]
        for one in now:
            row = {"which": one.id, **values}
            rows.append(row | {"whose": one.provider, "along": one.bundle} if sending else row)
        taken.append(now)
    if rows:
        await tx.execute(_TAKE[state], rows)
    return taken
