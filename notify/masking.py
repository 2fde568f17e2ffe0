"""Phone numbers and addresses with tokens in them, made fit for logs and lists.

It lives in notify because addresses are notify's trade; rules cannot use it (it decides, and shows nothing).
"""

import re

_HIDDEN = "****"

#: `scheme://` up to a blank, a quote or a bracket, without the punctuation of the sentence around it.
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://[^\s\"'<>()\[\]{}，。；、）】]*[^\s\"'<>()\[\]{}，。；、）】,.;:!?]")

#: International numbers, also as a query string writes the plus sign, and mainland mobile numbers without a prefix.
_PHONE = re.compile(r"(?:\+|%2[Bb])[1-9]\d{6,14}(?!\d)|(?<![\d.])1[3-9]\d{9}(?!\d)")


def mask_phone(number: str) -> str:
    """Mask a phone number: `+8613800000001` becomes `138****0001`; others keep three and four digits."""
    plus = number.startswith(("+", "%2B", "%2b"))
    digits = re.sub(r"\D", "", number.removeprefix("%2B").removeprefix("%2b"))
    if plus and digits.startswith("86") and len(digits) == 13:
        digits, plus = digits[2:], False
    if len(digits) < 9:
        return _HIDDEN + digits[-2:] if len(digits) > 4 else _HIDDEN
    return f"{'+' if plus else ''}{digits[:3]}{_HIDDEN}{digits[-4:]}"


def mask_url(url: str) -> str:
    """Mask an address with a scheme: `ntfy://me:key@ntfy.example.org/topic` becomes `ntfy://ntfy.example.org/****`.

    User, path and query are hidden: a topic, a path or a robot's key is a password in all but name. The host is kept
    only if it looks like one, because many services put their token there (`wecombot://KEY`).
    """
    scheme, _, rest = url.partition("://")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if not authority:
        return url  # a file, e.g. sqlite:///shouwang.db
    server = authority.rpartition("@")[2]
    if not re.fullmatch(r"(localhost|[A-Za-z0-9\-]+(\.[A-Za-z0-9\-]+)+)(:\d{1,5})?", server):
        return f"{scheme}://{_HIDDEN}"
    more = rest[len(authority) :].strip("/") or server != authority
    return f"{scheme}://{server}" + (f"/{_HIDDEN}" if more else "")


def mask_address(address: str) -> str:
    """Mask the address of a contact method, of whatever kind."""
    if "://" in address:
        return mask_url(address)
    if "@" in address:
        user, _, host = address.rpartition("@")
        return f"{user[:1]}{_HIDDEN}@{host}"
    return mask_phone(address) if re.fullmatch(r"\+?[\d ()\-]{5,}", address) else address


def mask_place(address: str) -> str:
    """Mask where somebody lives: of `1栋2单元301` the last number is hidden, so that street and house can be told."""
    return re.sub(r"\d+(?=\D*$)", "***", address, count=1)


def mask_text(text: str) -> str:
    """Mask every phone number and address with a scheme in a text."""
    # Addresses first: what is hidden in them may look like a number.
    return _PHONE.sub(lambda found: mask_phone(found[0]), _URL.sub(lambda found: mask_url(found[0]), text))
