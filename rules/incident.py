"""An incident: its states, the verbs that move it, and what it carries from its opening."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rules.community import Home, Responsibility
from rules.readings import LIFE_SAFETY_KINDS
from rules.rulebook import Plan, Policy, Severity


class IncidentState(StrEnum):
    """Where an incident stands. `resolved` is the end; everything else is open."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    ON_SCENE = "on_scene"
    RESOLVED = "resolved"


class Verb(StrEnum):
    """What a person, or a clock, does to an incident."""

    ACKNOWLEDGE = "acknowledge"
    ARRIVE = "arrive"
    OUTCOME = "outcome"
    CANNOT_GO = "cannot_go"
    ARRIVAL_OVERDUE = "arrival_overdue"
    #: The cause of a notice is gone.
    CAUSE_GONE = "cause_gone"
    #: A live alarm says what only a stale fact had said: whoever answered that has not answered this.
    VERIFIED = "verified"


class OutcomeKind(StrEnum):
    """How an incident ended."""

    REAL = "real"
    FALSE_ALARM = "false_alarm"
    TEST = "test"
    NO_ONE_HOME = "no_one_home"
    NOTHING_FOUND = "nothing_found"
    #: A notice whose cause went away by itself; never given by a person.
    CAUSE_GONE = "cause_gone"


_S, _V = IncidentState, Verb

#: What each verb does in each state. A pair that is not here is refused in words.
TRANSITIONS: dict[tuple[IncidentState, Verb], IncidentState] = {
    (_S.OPEN, _V.ACKNOWLEDGE): _S.ACKNOWLEDGED,
    (_S.OPEN, _V.ARRIVE): _S.ON_SCENE,
    (_S.OPEN, _V.OUTCOME): _S.RESOLVED,
    (_S.OPEN, _V.CANNOT_GO): _S.OPEN,
    (_S.OPEN, _V.CAUSE_GONE): _S.RESOLVED,
    (_S.OPEN, _V.VERIFIED): _S.OPEN,
    (_S.ACKNOWLEDGED, _V.ACKNOWLEDGE): _S.ACKNOWLEDGED,
    (_S.ACKNOWLEDGED, _V.ARRIVE): _S.ON_SCENE,
    (_S.ACKNOWLEDGED, _V.OUTCOME): _S.RESOLVED,
    (_S.ACKNOWLEDGED, _V.CANNOT_GO): _S.OPEN,
    (_S.ACKNOWLEDGED, _V.ARRIVAL_OVERDUE): _S.OPEN,
    (_S.ACKNOWLEDGED, _V.CAUSE_GONE): _S.RESOLVED,
    (_S.ACKNOWLEDGED, _V.VERIFIED): _S.OPEN,
    (_S.ON_SCENE, _V.ARRIVE): _S.ON_SCENE,
    (_S.ON_SCENE, _V.OUTCOME): _S.RESOLVED,
    (_S.ON_SCENE, _V.CAUSE_GONE): _S.RESOLVED,
    (_S.ON_SCENE, _V.VERIFIED): _S.ON_SCENE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The home, people, plan and policy an incident was opened with (invariant snapshot)."""

    home: Home
    responsibility: Responsibility
    #: Already filled in for the home.
    plan: Plan
    policy: Policy
    time_zone: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """An ongoing situation in one home. A row of table `incidents`."""

    #: Made by the decision that opens it (a UUID in hex), so that deliveries of the same decision can name it.
    id: str
    #: What a worker repeats in a reply (invariant code-is-unique).
    code: str
    home_id: str
    group: str
    state: IncidentState
    severity: Severity
    #: Words for what is wrong, e.g. `燃气泄漏` or `燃气泄漏+烟雾报警` where several kinds have joined.
    title: str
    #: Kinds of the findings that have joined, e.g. `gas`, `smoke`; decides on life-first.
    kinds: tuple[str, ...]
    opened_at: datetime
    #: False while only a stale fact says so; then the desk alone is told (invariant stale-does-not-page).
    verified: bool = True
    drill: bool = False
    #: How many findings have joined, repeats counted.
    count: int = 1
    #: The step that fires next, and in which round; `step` is len(policy.steps) between two rounds.
    step: int = 0
    round: int = 0
    #: From where the steps of the running round count. Moved back where the next step fires earlier than planned, so
    #: that the steps after it keep their distances. While unverified: when the desk was last paged.
    round_began_at: datetime | None = None
    #: How many times a sensor alarmed again after it had cleared; makes the step keys of re-alerts.
    realerts: int = 0
    #: Ids of people who said they cannot go; not paged again, until a whole round has found nobody else.
    declined: tuple[str, ...] = ()
    answered_by: str | None = None
    answered_by_name: str | None = None
    answered_at: datetime | None = None
    arrived_at: datetime | None = None
    resolved_at: datetime | None = None
    outcome: OutcomeKind | None = None
    outcome_by: str | None = None
    note: str | None = None
    #: Counts every change; writers compare it (compare-and-set).
    version: int = 0
    snapshot: Snapshot

    @property
    def is_open(self) -> bool:
        """Whether it still has a life ahead."""
        return self.state is not IncidentState.RESOLVED

    @property
    def is_life_safety(self) -> bool:
        """Whether it may cost a life within minutes, and so overtakes everything else (invariant life-first)."""
        return self.severity is Severity.CRITICAL or not LIFE_SAFETY_KINDS.isdisjoint(self.kinds)
