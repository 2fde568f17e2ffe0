"""The table of states and verbs: every pair, through the machine that uses it."""

import itertools
from dataclasses import replace
from typing import Any

import pytest

from rules import machine
from rules.decisions import Decision, FindingEvent
from rules.incident import TRANSITIONS, Incident, IncidentState, OutcomeKind, Verb
from rules.rulebook import Severity

S, V = IncidentState, Verb

#: What each verb leads to in the states open, acknowledged, on_scene, resolved; None where it is refused.
EXPECTED: dict[Verb, tuple[IncidentState | None, ...]] = {
    V.ACKNOWLEDGE: (S.ACKNOWLEDGED, S.ACKNOWLEDGED, None, None),
    V.ARRIVE: (S.ON_SCENE, S.ON_SCENE, S.ON_SCENE, None),
    V.OUTCOME: (S.RESOLVED, S.RESOLVED, S.RESOLVED, None),
    V.CANNOT_GO: (S.OPEN, S.OPEN, None, None),
    V.ARRIVAL_OVERDUE: (None, S.OPEN, None, None),
    V.CAUSE_GONE: (S.RESOLVED, S.RESOLVED, S.RESOLVED, None),
    V.VERIFIED: (S.OPEN, S.OPEN, S.ON_SCENE, None),
}

PAIRS = [
    (state, verb, after) for verb, row in EXPECTED.items() for state, after in zip(IncidentState, row, strict=True)
]


def brought_to(village: Any, state: IncidentState, *, severity: Severity = Severity.CRITICAL, **fields: Any) -> Any:
    """An incident brought to a state the way it comes there in life."""
    stage = village.stage(severity=severity, **fields)
    if state is not S.OPEN:
        stage.after(5).act(V.ACKNOWLEDGE)
    if state in {S.ON_SCENE, S.RESOLVED}:
        stage.after(60).act(V.ARRIVE)
    if state is S.RESOLVED:
        stage.after(60).act(V.OUTCOME, outcome=OutcomeKind.REAL)
    assert stage.incident.state is state
    return stage.after(30)


def do(village: Any, state: IncidentState, verb: Verb) -> tuple[Incident, Decision]:
    """Let the verb happen: by whoever answered, by the clock or by the sensor."""
    if verb is V.CAUSE_GONE:
        stage = brought_to(village, state, severity=Severity.NOTICE)
        return stage.incident, stage.hear(event=FindingEvent.CLEARED, standing=0)
    if verb is V.VERIFIED:
        stage = brought_to(village, state, verified=False)
        return stage.incident, stage.hear()
    stage = brought_to(village, state)
    before = stage.incident
    if verb is V.ARRIVAL_OVERDUE:
        return before, machine.arrival_due(before, due_at=stage.now, paged=stage.paged, now=stage.now)
    return before, stage.act(verb, outcome=OutcomeKind.REAL if verb is V.OUTCOME else None)


def test_the_expectations_name_every_pair() -> None:
    assert set(EXPECTED) == set(Verb)
    assert len(PAIRS) == len(IncidentState) * len(Verb)


@pytest.mark.parametrize(("state", "verb", "after"), PAIRS)
def test_the_table(state: IncidentState, verb: Verb, after: IncidentState | None) -> None:
    assert TRANSITIONS.get((state, verb)) is after


@pytest.mark.parametrize(("state", "verb", "after"), PAIRS)
def test_every_pair_through_the_machine(
    village: Any, state: IncidentState, verb: Verb, after: IncidentState | None
) -> None:
    before, decision = do(village, state, verb)
    assert before.state is state
    assert decision.incident.state is (after or state)


@pytest.mark.parametrize(
    ("state", "verb"),
    [(state, verb) for state, verb, after in PAIRS if after is None and verb in {V.ACKNOWLEDGE, V.ARRIVE, V.CANNOT_GO}],
)
def test_a_refused_pair_changes_nothing_and_says_why(village: Any, state: IncidentState, verb: Verb) -> None:
    before, decision = do(village, state, verb)
    assert decision.refusal
    assert decision == Decision(incident=before, refusal=decision.refusal, answer=decision.refusal)
    assert before.code in decision.refusal


@pytest.mark.parametrize(("state", "outcome"), list(itertools.product(S, [None, OutcomeKind.CAUSE_GONE])))
def test_nothing_is_closed_without_an_outcome_of_a_person(
    village: Any, state: IncidentState, outcome: OutcomeKind | None
) -> None:
    stage = brought_to(village, state)
    before = stage.incident
    decision = stage.act(V.OUTCOME, outcome=outcome)
    assert decision.refusal
    assert decision.incident is before


@pytest.mark.parametrize(("state", "verb"), list(itertools.product(S, [V.ARRIVAL_OVERDUE, V.CAUSE_GONE, V.VERIFIED])))
def test_verbs_of_clock_and_sensor_are_not_for_people(village: Any, state: IncidentState, verb: Verb) -> None:
    stage = brought_to(village, state)
    before = stage.incident
    decision = stage.act(verb, outcome=OutcomeKind.REAL)
    assert decision.refusal
    assert decision.incident is before


@pytest.mark.parametrize(("state", "verb"), list(itertools.product(S, V)))
def test_family_never_answers(village: Any, state: IncidentState, verb: Verb) -> None:
    stage = brought_to(village, state)
    before = stage.incident
    relative = replace(village.liming, id="family:yl-1-2-301/0")
    decision = stage.act(verb, relative, outcome=OutcomeKind.REAL)
    assert decision.refusal
    assert decision.incident is before


@pytest.mark.parametrize("state", S)
@pytest.mark.parametrize("event", FindingEvent)
def test_a_resolved_incident_hears_no_more(village: Any, state: IncidentState, event: FindingEvent) -> None:
    stage = brought_to(village, state)
    before = stage.incident
    decision = stage.hear(event=event)
    assert (decision.incident is before) is (state is S.RESOLVED)


@pytest.mark.parametrize(
    ("severity", "kinds", "expected"),
    [
        (Severity.CRITICAL, ("contact",), True),
        (Severity.WARNING, ("contact", "smoke"), True),
        (Severity.NOTICE, ("gas",), True),
        (Severity.HIGH, ("sos",), True),
        (Severity.HIGH, ("fall",), True),
        (Severity.HIGH, ("carbon_monoxide",), True),
        (Severity.HIGH, ("absence",), False),
        (Severity.NOTICE, ("battery", "offline"), False),
    ],
)
def test_life_safety(village: Any, severity: Severity, kinds: tuple[str, ...], expected: bool) -> None:
    """Invariant life-first: what overtakes everything else."""
    incident = replace(village.stage().incident, severity=severity, kinds=kinds)
    assert incident.is_life_safety is expected
