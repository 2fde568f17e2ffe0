"""Nobody answers: who hears what, and when."""

from typing import Any

from rules.incident import IncidentState
from simulators.phones import answer


async def test_the_first_text_goes_out_at_once_and_says_it_all(site: Any) -> None:
    """A gas alarm reaches the worker in the same moment, with place, person, kind, first action and code."""
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=5)

    assert site.who_heard() == [(0, "sms li")]
    text = site.phone("li").texts[0].body
    for part in ("燃气泄漏", "1栋2单元301", "王秀英", "开窗关阀勿开灯", await site.code()):
        assert part in text
    assert len(text) <= 70


async def test_unanswered_it_goes_up_step_by_step_and_begins_again(any_site: Any) -> None:
    """Nobody answers the first text, so after a minute the phone rings; a call that is not taken moves on at once.

    The others hear, then the desk and the son; five minutes after that it begins again. Nobody hears anything else
    (invariants never-silent, one-page).
    """
    site = any_site
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(minutes=6)

    first_round = [
        (0, "sms li"),
        (60, "voice li"),
        (86, "sms chen"),
        (86, "sms zhang"),
        (86, "voice chen"),
        (86, "voice zhang"),
        (112, "sms desk"),
        (112, "sms son"),
        (112, "voice desk"),
        (112, "voice son"),
        (139, "webhook desk"),
    ]
    assert site.who_heard() == first_round

    await site.advance(minutes=6)
    second_round = site.who_heard(since=361)
    assert [who for _, who in second_round] == [who for _, who in first_round]
    assert second_round[0] == (412, "sms li")
    assert "[第2轮]" in site.text("sms li", 412)


async def test_family_are_told_and_not_asked(site: Any) -> None:
    """The son hears that somebody is being sent, and is asked for nothing; what he answers takes nothing over."""
    site.phone("son").on_call(answer(press="1"))
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=120)

    text = site.text("sms son", 112)
    assert "请联系老人" in text
    assert "接单回" not in text
    heard = " ".join(site.phone("son").calls[0].heard)
    assert "请尽快与老人联系" in heard
    assert "请按1" not in heard
    assert site.phone("son").calls[0].pressed == []

    await site.phone("son").replies(f"1 {await site.code()}")
    await site.settle()

    assert (await site.incident()).state is IncidentState.OPEN
    assert "由网格员处理" in site.text("answer son", 120)


async def test_somebody_without_a_text_on_hand_is_called(site: Any) -> None:
    """A policy that asks for a way the worker has not, takes the worker's first way instead of nobody."""
    rules = site.file("rules.yaml")
    rules.write_text(
        rules.read_text().replace("{after: 0s, to: assigned, by: [sms]}", "{after: 0s, to: assigned, by: [apprise]}")
    )
    assert await site.reload()

    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=5)

    assert site.who_heard() == [(0, "sms li")]
