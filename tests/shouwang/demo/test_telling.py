"""The story from beginning to end, as a process of its own and in here."""

import os
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from shouwang.demo import tell_story
from shouwang.demo.stage import Stage
from simulators.twilio import FaultKind

SHOUWANG = Path(sys.executable).with_name("shouwang")
BACK_UP = "+8613800000002"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """One in which whatever is left behind is found, and whose settings must not matter."""
    (tmp_path / "left").mkdir()
    settings = {"SHOUWANG_TIME_ZONE": "Nowhere/At_All", "SHOUWANG_MQTT__URL": "mqtt://127.0.0.1:1"}
    return {**os.environ, **settings, "TMPDIR": str(tmp_path / "left"), "PYTHONIOENCODING": "utf-8"}


@pytest.fixture
def process(environment: dict[str, str], tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """`shouwang demo`, started in an empty folder and without a terminal."""
    (tmp_path / "here").mkdir()
    with subprocess.Popen(
        [SHOUWANG, "demo", "--picture", tmp_path / "demo.svg"],
        cwd=tmp_path / "here",
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def nothing_is_left(folder: Path, children: list[psutil.Process]) -> bool:
    return not any((folder / "left").iterdir()) and not any(child.is_running() for child in children)


def test_it_is_told_once_where_there_is_no_terminal(process: "subprocess.Popen[str]", tmp_path: Path) -> None:
    """Within a minute, with every promise kept, exit 0, and nothing left running or lying about."""
    told, _ = process.communicate(timeout=60)

    assert process.returncode == 0, told
    for words in (
        "燃气泄漏 玉林北街1号院1栋2单元301 王秀英 开窗关阀勿开灯 接单回K7",
        "守望报警",
        "李明去不了（电话按键）",
        "1 K7",
        "周秀兰接单（短信）",
        "周秀兰已接单，正前往",
        "周秀兰到场（短信）",
        "周秀兰结束：属实（短信）",
        "Every promise was kept.",
    ):
        assert words in told
    assert "BROKEN" not in told
    assert "\x1b" not in told
    assert nothing_is_left(tmp_path, [])
    is_a_picture(tmp_path / "demo.svg")


def is_a_picture(path: Path) -> None:
    """Well-formed, with what was printed, and nothing to load from anywhere."""
    drawn = ET.parse(path).getroot()
    said = "".join(drawn.itertext())
    assert drawn.tag.endswith("svg")
    assert "王秀英" in said
    assert "url(http" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_can_be_stopped_at_any_moment(
    process: "subprocess.Popen[str]", tmp_path: Path, number: signal.Signals
) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if "王秀英" in line:
            break
    children = psutil.Process(process.pid).children()
    process.send_signal(number)
    rest, _ = process.communicate(timeout=20)

    assert process.returncode == 130
    assert "Traceback" not in rest
    assert children
    assert nothing_is_left(tmp_path, children)


async def test_a_story_that_cannot_go_on_says_where(capsys: pytest.CaptureFixture[str]) -> None:
    """The back-up's texts do not arrive, so that nobody answers."""

    def lose_texts(stage: Stage) -> None:
        stage.twilio.faults.add(FaultKind.UNDELIVERED, number=BACK_UP)

    assert not await tell_story(once=True, prepare=lose_texts)
    assert "等不到：通知后备" in capsys.readouterr().out


#: `shouwang demo --once` with a channel that sends every text twice.
SENT_TWICE = """
from notify.channels.twilio_sms import TwilioSms
from shouwang.cli import main

send = TwilioSms.send

async def send_twice(self, delivery):
    await send(self, delivery)
    return await send(self, delivery)

TwilioSms.send = send_twice
main()
"""


def test_a_broken_promise_is_exit_1(environment: dict[str, str]) -> None:
    """A text that leaves twice is seen at the wire (invariant one-page)."""
    done = subprocess.run(
        [sys.executable, "-c", SENT_TWICE, "demo", "--once"],
        env=environment,
        capture_output=True,
        timeout=110,
        check=False,
    )

    told = done.stdout.decode()
    assert done.returncode == 1
    assert "未兑现 BROKEN  同一步骤不通知同一人两次" in told
    assert "1 broken." in told
