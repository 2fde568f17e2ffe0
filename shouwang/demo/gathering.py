"""Evidence: what was seen at the wire, in the database and in the ledger, brought together for the promises."""

from rules.decisions import Delivery, Purpose
from shouwang.demo.promises import Evidence, Outcome, Sent
from shouwang.demo.stage import Stage
from store import outbox, quarantine


async def gather(stage: Stage, evidence: Evidence, *, began: float = 0.0) -> None:
    """Fill in everything as it is now. `began` is the real (monotonic) time of the story's alarm, 0 where none was."""
    await stage.rest()
    accepted = [one for one in stage.twilio.requests if one.accepted]
    deliveries = await _deliveries(stage)
    evidence.sent = [
        Sent(
            resource=one.resource,
            to=one.to,
            step=_step(deliveries.get(one.sid or "")),
            body=one.params.get("Body", ""),
            at=one.at,
        )
        for one in accepted
    ]
    texts = [one for one in accepted if one.resource == "messages" and one.arrived >= began]
    calls = [one for one in accepted if one.resource == "calls" and one.arrived >= began]
    if began and texts:
        evidence.first_text_s = texts[0].arrived - began
    if texts and calls:
        evidence.call_after_s = (calls[0].at - texts[0].at).total_seconds()
    pages = {
        one.sid: one.at
        for one in accepted
        if (delivery := deliveries.get(one.sid or "")) is not None and delivery.purpose is Purpose.PAGE
    }
    evidence.incidents = [
        Outcome(
            code=incident.code,
            is_open=incident.is_open,
            outcome=str(incident.outcome) if incident.outcome else None,
            outcome_by=incident.outcome_by,
            answered_at=incident.answered_at,
            pages=tuple(at for sid, at in pages.items() if deliveries[sid or ""].incident_id == incident.id),
        )
        for incident in stage.incidents
    ]
    ledger = stage.ledger
    evidence.published, evidence.committed = ledger.published, ledger.committed
    evidence.outstanding, evidence.acknowledged = ledger.outstanding, ledger.acknowledged
    async with stage.database.read() as tx:
        evidence.quarantined = await quarantine.counts(tx)
    evidence.repairs, evidence.errors = stage.repairs, list(stage.errors)


async def _deliveries(stage: Stage) -> dict[str, Delivery]:
    """Every delivery that the provider has given an id, by that id."""
    async with stage.database.read() as tx:
        each = [await outbox.of_incident(tx, incident.id) for incident in stage.incidents]
    return {one.provider_id: one for deliveries in each for one in deliveries if one.provider_id}


def _step(delivery: Delivery | None) -> str:
    if delivery is None:
        return ""
    who = f"{delivery.recipient_id}/{delivery.channel}/{delivery.address}"
    return f"{delivery.incident_id}/{delivery.step_key}/{who}"
