"""Closed, and not over; tested, and no test; handed over again, and no news."""

from typing import Any

import orjson

from ingest.message import Message
from rules.incident import OutcomeKind, Verb

SMOKE = "yl-1-2-301-smoke"
GAS = "yl-1-2-301-gas"


async def test_a_detector_whose_gateway_repeats_itself_is_told_once_to_the_desk(any_site: Any) -> None:
    """Closed as a false alarm, and a quarter of an hour later it still says smoke: the desk looks, nobody is woken.

    Once that is closed too, it is quiet until the detector clears and alarms again.
    """
    site = any_site
    await site.says(SMOKE, smoke=True, battery=90)
    await site.advance(seconds=10)
    await site.phone("li").replies(f"误报{await site.code()}")
    for _ in range(4):
        await site.advance(minutes=5)
        await site.says(SMOKE, smoke=True, battery=90)

    assert {who for _, who in site.who_heard(since=11)} == {"sms desk"}
    assert "待核实" in site.text("sms desk", 910)
    first, second = reversed(await site.incidents())
    assert (first.verified, second.verified) == (True, False)

    await site.phone("desk").replies(f"误报{second.code}")
    await site.advance(minutes=90)
    await site.says(SMOKE, smoke=True, battery=80)
    assert len(await site.incidents()) == 2

    await site.says(SMOKE, smoke=False, battery=80)
    await site.says(SMOKE, smoke=True, battery=80)
    assert (await site.incident()).verified
    assert len(await site.incidents()) == 3


async def test_a_detector_that_clears_in_time_is_over(site: Any) -> None:
    await site.says(SMOKE, smoke=True)
    await site.advance(seconds=10)
    await site.phone("li").replies(f"误报{await site.code()}")
    await site.says(SMOKE, smoke=False)
    await site.advance(hours=1)

    assert len(await site.incidents()) == 1
    assert site.who_heard(since=11) == []


async def test_a_low_battery_that_somebody_has_seen_is_not_told_again_the_same_day(site: Any) -> None:
    """Closed as `will change it tomorrow`; a sensor that reports every half hour opens no incident every half hour."""
    event = {"kind": "battery", "value": 10}
    topic = "shouwang/v1/yl-1-2-302/gas/event"
    await site.publishes(topic, event)
    assert (await site.incident()).title == "电量低"
    await site.service.desk.act(
        await site.code(), Verb.OUTCOME, by="duty-room", via="cli", outcome=OutcomeKind.REAL, note="明天换"
    )

    async def here() -> int:
        """Incidents of this home; next door nobody has heard the detectors for a day."""
        return len([one for one in await site.incidents() if one.home_id == "yl-1-2-302"])

    for _ in range(47):
        await site.advance(minutes=30)
        await site.publishes(topic, event)
    assert await here() == 1

    await site.advance(minutes=40)
    await site.publishes(topic, event)
    assert await here() == 2


async def test_gas_in_a_test_that_never_ends_reaches_the_desk(any_site: Any) -> None:
    """The test bit of a detector is stuck: after ten minutes the desk hears of it, as unverified."""
    site = any_site
    await site.says(GAS, gas=True, test=True, tamper=False)
    await site.advance(minutes=9)
    assert site.who_heard() == []

    await site.says(GAS, gas=True, test=True, tamper=False)
    await site.advance(minutes=2)
    assert site.who_heard() == [(600, "sms desk")]
    assert "待核实" in site.text("sms desk", 600)


async def test_an_alarm_and_its_end_that_are_handed_over_again_alarm_nobody_again(any_site: Any) -> None:
    """Committed and not acknowledged: the broker brings both again, and coming twice changes nothing."""
    site = any_site

    async def hand_over(*, dup: bool) -> None:
        words = [{"gas": True}, {"gas": False}]
        await site.service.intake.take_in(
            [
                Message(
                    topic=f"zigbee2mqtt/{GAS}", payload=orjson.dumps(one), retain=False, received_at=site.now(), dup=dup
                )
                for one in words
            ]
        )
        await site.settle()

    await hand_over(dup=False)
    await site.advance(seconds=30)
    await hand_over(dup=True)

    assert site.who_heard() == [(0, "sms li")]
    assert len(await site.incidents()) == 1
