"""The accounts for texts and calls, at a fake provider."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from shouwang.doctor import provider
from shouwang.doctor.diagnosis import Diagnosis, Grade
from simulators.twilio import FakeTwilio, FaultKind

FINDING, NOTE, FINE = Grade.FINDING, Grade.NOTE, Grade.FINE
PUBLIC = "https://alarm.example.org"
NUMBER = "+15005550006"

Look = Callable[..., Awaitable[list[Diagnosis]]]


@pytest.fixture
def look(fake: FakeTwilio, account: dict[str, Any], make_settings: Any, make_patient: Any) -> Look:
    """Examine the account, with other fields where a test says so."""
    fake.sms_url = f"{PUBLIC}/webhooks/twilio/sms"

    async def look(**fields: Any) -> list[Diagnosis]:
        settings = make_settings(twilio=account | fields, http={"public_url": PUBLIC})
        return await provider.look(make_patient(settings))

    return look


def findings(told: list[Diagnosis]) -> list[str]:
    return [one.what for one in told if one.grade is FINDING]


async def test_an_account_in_order_and_nothing_is_sent(look: Look, fake: FakeTwilio) -> None:
    told = await look()

    assert [one.grade for one in told] == [FINE] * 4
    assert fake.requests == []


async def test_wrong_credentials(look: Look) -> None:
    [only] = await look(auth_token="another-secret")

    assert (only.grade, only.where) == (FINDING, "SHOUWANG_TWILIO__AUTH_TOKEN")
    assert "another-secret" not in f"{only}"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"status": "suspended"}, "the account is suspended"),
        ({"type": "Trial"}, "it is a trial account"),
        ({"balance": "0.00"}, "0.00 USD left: nothing more is sent"),
        ({"balance": "-3.10", "currency": "CNY"}, "-3.10 CNY left: nothing more is sent"),
        ({"balance": "4.99"}, "one bad night"),
        ({"capabilities": {NUMBER: {"voice": False}}}, "+150****0006 cannot call"),
        ({"capabilities": {NUMBER: {"voice": False, "sms": False}}}, "cannot send texts or call"),
    ],
)
async def test_what_may_be_wrong_with_an_account(
    look: Look, fake: FakeTwilio, fields: dict[str, Any], words: str
) -> None:
    for name, value in fields.items():
        setattr(fake.account, name, value)

    [only] = findings(await look())

    assert words in only


async def test_a_number_of_somebody_else(look: Look) -> None:
    assert findings(await look(from_number="+15005550001")) == [
        "+150****0001 is no number of this account: it is refused"
    ]


@pytest.mark.parametrize(
    ("url", "words"),
    [(None, "nowhere"), ("https://old.example.org/sms", "to https://old.example.org/sms")],
)
async def test_replies_that_go_elsewhere(look: Look, fake: FakeTwilio, url: str | None, words: str) -> None:
    fake.sms_url = url

    [only] = findings(await look())

    assert only.endswith(f"are not brought to us, but {words}")


async def test_a_messaging_service_cannot_call(look: Look) -> None:
    told = await look(from_number="MG0123")

    assert [(one.grade, "calls from it are refused" in one.what) for one in told][-1] == (NOTE, True)


async def test_a_provider_that_speaks_a_part_of_the_api_is_noted(look: Look, fake: FakeTwilio) -> None:
    fake.account.without = {"account", "balance", "numbers"}

    assert [one.grade for one in await look()] == [NOTE, NOTE]


async def test_a_provider_out_of_reach_or_in_trouble_is_one_finding(look: Look, fake: FakeTwilio) -> None:
    fake.faults.add(FaultKind.ERROR_BEFORE, on="all")
    [broken] = await look()
    [away] = await look(api_base_url="http://127.0.0.1:9")

    assert "answered 500" in broken.what
    assert away.what == "was not reached: no connection"


async def test_what_does_not_speak_it_at_all_is_a_finding(look: Look, fake: FakeTwilio) -> None:
    """An address that knows none of it, and one that answers everything, as a portal for guests does."""
    elsewhere = await look(api_base_url=f"{fake.base_url}/elsewhere")

    async def welcome(_request: web.Request) -> web.Response:
        return web.Response(text="<html>Welcome</html>", content_type="text/html")

    app = web.Application()
    app.router.add_get("/{path:.*}", welcome)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    portal = await look(api_base_url=f"http://127.0.0.1:{runner.addresses[0][1]}")
    await runner.cleanup()

    assert ["does not list what was sent" in one for one in findings(elsewhere)] == [True]
    assert ["cannot be read" in one for one in findings(portal)] == [True]


async def test_both_accounts_are_examined_and_none_is_a_note(
    fake: FakeTwilio, account: dict[str, Any], make_settings: Any, make_patient: Any
) -> None:
    both = make_settings(twilio=account, twilio_2=account | {"auth_token": "another"})
    told = await provider.look(make_patient(both))
    none = await provider.look(make_patient(make_settings()))

    assert [one.where for one in told if one.grade is FINDING] == ["SHOUWANG_TWILIO_2__AUTH_TOKEN"]
    assert [one.grade for one in none] == [NOTE]
