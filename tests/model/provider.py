"""The providers, at the edge where a channel hands a message over: no network, and every outcome a network may have."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from model.trap import TRAP, Bug

from notify.channel import DoubtOutcome, DoubtResult, SendOutcome, SendResult
from notify.channels.twilio_doubt import A_WHILE_AGO, LONG_AGO, oldest_of
from rules.decisions import Delivery

#: The channels whose provider can be asked about a doubt, and those whose cannot.
ASKED = ("sms", "voice")
UNASKED = ("apprise", "webhook")

#: What may become of a request. `lost`: taken, and the answer never comes. `gone`: not taken, and no answer. `slow`:
#: taken some seconds after we stopped waiting. `hangs`: taken, and the answer comes when it comes.
MOODS = ("taken", "refused", "busy", "busy long", "lost", "gone", "slow", "hangs", "raises")

#: A request lands this long after it left at the latest; what has landed is listed after this long.
LANDS_AFTER = timedelta(seconds=8)
LISTED_AFTER = timedelta(seconds=4)

#: The dispatcher waits for an answer for so long.
PATIENCE = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A delivery that a provider has taken: somebody's telephone rings."""

    provider_id: str
    delivery: Delivery
    at: datetime
    listed_at: datetime
    #: Of the message, that may tell of others too.
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request, whatever became of it, and what was known at that moment."""

    delivery: Delivery
    at: datetime
    #: Of the message, that may tell of others too.
    text: str
    mood: str
    incident_state: str | None
    #: Life-safety pages that could leave by the same channel, and were not taken up.
    life_waiting: tuple[int, ...]


@dataclass(slots=True)
class Provider:
    """All of them, and their memory, which outlives our process."""

    now: Callable[[], datetime]
    #: What is known of an incident by its id, and of the life-safety pages that wait for a channel.
    look: Callable[[Delivery], tuple[str | None, tuple[int, ...]]]
    sent: list[Sent] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    mood: dict[str, str] = field(default_factory=lambda: defaultdict(lambda: "taken"))
    #: What becomes of the next requests, by whatever channel.
    next: list[str] = field(default_factory=list)
    #: Nobody can be asked at the moment.
    deaf: bool = False
    #: Requests whose answer is still to come: when we stop waiting, and the answer.
    hanging: dict[asyncio.Future[SendResult], datetime] = field(default_factory=dict)
    _numbers: int = 0

    def channels(self, taken: Callable[[Delivery, Collection[str]], Awaitable[Collection[str]]]) -> dict[str, object]:
        """Make the channels of one process."""
        made: dict[str, object] = {name: Channel(self, name) for name in UNASKED}
        return made | {name: AskedChannel(self, name, taken) for name in ASKED}

    def take(self, delivery: Delivery, *, after: timedelta = timedelta()) -> Sent:
        """Let a message be taken."""
        self._numbers += 1
        at = self.now() + after
        # What is in one message is told as one, and each of it counts.
        told = [
            Sent(
                provider_id=f"{delivery.channel.upper()}{self._numbers}",
                delivery=member,
                at=at,
                listed_at=at + (LISTED_AFTER if after else timedelta()),
                text=delivery.text,
            )
            for member in delivery.members
        ]
        self.sent += told
        return told[0]

    def next_at(self) -> datetime | None:
        """When we stop waiting for an answer next."""
        return min(self.hanging.values(), default=None)

    def give_up(self) -> int:
        """Let those run out of time whose time is over."""
        over = [future for future, at in self.hanging.items() if at <= self.now()]
        for future in over:
            del self.hanging[future]
            if not future.done():
                future.set_result(SendResult(outcome=SendOutcome.UNKNOWN, error="no answer within 10 s"))
        return len(over)

    def answer_all(self) -> int:
        """Let every answer come now."""
        answered = 0
        for future in list(self.hanging):
            del self.hanging[future]
            if not future.done():
                future.set_result(future.answer)  # type: ignore[attr-defined]
                answered += 1
        return answered


class _Answer(asyncio.Future[SendResult]):
    answer: SendResult


class Channel:
    """One that cannot be asked."""

    def __init__(self, provider: Provider, name: str) -> None:
        self._provider = provider
        self.name = name

    async def send(self, delivery: Delivery) -> SendResult:
        """Make a request."""
        provider = self._provider
        TRAP.send_point("send")
        mood = provider.next.pop(0) if provider.next else provider.mood[self.name]
        for member in delivery.members:
            state, waiting = provider.look(member)
            provider.requests.append(
                Request(
                    delivery=member,
                    at=provider.now(),
                    text=delivery.text,
                    mood=mood,
                    incident_state=state,
                    life_waiting=waiting,
                )
            )
        result = await self._outcome(delivery, mood)
        TRAP.send_point("answer")
        return result

    async def _outcome(self, delivery: Delivery, mood: str) -> SendResult:
        provider = self._provider
        match mood:
            case "refused":
                return SendResult(outcome=SendOutcome.PERMANENT, error="21211 not valid")
            case "busy":
                return SendResult(outcome=SendOutcome.RETRY, error="429")
            case "busy long":
                return SendResult(outcome=SendOutcome.RETRY, error="429", retry_after_s=60.0)
            case "raises":
                raise Bug("the channel is broken")
            case "gone":
                return SendResult(outcome=SendOutcome.UNKNOWN, error="reset")
            case "slow":
                provider.take(delivery, after=LANDS_AFTER)
                return SendResult(outcome=SendOutcome.UNKNOWN, error="no answer")
        one = provider.take(delivery)
        accepted = SendResult(outcome=SendOutcome.ACCEPTED, provider_id=one.provider_id, status="queued")
        if mood == "lost":
            return SendResult(outcome=SendOutcome.UNKNOWN, error="reset")
        if mood == "hangs":
            future = _Answer()
            future.answer = accepted
            provider.hanging[future] = provider.now() + PATIENCE
            try:
                return await future
            finally:
                provider.hanging.pop(future, None)
        return accepted


class AskedChannel(Channel):
    """One whose provider lists what it has, as Twilio does: by number and text, and not by our ids."""

    def __init__(
        self,
        provider: Provider,
        name: str,
        taken: Callable[[Delivery, Collection[str]], Awaitable[Collection[str]]],
    ) -> None:
        super().__init__(provider, name)
        self._taken = taken

    async def ask(self, delivery: Delivery) -> DoubtResult:
        """Look for it."""
        provider = self._provider
        if provider.deaf:
            return DoubtResult(outcome=DoubtOutcome.CANNOT_ASK, error="not reached")
        # As the real ones do where our clock has been set back since.
        far = A_WHILE_AGO if self.name == "voice" else LONG_AGO
        oldest = oldest_of(delivery.created_at, now=provider.now(), ahead=timedelta(), if_set_back=far)
        listed = [
            one
            for one in provider.sent
            if one.listed_at <= provider.now()
            and (one.delivery.channel, one.delivery.address) == (self.name, delivery.address)
            and (self.name == "voice" or one.text == delivery.text)
            and one.at >= oldest
        ]
        others = await self._taken(delivery, [one.provider_id for one in listed])
        for one in listed:
            if one.provider_id not in others:
                return DoubtResult(outcome=DoubtOutcome.FOUND, provider_id=one.provider_id, status="sent")
        return DoubtResult(outcome=DoubtOutcome.ABSENT)
