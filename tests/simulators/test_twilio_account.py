"""The account's own pages, read with Twilio's client."""

from collections.abc import Callable

import pytest
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.rest import Client

from simulators.twilio import FakeTwilio, FaultKind

# Twilio's own asynchronous client uses what aiohttp is going to drop.
pytestmark = [
    pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated:DeprecationWarning"),
]


async def test_says_whether_it_is_active_and_what_is_left(fake: FakeTwilio, client: Client) -> None:
    fake.account.status, fake.account.type = "suspended", "Trial"
    fake.account.balance, fake.account.currency = "-1.25", "CNY"

    account = await client.api.v2010.accounts(fake.account_sid).fetch_async()
    balance = await client.api.v2010.account.balance.fetch_async()

    assert (account.status, account.type) == ("suspended", "Trial")
    assert (balance.balance, balance.currency) == ("-1.25", "CNY")


async def test_lists_its_own_numbers(fake: FakeTwilio, client: Client) -> None:
    fake.numbers.add("+15005550009")
    fake.account.capabilities["+15005550009"] = {"voice": False}
    fake.sms_url = "https://alarm.example.org/webhooks/twilio/sms"

    (found,) = await client.incoming_phone_numbers.list_async(phone_number="+15005550009")
    everything = await client.incoming_phone_numbers.list_async()

    assert (found.capabilities["sms"], found.capabilities["voice"]) == (True, False)
    assert found.sms_url == fake.sms_url
    assert [one.phone_number for one in everything] == ["+15005550006", "+15005550009"]
    assert await client.incoming_phone_numbers.list_async(phone_number="+15005550001") == []


async def test_asks_for_the_token_and_meets_faults(fake: FakeTwilio, connect: Callable[..., Client]) -> None:
    with pytest.raises(TwilioRestException) as refused:
        await connect(fake, "another").api.v2010.account.balance.fetch_async()
    assert refused.value.status == 401

    fake.faults.add(FaultKind.ERROR_BEFORE, resource="balance", on="read", times=1)
    with pytest.raises(TwilioRestException) as broken:
        await connect(fake).api.v2010.account.balance.fetch_async()
    assert broken.value.status == 500
    assert [entry.resource for entry in fake.reads] == ["balance", "balance"]


async def test_a_provider_may_speak_a_part_of_it_only(fake: FakeTwilio, client: Client) -> None:
    fake.account.without = {"account", "balance", "numbers"}

    for ask in (
        client.api.v2010.accounts(fake.account_sid).fetch_async,
        client.api.v2010.account.balance.fetch_async,
        client.incoming_phone_numbers.list_async,
    ):
        with pytest.raises(TwilioException, match="404"):
            await ask()
