"""The entries of rules.yaml as people write them, and the values of rules.rulebook they become."""

import re
from itertools import pairwise
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from rules.plans import is_place
from rules.readings import KINDS, UNKNOWN
from rules.rulebook import (
    Absent,
    Condition,
    GatewayOffline,
    Offline,
    Plan,
    Policy,
    Rule,
    Severity,
    StateIs,
    Step,
    Threshold,
    Untested,
    Unwatched,
)
from shouwang.config.entries import Entry
from shouwang.config.problems import one_of
from shouwang.config.scalars import Duration, Id, OneOf, OneOrMany, PositiveDuration, Text, Window, sentence
from shouwang.config.vocabulary import ACTIVITY, CHANNELS, MEASURED, NUMBERS, PLACES, STATES

Kind = Annotated[str, OneOf(KINDS)]
ActivityKind = Annotated[str, OneOf(ACTIVITY)]
Channel = Annotated[str, OneOf(CHANNELS)]

#: The SMS has room for so many characters of a plan's `first`.
LONGEST_FIRST: Final = 20
_PLACE: Final = re.compile(r"\{([^{}]*)\}")

_EITHER_BOUND: Final[dict[str, Any]] = {"oneOf": [{"required": ["below"]}, {"required": ["above"]}]}

ANSWER_WITHIN_S: Final = 60
ARRIVE_WITHIN_S: Final = 5 * 60
OUTCOME_WITHIN_S: Final = 30 * 60
REPEAT_EVERY_S: Final = 15 * 60


class StateWhen(Entry):
    """A kind of fact is in a state."""

    kind: Kind
    """Of what."""
    state: Text
    """In which state."""
    hold: Duration = Field(default=0, alias="for")
    """How long it must have stayed so; at once where nothing is said."""
    between: Window | None = None
    """Only within this window of the day, in the community's time zone."""

    @model_validator(mode="after")
    def _state_of_the_kind(self) -> "StateWhen":
        if self.kind in NUMBERS:
            message = f"{self.kind} is a number and has no states; ask whether it is below or above something"
            raise sentence(message, "state")
        states = STATES.get(self.kind)
        if states is not None and self.state != UNKNOWN and self.state not in states:
            raise sentence(f"{self.kind} is never '{self.state}'; {one_of(self.state, states | {UNKNOWN})}", "state")
        return self


class ThresholdWhen(Entry):
    """A number is below or above a bound."""

    model_config = ConfigDict(json_schema_extra=_EITHER_BOUND)

    kind: Kind
    """Of what."""
    below: float | None = None
    """The number is smaller than this."""
    above: float | None = None
    """The number is greater than this."""
    hold: Duration = Field(default=0, alias="for")
    """How long it must have stayed so; at once where nothing is said."""
    between: Window | None = None
    """Only within this window of the day, in the community's time zone."""

    @model_validator(mode="after")
    def _one_bound(self) -> "ThresholdWhen":
        if self.kind not in MEASURED:
            raise sentence(f"{self.kind} is no number; ask for a state instead", "kind")
        if (self.below is None) == (self.above is None):
            raise sentence("a threshold has either `below` or `above`, and not both")
        return self


class AbsentWhen(Entry):
    """No activity of a kind in a home, although its sensors are alive."""

    absent: ActivityKind
    """The kind of activity that is missing."""
    hold: PositiveDuration = Field(alias="for")
    """For how long."""


class OfflineWhen(Entry):
    """A device has missed its heartbeats (three of them) or its gateway says that it is offline; or a gateway is."""

    offline: Literal["device", "gateway"]
    """`device`; or `gateway`, which is one incident however many devices are behind it."""
    hold: Duration = Field(default=0, alias="for")
    """Some more time of grace; for a gateway, how long it must have been off."""


class UnwatchedWhen(Entry):
    """A home of which a sensor gives no sign of life, for whatever reason."""

    unwatched: Literal["home"]
    """Always `home`."""
    hold: PositiveDuration = Field(alias="for")
    """For how long."""


