"""What can be typed, and what is said of what cannot."""

import pytest

from shouwang.demo.commands import (
    HELP,
    Battery,
    HangUp,
    MisunderstoodError,
    Press,
    Quit,
    Reply,
    Says,
    Show,
    Skip,
    Speed,
    completions,
    parse,
)
from shouwang.demo.people import Directory


@pytest.mark.parametrize(
    ("line", "device", "state"),
    [
        ("gas yl-1-2-301 alarm", "yl-1-2-301-gas", "alarm"),
        ("gas yl-1-2-301-gas clear", "yl-1-2-301-gas", "clear"),
        ("GAS 王秀英 ALARM", "yl-1-2-301-gas", "alarm"),
        ("燃气 王秀英 报警", "yl-1-2-301-gas", "alarm"),
        ("smoke 3单元501 alarm", "yl-1-3-501-smoke", "alarm"),
        ("gas yf-20-3-102 test", "yf-20-3-102-gas", "test"),
        ("co xj-12-1-402 alarm", "xj-12-1-402-co", "alarm"),
        ("door yl-1-2-301 open", "yl-1-2-301-door", "alarm"),
        ("门 王秀英 关上", "yl-1-2-301-door", "clear"),
        ("sos yl-1-1-102 pressed", "yl-1-1-102-sos", "alarm"),
        ("fall 林国栋 alarm", "yf-20-3-604-fall", "alarm"),
        ("motion 陈玉珍 detected", "yl-1-3-501-motion", "alarm"),
        ("gas yl-1-2-301 silent", "yl-1-2-301-gas", "silent"),
        ("door yl-1-2-301 恢复联系", "yl-1-2-301-door", "back"),
    ],
)
def test_sensors_speak(directory: Directory, line: str, device: str, state: str) -> None:
    assert parse(line, directory) == Says(directory.devices[device], state)


def test_people_answer(directory: Directory) -> None:
    li = directory.named("李明")
    assert li is not None

    assert parse("reply 李明 1 K7", directory) == Reply(li, "1 K7")
    assert parse("回复  李明   属实K7  阀门没关", directory) == Reply(li, "属实K7  阀门没关")
    assert parse("answer 李明", directory) == Press(li)
    assert parse("press +8613800000001 2", directory) == Press(li, "2")
    assert parse("挂断 李明", directory) == HangUp(li)
    assert parse("reply 新盛 1 K7", directory) == Reply(directory.person("+8613800000090"), "1 K7")


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("incidents", Show("incidents")),
        ("事件 k7", Show("incident", "k7")),
        ("homes", Show("homes")),
        ("people", Show("people")),
        ("promises", Show("promises")),
        ("?", Show("help")),
        ("speed 60", Speed(60)),
        ("speed ×0.5", Speed(0.5)),
        ("skip 15m", Skip(900)),
        ("skip 15", Skip(900)),
        ("跳过 2小时", Skip(7200)),
        ("quit", Quit()),
        ("退出", Quit()),
        ("", None),
        ("   ", None),
    ],
)
def test_the_rest(directory: Directory, line: str, command: object) -> None:
    assert parse(line, directory) == command


def test_batteries_are_numbers(directory: Directory) -> None:
    door = directory.devices["yl-1-2-301-door"]

    assert parse("battery yl-1-2-301-door 9", directory) == Battery(door, 9)
    assert parse("电量 yl-1-2-301-door 9%", directory) == Battery(door, 9)


@pytest.mark.parametrize(
    ("line", "helps"),
    [
        ("gsa yl-1-2-301 alarm", "did you mean gas?"),
        ("frobnicate", "Type help"),
        ("gas", "such as gas yl-1-2-301 alarm"),
        ("door yl-1-2-301", "such as door yl-1-2-301 open"),
        ("gas yl-1-2-301 alarm now", "such as gas"),
        ("gas yl-1-2-31 alarm", "did you mean yl-1-2-301?"),
        ("gas 玉林 alarm", "several homes: yl-1-2-301"),
        ("gas nowhere alarm", "Type homes"),
        ("gas yl-1-3-501 alarm", "there are yl-1-3-501-smoke"),
        ("gas yl-1-2-301 open", "alarm"),
        ("battery yl-1-2-301 9", "yl-1-2-301-door"),
        ("battery yl-1-2-301-door 900", "from 0 to 100"),
        ("battery yl-1-2-301-door low", "from 0 to 100"),
        ("reply", "such as reply"),
        ("reply 李明", "such as reply"),
        ("reply 李明明 1 K7", "did you mean 李明?"),
        ("reply nobody 1 K7", "Type people"),
        ("reply 李 1 K7", "several people"),
        ("press 李明", "which key?"),
        ("press 李明 one", "which key?"),
        ("speed", "a number"),
        ("speed fast", "a number"),
        ("speed 0", "a number"),
        ("speed nan", "a number"),
        ("skip", "such as skip 15m"),
        ("skip 3d", "such as skip 15m"),
        ("skip 999h", "such as skip 15m"),
    ],
)
def test_what_means_nothing_is_told_what_would(directory: Directory, line: str, helps: str) -> None:
    """In Chinese first, then in English."""
    with pytest.raises(MisunderstoodError) as why:
        parse(line, directory)

    assert helps in why.value.en
    assert any("\u4e00" <= character <= "\u9fff" for character in why.value.zh)


@pytest.mark.parametrize("form", [usage.form for usage in HELP])
def test_every_example_of_the_help_works(directory: Directory, form: str) -> None:
    assert parse(form, directory) is not None


@pytest.mark.parametrize(
    ("line", "choices"),
    [
        ("inc", ["incidents"]),
        ("gas yl-1-2", ["yl-1-2-301", "yl-1-2-402"]),
        ("gas yl-1-2-301 al", ["alarm"]),
        ("reply 李", ["李明"]),
        ("reply 李明 ", []),
        ("nonsense x", []),
    ],
)
def test_tab_offers_what_fits(directory: Directory, line: str, choices: list[str]) -> None:
    assert completions(line, directory) == choices
