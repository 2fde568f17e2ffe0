"""The provider is in trouble: no page is lost, and none is told twice."""

from collections import Counter
from typing import Any

from rules.decisions import DeliveryState
from rules.incident import IncidentState
from simulators.phones import answer

LI = "+8613800000001"
NAMES = {"li": "li", "zhang": "zhang", "chen": "chen", "duty-room": "desk", "family:yl-1-2-301/0": "son"}


async def test_it_answers_500_to_everything_for_two_minutes(any_site: Any) -> None:
    """Nothing is lost and nothing doubled; calls and webhooks are tried meanwhile, and the desk hears by webhook.

    The provider stores nothing of what it answers so (invariant one-page).
    """
    site = any_site
    site.twilio.faults.add("error_before", for_s=120)
    site.twilio.faults.add("error_before", for_s=120, on="read")
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=119)

    tried = {one.resource for one in site.twilio.requests}
    assert tried == {"messages", "calls"}
    # Each way that stays in doubt brings the next one, up to the desk's own system, which is not the provider's.
    assert site.who_heard() == [(75, "webhook desk")]
    await site.advance(seconds=121)

    heard = site.who_heard()
    assert Counter(who for _, who in heard if not who.startswith("voice")) == {
        "webhook desk": 1,
        "sms li": 1,
        "sms chen": 1,
        "sms zhang": 1,
        "sms desk": 1,
        "sms son": 1,
    }
    rows = await site.deliveries()
    assert Counter(f"{one.channel} {NAMES[one.recipient_id]}" for one in rows) == Counter(who for _, who in heard)
    never = {DeliveryState.PENDING, DeliveryState.UNKNOWN, DeliveryState.CANCELLED}
    assert [one for one in rows if one.state in never] == []


async def test_it_stores_everything_and_answers_500_for_two_minutes(any_site: Any) -> None:
    """Every message has left in spite of the answer: it is found there and not sent again (invariant one-page)."""
    site = any_site
    site.twilio.faults.add("error_after", for_s=120)
    site.twilio.faults.add("callbacks_lost", for_s=120)
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(minutes=4)

    stored = Counter((one.to, one.body) for one in site.twilio.messages)
    assert set(stored.values()) == {1}
    assert stored.keys() >= {(LI, site.phone("li").texts[0].body)}
    rows = await site.deliveries()
    assert not [one for one in rows if one.state in {DeliveryState.UNKNOWN, DeliveryState.PENDING}]
    taken = [one.provider_id for one in rows if one.provider_id]
    assert len(taken) == len(set(taken)), "two deliveries took one message for theirs"
    assert len([one for one in rows if one.channel in {"sms", "voice"}]) == len(site.twilio.messages) + len(
        site.twilio.calls
    )


async def test_its_answer_is_lost_after_it_took_the_text(any_site: Any) -> None:
    """The receipt, which names the delivery, settles the doubt before anybody asks (invariant one-page)."""
    site = any_site
    site.twilio.faults.add("answer_lost", times=1)
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=59)

    assert site.who_heard() == [(0, "sms li")]
    assert site.twilio.reads == []
    assert (await site.deliveries())[0].state is DeliveryState.DELIVERED
    assert "doubt" in await site.events()


async def test_its_answer_and_its_receipts_are_lost(any_site: Any) -> None:
    """Then it is asked, the text is found there, and is not sent again (invariant one-page)."""
    site = any_site
    site.twilio.faults.add("answer_lost", times=1)
    site.twilio.faults.add("callbacks_lost")
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=59)

    assert site.who_heard() == [(0, "sms li")]
    assert len(site.twilio.reads) >= 1
    assert (await site.deliveries())[0].state is DeliveryState.DELIVERED, "the list says so"
    assert [one for one in await site.events() if one.startswith("doubt")] == ["doubt", "doubt_found"]


async def test_a_text_that_never_arrived_there_is_sent_once_more(site: Any) -> None:
    """The provider is asked, does not have it, and gets it a quarter of a minute late instead of never."""
    site.twilio.faults.add("error_before", times=1)
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=30)

    assert site.who_heard() == [(15, "sms li")]
    assert [one for one in await site.events() if one.startswith("doubt")] == ["doubt", "doubt_resent"]


async def test_it_asks_us_to_slow_down(any_site: Any) -> None:
    """429 with Retry-After: tried again after that long and not before; meanwhile nothing else is doubled."""
    site = any_site
    site.twilio.faults.add("rate_limited", times=1, retry_after=7)
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=30)

    assert [site.at(one.at) for one in site.twilio.requests] == [0, 7]
    assert site.who_heard() == [(7, "sms li")]


async def test_while_one_way_hangs_another_is_tried_once(site: Any) -> None:
    """Texts are refused for minutes: the worker is called, once, however often the text is tried."""
    site.twilio.faults.add("rate_limited", resource="messages", for_s=600)
    site.phone("li").on_call(answer(hangs_up_after_s=3))
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=59)

    assert site.who_heard() == [(14, "voice li")]
    assert len([one for one in site.twilio.requests if one.resource == "messages"]) >= 4
    assert [one for one in await site.events() if one == "delivery_in_doubt"] == ["delivery_in_doubt"]


async def test_it_is_out_of_reach(any_site: Any) -> None:
    """No connection for a minute and a half: nothing is lost, everything leaves once when it is back."""
    site = any_site
    async with site.twilio.down():
        await site.says("yl-1-2-301-gas", gas=True)
        await site.advance(seconds=90)
        assert site.who_heard() == [(70, "webhook desk")]
    await site.advance(seconds=60)

    heard = [who for _, who in site.who_heard()]
    assert Counter(who for who in heard if who.startswith("sms")) == {
        "sms li": 1,
        "sms chen": 1,
        "sms zhang": 1,
        "sms desk": 1,
        "sms son": 1,
    }
    texts = Counter((one.to, one.body) for one in site.twilio.messages)
    assert set(texts.values()) == {1}


async def test_an_answer_ends_what_still_waits_for_the_provider(site: Any) -> None:
    """Somebody answers while texts wait to be tried again: they do not leave when the provider is back.

    Invariant quiet-after-answer, asserted at the provider's end of the wire.
    """
    site.twilio.faults.add("rate_limited", resource="messages", for_s=300, retry_after=100)
    site.phone("chen").on_call(answer(press="1"))
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=150)
    assert (await site.incident()).state is IncidentState.ACKNOWLEDGED
    # The provider takes texts again at 300 s; at five minutes after the answer somebody has to be there.
    await site.advance(seconds=175)

    pages = [text for _, who, text in site.told() if who.startswith("sms") and "接单回" in text]
    assert pages == []


async def test_the_desk_s_own_system_is_in_trouble(site: Any) -> None:
    """A webhook that answers 500 cannot be asked: a life-safety page is posted again under the same key."""
    site.hook.status = 500
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=160)
    site.hook.status = 200
    await site.advance(seconds=60)

    posts = [post for _, post in site.hook.posts]
    assert len(posts) >= 2
    assert len({post["delivery"] for post in posts}) == 1
