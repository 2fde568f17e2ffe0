"""After the story: people type what sensors say and what neighbours answer, and see what comes of it."""

from collections.abc import Awaitable, Callable, Collection
from datetime import timedelta
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from rules import texts
from rules.community import Worker
from rules.periods import DailyWindow
from shouwang.demo import commands, gathering
from shouwang.demo.commands import Battery, HangUp, MisunderstoodError, Press, Quit, Reply, Says, Show, Skip, Speed
from shouwang.demo.keyboard import Keyboard, LineEditor
from shouwang.demo.people import ROLES, Person, kind_words
from shouwang.demo.promises import ALWAYS, Evidence, judged
from shouwang.demo.screen import Screen
from shouwang.demo.stage import Stage
from simulators.phones import BY_HAND, IGNORE
from store import incidents

#: Seconds of the story in a real one, until somebody types another speed; and while time is skipped.
_SPEED, _SKIPPING = 10.0, 6000.0


class FreePlay:
    """Reads lines until somebody has had enough."""

    def __init__(self, stage: Stage, screen: Screen, status: Callable[[], Text]) -> None:
        self._stage = stage
        self._screen = screen
        self._status = status
        self._editor = LineEditor(lambda text: commands.completions(text, stage.directory))

    async def run(self) -> None:
        """Play."""
        stage, screen = self._stage, self._screen
        for number in stage.directory.people:
            stage.twilio.phone(number).on_text(IGNORE).on_call(BY_HAND)
        stage.clock.speed = _SPEED
        screen.foot = self._foot
        screen.scene("现在轮到您", "Your turn")
        screen.line(
            None,
            "story",
            "试试 gas 王秀英 alarm，再 reply 李明 1 加上短信末尾的编号；help 看全部，Tab 补全，quit 结束。",
            "Try these two, with the code at the end of the text; help lists all, Tab completes, quit ends.",
        )
        with screen.alive(), Keyboard(self._editor, screen.refresh) as keyboard:
            while (line := await keyboard.line()) is not None:
                screen.typed(line)
                if not await self._do(line):
                    return

    async def _do(self, line: str) -> bool:
        """Do what a line says; False for enough."""
        try:
            command = commands.parse(line, self._stage.directory)
            if isinstance(command, Quit):
                return False
            if command is not None:
                await self._carry_out(command)
        except MisunderstoodError as why:
            self._screen.line(None, "story", why.zh, why.en, style="yellow")
        return True

    async def _carry_out(self, command: commands.Command) -> None:
        stage = self._stage
        match command:
            case Says(device, state):
                await self._says(device.id, state)
            case Battery(device, percent):
                await stage.battery(device.id, percent)
                self._screen.line(stage.clock.now(), "home", f"{device.id} 电量 {percent:g}%", "battery")
            case Reply(person, text):
                await stage.reply(person.number, text)
            case Press(person, keys):
                await self._press(person, keys)
            case HangUp(person):
                await self._phone(person, stage.twilio.phone(person.number).hangs_up)
            case Speed(factor):
                stage.clock.speed = factor
            case Skip(seconds):
                await self._skip(seconds)
            case Show(what, which):
                await self._show(what, which)

    async def _says(self, device_id: str, state: str) -> None:
        stage, device = self._stage, self._stage.directory.devices[device_id]
        home, kind = stage.directory.homes[device.home_id], kind_words(device.kind)
        words = _SAID.get((device.kind, state)) or _SAID["", state]
        zh = f"{home.address} {home.residents[0].name}家{device.room or ''}{kind[0]}：{words[0]}"
        self._screen.line(stage.clock.now(), "home", zh, f"{kind[1]}: {words[1]}")
        match state:
            case "alarm":
                await stage.alarm(device_id)
            case "clear":
                await stage.clear(device_id)
            case "test":
                await stage.test(device_id)
            case "silent":
                await stage.homes.unreachable(device_id)
            case _:
                await stage.homes.reachable(device_id)

    async def _press(self, person: Person, keys: str) -> None:
        """Take the call where it still rings, listen, and press."""
        phone = self._stage.twilio.phone(person.number)
        call = next((one for one in reversed(phone.calls) if not one.over), None)
        if call is None:
            raise MisunderstoodError(f"{person.name}的电话没有响", f"no call to {person.name} now")
        if not call.answered:
            await self._phone(person, phone.answers)
            await self._stage.see("电话没有声音", lambda: bool(call.heard), within=timedelta(seconds=20))
        if keys:
            await self._phone(person, lambda: phone.presses(keys))

    async def _phone(self, person: Person, act: Callable[[], Awaitable[Any]]) -> None:
        try:
            await self._stage.act(act)
        except LookupError:
            raise MisunderstoodError(f"{person.name}现在没有电话", f"no call to {person.name} now") from None

    async def _skip(self, seconds: float) -> None:
        stage = self._stage
        before, stage.clock.speed = stage.clock.speed, _SKIPPING
        try:
            await stage.until(stage.clock.now() + timedelta(seconds=seconds))
        finally:
            stage.clock.speed = before

    # --- showing ------------------------------------------------------------------------------------------------------

    async def _show(self, what: str, which: str) -> None:
        match what:
            case "incident":
                await self._incident(which)
            case "incidents":
                self._incidents()
            case "homes":
                self._homes()
            case "people":
                self._people()
            case "promises":
                evidence = Evidence()
                await gathering.gather(self._stage, evidence)
                self._screen.promises(judged(evidence, ALWAYS))
            case _:
                rows = [(usage.form, f"{usage.zh}  {usage.en}") for usage in commands.HELP]
                self._screen.table(("输入 type", "作用 what it does"), rows)

    async def _incident(self, reference: str) -> None:
        async with self._stage.database.read() as tx:
            found = await incidents.find(tx, reference.upper())
            journal = await incidents.journal(tx, found.id) if found else []
        if found is None:
            codes = " ".join(one.code for one in self._stage.incidents) or "还没有 none yet"
            raise MisunderstoodError(f"没有编号{reference}的事件；有 {codes}", f"no such incident; there are {codes}")
        self._screen.incident(found, journal)

    def _incidents(self) -> None:
        rows = [
            (one.code, texts.word("state", one.state, "zh"), str(one.state), one.title, one.snapshot.home.address)
            for one in self._stage.incidents
            if one.is_open
        ]
        if rows:
            self._screen.table(("编号", "状态", "state", "事件", "地点"), rows)
        else:
            self._screen.line(None, "story", "没有未结束的事件。", "No open incidents.")

    def _homes(self) -> None:
        directory = self._stage.directory
        rows = [
            (
                home.id,
                home.address,
                home.residents[0].name,
                " ".join(_word_of(device.kind) for device in directory.devices_in(home.id)),
            )
            for home in directory.registry.homes
        ]
        self._screen.table(("编号 id", "地址 address", "住户", "传感器 sensors"), rows)

    def _people(self) -> None:
        registry = self._stage.directory.registry
        names = {one.id: one.name for one in registry.workers} | {one.id: one.name for one in registry.grids}
        rows = [
            (one.name, ROLES[one.role][0], _hours(one), "、".join(names.get(each, each) for each in one.backup_for))
            for one in registry.workers
        ]
        self._screen.table(("姓名 name", "角色 role", "值班 on duty", "后备 backs up"), rows)

    def _foot(self) -> RenderableType:
        editor = self._editor
        line = Text("守望> ", style="bold magenta", no_wrap=True, overflow="ellipsis")
        under = editor.text[editor.cursor : editor.cursor + 1] or " "
        line.append(editor.text[: editor.cursor], style="not bold default")
        line.append(under, style="not bold default reverse")
        line.append(editor.text[editor.cursor + 1 :], style="not bold default")
        if editor.choices:
            return Group(Text("  ".join(editor.choices), style="dim"), self._status(), line)
        return Group(self._status(), line)


