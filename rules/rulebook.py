"""What rules.yaml says, as values: rules, response plans, escalation policies."""

from dataclasses import dataclass
from enum import StrEnum

from rules.periods import DailyWindow


class Severity(StrEnum):
    """How bad it is; the order of the members is the order of severity, least first."""

    NOTICE = "notice"
    WARNING = "warning"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for the least severe."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class StateIs:
    """A kind of fact is in a state, perhaps for a while, perhaps only within a window of the day."""

    kind: str
    state: str
    #: Seconds it must have stayed true.
    hold_s: int = 0
    between: DailyWindow | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A number is below or above a bound; exactly one of them is set.

    It is cleared beyond a second bound, so that it does not flutter.
    """

    kind: str
    below: float | None = None
    above: float | None = None
    clear_above: float | None = None
    clear_below: float | None = None
    hold_s: int = 0
    between: DailyWindow | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """No activity of a kind in a home for a while, although its sensors are alive."""

    kind: str
    hold_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Offline:
    """A device has missed its heartbeats or is known to be offline."""

    #: Additional seconds of grace after the missed heartbeats.
    hold_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayOffline:
    """A gateway is off, and with it all that can be heard only through it."""

    #: Seconds for which it must have been.
    hold_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Unwatched:
    """A home of which a sensor gives no sign of life, for whatever reason: nobody may call it quiet."""

    #: Seconds for which it must have been so.
    hold_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Untested:
    """A home of which a device has not passed a test of late."""

    #: Seconds for which a test is good.
    hold_s: int


Condition = StateIs | Threshold | Absent | Offline | GatewayOffline | Unwatched | Untested


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What to look for, how bad it is, what to do and whom to tell."""

    id: str
    title: str
    when: Condition
    severity: Severity
    plan: str
    policy: str
    unless: tuple[str, ...] = ()
    #: Findings of one group in one home join one incident; by default the name of the policy.
    group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to do, step by step. Texts may hold places such as {hazards.gas_valve}."""

    id: str
    #: The few words that go into the SMS.
    first: str
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Who is told by which channels, how many seconds after the round began."""

    after_s: int
    #: `assigned`, `backup`, `general`, `desk`, `contacts`, or a worker's id.
    to: tuple[str, ...]
    #: Names of channels.
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """An escalation policy. All times in seconds."""

    id: str
    answer_within_s: int
    arrive_within_s: int
    outcome_within_s: int
    steps: tuple[Step, ...]
    #: A new round begins this long after the last step, until somebody answers.
    repeat_every_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rulebook:
    """All rules, plans and policies of a community, with the zone in which times of day are meant."""

    rules: tuple[Rule, ...]
    plans: dict[str, Plan]
    policies: dict[str, Policy]
    time_zone: str = "Asia/Shanghai"
    language: str = "zh"
