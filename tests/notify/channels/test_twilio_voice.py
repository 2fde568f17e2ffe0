"""Calls by Twilio; they carry no text by which one could be told from another."""

from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from notify.channel import Asks, DoubtOutcome, SendOutcome
from notify.channels.twilio_doubt import belongs_to_another
from notify.channels.twilio_voice import TwilioVoice
from rules.decisions import Delivery
from simulators.twilio import FakeTwilio

A, R, P, U = SendOutcome.ACCEPTED, SendOutcome.RETRY, SendOutcome.PERMANENT, SendOutcome.UNKNOWN
FOUND, ABSENT, CANNOT_ASK = DoubtOutcome.FOUND, DoubtOutcome.ABSENT, DoubtOutcome.CANNOT_ASK

Make = Callable[..., Delivery]
Connect = Callable[..., Any]


async def test_what_is_asked_of_twilio(provider: Any, answer: Any, connect: Connect, make_delivery: Make) -> None:
    provider.behaviour = answer(201, {"sid": "CA1", "status": "queued"})
    voice = TwilioVoice(connect(provider.url, public_url="https://watch.example.org/"))
    result = await voice.send(make_delivery(channel="voice"))

    [seen] = provider.seen
    assert seen.path.endswith("/Calls.json")
    assert sorted(seen.fields) == [
        ("From", "+15005550006"),
        ("StatusCallback", "https://watch.example.org/webhooks/twilio/status?delivery=1"),
        ("StatusCallbackEvent", "answered"),
        ("StatusCallbackEvent", "completed"),
        ("StatusCallbackEvent", "initiated"),
        ("StatusCallbackEvent", "ringing"),
        ("Timeout", "25"),
        ("To", "+8613800000001"),
        ("Url", "https://watch.example.org/webhooks/twilio/voice?delivery=1"),
    ]
    assert (result.outcome, result.provider_id, result.status) == (A, "CA1", "queued")
    assert voice.name == "voice"
    assert isinstance(voice, Asks)


async def test_without_a_public_address_the_words_go_along(
    twilio: FakeTwilio, connect: Connect, make_delivery: Make
) -> None:
    voice = TwilioVoice(connect(twilio.base_url), ring_s=40, detect_machines=True)
    await voice.send(make_delivery(channel="voice", speech="守望报警，燃气泄漏 <K7>"))
    params = twilio.requests[0].params
    assert "守望报警，燃气泄漏 &lt;K7&gt;" in params["Twiml"]
    assert 'language="zh-CN"' in params["Twiml"]
    assert not {"Url", "StatusCallback", "StatusCallbackEvent"} & set(params)
    assert (params["Timeout"], params["MachineDetection"]) == ("40", "Enable")
    assert twilio.requests[0].accepted


