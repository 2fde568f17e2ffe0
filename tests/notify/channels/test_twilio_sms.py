"""Texts by Twilio, and what can be found out about one whose request was not answered."""

import dataclasses
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from notify.channel import Asks, DoubtOutcome, SendOutcome
from notify.channels.twilio_sms import TwilioSms
from rules.decisions import Delivery, Priority
from simulators.twilio import FakeTwilio

A, R, P, U = SendOutcome.ACCEPTED, SendOutcome.RETRY, SendOutcome.PERMANENT, SendOutcome.UNKNOWN
FOUND, ABSENT, CANNOT_ASK = DoubtOutcome.FOUND, DoubtOutcome.ABSENT, DoubtOutcome.CANNOT_ASK

Make = Callable[..., Delivery]
Connect = Callable[..., Any]


async def test_what_is_asked_of_twilio(twilio: FakeTwilio, connect: Connect, make_delivery: Make) -> None:
    sms = TwilioSms(connect(twilio.base_url, public_url="https://watch.example.org"))
    delivery = make_delivery()
    result = await sms.send(delivery)

    [request] = twilio.requests
    assert request.params == {
        "To": "+8613800000001",
        "From": "+15005550006",
        "Body": delivery.text,
        "ValidityPeriod": "300",
        "StatusCallback": "https://watch.example.org/webhooks/twilio/status?delivery=1",
    }
    assert (result.outcome, result.provider_id, result.status) == (A, twilio.messages[0].sid, "queued")
    assert sms.name == "sms"
    assert isinstance(sms, Asks)


async def test_without_a_public_address_there_is_no_callback(
    twilio: FakeTwilio, connect: Connect, make_delivery: Make
) -> None:
    await TwilioSms(connect(twilio.base_url)).send(make_delivery())
    assert "StatusCallback" not in twilio.requests[0].params


async def test_a_messaging_service_sends_instead_of_a_number(
    provider: Any, answer: Any, connect: Connect, make_delivery: Make
) -> None:
    provider.behaviour = answer(201, {"sid": "SM1", "status": "accepted"})
    await TwilioSms(connect(provider.url, from_number="MG0123")).send(make_delivery())
    assert provider.seen[0].form["MessagingServiceSid"] == "MG0123"
    assert "From" not in provider.seen[0].form


@pytest.mark.parametrize(
    ("priority", "left_s", "validity_s"),
    [
        (Priority.LIFE_SAFETY_PAGE, 1800, 300),
        (Priority.LIFE_SAFETY_INFORM, 1800, 300),
        (Priority.PAGE, 43200, 600),
        (Priority.INFORM, 43200, 600),
        (Priority.PAGE, 400, 400),
        (Priority.LIFE_SAFETY_PAGE, 130, 130),
        (Priority.LIFE_SAFETY_PAGE, 30, 120),
        (Priority.LIFE_SAFETY_PAGE, -30, 120),
    ],
)
async def test_a_text_does_not_arrive_when_all_is_over(
    twilio: FakeTwilio,
    connect: Connect,
    make_delivery: Make,
    clock: Any,
    *,
    priority: Priority,
    left_s: int,
    validity_s: int,
) -> None:
    """Twilio keeps texts for ten hours where nothing is said; here ten minutes at the most, two at the least."""
    delivery = make_delivery(priority=priority, expires_at=clock() + timedelta(seconds=left_s))
    await TwilioSms(connect(twilio.base_url)).send(delivery)
    assert twilio.requests[0].params["ValidityPeriod"] == str(validity_s)


