"""When a page does not arrive: the person's next contact method at once, else the next step at once."""

from collections.abc import Sequence
from datetime import datetime

from rules import escalation
from rules.community import ContactMethod
from rules.decisions import Decision, Paged, Purpose
from rules.draft import Draft
from rules.incident import Incident, IncidentState


def delivery_failed(
    incident: Incident, delivery: Paged, *, reason: str, paged: Sequence[Paged], now: datetime
) -> Decision:
    """Move on from a message that will not arrive; where somebody has answered, it is only journalled."""
    draft = Draft(incident, now, paged)
    draft.note("delivery_failed", "provider", {**_which(delivery), "reason": reason})
    _move_on(draft, delivery, elsewhere=False)
    return draft.decision()


def delivery_in_doubt(incident: Incident, delivery: Paged, *, paged: Sequence[Paged], now: datetime) -> Decision:
    """Try the person another way beside a message of which nobody knows whether it left.

    The message itself is never written again (invariant one-page). Asking a second time changes nothing.
    """
    draft = Draft(incident, now, paged)
    if _move_on(draft, delivery, elsewhere=True):
        draft.note("delivery_in_doubt", "provider", _which(delivery))
    return draft.decision()


def _move_on(draft: Draft, delivery: Paged, *, elsewhere: bool) -> bool:
    """Try the next method, or the next step; False where there was nothing to do."""
    incident = draft.incident
    key = f"fb:{delivery.delivery_id}"
    if not _still_needed(incident, delivery, draft.paged) or any(row.step_key == key for row in draft.paged):
        return False
    recipient = escalation.whoever(draft, delivery.recipient_id)
    method = _next_method(draft, delivery, elsewhere=elsewhere)
    if recipient and method:
        if delivery.purpose is Purpose.PAGE:
            sent = escalation.page_by(draft, recipient, method, step_key=key)
        else:
            sent = escalation.realert_by(draft, recipient, method, step_key=key)
        if sent:
            draft.note("fell_back", "clock", {"name": recipient.name, "to": recipient.id, "channel": method.channel})
        return sent
    latest = f"r{incident.round}s{incident.step - 1}"
    between = incident.step >= len(draft.snapshot.policy.steps)
    if delivery.purpose is not Purpose.PAGE or escalation.origin(delivery, draft.paged) != latest or between:
        # Either a later step has fired since, or the round is over and the next one has its time.
        return False
    draft.note("stepped_on", "clock", {"name": delivery.recipient_name, "to": delivery.recipient_id})
    escalation.hurry(draft)
    return True


def _still_needed(incident: Incident, delivery: Paged, paged: Sequence[Paged]) -> bool:
    """A page is needed until somebody answers; news of an alarm that came back, until the incident is closed."""
    if delivery.recipient_id in incident.declined:
        return False
    if delivery.purpose is Purpose.PAGE:
        return incident.state is IncidentState.OPEN
    return incident.is_open and escalation.origin(delivery, paged).startswith("re")


def _next_method(draft: Draft, delivery: Paged, *, elsewhere: bool) -> ContactMethod | None:
    """The person's first contact method by which they were not told in this go; by another channel if it can be."""
    recipient = escalation.whoever(draft, delivery.recipient_id)
    if recipient is None:
        return None
    go = escalation.round_of(escalation.origin(delivery, draft.paged))
    used = {(delivery.channel, delivery.address)} | {
        (row.channel, row.address)
        for row in draft.paged
        if row.recipient_id == delivery.recipient_id and escalation.round_of(escalation.origin(row, draft.paged)) == go
    }
    left = [method for method in recipient.methods if (method.channel, method.address) not in used]
    if elsewhere:
        left.sort(key=lambda method: method.channel == delivery.channel)
    return left[0] if left else None


def _which(delivery: Paged) -> dict[str, str]:
    return {
        "name": delivery.recipient_name,
        "to": delivery.recipient_id,
        "channel": delivery.channel,
        "step": delivery.step_key,
    }
