"""Somebody answers: it gets quiet, the others know, and the second clock runs."""

from typing import Any

from rules.incident import IncidentState, OutcomeKind, Verb
from simulators.phones import answer


async def test_a_reply_with_the_code_ends_the_escalation(any_site: Any) -> None:
    """After `1 K7` nobody is paged any more (invariant quiet-after-answer)."""
    site = any_site
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=30)
    code = await site.code()

    await site.phone("li").replies(f"1 {code}")
    await site.advance(seconds=200)

    assert site.who_heard() == [(0, "sms li"), (30, "answer li")]
    assert "先在门外关总阀: 厨房灶台下方" in site.text("answer li", 30)
    incident = await site.incident()
    assert incident.state is IncidentState.ACKNOWLEDGED
    assert incident.answered_by == "li"

    await site.phone("li").replies(f"到场{code}")
    assert (await site.incident()).state is IncidentState.ON_SCENE
    await site.phone("li").replies(f"误报 {code} 炒菜")
    incident = await site.incident()
    assert (incident.state, incident.outcome, incident.note) == (
        IncidentState.RESOLVED,
        OutcomeKind.FALSE_ALARM,
        "炒菜",
    )
    assert await site.open_incidents() == []

    await site.says("yl-1-2-301-gas", gas=False)
    await site.advance(hours=2)
    assert site.who_heard(since=31) == [(230, "answer li"), (230, "answer li")]


async def test_a_key_on_the_call_answers_too(any_site: Any) -> None:
    """The first worker takes the call at one minute and presses 1: the back-up hears nothing."""
    site = any_site
    site.phone("li").on_call(answer(press="1"))
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=200)

    assert site.who_heard() == [(0, "sms li"), (60, "voice li")]
    heard = " ".join(site.phone("li").calls[0].heard)
    for part in ("玉林北街1号院1栋2单元301", "燃气泄漏", "接单请按1", "由您前往"):
        assert part in heard
    assert (await site.incident()).state is IncidentState.ACKNOWLEDGED


async def test_a_call_that_is_heard_and_not_answered_leaves_the_next_step_to_its_time(site: Any) -> None:
    """The worker takes the call, presses nothing and hangs up: the others hear at two minutes, not before."""
    site.phone("li").on_call(answer(hangs_up_after_s=10))
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=125)

    assert site.who_heard() == [
        (0, "sms li"),
        (60, "voice li"),
        (120, "sms chen"),
        (120, "sms zhang"),
        (120, "voice chen"),
        (120, "voice zhang"),
    ]


async def test_the_others_are_told_who_is_on_the_way(any_site: Any) -> None:
    """Everybody who was reached hears once who goes; nobody is paged after that (invariant quiet-after-answer)."""
    site = any_site
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=100)
    # Their phones are still ringing at this moment; the next step would be at 112 s, when nobody has taken the calls.
    before = site.who_heard()
    assert before == [
        (0, "sms li"),
        (60, "voice li"),
        (86, "sms chen"),
        (86, "sms zhang"),
        (86, "voice chen"),
        (86, "voice zhang"),
    ]

    await site.phone("chen").replies(f"我去 {await site.code()}")
    await site.advance(minutes=4)

    assert site.who_heard() == [*before, (100, "answer chen"), (100, "sms li"), (100, "sms zhang")]
    for who in ("sms li", "sms zhang"):
        assert "陈刚已接单，正前往" in site.text(who, 100)
        assert "接单回" not in site.text(who, 100)
    assert (await site.incident()).answered_by_name == "陈刚"


async def test_whoever_takes_a_call_too_late_hears_who_goes(site: Any) -> None:
    """A phone that was ringing when somebody else answered says that one need not go, and asks for no key."""
    site.phone("zhang").on_call(answer(after_s=20, press="1"))
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=95)
    await site.phone("chen").replies(await site.code())
    await site.advance(seconds=60)

    heard = " ".join(site.phone("zhang").calls[0].heard)
    assert "陈刚已经接单" in heard
    assert "请按1" not in heard
    assert site.phone("zhang").calls[0].pressed == []
    assert (await site.incident()).answered_by == "chen"


async def test_who_answers_by_text_while_the_phone_rings_is_not_sent_home(site: Any) -> None:
    """The reply comes in the seconds in which the same worker's phone rings: the call says that it is theirs."""
    site.phone("li").on_call(answer(after_s=20, press="1"))
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=65)
    await site.phone("li").replies(f"1 {await site.code()}")
    await site.advance(seconds=60)

    heard = " ".join(site.phone("li").calls[0].heard)
    assert "由您前往" in heard
    assert "不用去" not in heard
    assert (await site.incident()).answered_by == "li"


async def test_a_second_worker_who_answers_hears_who_is_on_the_way(site: Any) -> None:
    """The first to answer goes; the second is thanked with the name, and it stays with the first."""
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=100)
    code = await site.code()
    await site.phone("chen").replies(code)
    await site.advance(seconds=5)
    await site.phone("zhang").replies(f"1{code}")
    await site.advance(seconds=60)

    assert "陈刚已先接单" in site.text("answer zhang", 105)
    assert (await site.incident()).answered_by == "chen"
    assert site.who_heard(since=101) == [(105, "answer zhang")]


