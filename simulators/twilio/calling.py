"""The life of a call: dialled, ringing, taken or not, TwiML fetched and followed, keys pressed, ended."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import datetime, timedelta

from simulators import phones
from simulators.phones import PhoneCall
from simulators.twilio.agenda import Entry
from simulators.twilio.faults import Fault, FaultKind
from simulators.twilio.resources import API_VERSION, Call, rfc2822
from simulators.twilio.twiml import Gather, Hangup, Pause, Redirect, Say, TwimlError, Verb, parse_voice
from simulators.twilio.webhooks import absolute, places
from simulators.twilio.world import World

#: A call that has been through so many documents is ended: somebody listens to a loop for ever.
_MOST_DOCUMENTS = 50

EVENTS = frozenset({"initiated", "ringing", "answered", "completed"})


class Calling:
    """Everything about calls."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._lines: dict[str, Line] = {}

    def accept(self, params: Mapping[str, str], *, events: Collection[str], ring_s: int, at: datetime) -> Call:
        """Take a call in by the API, and let its life begin."""
        # Twilio takes the events as repeated fields, and as one field with spaces between.
        asked = {word for event in events for word in event.split()}
        call = Call(
            account_sid=self._world.account_sid,
            to=params["To"],
            sender=params["From"],
            created_at=at,
            updated_at=at,
            # Twiml is ignored where there is a Url, as the documentation has it.
            url=params.get("Url") or None,
            method=params.get("Method", "POST").upper(),
            fallback_url=params.get("FallbackUrl") or None,
            twiml=params.get("Twiml") or None,
            ring_s=ring_s,
            status_callback=params.get("StatusCallback") or None,
            status_callback_method=params.get("StatusCallbackMethod", "POST").upper(),
            status_callback_events=frozenset(asked & EVENTS) or frozenset({"completed"}),
        )
        outcomes = self._world.faults.meet_outcome("calls", call.to)
        call.history.append((at, call.status))
        call.manner = self._world.manner(outcomes)
        if (late := outcomes.get(FaultKind.LATE_LISTING)) is not None:
            call.listed_from = at + timedelta(seconds=late.seconds)
        self._world.calls.append(call)
        self._lines[call.sid] = Line(self._world, call, outcomes)
        self._world.after(at, self._world.pace.dialled_s, self._lines[call.sid].dial, call.sid)
        return call

    async def update(self, call: Call, params: Mapping[str, str], at: datetime) -> bool:
        """End a call, or go on with other instructions; False where its state does not allow it."""
        line = self._lines[call.sid]
        match params.get("Status"):
            case "completed" | "canceled" as asked:
                if not call.done:
                    line.end("completed" if call.answered_at or asked == "completed" else "canceled", at)
                return True
            case _:
                return await line.redirect(params.get("Url"), params.get("Twiml"), at)


