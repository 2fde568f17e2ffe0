"""Free play: lines typed, on the real world of the demo."""

from datetime import timedelta
from typing import Any

import pytest
from rich.text import Text

from shouwang.demo.playing import FreePlay
from shouwang.demo.screen import Screen
from shouwang.demo.stage import Stage
from simulators.phones import BY_HAND, IGNORE

LI = "+8613800000001"


@pytest.fixture
def play(stage: Stage, screen: Screen) -> FreePlay:
    for number in stage.directory.people:
        stage.twilio.phone(number).on_text(IGNORE).on_call(BY_HAND)
    return FreePlay(stage, screen, lambda: Text(""))


def shown(screen: Screen) -> str:
    file: Any = screen.console.file
    return str(file.getvalue())


async def typed(play: FreePlay, *lines: str) -> bool:
    going_on = True
    for line in lines:
        going_on = await play._do(line)
    return going_on


async def test_an_alarm_a_reply_and_an_outcome(stage: Stage, screen: Screen, play: FreePlay) -> None:
    """What is typed goes the whole way, and what comes of it is shown."""
    await typed(play, "gas 王秀英 alarm")
    await stage.see("a text", lambda: bool(stage.twilio.phone(LI).texts), within=timedelta(minutes=1))
    await typed(play, "reply 李明 1 K7", "reply 李明 到场K7", "reply 李明 误报K7 炒菜")
    await stage.see("the end", lambda: not stage.incidents[0].is_open, within=timedelta(minutes=1))
    await typed(play, "incidents", "incidents k7", "promises")

    text = shown(screen)
    for words in ("接单回K7", "李明接单（短信）", "李明结束：误报", "没有未结束的事件", "兑现 kept"):
        assert words in text
    assert "BROKEN" not in text


async def test_a_call_is_taken_and_answered_by_a_key(stage: Stage, screen: Screen, play: FreePlay) -> None:
    await typed(play, "smoke 王秀英 alarm")
    phone = stage.twilio.phone(LI)
    await stage.see("a call", lambda: bool(phone.calls), within=timedelta(minutes=2))
    await typed(play, "press 李明 1")

    await stage.see("the answer", lambda: stage.incidents[0].answered_by == "w07-a", within=timedelta(seconds=5))
    assert "李明接单（电话按键）" in shown(screen)


async def test_time_can_be_skipped_and_nothing_is_late(stage: Stage, screen: Screen, play: FreePlay) -> None:
    """An hour passes in a moment, and every step of it at its time."""
    await typed(play, "water 刘德海 alarm", "skip 1h", "speed 60")

    assert stage.clock.speed == 60
    assert "第2轮第1步" in shown(screen)
    assert "late" not in shown(screen)


async def test_mistakes_are_told_and_play_goes_on(screen: Screen, play: FreePlay) -> None:
    assert await typed(play, "gsa x", "press 李明 1", "hangup 李明", "incidents Z9", "", "help", "homes", "people")

    text = shown(screen)
    for words in (
        "did you mean gas?",
        "李明的电话没有响",
        "no such incident",
        "gas yl-1-2-301 alarm",
        "每天 07:00-22:00",
    ):
        assert words in text
    assert not await typed(play, "quit")


async def test_a_test_button_disturbs_nobody(stage: Stage, play: FreePlay) -> None:
    """Also a battery, a sensor that is silent for a moment, and somebody who moves about."""
    await typed(
        play,
        "gas yf-20-3-102 test",
        "battery yl-1-2-301-door 50",
        "gas 王秀英 silent",
        "gas 王秀英 back",
        "motion 陈玉珍 detected",
        "skip 10m",
    )

    assert stage.incidents == []
