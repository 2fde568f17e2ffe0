"""What events do to an incident: who hears what, and when, and that nobody else does."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from rules import machine, sms, texts
from rules.community import FamilyContact
from rules.decisions import CancelDue, DeliveryState, DueKind, FindingEvent, Priority, Purpose, SetDue
from rules.escalation import next_step_at
from rules.incident import IncidentState, OutcomeKind, Verb
from rules.rulebook import Severity, Step

S, V = IncidentState, Verb
SMS = "燃气泄漏 玉林北街1号院1栋2单元301 王秀英 开窗关阀勿开灯 接单回K7"


def seconds(stage: Any, kind: DueKind) -> float | None:
    """When something is due, in seconds after the opening."""
    at = stage.due.get(kind)
    return None if at is None else (at - stage.incident.opened_at).total_seconds()


def with_steps(village: Any, *steps: Step) -> Any:
    return village.snapshot(policy=replace(village.life_safety, steps=steps))


# --- opening ----------------------------------------------------------------------------------------------------------


def test_an_alarm_pages_the_neighbour_in_the_decision_that_opens_it(village: Any) -> None:
    stage = village.stage()
    assert stage.told == [("李明", "sms", "r0s0", "page"), ("李明", "apprise", "r0s0", "page")]
    assert stage.rows[0].delivery.text == SMS
    assert stage.events == ["opened", "paged"]
    assert (stage.incident.version, stage.incident.group, stage.incident.step) == (0, "life-safety", 1)
    assert stage.due == {DueKind.STEP: village.now + timedelta(seconds=60)}


def test_a_page_without_a_limit_holds_the_whole_plan(village: Any) -> None:
    stage = village.stage()
    text = stage.rows[1].delivery.text
    for needed in ("玉林北街1号院1栋2单元301", "王秀英", "+8613900000001", "厨房灶台下方", "备用钥匙在门卫室", "K7"):
        assert needed in text
    assert text.index("1. 电话告知老人") < text.index("2. 到场先在门外关总阀: 厨房灶台下方") < text.index("3. 开窗通风")


def test_a_page_expires_while_it_still_matters(village: Any) -> None:
    gas = village.stage().rows[0].delivery
    assert gas.expires_at == village.now + timedelta(minutes=30)
    door = village.stage(kind="contact", severity=Severity.WARNING).rows[0].delivery
    assert door.expires_at == village.now + timedelta(hours=12)


@pytest.mark.parametrize(
    ("kind", "severity", "page", "inform"),
    [
        ("gas", Severity.CRITICAL, Priority.LIFE_SAFETY_PAGE, Priority.LIFE_SAFETY_INFORM),
        ("gas", Severity.NOTICE, Priority.LIFE_SAFETY_PAGE, Priority.LIFE_SAFETY_INFORM),
        ("contact", Severity.CRITICAL, Priority.LIFE_SAFETY_PAGE, Priority.LIFE_SAFETY_INFORM),
        ("contact", Severity.WARNING, Priority.PAGE, Priority.INFORM),
        ("battery", Severity.NOTICE, Priority.PAGE, Priority.INFORM),
    ],
)
def test_life_first(village: Any, kind: str, severity: Severity, page: Priority, inform: Priority) -> None:
    """Invariant life-first: by the kinds that joined, or by severity."""
    stage = village.stage(kind=kind, severity=severity)
    assert {row.delivery.priority for row in stage.rows} == {page}
    stage.after(1).act(V.ACKNOWLEDGE, village.desk)
    assert {one.priority for one in stage.last.deliveries} == {inform}


def test_family_hear_of_the_alarm_with_the_pages_and_not_after_the_news(village: Any) -> None:
    stage = village.stage().until(180)
    son = [one for one in stage.last.deliveries if one.recipient_name == "王强"]
    assert [(one.channel, one.purpose, one.priority) for one in son] == [
        ("sms", Purpose.INFORM, Priority.LIFE_SAFETY_PAGE),
        ("voice", Purpose.INFORM, Priority.LIFE_SAFETY_PAGE),
    ]


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
    assert seconds(stage, DueKind.STEP) == 120 + 300


def test_a_first_step_without_people_is_passed_over_in_the_opening_itself(village: Any) -> None:
    steps = (Step(after_s=0, to=("backup",), by=("sms",)), Step(after_s=600, to=("desk",), by=("sms",)))
    stage = village.stage(
        snapshot=village.snapshot(policy=replace(village.life_safety, steps=steps), workers=[village.desk])
    )
    assert stage.pages == [("值守台", "sms", "r0s1")]


def test_a_first_step_that_waits_leaves_its_time_as_data(village: Any) -> None:
    steps = (Step(after_s=30, to=("assigned",), by=("sms",)),)
    stage = village.stage(snapshot=with_steps(village, *steps))
    assert stage.told == []
    assert seconds(stage, DueKind.STEP) == 30


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
    assert seconds(stage, DueKind.STEP) == 300
    stage.until(300)
    assert stage.incident.round == 1
    assert seconds(stage, DueKind.STEP) == 600


@pytest.mark.parametrize("repeat", [0, 1, 29])
def test_rounds_are_never_closer_than_half_a_minute(village: Any, repeat: int) -> None:
    policy = replace(village.life_safety, steps=village.life_safety.steps[:1], repeat_every_s=repeat)
    stage = village.stage(snapshot=village.snapshot(policy=policy))
    assert seconds(stage, DueKind.STEP) == 30


def test_a_policy_without_steps_still_has_a_next_time(village: Any) -> None:
    stage = village.stage(snapshot=with_steps(village))
    assert seconds(stage, DueKind.STEP) == 300
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
    assert seconds(stage, DueKind.STEP) == 120


def test_steps_missed_within_a_round_all_fire_each_late_by_its_own(village: Any) -> None:
    stage = village.stage().after(150)
    stage.tick()
    assert [(one.step_key, one.late_s) for one in stage.last.deliveries if one.channel == "voice"] == [
        ("r0s1", 90),
        ("r0s2", 30),
        ("r0s2", 30),
    ]
    assert seconds(stage, DueKind.STEP) == 180


def test_rounds_missed_are_not_made_up_for(village: Any) -> None:
    """Down for a day: one round is finished, and the next comes after the usual while; nobody gets a hundred calls."""
    stage = village.stage().after(86400)
    stage.tick()
    assert {one.step_key for one in stage.last.deliveries} == {"r0s1", "r0s2", "r0s3"}
    assert seconds(stage, DueKind.STEP) == 86400 + 300


def test_a_round_that_begins_late_begins_anew(village: Any) -> None:
    stage = village.stage().until(180).after(86400)
    stage.tick()
    assert {one.step_key for one in stage.last.deliveries} == {"r1s0"}
    assert seconds(stage, DueKind.STEP) == 180 + 86400 + 60


# --- answering --------------------------------------------------------------------------------------------------------


def test_an_answer_stops_everything_and_starts_the_clock_of_arrival(village: Any) -> None:
    """Invariant quiet-after-answer: in one decision, pages taken back, no step due, nobody paged."""
    stage = village.stage().until(120).after(5)
    stage.act(V.ACKNOWLEDGE)
    assert [(one.incident_id, one.purposes) for one in stage.last.cancel] == [("i1", frozenset({Purpose.PAGE}))]
    assert CancelDue(kind=DueKind.STEP, subject="i1") in stage.last.due
    assert stage.pages == []
    assert stage.due == {DueKind.ARRIVAL: stage.now + timedelta(seconds=300)}
    assert stage.informs == {
        "赵芳": "李明已接单，正前往玉林北街1号院1栋2单元301 燃气泄漏 编号K7",
        "张伟": "李明已接单，正前往玉林北街1号院1栋2单元301 燃气泄漏 编号K7",
    }
    incident = stage.incident
    assert (incident.answered_by, incident.answered_by_name, incident.answered_at) == ("liming", "李明", stage.now)


def test_news_comes_by_one_text_channel_that_reached_the_person(village: Any) -> None:
    """Not by a call, not by what failed, not to whom nothing has left for yet."""
    stage = village.stage().until(180)
    stage.row("r0s2", village.zhaofang, "sms").state = DeliveryState.FAILED
    stage.row("r0s3", village.desk, "sms").state = DeliveryState.FAILED
    stage.row("r0s3", village.desk, "voice").state = DeliveryState.FAILED
    for row in stage.rows:
        if row.delivery.recipient_id == "zhangwei":
            row.state = DeliveryState.PENDING
    stage.act(V.ACKNOWLEDGE)
    assert [(name, channel) for name, channel, _, _ in stage.told] == [("王强", "sms")]


def test_what_left_may_have_arrived(village: Any) -> None:
    stage = village.stage().until(120)
    stage.row("r0s2", village.zhaofang, "sms").state = DeliveryState.UNKNOWN
    stage.row("r0s2", village.zhangwei, "sms").state = DeliveryState.SENDING
    stage.act(V.ACKNOWLEDGE)
    assert set(stage.informs) == {"赵芳", "张伟"}


def test_the_answer_to_an_answer_holds_the_plan(village: Any) -> None:
    answer = village.stage().act(V.ACKNOWLEDGE).answer
    assert answer.startswith("已接单K7：燃气泄漏，玉林北街1号院1栋2单元301。到场后回复 到场K7。")
    assert "进门：备用钥匙在门卫室" in answer
    assert "2.到场先在门外关总阀: 厨房灶台下方" in answer


def test_the_answer_to_a_key_is_to_be_heard(village: Any) -> None:
    answer = village.stage().act(V.ACKNOWLEDGE, via="voice").answer
    assert "\n" not in answer
    assert "玉林北街1号院1栋2单元301" in answer


def test_a_plan_longer_than_an_answer_is_left_off_by_whole_steps(village: Any) -> None:
    snapshot = village.snapshot()
    snapshot = replace(snapshot, plan=replace(snapshot.plan, steps=tuple("做" * 60 for _ in range(9))))
    answer = village.stage(snapshot=snapshot).act(V.ACKNOWLEDGE).answer
    assert sms.units(answer) <= 200
    assert answer.count("\n") == answer.count("做" * 60) + 1


def test_answering_twice_changes_nothing(village: Any) -> None:
    stage = village.stage()
    stage.act(V.ACKNOWLEDGE)
    before = stage.incident
    stage.after(9).act(V.ACKNOWLEDGE)
    assert stage.last.incident is before
    assert stage.last.refusal is None
    assert "您已接单K7" in stage.last.answer
    assert (stage.last.journal, stage.last.due, stage.told) == ((), (), [])


def test_a_second_person_is_told_who_was_first(village: Any) -> None:
    stage = village.stage().until(120)
    stage.act(V.ACKNOWLEDGE)
    due = dict(stage.due)
    stage.after(3).act(V.ACKNOWLEDGE, village.zhaofang)
    assert stage.last.refusal is None
    assert "李明已先接单K7" in stage.last.answer
    assert stage.events[-1] == "acknowledged_too"
    assert stage.told == []
    assert stage.incident.answered_by == "liming"
    assert stage.due == due


def test_whoever_declined_may_think_again(village: Any) -> None:
    stage = village.stage()
    stage.act(V.CANNOT_GO)
    stage.after(1).act(V.ACKNOWLEDGE)
    assert stage.incident.state is S.ACKNOWLEDGED
    assert stage.incident.declined == ()


# --- arriving and closing ---------------------------------------------------------------------------------------------


def test_arrival_starts_the_clock_of_the_outcome(village: Any) -> None:
    stage = village.stage().until(120)
    stage.act(V.ACKNOWLEDGE)
    stage.after(200).act(V.ARRIVE)
    assert stage.due == {DueKind.OUTCOME: stage.now + timedelta(seconds=3600)}
    assert stage.informs["赵芳"] == "李明已到场 玉林北街1号院1栋2单元301 燃气泄漏 编号K7"
    assert "属实K7" in stage.last.answer


def test_arrival_without_an_answer_is_an_answer(village: Any) -> None:
    stage = village.stage().until(60)
    stage.act(V.ARRIVE)
    assert stage.incident.state is S.ON_SCENE
    assert stage.incident.answered_by == "liming"
    assert stage.incident.answered_at == stage.now
    assert [one.purposes for one in stage.last.cancel] == [frozenset({Purpose.PAGE})]
    assert set(stage.due) == {DueKind.OUTCOME}


def test_whoever_is_there_first_is_asked_for_the_outcome(village: Any) -> None:
    stage = village.stage().until(120)
    stage.act(V.ACKNOWLEDGE)
    answered_at = stage.incident.answered_at
    stage.after(60).act(V.ARRIVE, village.zhaofang)
    assert (stage.incident.answered_by_name, stage.incident.answered_at) == ("赵芳", answered_at)
    assert "李明" in stage.informs
    stage.after(9).act(V.ARRIVE)
    assert stage.last.refusal is None
    assert stage.events[-1] == "arrived_too"
    assert stage.incident.answered_by_name == "赵芳"
    assert stage.told == []


def test_an_outcome_ends_it_and_everybody_who_was_told_hears(village: Any) -> None:
    stage = village.stage().until(180)
    stage.act(V.ACKNOWLEDGE)
    stage.after(100).act(V.OUTCOME, outcome=OutcomeKind.FALSE_ALARM, note="炒菜")
    incident = stage.incident
    assert (incident.state, incident.outcome, incident.outcome_by) == (S.RESOLVED, OutcomeKind.FALSE_ALARM, "liming")
    assert (incident.resolved_at, incident.note) == (stage.now, "炒菜")
    assert stage.due == {}
    assert {one.kind for one in stage.last.due} == {DueKind.STEP, DueKind.ARRIVAL, DueKind.OUTCOME}
    assert [one.purposes for one in stage.last.cancel] == [frozenset({Purpose.PAGE, Purpose.INFORM})]
    assert stage.pages == []
    assert set(stage.informs) == {"赵芳", "张伟", "值守台", "王强"}
    assert stage.informs["王强"] == "已结束(误报，李明) 玉林北街1号院1栋2单元301 燃气泄漏 编号K7"


def test_the_desk_closes_for_whoever_answered_and_that_person_hears(village: Any) -> None:
    stage = village.stage()
    stage.sent_as = DeliveryState.PENDING
    stage.act(V.ACKNOWLEDGE, village.zhangwei)
    stage.after(1).act(V.OUTCOME, replace(village.desk, id="desk", name="值守"), outcome=OutcomeKind.REAL, via="cli")
    assert set(stage.informs) == {"李明", "张伟"}


def test_a_late_reply_is_told_who_closed_it_and_how(village: Any) -> None:
    stage = village.stage().until(120)
    stage.act(V.OUTCOME, village.zhaofang, outcome=OutcomeKind.NOTHING_FOUND)
    stage.after(60).act(V.ACKNOWLEDGE)
    assert stage.last.refusal == "K7已由赵芳结束（无异常）。"


# --- not going, not arriving ------------------------------------------------------------------------------------------


def test_cannot_go_lets_the_next_step_fire_now_and_the_rest_as_much_sooner(village: Any) -> None:
    stage = village.stage().after(10)
    stage.act(V.CANNOT_GO)
    assert stage.incident.state is S.OPEN
    assert stage.told == []
    assert seconds(stage, DueKind.STEP) == 10
    stage.tick()
    # The call would have gone to the one who cannot go: an empty step, passed over at once.
    assert [name for name, _, _ in stage.pages] == ["赵芳", "赵芳", "张伟", "张伟"]
    assert "late" not in stage.events
    assert seconds(stage, DueKind.STEP) == 70


def test_whoever_cannot_go_is_not_paged_again(village: Any) -> None:
    stage = village.stage()
    stage.act(V.CANNOT_GO)
    stage.until(1200)
    assert [row.delivery.step_key for row in stage.rows if row.delivery.recipient_id == "liming"] == ["r0s0", "r0s0"]


def test_saying_it_twice_does_not_hurry_it_twice(village: Any) -> None:
    stage = village.stage()
    stage.act(V.CANNOT_GO)
    before = stage.incident
    stage.after(1).act(V.CANNOT_GO)
    assert stage.last.incident is before
    assert stage.last.due == ()


def test_the_one_on_the_way_gives_up(village: Any) -> None:
    """Those who relied on it hear that it is no longer so, and the escalation goes on from where it stood."""
    stage = village.stage().until(120)
    stage.act(V.ACKNOWLEDGE)
    stage.after(200).act(V.CANNOT_GO)
    assert stage.incident.state is S.OPEN
    assert stage.incident.answered_by is None
    assert stage.informs["赵芳"] == "李明去不了 玉林北街1号院1栋2单元301 燃气泄漏 能去请回K7"
    assert stage.due == {DueKind.STEP: stage.now}
    stage.tick()
    assert stage.pages == [("值守台", "sms", "r0s3"), ("值守台", "voice", "r0s3")]
    assert "late" not in stage.events


def test_somebody_else_who_cannot_go_does_not_call_back_the_one_on_the_way(village: Any) -> None:
    stage = village.stage().until(120)
    stage.act(V.ACKNOWLEDGE)
    stage.act(V.CANNOT_GO, village.zhaofang)
    assert stage.incident.state is S.ACKNOWLEDGED
    assert stage.incident.declined == ("zhaofang",)
    assert set(stage.due) == {DueKind.ARRIVAL}
    assert "李明已在路上" in stage.last.answer


def test_not_arriving_takes_it_up_again(village: Any) -> None:
    stage = village.stage().until(120)
    stage.act(V.ACKNOWLEDGE)
    stage.after(300).tick()
    assert stage.incident.state is S.OPEN
    assert stage.events[-1] == "informed"
    assert CancelDue(kind=DueKind.ARRIVAL, subject="i1") in stage.last.due
    assert stage.due == {DueKind.STEP: stage.now}
    stage.tick()
    assert "late" not in stage.events
    assert "arrival_overdue" in stage.events
    informs = {
        row.delivery.recipient_name: row.delivery.text
        for row in stage.rows
        if row.delivery.step_key.startswith("inform:arrival")
    }
    assert informs == {
        "李明": "您接单已5分钟未报到场，正续通知他人 玉林北街1号院1栋2单元301 燃气泄漏 到场回 到场K7",
        "值守台": "李明接单后5分钟未到场，续通知他人 玉林北街1号院1栋2单元301 燃气泄漏 编号K7",
        "赵芳": "李明接单后5分钟未到场，续通知他人 玉林北街1号院1栋2单元301 燃气泄漏 能去请回K7",
        "张伟": "李明接单后5分钟未到场，续通知他人 玉林北街1号院1栋2单元301 燃气泄漏 能去请回K7",
    }
    assert stage.pages == [("值守台", "sms", "r0s3"), ("值守台", "voice", "r0s3")]
    assert stage.incident.declined == ()
    assert stage.incident.answered_by is None


def test_an_answer_of_long_ago_does_not_make_the_next_step_late(village: Any) -> None:
    stage = village.stage(kind="contact", severity=Severity.WARNING)
    stage.act(V.ACKNOWLEDGE)
    stage.until(7200)
    assert stage.pages == [("值守台", "sms", "r0s1")]
    assert stage.last.deliveries[0].late_s == 0


def test_no_outcome_is_reminded_of_again_and_again(village: Any) -> None:
    stage = village.stage().until(120)
    stage.act(V.ARRIVE)
    stage.until(120 + 3600)
    assert stage.incident.state is S.ON_SCENE
    assert stage.informs == {
        "李明": "请报处置结果 玉林北街1号院1栋2单元301 燃气泄漏 回 属实K7或误报K7",
        "值守台": "李明到场60分钟未报结果 玉林北街1号院1栋2单元301 燃气泄漏 编号K7",
    }
    assert seconds(stage, DueKind.OUTCOME) == 120 + 7200
    first = {one.step_key for one in stage.last.deliveries}
    stage.until(120 + 7200)
    assert set(stage.informs) == {"李明", "值守台"}
    assert first.isdisjoint(one.step_key for one in stage.last.deliveries)


def test_when_everybody_declines_they_are_asked_again_after_a_whole_round(village: Any) -> None:
    """Invariant never-silent, in spirit: better to ask again than to ask nobody."""
    stage = village.stage(snapshot=village.snapshot(workers=[village.liming]))
    stage.act(V.CANNOT_GO)
    stage.until(300)
    assert [row.delivery.step_key for row in stage.rows if row.delivery.purpose is Purpose.PAGE] == ["r0s0", "r0s0"]
    stage.until(1000)
    assert "everybody_declined" in stage.events
    assert any(row.delivery.step_key == "r2s0" for row in stage.rows)


_FITS = {machine.step_due: S.OPEN, machine.arrival_due: S.ACKNOWLEDGED, machine.outcome_due: S.ON_SCENE}


@pytest.mark.parametrize(
    ("due", "state"), [(due, state) for due, fits in _FITS.items() for state in S if state is not fits]
)
def test_a_timer_that_comes_too_late_does_nothing(village: Any, due: Any, state: IncidentState) -> None:
    """What was already claimed when the state changed only takes its own row away."""
    stage = village.stage()
    if state is not S.OPEN:
        stage.act(V.ACKNOWLEDGE)
    if state in {S.ON_SCENE, S.RESOLVED}:
        stage.act(V.ARRIVE)
    if state is S.RESOLVED:
        stage.act(V.OUTCOME, outcome=OutcomeKind.REAL)
    decision = due(stage.incident, due_at=stage.now, paged=stage.paged, now=stage.now)
    assert decision.incident.state is state
    assert (decision.deliveries, decision.journal) == ((), ())
    assert all(isinstance(change, CancelDue) for change in decision.due)


def test_a_step_timer_that_comes_too_early_is_set_right(village: Any) -> None:
    stage = village.stage().after(5)
    decision = machine.step_due(stage.incident, due_at=stage.now, paged=stage.paged, now=stage.now)
    assert decision.deliveries == ()
    assert decision.due == (SetDue(kind=DueKind.STEP, subject="i1", due_at=village.now + timedelta(seconds=60)),)


# --- findings that join -----------------------------------------------------------------------------------------------


def test_a_repeat_is_counted_and_tells_nobody(village: Any) -> None:
    stage = village.stage().after(5)
    stage.hear(event=FindingEvent.REPEATED)
    assert (stage.incident.count, stage.told, stage.last.due) == (2, [], ())
    assert stage.events[-1] == "repeated"


def test_the_fire_that_comes_back_pages_whoever_is_assigned(village: Any) -> None:
    stage = village.stage().after(30)
    stage.hear(event=FindingEvent.CLEARED, standing=0)
    assert stage.told == []
    stage.after(5).hear()
    assert stage.pages == [("李明", "sms", "re1"), ("李明", "apprise", "re1")]
    stage.after(5).hear()
    assert stage.pages == [("李明", "sms", "re2"), ("李明", "apprise", "re2")]
    assert seconds(stage, DueKind.STEP) == 60
    assert stage.incident.count == 3


def test_the_fire_that_comes_back_is_told_to_whoever_is_on_the_way(village: Any) -> None:
    """Told and not asked: a page would be taken back because somebody has answered."""
    stage = village.stage().until(120)
    stage.act(V.ACKNOWLEDGE)
    stage.after(60).hear()
    assert stage.told == [("李明", "sms", "re1", "inform"), ("李明", "apprise", "re1", "inform")]
    sent = stage.last.deliveries[0]
    assert sent.text == "再次报警:燃气泄漏 玉林北街1号院1栋2单元301 王秀英 开窗关阀勿开灯 编号K7"
    assert sent.priority is Priority.LIFE_SAFETY_PAGE
    assert stage.due == {DueKind.ARRIVAL: stage.incident.answered_at + timedelta(seconds=300)}


def test_the_fire_that_comes_back_when_the_desk_answered_under_its_own_name(village: Any) -> None:
    stage = village.stage()
    stage.act(V.ACKNOWLEDGE, replace(village.desk, id="duty", name="夜班"), via="cli")
    stage.after(60).hear()
    assert stage.told == [("值守台", "sms", "re1", "inform")]


def test_the_fire_that_comes_back_when_all_the_assigned_declined(village: Any) -> None:
    stage = village.stage().until(60)
    stage.act(V.CANNOT_GO)
    stage.tick()
    stage.after(5).hear()
    assert stage.told == []
    assert stage.due == {DueKind.STEP: stage.now}


def test_a_second_kind_joins_the_title(village: Any) -> None:
    stage = village.stage().after(20)
    stage.hear("smoke")
    assert stage.incident.title == "燃气泄漏+烟雾报警"
    assert stage.incident.kinds == ("gas", "smoke")
    assert stage.last.deliveries[0].text.startswith("燃气泄漏+烟雾报警 玉林北街")
    stage.hear("smoke")
    assert stage.incident.title == "燃气泄漏+烟雾报警"


def test_what_is_worse_begins_the_policy_anew(village: Any) -> None:
    stage = village.stage(kind="contact", severity=Severity.WARNING).after(600)
    stage.hear("smoke", severity=Severity.CRITICAL, policy=village.life_safety)
    assert stage.incident.severity is Severity.CRITICAL
    assert stage.incident.title == "夜间门未关+烟雾报警"
    assert stage.pages == [("李明", "sms", "r1s0"), ("李明", "apprise", "r1s0")]
    assert stage.last.deliveries[0].priority is Priority.LIFE_SAFETY_PAGE
    assert seconds(stage, DueKind.STEP) == 660
    assert "severity_raised" in stage.events


def test_what_is_worse_leaves_less_time_to_arrive(village: Any) -> None:
    stage = village.stage(kind="contact", severity=Severity.WARNING)
    stage.act(V.ACKNOWLEDGE)
    stage.after(600).hear("smoke", severity=Severity.CRITICAL, policy=village.life_safety)
    assert stage.told == [("李明", "sms", "re1", "inform"), ("李明", "apprise", "re1", "inform")]
    assert stage.due == {DueKind.ARRIVAL: stage.now + timedelta(seconds=300)}
    stage.until(900)
    assert stage.pages == [("李明", "sms", "r1s0"), ("李明", "apprise", "r1s0")]


def test_what_is_less_bad_does_not_lower_it(village: Any) -> None:
    stage = village.stage()
    stage.hear("battery", severity=Severity.NOTICE)
    assert stage.incident.severity is Severity.CRITICAL


def test_a_sensor_that_clears_is_told_to_whoever_answered_and_closes_nothing(village: Any) -> None:
    stage = village.stage().until(120)
    stage.act(V.ACKNOWLEDGE)
    stage.after(5).hear(event=FindingEvent.CLEARED, standing=1)
    assert stage.informs == {"李明": "一处已恢复，还有1处报警 玉林北街1号院1栋2单元301 燃气泄漏 编号K7"}
    stage.after(5).hear(event=FindingEvent.CLEARED, standing=0)
    assert stage.informs == {"李明": "传感器已恢复，仍请到场查看 玉林北街1号院1栋2单元301 燃气泄漏 编号K7"}
    assert stage.incident.state is S.ACKNOWLEDGED


@pytest.mark.parametrize("severity", [Severity.WARNING, Severity.HIGH, Severity.CRITICAL])
def test_nothing_but_a_notice_closes_itself(village: Any, severity: Severity) -> None:
    stage = village.stage(kind="contact", severity=severity)
    stage.hear("contact", FindingEvent.CLEARED, standing=0)
    assert stage.incident.state is S.OPEN
    assert seconds(stage, DueKind.STEP) is not None


def test_a_notice_closes_itself_with_its_last_finding(village: Any) -> None:
    stage = village.stage(kind="battery", severity=Severity.NOTICE)
    stage.hear("battery", FindingEvent.CLEARED, standing=1)
    assert stage.incident.state is S.OPEN
    stage.hear("battery", FindingEvent.CLEARED, standing=0)
    assert (stage.incident.state, stage.incident.outcome) == (S.RESOLVED, OutcomeKind.CAUSE_GONE)
    assert stage.incident.outcome_by == "sensor"
    assert stage.due == {}
    assert stage.informs == {"李明": "已恢复正常，无需处理 玉林北街1号院1栋2单元301 电量低 编号K7"}


# --- unverified -------------------------------------------------------------------------------------------------------


def test_a_stale_alarm_is_for_the_desk_alone(village: Any) -> None:
    """Invariant stale-does-not-page."""
    stage = village.stage(verified=False)
    assert stage.pages == [("值守台", "sms", "desk:0")]
    assert stage.last.deliveries[0].text == "[待核实]" + SMS
    stage.until(299)
    assert len(stage.rows) == 1
    stage.until(301)
    assert stage.pages == [("值守台", "sms", "desk:1")]
    stage.until(899)
    assert {row.delivery.recipient_id for row in stage.rows} == {"desk-1"}


def test_a_stale_alarm_on_a_live_one_wakes_nobody(village: Any) -> None:
    stage = village.stage().after(5)
    stage.hear("smoke", verified=False)
    assert stage.told == []
    assert (stage.incident.title, stage.incident.count) == ("燃气泄漏", 2)


def test_a_second_stale_alarm_joins_the_title_and_waits_for_the_next_page(village: Any) -> None:
    stage = village.stage(verified=False).after(5)
    stage.hear("smoke", verified=False)
    assert stage.told == []
    assert stage.incident.title == "燃气泄漏+烟雾报警"
    assert not stage.incident.verified


def test_a_live_alarm_begins_the_policy_at_once(village: Any) -> None:
    stage = village.stage(verified=False).until(400)
    stage.hear()
    assert stage.incident.verified
    assert stage.pages == [("李明", "sms", "r0s0"), ("李明", "apprise", "r0s0")]
    assert stage.last.deliveries[0].text == SMS
    assert stage.due == {DueKind.STEP: stage.now + timedelta(seconds=60)}


def test_an_answer_to_a_stale_alarm_is_none_to_a_live_one(village: Any) -> None:
    """Who took a stale alarm from the desk is not on the way with a plan: the neighbour is paged."""
    stage = village.stage(verified=False).after(30)
    stage.act(V.ACKNOWLEDGE, village.desk)
    stage.after(30).hear()
    assert stage.incident.state is S.OPEN
    assert stage.incident.answered_by is None
    assert stage.pages == [("李明", "sms", "r0s0"), ("李明", "apprise", "r0s0")]
    assert stage.informs == {"值守台": "现场实时报警，正通知网格员 玉林北街1号院1栋2单元301 燃气泄漏 能去请回K7"}
    assert set(stage.due) == {DueKind.STEP}


def test_whoever_is_on_the_scene_of_a_stale_alarm_is_told_that_it_is_live(village: Any) -> None:
    stage = village.stage(verified=False).after(30)
    stage.act(V.ARRIVE, village.desk)
    stage.after(30).hear()
    assert stage.incident.state is S.ON_SCENE
    assert stage.told == [("值守台", "sms", "re1", "inform")]
    assert set(stage.due) == {DueKind.OUTCOME}


def test_the_desk_that_cannot_go_is_asked_again_after_a_while(village: Any) -> None:
    stage = village.stage(verified=False).after(30)
    stage.act(V.CANNOT_GO, village.desk)
    assert seconds(stage, DueKind.STEP) == 300
    stage.until(300)
    assert stage.told == []
    stage.until(600)
    assert stage.pages == [("值守台", "sms", "desk:2")]


def test_a_page_to_the_desk_that_is_late_says_so(village: Any) -> None:
    stage = village.stage(verified=False).after(400)
    stage.tick()
    assert stage.last.deliveries[0].late_s == 100
    assert stage.events[-1] == "late"


# --- deliveries that do not arrive ------------------------------------------------------------------------------------


def test_a_failed_sms_goes_on_to_the_next_method_at_once(village: Any) -> None:
    stage = village.stage().after(3)
    stage.fail(stage.rows[0])
    # Push went out with it, so what is left is the call.
    assert stage.pages == [("李明", "voice", "fb:1")]
    assert seconds(stage, DueKind.STEP) == 60
    assert stage.events[-2:] == ["delivery_failed", "fell_back"]


def test_a_person_whom_nothing_reaches_is_passed_over_at_once(village: Any) -> None:
    stage = village.stage().after(3)
    stage.fail(stage.rows[0])
    stage.after(3).fail(stage.rows[1])
    assert stage.told == []
    assert seconds(stage, DueKind.STEP) == 6
    assert stage.events[-1] == "stepped_on"


def test_a_call_nobody_takes_goes_on_at_once(village: Any) -> None:
    stage = village.stage().until(60).after(25)
    stage.fail(stage.row("r0s1", village.liming, "voice"), "no-answer")
    assert seconds(stage, DueKind.STEP) == 85
    stage.tick()
    assert {name for name, _, _ in stage.pages} == {"赵芳", "张伟"}
    assert "late" not in stage.events


def test_a_step_long_past_hurries_nothing(village: Any) -> None:
    stage = village.stage().until(120)
    for row in list(stage.rows):
        if row.delivery.recipient_id == "liming":
            stage.fail(row)
    assert seconds(stage, DueKind.STEP) == 180


def test_when_everything_fails_for_good_the_rounds_keep_their_distance(village: Any) -> None:
    """A provider that refuses all: every method and step is tried, and no loop runs hot."""
    stage = village.stage()
    for _ in range(200):
        for row in list(stage.rows):
            if row.state is DeliveryState.SENT:
                stage.fail(row, "21211")
        if stage.due[DueKind.STEP] > stage.now:
            break
        stage.tick()
    assert stage.now == village.now
    assert {row.delivery.recipient_id for row in stage.rows} == {
        "liming",
        "zhaofang",
        "zhangwei",
        "desk-1",
        "family:yl-1-2-301/0",
    }
    assert stage.incident.round == 0
    assert seconds(stage, DueKind.STEP) == 300


def test_a_fall_back_that_fails_falls_back_further(village: Any) -> None:
    everything = replace(village.zhaofang, contact=(*village.liming.contact, *village.desk.contact))
    steps = (Step(after_s=0, to=("zhaofang",), by=("sms",)), Step(after_s=60, to=("desk",), by=("sms",)))
    snapshot = village.snapshot(workers=[everything, village.desk], policy=replace(village.life_safety, steps=steps))
    stage = village.stage(snapshot=snapshot)
    tried = [stage.pages]
    for number in range(5):
        stage.fail(stage.rows[number])
        tried.append(stage.pages)
    assert [page[0][1:] for page in tried] == [
        ("sms", "r0s0"),
        ("voice", "fb:1"),
        ("apprise", "fb:2"),
        ("sms", "fb:3"),
        ("voice", "fb:4"),
        ("console", "fb:5"),
    ]
    stage.fail(stage.rows[5])
    assert stage.pages == []
    assert seconds(stage, DueKind.STEP) == 0


def test_a_doubt_is_met_by_another_channel_once(village: Any) -> None:
    """Invariant one-page: never the same SMS again, and asking twice changes nothing."""
    two_numbers = replace(
        village.zhaofang,
        contact=(village.zhaofang.contact[0], *village.desk.contact[:1], village.zhaofang.contact[1]),
    )
    snapshot = village.snapshot(workers=[two_numbers], policy=replace(village.routine, repeat_every_s=600))
    snapshot = replace(
        snapshot, policy=replace(snapshot.policy, steps=(Step(after_s=0, to=("zhaofang",), by=("sms",)),))
    )
    stage = village.stage(snapshot=snapshot).after(20)
    stage.doubt(stage.rows[0])
    assert stage.pages == [("赵芳", "voice", "fb:1")]
    before = stage.incident
    stage.after(20).doubt(stage.rows[0])
    assert stage.last.incident is before
    assert (stage.told, stage.last.journal, stage.last.due) == ([], (), ())


def test_a_doubt_that_turns_out_a_failure_is_not_tried_a_third_way(village: Any) -> None:
    stage = village.stage().after(20)
    stage.doubt(stage.rows[0])
    stage.after(20).fail(stage.rows[0])
    assert stage.told == []
    assert stage.events[-1] == "delivery_failed"


@pytest.mark.parametrize("verb", [V.ACKNOWLEDGE, V.ARRIVE])
def test_after_an_answer_a_failure_is_only_journalled(village: Any, verb: Verb) -> None:
    """Invariant quiet-after-answer."""
    stage = village.stage()
    stage.act(verb, village.zhangwei)
    due = dict(stage.due)
    stage.after(1).fail(stage.rows[0])
    assert (stage.told, stage.due) == ([], due)
    stage.doubt(stage.rows[1])
    assert stage.told == []


def test_whoever_declined_is_not_tried_another_way(village: Any) -> None:
    stage = village.stage()
    stage.act(V.CANNOT_GO)
    stage.after(1).fail(stage.rows[0])
    assert stage.told == []


def test_an_alarm_that_came_back_falls_back_for_whoever_is_on_the_way(village: Any) -> None:
    stage = village.stage()
    stage.act(V.ACKNOWLEDGE)
    stage.after(60).hear()
    stage.after(2).fail(stage.row("re1", village.liming, "sms"))
    assert stage.told == [("李明", "voice", "fb:3", "inform")]
    assert "再次报警" in stage.last.deliveries[0].speech
    assert "按1" not in stage.last.deliveries[0].speech


def test_news_that_does_not_arrive_wakes_nobody(village: Any) -> None:
    stage = village.stage().until(120)
    stage.act(V.ACKNOWLEDGE)
    news = next(row for row in stage.rows if row.delivery.step_key.startswith("inform:"))
    stage.fail(news)
    assert stage.told == []


# --- the auditor ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", list(S))
def test_what_has_its_next_time_needs_no_repair(village: Any, state: IncidentState) -> None:
    incident = replace(village.stage().incident, state=state)
    assert machine.repair(incident, has_next=True, now=village.now) is None


def test_a_resolved_incident_needs_no_repair(village: Any) -> None:
    incident = replace(village.stage().incident, state=S.RESOLVED)
    assert machine.repair(incident, has_next=False, now=village.now) is None


@pytest.mark.parametrize(
    ("verbs", "kind", "expected"),
    [
        ([], DueKind.STEP, 60),
        ([V.ACKNOWLEDGE], DueKind.ARRIVAL, 300),
        ([V.ACKNOWLEDGE, V.ARRIVE], DueKind.OUTCOME, 3600),
    ],
)
@pytest.mark.parametrize("lost_for", [10, 100_000])
def test_a_lost_timer_is_put_back(village: Any, verbs: list[Verb], kind: DueKind, expected: int, lost_for: int) -> None:
    """Invariant never-silent: at the time it had, or now where that has passed."""
    stage = village.stage()
    for verb in verbs:
        stage.act(verb)
    stage.due.clear()
    stage.after(lost_for).take(machine.repair(stage.incident, has_next=False, now=stage.now))
    assert stage.events[-1] == "repaired"
    assert seconds(stage, kind) == max(expected, lost_for)


def test_an_answered_incident_without_anybody_is_open_again(village: Any) -> None:
    stage = village.stage()
    broken = replace(stage.incident, state=S.ACKNOWLEDGED)
    decision = machine.repair(broken, has_next=False, now=stage.now)
    assert decision is not None
    assert decision.incident.state is S.OPEN


# --- all of it --------------------------------------------------------------------------------------------------------


def test_a_drill_is_marked_wherever_it_shows(village: Any) -> None:
    stage = village.stage(drill=True).until(180)
    stage.act(V.ACKNOWLEDGE)
    stage.act(V.OUTCOME, outcome=OutcomeKind.TEST)
    assert all(row.delivery.drill for row in stage.rows)
    assert all("[演练]" in row.delivery.text for row in stage.rows)
    assert all("演练" in row.delivery.speech for row in stage.rows if row.delivery.speech)


def test_english_is_spoken_throughout(village: Any) -> None:
    stage = village.stage(snapshot=village.snapshot(language="en")).until(180)
    answer = stage.act(V.ACKNOWLEDGE).answer
    assert answer.startswith("K7 is yours")
    assert stage.informs["赵芳"].startswith("李明 is going to 玉林北街1号院1栋2单元301")
    assert stage.rows[0].delivery.text.endswith("Reply K7")


def test_every_text_of_an_sms_fits_into_one(village: Any) -> None:
    """Pages and news alike, with the longest address, in both languages, with every mark."""
    address = "四川省成都市武侯区肖家河街道新盛社区锦绣花园国际城市社区二期东区香榭丽舍组团12号院15栋2单元27层2703室"
    for language in texts.LANGUAGES:
        snapshot = village.snapshot(home=replace(village.home, address=address), language=language)
        stage = village.stage(snapshot=snapshot, drill=True).until(180)
        stage.act(V.ACKNOWLEDGE)
        stage.hear("smoke")
        stage.hear(event=FindingEvent.CLEARED, standing=1)
        stage.hear(event=FindingEvent.CLEARED, standing=0)
        stage.after(100).act(V.CANNOT_GO)
        stage.act(V.ACKNOWLEDGE, village.zhangwei)
        stage.after(300).tick()
        stage.act(V.ARRIVE)
        stage.after(3600).tick()
        stage.act(V.OUTCOME, outcome=OutcomeKind.NOTHING_FOUND)
        sent = [row.delivery for row in stage.rows if row.delivery.channel in {"sms", "voice"}]
        assert len({one.step_key.split(":")[1] for one in sent if one.step_key.startswith("inform:")}) >= 8
        for one in sent:
            assert sms.units(one.text) <= sms.LIMIT
            assert "K7" in one.text
            assert "2703" in one.text


def test_every_line_of_the_journal_is_a_sentence(village: Any) -> None:
    stage = village.stage().until(480)
    stage.fail(stage.rows[0])
    stage.hear()
    stage.act(V.ACKNOWLEDGE)
    stage.act(V.ACKNOWLEDGE, village.desk)
    stage.after(300).tick()
    stage.act(V.ARRIVE)
    stage.act(V.OUTCOME, outcome=OutcomeKind.REAL)
    for entry in stage.journal:
        for language in texts.LANGUAGES:
            line = texts.render_journal(entry, language)
            assert "?" not in line
            assert "{" not in line
            assert not line.startswith(entry.event)


def test_the_snapshot_is_what_counts(village: Any) -> None:
    """Invariant snapshot: nothing but a more severe finding changes what an incident carries."""
    stage = village.stage()
    snapshot = stage.incident.snapshot
    stage.until(480)
    stage.hear("smoke", policy=village.routine)
    stage.act(V.ACKNOWLEDGE)
    stage.after(300).tick()
    assert stage.incident.snapshot is snapshot


def test_next_step_can_always_be_worked_out_from_the_incident(village: Any) -> None:
    """A lost timer is the one thing the auditor can put back exactly."""
    stage = village.stage()
    for moment in (0, 60, 120, 180, 480):
        stage.until(moment)
        assert stage.due[DueKind.STEP] == next_step_at(stage.incident)
