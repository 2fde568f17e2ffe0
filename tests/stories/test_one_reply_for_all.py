"""Several homes of one worker alarm, and one reply is enough for all of them."""

from typing import Any

import pytest

from rules.incident import IncidentState, Verb
from shouwang import reply_for_all
from store import incidents, outbox

NUMBER = "+15005550006"
OPEN, ACKNOWLEDGED, ON_SCENE = IncidentState.OPEN, IncidentState.ACKNOWLEDGED, IncidentState.ON_SCENE


async def two_alarms(site: Any) -> tuple[str, str]:
    """Gas in two homes, five seconds apart; gives their codes."""
    await site.says("yl-1-2-301-gas", gas=True)
    first = await site.code()
    await site.advance(seconds=5)
    await site.publishes("shouwang/v1/yl-1-2-302/gas/event", {"kind": "gas", "state": "alarm"})
    second = await site.code()
    await site.advance(seconds=5)
    return first, second


async def states(site: Any) -> dict[str, IncidentState]:
    return {one.code: one.state for one in await site.incidents()}


@pytest.mark.parametrize("reply", ["全部", "1 全部", "ack all", "全接"])
async def test_one_reply_takes_all(any_site: Any, reply: str) -> None:
    """Both are answered, one text says so, and nobody is called for either (quiet-after-answer)."""
    site = any_site
    first, second = await two_alarms(site)
    await site.phone("li").replies(reply)
    await site.advance(minutes=4)

    assert await states(site) == {first: ACKNOWLEDGED, second: ACKNOWLEDGED}
    assert site.who_heard() == [(0, "sms li"), (5, "sms li"), (10, "answer li")]
    answer = site.text("answer li", 10)
    assert answer.startswith(f"已接单2件：{first} {second}。先去燃气泄漏，玉林北街1号院1栋2单元301（{first}）")


async def test_it_means_what_the_person_has_read(any_site: Any) -> None:
    """A third home that alarms after the reply is asked for like any other; so is one that was declined by name."""
    site = any_site
    first, second = await two_alarms(site)
    await site.phone("li").replies(f"去不了 {first}")
    await site.phone("li").replies("全部")
    await site.advance(seconds=1)
    found = await states(site)

    assert (found[first], found[second]) == (OPEN, ACKNOWLEDGED)


async def test_it_does_not_mean_what_may_never_have_arrived(any_site: Any) -> None:
    """Who took a home without having heard of it would go nowhere, and nobody else would be asked (never-silent)."""
    site = any_site
    await site.says("yl-1-2-301-gas", gas=True)
    first = await site.code()
    await site.advance(seconds=5)
    site.twilio.faults.add("hang_before", times=1, seconds=60)
    await site.publishes("shouwang/v1/yl-1-2-302/gas/event", {"kind": "gas", "state": "alarm"})
    second = await site.code()
    await site.advance(seconds=5)

    await site.phone("li").replies("全部")
    await site.settle()

    assert await states(site) == {first: ACKNOWLEDGED, second: OPEN}
    await site.advance(minutes=2)
    assert any(second in str(site.text(who, at)) for at, who in site.who_heard() if who == "sms li" and at > 10)


async def test_said_twice_it_names_what_is_theirs(site: Any) -> None:
    first, second = await two_alarms(site)
    await site.phone("li").replies("全部")
    await site.advance(seconds=5)
    await site.phone("li").replies("全部")
    await site.settle()

    assert site.text("answer li", 15) == f"没有别的在等您接单。您名下：{first} {second}。"


async def test_what_was_given_up_meanwhile_is_not_called_theirs(any_site: Any) -> None:
    """Two replies at the same time: the second one has looked before the first was written."""
    site = any_site
    first, second = await two_alarms(site)
    await site.phone("li").replies("全部")
    async with site.database.read() as tx:
        asked = await incidents.asked_of(tx, {"li"})
    assert [one.code for one in asked] == [first, second]
    await site.phone("li").replies(f"去不了 {first}")

    async def li(_incident: Any) -> tuple[str, str]:
        return "li", "李明"

    async with site.database.write() as tx:
        _, answer = await reply_for_all.act_on(
            site.service.core, tx, Verb.ACKNOWLEDGE, asked, via="sms", mine={"li"}, who=li
        )

    assert answer == f"没有别的在等您接单。您名下：{second}。"


async def test_arrived_for_all_is_for_who_has_answered_all(site: Any) -> None:
    """Nobody is in a home they have not said they were going to."""
    first, second = await two_alarms(site)
    await site.phone("li").replies("到达 全部")
    assert set((await states(site)).values()) == {OPEN}

    await site.phone("li").replies("全部")
    await site.phone("li").replies("到达 全部")
    assert await states(site) == {first: ON_SCENE, second: ON_SCENE}


async def test_no_outcome_is_for_all(site: Any) -> None:
    """What may cost a life is closed by its code alone."""
    first, second = await two_alarms(site)
    await site.phone("li").replies("全部")
    await site.advance(seconds=5)
    await site.phone("li").replies("全部误报")
    await site.settle()

    assert await states(site) == {first: ACKNOWLEDGED, second: ACKNOWLEDGED}
    assert f"误报{first}" in site.text("answer li", 15)


async def test_who_was_asked_for_nothing_takes_nothing(site: Any) -> None:
    await two_alarms(site)
    await site.phone("zhang").replies("全部", to=NUMBER)
    await site.settle()

    assert set((await states(site)).values()) == {OPEN}
    assert site.text("answer zhang", 10) == "现在没有等您答复的事件。"


async def test_a_call_offers_a_key_for_all(site: Any) -> None:
    """A call says that more are waiting, and key 3 takes all of them."""
    first, second = await two_alarms(site)
    await site.advance(seconds=50)
    call = site.twilio.calls[0]
    script = await site.service.phone.call_script(await delivery_of(site, "voice"))
    assert script.speech.endswith("另有1家也在等您，全部接单请按3。")
    assert call.to == "+8613800000001"

    said = await site.service.phone.call_key(await delivery_of(site, "voice"), "3")
    assert said.speech.startswith("好的，2件都由您负责")
    assert await states(site) == {first: ACKNOWLEDGED, second: ACKNOWLEDGED}


async def delivery_of(site: Any, channel: str) -> int:
    """The delivery of the first incident by a channel."""
    first = (await site.incidents())[-1]
    async with site.database.read() as tx:
        rows = await outbox.of_incident(tx, first.id)
    return next(row.id for row in rows if row.channel == channel)
