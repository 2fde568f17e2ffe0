"""What people do to an incident: answer, arrive, give an outcome, say that they cannot go; and what if they do not."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from rules import sms
from rules.decisions import CancelDue, DeliveryState, DueKind, Purpose
from rules.incident import IncidentState, OutcomeKind, Verb
from rules.rulebook import Severity

S, V = IncidentState, Verb


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
    assert stage.seconds(DueKind.STEP) == 10
    stage.tick()
    # The call would have gone to the one who cannot go: an empty step, passed over at once.
    assert [name for name, _, _ in stage.pages] == ["赵芳", "赵芳", "张伟", "张伟"]
    assert "late" not in stage.events
    assert stage.seconds(DueKind.STEP) == 70


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
    assert stage.seconds(DueKind.OUTCOME) == 120 + 7200
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


# --- an answer that is taken back -------------------------------------------------------------------------------------


def _answered_before_the_third_step_has_left(village: Any) -> Any:
    stage = village.stage().until(119)
    stage.sent_as = DeliveryState.PENDING
    stage.until(120)
    stage.sent_as = DeliveryState.SENT
    stage.act(V.ACKNOWLEDGE)
    return stage.after(10)


def test_whom_an_answer_kept_from_being_told_is_told_when_it_is_taken_back(village: Any) -> None:
    """Their step has had its turn, and their pages had not left: the next one must know (invariant never-silent)."""
    stage = _answered_before_the_third_step_has_left(village)
    stage.act(V.CANNOT_GO)
    assert [(name, channel) for name, channel, _ in stage.pages] == [
        ("赵芳", "sms"),
        ("赵芳", "voice"),
        ("张伟", "sms"),
        ("张伟", "voice"),
    ]
    assert [entry.detail["step"] for entry in stage.last.journal if entry.event == "paged"] == ["r0s2"] * 4
    assert stage.due == {DueKind.STEP: stage.now}

    # Once: also where another takes it, and cannot go either.
    stage.act(V.ACKNOWLEDGE, village.zhaofang)
    stage.after(10).act(V.CANNOT_GO, village.zhaofang)
    assert stage.pages == []


def test_whom_an_answer_kept_from_being_told_is_told_when_nobody_arrives(village: Any) -> None:
    stage = _answered_before_the_third_step_has_left(village)
    stage.after(290).tick()
    assert {name for name, _, _ in stage.pages} == {"赵芳", "张伟"}


def test_whoever_does_not_arrive_is_not_called_by_what_their_answer_took_back(village: Any) -> None:
    stage = village.stage().until(59)
    stage.sent_as = DeliveryState.PENDING
    stage.until(60)
    stage.act(V.ACKNOWLEDGE)
    stage.after(300).tick()
    assert stage.pages == []


def test_what_was_taken_back_in_a_round_that_is_over_stays_so(village: Any) -> None:
    """The worse alarm began the policy anew meanwhile, and everybody's step comes again."""
    stage = _answered_before_the_third_step_has_left(village)
    stage.incident = replace(stage.incident, round=1, step=0)
    stage.act(V.CANNOT_GO)
    assert stage.pages == []