class UntestedWhen(Entry):
    """A home of which a device has not passed a test (`shouwang commission`) of late."""

    untested: Literal["home"]
    """Always `home`."""
    hold: PositiveDuration = Field(alias="for")
    """How long a test is good; monthly is usual."""


class ClearEntry(Entry):
    """Beyond which bound a threshold is over again, so that it does not flutter."""

    model_config = ConfigDict(json_schema_extra=_EITHER_BOUND)

    above: float | None = None
    """For a rule with `below`: over as soon as the number is greater than this."""
    below: float | None = None
    """For a rule with `above`: over as soon as the number is smaller than this."""

    @model_validator(mode="after")
    def _one_bound(self) -> "ClearEntry":
        if (self.below is None) == (self.above is None):
            raise sentence("`clear` has either `below` or `above`, and not both")
        return self


#: Tags are in brackets so that they are never taken for keys of the file.
def _form(value: Any) -> str | None:
    if not isinstance(value, dict):
        return None
    if "absent" in value:
        return "(absent)"
    if "offline" in value:
        return "(offline)"
    if "unwatched" in value:
        return "(unwatched)"
    if "untested" in value:
        return "(untested)"
    if "below" in value or "above" in value:
        return "(threshold)"
    return "(state)"


When = Annotated[
    Annotated[StateWhen, Tag("(state)")]
    | Annotated[ThresholdWhen, Tag("(threshold)")]
    | Annotated[AbsentWhen, Tag("(absent)")]
    | Annotated[OfflineWhen, Tag("(offline)")]
    | Annotated[UnwatchedWhen, Tag("(unwatched)")]
    | Annotated[UntestedWhen, Tag("(untested)")],
    Discriminator(_form),
]


class RuleEntry(Entry):
    """What to look for, how bad it is, what to do and whom to tell."""

    id: Id
    """Unique among all rules."""
    title: Text
    """A few words for what is wrong; they stand in every message."""
    when: When
    """What to look for."""
    clear: ClearEntry | None = None
    """For a threshold: beyond which bound it is over again; the same bound where nothing is said."""
    unless: list[Literal["away"]] = Field(default_factory=list)
    """When the rule rests: `away`, while the residents are known to be elsewhere."""
    severity: Severity
    """How bad it is."""
    plan: Id
    """The name of the response plan."""
    policy: Id
    """The name of the escalation policy."""
    group: Id | None = None
    """Findings of one group in one home join one incident; the policy's name where nothing is said."""

    @model_validator(mode="after")
    def _clear_on_the_right_side(self) -> "RuleEntry":
        if self.clear is None:
            return self
        if not isinstance(self.when, ThresholdWhen):
            message = "`clear` belongs to a rule with `below` or `above`; this one is over when its cause is"
            raise sentence(message, "clear")
        below, above = self.when.below, self.when.above
        if below is not None and (self.clear.above is None or self.clear.above < below):
            message = f"a rule with `below: {below:g}` clears above that, such as `clear: {{above: {below:g}}}`"
            raise sentence(message, "clear")
        if above is not None and (self.clear.below is None or self.clear.below > above):
            message = f"a rule with `above: {above:g}` clears below that, such as `clear: {{below: {above:g}}}`"
            raise sentence(message, "clear")
        return self

    def _condition(self) -> Condition:
        when = self.when
        if isinstance(when, StateWhen):
            return StateIs(kind=when.kind, state=when.state, hold_s=when.hold, between=when.between)
        if isinstance(when, ThresholdWhen):
            return Threshold(
                kind=when.kind,
                below=when.below,
                above=when.above,
                clear_above=None if self.clear is None else self.clear.above,
                clear_below=None if self.clear is None else self.clear.below,
                hold_s=when.hold,
                between=when.between,
            )
        if isinstance(when, AbsentWhen):
            return Absent(kind=when.absent, hold_s=when.hold)
        if isinstance(when, UnwatchedWhen):
            return Unwatched(hold_s=when.hold)
        if isinstance(when, UntestedWhen):
            return Untested(hold_s=when.hold)
        return Offline(hold_s=when.hold) if when.offline == "device" else GatewayOffline(hold_s=when.hold)

    def value(self) -> Rule:
        """The rule it describes."""
        return Rule(
            id=self.id,
            title=self.title,
            when=self._condition(),
            severity=self.severity,
            plan=self.plan,
            policy=self.policy,
            unless=tuple(self.unless),
            group=self.group or self.policy,
        )


