"""The ways to those who run the service, over real HTTP: each takes a message, or says why not."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from rules.trouble import News, NewsEvent, Trouble, TroubleKind
from shouwang import operators
from shouwang.operators import Bulletin
from shouwang.settings import Settings
from simulators.twilio import FakeTwilio

NUMBER, ANOTHER = "+15005550006", "+15005550106"
OPERATOR = "+8613900000001"
NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)


class Hook:
    """Where webhooks and Apprise's JSON go."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[tuple[str, bytes, dict[str, str]]] = []
        self.status = 200

    async def take(self, request: web.Request) -> web.Response:
        self.requests.append((request.path, await request.read(), dict(request.headers)))
        return web.Response(status=self.status)


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    hook = Hook()
    app = web.Application()
    app.router.add_post("/{tail:.*}", hook.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hook.url = f"127.0.0.1:{runner.addresses[0][1]}"
    yield hook
    await runner.cleanup()


@pytest.fixture
async def twilio() -> AsyncIterator[FakeTwilio]:
    async with FakeTwilio(numbers=[NUMBER]) as twilio:
        yield twilio


def bulletin(kind: TroubleKind = TroubleKind.DATABASE, subject: str = "") -> Bulletin:
    trouble = Trouble(kind=kind, subject=subject, detail="away", began_at=NOON, seen_at=NOON, stands=True)
    return Bulletin("数据库不可用", [News(NewsEvent.RAISED, trouble)])


def account(twilio: FakeTwilio, number: str = NUMBER) -> dict[str, Any]:
    return {
        "account_sid": twilio.account_sid,
        "auth_token": twilio.auth_token,
        "from_number": number,
        "api_base_url": twilio.base_url,
    }


async def tell(told: Bulletin, **settings: Any) -> bool:
    made = Settings(_env_file=None, **settings)
    async with operators.from_settings(made, now=lambda: NOON) as ways:
        return await ways.tell(told)


async def test_a_webhook_gets_words_and_fields_signed(hook: Hook) -> None:
    assert await tell(bulletin(), operators={"webhook": f"http://{hook.url}/told?key=1"}, webhook={"secret": "made-up"})

    ((path, body, headers),) = hook.requests
    at, _, digest = headers["X-Shouwang-Signature"].partition(",v1=")
    signed = f"{at.removeprefix('t=')}.".encode() + body
    assert path == "/told"
    assert digest == hmac.new(b"made-up", signed, hashlib.sha256).hexdigest()
    document = json.loads(body)
    assert document["text"] == "数据库不可用"
    assert document["troubles"] == [
        {
            "event": "raised",
            "kind": "database",
            "subject": "",
            "detail": "away",
            "began_at": NOON.isoformat(),
            "ended_at": None,
        }
    ]


# One of Apprise's plugins imports a module that Python 3.13 no longer has.
@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
async def test_what_the_first_refuses_the_next_takes(hook: Hook, twilio: FakeTwilio) -> None:
    """Webhook, Apprise, then texts; and not one more once it is taken."""
    hook.status = 500
    ways = {
        "webhook": f"http://{hook.url}/hook",
        "apprise": f"json://{hook.url}/first json://{hook.url}/second",
        "sms": OPERATOR,
    }
    assert await tell(bulletin(), operators=ways, twilio=account(twilio))
    assert [path for path, _, _ in hook.requests] == ["/hook", "/first", "/second"]
    assert [(one.to, one.body) for one in twilio.messages] == [(OPERATOR, "数据库不可用")]

    hook.status = 200
    assert await tell(bulletin(), operators=ways, twilio=account(twilio))
    assert len(hook.requests) == 4
    assert len(twilio.messages) == 1


async def test_a_text_has_no_receipt_and_is_in_no_outbox(twilio: FakeTwilio) -> None:
    settings = {"twilio": account(twilio), "http": {"public_url": "https://alarm.example.org"}}
    assert await tell(bulletin(), operators={"sms": OPERATOR}, **settings)

    (request,) = twilio.requests
    assert "StatusCallback" not in request.params


async def test_of_two_accounts_the_one_in_trouble_comes_last(twilio: FakeTwilio) -> None:
    async with FakeTwilio(numbers=[ANOTHER]) as other:
        settings = {"twilio": account(twilio), "twilio_2": account(other, ANOTHER), "operators": {"sms": OPERATOR}}
        assert await tell(bulletin(TroubleKind.PROVIDER, "twilio"), **settings)
        assert (len(twilio.messages), len(other.messages)) == (0, 1)

        assert await tell(bulletin(), **settings)
        assert (len(twilio.messages), len(other.messages)) == (1, 1)


async def test_where_every_way_fails_it_says_so_without_addresses(
    hook: Hook, twilio: FakeTwilio, caplog: pytest.LogCaptureFixture
) -> None:
    hook.status = 404
    twilio.faults.add("reject", code=21211)
    ways = {"webhook": f"http://{hook.url}/s3cret", "sms": OPERATOR}

    assert not await tell(bulletin(), operators=ways, twilio=account(twilio))
    assert "it answered 404" in caplog.text
    assert "21211" in caplog.text
    assert "s3cret" not in caplog.text
    assert OPERATOR not in caplog.text


async def test_with_nobody_to_tell_it_says_so_at_the_start(caplog: pytest.LogCaptureFixture) -> None:
    async with operators.from_settings(Settings(_env_file=None), now=lambda: NOON) as ways:
        assert not ways.any
    assert "SHOUWANG_OPERATORS__" in caplog.text
    async with operators.from_settings(Settings(_env_file=None, operators={"sms": OPERATOR}), now=lambda: NOON) as ways:
        assert not ways.any
    assert "no Twilio account" in caplog.text
