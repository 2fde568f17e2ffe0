"""The accounts for texts and calls: whether they let us in, may send, have something left, and know our number.

Only read; nothing is sent.
"""

from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from notify.channels.http import MayHaveLeftError, NeverLeftError
from notify.channels.twilio_client import RefusedError, TwilioAccount, TwilioClient, UnreadableError
from notify.masking import mask_phone
from shouwang import channels
from shouwang.doctor.diagnosis import Diagnosis, finding, fine, note
from shouwang.doctor.patient import Patient
from shouwang.settings import variable

SUBJECT = "provider"

_SMS_PATH = "/webhooks/twilio/sms"


async def look(patient: Patient) -> list[Diagnosis]:
    """Examine every account that is set."""
    told = []
    for group, account in channels.accounts(patient.settings).items():
        client = TwilioClient(account, now=patient.now)
        try:
            told += await _account(client, group, getattr(patient.settings, group).balance_below)
        finally:
            await client.aclose()
    return told or [note(SUBJECT, "no account for texts and calls is set", where=variable(("twilio", "account_sid")))]


async def _account(client: TwilioClient, group: str, balance_below: float) -> list[Diagnosis]:
    where = variable((group, "account_sid"))
    try:
        account = await _asked(client, lambda rest: rest.api.v2010.accounts(client.account.account_sid).fetch_async())
        told = [*of_account(account, where)]
        if account is None and await _asked(client, lambda rest: rest.messages.list_async(limit=1)) is None:
            what = "does not list what was sent, so that after a crash nobody can say whether a text left"
            told.append(finding(SUBJECT, what, where=_address(client.account), advice="Is this the right address?"))
        if account is not None and account.status == "active":
            balance = await _asked(client, lambda rest: rest.api.v2010.account.balance.fetch_async())
            told += of_balance(balance, where, Decimal(balance_below))
        sender = client.account.from_number
        if sender.startswith("MG"):
            told += of_service(group)
        else:
            numbers = await _asked(
                client, lambda rest: rest.incoming_phone_numbers.list_async(phone_number=sender, limit=5)
            )
            told += of_numbers(numbers, client.account, group)
    except RefusedError as error:
        return [refused(error, group)]
    except (NeverLeftError, MayHaveLeftError) as error:
        advice = "Look at the way out: firewall, proxy, name look-up. While it lasts, nobody gets texts or calls."
        return [finding(SUBJECT, f"was not reached: {error}", where=_address(client.account), advice=advice)]
    except UnreadableError as error:
        address = variable((group, "api_base_url"))
        return [finding(SUBJECT, str(error), where=address, advice="Does this address speak Twilio's API?")]
    return told


def _address(account: TwilioAccount) -> str:
    return account.api_base_url or "https://api.twilio.com"


async def _asked(client: TwilioClient, question: Callable[[Any], Awaitable[Any]]) -> Any:
    """Ask; None where the provider has no such page, as those who speak a part of the API only."""
    try:
        return await client.read(question)
    except RefusedError as error:
        if error.status in {404, 405, 501}:
            return None
        raise


def refused(error: RefusedError, group: str) -> Diagnosis:
    """Say what a refusal means."""
    if error.status in {401, 403}:
        token = variable((group, "auth_token"))
        advice = f"Compare {variable((group, 'account_sid'))} and {token} with the provider's console."
        return finding(SUBJECT, f"refuses the credentials: {error}", where=token, advice=advice)
    return finding(SUBJECT, str(error), where=variable((group, "api_base_url")), advice="Ask the provider.")


def of_account(account: Any, where: str) -> Iterator[Diagnosis]:
    """Say whether the account may be used; None where the provider does not say."""
    if account is None:
        yield note(SUBJECT, "the provider does not say how the account stands", where=where)
        return
    status = str(account.status)
    if status != "active":
        advice = "Settle it in the provider's console; until then nothing is sent."
        yield finding(SUBJECT, f"the account is {status}", where=where, advice=advice)
    elif str(account.type) == "Trial":
        yield finding(
            SUBJECT,
            "it is a trial account, which reaches verified numbers only and puts a line of its own before each text",
            where=where,
            advice="Upgrade it, or verify every worker's number.",
        )
    else:
        yield fine(SUBJECT, "the account is active", where=where)


def of_balance(balance: Any, where: str, below: Decimal) -> Iterator[Diagnosis]:
    """Say whether something is left to pay with; `below` is where it counts as little, in the account's currency."""
    try:
        left = Decimal(balance.balance) if balance is not None else None
    except (InvalidOperation, TypeError):
        left = None
    if left is None:
        yield note(SUBJECT, "the provider does not say what the account has left", where=where)
        return
    shown = f"the account has {left:.2f} {balance.currency or ''}".rstrip()
    advice = "Add credit, and let the provider do so by itself (auto-recharge)."
    if left <= 0:
        yield finding(SUBJECT, f"{shown} left: nothing more is sent", where=where, advice=advice)
    elif left < below:
        yield finding(SUBJECT, f"{shown} left, which one bad night uses up", where=where, advice=advice)
    else:
        yield fine(SUBJECT, f"{shown} left", where=where)


def of_service(group: str) -> Iterator[Diagnosis]:
    """Say what a messaging service means."""
    yield note(
        SUBJECT,
        "the sender is a messaging service: it sends texts, and calls from it are refused",
        where=variable((group, "from_number")),
        advice="Name a number where workers are called by voice.",
    )


def of_numbers(numbers: list[Any] | None, account: TwilioAccount, group: str) -> Iterator[Diagnosis]:
    """Say whether the number we send from is the account's, and brings replies to us."""
    where, shown = variable((group, "from_number")), mask_phone(account.from_number)
    if numbers is None:
        yield note(SUBJECT, f"the provider does not say whether {shown} is a number of the account", where=where)
        return
    ours = next((one for one in numbers if one.phone_number == account.from_number), None)
    if ours is None:
        advice = "Write a number that the provider's console lists for this account."
        yield finding(SUBJECT, f"{shown} is no number of this account: it is refused", where=where, advice=advice)
        return
    able = ours.capabilities if isinstance(ours.capabilities, dict) else {}
    lacking = [word for name, word in (("sms", "send texts"), ("voice", "call")) if able.get(name) is False]
    if lacking:
        advice = "Take a number that can, or let nobody's contact depend on it."
        yield finding(SUBJECT, f"{shown} cannot {' or '.join(lacking)}", where=where, advice=advice)
    else:
        yield fine(SUBJECT, f"{shown} is the account's, for texts and calls", where=where)
    if account.public_url is None:
        return
    wanted = f"{account.public_url.rstrip('/')}{_SMS_PATH}"
    if (ours.sms_url or "").rstrip("/") != wanted:
        yield finding(
            SUBJECT,
            f"replies to {shown} are not brought to us, but {'to ' + ours.sms_url if ours.sms_url else 'nowhere'}",
            where="the number's 'A message comes in'",
            advice=f"Enter {wanted} (POST) in the provider's console.",
        )
    else:
        yield fine(SUBJECT, f"replies to {shown} are brought to us")
