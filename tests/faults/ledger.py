"""What the outside saw of a run: the only thing the judge goes by.

All times are seconds of the monotonic clock of this machine, so that no step of a wall clock touches them. What is read
from the database and the API in the end is kept apart (`Seen`): it is the service's own word.
"""

import time
from dataclasses import dataclass, field
from typing import Literal

now = time.monotonic

Channel = Literal["sms", "voice"]
Said = Literal["go", "cannot go", "arrived", "outcome"]
#: What a person was told who said so: it is theirs, somebody else has it (or it is over), it goes to others, it goes to
#: others already, they are on the scene, it is closed, or there is nothing to answer.
Verdict = Literal["mine", "other", "declined", "declined before", "there", "closed", "none"]


@dataclass(slots=True, kw_only=True)
class Alarm:
    """A sensor that alarms, in a home that has had no alarm before."""

    home: int
    kind: str
    topic: str
    payload: bytes
    #: When the sensor spoke, and when its broker had acknowledged that.
    said_at: float
    had_at: float | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the policy."""

    #: Seconds after the beginning at which it is due.
    after_s: float
    #: Whom it reaches: an index into the people of a home.
    to: int
    by: tuple[Channel, ...] = ("sms",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A text that a provider accepted, or a call."""

    sid: str
    to: str
    body: str
    #: The homes that it is about: a text names them; a call names three of them, so they are those of its delivery.
    homes: frozenset[int]
    #: Whether it asks somebody to go; everything else is news.
    page: bool
    #: The homes of which it is news that nobody is going any more: whoever can is asked anew.
    asks_anew: frozenset[int] = frozenset()
    #: When the request arrived at the provider.
    at: float
    channel: Channel = "sms"
    #: The number of the delivery, which the provider is asked to say with each receipt.
    delivery: int | None = None
    #: The homes that whoever answered the call has heard of.
    heard: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a person said to an alarm, as often as it took until the service had it."""

    home: int
    number: str
    worker: str
    said: Said = "go"
    verdict: Verdict = "mine"
    #: When they said it first, and when the service had taken it (answered with success).
    said_at: float
    taken_at: float
    #: What it answered.
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """A key for several homes in one call: how many of them are theirs was said, and not which."""

    worker: str
    #: Those of the call.
    homes: frozenset[int]
    count: int
    #: As it would stand for one of them.
    reply: Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A time in which something was done to the installation."""

    what: str
    began: float
    ended: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgery:
    """A callback with a signature that is not the provider's, and the HTTP status it got (0: none)."""

    path: str
    status: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An incident as the service itself shows it in the end."""

    id: str
    code: str
    home: int
    state: str
    answered_by: str | None
    #: Whether a step, an arrival or an outcome is due of it (the database).
    has_next: bool
    #: Everything its journal tells of, by event.
    events: frozenset[str]
    #: Who has ever answered it, by worker, and how often each of them was tried another way, by worker and channel.
    acknowledged_by: frozenset[str] = frozenset()
    fell_back: tuple[tuple[str, str], ...] = ()
    #: Its state by the API; None where the API did not list it.
    api_state: str | None = None


@dataclass(slots=True, kw_only=True)
class Ledger:
    """Everything that is known of one run."""

    steps: tuple[Step, ...]
    #: Seconds between two rounds, at the least.
    repeat_s: float
    #: Whom the steps of an alarm reach, by home.
    people: dict[int, tuple[str, ...]] = field(default_factory=dict)
    #: The worker behind each number.
    workers: dict[str, str] = field(default_factory=dict)
    alarms: dict[int, Alarm] = field(default_factory=dict)
    #: When Shouwang acknowledged the alarm of a home to the broker; only where that can be seen (`sees_acks`).
    acknowledged: dict[int, float] = field(default_factory=dict)
    sees_acks: bool = False
    #: The broker was made to lose what it had acknowledged.
    broker_may_lose: bool = False
    #: Alarms that sensors had to say again, because their broker had lost them.
    lost_by_broker: set[int] = field(default_factory=set)
    #: The wall clock of the service was moved: nothing can be said about "too early" or "too late".
    clock_moved: bool = False
    messages: list[Message] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    tallies: list[Tally] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    forgeries: list[Forgery] = field(default_factory=list)
    incidents: list[Seen] = field(default_factory=list)
    #: Deliveries that still waited in the outbox in the end.
    waiting: int = 0
    #: What went otherwise than a fault had promised (a process that ended by itself, an exit that was not clean).
    complaints: list[str] = field(default_factory=list)
    kills: int = 0
    ordinary: int = 0

    def undisturbed_s(self, since: float, until: float) -> float:
        """Give the seconds between two times in which nothing was done to the installation."""
        left = until - since
        edge = since
        for began, ended in sorted((span.began, span.ended) for span in self.spans):
            begin, end = max(began, edge), min(ended, until)
            if end > begin:
                left -= end - begin
                edge = end
        return max(left, 0.0)