@pytest.mark.parametrize(
    ("fault", "options", "outcome", "stored"),
    [
        ("error_before", {}, U, 0),
        ("error_after", {}, U, 1),
        ("answer_lost", {}, U, 1),
        ("refuse", {}, U, 0),
        ("rate_limited", {"retry_after": 3}, R, 0),
        ("reject", {"code": 13227}, P, 0),
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
    """Invariant one-page: nobody is called twice because an answer was lost."""
    voice = TwilioVoice(connect(twilio.base_url))
    delivery = make_delivery(channel="voice")
    twilio.faults.add(fault, **options)
    assert (await voice.send(delivery)).outcome is outcome
    twilio.faults.clear()

    answer = await voice.ask(delivery)

    assert answer.outcome is (FOUND if stored else ABSENT)
    assert answer.provider_id == (twilio.calls[0].sid if stored else None)
    assert len(twilio.calls) == stored


async def test_a_call_that_has_not_been_dialled_yet_is_found(
    twilio: FakeTwilio, connect: Connect, make_delivery: Make, clock: Any
) -> None:
    """It has no start time, and no list that is filtered by that shows it."""
    client = connect(twilio.base_url)
    delivery = make_delivery(channel="voice")
    await TwilioVoice(client).send(delivery)
    assert (await TwilioVoice(client).ask(delivery)).status == "queued"
    clock.pass_s(120)
    await twilio.advance()
    later = await TwilioVoice(client).ask(delivery)
    assert (later.outcome, later.status) == (FOUND, twilio.calls[0].status)


async def test_calls_for_other_homes_are_not_taken_for_it(
    twilio: FakeTwilio, connect: Connect, make_delivery: Make
) -> None:
    """Twenty homes alarm at once and one worker is called for each; the one that never landed is called again."""
    voice = TwilioVoice(connect(twilio.base_url))
    others = [make_delivery(channel="voice") for _ in range(20)]
    for other in others:
        await voice.send(other)
    twilio.faults.add("error_before", times=1)
    lost = make_delivery(channel="voice")
    assert (await voice.send(lost)).outcome is U

    assert (await voice.ask(lost)).outcome is ABSENT
    assert (await voice.ask(others[0])).provider_id == twilio.calls[0].sid


async def test_after_a_restart_the_outbox_knows_whose_calls_they_are(
    twilio: FakeTwilio, connect: Connect, make_delivery: Make
) -> None:
    client = connect(twilio.base_url)
    owned: dict[str, int] = {}
    for _ in range(3):
        other = make_delivery(channel="voice")
        owned[(await TwilioVoice(client).send(other)).provider_id or ""] = other.id
    twilio.faults.add("answer_lost", times=1)
    lost = make_delivery(channel="voice")
    await TwilioVoice(client).send(lost)

    async def taken(delivery: Delivery, provider_ids: Collection[str]) -> Collection[str]:
        return [one for one in provider_ids if owned.get(one, delivery.id) != delivery.id]

    answer = await TwilioVoice(client, taken=taken).ask(lost)
    assert (answer.outcome, answer.provider_id) == (FOUND, twilio.calls[3].sid)


async def test_calls_from_another_number_are_not_ours(
    twilio: FakeTwilio, connect: Connect, make_delivery: Make
) -> None:
    twilio.numbers.add("+14155550100")
    await TwilioVoice(connect(twilio.base_url, from_number="+14155550100")).send(make_delivery(channel="voice"))
    assert len(twilio.calls) == 1
    assert (await TwilioVoice(connect(twilio.base_url)).ask(make_delivery(channel="voice"))).outcome is ABSENT


async def test_of_two_calls_in_doubt_the_one_that_landed_is_the_one_asked_for_just_before_it(
    twilio: FakeTwilio, connect: Connect, make_delivery: Make
) -> None:
    """Invariant one-page: the first never landed; what has landed is the second, which must not be made again."""
    first, second = make_delivery(channel="voice"), make_delivery(channel="voice")
    client = connect(twilio.base_url)
    voice = TwilioVoice(client)
    twilio.faults.add("error_before", times=1)
    assert (await voice.send(first)).outcome is U
    twilio.faults.add("answer_lost", times=1)
    assert (await voice.send(second)).outcome is U
    landed = twilio.calls[0].created_at + client.ahead
    when = {first.id: landed - timedelta(seconds=30), second.id: landed - timedelta(seconds=1)}

    async def requested(delivery: Delivery) -> tuple[datetime | None, Collection[datetime]]:
        return when[delivery.id], [moment for other, moment in when.items() if other != delivery.id]

    later = TwilioVoice(client, requested=requested)

    assert (await later.ask(first)).outcome is ABSENT
    assert (await later.ask(second)).provider_id == twilio.calls[0].sid


@pytest.mark.parametrize(
    ("own", "others", "another"),
    [
        (-30, [-1], True),
        (-30, [2], True),
        (-30, [], False),
        # Too close to one another, or neither is likely: then it is taken for ours, rather than called again.
        (-15, [-1], False),
        (-30, [-25], False),
        (-30, [10], False),
        (-1, [-30], False),
        (None, [-1], False),
    ],
)
def test_whose_a_call_is(own: int | None, others: list[int], another: bool) -> None:
    made = datetime(2026, 3, 2, 4, tzinfo=UTC)
    ahead = timedelta(minutes=5)

    def at(seconds: int) -> datetime:
        return made + ahead + timedelta(seconds=seconds)

    said = belongs_to_another(made, None if own is None else at(own), [at(one) for one in others], ahead=ahead)
    assert said is another
    assert not belongs_to_another(None, at(-30), [at(-1)], ahead=ahead)
