"""What people can type when the story is over. Pure: a line and the directory in, a command or a helpful word out."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from rules.community import Device, Home
from shouwang.config.problems import nearest
from shouwang.demo.people import Directory, Person, kind_words


@dataclass(frozen=True, slots=True)
class Says:
    """A sensor says something: `alarm`, `clear`, `test`, `silent` or `back`."""

    device: Device
    state: str


@dataclass(frozen=True, slots=True)
class Battery:
    """A sensor says how full its battery is, in per cent."""

    device: Device
    percent: float


@dataclass(frozen=True, slots=True)
class Reply:
    """Somebody texts us."""

    person: Person
    text: str


@dataclass(frozen=True, slots=True)
class Press:
    """Somebody takes the call that rings, and presses keys; none: listens only."""

    person: Person
    keys: str = ""


@dataclass(frozen=True, slots=True)
class HangUp:
    """Somebody puts the phone down."""

    person: Person


@dataclass(frozen=True, slots=True)
class Speed:
    """The clock goes so many times as fast as a real one."""

    factor: float


@dataclass(frozen=True, slots=True)
class Skip:
    """Let so many seconds pass quickly."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Show:
    """Show something: `incidents`, `incident`, `homes`, `people`, `promises` or `help`; one of them by its name."""

    what: str
    which: str = ""


@dataclass(frozen=True, slots=True)
class Quit:
    """Enough."""


class MisunderstoodError(Exception):
    """Why a line means nothing, and what would; in Chinese and English."""

    def __init__(self, zh: str, en: str) -> None:
        self.zh = zh
        self.en = en
        super().__init__(f"{zh} {en}")


Command = Says | Battery | Reply | Press | HangUp | Speed | Skip | Show | Quit

#: How each kind of sensor is called in a command.
SENSORS = {
    "gas": ("gas", "燃气"),
    "smoke": ("smoke", "烟雾", "烟感"),
    "carbon_monoxide": ("co", "一氧化碳"),
    "water_leak": ("water", "水浸", "漏水"),
    "contact": ("door", "门"),
    "motion": ("motion", "活动"),
    "sos": ("sos", "呼救"),
    "fall": ("fall", "跌倒"),
    "battery": ("battery", "电量"),
}
_KIND_OF = {word: kind for kind, words in SENSORS.items() for word in words}

#: What a sensor can be made to say, by the words for it. Every kind also knows `silent` and `back`.
_ALARMS = {"alarm": "alarm", "报警": "alarm", "clear": "clear", "恢复": "clear", "正常": "clear"}
_TEST = {"test": "test", "测试": "test"}
_ALWAYS = {"silent": "silent", "失联": "silent", "back": "back", "恢复联系": "back"}
STATES: dict[str, dict[str, str]] = {
    "gas": _ALARMS | _TEST,
    "smoke": _ALARMS | _TEST,
    "carbon_monoxide": _ALARMS | _TEST,
    "water_leak": _ALARMS,
    "fall": _ALARMS,
    "contact": {"open": "alarm", "打开": "alarm", "开": "alarm", "closed": "clear", "关上": "clear", "关": "clear"},
    "motion": {"detected": "alarm", "有人": "alarm", "clear": "clear", "无人": "clear"},
    "sos": {"pressed": "alarm", "按下": "alarm", "alarm": "alarm"},
}

_SPEEDS = (0.1, 3600.0)
_LONGEST_SKIP_S = 2 * 86_400
_UNITS = {"": 60, "s": 1, "秒": 1, "m": 60, "分": 60, "分钟": 60, "h": 3600, "小时": 3600}


class Usage(NamedTuple):
    """One line of the help."""

    words: tuple[str, ...]
    form: str
    zh: str
    en: str


