"""What an account says of itself is found out before an alarm needs it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from notify.channels.http import Courier
from notify.channels.twilio_client import TwilioAccount, TwilioClient
from shouwang.account import Accounts
from simulators.twilio import FakeTwilio


@pytest.fixture
async def twilio() -> AsyncIterator[FakeTwilio]:
    async with FakeTwilio(numbers=["+15005550006"]) as twilio:
        yield twilio


@pytest.fixture
async def client(twilio: FakeTwilio) -> AsyncIterator[TwilioClient]:
    account = TwilioAccount(
        account_sid=twilio.account_sid,
        auth_token=twilio.auth_token,
        from_number="+15005550006",
        api_base_url=twilio.base_url,
    )
    client = TwilioClient(account, now=lambda: datetime.now(UTC), courier=Courier(timeout_s=0.3))
    yield client
    await client.aclose()


async def found(client: TwilioClient, *, times: int = 1, below: float = 5) -> list[tuple[str, str, str]]:
    accounts = Accounts({"twilio": client}, balance_below={"twilio": below})
    for _ in range(times):
        await accounts.ask()
    return [(str(one.kind), one.subject, one.detail) for one in accounts.symptoms()]


async def test_an_account_in_order_is_nothing_to_say(client: TwilioClient, twilio: FakeTwilio) -> None:
    assert await found(client) == []
    assert [one.resource for one in twilio.reads] == ["balance"]
    assert twilio.requests == []


async def test_a_balance_near_its_end_is(client: TwilioClient, twilio: FakeTwilio) -> None:
    twilio.account.balance, twilio.account.currency = "4.99", "CNY"
    assert await found(client) == [("quota", "twilio", "the balance is 4.99 CNY")]
    assert await found(client, below=0) == []

    twilio.account.balance = "-3"
    assert await found(client) == [("quota", "twilio", "the balance is -3 CNY")]
    twilio.account.balance = ""
    assert await found(client) == []


async def test_credentials_that_are_refused_are(client: TwilioClient) -> None:
    client.account = replace(client.account, auth_token="wrong")

    ((kind, subject, detail),) = await found(client)
    assert (kind, subject) == ("provider", "twilio")
    assert "the account or its token is wrong" in detail


async def test_another_firm_without_such_a_page_is_not(client: TwilioClient, twilio: FakeTwilio) -> None:
    twilio.account.without = {"balance"}
    assert await found(client, times=5) == []


async def test_one_question_that_is_lost_says_nothing_and_three_do(client: TwilioClient, twilio: FakeTwilio) -> None:
    twilio.faults.add("refuse", on="all")
    assert await found(client, times=2) == []
    ((kind, _, detail),) = await found(client, times=3)
    assert (kind, "not reached" in detail) == ("provider", True)


async def test_it_is_over_with_the_next_answer(client: TwilioClient, twilio: FakeTwilio) -> None:
    accounts = Accounts({"twilio": client}, balance_below={"twilio": 5})
    twilio.account.balance = "1"
    await accounts.ask()
    assert accounts.symptoms() != []
    twilio.account.balance = "100"
    await accounts.ask()
    assert accounts.symptoms() == []