class Line:
    """One call under way. It is also what the person at the other end acts through."""

    def __init__(self, world: World, call: Call, outcomes: Mapping[FaultKind, Fault]) -> None:
        self._world = world
        self._call = call
        self._outcomes = outcomes
        self._manner = phones.NO_ANSWER
        self._phone_call: PhoneCall | None = None
        #: What happens next by itself: the ringing ends, the speech ends, nobody pressed a key.
        self._timer: Entry | None = None
        self._verbs: list[Verb] = []
        self._document_url = ""
        self._documents = 0
        self._gather: Gather | None = None
        self._digits = ""

    # --- until somebody answers ---------------------------------------------------------------------------------------

    async def dial(self, at: datetime) -> None:
        """The carrier is asked for a line."""
        call = self._call
        if call.done:
            return
        call.started_at = at
        if FaultKind.FAILED in self._outcomes:
            self.end("failed", at)
            return
        self._turn("initiated", "initiated", at)
        self._then(at, self._world.pace.ringing_s, self._ring)

    async def _ring(self, at: datetime) -> None:
        call = self._call
        if FaultKind.BUSY in self._outcomes:
            self.end("busy", at)
            return
        self._phone_call = PhoneCall(at=at, caller=call.sender, control=self)
        manner = await self._world.phone(call.to).call_arrives(self._phone_call)
        if manner.busy:
            self.end("busy", at)
            return
        self._turn("ringing", "ringing", at)
        self._manner = phones.NO_ANSWER if FaultKind.NO_ANSWER in self._outcomes else manner
        self._then(at, call.ring_s, self._unanswered)
        if self._manner.answers and not self._manner.by_hand and self._manner.after_s < call.ring_s:
            self._then(at, self._manner.after_s, self._taken)

    async def _unanswered(self, at: datetime) -> None:
        if self._call.status == "ringing":
            self.end("no-answer", at)

    async def _taken(self, at: datetime) -> None:
        call = self._call
        call.answered_at = at
        if self._phone_call is not None:
            self._phone_call.answered = True
        self._turn("in-progress", "answered", at)
        if self._manner.hangs_up_after_s is not None:
            self._world.after(at, self._manner.hangs_up_after_s, self._hung_up, call.sid)
        if call.url is None:
            self._follow(call.twiml or "", "", at)
        else:
            await self._fetch(call.method, call.url, {}, at)

    # --- what the person does -----------------------------------------------------------------------------------------

    async def answer(self) -> None:
        """Take the call, where it rings."""
        if self._call.status == "ringing":
            self._cancel_timer()
            await self._taken(self._world.agenda.time())

    async def press(self, keys: str) -> None:
        """Press keys; they count only while the service gathers."""
        await self._press(keys, self._world.agenda.time())

    async def hang_up(self) -> None:
        """Put the phone down (or refuse the call that rings: the caller finds it busy)."""
        await self._hung_up(self._world.agenda.time())

    async def _hung_up(self, at: datetime) -> None:
        if not self._call.done:
            self.end("completed" if self._call.answered_at else "busy", at)

    async def _press(self, keys: str, at: datetime) -> None:
        if self._call.done:
            return
        self._call.pressed.append(keys)
        if self._phone_call is not None:
            self._phone_call.pressed.append(keys)
        gather = self._gather
        if gather is None:
            return
        for key in keys:
            if key == gather.finish_on_key:
                await self._gathered(at, key)
                return
            self._digits += key
            if gather.num_digits is not None and len(self._digits) >= gather.num_digits:
                await self._gathered(at, "")
                return
        self._cancel_timer()
        self._then(at, gather.timeout_s, self._gather_over)

    # --- following the instructions -----------------------------------------------------------------------------------

    async def _fetch(self, method: str, url: str, extra: Mapping[str, str], at: datetime) -> None:
        """Get a document from the service and follow it; its failure ends the call as Twilio's application error."""
        params = {**self._params(), **extra}
        answer = await self._world.webhooks.send(method, url, params, at=at)
        if self._call.done:
            return
        if not answer.good and self._call.fallback_url is not None:
            self._call.problems.append(11200)
            params |= {"ErrorCode": "11200", "ErrorUrl": url}
            url = self._call.fallback_url
            answer = await self._world.webhooks.send(method, url, params, at=at)
        if not answer.good:
            self._call.problems.append(11200)
            self._hears("[application error]")
            self.end("completed", at)
            return
        self._follow(answer.body, url, at)

    def _follow(self, document: str, url: str, at: datetime) -> None:
        self._documents += 1
        try:
            verbs = parse_voice(document)
        except TwimlError as exc:
            self._call.problems.append(exc.code)
            self._hears("[application error]")
            verbs = []
        if self._documents > _MOST_DOCUMENTS:
            verbs = []
        self._verbs, self._document_url = list(verbs), url
        # Through the agenda, even for now: what an instruction leads to must not run inside what led to it.
        self._then(at, 0.0, self._go_on)

    async def _go_on(self, at: datetime) -> None:
        self._gather = None
        if not self._verbs:
            self.end("completed", at)
            return
        match self._verbs.pop(0):
            case Say() as say:
                for _ in range(max(1, say.loop)):
                    self._hears(say.text)
                self._then(at, say.seconds, self._go_on)
            case Pause(seconds=seconds):
                self._then(at, seconds, self._go_on)
            case Gather() as gather:
                self._begin_gather(gather, at)
            case Redirect(url=url, method=method):
                await self._fetch(method, absolute(self._document_url, url), {}, at)
            case Hangup():
                self.end("completed", at)

    def _begin_gather(self, gather: Gather, at: datetime) -> None:
        self._gather, self._digits = gather, ""
        for prompt in gather.prompts:
            if isinstance(prompt, Say):
                self._hears(prompt.text)
        self._then(at, gather.seconds, self._gather_over)
        manner = self._manner
        if manner.keys is None or manner.machine:
            return
        keys = manner.keys(" ".join(self._call.heard))

        async def press(when: datetime) -> None:
            if self._gather is gather:
                await self._press(keys, when)

        if keys:
            self._world.after(at, manner.press_after_s, press, self._call.sid)

    async def _gather_over(self, at: datetime) -> None:
        await self._gathered(at, "")

    async def _gathered(self, at: datetime, finished_on: str) -> None:
        gather, digits = self._gather, self._digits
        if gather is None:
            return
        self._gather = None
        self._cancel_timer()
        if digits or gather.action_on_empty_result:
            url = absolute(self._document_url, gather.action or "")
            await self._fetch(
                gather.method, url, {"Digits": digits, "FinishedOnKey": finished_on, "msg": "Gather End"}, at
            )
        else:
            self._then(at, 0.0, self._go_on)

    async def redirect(self, url: str | None, twiml: str | None, at: datetime) -> bool:
        """Go on with other instructions; False where nobody is on the line."""
        if self._call.status != "in-progress":
            return False
        self._gather = None
        self._cancel_timer()
        if url:
            await self._fetch("POST", url, {}, at)
        else:
            self._follow(twiml or "", self._document_url, at)
        return True

    # --- common -------------------------------------------------------------------------------------------------------

    def end(self, status: str, at: datetime) -> None:
        """The call is over."""
        self._gather = None
        self._verbs.clear()
        self._cancel_timer()
        self._call.ended_at = at
        if self._phone_call is not None:
            self._phone_call.over = True
        self._turn(status, "completed", at)

    def _then(self, at: datetime, seconds: float, action: Callable[[datetime], Awaitable[None]]) -> None:
        async def unless_over(when: datetime) -> None:
            if not self._call.done:
                await action(when)

        self._timer = self._world.agenda.at(at + timedelta(seconds=seconds), unless_over, key=self._call.sid)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _hears(self, text: str) -> None:
        self._call.heard.append(text)
        if self._phone_call is not None:
            self._phone_call.heard.append(text)

    def _params(self) -> dict[str, str]:
        call = self._call
        return {
            "CallSid": call.sid,
            "AccountSid": call.account_sid,
            "From": call.sender,
            "To": call.to,
            "Caller": call.sender,
            "Called": call.to,
            "CallStatus": call.status,
            "ApiVersion": API_VERSION,
            "Direction": call.direction,
            **places(From=call.sender, To=call.to, Caller=call.sender, Called=call.to),
        }

    def _turn(self, status: str, event: str, at: datetime) -> None:
        """Change the status and tell the service, where it has asked for this event."""
        call = self._call
        call.turn(status, at)
        if call.status_callback is None or event not in call.status_callback_events:
            return
        sequence, call.sequence = call.sequence, call.sequence + 1
        params = {
            **self._params(),
            "CallbackSource": "call-progress-events",
            "Timestamp": rfc2822(at) or "",
            "SequenceNumber": str(sequence),
        }
        if call.done:
            params |= {"CallDuration": str(call.duration_s), "Duration": str(-(-call.duration_s // 60))}
        self._world.call_back(
            call.manner,
            call.status_callback,
            params,
            at=at,
            last=call.done,
            key=call.sid,
            method=call.status_callback_method,
        )
