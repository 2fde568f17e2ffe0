"""What each way of answering, and of not answering, means for a message; over real HTTP."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from notify.channel import SendOutcome
from notify.channels.http import Courier
from notify.channels.twilio_client import TwilioAccount, TwilioClient, outcome_of

NOW = datetime(2026, 3, 9, 4, 0, tzinfo=UTC)
SID = "AC" + "0" * 32
A, R, P, U = SendOutcome.ACCEPTED, SendOutcome.RETRY, SendOutcome.PERMANENT, SendOutcome.UNKNOWN

Open = Callable[..., TwilioClient]


@pytest.fixture
async def open_client() -> AsyncIterator[Open]:
    """Give a function that opens a client to a base URL."""
    opened = []

    def make(base_url: str, *, timeout_s: float = 5.0) -> TwilioClient:
        account = TwilioAccount(account_sid=SID, auth_token="secret", from_number="+15005550006", api_base_url=base_url)
        client = TwilioClient(account, now=lambda: NOW, courier=Courier(timeout_s=timeout_s, connect_timeout_s=1.0))
        opened.append(client)
        return client

    yield make
    for client in opened:
        await client.aclose()


async def text(rest: Any) -> Any:
    return await rest.messages.create_async(to="+8613800000001", from_="+15005550006", body="你好")


@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [
        (429, 20429, R),
        (429, None, R),
        (400, 21611, R),
        (400, 21211, P),
        (400, 21610, P),
        (400, 21614, P),
        (400, None, P),
        (401, 20003, P),
        (403, None, P),
        (404, 20404, P),
        (405, None, P),
        (301, None, P),
        (307, None, P),
        (408, None, U),
        (500, 20500, U),
        (500, None, U),
        (502, None, U),
        (503, 20503, U),
        (504, None, U),
        (599, None, U),
        (102, None, U),
    ],
)
def test_what_an_answer_means(status: int, code: int | None, outcome: SendOutcome) -> None:
    assert outcome_of(status, code) is outcome


async def test_an_accepted_message(provider: Any, answer: Any, open_client: Open) -> None:
    provider.behaviour = answer(201, {"sid": "SM1", "status": "queued"})
    result = await open_client(provider.url + "/").create(text)
    assert (result.outcome, result.provider_id, result.status, result.error) == (A, "SM1", "queued", None)
    [seen] = provider.seen
    assert (seen.method, seen.path) == ("POST", f"/2010-04-01/Accounts/{SID}/Messages.json")
    assert seen.form == {"To": "+8613800000001", "From": "+15005550006", "Body": "你好"}
    assert seen.headers["authorization"].startswith("Basic ")


@pytest.mark.parametrize(
    ("status", "body", "headers", "outcome", "error", "retry_after_s"),
    [
        (
            400,
            {"code": 21211, "message": "The 'To' number +861380 is not a valid phone number.", "status": 400},
            {},
            P,
            "Twilio answered 400: 21211: the number is not valid",
            None,
        ),
        (
            400,
            {"code": 29999, "message": "Something about +8613800000001."},
            {},
            P,
            "Twilio answered 400: 29999: Something about 138****0001.",
            None,
        ),
        (
            400,
            {"type": "https://x", "title": "Bad", "status": 400, "code": 21610, "detail": "no"},
            {},
            P,
            "Twilio answered 400: 21610: the person has said STOP",
            None,
        ),
        (429, {"code": 20429, "message": "Too many"}, {"Retry-After": "7"}, R, "20429: too many requests", 7.0),
        (429, b"", {}, R, "Twilio answered 429: no reason given", None),
        (500, {"code": 20500, "message": "x"}, {}, U, "Twilio answered 500: 20500: Twilio failed inside", None),
        (502, b"<html>bad gateway</html>", {}, U, "Twilio answered 502: no reason given", None),
        (500, [1], {}, U, "Twilio answered 500: no reason given", None),
        (301, b"", {"Location": "https://elsewhere.example.org"}, P, "Twilio answered 301", None),
        (201, b"not json", {}, U, "cannot be read", None),
        (201, [], {}, U, "cannot be read", None),
        (201, {}, {}, U, "names no message", None),
        (200, b"", {}, U, "names no message", None),
    ],
)
async def test_answers(
    provider: Any,
    answer: Any,
    open_client: Open,
    *,
    status: int,
    body: Any,
    headers: dict[str, str],
    outcome: SendOutcome,
    error: str,
    retry_after_s: float | None,
) -> None:
    provider.behaviour = answer(status, body, headers)
    result = await open_client(provider.url).create(text)
    assert result.outcome is outcome
    assert error in (result.error or "")
    assert result.retry_after_s == retry_after_s
    assert len(provider.seen) == 1, "a request was repeated in hiding"


@pytest.mark.parametrize("what", ["HANG", "RESET", "RESET_AT_ONCE", "CLOSE", "CUT"])
async def test_no_answer_is_a_doubt(provider: Any, trouble: Any, open_client: Open, what: str) -> None:
    """Invariant one-page."""
    provider.behaviour = trouble[what]
    result = await open_client(provider.url, timeout_s=0.3).create(text)
    assert result.outcome is U
    assert len(provider.seen) <= 1, "a request was repeated in hiding"


async def test_a_refused_connection_may_be_tried_again(nobody: str, open_client: Open) -> None:
    result = await open_client(nobody).create(text)
    assert (result.outcome, result.error) == (R, "Twilio was not reached: no connection")


async def test_messages_share_a_connection(provider: Any, answer: Any, open_client: Open) -> None:
    provider.behaviour = answer(201, {"sid": "SM1", "status": "queued"})
    client = open_client(provider.url)
    for _ in range(3):
        await client.create(text)
    assert provider.connections == 1


async def test_the_environment_does_not_rewrite_the_host(
    provider: Any, answer: Any, open_client: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """twilio-python takes an edge from the environment and would call another host than the one that is set."""
    monkeypatch.setenv("TWILIO_EDGE", "sydney")
    monkeypatch.setenv("TWILIO_REGION", "au1")
    provider.behaviour = answer(201, {"sid": "SM1", "status": "queued"})
    assert (await open_client(provider.url).create(text)).outcome is A


def test_the_token_does_not_show() -> None:
    account = TwilioAccount(account_sid=SID, auth_token="secret", from_number="+15005550006")
    assert "secret" not in repr(account)


@pytest.mark.parametrize(
    ("public_url", "address"),
    [
        (None, None),
        ("", None),
        ("https://watch.example.org", "https://watch.example.org/webhooks/twilio/status?delivery=7"),
        ("https://watch.example.org/sub/", "https://watch.example.org/sub/webhooks/twilio/status?delivery=7"),
    ],
)
def test_addresses_of_webhooks(public_url: str | None, address: str | None) -> None:
    account = TwilioAccount(account_sid=SID, auth_token="secret", from_number="+1", public_url=public_url)
    assert account.webhook("status", 7) == address
