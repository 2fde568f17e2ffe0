"""What would happen if nobody answered."""

from dataclasses import replace
from typing import Any

from rules.decisions import Purpose
from rules.rulebook import Step
from rules.timeline import rehearse, timeline


def plan(village: Any, snapshot: Any = None, **fields: Any) -> list[tuple[float, str, str, str]]:
    pages = timeline(snapshot or village.snapshot(), village.finding(**fields), village.rule(), village.now)
    return [(page.at_offset_s, page.recipient, page.channel, page.step) for page in pages]


def test_the_whole_of_a_round(village: Any) -> None:
    assert plan(village) == [
        (0, "李明", "sms", "r0s0"),
        (0, "李明", "apprise", "r0s0"),
        (60, "李明", "voice", "r0s1"),
        (120, "赵芳", "sms", "r0s2"),
        (120, "赵芳", "voice", "r0s2"),
        (120, "张伟", "sms", "r0s2"),
        (120, "张伟", "voice", "r0s2"),
        (180, "值守台", "sms", "r0s3"),
        (180, "值守台", "voice", "r0s3"),
        (180, "王强", "sms", "r0s3"),
        (180, "王强", "voice", "r0s3"),
    ]


def test_it_is_what_the_machine_does(village: Any) -> None:
    """No second implementation: text for text what would be sent."""
    planned = timeline(village.snapshot(), village.finding(), village.rule(), village.now)
    played = village.stage().until(180)
    assert [(one.text.replace("K7", ""), one.speech, one.address) for one in planned] == [
        (row.delivery.text.replace("K7", ""), row.delivery.speech, row.delivery.address) for row in played.rows
    ]
    assert [one.purpose for one in planned].count(Purpose.INFORM) == 2


def test_an_empty_step_is_passed_over_as_it_would_be(village: Any) -> None:
    snapshot = village.snapshot(workers=[village.liming, village.desk])
    pages, journal = rehearse(snapshot, village.finding(), village.rule(), village.now)
    assert [(page.at_offset_s, page.recipient) for page in pages][3:5] == [(120, "值守台"), (120, "值守台")]
    assert "step_empty" in [entry.event for entry in journal]


def test_a_stale_alarm_goes_to_the_desk_and_no_further(village: Any) -> None:
    assert plan(village, verified=False) == [(0, "值守台", "sms", "desk:0")]


def test_a_first_step_that_waits(village: Any) -> None:
    steps = (Step(after_s=30, to=("assigned",), by=("sms",)),)
    assert plan(village, village.snapshot(policy=replace(village.life_safety, steps=steps))) == [
        (30, "李明", "sms", "r0s0")
    ]


def test_nobody_to_tell_and_nothing_to_do_end_all_the_same(village: Any) -> None:
    home = replace(village.home, contacts=())
    assert plan(village, village.snapshot(workers=[], home=home)) == []
    assert plan(village, village.snapshot(policy=replace(village.life_safety, steps=()))) == []
