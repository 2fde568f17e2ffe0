"""The incident machine against a simple model of what people may rely on, whatever happens in whatever order."""

from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from rules import sms, texts
from rules.decisions import CancelDue, Decision, DeliveryState, DueKind, FindingEvent, Priority, Purpose, SetDue
from rules.incident import TRANSITIONS, Incident, IncidentState, OutcomeKind, Verb
from rules.readings import LIFE_SAFETY_KINDS
from rules.rulebook import Severity

S, V = IncidentState, Verb

#: Which clock must run in which state: the heart of never-silent.
DUTY = {S.OPEN: DueKind.STEP, S.ACKNOWLEDGED: DueKind.ARRIVAL, S.ON_SCENE: DueKind.OUTCOME}

PEOPLE = st.sampled_from(["liming", "zhaofang", "zhangwei", "desk"])
KINDS = st.sampled_from(["gas", "smoke", "contact", "battery"])
SEVERITIES = st.sampled_from(Severity)
OUTCOMES = st.sampled_from([one for one in OutcomeKind if one is not OutcomeKind.CAUSE_GONE])


class Life(RuleBasedStateMachine):
    """One incident after another in one home. The model: a state, who answers, and who declined."""

    village: Any = None

    def __init__(self) -> None:
        super().__init__()
        self.stage: Any = None
        self.state: IncidentState = S.RESOLVED
        self.answerer: str | None = None
        self.declined: set[str] = set()
        self.keys: set[tuple[str, str, str, str]] = set()
        self.before: Incident | None = None
        self.quiet = False

    # --- what happens -----------------------------------------------------------------------------------------------

    @precondition(lambda self: self.state is S.RESOLVED)
    @rule(kind=KINDS, severity=SEVERITIES, verified=st.booleans(), drill=st.booleans(), fewer=st.integers(0, 4))
    def open(self, kind: str, severity: Severity, *, verified: bool, drill: bool, fewer: int) -> None:
        """In a community of four workers, or fewer, or none."""
        policy = self.village.life_safety if severity is Severity.CRITICAL else self.village.routine
        snapshot = self.village.snapshot(policy=policy, workers=self.village.workers[fewer:])
        self.stage = self.village.stage(kind=kind, severity=severity, verified=verified, drill=drill, snapshot=snapshot)
        self.stage.sent_as = DeliveryState.PENDING
        asked = [one for one in self.stage.last.deliveries if one.purpose is Purpose.PAGE]
        assert bool(asked) is (fewer < len(self.village.workers)), "somebody is asked at once if there is anybody"
        self.state, self.answerer, self.declined, self.keys, self.before = S.OPEN, None, set(), set(), None
        self.check(self.stage.last)

    @precondition(lambda self: self.state is not S.RESOLVED)
    @rule(
        kind=KINDS,
        severity=SEVERITIES,
        event=st.sampled_from(FindingEvent),
        verified=st.booleans(),
        standing=st.integers(0, 2),
        own_policy=st.booleans(),
    )
    def hear(
        self,
        kind: str,
        severity: Severity,
        event: FindingEvent,
        *,
        verified: bool,
        standing: int,
        own_policy: bool,
    ) -> None:
        before = self.remember()
        policy = self.village.life_safety if own_policy else None
        decision = self.stage.hear(kind, event, verified=verified, standing=standing, severity=severity, policy=policy)
        if event is FindingEvent.CLEARED and standing == 0 and before.severity is Severity.NOTICE:
            self.state = S.RESOLVED
        elif event is FindingEvent.RAISED and verified and not before.verified:
            self.state = TRANSITIONS[before.state, V.VERIFIED]
            self.answerer = None if self.state is S.OPEN else self.answerer
        if event is FindingEvent.REPEATED:
            assert decision.deliveries == ()
        self.check(decision)

    @rule(who=PEOPLE, verb=st.sampled_from(V), outcome=OUTCOMES, via=st.sampled_from(["sms", "voice", "cli"]))
    @precondition(lambda self: self.stage is not None)
    def act(self, who: str, verb: Verb, outcome: OutcomeKind, via: str) -> None:
        before = self.remember()
        person = getattr(self.village, who)
        decision: Decision = self.stage.act(verb, person, outcome=outcome, via=via)
        allowed = (before.state, verb) in TRANSITIONS and verb in {V.ACKNOWLEDGE, V.ARRIVE, V.OUTCOME, V.CANNOT_GO}
        assert (decision.refusal is None) is allowed
        assert decision.answer
        if not allowed:
            assert decision == Decision(incident=before, refusal=decision.refusal, answer=decision.answer)
            return
        self.follow(verb, person.id)
        if before.state is S.OPEN and verb in {V.ACKNOWLEDGE, V.ARRIVE}:
            # Quiet after the answer: taken back and not added to, in the same decision.
            assert any(Purpose.PAGE in cancel.purposes for cancel in decision.cancel)
            assert CancelDue(kind=DueKind.STEP, subject=before.id) in decision.due
            assert all(one.purpose is not Purpose.PAGE for one in decision.deliveries)
        self.check(decision)

    def follow(self, verb: Verb, person_id: str) -> None:
        """What the verb means, in the fewest words."""
        if verb is V.OUTCOME:
            self.state = S.RESOLVED
        elif verb is V.ARRIVE:
            if self.state is not S.ON_SCENE:
                self.answerer = person_id
            self.state = S.ON_SCENE
            self.declined.discard(person_id) if self.answerer == person_id else None
        elif verb is V.ACKNOWLEDGE and self.state is S.OPEN:
            self.state, self.answerer = S.ACKNOWLEDGED, person_id
            self.declined.discard(person_id)
        elif verb is V.CANNOT_GO:
            self.declined.add(person_id)
            if self.answerer == person_id:
                self.state, self.answerer = S.OPEN, None

    @precondition(lambda self: self.state is not S.RESOLVED)
    @rule(late=st.sampled_from([0, 0, 0, 5, 11, 60, 400, 100_000]))
    def timer(self, late: int) -> None:
        """The soonest timer fires: at its time, or after the service was down."""
        before = self.remember()
        kind, at = min(self.stage.due.items(), key=lambda item: item[1])
        self.stage.now = max(self.stage.now, at + timedelta(seconds=late))
        decision = self.stage.tick()
        if kind is DueKind.ARRIVAL:
            self.state, self.answerer = S.OPEN, None
        pages = [one for one in decision.deliveries if one.purpose is Purpose.PAGE]
        rounds = {one.step_key.split("s")[0] for one in pages if one.step_key.startswith("r")}
        assert len(rounds) <= 2, "missed rounds are not made up for"
        assert all(one.late_s == 0 or one.late_s > 10 for one in pages)
        if kind is DueKind.STEP and late > 10 and before.verified:
            assert all(one.late_s for one in decision.deliveries if one.step_key == f"r{before.round}s{before.step}")
        self.check(decision)

    @precondition(lambda self: self.state is not S.RESOLVED)
    @rule(seconds=st.integers(0, 50))
    def wait(self, seconds: int) -> None:
        """Time passes, but not beyond what is due: that is for the timer."""
        soonest = min(self.stage.due.values())
        self.stage.now = max(self.stage.now, min(soonest, self.stage.now + timedelta(seconds=seconds)))

    @precondition(lambda self: self.stage is not None)
    @rule(data=st.data(), state=st.sampled_from([DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.SENDING]))
    def leave(self, data: Any, state: DeliveryState) -> None:
        """A message leaves."""
        waiting = [row for row in self.stage.rows if row.state is DeliveryState.PENDING]
        if waiting:
            data.draw(st.sampled_from(waiting)).state = state

    @precondition(lambda self: self.state is not S.RESOLVED and self.stage.rows)
    @rule(data=st.data(), fails=st.booleans())
    def lose(self, data: Any, *, fails: bool) -> None:
        """A message fails, or nobody knows what became of it; receipts come as often as they like."""
        before = self.remember()
        row = data.draw(st.sampled_from(self.stage.rows))
        if row.state is DeliveryState.CANCELLED:
            return
        decision = self.stage.fail(row) if fails else self.stage.doubt(row)
        others = [one for one in decision.deliveries if one.recipient_id != row.delivery.recipient_id]
        assert others == [], "it moves on by another way to the same person, or by a step that is due"
        assert all(
            (one.channel, one.address) != (row.delivery.channel, row.delivery.address) for one in decision.deliveries
        )
        if before.state is not S.OPEN:
            assert all(one.purpose is Purpose.INFORM for one in decision.deliveries)
        self.check(decision)

    # --- what must hold ---------------------------------------------------------------------------------------------

    def remember(self) -> Incident:
        self.before = self.stage.incident
        return self.before

    def check(self, decision: Decision) -> None:
        """What holds of every decision."""
        incident, before = decision.incident, self.before
        if before is not None and incident is not before:
            assert incident.version == before.version + 1
        if before is not None and before.version == incident.version:
            assert decision.journal == decision.due == decision.deliveries == decision.cancel == ()
        for one in decision.deliveries:
            key = (one.step_key, one.recipient_id, one.channel, one.address)
            assert key not in self.keys, "one-page: nobody gets a step twice by one method"
            self.keys.add(key)
            self.check_delivery(one, incident)
        # The service writes what is set before what is cancelled; nothing may be both.
        kinds = [change.kind for change in decision.due]
        assert len(kinds) == len(set(kinds))
        for entry in decision.journal:
            assert "?" not in texts.render_journal(entry, "zh")

    def check_delivery(self, one: Any, incident: Incident) -> None:
        life = incident.severity is Severity.CRITICAL or bool(LIFE_SAFETY_KINDS & set(incident.kinds))
        assert one.priority in (
            {Priority.LIFE_SAFETY_PAGE, Priority.LIFE_SAFETY_INFORM} if life else {Priority.PAGE, Priority.INFORM}
        )
        if one.purpose is Purpose.PAGE:
            assert one.priority in {Priority.LIFE_SAFETY_PAGE, Priority.PAGE}
            assert not one.recipient_id.startswith("family:")
            assert incident.is_open
        if one.channel == "sms":
            assert sms.units(one.text) <= sms.LIMIT
        assert one.code in one.text
        assert bool(one.speech) is (one.channel == "voice")
        assert one.drill is incident.drill
        assert one.expires_at > self.stage.now
        if not incident.verified and one.purpose is Purpose.PAGE:
            assert one.step_key.startswith(("desk:", "fb:")), "stale-does-not-page"

    @invariant()
    def never_silent(self) -> None:
        """Open: a step is due; acknowledged: the arrival; on the scene: the outcome; resolved: nothing at all."""
        if self.stage is None:
            return
        expected = set() if self.state is S.RESOLVED else {DUTY[self.state]}
        assert set(self.stage.due) == expected

    @invariant()
    def the_model_agrees(self) -> None:
        if self.stage is None:
            return
        incident = self.stage.incident
        assert incident.state is self.state
        if self.state is not S.RESOLVED:
            assert incident.answered_by == self.answerer
            assert (incident.answered_at is not None) is (self.answerer is not None)
        # Those who declined are asked again only after a round that found nobody else.
        assert set(incident.declined) <= self.declined
        self.declined &= set(incident.declined)
        assert (incident.outcome is not None) is (self.state is S.RESOLVED) is (incident.resolved_at is not None)

    @invariant()
    def quiet_after_answer(self) -> None:
        """While somebody answers, and when it is over, no page waits to leave."""
        if self.stage is None or self.state is S.OPEN:
            return
        waiting = [row for row in self.stage.rows if row.state is DeliveryState.PENDING]
        assert all(row.delivery.purpose is not Purpose.PAGE for row in waiting)

    @invariant()
    def snapshot_stands(self) -> None:
        """Home and people never change; plan and policy only with a more severe finding."""
        if self.stage is None or self.before is None:
            return
        old, new = self.before, self.stage.incident
        assert new.snapshot.home is old.snapshot.home
        assert new.snapshot.responsibility is old.snapshot.responsibility
        if new.severity is old.severity:
            assert new.snapshot is old.snapshot
        assert new.severity.rank >= old.severity.rank
        assert (new.id, new.code, new.group) == (old.id, old.code, old.group)

    @invariant()
    def timers_are_of_this_incident(self) -> None:
        if self.stage is not None and self.stage.last is not None:
            assert all(
                change.subject == self.stage.incident.id
                for change in self.stage.last.due
                if isinstance(change, SetDue | CancelDue)
            )


def test_the_machine_against_the_model(village: Any) -> None:
    """Invariants never-silent, one-page, quiet-after-answer, stale-does-not-page, life-first and snapshot."""
    Life.village = village
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=200,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
