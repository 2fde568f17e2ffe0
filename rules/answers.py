"""What people do to an incident: answer, arrive, give an outcome, say that they cannot go."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rules import escalation, telling, wording
from rules.assignment import FAMILY
from rules.decisions import Decision, DueKind, Paged, Purpose
from rules.draft import Draft
from rules.incident import TRANSITIONS, Incident, IncidentState, OutcomeKind, Verb
from rules.texts import render, word


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What somebody does, and by which way it came."""

    verb: Verb
    #: A worker's id, or a name the desk goes by.
    by: str
    by_name: str
    #: `sms`, `voice`, `api`, `cli` or `page`.
    via: str
    #: With the verb OUTCOME, and only there.
    outcome: OutcomeKind | None = None
    note: str | None = None


def act(incident: Incident, action: Action, *, paged: Sequence[Paged], now: datetime) -> Decision:
    """Do it, or refuse it in words; a refusal changes nothing. The answer is for the person, in either case."""
    refused = _refusal(incident, action)
    if refused is not None:
        return Decision(incident=incident, refusal=refused, answer=refused)
    draft = Draft(incident, now, paged)
    return draft.decision(_DOES[action.verb](draft, action))


def resolve(draft: Draft, outcome: OutcomeKind, *, by: str, note: str | None) -> None:
    """End the incident: nothing is due any more, and nothing more goes out but the news of it."""
    draft.cancel_unsent("resolved", Purpose.PAGE, Purpose.INFORM)
    draft.cancel_due(DueKind.STEP, DueKind.ARRIVAL, DueKind.OUTCOME)
    draft.change(
        state=IncidentState.RESOLVED,
        outcome=outcome,
        outcome_by=by,
        resolved_at=draft.now,
        note=note or draft.incident.note,
    )


# --- refusals ---------------------------------------------------------------------------------------------------------


def _refusal(incident: Incident, action: Action) -> str | None:
    language = incident.snapshot.language
    values = {"code": incident.code, "name": incident.answered_by_name or incident.answered_by or ""}
    if action.by.startswith(FAMILY):
        return render("refusal.family", language, **values)
    if action.verb not in _DOES:
        return render("refusal.not_for_people", language, verb=word("verb", action.verb, language), **values)
    if (incident.state, action.verb) not in TRANSITIONS:
        if incident.state is IncidentState.RESOLVED:
            outcome = word("outcome", incident.outcome, language)
            name = _name_of(incident, incident.outcome_by or "")
            return render("refusal.resolved", language, code=incident.code, name=name, outcome=outcome)
        key = "refusal.give_outcome" if action.verb is Verb.CANNOT_GO else "refusal.on_scene"
        return render(key, language, **values)
    if action.verb is Verb.OUTCOME and action.outcome in {None, OutcomeKind.CAUSE_GONE}:
        return render("refusal.no_outcome", language, **values)
    return None


def _name_of(incident: Incident, person_id: str) -> str:
    known = {worker.id: worker.name for worker in incident.snapshot.responsibility.workers}
    if person_id == incident.answered_by and incident.answered_by_name:
        return incident.answered_by_name
    return known.get(person_id, person_id)


# --- what each verb does; each returns the answer for the person ------------------------------------------------------


def _acknowledge(draft: Draft, action: Action) -> str:
    incident = draft.incident
    if incident.state is IncidentState.ACKNOWLEDGED:
        address = draft.snapshot.home.address
        if incident.answered_by == action.by:
            return _say(draft, "answer.acknowledged_already", title=incident.title, address=address)
        answered = incident.answered_by_name or ""
        draft.note("acknowledged_too", action.by, {**_who(action), "answered": answered})
        return _say(draft, "answer.acknowledged_by_other", name=answered, address=address)
    _takes(draft, action, IncidentState.ACKNOWLEDGED)
    draft.note("acknowledged", action.by, _who(action))
    draft.cancel_due(DueKind.STEP)
    draft.set_due(DueKind.ARRIVAL, draft.now + timedelta(seconds=draft.snapshot.policy.arrive_within_s))
    telling.tell_reached(draft, "acknowledged", but={action.by}, name=action.by_name)
    return wording.accepted(draft.incident, spoken=action.via == "voice")