def _known_places(text: Any) -> Any:
    for place in _PLACE.findall(text) if isinstance(text, str) else ():
        if not is_place(place):
            # A made-up name stands for all those that homes may give their hazards.
            raise sentence(f"'{{{place}}}' cannot be filled in; {one_of(place, PLACES)}")
    return text


PlanText = Annotated[Text, BeforeValidator(_known_places)]


class PlanEntry(Entry):
    """What to do, step by step."""

    first: Annotated[str, Field(min_length=1, max_length=LONGEST_FIRST), BeforeValidator(_known_places)]
    """The few words that go into the SMS."""
    steps: Annotated[list[PlanText], Field(min_length=1)]
    """The steps. Filled in for the home: {address}, {access}, {hazards.<name>}, {resident.name}, {resident.phone}, \
{resident.notes}, {contact.name}, {contact.phone}."""

    def value(self, name: str) -> Plan:
        """The plan it describes."""
        return Plan(id=name, first=self.first, steps=tuple(self.steps))


class StepEntry(Entry):
    """Who is told, how, and how long after the alarm."""

    after: Duration
    """How long after the round began."""
    to: Annotated[list[Id], Field(min_length=1), OneOrMany()]
    """One or a list of: assigned, backup, general, desk, contacts, or a worker's id."""
    by: Annotated[list[Channel], Field(min_length=1), OneOrMany()]
    """One channel or a list of them, all at the same time."""

    def value(self) -> Step:
        """The step it describes."""
        return Step(after_s=self.after, to=tuple(self.to), by=tuple(self.by))


class RepeatEntry(Entry):
    """How the steps begin again."""

    every: PositiveDuration = REPEAT_EVERY_S
    """A new round begins this long after the last step."""
    until: Literal["answered"] = "answered"
    """Always `answered`."""


class PolicyEntry(Entry):
    """Who is told when, until somebody answers."""

    answer_within: PositiveDuration = ANSWER_WITHIN_S
    """In which time somebody should answer."""
    arrive_within: PositiveDuration = ARRIVE_WITHIN_S
    """In which time whoever answered should be there; after that the escalation goes on."""
    outcome_within: PositiveDuration = OUTCOME_WITHIN_S
    """In which time whoever arrived should say how it ended; after that they are reminded."""
    steps: Annotated[list[StepEntry], Field(min_length=1)]
    """The steps, in the order of their times."""
    repeat: RepeatEntry = RepeatEntry()
    """How the steps begin again."""

    @model_validator(mode="after")
    def _in_order(self) -> "PolicyEntry":
        for number, (one, following) in enumerate(pairwise(self.steps), start=1):
            if following.after < one.after:
                raise sentence(
                    "this step comes before the one above it; put them in the order of time", "steps", number
                )
        return self

    def value(self, name: str) -> Policy:
        """The policy it describes."""
        return Policy(
            id=name,
            answer_within_s=self.answer_within,
            arrive_within_s=self.arrive_within,
            outcome_within_s=self.outcome_within,
            steps=tuple(step.value() for step in self.steps),
            repeat_every_s=self.repeat.every,
        )


class RulesFile(Entry):
    """rules.yaml: what counts, what to do, who is told when."""

    version: Literal[1]
    """The version of the format: 1."""
    rules: list[RuleEntry] = Field(default_factory=list)
    """What to look for."""
    plans: dict[Id, PlanEntry] = Field(default_factory=dict)
    """What to do, by name."""
    policies: dict[Id, PolicyEntry] = Field(default_factory=dict)
    """Who is told when, by name."""
