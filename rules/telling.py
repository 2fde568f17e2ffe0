"""Telling people how an incident goes on: each once, by one text channel, and never by waking them with a call."""

from collections.abc import Collection, Iterable

from rules import wording
from rules.assignment import Recipient
from rules.community import ContactMethod
from rules.decisions import DeliveryState, Paged, Purpose
from rules.draft import Draft
from rules.escalation import whoever

#: A delivery in one of these states has reached its person, or may have.
_LEFT = frozenset({DeliveryState.SENDING, DeliveryState.UNKNOWN, DeliveryState.SENT, DeliveryState.DELIVERED})


def tell_reached(
    draft: Draft, what: str, *, but: Collection[str | None] = (), tail: str = "tail.code", **values: str
) -> None:
    """Tell everybody whom the incident has reached so far, by the first text channel that reached them."""
    tell(draft, _reached(draft.paged), what, but=but, tail=tail, **values)


def tell_desk(draft: Draft, what: str, *, but: Collection[str | None] = (), **values: str) -> None:
    """Tell the desk, whether it was paged or not."""
    tell(draft, draft.assign(("desk",), declined=True).people, what, but=but, **values)


def tell_answerer(draft: Draft, what: str, *, tail: str = "tail.code", **values: str) -> None:
    """Tell whoever answered; where the desk answered under a name of its own, the desk."""
    person_id = draft.incident.answered_by
    if person_id is None:
        return
    answerer = whoever(draft, person_id)
    people = (answerer,) if answerer else draft.assign(("desk",), declined=True).people
    tell(draft, people, what, tail=tail, **values)


def tell(
    draft: Draft,
    people: Iterable[Recipient],
    what: str,
    *,
    but: Collection[str | None] = (),
    tail: str = "tail.code",
    **values: str,
) -> None:
    """Send one message each, by the person's first text channel; whoever has none is not called for it."""
    told = []
    for one in people:
        method = _text_method(one)
        if one.id in but or method is None:
            continue
        message = wording.news(draft.incident, what, tail=tail if one.asked else "tail.code", **values)
        step_key = f"inform:{what}:{draft.serial}"
        if draft.deliver(one, method, message, step_key=step_key, purpose=Purpose.INFORM, alarm=False):
            told.append(one.name)
    if told:
        draft.note("informed", "clock", {"what": what, "names": told})


def _text_method(recipient: Recipient) -> ContactMethod | None:
    return next((method for method in recipient.methods if method.channel not in wording.SPOKEN), None)


def _reached(paged: Iterable[Paged]) -> list[Recipient]:
    """Everybody whom something has left for, with the channels by which it did."""
    people: dict[str, list[Paged]] = {}
    for row in paged:
        # What family have not been sent yet will still go out, unlike a page, which is cancelled with an answer.
        waits = row.state is DeliveryState.PENDING and row.purpose is Purpose.INFORM
        if (row.state in _LEFT or waits) and row.purpose is not Purpose.ANSWER:
            people.setdefault(row.recipient_id, []).append(row)
    return [
        Recipient(
            id=person_id,
            name=rows[0].recipient_name,
            methods=tuple(dict.fromkeys(ContactMethod(channel=row.channel, address=row.address) for row in rows)),
            asked=any(row.purpose is Purpose.PAGE for row in rows),
            target="",
        )
        for person_id, rows in people.items()
    ]
