"""Messages and calls as the provider keeps them, and their JSON form."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Any

API_VERSION = "2010-04-01"

#: Characters of the GSM 03.38 alphabet that take one septet, and those that take two.
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENDED = frozenset("^{}\\[~]|€\f")


def new_sid(prefix: str) -> str:
    """A fresh 34-character identifier."""
    return prefix + secrets.token_hex(16)


def rfc2822(moment: datetime | None) -> str | None:
    """The form in which Twilio's 2010 API writes times."""
    return None if moment is None else format_datetime(moment)


def segments(body: str) -> int:
    """Into how many SMS parts a body goes: 160/153 septets of GSM, else 70/67 UTF-16 units."""
    if all(c in _GSM or c in _GSM_EXTENDED for c in body):
        length, alone, part = sum(2 if c in _GSM_EXTENDED else 1 for c in body), 160, 153
    else:
        length, alone, part = len(body.encode("utf-16-le")) // 2, 70, 67
    return 1 if length <= alone else -(-length // part)


@dataclass(slots=True, kw_only=True)
class CallbackManner:
    """How the status callbacks of one message or call misbehave (see faults)."""

    late_s: float = 0.0
    twice: bool = False
    out_of_order: bool = False
    lost: bool = False
    #: Callbacks held back until the last one has gone.
    held: list[Callable[[datetime], None]] = field(default_factory=list)


@dataclass(slots=True, kw_only=True, eq=False)
class Message:
    """A text, on its way out or come in. Statuses as in Twilio's Message resource."""

    account_sid: str
    to: str
    sender: str
    body: str
    direction: str
    status: str
    created_at: datetime
    updated_at: datetime
    sent_at: datetime | None = None
    error_code: int | None = None
    messaging_service_sid: str | None = None
    status_callback: str | None = None
    #: Seconds it may wait in the queue.
    validity_s: int = 36_000
    #: Before this time no list shows it; fetching it by its sid works at once.
    listed_from: datetime | None = None
    #: Whether it has reached the telephone.
    arrived: bool = False
    manner: CallbackManner = field(default_factory=CallbackManner)
    history: list[tuple[datetime, str]] = field(default_factory=list)
    sid: str = field(default_factory=lambda: new_sid("SM"))

    @property
    def uri(self) -> str:
        """The path of the resource."""
        return f"/{API_VERSION}/Accounts/{self.account_sid}/Messages/{self.sid}.json"

    @property
    def done(self) -> bool:
        """Whether the status is a last one."""
        return self.status in {"delivered", "undelivered", "failed", "received", "canceled", "read"}

    def turn(self, status: str, at: datetime, error_code: int | None = None) -> None:
        """Change the status at a time."""
        self.status = status
        self.updated_at = at
        self.error_code = error_code
        self.history.append((at, status))

    def resource(self, error_message: str | None = None) -> dict[str, Any]:
        """The JSON object of the API."""
        return {
            "account_sid": self.account_sid,
            "api_version": API_VERSION,
            "body": self.body,
            "date_created": rfc2822(self.created_at),
            "date_sent": rfc2822(self.sent_at),
            "date_updated": rfc2822(self.updated_at),
            "direction": self.direction,
            "error_code": self.error_code,
            "error_message": error_message,
            "from": self.sender or None,
            "messaging_service_sid": self.messaging_service_sid,
            "num_media": "0",
            "num_segments": str(segments(self.body)),
            "price": None,
            "price_unit": "USD",
            "sid": self.sid,
            "status": self.status,
            "subresource_uris": {"media": self.uri.removesuffix(".json") + "/Media.json"},
            "tags": None,
            "to": self.to,
            "uri": self.uri,
        }


@dataclass(slots=True, kw_only=True, eq=False)
class Call:
    """A call to a telephone. Statuses as in Twilio's Call resource."""

    account_sid: str
    to: str
    sender: str
    created_at: datetime
    updated_at: datetime
    url: str | None = None
    method: str = "POST"
    fallback_url: str | None = None
    #: Instructions given with the request instead of a URL.
    twiml: str | None = None
    #: Seconds it rings before it counts as not answered.
    ring_s: int = 60
    status_callback: str | None = None
    status_callback_method: str = "POST"
    status_callback_events: frozenset[str] = frozenset({"completed"})
    status: str = "queued"
    direction: str = "outbound-api"
    started_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    answered_by: str | None = None
    listed_from: datetime | None = None
    manner: CallbackManner = field(default_factory=CallbackManner)
    #: How many status events have been reported; Twilio's SequenceNumber.
    sequence: int = 0
    #: What was said, in order, and the keys that were pressed.
    heard: list[str] = field(default_factory=list)
    pressed: list[str] = field(default_factory=list)
    #: Twilio's error and warning codes that would show in its debugger (11200, 12100 …).
    problems: list[int] = field(default_factory=list)
    history: list[tuple[datetime, str]] = field(default_factory=list)
    sid: str = field(default_factory=lambda: new_sid("CA"))

    @property
    def uri(self) -> str:
        """The path of the resource."""
        return f"/{API_VERSION}/Accounts/{self.account_sid}/Calls/{self.sid}.json"

    @property
    def done(self) -> bool:
        """Whether the status is a last one."""
        return self.status in {"completed", "busy", "no-answer", "failed", "canceled"}

    @property
    def duration_s(self) -> int:
        """Seconds of talk; 0 where nobody answered or it goes on."""
        if self.answered_at is None or self.ended_at is None:
            return 0
        return round((self.ended_at - self.answered_at).total_seconds())

    def turn(self, status: str, at: datetime) -> None:
        """Change the status at a time."""
        self.status = status
        self.updated_at = at
        self.history.append((at, status))

    def resource(self) -> dict[str, Any]:
        """The JSON object of the API."""
        base = self.uri.removesuffix(".json")
        return {
            "account_sid": self.account_sid,
            "annotation": None,
            "answered_by": self.answered_by,
            "api_version": API_VERSION,
            "caller_name": None,
            "date_created": rfc2822(self.created_at),
            "date_updated": rfc2822(self.updated_at),
            "direction": self.direction,
            "duration": str(self.duration_s) if self.done else None,
            "end_time": rfc2822(self.ended_at),
            "forwarded_from": None,
            "from": self.sender,
            "from_formatted": self.sender,
            "group_sid": None,
            "parent_call_sid": None,
            "phone_number_sid": None,
            "price": None,
            "price_unit": "USD",
            "queue_time": "0",
            "sid": self.sid,
            "start_time": rfc2822(self.started_at),
            "status": self.status,
            "subresource_uris": {
                "notifications": base + "/Notifications.json",
                "recordings": base + "/Recordings.json",
            },
            "to": self.to,
            "to_formatted": self.to,
            "trunk_sid": None,
            "uri": self.uri,
        }


@dataclass(slots=True, kw_only=True)
class Request:
    """One line of the ledger: a request the service made, and what became of it."""

    at: datetime
    #: time.monotonic() at arrival: the same clock in every process of a machine.
    arrived: float
    method: str
    #: `messages` or `calls`; of the account's own pages `account`, `balance` or `numbers`.
    resource: str
    params: dict[str, str]
    #: Something was stored because of it.
    accepted: bool = False
    sid: str | None = None
    #: The HTTP status answered; None where the answer was lost or never came.
    status: int | None = None
    code: int | None = None
    #: The fault that met it.
    fault: str | None = None

    @property
    def to(self) -> str:
        """The number it was for, or an empty text."""
        return self.params.get("To", "")
