"""Nobody answers: who hears what, and when."""

from typing import Any


async def test_the_first_text_goes_out_at_once_and_says_it_all(site: Any) -> None:
    """A gas alarm reaches the worker in the same moment, with place, person, kind, first action and code."""
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=5)

    incident = await site.incident()
    assert site.who_heard() == [(0, "sms li")]
    text = site.phone("li").texts[0].body
    for part in ("燃气泄漏", "1栋2单元301", "王秀英", "开窗关阀勿开灯", incident.code):
        assert part in text
    assert len(text) <= 70


async def test_unanswered_it_goes_up_step_by_step_and_begins_again(site: Any) -> None:
    """Nobody answers the first text, so after a minute the phone rings; a call that is not taken moves on at once.

    The others hear, then the desk and the son; five minutes after that it begins again. Nobody hears anything else
    (invariants never-silent, one-page).
    """
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(minutes=5)

    assert sorted(site.who_heard()) == [
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
    ]

    await site.advance(minutes=2)
    assert (412, "sms li") in site.who_heard()
