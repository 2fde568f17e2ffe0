"""Escalation: which step reaches whom and when, also when the service was down."""

from dataclasses import replace
from typing import Any

import pytest

from rules.community import FamilyContact
from rules.decisions import DueKind
from rules.incident import IncidentState
from rules.rulebook import Step

S = IncidentState
SMS = "燃气泄漏 玉林北街1号院1栋2单元301 王秀英 开窗关阀勿开灯 接单回K7"


# --- the steps of a policy --------------------------------------------------------------------------------------------


def test_nobody_answers(village: Any) -> None:
    """Who hears what, not before and not after when, and nobody else."""
    stage = village.stage()
    heard = [(0, stage.pages)]
    for moment in (59, 60, 119, 120, 179, 180, 479, 480):
        before = len(stage.rows)
        stage.until(moment)
        if len(stage.rows) > before:
            heard.append((moment, stage.pages))
    assert heard == [
        (0, [("李明", "sms", "r0s0"), ("李明", "apprise", "r0s0")]),
        (60, [("李明", "voice", "r0s1")]),
        (
            120,
            [
                ("赵芳", "sms", "r0s2"),
                ("赵芳", "voice", "r0s2"),
                ("张伟", "sms", "r0s2"),
                ("张伟", "voice", "r0s2"),
            ],
        ),
        (180, [("值守台", "sms", "r0s3"), ("值守台", "voice", "r0s3")]),
        (480, [("李明", "sms", "r1s0"), ("李明", "apprise", "r1s0")]),
    ]
    assert stage.events.count("round_began") == 1
    assert "late" not in stage.events


def test_a_call_says_where_who_what_and_which_key(village: Any) -> None:
    speech = village.stage().until(60).last.deliveries[0].speech
    assert speech == (
        "守望报警。玉林北街1号院1栋2单元301，燃气泄漏。住户王秀英。请先开窗关阀勿开灯。"
        "接单请按1，去不了请按2，重听请按9。"
    )


def test_a_relative_is_told_by_phone_without_being_asked_for_a_key(village: Any) -> None:
    stage = village.stage().until(180)
    sent = {(one.recipient_name, one.channel): one for one in stage.last.deliveries}
    text = sent["王强", "sms"].text
    assert text == "燃气泄漏 玉林北街1号院1栋2单元301 王秀英 已通知网格员，请联系老人 编号K7"
    assert "回K7" not in text
    speech = sent["王强", "voice"].speech
    assert "按1" not in speech
    assert speech.count("玉林北街1号院1栋2单元301") == 2


def test_a_daughter_who_is_a_worker_is_paged(village: Any) -> None:
    home = replace(village.home, contacts=(FamilyContact(name="赵女士", phone="+8613800000002", notify=True),))
    stage = village.stage(snapshot=village.snapshot(home=home)).until(180)
    assert ("赵芳", "sms", "r0s3") in stage.pages


def test_every_channel_of_a_step_once_and_the_first_method_where_there_is_none(village: Any) -> None:
    """Two numbers: the second is for when the first fails. No method for the channels: the first one there is."""
    two = replace(village.liming, contact=(*village.liming.contact, *village.zhangwei.contact))
    only_push = replace(village.zhangwei, grids=("w07",), contact=village.desk.contact[2:])
    stage = village.stage(
        snapshot=village.snapshot(
            policy=replace(village.life_safety, steps=(Step(after_s=0, to=("assigned",), by=("sms", "voice", "sms")),)),
            workers=[two, only_push],
        )
    )
    assert [(one.channel, one.address) for one in stage.last.deliveries] == [
        ("sms", "+8613800000001"),
        ("voice", "+8613800000001"),
        ("console", "desk"),
    ]


def test_a_shared_telephone_rings_once_a_step(village: Any) -> None:
    home = replace(
        village.home,
        contacts=tuple(FamilyContact(name=name, phone="+8613900000002", notify=True) for name in ("王强", "王芳")),
    )
    stage = village.stage(snapshot=village.snapshot(home=home)).until(180)
    assert sum(one.address == "+8613900000002" for one in stage.last.deliveries) == 2


def test_an_empty_step_costs_no_time(village: Any) -> None:
    """Nobody stands in and no general grid: the desk and family hear at 120 s what they would have heard at 180."""
    stage = village.stage(snapshot=village.snapshot(workers=[village.liming, village.desk])).until(120)
    assert stage.pages == [("值守台", "sms", "r0s3"), ("值守台", "voice", "r0s3")]
    assert "step_empty" in stage.events
    assert stage.seconds(DueKind.STEP) == 120 + 300


