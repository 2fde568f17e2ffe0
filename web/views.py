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
    provider_status: str | None = Field(description="The provider's latest word on it")
    attempts: int
    late_s: int = Field(description="Seconds by which its step fired late")
    text: str
    error: str | None
    created_at: datetime


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
