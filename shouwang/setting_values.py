"""What single settings may be, with a sentence for what they may not. No sentence holds what could be a secret."""

import re
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import SecretStr
from pydantic_core import PydanticCustomError

from ingest.options import MqttOptions, OptionsError
from rules.pace import KNOWN, LONGEST, Limit
from shouwang.config.problems import did_you_mean

#: The broker's address that stands for the broker Shouwang brings along.
EMBEDDED: Final = "embedded"
#: The type of an error whose message is already a sentence for people.
SENTENCE: Final = "sentence"


def sentence(message: str) -> PydanticCustomError:
    """An error whose message is shown as it is."""
    return PydanticCustomError(SENTENCE, "{message}", {"message": message})


def listen(value: str) -> str:
    """`host:port`, an IPv6 host in brackets."""
    host, _, port = value.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535 or (":" in host and not host.startswith("[")):
        raise sentence(
            f"'{value}' is not an address to listen on; write host:port, such as 127.0.0.1:8080 or [::1]:8080"
        )
    return value


def web_address(value: str) -> str:
    """An address that paths are added to: no user, no query, no slash at the end."""
    if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", value):
        raise sentence("this is not a web address; write it without user and query, such as https://alarm.example.org")
    return value.rstrip("/")


def database(value: str) -> str:
    """An address of one of the databases we know; what is behind the scheme is up to the store."""
    if not re.match(r"(sqlite|postgresql|postgres)(\+\w+)?://", value):
        raise sentence(
            "this is not a database's address; write sqlite:///shouwang.db or postgresql://user:pass@host/name"
        )
    return value


def time_zone(value: str) -> str:
    """A zone of the tz database."""
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        hint = did_you_mean(value, available_timezones()) or "; write one such as Asia/Shanghai"
        raise sentence(f"there is no time zone '{value}'{hint}") from None
    return value


def account_sid(value: str) -> str:
    """An account of Twilio."""
    if not value.startswith("AC"):
        raise sentence("an account SID of Twilio begins with AC")
    return value


def sender(value: str) -> str:
    """A number in E.164, or a messaging service of Twilio."""
    if not re.fullmatch(r"\+[1-9]\d{6,14}|MG\w+", value, re.ASCII):
        raise sentence("write the number with + and the country code, or the SID of a messaging service (MG…)")
    return value


def broker(value: SecretStr) -> SecretStr:
    """The broker's address, or `embedded`; what is wrong with it ingest says, without the password."""
    if value.get_secret_value() != EMBEDDED:
        try:
            MqttOptions.from_url(value.get_secret_value())
        except OptionsError as error:
            raise sentence(f"{error} Or write `embedded` for the broker that Shouwang brings along.") from None
    return value


def full_web_address(value: SecretStr) -> SecretStr:
    """An address to call as it is; it may hold a token, and so is never said."""
    if not re.fullmatch(r"https?://[^\s/?#]+([/?]\S*)?", value.get_secret_value()):
        raise sentence("this is not a web address; write one such as https://hc-ping.com/…")
    return value


def apprise_addresses(value: SecretStr) -> SecretStr:
    """Addresses of Apprise, with blanks between them."""
    if not all(re.match(r"[A-Za-z][A-Za-z0-9+.\-]*://\S", one) for one in value.get_secret_value().split()):
        raise sentence("write addresses of Apprise, such as ntfy://…, with blanks between them")
    return value


def phone_numbers(value: str) -> str:
    """Numbers in E.164, with blanks between them."""
    if not all(re.fullmatch(r"\+[1-9]\d{6,14}", one, re.ASCII) for one in value.split()):
        raise sentence("write numbers with + and the country code, with blanks between them")
    return value


def secret_word(value: SecretStr) -> SecretStr:
    """A secret that cannot be guessed."""
    if len(value.get_secret_value()) < 16:
        raise sentence("a secret has at least 16 characters; `openssl rand -hex 16` makes one")
    return value


def pace(value: str) -> str:
    """`sms=30/60 feishu=5/1,100/60 voice=none`: how many messages within how many seconds."""
    limits(value)
    return value


def limits(value: str) -> dict[str, tuple[Limit, ...]]:
    """What is allowed where: what providers are known to allow, with what a setting says in its place."""
    found = dict(KNOWN)
    for part in value.split():
        name, equals, said = part.lower().partition("=")
        counts = [] if said == "none" else said.split(",")
        good = [re.fullmatch(r"([1-9][0-9]{0,5})/([1-9][0-9]{0,2})", one) for one in counts]
        if not (equals and re.fullmatch(r"[a-z][a-z0-9+.-]*", name)) or None in good:
            raise sentence(
                f"'{part}' is not a pace; write a channel or the beginning of an Apprise address, and how many messages"
                " within how many seconds (300 at the most), such as sms=30/60, feishu=5/1,100/60 or voice=none"
            )
        found[name] = tuple(Limit(int(one[1]), int(one[2])) for one in good if one)
        if any(limit.seconds > LONGEST.total_seconds() for limit in found[name]):
            raise sentence(f"'{part}' counts over more than {LONGEST.total_seconds():.0f} seconds")
    return found
