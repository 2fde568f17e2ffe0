"""The incident machine: what an event does to an incident, as one Decision.

Pure: the incident, what the outbox holds of it, the event and the time go in. Who may do what in which state is the
table in rules/incident.py; who is told what and when is in rules/escalation.py and rules/telling.py.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from rules import escalation, telling
from rules.answers import Action, act, resolve
from rules.decisions import Decision, DueKind, Finding, FindingEvent, Paged
from rules.draft import Draft
from rules.fallback import delivery_failed, delivery_in_doubt
from rules.incident import TRANSITIONS, Incident, IncidentState, OutcomeKind, Snapshot, Verb
from rules.rulebook import Plan, Policy, Rule, Severity
from rules.texts import duration

#: No clock of another machine is so far ahead of ours; what is was written before the clock was set back.
AHEAD = timedelta(seconds=30)

__all__ = [
    "AHEAD",
    "Action",
    "act",
    "arrival_due",
    "delivery_failed",
    "delivery_in_doubt",
    "join",
    "open_incident",
    "outcome_due",
    "repair",
    "step_due",
]


def open_incident(
    finding: Finding,
    *,
    rule: Rule,
    snapshot: Snapshot,
    incident_id: str,
    code: str,
    now: datetime,
    drill: bool = False,
) -> Decision:
    """Open an incident for a finding; the steps of its policy that are due at once are in the same decision.

    Where only a stale fact says so, the desk alone is told (invariant stale-does-not-page).
    """
    incident = Incident(
        id=incident_id,
        code=code,
        home_id=finding.home_id,
        group=rule.group or rule.policy,
        state=IncidentState.OPEN,
        severity=rule.severity,
        title=rule.title,
        kinds=(finding.kind,),
        opened_at=now,
        round_began_at=now,
        verified=finding.verified,
        drill=drill,
        snapshot=snapshot,
    )
    draft = Draft(incident, now, new=True)
    draft.note("opened", "sensor", _about(finding, rule))
    if finding.verified:
        escalation.begin(draft)
    else:
        escalation.begin_with_desk(draft)
    return draft.decision()


def join(
    incident: Incident,
    finding: Finding,
    *,
    rule: Rule,
    standing: int,
    paged: Sequence[Paged],
    now: datetime,
    plan: Plan | None = None,
    policy: Policy | None = None,
) -> Decision:
    """Let a finding of the same home and group be part of an open incident.

    `standing` counts the findings of this incident that stand after this one. `plan` and `policy`, where given, are
    those of the rule, the plan filled in; an incident that the finding makes more severe takes them over.
    """
    draft = Draft(incident, now, paged)
    if not incident.is_open:
        return draft.decision()
    match finding.event:
        case FindingEvent.RAISED if not _known(incident, finding):
            _raised(draft, finding, rule, plan, policy)
        case FindingEvent.RAISED | FindingEvent.REPEATED:
            draft.change(count=incident.count + 1)
            draft.note("repeated", "sensor", {**_about(finding, rule), "count": incident.count + 1})
        case FindingEvent.CLEARED:
            _cleared(draft, finding, rule, standing)
    return draft.decision()


def step_due(
    incident: Incident,
    *,
    due_at: datetime,  # noqa: ARG001 - all timers are called alike; when a step is due the incident knows best itself
    paged: Sequence[Paged],
    now: datetime,
) -> Decision:
    """Fire every step whose time has come, and set the time of the next.

    Steps that were missed within a round all fire, marked late (invariant late-is-said); rounds that were missed are
    not made up for.
    """
    draft = Draft(incident, now, paged)
    if incident.state is not IncidentState.OPEN:
        draft.cancel_due(DueKind.STEP)
        return draft.decision()
    escalation.advance(draft)
    return draft.decision()


def arrival_due(incident: Incident, *, due_at: datetime, paged: Sequence[Paged], now: datetime) -> Decision:
    """Take the incident up again where whoever answered has not arrived: the escalation goes on from where it stood."""
    draft = Draft(incident, now, paged)
    after = TRANSITIONS.get((incident.state, Verb.ARRIVAL_OVERDUE))
    if after is None:
        draft.cancel_due(DueKind.ARRIVAL)
        return draft.decision()
    name = incident.answered_by_name or ""
    within_s = (now - (incident.answered_at or due_at)).total_seconds()
    within = duration(within_s, draft.language)
    draft.note(
        "arrival_overdue", "clock", {"by": incident.answered_by, "name": name, "within": within_s, **_late(due_at, now)}
    )
    # While it still says who answered: that person is asked where they are, everybody else is told not to rely on it.
    answerer = incident.answered_by
    telling.tell_answerer(draft, "arrival_reminder", tail="tail.arrived", within=within)
    telling.tell_desk(draft, "arrival_overdue", but={answerer}, name=name, within=within)
    desk = {one.recipient_id for one in draft.deliveries}
    telling.tell_reached(draft, "arrival_overdue", but={answerer, *desk}, tail="tail.help", name=name, within=within)
    draft.change(state=after, answered_by=None, answered_by_name=None, answered_at=None)
    draft.cancel_due(DueKind.ARRIVAL)
    escalation.resume(draft, answerer)
    return draft.decision()


def outcome_due(incident: Incident, *, due_at: datetime, paged: Sequence[Paged], now: datetime) -> Decision:
    """Remind whoever is on the scene, and the desk, that the incident is closed only with an outcome."""
    draft = Draft(incident, now, paged)
    if incident.state is not IncidentState.ON_SCENE:
        draft.cancel_due(DueKind.OUTCOME)
        return draft.decision()
    name = incident.answered_by_name or ""
    within_s = (now - (incident.arrived_at or due_at)).total_seconds()
    draft.note(
        "outcome_overdue", "clock", {"by": incident.answered_by, "name": name, "within": within_s, **_late(due_at, now)}
    )
    telling.tell_answerer(draft, "outcome_reminder", tail="tail.outcome")
    told = {one.recipient_id for one in draft.deliveries}
    within = duration(within_s, draft.language)
    telling.tell_desk(draft, "outcome_overdue", but=told, name=name, within=within)
    draft.set_due(DueKind.OUTCOME, now + timedelta(seconds=draft.snapshot.policy.outcome_within_s))
    return draft.decision()


def repair(incident: Incident, *, has_next: bool, now: datetime) -> Decision | None:
    """Put back the timer of an open incident that has lost it, for the auditor; None where nothing is amiss.

    What should have happened meanwhile is due now (invariant never-silent). Where times of the incident lie ahead, the
    clock has been set back since, and its timer with them would wait for so much longer: it counts from now.
    """
    times = {name: getattr(incident, name) for name in ("round_began_at", "answered_at", "arrived_at")}
    ahead = {name: now for name, at in times.items() if at is not None and at > now + AHEAD}
    if not incident.is_open or (has_next and not ahead):
        return None
    draft = Draft(incident, now)
    draft.change(**ahead)
    incident = draft.incident
    policy = incident.snapshot.policy
    kind, at = DueKind.STEP, now
    if incident.state is IncidentState.ON_SCENE:
        kind, at = DueKind.OUTCOME, (incident.arrived_at or now) + timedelta(seconds=policy.outcome_within_s)
    elif incident.state is IncidentState.ACKNOWLEDGED and incident.answered_by is not None:
        kind, at = DueKind.ARRIVAL, (incident.answered_at or now) + timedelta(seconds=policy.arrive_within_s)
    else:
        draft.change(state=IncidentState.OPEN)
        at = escalation.next_step_at(incident)
    draft.note("repaired", "auditor", {"due": str(kind), "at": max(at, now).isoformat()})
    draft.set_due(kind, max(at, now))
    return draft.decision()


def _known(incident: Incident, finding: Finding) -> bool:
    """Whether an alarm is one that everybody knows of, in a message that the broker has handed over before.

    It may be a new one: then its incident is open all the same, and somebody is being told or on the way.
    """
    return finding.redelivered and finding.kind in incident.kinds and incident.verified >= finding.verified


def _raised(draft: Draft, finding: Finding, rule: Rule, plan: Plan | None, policy: Policy | None) -> None:
    before = draft.incident
    draft.change(count=before.count + 1)
    draft.note("joined", "sensor", _about(finding, rule))
    if before.verified and not finding.verified:
        # A stale fact beside a live one changes nothing that anybody should be woken for.
        return
    raised = rule.severity.rank > before.severity.rank
    draft.change(
        title=before.title if rule.title in before.title.split("+") else f"{before.title}+{rule.title}",
        kinds=before.kinds if finding.kind in before.kinds else (*before.kinds, finding.kind),
        severity=rule.severity if raised else before.severity,
    )
    if raised:
        draft.note("severity_raised", "sensor", {"before": str(before.severity), "after": str(rule.severity)})
        snapshot = before.snapshot
        draft.change(snapshot=replace(snapshot, plan=plan or snapshot.plan, policy=policy or snapshot.policy))
    if not finding.verified:
        # Worse than what the desk was told of, or than what somebody has set out for.
        if raised and before.state is IncidentState.OPEN:
            escalation.begin_with_desk(draft, round_number=before.round + 1)
        elif raised:
            telling.tell_answerer(draft, "worse")
            _under_its_policy(draft, before)
        return
    if not before.verified:
        _verified(draft)
    elif raised and before.state is IncidentState.OPEN:
        escalation.begin(draft, round_number=before.round + 1)
    else:
        escalation.realert(draft)
        if raised:
            _under_its_policy(draft, before)


def _verified(draft: Draft) -> None:
    """What only the desk knew of is live now: the policy begins, unless somebody is on the scene already."""
    before = draft.incident
    draft.change(verified=True)
    draft.note("verified", "sensor")
    after = TRANSITIONS[before.state, Verb.VERIFIED]
    if after is IncidentState.ON_SCENE:
        escalation.realert(draft)
        return
    if before.state is IncidentState.ACKNOWLEDGED:
        telling.tell_answerer(draft, "verified", tail="tail.help")
        draft.cancel_due(DueKind.ARRIVAL)
        draft.change(state=after, answered_by=None, answered_by_name=None, answered_at=None)
    escalation.begin(draft)


def _under_its_policy(draft: Draft, before: Incident) -> None:
    """Somebody has answered what is now worse: if they do not come in time, the policy begins at its first step.

    Their time to arrive is what either policy gives, whichever is sooner.
    """
    draft.change(round=before.round + 1, step=0, round_began_at=draft.now)
    if before.state is IncidentState.ACKNOWLEDGED:
        had = (before.answered_at or draft.now) + timedelta(seconds=before.snapshot.policy.arrive_within_s)
        has = draft.now + timedelta(seconds=draft.snapshot.policy.arrive_within_s)
        draft.set_due(DueKind.ARRIVAL, max(min(had, has), draft.now))


def _cleared(draft: Draft, finding: Finding, rule: Rule, standing: int) -> None:
    incident = draft.incident
    draft.note("cleared", "sensor", {**_about(finding, rule), "standing": standing})
    if standing == 0 and incident.severity is Severity.NOTICE:
        draft.note("cause_gone", "sensor")
        telling.tell_reached(draft, "cause_gone")
        resolve(draft, OutcomeKind.CAUSE_GONE, by="sensor", note=None)
    elif standing:
        telling.tell_answerer(draft, "cleared_partly", standing=str(standing))
    else:
        telling.tell_answerer(draft, "cleared")


def _about(finding: Finding, rule: Rule) -> dict[str, object]:
    return {
        "rule": rule.id,
        "title": rule.title,
        "kind": finding.kind,
        "device": finding.device_id,
        "reason": finding.reason,
        "verified": finding.verified,
    }


def _late(due_at: datetime, now: datetime) -> dict[str, int]:
    late_s = (now - due_at).total_seconds()
    return {"late_s": int(late_s)} if late_s > escalation.LATE_AFTER_S else {}
