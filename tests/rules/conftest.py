"""A site whose facts go through the engine, and a village whose incidents play on a stage."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from rules import machine, plans
from rules.community import (
    ContactMethod,
    Device,
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
    StandingFinding,
)
from rules.engine import Engine, Evaluation
from rules.incident import Incident, OutcomeKind, Snapshot, Verb
from rules.periods import DailyWindow, Shift
from rules.readings import DeviceState, Freshness, Reading
from rules.rulebook import Plan, Policy, Rule, Rulebook, Severity, StateIs, Step

#: 20:00 in Chengdu.
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

DEVICES = (
    Device(id="gas", home_id="home", kind="gas", source="s", name="gas", room="厨房", heartbeat_s=7200),
    Device(id="door", home_id="home", kind="contact", source="s", name="door", room="入户门", heartbeat_s=90000),
    Device(id="motion", home_id="home", kind="motion", source="s", name="motion", heartbeat_s=7200),
    Device(id="sos", home_id="home", kind="sos", source="s", name="sos"),
    Device(id="gas2", home_id="home2", kind="gas", source="s", name="gas2", heartbeat_s=7200),
)


@dataclass
class Site:
    """Homes under a few rules. Times are given as what has passed since NOON."""

    rules: Sequence[Rule]
    devices: dict[str, Device]
    language: str = "zh"
    zone: str = "Asia/Shanghai"
    now: datetime = NOON
    away: set[str] = field(default_factory=set)
    gateway_offline: bool = False
    states: dict[tuple[str, str], DeviceState] = field(default_factory=dict)
    standing: dict[tuple[str, str], StandingFinding] = field(default_factory=dict)
    due: dict[tuple[DueKind, str], datetime] = field(default_factory=dict)
    changes: list[Reading] = field(default_factory=list)
    evaluation: Evaluation = field(default_factory=Evaluation)

    def __post_init__(self) -> None:
        self.engine = Engine(
            Rulebook(rules=tuple(self.rules), plans={}, policies={}, time_zone=self.zone, language=self.language)
        )

    def reading(
        self, device_id: str, state: str | None = None, *, after: timedelta | None = None, **fields: Any
    ) -> Reading:
        """A fact of the device's own kind unless another is named, at the given time."""
        if after is not None:
            self.now = NOON + after
        kind = fields.pop("kind", None) or self.devices[device_id].kind
        return Reading(device_id, kind, fields.pop("received_at", self.now), state=state, **fields)

    def hear(self, device_id: str, state: str | None = None, **fields: Any) -> list[str]:
        """Let a device say something; return what was found, e.g. `raised gas`, `raised gas?` where unverified."""
        return self.hear_all([self.reading(device_id, state, **fields)])

    def stale(self, device_id: str, state: str | None = None, **fields: Any) -> list[str]:
        """Let the broker tell what it has kept."""
        return self.hear(device_id, state, freshness=Freshness.RETAINED, **fields)

    def hear_all(self, readings: Sequence[Reading]) -> list[str]:
        """Let one batch be evaluated."""
        evaluation = self.engine.evaluate(
            readings, devices=self.devices, states=self.states, standing=self.standing, away=self.away
        )
        return self.write(evaluation)

    def fire(self, *, after: timedelta | None = None) -> list[str]:
        """Let everything that is due by then be handled, oldest first."""
        if after is not None:
            self.now = NOON + after
        found: list[str] = []
        for (kind, subject), due_at in sorted(self.due.items(), key=lambda item: item[1]):
            if due_at <= self.now:
                del self.due[kind, subject]
                evaluation = self.look(kind, subject)
                assert [(change.kind, change.subject) for change in evaluation.due] == [(kind, subject)]
                found += self.write(evaluation)
        return found

    def look(self, kind: DueKind, subject: str, **more: Any) -> Evaluation:
        """Ask the engine about one due time, without writing anything."""
        rule_id, _, name = subject.rpartition("/")
        known = {"states": self.states, "standing": self.standing, "now": self.now, **more}
        if kind is DueKind.HOLD:
            return self.engine.hold_due(rule_id, self.devices[name], away=self.away, **known)
        if kind is DueKind.OFFLINE:
            known.setdefault("gateway_offline", self.gateway_offline)
            return self.engine.offline_due(self.devices[name], **known)
        devices = [device for device in self.devices.values() if device.home_id == name]
        return self.engine.absence_due(rule_id, name, devices=devices, away=self.away, **known)

    def watch(self) -> None:
        """Let the registry's devices be watched."""
        self.write(Evaluation(due=list(self.engine.watch_due(self.devices.values(), self.now))))

    def write(self, evaluation: Evaluation) -> list[str]:
        """Write back what was decided, as one transaction would."""
        self.evaluation = evaluation
        self.states.update({(row.device_id, row.kind): row for row in evaluation.states})
        for device_id, kind, at in evaluation.touched:
            self.states[device_id, kind] = self.states[device_id, kind]._replace(last_seen=at)
        self.changes += evaluation.changes
        for change in evaluation.due:
            key = (change.kind, change.subject)
            match change:
                case CancelDue():
                    self.due.pop(key, None)
                case SetDue(if_absent=True):
                    self.due.setdefault(key, change.due_at)
                case SetDue():
                    self.due[key] = change.due_at
        for finding in evaluation.findings:
            self._note(finding)
        return [said(finding) for finding in evaluation.findings]

    def resolve(self) -> None:
        """Let every incident be resolved: what stands goes on standing, without one."""
        for key, finding in self.standing.items():
            self.standing[key] = _detached(finding)

    def _note(self, finding: Finding) -> None:
        key = (finding.rule_id, finding.device_id or finding.home_id)
        if finding.event is FindingEvent.RAISED:
            self.standing[key] = StandingFinding(
                rule_id=finding.rule_id,
                subject=key[1],
                home_id=finding.home_id,
                device_id=finding.device_id,
                kind=finding.kind,
                raised_at=finding.at,
                reason=finding.reason,
                verified=finding.verified,
                incident_id="an incident",
            )
        elif finding.event is FindingEvent.CLEARED:
            del self.standing[key]


