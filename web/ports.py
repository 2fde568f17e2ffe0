"""What the HTTP side asks of the service. `shouwang` implements these; tests bring their own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from rules.incident import OutcomeKind, Verb

#: An incident as JSON-ready values, phones masked; its keys are documented in web/views.py.
View = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActResult:
    """What became of a verb."""

    #: False where no incident goes by that reference.
    found: bool
    #: Why it was refused, in words for the person; None where it was done.
    refused: str | None = None
    #: The incident as it is now.
    incident: View | None = None
    #: What to tell the person who asked, e.g. that somebody else had already answered.
    answer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallScript:
    """What a voice call says, and whether it then waits for a key."""

    speech: str
    #: `zh`, `en`, or a full tag such as `zh-CN`.
    language: str
    #: False: say it and hang up.
    asks: bool


class Desk(Protocol):
    """Incidents, as the people at the desk see and move them."""

    async def incidents(self, *, open_only: bool, limit: int) -> Sequence[View]:
        """Give the newest incidents first, at most `limit` of them, without journal and deliveries."""
        ...

    async def incident(self, reference: str) -> View | None:
        """Give one incident by its id, a unique beginning of its id, or its code; with journal and deliveries."""
        ...

    async def act(
        self,
        reference: str,
        verb: Verb,
        *,
        by: str,
        via: str,
        outcome: OutcomeKind | None = None,
        note: str | None = None,
    ) -> ActResult:
        """Let a person (a worker's id, or a word such as `desk`) do something to an incident."""
        ...

    async def homes(self, *, unwatched_only: bool, limit: int, after: str = "") -> Mapping[str, Any]:
        """Give homes by id with whether they are watched over, those behind the id `after`; see web/views.py."""
        ...

    async def delivery_figures(self, *, days: float) -> Mapping[str, Any]:
        """Give what became of what was sent in the last days, by person, channel and provider; see web/views.py."""
        ...


class Phone(Protocol):
    """What comes back from phones. The provider repeats itself: each call must be harmless when it comes twice."""

    async def sms(self, *, provider_id: str, sender: str, text: str) -> str:
        """Handle a reply, once for each provider id, and give the text to answer with; empty for none."""
        ...

    async def receipt(
        self,
        *,
        delivery_id: int | None,
        provider_id: str,
        status: str,
        error_code: str | None,
        kind: Literal["message", "call"],
        provider: str | None = None,
    ) -> None:
        """Take the provider's later word on a delivery; `provider` is whose word it is, where that is sure."""
        ...

    async def call_script(self, delivery_id: int) -> CallScript:
        """Say what an answered call is to say. LookupError where there is no such delivery: the call hangs up."""
        ...

    async def call_key(self, delivery_id: int, key: str) -> CallScript:
        """Take a key pressed in a call, and say what to answer. LookupError as in call_script."""
        ...


class Health(Protocol):
    """Whether the service can do its work."""

    async def problems(self) -> Sequence[str]:
        """Give what is wrong, a sentence each (broker, database, outbox); nothing: ready."""
        ...