@pytest.mark.parametrize(
    ("fault", "options", "outcome", "stored"),
    [
        ("refuse", {}, U, 0),
        ("error_before", {}, U, 0),
        ("error_after", {}, U, 1),
        ("answer_lost", {}, U, 1),
        ("hang", {}, U, 1),
        ("hang_before", {}, U, 0),
        ("rate_limited", {"retry_after": 3}, R, 0),
        ("reject", {"code": 21610}, P, 0),
        ("reject", {"code": 21211}, P, 0),
    ],
)
async def test_what_goes_wrong_and_what_is_found_out(
    twilio: FakeTwilio,
    connect: Connect,
    make_delivery: Make,
    *,
    fault: str,
    options: dict[str, Any],
    outcome: SendOutcome,
    stored: int,
) -> None:
    """Invariant one-page: a doubt ends in what really happened, and asking sends nothing."""
    sms = TwilioSms(connect(twilio.base_url))
    delivery = make_delivery()
    twilio.faults.add(fault, **options)
    result = await sms.send(delivery)
    assert result.outcome is outcome
    assert result.retry_after_s == options.get("retry_after")
    twilio.faults.clear()

    answer = await sms.ask(delivery)

    assert answer.outcome is (FOUND if stored else ABSENT)
    assert answer.provider_id == (twilio.messages[0].sid if stored else None)
    assert len(twilio.messages) == stored


async def test_a_refused_connection_may_be_tried_again(
    twilio: FakeTwilio, connect: Connect, make_delivery: Make
) -> None:
    sms = TwilioSms(connect(twilio.base_url))
    async with twilio.down():
        result = await sms.send(make_delivery())
        answer = await sms.ask(make_delivery())
    assert result.outcome is R
    assert (answer.outcome, answer.error) == (CANNOT_ASK, "Twilio was not reached: no connection")
    assert (await sms.send(make_delivery())).outcome is A


async def test_what_is_found_has_its_present_status(
    twilio: FakeTwilio, connect: Connect, make_delivery: Make, clock: Any
) -> None:
    """Also while it is queued: then no list that is filtered by the date of sending shows it."""
    delivery = make_delivery()
    client = connect(twilio.base_url)
    await TwilioSms(client).send(delivery)
    fresh = TwilioSms(client)  # a process that has started again
    assert (await fresh.ask(delivery)).status == "queued"
    clock.pass_s(30)
    await twilio.advance()
    assert (await fresh.ask(delivery)).status == "delivered"


async def test_what_twilio_does_not_list_yet_is_absent(
    twilio: FakeTwilio, connect: Connect, make_delivery: Make, clock: Any
) -> None:
    """Which is why nobody may believe an absence at once (see shouwang/deliveries.py)."""
    twilio.faults.add("late_listing", seconds=5)
    sms = TwilioSms(connect(twilio.base_url))
    await sms.send(make_delivery())
    assert (await sms.ask(make_delivery(id=1))).outcome is ABSENT
    clock.pass_s(6)
    assert (await sms.ask(make_delivery(id=1))).outcome is FOUND


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({}, FOUND),
        ({"text": "【守望】别的事 回1 M3接单"}, ABSENT),
        ({"address": "+8613800000002"}, ABSENT),
        # Made by an earlier step, long before this delivery was.
        ({"created_after_s": 90}, ABSENT),
        # Our clock may be ahead of Twilio's.
        ({"created_after_s": 30}, FOUND),
    ],
)
async def test_a_message_is_this_delivery_only_if_everything_fits(  # noqa: PLR0917 - fixtures
    twilio: FakeTwilio,
    connect: Connect,
    make_delivery: Make,
    clock: Any,
    change: dict[str, Any],
    outcome: DoubtOutcome,
) -> None:
    client = connect(twilio.base_url)
    sent = make_delivery()
    await TwilioSms(client).send(sent)
    later = change.pop("created_after_s", 0)
    clock.pass_s(later)
    asked = dataclasses.replace(sent, created_at=sent.created_at + timedelta(seconds=later), **change)
    assert (await TwilioSms(client).ask(asked)).outcome is outcome


async def test_a_message_is_found_though_our_clock_was_ahead_when_it_left(
    twilio: FakeTwilio, connect: Connect, make_delivery: Make
) -> None:
    """Invariant one-page: set back by an hour since, it makes nothing look too old."""
    client = connect(twilio.base_url)
    sent = make_delivery()
    await TwilioSms(client).send(sent)
    asked = dataclasses.replace(sent, created_at=sent.created_at + timedelta(hours=1))
    assert (await TwilioSms(client).ask(asked)).outcome is FOUND


