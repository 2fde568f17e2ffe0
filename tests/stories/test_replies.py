"""What people text back: right, wrong, twice, or from nowhere."""

from typing import Any

import pytest

from rules.incident import IncidentState, OutcomeKind

STRANGER = "+8613700000001"
NUMBER = "+15005550006"


@pytest.mark.parametrize(
    "reply", ["{code}", "1 {code}", "接单{code}", "ack {code}", "１　{code}", "{lower}", "收到 {code} 五分钟到"]
)
async def test_the_ways_to_say_i_go(site: Any, reply: str) -> None:
    """Code alone, digit, Chinese and English words, full-width digits, small letters."""
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=10)
    code = await site.code()
    await site.phone("li").replies(reply.format(code=code, lower=code.lower()))

    assert (await site.incident()).state is IncidentState.ACKNOWLEDGED


async def test_two_homes_have_two_codes(any_site: Any) -> None:
    """An answer with a code reaches its own incident; without one the worker is asked which (code-is-unique)."""
    site = any_site
    await site.says("yl-1-2-301-gas", gas=True)
    first = await site.incident()
    await site.advance(seconds=5)
    await site.publishes("shouwang/v1/yl-1-2-302/gas/event", {"kind": "gas", "state": "alarm"})
    second = await site.incident()
    assert first.code != second.code
    await site.advance(seconds=5)

    await site.phone("li").replies("1")
    await site.advance(seconds=5)
    assert {one.state for one in await site.incidents()} == {IncidentState.OPEN}
    assert " ".join(sorted([first.code, second.code])) in site.text("answer li", 10)

    await site.phone("li").replies(f"1 {first.code}")
    await site.advance(seconds=5)
    states = {one.code: one.state for one in await site.incidents()}
    assert states == {first.code: IncidentState.ACKNOWLEDGED, second.code: IncidentState.OPEN}
    assert [who for _, who in site.who_heard()] == ["sms li", "sms li", "answer li", "answer li"]

    # The second is still asked for: the phone rings for it at its own minute.
    await site.advance(seconds=50)
    assert site.who_heard(since=16) == [(65, "voice li")]


async def test_a_wrong_code_reaches_nothing(any_site: Any) -> None:
    """A code that nobody gave is answered with an explanation, and the escalation goes on (code-is-unique)."""
    site = any_site
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=10)
    wrong = "Z999" if await site.code() != "Z999" else "Z998"
    await site.phone("li").replies(f"1 {wrong}")
    await site.advance(seconds=55)

    assert f"没有编号{wrong}的事件" in site.text("answer li", 10)
    assert (await site.incident()).state is IncidentState.OPEN
    assert site.who_heard() == [(0, "sms li"), (10, "answer li"), (60, "voice li")]


async def test_an_outcome_needs_its_code(any_site: Any) -> None:
    """`误报` alone closes a gas alarm only for whoever has answered it: others may mean what is closed already."""
    site = any_site
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=10)
    code = await site.code()

    await site.phone("li").replies("误报")
    assert (await site.incident()).state is IncidentState.OPEN
    await site.settle()
    assert f"误报{code}" in site.text("answer li", 10)

    await site.phone("li").replies("收到")
    assert (await site.incident()).state is IncidentState.ACKNOWLEDGED
    await site.phone("li").replies("误报")
    assert (await site.incident()).outcome is OutcomeKind.FALSE_ALARM


@pytest.mark.parametrize("reply", ["好的吗？", "K", "我在上海", "你是谁", "10分钟后到"])
async def test_what_is_not_understood_is_said_so(site: Any, reply: str) -> None:
    """No reply is guessed at: it is explained how to answer, and the escalation goes on."""
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=10)
    await site.phone("li").replies(reply)
    await site.advance(seconds=1)

    assert (await site.incident()).state is IncidentState.OPEN
    assert "接单请回短信末尾的编号" in site.text("answer li", 10)


