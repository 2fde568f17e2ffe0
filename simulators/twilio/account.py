"""The account itself: whether it is active, what it has left, and which numbers are its own."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from simulators.twilio.resources import API_VERSION


@dataclass(slots=True, kw_only=True)
class Account:
    """What the provider says of an account; may be changed at any time."""

    #: `active`, `suspended` or `closed`.
    status: str = "active"
    #: `Full`, or `Trial`: then only verified numbers can be reached.
    type: str = "Full"
    balance: str = "50.00"
    currency: str = "USD"
    #: What a number can do, where it is not both; by number.
    capabilities: dict[str, dict[str, bool]] = field(default_factory=dict)
    #: What there is no page for, as at a provider that speaks a part of the API: `account`, `balance`, `numbers`.
    without: set[str] = field(default_factory=set)


def resource(account: Account, sid: str) -> dict[str, Any]:
    """The account."""
    return {
        "sid": sid,
        "friendly_name": "Shouwang",
        "status": account.status,
        "type": account.type,
        "date_created": "Mon, 05 Jan 2026 08:00:00 +0000",
        "date_updated": "Mon, 05 Jan 2026 08:00:00 +0000",
        "uri": f"/{API_VERSION}/Accounts/{sid}.json",
    }


def balance(account: Account, sid: str) -> dict[str, Any]:
    """What is left of the money."""
    return {"account_sid": sid, "balance": account.balance, "currency": account.currency}


def numbers(
    account: Account, sid: str, owned: Collection[str], sms_url: str | None, query: Mapping[str, str]
) -> dict[str, Any]:
    """The account's numbers, in one page; `PhoneNumber` narrows it to those that contain it."""
    wanted = query.get("PhoneNumber", "")
    found = sorted(number for number in owned if wanted in number)
    path = f"/{API_VERSION}/Accounts/{sid}/IncomingPhoneNumbers"
    return {
        "incoming_phone_numbers": [
            {
                "sid": f"PN{number.lstrip('+'):0>32}",
                "account_sid": sid,
                "phone_number": number,
                "friendly_name": number,
                "capabilities": {"sms": True, "voice": True, **account.capabilities.get(number, {})},
                "sms_url": sms_url or "",
                "sms_method": "POST",
                "voice_url": "",
                "status": "in-use",
            }
            for number in found
        ],
        "first_page_uri": f"{path}.json?Page=0",
        "next_page_uri": None,
        "previous_page_uri": None,
        "page": 0,
        "page_size": 50,
        "start": 0,
        "end": max(0, len(found) - 1),
        "uri": f"{path}.json",
    }
