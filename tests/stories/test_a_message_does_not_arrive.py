"""A message does not arrive: the person's next contact method at once, else the next step at once."""

from typing import Any

import pytest

from rules.decisions import DeliveryState
from rules.incident import IncidentState
from simulators.phones import BUSY, answer


@pytest.mark.parametrize("fault", ["undelivered", "failed"])
async def test_a_receipt_that_says_no_brings_the_next_method_at_once(any_site: Any, fault: str) -> None:
    """The text turns out undeliverable after two seconds, so the worker's phone rings then and not after a minute.

    The step at one minute still calls: a step is told once by a method, and this is another step.
    """
    site = any_site
    site.twilio.faults.add(fault, "+8613800000001", resource="messages", code=30003)
    site.phone("li").on_call(answer(hangs_up_after_s=5), answer(press="1"))
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(minutes=4)

    after = {"undelivered": 2, "failed": 0}[fault]
    assert site.who_heard() == [(0, "sms li"), (after, "voice li"), (60, "voice li")]
    assert (await site.incident()).answered_by == "li"
    assert "fell_back" in await site.events()


async def test_a_receipt_that_comes_again_changes_nothing(site: Any) -> None:
    """The provider reports everything twice and out of order: one fall-back, one page a step (invariant one-page)."""
    site.twilio.faults.add("undelivered", "+8613800000001", resource="messages")
    site.twilio.faults.add("callbacks_twice")
    site.twilio.faults.add("callbacks_out_of_order")
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=65)

    # The call is not taken either; nor is that of the next step, which was due at once.
    assert [who for _, who in site.who_heard()] == [
        "sms li",
        "voice li",
        "voice li",
        "sms chen",
        "sms zhang",
        "voice chen",
        "voice zhang",
    ]


async def test_a_busy_line_moves_on_at_once(any_site: Any) -> None:
    """The worker is on the phone: the back-ups hear in the second in which the line was found busy."""
    site = any_site
    site.phone("li").on_call(BUSY)
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=65)

    assert site.who_heard() == [
        (0, "sms li"),
        (60, "voice li"),
        (61, "sms chen"),
        (61, "sms zhang"),
        (61, "voice chen"),
        (61, "voice zhang"),
    ]


async def test_nobody_takes_the_call(site: Any) -> None:
    """A phone that rings in vain for 25 seconds moves on then, not at the time of the next step."""
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=85)
    assert site.who_heard() == [(0, "sms li"), (60, "voice li")]
    await site.advance(seconds=3)

    assert [who for _, who in site.who_heard(since=61)] == ["sms chen", "sms zhang", "voice chen", "voice zhang"]


async def test_a_number_the_provider_refuses_is_not_tried_again(site: Any) -> None:
    """A permanent refusal: the next method in the same second, and no second request for the text."""
    site.twilio.faults.add("reject", "+8613800000001", resource="messages", code=21614)
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=20)

    assert site.who_heard() == [(0, "voice li")]
    requests = [one for one in site.twilio.requests if one.resource == "messages"]
    assert [one.to for one in requests] == ["+8613800000001"]
    failed = [one for one in await site.deliveries() if one.state is DeliveryState.FAILED]
    assert [one.error for one in failed] == ["Twilio answered 400: 21614: the number is not a mobile number"]


async def test_every_way_to_one_person_fails(site: Any) -> None:
    """Neither text nor call reaches the worker, so that the next step is due at once."""
    for resource in ("messages", "calls"):
        site.twilio.faults.add("reject", "+8613800000001", resource=resource, code=21211)
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=1)

    assert [who for _, who in site.who_heard()][:4] == ["sms chen", "sms zhang", "voice chen", "voice zhang"]
    assert "stepped_on" in await site.events()


async def test_family_who_cannot_be_reached_hold_nothing_up(site: Any) -> None:
    """The son's number is refused for texts and calls: the desk's page stands, and the rounds keep their time."""
    for resource in ("messages", "calls"):
        site.twilio.faults.add("reject", "+8613900000002", resource=resource, code=21211)
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(minutes=5)

    heard = site.who_heard()
    assert not [who for _, who in heard if who.endswith("son")]
    assert (112, "sms desk") in heard
    assert len(heard) == 9
    tried = [one for one in site.twilio.requests if one.to == "+8613900000002"]
    assert len(tried) == 2


async def test_stop_brings_the_next_method(any_site: Any) -> None:
    """A number that has said STOP gets no text any more, and a call at once instead; START brings the texts back."""
    site = any_site
    site.phone("li").on_call(answer(press="1"))
    await site.twilio.incoming("+8613800000001", None, "STOP")
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=100)

    assert site.who_heard() == [(0, "voice li")]
    assert (await site.incident()).state is IncidentState.ACKNOWLEDGED
    await site.phone("li").replies(f"误报{await site.code()}", to="+15005550006")
    await site.twilio.incoming("+8613800000001", None, "START")
    await site.settle()
    assert "已恢复" in site.text("answer li", 100)

    await site.publishes("shouwang/v1/yl-1-2-302/gas/event", {"kind": "gas", "state": "alarm"})
    await site.advance(seconds=10)
    assert "1栋2单元302" in site.phone("li").texts[-1].body


async def test_an_address_that_refuses_is_not_the_last_word(site: Any) -> None:
    """A worker's own system answers 404: the text goes out in the same second."""
    site.hook.status = 404
    grids = site.file("grids.yaml")
    more = '{webhook: "${DESK_HOOK}"}\n      - {sms: "+8613800000001"}'
    grids.write_text(grids.read_text().replace('{sms: "+8613800000001"}', more))
    rules = site.file("rules.yaml")
    rules.write_text(
        rules.read_text().replace("after: 0s, to: assigned, by: [sms]", "after: 0s, to: assigned, by: [webhook]")
    )
    assert await site.reload()

    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=1)

    assert [who for _, who in site.who_heard()] == ["sms li", "webhook desk"]