async def test_who_cannot_go_is_not_asked_again(any_site: Any) -> None:
    """`去不了` brings the next step at once, and that worker hears nothing more of it in this round or the next."""
    site = any_site
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=10)
    await site.phone("li").replies(f"去不了{await site.code()}")
    await site.advance(seconds=1)

    # His own call at one minute is left out, so that the back-ups hear now.
    others = ["sms chen", "sms zhang", "voice chen", "voice zhang"]
    assert site.who_heard() == [(0, "sms li"), (10, "answer li"), *((10, who) for who in others)]

    await site.advance(minutes=8)
    later = [who for _, who in site.who_heard(since=11)]
    assert "sms desk" in later
    assert "sms chen" in later, "the second round has begun"
    assert not [who for who in later if who.endswith(" li")]


async def test_who_answered_and_cannot_go_after_all_gives_it_back(site: Any) -> None:
    """The escalation goes on at once from where it stood, and those who were told not to go hear that they may."""
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=100)
    code = await site.code()
    await site.phone("chen").replies(code)
    await site.advance(seconds=20)
    await site.phone("chen").replies(f"{code} 去不了")
    await site.advance(seconds=1)

    heard = [who for at, who in site.who_heard(since=119)]
    assert heard == [
        "answer chen",
        "sms desk",
        "sms li",
        "sms son",
        "sms zhang",
        "voice desk",
        "voice son",
    ]
    assert "陈刚去不了" in site.text("sms li", 120)
    assert (await site.incident()).state is IncidentState.OPEN


async def test_who_does_not_arrive_is_asked_and_it_goes_on_from_where_it_stood(any_site: Any) -> None:
    """Five minutes after the answer nobody is there: answerer and desk hear it, and the next step pages at once."""
    site = any_site
    site.phone("li").on_call(answer(press="1"))
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=370)

    # He pressed the key about ten seconds into the call at one minute.
    answered = (await site.journal())[[*await site.events()].index("acknowledged")].at
    overdue = round(site.at(answered)) + 300
    assert site.who_heard(since=61) == [
        (overdue, "sms chen"),
        (overdue, "sms desk"),
        (overdue, "sms li"),
        (overdue, "sms zhang"),
        (overdue, "voice chen"),
        (overdue, "voice zhang"),
    ]
    assert "李明接单后5分钟未到场" in site.text("sms desk", overdue)
    assert "您接单已5分钟未报到场" in site.text("sms li", overdue)
    assert "接单回" in site.text("sms chen", overdue)
    incident = await site.incident()
    assert (incident.state, incident.answered_by) == (IncidentState.OPEN, None)

    # He was there all the time, and says so: it gets quiet again.
    before = len(site.who_heard())
    await site.phone("li").replies(f"到场{incident.code}")
    await site.advance(minutes=10)
    assert (await site.incident()).state is IncidentState.ON_SCENE
    assert not [who for _, who in site.who_heard()[before:] if who.startswith("voice")]


async def test_the_outcome_is_asked_for_again_and_again(site: Any) -> None:
    """Whoever is on the scene, and the desk, are reminded of the outcome for as long as there is none."""
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=10)
    code = await site.code()
    await site.phone("li").replies(f"到场{code}")
    began = site.at(site.moment)
    within = (await site.incident()).snapshot.policy.outcome_within_s
    await site.advance(seconds=2 * within + 5)

    first, second = round(began) + within, round(began) + 2 * within
    assert site.who_heard(since=11) == [
        (first, "sms desk"),
        (first, "sms li"),
        (second, "sms desk"),
        (second, "sms li"),
    ]
    assert f"属实{code}" in site.text("sms li", first)
    assert "李明" in site.text("sms desk", first)

    await site.phone("li").replies(f"属实{code}")
    await site.says("yl-1-2-301-gas", gas=False)
    await site.advance(hours=3)
    assert (await site.incident()).outcome is OutcomeKind.REAL
    assert [who for _, who in site.who_heard(since=second + 1)] == ["answer li", "sms desk"]


async def test_the_desk_answers_for_a_worker(any_site: Any) -> None:
    """The desk may act for a worker by id: the same clocks run, and the worker is who answered."""
    site = any_site
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=30)

    result = await site.service.desk.act(await site.code(), Verb.ACKNOWLEDGE, by="zhang", via="api")
    await site.advance(minutes=4)

    assert result.found
    assert result.refused is None
    assert (await site.incident()).answered_by_name == "张敏"
    assert site.who_heard() == [(0, "sms li"), (30, "sms li")]
    assert "张敏已接单" in site.text("sms li", 30)


async def test_what_is_closed_stays_closed(site: Any) -> None:
    """A late answer to a closed incident is refused in words that say who closed it and how."""
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=100)
    code = await site.code()
    await site.phone("chen").replies(f"误报{code}")
    await site.advance(seconds=10)
    await site.phone("li").replies(f"1{code}")
    await site.advance(minutes=10)

    assert "已由陈刚结束（误报）" in site.text("answer li", 110)
    assert (await site.incident()).state is IncidentState.RESOLVED
    assert site.who_heard(since=99) == [
        (100, "answer chen"),
        (100, "sms li"),
        (100, "sms zhang"),
        (110, "answer li"),
    ]
