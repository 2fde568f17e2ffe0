"""What the parts of the fake provider share: its clock, its store, its agenda and its outgoing requests."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from simulators.phones import Phone
from simulators.twilio.account import Account
from simulators.twilio.agenda import Agenda
from simulators.twilio.faults import Fault, FaultKind, Faults
from simulators.twilio.resources import Call, CallbackManner, Message
from simulators.twilio.webhooks import Webhooks


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds from one thing to the next where nothing goes wrong."""

    #: From the request to `sent`, and from there to `delivered` (or `undelivered`).
    sent_s: float = 0.5
    delivered_s: float = 1.5
    #: From the request to dialling, and from there to ringing.
    dialled_s: float = 0.2
    ringing_s: float = 1.0


@dataclass(slots=True, kw_only=True)
class World:
    """The state of the fake."""

    account_sid: str
    numbers: set[str]
    now: Callable[[], datetime]
    agenda: Agenda
    faults: Faults
    webhooks: Webhooks
    pace: Pace
    #: Gets (or makes) the telephone with a number.
    phone: Callable[[str], Phone]
    sms_url: str | None = None
    account: Account = field(default_factory=Account)
    messages: list[Message] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    opted_out: set[str] = field(default_factory=set)

    def after(self, at: datetime, seconds: float, action: Callable[[datetime], Awaitable[None]], key: str) -> None:
        """Enter something for so long after a time."""
        self.agenda.at(at + timedelta(seconds=seconds), action, key=key)

    def manner(self, outcomes: dict[FaultKind, Fault]) -> CallbackManner:
        """How the callbacks of a new message or call will misbehave."""
        late = outcomes.get(FaultKind.CALLBACKS_LATE)
        return CallbackManner(
            late_s=late.seconds if late else 0.0,
            twice=FaultKind.CALLBACKS_TWICE in outcomes,
            out_of_order=FaultKind.CALLBACKS_OUT_OF_ORDER in outcomes,
            lost=FaultKind.CALLBACKS_LOST in outcomes,
        )

    def call_back(
        self,
        manner: CallbackManner,
        url: str,
        params: dict[str, str],
        *,
        at: datetime,
        last: bool,
        key: str,
        method: str = "POST",
    ) -> None:
        """Report a status to the service, in the manner this message or call was given.

        Entered into the agenda, so that a service that answers slowly holds up no text and no call.
        """
        if manner.lost:
            return

        async def send(when: datetime) -> None:
            await self.webhooks.send(method, url, params, at=when)

        def enter(base: datetime) -> None:
            self.after(base, manner.late_s, send, f"{key}/callbacks")
            if manner.twice:
                self.after(base, manner.late_s + 1, send, f"{key}/callbacks")

        if manner.out_of_order and not last:
            manner.held.append(enter)
            return
        enter(at)
        for held in manner.held:
            held(at)
        manner.held.clear()
