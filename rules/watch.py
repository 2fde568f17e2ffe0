"""Rules as the engine holds them, and what evaluating them gives."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rules.conditions import is_event
from rules.decisions import CancelDue, Finding, SetDue, StandingFinding
from rules.periods import held_at
from rules.readings import DeviceState, Reading
from rules.reasons import Reasons
from rules.rulebook import Absent, GatewayOffline, Offline, Rule, StateIs, Threshold, Untested, Unwatched

#: What cannot be judged now, or alarms on although somebody has closed its incident, is looked at again after so long.
LOOK_AGAIN = timedelta(minutes=15)

#: No test takes longer: an alarm that is still a test then may be one that nobody believes (a test bit that is stuck).
LONGEST_TEST = timedelta(minutes=10)

#: What is called `kind` in a finding of which no single fact is the cause.
OFFLINE = "offline"
ABSENCE = "absence"
GATEWAY = "gateway_offline"
UNWATCHED = "unwatched"
UNTESTED = "untested"

#: Findings that stand, by rule and subject (a device's id, or a home's).
Standing = Mapping[tuple[str, str], StandingFinding]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What follows from readings, or from a due time; to be written in one transaction."""

    #: Rows to insert or update. None of them is also in `touched`.
    states: list[DeviceState] = field(default_factory=list)
    #: Rows of which only the last sign of life is newer: device id, kind, time. One entry a row.
    touched: list[tuple[str, str, datetime]] = field(default_factory=list)
    #: Readings that changed what was known, for the history.
    changes: list[Reading] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    #: One entry a kind and subject, so that their order does not matter.
    due: list[SetDue | CancelDue] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A rule on one kind of fact."""

    rule: Rule
    condition: StateIs | Threshold
    #: The state it asks for; None where it asks for a number.
    state: str | None
    hold: timedelta
    #: Each time it is said is news (somebody calls for help), rather than a condition that lasts.
    event: bool
    #: A due time may be set for it.
    may_wait: bool

    @classmethod
    def of(cls, rule: Rule, condition: StateIs | Threshold) -> "Watch":
        """Prepare a rule."""
        state = condition.state if isinstance(condition, StateIs) else None
        event = state is not None and not condition.hold_s and is_event(condition.kind, state)
        return cls(
            rule=rule,
            condition=condition,
            state=state,
            hold=timedelta(seconds=condition.hold_s),
            event=event,
            may_wait=not event and bool(condition.hold_s or condition.between or rule.unless),
        )

    def rests(self, home_id: str, away: Container[str]) -> bool:
        """Say whether it rests because the residents are elsewhere."""
        return "away" in self.rule.unless and home_id in away

    def held_at(self, since: datetime, zone: ZoneInfo) -> datetime | None:
        """Say when what is true since a moment is to be raised; None: never, the window is too short."""
        return held_at(since, self.hold, self.condition.between, zone)

    def look_again(self, now: datetime, zone: ZoneInfo) -> datetime:
        """Say when to look again at what would have been raised now, had it not rested."""
        later = now + LOOK_AGAIN
        if self.condition.between is None:
            return later
        span = self.condition.between.span(later, zone)
        return later if span.start <= later else span.start + self.hold

    def subject(self, device_id: str) -> str:
        """Name its due time."""
        return f"{self.rule.id}/{device_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rulings:
    """The rules of a rulebook, sorted by what they ask about."""

    zone: ZoneInfo
    reasons: Reasons
    #: By kind of fact.
    watches: Mapping[str, Sequence[Watch]]
    #: By kind of activity.
    absent: Mapping[str, Sequence[tuple[Rule, Absent]]]
    offline: Sequence[tuple[Rule, Offline]]
    gateways: Sequence[tuple[Rule, GatewayOffline]] = ()
    unwatched: Sequence[tuple[Rule, Unwatched]] = ()
    untested: Sequence[tuple[Rule, Untested]] = ()
