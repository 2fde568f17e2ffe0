"""Deliveries that do not arrive: another way to the same person at once, else the next step."""

from dataclasses import replace
from typing import Any

import pytest

from rules.decisions import DeliveryState, DueKind
from rules.incident import Verb
from rules.rulebook import Step

V = Verb


def test_a_failed_sms_goes_on_to_the_next_method_at_once(village: Any) -> None:
    stage = village.stage().after(3)
    stage.fail(stage.rows[0])
    # Push went out with it, so what is left is the call.
    assert stage.pages == [("李明", "voice", "fb:1")]
    assert stage.seconds(DueKind.STEP) == 60
    assert stage.events[-2:] == ["delivery_failed", "fell_back"]


def test_a_person_whom_nothing_reaches_is_passed_over_at_once(village: Any) -> None:
    stage = village.stage().after(3)
    stage.fail(stage.rows[0])
    stage.after(3).fail(stage.rows[1])
    assert stage.told == []
    assert stage.seconds(DueKind.STEP) == 6
    assert stage.events[-1] == "stepped_on"


def test_a_call_nobody_takes_goes_on_at_once(village: Any) -> None:
    stage = village.stage().until(60).after(25)
    stage.fail(stage.row("r0s1", village.liming, "voice"), "no-answer")
    assert stage.seconds(DueKind.STEP) == 85
    stage.tick()
    assert {name for name, _, _ in stage.pages} == {"赵芳", "张伟"}
    assert "late" not in stage.events


def test_a_step_long_past_hurries_nothing(village: Any) -> None:
    stage = village.stage().until(120)
    for row in list(stage.rows):
        if row.delivery.recipient_id == "liming":
            stage.fail(row)
    assert stage.seconds(DueKind.STEP) == 180


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
    assert stage.seconds(DueKind.STEP) == 300


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
    assert stage.seconds(DueKind.STEP) == 0


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