async def test_it_is_seen_how_far_our_clock_is_ahead(connect: Connect, twilio: FakeTwilio, make_delivery: Make) -> None:
    """By the date of the provider's answers, which is the real one here."""
    client = connect(twilio.base_url)
    await TwilioSms(client).ask(make_delivery())
    assert abs(client.ahead - (client.now() - datetime.now(UTC))) < timedelta(minutes=5)


async def test_a_trial_accounts_own_words_do_not_hide_a_message(
    provider: Any, answer: Any, connect: Connect, make_delivery: Make
) -> None:
    delivery = make_delivery()
    item = {
        "sid": "SM1",
        "status": "sent",
        "body": f"Sent from your Twilio trial account - {delivery.text}",
        "date_created": "Mon, 09 Mar 2026 04:00:00 +0000",
    }
    provider.behaviour = answer(200, {"messages": [item], "next_page_uri": None})
    found = await TwilioSms(connect(provider.url)).ask(delivery)
    assert (found.outcome, found.provider_id, found.status) == (FOUND, "SM1", "sent")


async def test_the_same_text_of_another_delivery_is_not_taken_for_it(
    twilio: FakeTwilio, connect: Connect, make_delivery: Make
) -> None:
    """Two steps may say the same to one person; one message settles one of them."""
    sms = TwilioSms(connect(twilio.base_url))
    first, second = make_delivery(), make_delivery()
    await sms.send(first)
    assert (await sms.ask(second)).outcome is ABSENT
    assert (await sms.ask(first)).outcome is FOUND


async def test_two_doubts_do_not_share_one_message(twilio: FakeTwilio, connect: Connect, make_delivery: Make) -> None:
    client = connect(twilio.base_url)
    await TwilioSms(client).send(make_delivery())
    fresh = TwilioSms(client)
    answers = [(await fresh.ask(make_delivery())).outcome for _ in range(2)]
    assert answers == [FOUND, ABSENT]


async def test_what_others_have_is_asked_of_the_outbox(
    twilio: FakeTwilio, connect: Connect, make_delivery: Make
) -> None:
    """After a restart nobody remembers, and the database knows."""
    client = connect(twilio.base_url)
    await TwilioSms(client).send(make_delivery())
    asked: list[tuple[int, list[str]]] = []

    async def taken(delivery: Delivery, provider_ids: Collection[str]) -> Collection[str]:
        asked.append((delivery.id, list(provider_ids)))
        return provider_ids

    assert (await TwilioSms(client, taken=taken).ask(make_delivery())).outcome is ABSENT
    assert asked == [(2, [twilio.messages[0].sid])]


async def test_a_busy_number_is_looked_through_by_date(
    twilio: FakeTwilio, connect: Connect, make_delivery: Make, clock: Any
) -> None:
    """The newest hundred do not show it, so the second question does."""
    client = connect(twilio.base_url)
    wanted = make_delivery()
    sms = TwilioSms(client)
    await sms.send(wanted)
    clock.pass_s(5)
    await twilio.advance()
    for number in range(100):
        await sms.send(make_delivery(text=f"另一条{number}"))
    clock.pass_s(5)
    await twilio.advance()
    answer = await TwilioSms(client).ask(wanted)
    assert (answer.outcome, answer.provider_id) == (FOUND, twilio.messages[0].sid)


@pytest.mark.parametrize("fault", ["error_before", "refuse", "hang_before", "rate_limited"])
async def test_a_provider_that_cannot_be_asked_leaves_the_doubt(
    twilio: FakeTwilio, connect: Connect, make_delivery: Make, fault: str
) -> None:
    twilio.faults.add(fault, on="read")
    assert (await TwilioSms(connect(twilio.base_url)).ask(make_delivery())).outcome is CANNOT_ASK


@pytest.mark.parametrize("body", [b"", b"<html>", [], {}, {"messages": [7]}])
async def test_an_answer_that_cannot_be_read_leaves_the_doubt(
    provider: Any, answer: Any, connect: Connect, make_delivery: Make, body: Any
) -> None:
    provider.behaviour = answer(200, body)
    assert (await TwilioSms(connect(provider.url)).ask(make_delivery())).outcome is CANNOT_ASK