HELP = (
    Usage(
        tuple(_KIND_OF),
        "gas yl-1-2-301 alarm",
        "传感器 gas smoke co water sos fall motion：alarm clear test silent back",
        "a sensor speaks",
    ),
    Usage(
        ("door", "门"), "door yl-1-2-301 open", "开门、关门：open closed（夜里开着15分钟会报）", "open or shut a door"
    ),
    Usage(("battery", "电量"), "battery yl-1-2-301-door 9", "电量，百分之几", "how full a battery is"),
    Usage(("reply", "回复"), "reply 李明 1 K7", "某人回短信；也可以 到场K7、误报K7、去不了K7", "somebody texts back"),
    Usage(("answer", "接听"), "answer 李明", "接起正在响的电话", "take the call that rings"),
    Usage(("press", "按键"), "press 李明 1", "在电话里按键：1接单 2去不了 9重听", "press a key in a call"),
    Usage(("hangup", "挂断"), "hangup 李明", "挂断", "put the phone down"),
    Usage(("incidents", "事件"), "incidents", "未结束的事件；incidents K7 看一件的经过", "list them, or show one"),
    Usage(("homes", "住户"), "homes", "有哪些人家、哪些传感器", "the homes and their sensors"),
    Usage(("people", "人员"), "people", "有谁、什么时候值班", "who there is, and when on duty"),
    Usage(("speed", "速度"), "speed 60", "时间快慢；平时是10", "how fast the clock goes"),
    Usage(("skip", "跳过"), "skip 15m", "快进", "let time pass"),
    Usage(("promises", "承诺"), "promises", "再查一遍承诺", "check the promises again"),
    Usage(("help", "帮助", "?"), "help", "这张表", "this table"),
    Usage(("quit", "退出", "exit", "q"), "quit", "结束", "end"),
)


def parse(line: str, directory: Directory) -> Command | None:
    """Read a line; None for an empty one. Raises MisunderstoodError."""
    words = line.split()
    if not words:
        return None
    head, rest = words[0].casefold(), words[1:]
    if head in _KIND_OF:
        return _sensor(_KIND_OF[head], rest, directory)
    for usage in HELP:
        if head in usage.words:
            return _READERS[usage.words[0]](rest, line, directory)
    known = [word for usage in HELP for word in usage.words]
    meant = nearest(head, known)
    raise MisunderstoodError(
        f"没有“{words[0]}”这个命令。{f'是不是 {meant}？' if meant else ''}输入 help 看有哪些。",
        f"no such command{f'; did you mean {meant}?' if meant else ''} Type help for what there is.",
    )


def completions(line: str, directory: Directory) -> list[str]:
    """What the last word of an unfinished line may become."""
    words = line.split(" ")
    last, before = words[-1], [word for word in words[:-1] if word]
    if not before:
        choices: Iterable[str] = [word for usage in HELP for word in usage.words if len(word) > 1]
    elif before[0] in _KIND_OF and len(before) == 1:
        choices = directory.homes
    elif before[0] in _KIND_OF and len(before) == 2:
        choices = (*STATES.get(_KIND_OF[before[0]], ()), *_ALWAYS)
    elif before[0] in {"reply", "answer", "press", "hangup"} and len(before) == 1:
        choices = [worker.name for worker in directory.registry.workers]
    else:
        choices = ()
    return [choice for choice in dict.fromkeys(choices) if choice.startswith(last)]


# --- reading each kind of line ----------------------------------------------------------------------------------------


def _sensor(kind: str, rest: list[str], directory: Directory) -> Command:
    if len(rest) != 2:
        form = next(usage.form for usage in reversed(HELP) if SENSORS[kind][0] in usage.words)
        raise MisunderstoodError(f"要有哪一户和什么状态，比如 {form}", f"a home and a state, such as {form}")
    device = _device(kind, rest[0], directory)
    word = rest[1].casefold()
    if kind == "battery":
        if not re.fullmatch(r"\d{1,3}%?", word) or float(word.rstrip("%")) > 100:
            raise MisunderstoodError(f"电量是0到100的数，不是“{rest[1]}”", f"a number from 0 to 100, not {rest[1]!r}")
        return Battery(device, float(word.rstrip("%")))
    states = STATES.get(kind, {}) | _ALWAYS
    if word not in states:
        known = " ".join(states)
        raise MisunderstoodError(f"{kind_words(kind)[0]}没有“{rest[1]}”；可以是 {known}", f"it can be {known}")
    return Says(device, states[word])


def _device(kind: str, name: str, directory: Directory) -> Device:
    if (device := directory.devices.get(name)) is not None and kind in {device.kind, "battery"}:
        return device
    home = _home(name, directory)
    there = directory.devices_in(home.id)
    found = [device for device in there if device.kind == kind]
    if not found:
        known = " ".join(device.id for device in there)
        what = kind_words(kind)
        if kind == "battery":
            raise MisunderstoodError(f"要写明哪个传感器：{known}", f"name the sensor: {known}")
        raise MisunderstoodError(
            f"{home.id} 没有{what[0]}传感器；有 {known}", f"there is no {what[1]} sensor; there are {known}"
        )
    return found[0]


