"""What would happen if nobody answered: the real machine, played through in a moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rules import machine
from rules.decisions import Decision, DeliveryState, DueKind, Finding, JournalEntry, NewDelivery, Paged, Purpose, SetDue
from rules.incident import Snapshot
from rules.rulebook import Rule

#: A reply code of the usual length.
SAMPLE_CODE = "K7"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPage:
    """One message that would go out."""

    #: Seconds after the finding.
    at_offset_s: float
    #: The person's name.
    recipient: str
    channel: str
    address: str
    text: str
    #: The step's key, e.g. `r0s1`.
    step: str
    speech: str = ""
    #: INFORM for those who are told without being asked.
    purpose: Purpose = Purpose.PAGE


def timeline(snapshot: Snapshot, finding: Finding, rule: Rule, at: datetime) -> list[PlannedPage]:
    """Say who would be told what, when, by the first round of the policy; `at` is the aware UTC time of the finding."""
    return rehearse(snapshot, finding, rule, at)[0]


def rehearse(
    snapshot: Snapshot, finding: Finding, rule: Rule, at: datetime
) -> tuple[list[PlannedPage], list[JournalEntry]]:
    """Play the first round through with everything sent and nobody answering; the journal tells why."""
    decision = machine.open_incident(
        finding, rule=rule, snapshot=snapshot, incident_id="rehearsal", code=SAMPLE_CODE, now=at
    )
    now = at
    pages: list[PlannedPage] = []
    journal: list[JournalEntry] = []
    paged: list[Paged] = []
    while True:
        journal += decision.journal
        pages += [_planned(delivery, (now - at).total_seconds()) for delivery in decision.deliveries]
        paged += _sent(decision.deliveries, after=len(paged))
        incident = decision.incident
        if not incident.verified or incident.step >= len(snapshot.policy.steps):
            return pages, journal
        now = _next(decision)
        decision = machine.step_due(incident, due_at=now, paged=paged, now=now)


def _planned(delivery: NewDelivery, at_offset_s: float) -> PlannedPage:
    return PlannedPage(
        at_offset_s=at_offset_s,
        recipient=delivery.recipient_name,
        channel=delivery.channel,
        address=delivery.address,
        text=delivery.text,
        step=delivery.step_key,
        speech=delivery.speech,
        purpose=delivery.purpose,
    )


def _sent(deliveries: Sequence[NewDelivery], *, after: int) -> list[Paged]:
    return [
        Paged(
            delivery_id=number,
            step_key=delivery.step_key,
            recipient_id=delivery.recipient_id,
            recipient_name=delivery.recipient_name,
            channel=delivery.channel,
            address=delivery.address,
            purpose=delivery.purpose,
            state=DeliveryState.SENT,
        )
        for number, delivery in enumerate(deliveries, start=after + 1)
    ]


def _next(decision: Decision) -> datetime:
    """When the next step is due; an unanswered incident always has one (invariant never-silent)."""
    return next(one.due_at for one in decision.due if isinstance(one, SetDue) and one.kind is DueKind.STEP)
