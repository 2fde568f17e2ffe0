"""The story: an ordinary evening, a gas leak, and the neighbour who goes."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from rules.incident import Incident, IncidentState
from shouwang.demo.people import resident
from shouwang.demo.promises import Evidence
from shouwang.demo.screen import Screen
from shouwang.demo.stage import ZONE, Stage
from simulators.phones import IGNORE, answer, reply

_LOCAL = ZoneInfo(ZONE)
#: A Monday in spring; always the same one, so that the evening is always the same evening.
START = datetime(2026, 3, 2, 16, 45, tzinfo=_LOCAL).astimezone(UTC)
_TESTED_AT = datetime(2026, 3, 2, 20, 15, tzinfo=_LOCAL).astimezone(UTC)
_LEAK_AT = datetime(2026, 3, 2, 21, 43, tzinfo=_LOCAL).astimezone(UTC)

HOME = "yl-1-2-301"
_GAS = f"{HOME}-gas"
_TESTED_GAS = "yf-20-3-102-gas"
LI, ZHOU, ZHANG = "+8613800000001", "+8613800000002", "+8613800000006"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast the story is told. What happens, and when in the story, is the same at any pace."""

    #: Real seconds for each second of pause in which people read.
    pause: float
    #: Seconds of the story in a real one: in the evening, while somebody is waited for, while somebody walks.
    evening: float
    waiting: float
    walking: float


#: For people who watch, and go on to play.
WATCHED = Pace(pause=1.0, evening=5000, waiting=14, walking=60)
#: For people who watch once; within a minute, also where the machine is slow.
BRISK = Pace(pause=0.55, evening=10_000, waiting=25, walking=120)
#: Where nobody reads along.
UNWATCHED = Pace(pause=0.0, evening=20_000, waiting=2000, walking=2000)