def test_a_first_step_without_people_is_passed_over_in_the_opening_itself(village: Any) -> None:
    steps = (Step(after_s=0, to=("backup",), by=("sms",)), Step(after_s=600, to=("desk",), by=("sms",)))
    stage = village.stage(
        snapshot=village.snapshot(policy=replace(village.life_safety, steps=steps), workers=[village.desk])
    )
    assert stage.pages == [("值守台", "sms", "r0s1")]


def test_a_first_step_that_waits_leaves_its_time_as_data(village: Any) -> None:
    steps = (Step(after_s=30, to=("assigned",), by=("sms",)),)
    stage = village.stage(snapshot=village.with_steps(*steps))
    assert stage.told == []
    assert stage.seconds(DueKind.STEP) == 30


def test_at_night_the_next_level_is_paged_at_once_and_the_journal_says_why(village: Any) -> None:
    workers = (village.on_duty(village.liming, "07:00", "19:00"), village.zhangwei, village.desk)
    stage = village.stage(snapshot=village.snapshot(workers=workers))
    assert stage.pages == [("张伟", "sms", "r0s0")]
    assert stage.events == ["opened", "nobody_on_duty", "paged"]


def test_with_nobody_to_page_the_rounds_go_on_and_say_so(village: Any) -> None:
    """Invariant never-silent: even then there is a next step, and no endless loop in the meantime."""
    stage = village.stage(snapshot=village.snapshot(workers=[]))
    assert stage.told == [("王强", "sms", "r0s3", "inform"), ("王强", "voice", "r0s3", "inform")]
    assert "nobody_to_page" in stage.events
    assert stage.seconds(DueKind.STEP) == 300
    stage.until(300)
    assert stage.incident.round == 1
    assert stage.seconds(DueKind.STEP) == 600


@pytest.mark.parametrize("repeat", [0, 1, 29])
def test_rounds_are_never_closer_than_half_a_minute(village: Any, repeat: int) -> None:
    policy = replace(village.life_safety, steps=village.life_safety.steps[:1], repeat_every_s=repeat)
    stage = village.stage(snapshot=village.snapshot(policy=policy))
    assert stage.seconds(DueKind.STEP) == 30


def test_a_policy_without_steps_still_has_a_next_time(village: Any) -> None:
    stage = village.stage(snapshot=village.with_steps())
    assert stage.seconds(DueKind.STEP) == 300
    stage.until(900)
    assert stage.incident.state is S.OPEN


def test_a_second_round_says_that_it_is_one(village: Any) -> None:
    """Networks drop a text that is the same as the one before."""
    stage = village.stage().until(480)
    assert stage.last.deliveries[0].text == "[第2轮]" + SMS


# --- late -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("after", "late_s", "mark"), [(70, 0, ""), (71, 11, "[迟11秒]"), (119, 59, "[迟59秒]")])
def test_a_step_that_fires_late_says_so(village: Any, after: int, late_s: int, mark: str) -> None:
    """Invariant late-is-said."""
    stage = village.stage().after(after)
    stage.tick()
    (call,) = stage.last.deliveries
    assert call.late_s == late_s
    assert call.text == mark + SMS
    assert ("通知迟了" in call.speech) is bool(late_s)
    assert ("late" in stage.events) is bool(late_s)
    assert stage.seconds(DueKind.STEP) == 120


def test_steps_missed_within_a_round_all_fire_each_late_by_its_own(village: Any) -> None:
    stage = village.stage().after(150)
    stage.tick()
    assert [(one.step_key, one.late_s) for one in stage.last.deliveries if one.channel == "voice"] == [
        ("r0s1", 90),
        ("r0s2", 30),
        ("r0s2", 30),
    ]
    assert stage.seconds(DueKind.STEP) == 180


def test_rounds_missed_are_not_made_up_for(village: Any) -> None:
    """Down for a day: one round is finished, and the next comes after the usual while; nobody gets a hundred calls."""
    stage = village.stage().after(86400)
    stage.tick()
    assert {one.step_key for one in stage.last.deliveries} == {"r0s1", "r0s2", "r0s3"}
    assert stage.seconds(DueKind.STEP) == 86400 + 300


def test_a_round_that_begins_late_begins_anew(village: Any) -> None:
    stage = village.stage().until(180).after(86400)
    stage.tick()
    assert {one.step_key for one in stage.last.deliveries} == {"r1s0"}
    assert stage.seconds(DueKind.STEP) == 180 + 86400 + 60
