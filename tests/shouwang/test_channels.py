import logging
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

import pytest

from notify.channel import Asks
from notify.channels.several import providers_of
from rules.decisions import Delivery
from shouwang import channels
from shouwang.settings import Settings

TWILIO = {"account_sid": "AC0", "auth_token": "made-up", "from_number": "+15005550006"}


async def taken(_delivery: Delivery, _ids: Collection[str]) -> Collection[str]:
    return ()


async def names(**settings: Any) -> set[str]:
    made = Settings(_env_file=None, **settings)
    async with channels.from_settings(made, now=lambda: datetime.now(UTC), taken=taken) as sending:
        assert {channel.name for channel in sending.values()} == set(sending)
        asking = {name for name, channel in sending.items() if isinstance(channel, Asks)}
        assert asking == {"sms", "voice"} & set(sending), "only Twilio can be asked about a doubt"
        return set(sending)


async def test_without_an_account_there_are_no_texts_and_calls_and_it_says_so(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert await names() == {"apprise", "console"}

    assert "no Twilio account is set" in caplog.text


async def test_with_an_account_there_are(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        found = await names(twilio=TWILIO, http={"public_url": "https://alarm.example.org"})

    assert found == {"sms", "voice", "apprise", "console"}
    assert caplog.text == ""


async def test_two_accounts_stand_behind_the_same_channels_in_the_order_of_preference() -> None:
    second = TWILIO | {"account_sid": "AC1"}
    for accounts, providers in (
        ({"twilio": TWILIO}, ("twilio",)),
        ({"twilio_2": second}, ("twilio_2",)),
        ({"twilio_2": second, "twilio": TWILIO}, ("twilio", "twilio_2")),
    ):
        made = Settings(_env_file=None, **accounts)
        async with channels.from_settings(made, now=lambda: datetime.now(UTC), taken=taken) as sending:
            assert providers_of(sending["sms"]) == providers_of(sending["voice"]) == providers
            assert providers_of(sending["console"]) == ("console",)


async def test_without_a_public_address_nobody_can_answer_and_it_says_so(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        await names(twilio=TWILIO)

    assert "replies, receipts and keys on calls cannot reach us" in caplog.text


async def test_webhooks_are_signed_or_not_sent() -> None:
    assert "webhook" in await names(webhook={"secret": "made-up"})
    assert "webhook" not in await names()


def test_stubs_stand_in_for_every_channel() -> None:
    assert set(channels.stubs()) == set(channels.NAMES)
