"""What a channel is: the code that hands one message to one provider, and what it may say of the outcome.

A provider's refusal is a value here, never an exception. Four outcomes have to be told apart, and the difference
between "it never left" and "it may have left" decides whether somebody is told twice or not at all.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from rules.decisions import Delivery


class SendOutcome(StrEnum):
    """What became of one try."""

    #: The provider has taken it and said so.
    ACCEPTED = "accepted"
    #: It surely did not leave, or the provider surely did not take it; a later try is safe.
    RETRY = "retry"
    #: The provider will never take it as it is; another contact method is next.
    PERMANENT = "permanent"
    #: A request may have reached the provider, and nobody knows what became of it.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class SendResult:
    """The outcome of one try. `error` is a sentence for people, with phone numbers and tokens masked."""

    outcome: SendOutcome
    #: The provider's id of what it took.
    provider_id: str | None = None
    #: The provider's first word on it, e.g. `queued`.
    status: str | None = None
    error: str | None = None
    #: Seconds the provider asked us to wait before the next try.
    retry_after_s: float | None = None
    #: Of PERMANENT: the refusal is about our account there, not about the message, so another provider may take it.
    account_refused: bool = False
    #: We say so ourselves; the provider was not asked, and it says nothing about it.
    ours: bool = False

    @property
    def speaks_against(self) -> bool | None:
        """Whether it speaks against the provider; None where the provider was not asked."""
        if self.ours:
            return None
        return self.account_refused or self.outcome in {SendOutcome.RETRY, SendOutcome.UNKNOWN}


class DoubtOutcome(StrEnum):
    """What the provider says when it is asked about a try whose outcome is unknown."""

    #: It has the message.
    FOUND = "found"
    #: It does not list it. Its listing may lag, so whoever hears this must also look at how long ago the try was.
    ABSENT = "absent"
    #: It could not be asked now, or cannot be asked at all.
    CANNOT_ASK = "cannot_ask"


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtResult:
    """The provider's answer to a doubt."""

    outcome: DoubtOutcome
    provider_id: str | None = None
    #: The status it lists the message with, e.g. `delivered` or `failed`.
    status: str | None = None
    error: str | None = None


class StatusMeaning(StrEnum):
    """What a provider's status means for a delivery."""

    #: The provider has it, and nothing more is known.
    WAITING = "waiting"
    #: It is on its way to the phone: handed to the carrier, ringing, being listened to.
    SENT = "sent"
    #: The phone has it, or the call was answered and heard.
    DELIVERED = "delivered"
    #: It will not arrive.
    FAILED = "failed"


class Channel(Protocol):
    """Hands messages to one provider."""

    @property
    def name(self) -> str:
        """The name deliveries carry, e.g. `sms`."""
        ...

    async def send(self, delivery: Delivery) -> SendResult:
        """Make one try. Never repeats it by itself, and does not raise for what a provider or a network may do."""
        ...


@runtime_checkable
class Asks(Protocol):
    """A channel whose provider can be asked what became of a try."""

    async def ask(self, delivery: Delivery) -> DoubtResult:
        """Look for a delivery at the provider. Sends nothing."""
        ...
