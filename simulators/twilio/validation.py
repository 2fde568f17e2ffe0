"""What Twilio refuses of a request to send or to call, with its codes."""

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

import phonenumbers

from simulators.twilio.errors import ApiError, refuse

#: The numbers Twilio documents for test credentials, and what they are refused with.
MAGIC_TO_MESSAGES = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}
MAGIC_TO_CALLS = {
    "+15005550001": 21211,
    "+15005550002": 21214,
    "+15005550003": 21215,
    "+15005550004": 21216,
}
MAGIC_FROM_MESSAGES = {"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}
MAGIC_FROM_CALLS = {"+15005550001": 21210}
#: The number Twilio documents as a valid sender of test credentials.
MAGIC_GOOD_FROM = "+15005550006"

_LONGEST_BODY = 1600
_LONGEST_VALIDITY_S = 36_000
_LONGEST_RING_S = 600


def is_number(text: str) -> bool:
    """Whether a text is a telephone number in E.164 form that can exist."""
    if not text.startswith("+") or not text[1:].isascii() or not text[1:].isdecimal():
        return False
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(text))
    except phonenumbers.NumberParseException:
        return False


def is_url(text: str) -> bool:
    """Whether a text is an absolute HTTP address with a hostname; Twilio refuses underscores in one."""
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(host) and "_" not in (host or "")


def _to(to: str, *, missing: int, magic: Mapping[str, int]) -> None:
    if not to:
        raise refuse(missing)
    if to in magic:
        raise refuse(magic[to], to)
    if not is_number(to):
        raise refuse(21211, to)


def _whole(text: str, low: int, high: int, code: int) -> int:
    if not text.isascii() or not text.isdecimal() or not low <= int(text) <= high:
        raise refuse(code, text)
    return int(text)


def check_message(params: Mapping[str, str], *, numbers: Collection[str], opted_out: Collection[str]) -> int:
    """Refuse what Twilio refuses of a new message; return the seconds it may wait in the queue."""
    to, sender, body = params.get("To", ""), params.get("From", ""), params.get("Body", "")
    _to(to, missing=21604, magic=MAGIC_TO_MESSAGES)
    if not sender and not params.get("MessagingServiceSid"):
        raise refuse(21603)
    if sender in MAGIC_FROM_MESSAGES:
        raise refuse(MAGIC_FROM_MESSAGES[sender], sender)
    if sender and sender not in numbers:
        raise refuse(21606 if is_number(sender) else 21212, sender)
    if sender == to:
        raise refuse(21266, to)
    if not body and not params.get("MediaUrl") and not params.get("ContentSid"):
        raise refuse(21602)
    if len(body) > _LONGEST_BODY:
        raise refuse(21617)
    if (callback := params.get("StatusCallback")) is not None and not is_url(callback):
        raise refuse(21609, callback)
    validity_s = _LONGEST_VALIDITY_S
    if (validity := params.get("ValidityPeriod")) is not None:
        validity_s = _whole(validity, 1, _LONGEST_VALIDITY_S, 90007)
    if to in opted_out:
        raise refuse(21610)
    return validity_s


def check_call(params: Mapping[str, str], *, numbers: Collection[str]) -> int:
    """Refuse what Twilio refuses of a new call; return the seconds it rings."""
    to, sender = params.get("To", ""), params.get("From", "")
    _to(to, missing=21201, magic=MAGIC_TO_CALLS)
    if not sender:
        raise refuse(21213)
    if sender in MAGIC_FROM_CALLS or sender not in numbers:
        raise refuse(21210, sender)
    url = params.get("Url", "")
    if not url and not params.get("Twiml"):
        raise ApiError(400, 21205, "Url parameter is required.")
    if url and not is_url(url):
        raise refuse(21205, url)
    for name in ("StatusCallback", "FallbackUrl"):
        if (other := params.get(name)) is not None and not is_url(other):
            raise ApiError(400, 21205, f"{name} is not a valid URL: {other}")
    for name in ("Method", "StatusCallbackMethod", "FallbackMethod"):
        if params.get(name, "POST").upper() not in {"GET", "POST"}:
            raise ApiError(400, 21200, f"{name} must be GET or POST: {params[name]}")
    # Twilio adds five seconds of its own to what is asked for; not simulated.
    return _whole(params.get("Timeout", "60"), 1, _LONGEST_RING_S, 21208)