async def test_a_worker_s_answers_do_not_use_up_the_explanations(site: Any) -> None:
    """However much was rightly said before, a slip of the thumb is explained."""
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=10)
    code = await site.code()
    for word in (code, f"到场{code}", f"到场{code}", f"误报{code}"):
        await site.phone("li").replies(word)
    await site.advance(seconds=10)
    await site.phone("li").replies("误报 Z999")
    await site.advance(seconds=10)

    assert "没有编号Z999的事件" in site.text("answer li", 20)


async def test_strangers_are_told_three_times_an_hour(any_site: Any) -> None:
    """An unknown number gets a short explanation, and no more than that: it may be a machine."""
    site = any_site
    for _ in range(5):
        await site.twilio.incoming(STRANGER, None, "1 K7")
        await site.advance(seconds=60)

    assert [who for _, who in site.who_heard()] == [f"answer {STRANGER}"] * 3
    assert "119" in site.twilio.phone(STRANGER).texts[0].body
    await site.advance(hours=1)
    await site.twilio.incoming(STRANGER, None, "喂")
    await site.settle()
    assert len(site.who_heard()) == 4


async def test_a_stranger_cannot_answer_for_anybody(site: Any) -> None:
    """The right code from a number that is nobody's changes nothing."""
    await site.says("yl-1-2-301-gas", gas=True)
    await site.twilio.incoming(STRANGER, None, f"误报{await site.code()}")
    await site.advance(seconds=65)

    assert (await site.incident()).state is IncidentState.OPEN
    assert (60, "voice li") in site.who_heard()


async def test_somebody_of_another_grid_cannot_answer(site: Any) -> None:
    """A worker whom this home does not concern is told so."""
    grids = site.file("grids.yaml")
    more = "  - {id: other, level: community, name: 别处, parent: xiaojiahe}\nworkers:\n"
    grids.write_text(
        grids.read_text().replace("workers:\n", more)
        + "  - id: far\n    name: 别人\n    role: micro\n    grids: [other]\n"
        + f"    contact: [{{sms: '{STRANGER}'}}]\n"
    )
    assert await site.reload()
    await site.says("yl-1-2-301-gas", gas=True)
    await site.twilio.incoming(STRANGER, None, await site.code())
    await site.settle()

    assert (await site.incident()).state is IncidentState.OPEN
    assert "不属于您负责的范围" in site.text(f"answer {STRANGER}", 0)


async def test_a_reply_that_is_brought_twice_counts_once(any_site: Any) -> None:
    """The provider repeats a webhook: the same answer again, and no second line in the journal (ack-after-commit)."""
    site = any_site
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=10)
    incoming = await site.phone("li").replies(f"1 {await site.code()}")
    before, version = await site.events(), (await site.incident()).version
    again = await site.twilio.redeliver(incoming.message.sid)

    assert again.replies[0].body == incoming.replies[0].body
    assert await site.events() == before
    assert (await site.incident()).version == version


async def test_a_key_that_is_brought_twice_counts_once(site: Any) -> None:
    """The provider repeats the request with the key: nothing changes, and it is said again who goes."""
    from simulators.phones import answer  # noqa: PLC0415 - used by this story alone

    site.phone("li").on_call(answer(press="1"))
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=120)
    key = next(one for one in site.twilio.webhooks if "Digits" in one.params)
    before, version = await site.events(), (await site.incident()).version

    delivery = int(key.url.rpartition("=")[2])
    script = await site.service.phone.call_key(delivery, "1")

    assert "您已接单" in script.speech
    assert await site.events() == before
    assert (await site.incident()).version == version


async def test_an_old_code_is_answered_with_how_it_ended(site: Any) -> None:
    """Hours later the code still names its incident, so that nobody's reply reaches another (code-is-unique)."""
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=10)
    code = await site.code()
    await site.phone("li").replies(f"误报{code}")
    await site.says("yl-1-2-301-gas", gas=False)
    await site.advance(hours=5)
    await site.says("yl-1-2-301-gas", gas=True)
    assert await site.code() != code

    await site.phone("li").replies(f"1{code}")
    await site.advance(seconds=5)
    assert "已由李明结束（误报）" in site.phone("li").texts[-1].body
    assert (await site.incident()).state is IncidentState.OPEN
