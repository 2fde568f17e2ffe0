"""Calls and receipts, as far as stories do not tell of them."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from ingest.message import Message
from rules.decisions import Delivery, DeliveryState
from rules.incident import OutcomeKind, Verb
from store import incidents, outbox

Start = Callable[[], Awaitable[Any]]

LI = "+8613800000001"


@pytest.fixture
async def service(start: Start) -> Any:
    """A service whose worker has been called: an incident that goes by voice at once."""
    service, _ = await start()
    now = service.core.now()
    gas = Message(topic="zigbee2mqtt/yl-1-2-301-gas", payload=b'{"gas":true}', retain=False, received_at=now)
    await service.intake.take_in([gas])
    return service


async def sent(service: Any) -> Delivery:
    """The page, as the provider has taken it."""
    claimed = (await service.deliveries.claim(1))[0]
    async with service.core.database.write() as tx:
        assert await outbox.sent(tx, claimed, provider_id="SM1", status="queued", now=service.core.now())
    return await by_id(service, claimed.id)


async def by_id(service: Any, delivery_id: int) -> Delivery:
    async with service.core.database.read() as tx:
        found = await outbox.by_id(tx, delivery_id)
    assert found is not None
    return found


async def incident(service: Any) -> Any:
    async with service.core.database.read() as tx:
        return (await incidents.listing(tx, open_only=False, limit=1))[0]


async def test_a_call_of_nothing_says_that_it_is_over(service: Any) -> None:
    script = await service.phone.call_script(4711)

    assert (script.speech, script.asks) == ("这件事已经结束，谢谢。", False)
    assert await service.phone.call_key(4711, "1") == script


@pytest.mark.parametrize("key", ["9", "5", "#", "*", ""])
async def test_any_other_key_says_it_again(service: Any, key: str) -> None:
    page = await sent(service)
    before = await incident(service)

    assert await service.phone.call_key(page.id, key) == await service.phone.call_script(page.id)
    assert await incident(service) == before


async def test_two_is_for_who_cannot_go(service: Any) -> None:
    page = await sent(service)
    script = await service.phone.call_key(page.id, "2")

    assert not script.asks
    assert (await incident(service)).declined == ("li",)


async def test_a_key_after_all_is_over_is_refused_in_words(service: Any) -> None:
    page = await sent(service)
    await service.desk.act((await incident(service)).id, Verb.OUTCOME, by="chen", via="cli", outcome=OutcomeKind.TEST)

    assert "已由陈刚结束（测试）" in (await service.phone.call_key(page.id, "1")).speech
    assert "已经结束" in (await service.phone.call_script(page.id)).speech


@pytest.mark.parametrize(
    ("kind", "statuses", "state"),
    [
        ("message", ["queued"], DeliveryState.SENT),
        ("message", ["sent"], DeliveryState.SENT),
        ("message", ["sent", "delivered"], DeliveryState.DELIVERED),
        # Whatever order they come in: what has arrived has arrived.
        ("message", ["delivered", "sent"], DeliveryState.DELIVERED),
        ("message", ["undelivered"], DeliveryState.FAILED),
        ("message", ["undelivered", "delivered"], DeliveryState.DELIVERED),
        ("message", ["delivered", "undelivered"], DeliveryState.DELIVERED),
        ("message", ["something new"], DeliveryState.SENT),
        ("call", ["ringing", "in-progress", "completed"], DeliveryState.DELIVERED),
        ("call", ["busy"], DeliveryState.FAILED),
        ("call", ["no-answer"], DeliveryState.FAILED),
    ],
)
async def test_what_receipts_make_of_a_delivery(
    service: Any, kind: str, statuses: list[str], state: DeliveryState
) -> None:
    page = await sent(service)
    for status in statuses:
        for _ in range(2):
            await service.phone.receipt(
                delivery_id=page.id, provider_id="SM1", status=status, error_code=None, kind=kind
            )

    assert (await by_id(service, page.id)).state is state


async def test_a_receipt_without_the_delivery_s_number_is_found_by_the_provider_s_id(service: Any) -> None:
    page = await sent(service)
    await service.phone.receipt(
        delivery_id=None, provider_id="SM1", status="undelivered", error_code="30003", kind="message"
    )

    found = await by_id(service, page.id)
    assert (found.state, found.error) == (DeliveryState.FAILED, "undelivered 30003")
    async with service.core.database.read() as tx:
        rows = await outbox.paged(tx, page.incident_id)
    assert [(row.channel, row.step_key) for row in rows] == [("sms", "r0s0"), ("voice", f"fb:{page.id}")]


async def test_a_receipt_of_nothing_changes_nothing(service: Any) -> None:
    before = await incident(service)
    await service.phone.receipt(delivery_id=4711, provider_id="SM9", status="failed", error_code=None, kind="message")
    await service.phone.receipt(delivery_id=None, provider_id="SM8", status="failed", error_code=None, kind="call")

    assert await incident(service) == before


@pytest.mark.parametrize("text", ["", "\0", "🙂" * 800, "１" * 1600, "' OR 1=1 --", "K7\nK8"])
async def test_no_text_is_too_strange(service: Any, text: str) -> None:
    """Whatever a phone sends is answered or not, and changes nothing."""
    before = await incident(service)
    await service.phone.sms(provider_id="SM1", sender=LI, text=text)

    assert await incident(service) == before
