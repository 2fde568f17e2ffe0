"""Apprise itself, against a service of a few lines: its json:// posts to any address."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from notify.channel import SendOutcome
from notify.channels.apprise import TRIES, AppriseChannel
from rules.decisions import Delivery

# One of Apprise's plugins imports a module that Python 3.13 no longer has.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

A, R, P, U = SendOutcome.ACCEPTED, SendOutcome.RETRY, SendOutcome.PERMANENT, SendOutcome.UNKNOWN

Make = Callable[..., Delivery]


@pytest.fixture
async def channel() -> AsyncIterator[AppriseChannel]:
    made = AppriseChannel(timeout_s=8)
    yield made
    await made.aclose()


async def test_a_push_carries_the_text_as_it_is(provider: Any, channel: AppriseChannel, make_delivery: Make) -> None:
    text = "燃气泄漏 <b>*K7*</b>\n1. 开窗"
    delivery = make_delivery(address=provider.url.replace("http", "json") + "/topic", text=text)
    assert (await channel.send(delivery)).outcome is A
    [seen] = provider.seen
    assert json.loads(seen.body)["message"] == text


async def test_an_address_it_does_not_know_is_refused_for_good(channel: AppriseChannel, make_delivery: Make) -> None:
    result = await channel.send(make_delivery(address="nonsense://me:SECRET@push.example.org/TOKEN"))
    assert (result.outcome, result.error) == (P, "nonsense://push.example.org/**** is no Apprise URL")


@pytest.mark.parametrize(("attempts", "outcome"), [(1, R), (TRIES - 1, R), (TRIES, P), (TRIES + 1, P)])
async def test_a_failure_is_tried_again_a_few_times(
    provider: Any, answer: Any, channel: AppriseChannel, make_delivery: Make, *, attempts: int, outcome: SendOutcome
) -> None:
    """Apprise does not say why it failed; after that the next contact method has its turn."""
    provider.behaviour = answer(500)
    address = provider.url.replace("http", "json") + "/SECRET"
    result = await channel.send(make_delivery(address=address, attempts=attempts))
    assert result.outcome is outcome
    assert "SECRET" not in (result.error or "")
    assert len(provider.seen) == 1, "a request was repeated in hiding"


async def test_a_service_that_hangs_leaves_a_doubt(provider: Any, trouble: Any, make_delivery: Make) -> None:
    provider.behaviour = trouble.HANG
    channel = AppriseChannel(timeout_s=0.3)
    address = provider.url.replace("http", "json") + "/SECRET?rto=1.0"
    warm = AppriseChannel()
    await warm.send(make_delivery(address="nonsense://"))  # loads Apprise
    result = await channel.send(make_delivery(address=address))
    await channel.aclose()
    await warm.aclose()
    assert (result.outcome, "SECRET" in (result.error or "")) == (U, False)


async def test_what_waited_for_a_thread_in_vain_never_left(
    make_delivery: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = threading.Event()
    monkeypatch.setattr("notify.channels.apprise._THREADS", 1)
    monkeypatch.setattr("notify.channels.apprise._notify", lambda _url, _text: done.wait(5))
    channel = AppriseChannel(timeout_s=0.2)
    results = await asyncio.gather(*[channel.send(make_delivery(address="json://127.0.0.1/")) for _ in range(2)])
    done.set()
    await channel.aclose()
    assert [result.outcome for result in results] == [U, R]
