"""What Twilio's words mean: statuses of messages and calls, and the error codes that come with them. Tables only."""

from dataclasses import dataclass

from notify.channel import StatusMeaning

__all__ = [
    "ANSWERED_BY_MACHINE",
    "CALL_STATUSES",
    "ERRORS",
    "MESSAGE_STATUSES",
    "TAKEN_LATER",
    "ErrorMeaning",
    "StatusMeaning",
    "error_words",
    "is_about_account",
    "is_about_the_way",
    "is_news",
    "meaning_of",
]

_W, _S, _D, _F = StatusMeaning.WAITING, StatusMeaning.SENT, StatusMeaning.DELIVERED, StatusMeaning.FAILED

#: Statuses of a message, in the order of its life. Where two words come, the later line wins, whichever came first:
#: Twilio does not keep the order of its callbacks. Failures stand last, because the parts of a long message report
#: separately and a part that arrived does not mend one that did not.
MESSAGE_STATUSES: dict[str, StatusMeaning] = {
    "scheduled": _W,
    "accepted": _W,
    "queued": _W,
    "sending": _W,
    "sent": _S,
    "partially_delivered": _S,
    "delivered": _D,
    "read": _D,
    "canceled": _F,
    "undelivered": _F,
    "failed": _F,
}

#: What our webhooks call a call that a voice box or a fax has answered, which machine detection tells.
ANSWERED_BY_MACHINE = "answered-by-machine"

#: Statuses of a call. `in-progress` is not yet `delivered`: somebody, or a voice box, has picked up, and the next word
#: says how it ended.
CALL_STATUSES: dict[str, StatusMeaning] = {
    "queued": _W,
    "initiated": _W,
    "ringing": _S,
    "in-progress": _S,
    "completed": _D,
    "canceled": _F,
    "busy": _F,
    "no-answer": _F,
    "failed": _F,
    ANSWERED_BY_MACHINE: _F,
}

_BY_CHANNEL = {"sms": MESSAGE_STATUSES, "voice": CALL_STATUSES}


def meaning_of(channel: str, status: str) -> StatusMeaning:
    """Say what a status of channel `sms` or `voice` means. One we do not know claims nothing: WAITING."""
    return _BY_CHANNEL.get(channel, {}).get(status.lower(), StatusMeaning.WAITING)


def is_news(channel: str, before: str | None, status: str) -> bool:
    """Say whether a status takes a delivery further than the one it had; what is final stays."""
    order = list(_BY_CHANNEL.get(channel, {}))
    if status.lower() not in order:
        return False
    if before is None or before.lower() not in order:
        return True
    return order.index(status.lower()) > order.index(before.lower())


@dataclass(frozen=True, slots=True)
class ErrorMeaning:
    """What an error code says."""

    reason: str
    #: Whether the same message to the same number might arrive a little later. Never a ground to wait: the next contact
    #: method is tried at once either way; it tells the desk whether a number needs looking after.
    passing: bool = False


#: Codes of failed messages and calls (3xxxx) and of refused requests (2xxxx, 1xxxx), from Twilio's pages on each.
#: `passing` of the 300xx is our judgement, not Twilio's word.
ERRORS: dict[int, ErrorMeaning] = {
    10002: ErrorMeaning("trial accounts may not do this"),
    13224: ErrorMeaning("the number called is not valid"),
    13225: ErrorMeaning("calls to this number are forbidden"),
    13227: ErrorMeaning("calls to this country are not enabled for the account"),
    20003: ErrorMeaning("the account or its token is wrong"),
    20404: ErrorMeaning("no such account or resource; is the base URL right?"),
    20429: ErrorMeaning("too many requests", passing=True),
    20500: ErrorMeaning("Twilio failed inside", passing=True),
    20503: ErrorMeaning("Twilio is unavailable", passing=True),
    21210: ErrorMeaning("the caller's number is not verified"),
    21211: ErrorMeaning("the number is not valid"),
    21215: ErrorMeaning("calls to this country are not enabled for the account"),
    21217: ErrorMeaning("the number called does not look valid"),
    21219: ErrorMeaning("trial accounts may only call verified numbers"),
    21408: ErrorMeaning("texts to this country are not enabled for the account"),
    21606: ErrorMeaning("the sender's number cannot send texts to this number"),
    21608: ErrorMeaning("trial accounts may only text verified numbers"),
    21610: ErrorMeaning("the person has said STOP"),
    21611: ErrorMeaning("the sender's queue is full", passing=True),
    21612: ErrorMeaning("there is no way from this sender to this number"),
    21614: ErrorMeaning("the number is not a mobile number"),
    21617: ErrorMeaning("the text is too long"),
    30001: ErrorMeaning("the queue overflowed", passing=True),
    30002: ErrorMeaning("the account is suspended"),
    30003: ErrorMeaning("the phone is off or out of reach", passing=True),
    30004: ErrorMeaning("the message was blocked"),
    30005: ErrorMeaning("the number is unknown or no longer in service"),
    30006: ErrorMeaning("a landline, or a carrier that cannot be reached"),
    30007: ErrorMeaning("the carrier took it for spam"),
    30008: ErrorMeaning("the carrier gave no reason", passing=True),
    30034: ErrorMeaning("the sender's number is not registered with the carriers"),
    30036: ErrorMeaning("its validity was over before it could be sent", passing=True),
}

#: Refusals by which Twilio says that it has taken nothing and may take it later, whatever the HTTP status.
TAKEN_LATER = frozenset({20429, 21611})


#: Codes of refused requests that are about the message or the number: every provider would say the same. All other
#: refusals are read as being about our account, our sender, or what the provider has been told to allow.
_ABOUT_THE_MESSAGE = frozenset({13224, 21211, 21217, 21610, 21614, 21617})

#: Codes of texts that were taken and did not arrive where the provider or the carrier is to blame, and not the phone.
_ABOUT_THE_WAY = frozenset({30001, 30002, 30004, 30007, 30008, 30034, 30036})


def is_about_account(status: int, code: int | None) -> bool:
    """Say whether a refusal for good is about our account there, so that another provider may take the message.

    A 400 without a code that we know of is about what we asked for, and so about the message.
    """
    if code in _ABOUT_THE_MESSAGE:
        return False
    return status in {401, 402, 403, 404, 405} or code in ERRORS


def is_about_the_way(channel: str, error: str | None) -> bool:
    """Say whether a delivery that failed after it was taken speaks against the provider; `error` is as it is kept.

    That is the status, and behind it the code where there is one. A phone that is off or rings unheard says nothing
    about the provider.
    """
    status, _, code = (error or "").partition(" ")
    if channel == "voice":
        return status == "failed"
    if code.isdecimal():
        return int(code) in _ABOUT_THE_WAY
    return status in {"failed", "undelivered"}


def error_words(code: int | str | None) -> str | None:
    """Say an error code in words; a code we do not know is given as it is, None where there is none."""
    if code is None or code == "":
        return None
    meaning = ERRORS.get(int(code)) if str(code).isdecimal() else None
    return f"{code}: {meaning.reason}" if meaning else str(code)
