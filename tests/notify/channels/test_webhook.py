"""Signed JSON, over real HTTP."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from notify.channel import SendOutcome
from notify.channels.http import Courier
from notify.channels.webhook import WebhookChannel, outcome_of, signature
from rules.decisions import Delivery, Priority

NOW = datetime(2026, 3, 9, 4, 0, tzinfo=UTC)
A, R, P, U = SendOutcome.ACCEPTED, SendOutcome.RETRY, SendOutcome.PERMANENT, SendOutcome.UNKNOWN

Make = Callable[..., Delivery]


@pytest.fixture
async def webhook() -> AsyncIterator[WebhookChannel]:
    channel = WebhookChannel(now=lambda: NOW, secret="secret", courier=Courier(timeout_s=0.5, connect_timeout_s=0.3))
    yield channel
    await channel.aclose()


async def test_what_is_posted(provider: Any, answer: Any, webhook: WebhookChannel, make_delivery: Make) -> None:
    provider.behaviour = answer(204)
    delivery = make_delivery(channel="webhook", address=f"{provider.url}/hook?key=1", late_s=12, drill=True)
    result = await webhook.send(delivery)
    assert (result.outcome, result.status, result.error) == (A, "204", None)

    [seen] = provider.seen
    assert (seen.method, seen.path, seen.query) == ("POST", "/hook", {"key": "1"})
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["idempotency-key"] == "1"
    assert json.loads(seen.body) == {
        "version": 1,
        "delivery": 1,
        "incident": "4b1d",
        "step": "r0s0",
        "purpose": "page",
        "life_safety": True,
        "to": {"id": "w07-a", "name": "李明"},
        "code": "K7",
        "text": delivery.text,
        "drill": True,
        "late_s": 12,
        "created_at": "2026-03-09T04:00:00+00:00",
        "expires_at": "2026-03-09T04:30:00+00:00",
    }
    t, v1 = (part.partition("=")[2] for part in seen.headers["x-shouwang-signature"].split(","))
    assert int(t) == NOW.timestamp()
    assert v1 == hmac.new(b"secret", t.encode() + b"." + seen.body, hashlib.sha256).hexdigest()


def test_the_signature_of_the_documentation() -> None:
    assert signature(b"secret", 1773028800, b"{}") == (
        "t=1773028800,v1=" + hmac.new(b"secret", b"1773028800.{}", "sha256").hexdigest()
    )


async def test_without_a_secret_nothing_is_signed(provider: Any, make_delivery: Make) -> None:
    channel = WebhookChannel(now=lambda: NOW)
    await channel.send(make_delivery(address=provider.url, priority=Priority.INFORM))
    await channel.aclose()
    [seen] = provider.seen
    assert "x-shouwang-signature" not in seen.headers
    assert json.loads(seen.body)["life_safety"] is False


async def test_tries_of_one_delivery_carry_one_key(provider: Any, webhook: WebhookChannel, make_delivery: Make) -> None:
    """Invariant one-page: the receiver can tell a repeat from a second page."""
    delivery = make_delivery(address=provider.url)
    await webhook.send(delivery)
    await webhook.send(delivery)
    assert len({seen.headers["idempotency-key"] for seen in provider.seen}) == 1


@pytest.mark.parametrize(
    ("status", "retry_after", "outcome"),
    [
        (429, None, R),
        (429, 5.0, R),
        (503, 5.0, R),
        (503, None, U),
        (500, None, U),
        (502, 5.0, U),
        (504, None, U),
        (408, None, U),
        (400, None, P),
        (401, None, P),
        (404, None, P),
        (410, None, P),
        (301, None, P),
        (308, None, P),
        (102, None, U),
    ],
)
def test_what_an_answer_means(status: int, retry_after: float | None, outcome: SendOutcome) -> None:
    assert outcome_of(status, retry_after) is outcome


@pytest.mark.parametrize(
    ("status", "body", "headers", "outcome", "error", "retry_after_s"),
    [
        (200, b"ok", {}, A, None, None),
        (429, b"", {"Retry-After": "7"}, R, "the webhook answered 429", 7.0),
        (503, b"busy", {"Retry-After": "7"}, R, "the webhook answered 503: busy", 7.0),
        (503, b"", {}, U, "the webhook answered 503", None),
        (400, b"no +8613800000001\n here", {}, P, "the webhook answered 400: no 138****0001 here", None),
        (500, b"x" * 1000, {}, U, "the webhook answered 500: " + "x" * 200, None),
    ],
)
async def test_answers(
    provider: Any,
    answer: Any,
    webhook: WebhookChannel,
    make_delivery: Make,
    *,
    status: int,
    body: bytes,
    headers: dict[str, str],
    outcome: SendOutcome,
    error: str | None,
    retry_after_s: float | None,
) -> None:
    provider.behaviour = answer(status, body, headers)
    result = await webhook.send(make_delivery(address=provider.url))
    assert (result.outcome, result.error, result.retry_after_s) == (outcome, error, retry_after_s)


@pytest.mark.parametrize("what", ["HANG", "RESET", "CLOSE", "CUT"])
async def test_no_answer_is_a_doubt(
    provider: Any, trouble: Any, webhook: WebhookChannel, make_delivery: Make, what: str
) -> None:
    provider.behaviour = trouble[what]
    assert (await webhook.send(make_delivery(address=provider.url))).outcome is U


async def test_a_refused_connection_may_be_tried_again(
    nobody: str, webhook: WebhookChannel, make_delivery: Make
) -> None:
    assert (await webhook.send(make_delivery(address=nobody))).outcome is R


@pytest.mark.parametrize("address", ["ftp://example.org/x", "/etc/passwd", ""])
async def test_other_addresses_are_refused(webhook: WebhookChannel, make_delivery: Make, address: str) -> None:
    result = await webhook.send(make_delivery(address=address))
    assert (result.outcome, result.error) == (P, "the address is not one of http or https")
