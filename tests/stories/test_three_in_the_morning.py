"""A gas leak at three in the morning: who is on duty, and who is woken because nobody is."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

GAS = "yl-1-2-301-gas"


@pytest.fixture
def began() -> datetime:
    return datetime(2026, 3, 3, 3, 0, tzinfo=ZoneInfo("Asia/Shanghai")).astimezone(UTC)


async def test_nobody_of_the_micro_grid_is_on_duty(any_site: Any) -> None:
    """The nearest level up that has somebody on duty is paged at once, and the journal says why."""
    site = any_site
    await site.says(GAS, gas=True)
    await site.advance(seconds=5)

    assert site.who_heard() == [(0, "sms chen")]
    entry = next(one for one in await site.journal() if one.event == "nobody_on_duty")
    assert entry.detail == {"wanted": "玉林北街1号院", "instead": "第一网格"}


async def test_the_stand_in_of_whoever_is_off_duty_is_woken_in_time(site: Any) -> None:
    """Nobody answers: call, back-up, desk and family in their order, with the worker who is off duty left asleep."""
    await site.says(GAS, gas=True)
    await site.advance(minutes=4)

    heard = site.who_heard()
    assert heard[:2] == [(0, "sms chen"), (60, "voice chen")]
    assert [who for _, who in heard if who.startswith("sms")] == [
        "sms chen",
        "sms chen",
        "sms zhang",
        "sms desk",
        "sms son",
    ]
    assert not [who for _, who in heard if who.endswith(" li")]


async def test_whoever_is_off_duty_may_answer_all_the_same(site: Any) -> None:
    """A worker of the home who hears of it otherwise can take it with its code."""
    await site.says(GAS, gas=True)
    await site.advance(seconds=5)
    await site.phone("li").replies(await site.code(), to="+15005550006")
    await site.advance(minutes=4)

    assert (await site.incident()).answered_by == "li"
    assert site.who_heard() == [(0, "sms chen"), (5, "answer li"), (5, "sms chen")]


async def test_when_nobody_at_all_is_on_duty_the_nearest_are_woken(any_site: Any) -> None:
    """Everybody has a shift and it is over: the nearest people are paged whatever their shift."""
    site = any_site
    grids = site.file("grids.yaml")
    shifts = '    shifts: ["mon-sun 07:00-22:00"]\n'
    grids.write_text(grids.read_text().replace(shifts, "").replace("    contact:\n", f"{shifts}    contact:\n"))
    assert await site.reload()
    await site.says(GAS, gas=True)
    await site.advance(seconds=5)

    assert site.who_heard() == [(0, "sms li")]
    assert "nobody_on_duty_anywhere" in await site.events()


async def test_at_seven_the_day_begins(site: Any) -> None:
    """Rounds go on through the night; from seven on they reach the worker whose day begins."""
    await site.advance(hours=3, minutes=50)
    await site.says(GAS, gas=True)
    await site.advance(minutes=20)

    texts = [(at, who) for at, who in site.who_heard() if who in {"sms li", "sms chen"}]
    first = next(at for at, who in texts if who == "sms li")
    assert 4 * 3600 <= first < 4 * 3600 + 480
    assert texts[0] == (13800, "sms chen")
