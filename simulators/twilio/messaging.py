"""The life of a text: from the queue to the phone, and from a phone to the service."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from simulators.phones import Text
from simulators.twilio.faults import FaultKind
from simulators.twilio.resources import API_VERSION, Message, new_sid, segments
from simulators.twilio.twiml import Reply, TwimlError, parse_messaging
from simulators.twilio.webhooks import Answer, absolute, places
from simulators.twilio.world import World

#: The words by which Twilio lets a person leave and come back, for the whole text, in any case.
STOP_WORDS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
START_WORDS = frozenset({"START", "YES", "UNSTOP"})

_UNREACHABLE = 30003
_UNKNOWN_ERROR = 30008
_VALIDITY_EXPIRED = 30036


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """What became of a text from a phone."""

    message: Message
    #: The status of the service's answer; 0: none came, or there is no URL to ask.
    status: int
    #: What the service answered with.
    replies: tuple[Message, ...]
    #: Twilio's codes of what was wrong with the answer.
    problems: tuple[int, ...] = ()


class Messaging:
    """Everything about texts."""

    def __init__(self, world: World) -> None:
        self._world = world

    def accept(self, params: Mapping[str, str], *, validity_s: int, at: datetime) -> Message:
        """Take a message in by the API, and let its life begin."""
        service = params.get("MessagingServiceSid") or None
        sender = params.get("From") or (min(self._world.numbers) if self._world.numbers else "")
        return self._send(
            Message(
                account_sid=self._world.account_sid,
                to=params["To"],
                sender=sender,
                body=params.get("Body", ""),
                direction="outbound-api",
                # With a messaging service the first status is another one.
                status="accepted" if service else "queued",
                created_at=at,
                updated_at=at,
                messaging_service_sid=service,
                status_callback=params.get("StatusCallback") or None,
                validity_s=validity_s,
            ),
            at,
        )

    def _send(self, message: Message, at: datetime) -> Message:
        world, pace = self._world, self._world.pace
        outcomes = world.faults.meet_outcome("messages", message.to)
        message.history.append((at, message.status))
        message.manner = world.manner(outcomes)
        if (late := outcomes.get(FaultKind.LATE_LISTING)) is not None:
            message.listed_from = at + timedelta(seconds=late.seconds)
        world.messages.append(message)

        async def sent(when: datetime) -> None:
            if message.done:
                return
            message.sent_at = when
            self._turn(message, "sent", when)

        async def delivered(when: datetime) -> None:
            if message.done:
                return
            message.arrived = True
            await world.phone(message.to).text_arrives(Text(at=when, sender=message.sender, body=message.body))
            self._turn(message, "delivered", when)

        async def failed(when: datetime, status: str, code: int) -> None:
            if not message.done:
                self._turn(message, status, when, code)

        if FaultKind.STUCK in outcomes or pace.sent_s > message.validity_s:
            world.after(at, message.validity_s, lambda when: failed(when, "failed", _VALIDITY_EXPIRED), message.sid)
        elif (fault := outcomes.get(FaultKind.FAILED)) is not None:
            code = fault.code or _UNKNOWN_ERROR
            world.after(at, pace.sent_s, lambda when: failed(when, "failed", code), message.sid)
        else:
            world.after(at, pace.sent_s, sent, message.sid)
            total_s = pace.sent_s + pace.delivered_s
            if (fault := outcomes.get(FaultKind.UNDELIVERED)) is not None:
                code = fault.code or _UNREACHABLE
                world.after(at, total_s, lambda when: failed(when, "undelivered", code), message.sid)
            else:
                world.after(at, total_s, delivered, message.sid)
        return message

    def _turn(self, message: Message, status: str, at: datetime, code: int | None = None) -> None:
        """Change the status and tell the service; only ever called for statuses after the first."""
        message.turn(status, at, code)
        if message.status_callback is None:
            return
        params = {
            "SmsSid": message.sid,
            "SmsStatus": status,
            "MessageStatus": status,
            "To": message.to,
            "MessageSid": message.sid,
            "AccountSid": message.account_sid,
            "From": message.sender,
            "ApiVersion": API_VERSION,
        }
        if message.messaging_service_sid:
            params["MessagingServiceSid"] = message.messaging_service_sid
        if code is not None:
            params["ErrorCode"] = str(code)
        if status in {"delivered", "undelivered"}:
            # The carrier's own time of delivery, YYMMDDhhmm.
            params["RawDlrDoneDate"] = at.strftime("%y%m%d%H%M")
        self._world.call_back(
            message.manner, message.status_callback, params, at=at, last=message.done, key=message.sid
        )

    def cancel(self, message: Message, at: datetime) -> bool:
        """Cancel what has not been sent; False where it is too late."""
        if message.status not in {"queued", "accepted", "scheduled"}:
            return False
        self._turn(message, "canceled", at)
        return True

    async def receive(self, sender: str, to: str, body: str, *, at: datetime) -> Incoming:
        """A text from a phone: kept, and brought to the service, whose answer goes back as a text."""
        world = self._world
        message = Message(
            account_sid=world.account_sid,
            to=to,
            sender=sender,
            body=body,
            direction="inbound",
            status="received",
            created_at=at,
            updated_at=at,
            sent_at=at,
            sid=new_sid("SM"),
        )
        message.history.append((at, "received"))
        world.messages.append(message)
        word = body.strip().upper()
        if word in STOP_WORDS:
            world.opted_out.add(sender)
        elif word in START_WORDS:
            world.opted_out.discard(sender)
        return await self.bring(message, at=at)

    async def bring(self, message: Message, *, at: datetime) -> Incoming:
        """Ask the service about a text that has come in; again, where it is called again for the same one."""
        if self._world.sms_url is None:
            return Incoming(message=message, status=0, replies=())
        params = {
            "MessageSid": message.sid,
            "SmsSid": message.sid,
            "SmsMessageSid": message.sid,
            "AccountSid": message.account_sid,
            "SmsStatus": "received",
            "From": message.sender,
            "To": message.to,
            "Body": message.body,
            "NumMedia": "0",
            "NumSegments": str(segments(message.body)),
            "ApiVersion": API_VERSION,
            **places(From=message.sender, To=message.to),
        }
        answer = await self._world.webhooks.send("POST", self._world.sms_url, params, at=at)
        replies, problems = self._answers(answer)
        out: list[Message] = []
        for reply in replies:
            to = reply.to or message.sender
            if to in self._world.opted_out:
                problems = [*problems, 21610]
                continue
            out.append(self._answer_with(reply, to, message, at))
        return Incoming(message=message, status=answer.status, replies=tuple(out), problems=tuple(problems))

    @staticmethod
    def _answers(answer: Answer) -> tuple[Sequence[Reply], list[int]]:
        if not answer.good:
            return [], [11200]
        try:
            return parse_messaging(answer.body, answer.content_type), []
        except TwimlError as exc:
            return [], [exc.code]

    def _answer_with(self, reply: Reply, to: str, message: Message, at: datetime) -> Message:
        callback = reply.action and absolute(self._world.sms_url or "", reply.action)
        return self._send(
            Message(
                account_sid=message.account_sid,
                to=to,
                sender=reply.sender or message.to,
                body=reply.body,
                direction="outbound-reply",
                status="queued",
                created_at=at,
                updated_at=at,
                status_callback=callback or None,
            ),
            at,
        )