class Story:
    """Tells it on a stage, and gathers the evidence for its promises."""

    def __init__(self, stage: Stage, screen: Screen, pace: Pace, *, picture: Path | None = None) -> None:
        self._stage = stage
        self._screen = screen
        self._pace = pace
        self._picture = picture
        self.evidence = Evidence()
        #: The real (monotonic) time just before the sensor spoke.
        self.began = 0.0

    async def tell(self) -> None:
        """Tell all of it; raises StuckError where what should happen does not."""
        await self._evening()
        with self._screen.pictured(self._picture):
            await self._leak()
            await self._call()
            await self._back_up()
        await self._word_gets_round()
        await self._arrival()
        await self._outcome()

    # --- scenes -------------------------------------------------------------------------------------------------------

    async def _evening(self) -> None:
        stage, screen = self._stage, self._screen
        screen.scene("一、平常的傍晚", "An ordinary evening")
        stage.clock.speed = self._pace.evening
        await stage.until(_TESTED_AT)
        await stage.test(_TESTED_GAS)
        home = stage.directory.home_of(_TESTED_GAS)
        screen.line(
            _TESTED_AT,
            "home",
            f"{home.address} 按了燃气报警器的测试键：只记录，不打扰人",
            "the test button of a gas detector: noted, nobody is disturbed",
        )
        await stage.until(_LEAK_AT)
        await stage.rest()
        self.evidence.incidents_before = len(stage.incidents)
        zh = f"{stage.ledger.committed} 条消息，每条都已落盘；没有一条值得惊动人"
        screen.line(
            stage.clock.now(),
            "shouwang",
            zh,
            f"{stage.ledger.committed} messages, all on disk, none to wake anybody for",
        )
        await self._pause(2)

    async def _leak(self) -> None:
        stage, screen = self._stage, self._screen
        home = stage.directory.homes[HOME]
        name, age = resident(home, _LEAK_AT.astimezone(_LOCAL).date())
        stage.twilio.phone(LI).on_text(IGNORE).on_call(answer(after_s=6, press="2", press_after_s=13))
        screen.scene("二、燃气泄漏", "A gas leak")
        stage.clock.speed = 1 if self._pace.pause else self._pace.waiting
        screen.line(
            stage.clock.now(),
            "home",
            f"{name}（{age}岁，独居）厨房的燃气报警器响了",
            f"the gas detector in the kitchen of {name}, {age}, living alone",
        )
        self.began = await stage.alarm(_GAS)
        await self._see("李明收到短信", "a text to the worker on duty", lambda: bool(stage.twilio.phone(LI).texts))
        await self._pause(5)

    async def _call(self) -> None:
        stage, screen = self._stage, self._screen
        screen.scene("三、没有人接单", "Nobody answers")
        stage.clock.speed = self._pace.waiting
        calls = stage.twilio.phone(LI).calls
        await self._see("李明接电话", "a call to the same worker", lambda: bool(calls and calls[0].heard))
        await self._pause(5)
        stage.twilio.phone(ZHOU).on_text(reply(lambda _text: f"1 {self._incident().code}", after_s=19), IGNORE)
        stage.twilio.phone(ZHANG).on_call(answer(after_s=22))

    async def _back_up(self) -> None:
        stage, screen = self._stage, self._screen
        screen.scene("四、他去不了，找后备", "He cannot go: the back-up")
        calls = stage.twilio.phone(LI).calls
        await self._see("李明按2：去不了", "key 2: he cannot go", lambda: bool(calls and calls[0].over))
        await self._see("通知后备", "texts to the back-up", lambda: bool(stage.twilio.phone(ZHOU).texts))
        await self._pause(3)
        stage.clock.speed = self._pace.waiting / 2
        await self._see("周秀兰接单", "her answer", lambda: self._incident().state is IncidentState.ACKNOWLEDGED)
        await self._see("她收到处置步骤", "the plan to her", lambda: len(stage.twilio.phone(ZHOU).texts) > 1)

    async def _word_gets_round(self) -> None:
        """Whoever was told before hears who is on the way."""
        stage = self._stage
        await self._see("大家知道谁在路上", "news to the others", lambda: len(stage.twilio.phone(ZHANG).texts) > 1)
        zhang = stage.twilio.phone(ZHANG).calls
        await self._see("张敏放下电话", "the end of the other call", lambda: bool(zhang and zhang[0].over))
        await self._pause(4)

    async def _arrival(self) -> None:
        stage, screen = self._stage, self._screen
        screen.scene("五、到场", "On the scene")
        stage.clock.speed = self._pace.walking
        await stage.until(_LEAK_AT + timedelta(minutes=4, seconds=40))
        stage.clock.speed = self._pace.waiting
        await stage.reply(ZHOU, f"到场{self._incident().code}")
        await self._see("记录到场", "the arrival", lambda: self._incident().state is IncidentState.ON_SCENE)
        await self._pause(2)
        await stage.until(_LEAK_AT + timedelta(minutes=6))
        screen.line(
            stage.clock.now(), "home", "阀门关了，窗开了，报警器恢复", "valve shut, windows open: the detector is clear"
        )
        await stage.clear(_GAS)
        heard = len(stage.twilio.phone(ZHOU).texts)
        await self._see("到场的人知道已恢复", "word of it to her", lambda: len(stage.twilio.phone(ZHOU).texts) > heard)
        await self._pause(2)

    async def _outcome(self) -> None:
        stage, screen = self._stage, self._screen
        screen.scene("六、结果", "The outcome")
        stage.clock.speed = self._pace.walking
        await stage.until(_LEAK_AT + timedelta(minutes=11))
        stage.clock.speed = self._pace.waiting
        await stage.reply(ZHOU, f"属实{self._incident().code} 灶前阀没关严，已关阀开窗，老人平安")
        await self._see("事件结束", "the end of the incident", lambda: not self._incident().is_open)
        # The others hear of the end, and so do we.
        await stage.until(stage.clock.now() + timedelta(seconds=5))
        await stage.rest()
        await self._pause(2)

    # --- help ---------------------------------------------------------------------------------------------------------

    async def _see(self, zh: str, en: str, condition: Callable[[], bool]) -> None:
        await self._stage.see(f"等不到：{zh} (no {en})", condition, within=timedelta(minutes=5))

    async def _pause(self, seconds: float) -> None:
        """Let people read; the story waits for them."""
        if not self._pace.pause:
            return
        with self._stage.standing_still():
            await asyncio.sleep(seconds * self._pace.pause)

    def _incident(self) -> Incident:
        return self._stage.incidents[0]
