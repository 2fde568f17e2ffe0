"""What a decision consists of. Everything in one decision is written in one transaction."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any

from rules.incident import Incident


class DueKind(StrEnum):
    """What a due time is for. Its subject is named beside each."""

    #: An escalation step of an incident; subject: incident id.
    STEP = "step"
    #: Whoever answered should have arrived; subject: incident id.
    ARRIVAL = "arrival"
    #: Whoever arrived should have given an outcome; subject: incident id.
    OUTCOME = "outcome"
    #: A condition has stayed true long enough; subject: `<rule>/<device>`.
    HOLD = "hold"
    #: No activity in a home; subject: `<rule>/<home>`.
    ABSENCE = "absence"
    #: A device's missed heartbeats; subject: device id.
    OFFLINE = "offline"
    #: A gateway has gone or come back; subject: `<source>/<gateway>`.
    GATEWAY = "gateway"
    #: A home that may have nobody to watch over it; subject: `<rule>/<home>`.
    UNWATCHED = "unwatched"
    UNTESTED = "untested"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetDue:
    """Let something happen at a time; replaces what was due for the same kind and subject."""

    kind: DueKind
    subject: str
    due_at: datetime
    #: Do not replace: what is already due for the same kind and subject stays as it is.
    if_absent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelDue:
    """Let it not happen any more."""

    kind: DueKind
    subject: str


class FindingEvent(StrEnum):
    """What happened to a finding."""

    RAISED = "raised"
    #: It stands, and the sensor said so again.
    REPEATED = "repeated"
    CLEARED = "cleared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a rule says of a home, with the reason in words."""

    event: FindingEvent
    rule_id: str
    home_id: str
    #: None where the finding is about the home as a whole (absence).
    device_id: str | None
    #: The kind of fact, e.g. `gas`; `offline` and `absence` where there is none.
    kind: str
    at: datetime
    reason: str
    #: False where only a retained or cached fact says so.
    verified: bool = True
    #: The broker has handed the message over before, and it may have been taken in then.
    redelivered: bool = False
    #: What it is about where that is neither a device nor the home: a gateway, as `<source>/<gateway>`.
    about: str = ""

    @property
    def subject(self) -> str:
        """What tells it from other findings of its rule."""
        return self.about or self.device_id or self.home_id


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """One line of an incident's history."""

    incident_id: str
    at: datetime
    #: e.g. `opened`, `joined`, `paged`, `acknowledged`, `nobody_on_duty`, `late`; rules/texts.py has each in words.
    event: str
    #: A worker's id, `sensor`, `clock`, `provider`, `desk` …
    actor: str
    detail: dict[str, Any] = field(default_factory=dict)


class Purpose(StrEnum):
    """Why somebody gets a message."""

    #: Asks for an answer.
    PAGE = "page"
    #: Tells somebody who was paged how it goes on.
    INFORM = "inform"
    #: Answers a person's reply.
    ANSWER = "answer"


class Priority(IntEnum):
    """The order in which deliveries leave; smallest first (invariant life-first)."""

    LIFE_SAFETY_PAGE = 0
    PAGE = 1
    LIFE_SAFETY_INFORM = 2
    INFORM = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """What a delivery says, in parts that can stand beside those of others in one message (rules/bundle.py)."""

    #: Marks and title of a page; the news.
    what: str
    place: str
    #: What to do first.
    first: str = ""
    #: The resident of a page; the title, where the news is not of the alarm itself.
    more: str = ""
    language: str = "zh"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDelivery:
    """One message to one contact method, to be written into the outbox.

    (incident_id, step_key, recipient_id, channel, address) is unique there (invariant one-page); a second one with the
    same key is silently not written.
    """

    incident_id: str
    #: `r<round>s<step>`, `re<realert>`, `fb:<delivery id>` for a fall-back, `inform:<what>`, `desk:<n>` …
    step_key: str
    recipient_id: str
    recipient_name: str
    channel: str
    address: str
    purpose: Purpose
    priority: Priority
    text: str
    #: What a voice call says; empty for other channels.
    speech: str = ""
    #: The incident's reply code, so that a doubt can be asked about at the provider.
    code: str
    #: After this time it is no use any more, and is cancelled.
    expires_at: datetime
    #: Seconds by which the step fired late (invariant late-is-said).
    late_s: int = 0
    drill: bool = False
    #: None for one that goes alone.
    brief: Brief | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelUnsent:
    """Cancel the deliveries of an incident that have not left yet (invariant quiet-after-answer)."""

    incident_id: str
    reason: str
    purposes: frozenset[Purpose] = frozenset({Purpose.PAGE})
    #: Only what is for this person; None: for everybody.
    recipient_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The outcome of an incident's machine for one event."""

    incident: Incident
    journal: tuple[JournalEntry, ...] = ()
    due: tuple[SetDue | CancelDue, ...] = ()
    deliveries: tuple[NewDelivery, ...] = ()
    cancel: tuple[CancelUnsent, ...] = ()
    #: Why a verb was refused, in words for the person; None where it was not.
    refusal: str | None = None
    #: What to answer the person whose reply caused this; empty where nobody asked.
    answer: str = ""


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    #: Claimed; a request may be under way. Guarded by owner, fence and lease.
    SENDING = "sending"
    #: A request was made and its outcome is not known; the provider is asked before anything is sent again.
    UNKNOWN = "unknown"
    #: The provider has taken it.
    SENT = "sent"
    #: The provider says the phone has it, or the call was answered.
    DELIVERED = "delivered"
    #: It will not arrive.
    FAILED = "failed"
    #: It was no longer needed before it left.
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paged:
    """Somebody who has been, or is being, paged for an incident: what the machine needs to know of the outbox."""

    delivery_id: int
    step_key: str
    recipient_id: str
    recipient_name: str
    channel: str
    address: str
    purpose: Purpose
    state: DeliveryState


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery(NewDelivery):
    """A row of the outbox, as the dispatcher holds it."""

    id: int
    state: DeliveryState
    created_at: datetime
    attempts: int
    fence: int
    owner: str | None
    doubt_since: datetime | None = None
    provider_id: str | None = None
    provider_status: str | None = None
    error: str | None = None
    #: Which of the channel's providers it was handed to last, or is being handed to: a doubt is asked of that one.
    provider: str | None = None
    #: When the provider had taken it.
    sent_at: datetime | None = None
    #: The first of those it is in one message with, or was when it was last heard of; None where it is alone.
    bundle: int | None = None
    #: Those that are in this message too; each has a row, a fence and a result of its own. Not a column.
    others: "tuple[Delivery, ...]" = ()
    #: It is a text to a number that has said STOP, and must not be sent; not a column, but seen at the claim.
    stopped: bool = False

    @property
    def members(self) -> "tuple[Delivery, ...]":
        """All that is in this message, this one first."""
        return (self, *self.others)


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingFinding:
    """A finding that has been raised and not cleared. A row of table `findings`."""

    rule_id: str
    #: The device's id, the home's where the finding is about the home, or `<source>/<gateway>`.
    subject: str
    home_id: str
    device_id: str | None
    kind: str
    raised_at: datetime
    reason: str
    verified: bool
    incident_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A row of table `due`."""

    kind: DueKind
    subject: str
    due_at: datetime
