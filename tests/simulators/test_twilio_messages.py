"""The fake's Messages against what Twilio documents, asked by Twilio's own client."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from simulators.clock import HandClock
from simulators.twilio import FakeTwilio, Message, listing
from simulators.twilio.errors import ApiError
from simulators.twilio.resources import segments

FROM = "+15005550006"
WORKER = "+8613800000001"

# Twilio's own asynchronous client uses what aiohttp is going to drop.
pytestmark = [
    pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated:DeprecationWarning"),
]

Go = Callable[[float], Awaitable[None]]


async def test_created_message_is_queued_and_can_be_fetched(fake: FakeTwilio, client: Client) -> None:
    created = await client.messages.create_async(to=WORKER, from_=FROM, body="燃气泄漏 K7")
    assert re.fullmatch(r"SM[0-9a-f]{32}", created.sid)
    assert (created.status, created.direction, created.date_sent) == ("queued", "outbound-api", None)
    assert (created.to, created.from_, created.body) == (WORKER, FROM, "燃气泄漏 K7")
    fetched = await client.messages(created.sid).fetch_async()
    assert fetched.date_created == created.date_created == fake.messages[0].created_at
    [request] = fake.requests
    assert (request.accepted, request.sid, request.status) == (True, created.sid, 201)


async def test_message_goes_from_queued_to_sent_to_delivered(fake: FakeTwilio, client: Client, go: Go) -> None:
    """The phone has the text when the status is `delivered`, not before."""
    created = await client.messages.create_async(to=WORKER, from_=FROM, body="hello")
    await go(0.5)
    assert (await client.messages(created.sid).fetch_async()).status == "sent"
    assert fake.phone(WORKER).texts == []
    await go(1.5)
    assert (await client.messages(created.sid).fetch_async()).status == "delivered"
    assert [text.body for text in fake.phone(WORKER).texts] == ["hello"]


async def test_callbacks_are_signed_and_never_report_the_first_status(
    fake: FakeTwilio, client: Client, go: Go, service: Any
) -> None:
    created = await client.messages.create_async(
        to=WORKER, from_=FROM, body="hello", status_callback=f"{service.url}/status?delivery=17&n=%E4%B8%80"
    )
    await go(10)
    assert service.statuses() == ["sent", "delivered"]
    assert all(seen.valid for seen in service.seen)
    assert (
        service.seen[0].params.items()
        >= {
            "MessageSid": created.sid,
            "SmsSid": created.sid,
            "SmsStatus": "sent",
            "MessageStatus": "sent",
            "To": WORKER,
            "From": FROM,
            "AccountSid": fake.account_sid,
            "ApiVersion": "2010-04-01",
        }.items()
    )


async def test_signature_is_of_the_public_address(fake: FakeTwilio, client: Client, go: Go, service: Any) -> None:
    """Behind a proxy the service hears another address than the one that was signed."""
    service.public = "https://alerts.example.org"
    fake.routes[service.public] = service.url
    await client.messages.create_async(
        to=WORKER, from_=FROM, body="x", status_callback="https://alerts.example.org/status"
    )
    await go(10)
    assert [(seen.valid, seen.host) for seen in service.seen] == [(True, "alerts.example.org")] * 2


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"to": ""}, 21604),
        ({"to": "13800000001"}, 21211),
        ({"to": "+86138"}, 21211),
        ({"to": "+8613800000001x"}, 21211),
        ({"body": ""}, 21602),
        ({"from_": ""}, 21603),
        ({"from_": "+12025550123"}, 21606),
        ({"from_": "Shouwang"}, 21212),
        ({"to": FROM}, 21266),
        ({"body": "守" * 1601}, 21617),
        ({"status_callback": "localhost/status"}, 21609),
        ({"status_callback": "http://under_score.example/x"}, 21609),
        ({"validity_period": 0}, 90007),
        ({"validity_period": 36001}, 90007),
        # Twilio's magic numbers.
        ({"to": "+15005550001"}, 21211),
        ({"to": "+15005550002"}, 21612),
        ({"to": "+15005550003"}, 21408),
        ({"to": "+15005550004"}, 21610),
        ({"to": "+15005550009"}, 21614),
        ({"from_": "+15005550001"}, 21212),
        ({"from_": "+15005550007"}, 21606),
        ({"from_": "+15005550008"}, 21611),
    ],
)
async def test_refusals(fake: FakeTwilio, client: Client, fields: dict[str, str], code: int) -> None:
    """A refused request stores nothing, and stands in the ledger as refused."""
    with pytest.raises(TwilioRestException) as refused:
        await client.messages.create_async(**{"to": WORKER, "from_": FROM, "body": "hello", **fields})
    assert (refused.value.status, refused.value.code) == (400, code)
    assert fake.messages == []
    assert [(r.accepted, r.status, r.code) for r in fake.requests] == [(False, 400, code)]


async def test_wrong_token_is_20003(fake: FakeTwilio, connect: Callable[..., Client]) -> None:
    with pytest.raises(TwilioRestException) as refused:
        await connect(fake, "wrong").messages.create_async(to=WORKER, from_=FROM, body="hello")
    assert (refused.value.status, refused.value.code) == (401, 20003)
    assert fake.messages == []


async def test_unknown_sid_is_20404(client: Client) -> None:
    with pytest.raises(TwilioRestException) as refused:
        await client.messages("SM" + "0" * 32).fetch_async()
    assert (refused.value.status, refused.value.code) == (404, 20404)


async def test_list_filters_by_number_and_shows_newest_first(
    fake: FakeTwilio, client: Client, clock: HandClock
) -> None:
    for body in ("a", "b", "c"):
        await client.messages.create_async(to=WORKER, from_=FROM, body=body)
        clock.move(1)
    await client.messages.create_async(to="+8613800000002", from_=FROM, body="d")
    assert [m.body for m in await client.messages.list_async(to=WORKER)] == ["c", "b", "a"]
    assert [m.body for m in await client.messages.list_async(from_=FROM)] == ["d", "c", "b", "a"]
    assert await client.messages.list_async(to=WORKER, from_="+12025550123") == []
    assert len(fake.reads) == 3


async def test_list_filters_by_the_day_and_time_it_was_sent(client: Client, clock: HandClock, go: Go) -> None:
    """All three forms; what has not been sent yet is in none of them."""
    start = clock.time
    for body in ("first", "second"):
        await client.messages.create_async(to=WORKER, from_=FROM, body=body)
        await go(24 * 3600)
    await client.messages.create_async(to=WORKER, from_=FROM, body="queued")
    day = start.date()

    async def bodies(**filters: object) -> list[str | None]:
        return [m.body for m in await client.messages.list_async(to=WORKER, **filters)]

    assert await bodies() == ["queued", "second", "first"]
    assert await bodies(date_sent=day) == ["first"]
    assert await bodies(date_sent_after=day + timedelta(days=1)) == ["second"]
    assert await bodies(date_sent_before=day) == []
    assert await bodies(date_sent_before=day + timedelta(days=1)) == ["first"]
    assert await bodies(date_sent_after=start + timedelta(seconds=1)) == ["second"]
    assert await bodies(date_sent_after=start, date_sent_before=start + timedelta(hours=1)) == ["first"]
    assert await bodies(date_sent=date(2020, 1, 1)) == []


async def test_pages_neither_repeat_nor_skip_while_messages_arrive(fake: FakeTwilio, client: Client) -> None:
    for number in range(5):
        await client.messages.create_async(to=WORKER, from_=FROM, body=str(number))
    page = await client.messages.page_async(page_size=2)
    seen = [m.body for m in page]
    await client.messages.create_async(to=WORKER, from_=FROM, body="late")
    while page.next_page_url:
        page = await client.messages.get_page_async(page.next_page_url)
        seen += [m.body for m in page]
    assert seen == ["4", "3", "2", "1", "0"]
    assert len(await client.messages.list_async(page_size=2)) == 6


async def test_validity_is_respected(fake: FakeTwilio, client: Client, go: Go, service: Any) -> None:
    """What cannot leave the queue in its validity fails with 30036, and never arrives."""
    fake.faults.add("stuck", WORKER)
    created = await client.messages.create_async(
        to=WORKER, from_=FROM, body="late", validity_period=120, status_callback=f"{service.url}/status"
    )
    await go(119)
    assert (await client.messages(created.sid).fetch_async()).status == "queued"
    await go(1)
    failed = await client.messages(created.sid).fetch_async()
    assert (failed.status, failed.error_code, failed.error_message) == ("failed", 30036, "Validity Period Expired")
    assert [(seen.params["MessageStatus"], seen.params["ErrorCode"]) for seen in service.seen] == [("failed", "30036")]
    await go(24 * 3600)
    assert fake.phone(WORKER).texts == []


async def test_queued_message_can_be_cancelled_and_a_sent_one_not(fake: FakeTwilio, client: Client, go: Go) -> None:
    first = await client.messages.create_async(to=WORKER, from_=FROM, body="first")
    assert (await client.messages(first.sid).update_async(status="canceled")).status == "canceled"
    second = await client.messages.create_async(to=WORKER, from_=FROM, body="second")
    await go(10)
    with pytest.raises(TwilioRestException):
        await client.messages(second.sid).update_async(status="canceled")
    assert [text.body for text in fake.phone(WORKER).texts] == ["second"]


async def test_message_by_a_service_begins_accepted(client: Client) -> None:
    created = await client.messages.create_async(to=WORKER, messaging_service_sid="MG" + "0" * 32, body="x")
    assert created.status == "accepted"


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("守" * 70, 1),
        ("守" * 71, 2),
        ("守" * 134, 2),
        ("守" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("", 1),
    ],
)
def test_segments(body: str, count: int) -> None:
    """GSM 160/153, UCS-2 70/67, an emoji is two units."""
    assert segments(body) == count


def test_a_plain_date_means_the_whole_day() -> None:
    """The REST form `DateSent<=YYYY-MM-DD` includes that day; the libraries send its first moment instead."""
    sent = datetime(2026, 3, 1, 19, 0, tzinfo=UTC)
    message = Message(
        account_sid="", to=WORKER, sender=FROM, body="", direction="", status="", created_at=sent, updated_at=sent,
        sent_at=sent,
    )  # fmt: skip
    for name, value, found in (
        ("DateSent", "2026-03-01", True),
        ("DateSent", "2026-03-02", False),
        ("DateSent<", "2026-03-01", True),
        ("DateSent<", "2026-02-28", False),
        ("DateSent>", "2026-03-01", True),
        ("DateSent>", "2026-03-02", False),
        ("DateSent>", "2026-03-01T19:00:00Z", True),
        ("DateSent>", "2026-03-01T19:00:01Z", False),
        ("DateSent<", "2026-03-01T18:59:59+00:00", False),
    ):
        assert bool(listing.messages({name: value}, [message], sent)) is found, (name, value)
    with pytest.raises(ApiError) as refused:
        listing.messages({"DateSent": "yesterday"}, [], sent)
    assert refused.value.code == 20001