def said(finding: Finding) -> str:
    """A finding in short."""
    return f"{finding.event} {finding.rule_id}{'' if finding.verified else '?'}"


def _detached(finding: StandingFinding) -> StandingFinding:
    values = {name: getattr(finding, name) for name in finding.__slots__}
    return StandingFinding(**{**values, "incident_id": None})


@pytest.fixture(scope="session")
def make_site() -> Callable[..., Site]:
    """Make a site under some conditions, each a rule named by its key; or under rules as they are."""

    def make(*rules: Rule, unless: tuple[str, ...] = (), devices: Sequence[Device] = DEVICES, **more: Any) -> Site:
        settings = {name: more.pop(name) for name in ("language", "zone") if name in more}
        made = [
            Rule(id=name, title=name, when=when, severity=Severity.WARNING, plan="p", policy="p", unless=unless)
            for name, when in more.items()
        ]
        return Site(rules=[*rules, *made], devices={device.id: device for device in devices}, **settings)

    return make


# --- incidents --------------------------------------------------------------------------------------------------------

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

    def with_steps(self, *steps: Step) -> Snapshot:
        return self.snapshot(policy=replace(self.life_safety, steps=steps))

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
        self,
        kind: str = "gas",
        event: FindingEvent = FindingEvent.RAISED,
        *,
        verified: bool = True,
        standing: int = 1,
        severity: Severity | None = None,
        policy: Policy | None = None,
    ) -> Decision:
        """A sensor says something more, under a rule as severe as the incident unless it is said otherwise."""
        finding = self.village.finding(kind, event, verified=verified, at=self.now)
        rule = self.village.rule(kind, severity or self.incident.severity)
        more = {"paged": self.paged, "now": self.now, "policy": policy}
        return self.take(machine.join(self.incident, finding, rule=rule, standing=standing, **more))

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

    def seconds(self, kind: DueKind) -> float | None:
        """When something is due, in seconds after the opening."""
        at = self.due.get(kind)
        return None if at is None else (at - self.incident.opened_at).total_seconds()

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
