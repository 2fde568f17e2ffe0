"""What the API shows of an incident.

These models document the views that a Desk gives. They do not check them on their way out, because an incident with an
odd field is still better shown than hidden.
"""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field


class _Described(BaseModel):
    model_config = ConfigDict(extra="allow")


class IncidentView(_Described):
    """An incident. Times are in UTC."""

    id: str
    code: str = Field(description="What a worker repeats in a reply")
    state: str = Field(description="`open`, `acknowledged`, `on_scene` or `resolved`")
    severity: str = Field(description="`notice`, `warning`, `high` or `critical`")
    title: str
    kinds: list[str] = Field(description="Kinds of the findings that have joined, e.g. `gas`, `smoke`")
    home: str = Field(description="Id of the home; it and the people in it are as they were when the incident opened")
    address: str
    grid: str = Field(description="Id of the micro-grid")
    residents: list[str] = Field(description="Names of those who live there")
    verified: bool = Field(description="False while only a stale fact says so; then the desk alone is told")
    drill: bool
    count: int = Field(description="How many findings have joined, repeats counted")
    round: int = Field(description="How many times the policy has begun again")
    step: int = Field(description="The step that fires next")
    opened_at: datetime
    answered_by: str | None = Field(description="Id of whoever said that they are on the way")
    answered_by_name: str | None
    answered_at: datetime | None
    arrived_at: datetime | None
    resolved_at: datetime | None
    outcome: str | None
    outcome_by: str | None
    note: str | None


class JournalView(_Described):
    """One line of the history."""

    at: datetime
    event: str
    actor: str = Field(description="A worker's id, or `sensor`, `clock`, `provider`, `desk`")
    words: str = Field(description="The line in words")


class DeliveryView(_Described):
    """One message to one contact method."""

    id: int
    step: str = Field(description="Which step of which round, e.g. `r0s1`, or why else it was sent")
    to: str = Field(description="Name of the person")
    channel: str
    address: str = Field(description="Masked")
    purpose: str = Field(description="`page`, `inform` or `answer`")
    state: str = Field(description="`pending`, `sending`, `unknown`, `sent`, `delivered`, `failed` or `cancelled`")
    provider: str | None = Field(description="Whom it was handed to last; null before it was")
    provider_status: str | None = Field(description="The provider's latest word on it")
    attempts: int
    late_s: int = Field(description="Seconds by which its step fired late")
    text: str
    error: str | None
    created_at: datetime


class FiguresView(_Described):
    """What became of messages, since a time."""

    to: str | None = Field(None, description="Id of the person; absent where everybody's are added up")
    name: str | None = None
    channel: str
    provider: str | None = Field(description="Whom they were handed to: a group of settings, or the channel itself")
    accepted: int = Field(description="Messages that the provider has taken")
    delivered: int = Field(description="Of those: the provider says that the phone has it, or that the call was heard")
    failed: int = Field(description="Of those: undelivered, busy, no answer")
    unheard: int = Field(description="Of those: nothing more is known")
    refused: int = Field(description="Tries that the provider refused; the message may have gone by another one")
    unanswered: int = Field(description="Tries of which it was not known at first whether the provider had taken them")
    seconds_mean: float | None = Field(description="From the provider having taken it to the phone having it")
    seconds_max: float | None


class DeliveryFigures(_Described):
    """What became of what was sent."""

    since: datetime
    figures: list[FiguresView] = Field(description="By person, channel and provider")
    providers: list[FiguresView] = Field(description="By channel and provider")


class SilentDevice(_Described):
    """A device that gives no sign of life."""

    id: str
    kind: str
    room: str | None
    cause: str = Field(
        description="`silent`: it has missed its heartbeats; `offline`: said so by its gateway; `gateway`: that is off"
        " itself; `service`: we hear nothing; `never_heard`"
    )
    since: datetime | None = Field(description="Until when there was a sign of life; null: never")


class HomeView(_Described):
    """Whether a home is watched over. Its address is masked."""

    id: str
    address: str
    grid: str
    away: bool
    watched: bool = Field(description="Each of its devices gives the signs of life that it has promised")
    unwatched_since: datetime | None = Field(description="null where it is watched over, or nothing of it ever was")
    devices: list[SilentDevice] = Field(description="Those that give no sign of life")
    without_heartbeat: list[str] = Field(
        description="Ids of those that have promised none, so that nobody would notice"
    )


class HomeList(_Described):
    """Homes, by id."""

    homes: list[HomeView]
    next: str | None = Field(description="What to ask for as `after` to go on; null at the end")
    deaf_since: datetime | None = Field(description="Since when the service itself hears nothing; null: it does")


class PlanView(_Described):
    """What to do, filled in for the home."""

    first: str
    steps: list[str]


class IncidentDetail(IncidentView):
    """An incident with everything that happened to it."""

    plan: PlanView
    journal: list[JournalView]
    deliveries: list[DeliveryView]


class IncidentList(BaseModel):
    """Incidents, newest first."""

    incidents: list[IncidentView]


class Acted(BaseModel):
    """What became of a verb."""

    answer: str = Field(description="What to tell the person who asked; may be empty")
    incident: IncidentView | None


class ErrorBody(BaseModel):
    """Why something was refused."""

    code: str = Field(description="For programs, e.g. `not_found`")
    message: str = Field(description="For people: a sentence")


class ErrorAnswer(BaseModel):
    """The form in which every refusal leaves."""

    error: ErrorBody