def _home(name: str, directory: Directory) -> Home:
    """By id, by a resident's name, or by any part of id and address that only one has."""
    if (home := directory.homes.get(name)) is not None:
        return home
    homes = directory.registry.homes
    found = [home for home in homes if any(one.name == name for one in home.residents)]
    found = found or [home for home in homes if name in home.id or name in home.address]
    if len(found) == 1:
        return found[0]
    if found:
        ids = " ".join(home.id for home in found)
        raise MisunderstoodError(f"“{name}”不止一户：{ids}", f"several homes: {ids}")
    meant = nearest(name, directory.homes)
    raise MisunderstoodError(
        f"没有“{name}”这户人家。{f'是不是 {meant}？' if meant else ''}输入 homes 看有哪些。",
        f"no such home{f'; did you mean {meant}?' if meant else ''} Type homes for what there is.",
    )


def _person(rest: list[str], form: str, directory: Directory) -> Person:
    if not rest:
        raise MisunderstoodError(f"要写是谁，比如 {form}", f"say who, such as {form}")
    name = rest[0]
    if (person := directory.named(name)) is not None:
        return person
    found = [one for one in directory.people.values() if name in one.name]
    if len(found) == 1:
        return found[0]
    names = [one.name for one in directory.people.values()]
    meant = nearest(name, names)
    if found:
        several = "、".join(one.name for one in found)
        raise MisunderstoodError(f"“{name}”不止一人：{several}", f"several people: {several}")
    raise MisunderstoodError(
        f"没有叫“{name}”的人。{f'是不是 {meant}？' if meant else ''}输入 people 看有谁。",
        f"nobody of that name{f'; did you mean {meant}?' if meant else ''} Type people for who there is.",
    )


def _reply(rest: list[str], line: str, directory: Directory) -> Command:
    person = _person(rest, "reply 李明 1 K7", directory)
    text = line.split(maxsplit=2)[2:]
    if not text:
        raise MisunderstoodError("要写回了什么，比如 reply 李明 1 K7", "and what they text, such as reply 李明 1 K7")
    return Reply(person, text[0].strip())


def _press(rest: list[str], _line: str, directory: Directory) -> Command:
    person = _person(rest, "press 李明 1", directory)
    keys = "".join(rest[1:])
    if not re.fullmatch(r"[0-9*#]+", keys):
        raise MisunderstoodError("按哪个键？比如 press 李明 1", "which key? such as press 李明 1")
    return Press(person, keys)


def _speed(rest: list[str], _line: str, _directory: Directory) -> Command:
    slowest, fastest = _SPEEDS
    try:
        factor = float(rest[0].lstrip("×x"))
    except (IndexError, ValueError):
        factor = 0.0
    if not slowest <= factor <= fastest:
        raise MisunderstoodError(
            f"速度是{slowest:g}到{fastest:g}的数，1是真实时间",
            f"a number from {slowest:g} to {fastest:g}; 1 is real time",
        )
    return Speed(factor)


def _skip(rest: list[str], _line: str, _directory: Directory) -> Command:
    found = re.fullmatch(r"(\d{1,6})([a-z\u4e00-\u9fff]*)", "".join(rest).casefold())
    seconds = int(found[1]) * _UNITS.get(found[2], 0) if found else 0
    if not 0 < seconds <= _LONGEST_SKIP_S:
        raise MisunderstoodError(
            "跳过多久？比如 skip 15m，最多两天", "how long? such as skip 15m; two days at the most"
        )
    return Skip(seconds)


def _incidents(rest: list[str], _line: str, _directory: Directory) -> Command:
    return Show("incident", rest[0]) if rest else Show("incidents")


_READERS: dict[str, Callable[[list[str], str, Directory], Command]] = {
    "reply": _reply,
    "answer": lambda rest, _line, directory: Press(_person(rest, "answer 李明", directory)),
    "press": _press,
    "hangup": lambda rest, _line, directory: HangUp(_person(rest, "hangup 李明", directory)),
    "incidents": _incidents,
    "homes": lambda _rest, _line, _directory: Show("homes"),
    "people": lambda _rest, _line, _directory: Show("people"),
    "speed": _speed,
    "skip": _skip,
    "promises": lambda _rest, _line, _directory: Show("promises"),
    "help": lambda _rest, _line, _directory: Show("help"),
    "quit": lambda _rest, _line, _directory: Quit(),
}
