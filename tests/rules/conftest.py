"""A small community for the tests of incidents, and a stage on which decisions take effect as the service lets them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta

import pytest

from rules import machine, plans
from rules.community import (
    ContactMethod,
    FamilyContact,
    Grid,
    GridLevel,
    Home,
    Resident,
    Responsibility,
    Role,
    Worker,
)
from rules.decisions import (
    CancelDue,
    Decision,
    DeliveryState,
    DueKind,
    Finding,
    FindingEvent,
    JournalEntry,
    NewDelivery,
    Paged,
    Purpose,
    SetDue,
)
from rules.incident import Incident, OutcomeKind, Snapshot, Verb
from rules.periods import DailyWindow, Shift
from rules.rulebook import Plan, Policy, Rule, Severity, StateIs, Step

#: 20:00 in Shanghai, a Thursday.
EVENING = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


def by(**addresses: str) -> tuple[ContactMethod, ...]:
    return tuple(ContactMethod(channel=channel, address=address) for channel, address in addresses.items())


class Village:
    """One home, four grids, four workers, a son, and rules of every severity."""

    now = EVENING
    grids: tuple[Grid, ...] = (
        Grid(id="w07", level=GridLevel.MICRO, name="玉林北街1号院", parent="g1"),
        Grid(id="g1", level=GridLevel.GENERAL, name="第一网格", parent="xinsheng"),
        Grid(id="xinsheng", level=GridLevel.COMMUNITY, name="新盛社区", parent="xiaojiahe"),
        Grid(id="xiaojiahe", level=GridLevel.STREET, name="肖家河街道"),
    )
    liming = Worker(
        id="liming",
        name="李明",
        role=Role.MICRO,
        grids=("w07",),
        contact=by(sms="+8613800000001", voice="+8613800000001", apprise="ntfy://ntfy.example.org/liming"),
    )
    zhaofang = Worker(
        id="zhaofang",
        name="赵芳",
        role=Role.MICRO,
        grids=("w08",),
        contact=by(sms="+8613800000002", voice="+8613800000002"),
        backup_for=("liming",),
    )
    zhangwei = Worker(
        id="zhangwei",
        name="张伟",
        role=Role.GENERAL,
        grids=("g1",),
        contact=by(sms="+8613800000003", voice="+8613800000003"),
    )
    desk = Worker(
        id="desk-1",
        name="值守台",
        role=Role.DESK,
        grids=("xinsheng",),
        contact=by(sms="+8613800000004", voice="+8613800000004", console="desk"),
    )
    home = Home(
        id="yl-1-2-301",
        grid="w07",
        address="玉林北街1号院1栋2单元301",
        residents=(Resident(name="王秀英", phone="+8613900000001"),),
        contacts=(
            FamilyContact(name="王强", relation="儿子", phone="+8613900000002", notify=True),
            FamilyContact(name="王芳", relation="女儿", phone="+8613900000003"),
        ),
        access="备用钥匙在门卫室",
        hazards={"gas_valve": "厨房灶台下方"},
    )
    plan = Plan(
        id="gas-leak",
        first="开窗关阀勿开灯",
        steps=("电话告知老人不动电器不点火", "到场先在门外关总阀: {hazards.gas_valve}", "开窗通风后再进入"),
    )
    life_safety = Policy(
        id="life-safety",
        answer_within_s=60,
        arrive_within_s=300,
        outcome_within_s=3600,
        steps=(
            Step(after_s=0, to=("assigned",), by=("sms", "apprise")),
            Step(after_s=60, to=("assigned",), by=("voice",)),
            Step(after_s=120, to=("backup", "general"), by=("sms", "voice")),
            Step(after_s=180, to=("desk", "contacts"), by=("sms", "voice")),
        ),
        repeat_every_s=300,
    )
    routine = Policy(
        id="routine",
        answer_within_s=1800,
        arrive_within_s=7200,
        outcome_within_s=86400,
        steps=(Step(after_s=0, to=("assigned",), by=("sms",)), Step(after_s=1800, to=("desk",), by=("sms",))),
        repeat_every_s=7200,
    )

    @property
    def workers(self) -> tuple[Worker, ...]:
        return (self.liming, self.zhaofang, self.zhangwei, self.desk)

    def rule(self, kind: str = "gas", severity: Severity = Severity.CRITICAL) -> Rule:
        titles = {"gas": "燃气泄漏", "smoke": "烟雾报警", "contact": "夜间门未关", "battery": "电量低"}
        return Rule(
            id=f"{kind}-rule",
            title=titles[kind],
            when=StateIs(kind=kind, state="alarm"),
            severity=severity,
            plan="gas-leak",
            policy="life-safety" if severity is Severity.CRITICAL else "routine",
        )

    def finding(
        self,
        kind: str = "gas",
        event: FindingEvent = FindingEvent.RAISED,
        *,
        verified: bool = True,
        at: datetime | None = None,
    ) -> Finding:
        return Finding(
            event=event,
            rule_id=f"{kind}-rule",
            home_id=self.home.id,
            device_id=f"yl-1-2-301-{kind}",
            kind=kind,
            at=at or self.now,
            reason=f"{kind} {event}",
            verified=verified,
        )

    def snapshot(
        self,
        *,
        policy: Policy | None = None,
        workers: Sequence[Worker] | None = None,
        home: Home | None = None,
        language: str = "zh",
    ) -> Snapshot:
        home = home or self.home
        return Snapshot(
            home=home,
            responsibility=Responsibility(
                grids=self.grids, workers=tuple(workers) if workers is not None else self.workers
            ),
            plan=plans.fill(self.plan, home, language=language),
            policy=policy or self.life_safety,
            time_zone="Asia/Shanghai",
            language=language,
        )

    def on_duty(self, worker: Worker, start: str, end: str, days: str = "0123456") -> Worker:
        window = DailyWindow(start=time.fromisoformat(start), end=time.fromisoformat(end))
        return replace(worker, shifts=(Shift(days=frozenset(map(int, days)), window=window),))

    def stage(
        self,
        *,
        kind: str = "gas",
        severity: Severity = Severity.CRITICAL,
        verified: bool = True,
        drill: bool = False,
        snapshot: Snapshot | None = None,
    ) -> "Stage":
        """Open an incident and hand back the stage it plays on."""
        policy = self.life_safety if severity is Severity.CRITICAL else self.routine
        decision = machine.open_incident(
            self.finding(kind, verified=verified),
            rule=self.rule(kind, severity),
            snapshot=snapshot or self.snapshot(policy=policy),
            incident_id="i1",
            code="K7",
            now=self.now,
            drill=drill,
        )
        stage = Stage(village=self, incident=decision.incident, now=self.now)
        stage.take(decision)
        return stage


@dataclass
class Row:
    """A row of the outbox."""

    id: int
    delivery: NewDelivery
    state: DeliveryState = DeliveryState.SENT

    @property
    def paged(self) -> Paged:
        one = self.delivery
        return Paged(
            delivery_id=self.id,
            step_key=one.step_key,
            recipient_id=one.recipient_id,
            recipient_name=one.recipient_name,
            channel=one.channel,
            address=one.address,
            purpose=one.purpose,
            state=self.state,
        )


@dataclass
class Stage:
    """One incident with its timers, outbox and journal; each decision takes effect as in one transaction."""

    village: Village
    incident: Incident
    now: datetime
    due: dict[DueKind, datetime] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    journal: list[JournalEntry] = field(default_factory=list)
    last: Decision | None = None
    #: What a message becomes as soon as it is written.
    sent_as: DeliveryState = DeliveryState.SENT

    @property
    def paged(self) -> list[Paged]:
        return [row.paged for row in self.rows]

    def take(self, decision: Decision) -> Decision:
        """Write a decision, in the order in which the service does."""
        self.last = decision
        if decision.refusal is not None:
            return decision
        self.incident = decision.incident
        self.journal += decision.journal
        for change in decision.due:
            if isinstance(change, SetDue):
                self.due[change.kind] = change.due_at
        for change in decision.due:
            if isinstance(change, CancelDue):
                self.due.pop(change.kind, None)
        for cancel in decision.cancel:
            for row in self.rows:
                if row.state is DeliveryState.PENDING and row.delivery.purpose in cancel.purposes:
                    row.state = DeliveryState.CANCELLED
        for delivery in decision.deliveries:
            self.rows.append(Row(id=len(self.rows) + 1, delivery=delivery, state=self.sent_as))
        return decision

    def after(self, seconds: float) -> "Stage":
        """Let time pass; nothing fires by itself."""
        self.now += timedelta(seconds=seconds)
        return self

    def tick(self) -> Decision | None:
        """Let the soonest timer fire that is due, as the service does: the row is taken away first."""
        ready = sorted((at, kind) for kind, at in self.due.items() if at <= self.now)
        if not ready:
            return None
        due_at, kind = ready[0]
        del self.due[kind]
        handle = {
            DueKind.STEP: machine.step_due,
            DueKind.ARRIVAL: machine.arrival_due,
            DueKind.OUTCOME: machine.outcome_due,
        }[kind]
        return self.take(handle(self.incident, due_at=due_at, paged=self.paged, now=self.now))

    def until(self, seconds: float) -> "Stage":
        """Go to that many seconds after the opening, each timer firing at its time."""
        end = self.incident.opened_at + timedelta(seconds=seconds)
        while self.due and min(self.due.values()) <= end:
            self.now = max(self.now, min(self.due.values()))
            self.tick()
        self.now = end
        return self

    def act(
        self,
        verb: Verb,
        who: Worker | None = None,
        *,
        outcome: OutcomeKind | None = None,
        via: str = "sms",
        note: str | None = None,
    ) -> Decision:
        who = who or self.village.liming
        action = machine.Action(verb=verb, by=who.id, by_name=who.name, via=via, outcome=outcome, note=note)
        return self.take(machine.act(self.incident, action, paged=self.paged, now=self.now))

    def hear(
        self, kind: str = "gas", event: FindingEvent = FindingEvent.RAISED, *, verified: bool = True, standing: int = 1
    ) -> Decision:
        """A sensor says something more."""
        finding = self.village.finding(kind, event, verified=verified, at=self.now)
        rule = self.village.rule(kind, self.incident.severity)
        return self.take(
            machine.join(self.incident, finding, rule=rule, standing=standing, paged=self.paged, now=self.now)
        )

    def fail(self, row: Row, reason: str = "30003") -> Decision:
        row.state = DeliveryState.FAILED
        return self.take(
            machine.delivery_failed(self.incident, row.paged, reason=reason, paged=self.paged, now=self.now)
        )

    def doubt(self, row: Row) -> Decision:
        row.state = DeliveryState.UNKNOWN
        return self.take(machine.delivery_in_doubt(self.incident, row.paged, paged=self.paged, now=self.now))

    def row(self, step_key: str, who: Worker, channel: str) -> Row:
        """Find one message."""
        return next(
            row
            for row in self.rows
            if (row.delivery.step_key, row.delivery.recipient_id, row.delivery.channel) == (step_key, who.id, channel)
        )

    @property
    def events(self) -> list[str]:
        return [entry.event for entry in self.journal]

    @property
    def told(self) -> list[tuple[str, str, str, str]]:
        """Whom the last decision tells, by what, under which key and why."""
        assert self.last is not None
        return [(one.recipient_name, one.channel, one.step_key, str(one.purpose)) for one in self.last.deliveries]

    @property
    def pages(self) -> list[tuple[str, str, str]]:
        """Whom the last decision asks to answer, by what, under which key."""
        return [(name, channel, key) for name, channel, key, why in self.told if why == "page"]

    @property
    def informs(self) -> dict[str, str]:
        """Whom the last decision tells how it goes on, and in which words."""
        assert self.last is not None
        return {one.recipient_name: one.text for one in self.last.deliveries if one.purpose is Purpose.INFORM}


@pytest.fixture
def village() -> Village:
    return Village()