def _word_of(kind: str) -> str:
    return commands.SENSORS[kind][0] if kind in commands.SENSORS else kind


def _hours(worker: Worker) -> str:
    return "，".join(f"{_days(one.days)} {_window(one.window)}" for one in worker.shifts) or "随时 always"


def _days(days: Collection[int]) -> str:
    first, last = min(days), max(days)
    if len(days) == 7:
        return "每天"
    if len(days) > 2 and last - first == len(days) - 1:
        return f"周{_WEEK[first]}至周{_WEEK[last]}"
    return "周" + "".join(_WEEK[day] for day in sorted(days))


def _window(window: DailyWindow) -> str:
    return f"{window.start:%H:%M}-{window.end:%H:%M}"


_WEEK = "一二三四五六日"

#: What a sensor is made to say, by kind and state.
_SAID = {
    ("", "alarm"): ("报警", "alarm"),
    ("", "clear"): ("正常", "clear"),
    ("", "test"): ("测试键", "test button"),
    ("", "silent"): ("失联", "gone silent"),
    ("", "back"): ("恢复联系", "back again"),
    ("contact", "alarm"): ("打开", "open"),
    ("contact", "clear"): ("关上", "closed"),
    ("motion", "alarm"): ("有人活动", "detected"),
    ("sos", "alarm"): ("按下", "pressed"),
}