def _arrive(draft: Draft, action: Action) -> str:
    incident = draft.incident
    if incident.state is IncidentState.ON_SCENE:
        if incident.answered_by == action.by:
            return _say(draft, "answer.arrived_already")
        draft.note("arrived_too", action.by, _who(action))
        return _say(draft, "answer.arrived_too", name=incident.answered_by_name or "")
    # Whoever is there is asked for the outcome, even if somebody else had answered.
    answered_at = incident.answered_at
    _takes(draft, action, IncidentState.ON_SCENE)
    draft.change(arrived_at=draft.now, answered_at=answered_at or draft.now)
    draft.note("arrived", action.by, _who(action))
    draft.cancel_due(DueKind.STEP, DueKind.ARRIVAL)
    draft.set_due(DueKind.OUTCOME, draft.now + timedelta(seconds=draft.snapshot.policy.outcome_within_s))
    telling.tell_reached(draft, "arrived", but={action.by}, name=action.by_name)
    return _say(draft, "answer.arrived")


def _cannot_go(draft: Draft, action: Action) -> str:
    incident = draft.incident
    answerer = incident.state is IncidentState.ACKNOWLEDGED and incident.answered_by == action.by
    if action.by in incident.declined and not answerer:
        return _say(draft, "answer.cannot_go_already")
    draft.note("cannot_go", action.by, _who(action))
    if action.by not in incident.declined:
        draft.change(declined=(*incident.declined, action.by))
    # A call that is to be tried again, say, tells them nothing they have not answered.
    draft.cancel_unsent(f"{action.by} cannot go", Purpose.PAGE, recipient_id=action.by)
    if incident.state is IncidentState.ACKNOWLEDGED and not answerer:
        return _say(draft, "answer.cannot_go_other", name=incident.answered_by_name or "")
    if answerer:
        # They were told that somebody is on the way; that is no longer so.
        telling.tell_reached(draft, "cannot_go", but={action.by}, tail="tail.help", name=action.by_name)
        draft.change(state=IncidentState.OPEN, answered_by=None, answered_by_name=None, answered_at=None)
        draft.cancel_due(DueKind.ARRIVAL)
        escalation.resume(draft, action.by)
    else:
        escalation.hurry(draft)
    return _say(draft, "answer.cannot_go")


def _outcome(draft: Draft, action: Action) -> str:
    outcome = action.outcome or OutcomeKind.NOTHING_FOUND
    said = word("outcome", outcome, draft.language)
    draft.note("resolved", action.by, {**_who(action), "outcome": str(outcome), "note": action.note})
    also = {draft.incident.answered_by} - {action.by}
    resolve(draft, outcome, by=action.by, note=action.note)
    telling.tell_reached(draft, "closed", but={action.by}, name=action.by_name, outcome=said)
    told = {one.recipient_id for one in draft.deliveries}
    if also - told - {None}:
        telling.tell_answerer(draft, "closed", name=action.by_name, outcome=said)
    return _say(draft, "answer.closed", outcome=said)


_DOES: dict[Verb, Callable[[Draft, Action], str]] = {
    Verb.ACKNOWLEDGE: _acknowledge,
    Verb.ARRIVE: _arrive,
    Verb.CANNOT_GO: _cannot_go,
    Verb.OUTCOME: _outcome,
}


def _takes(draft: Draft, action: Action, state: IncidentState) -> None:
    """From now on this person answers for it; pages that have not left stay here (invariant quiet-after-answer)."""
    draft.cancel_unsent(f"{state} by {action.by}", Purpose.PAGE)
    draft.change(
        state=state,
        answered_by=action.by,
        answered_by_name=action.by_name,
        answered_at=draft.now,
        declined=tuple(one for one in draft.incident.declined if one != action.by),
    )


def _who(action: Action) -> dict[str, str]:
    return {"name": action.by_name, "via": action.via}


def _say(draft: Draft, key: str, **values: str) -> str:
    return render(key, draft.language, code=draft.incident.code, **values)
