"""Lines on a terminal."""

import io
from collections.abc import Callable

import pytest

from notify.channel import SendOutcome
from notify.channels.console import ConsoleChannel, line
from rules.decisions import Delivery

Make = Callable[..., Delivery]


async def test_a_message_is_one_line(make_delivery: Make) -> None:
    stream = io.StringIO()
    result = await ConsoleChannel(stream).send(
        make_delivery(channel="console", address="console", text="燃气泄漏\n开窗")
    )
    assert stream.getvalue() == "→ 李明 [console] 燃气泄漏 ⏎ 开窗\n"
    assert (result.outcome, result.provider_id) == (SendOutcome.ACCEPTED, "console:1")


async def test_standing_in_for_another_channel_it_masks_the_address(
    make_delivery: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    channel = ConsoleChannel(name="voice")
    assert channel.name == "voice"
    await channel.send(make_delivery(channel="voice", speech="守望报警"))
    assert capsys.readouterr().out == "→ 李明 [voice 138****0001] 守望报警\n"


async def test_lines_may_go_elsewhere(make_delivery: Make) -> None:
    shown: list[str] = []
    delivery = make_delivery()
    await ConsoleChannel(show=shown.append).send(delivery)
    assert shown == [line(delivery)]


async def test_a_closed_terminal_refuses(make_delivery: Make) -> None:
    """So the person's next contact method is tried."""
    stream = io.StringIO()
    stream.close()
    assert (await ConsoleChannel(stream).send(make_delivery())).outcome is SendOutcome.PERMANENT
