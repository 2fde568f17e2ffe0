"""What sensors, time and the auditor do to an incident: who hears what, and that nobody else does."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from rules import machine, sms, texts
from rules.decisions import CancelDue, DueKind, FindingEvent, Priority, Purpose, SetDue
from rules.escalation import next_step_at
from rules.incident import IncidentState, OutcomeKind, Verb
from rules.rulebook import Severity

S, V = IncidentState, Verb
SMS = "燃气泄漏 玉林北街1号院1栋2单元301 王秀英 开窗关阀勿开灯 接单回K7"


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
    assert stage.seconds(DueKind.STEP) == 60
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
    assert stage.seconds(DueKind.STEP) == 660
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
    assert stage.informs == {"李明": "传感器已恢复，仍请现场核实 玉林北街1号院1栋2单元301 燃气泄漏 编号K7"}
    assert stage.incident.state is S.ACKNOWLEDGED


@pytest.mark.parametrize("severity", [Severity.WARNING, Severity.HIGH, Severity.CRITICAL])
def test_nothing_but_a_notice_closes_itself(village: Any, severity: Severity) -> None:
    stage = village.stage(kind="contact", severity=severity)
    stage.hear("contact", FindingEvent.CLEARED, standing=0)
    assert stage.incident.state is S.OPEN
    assert stage.seconds(DueKind.STEP) is not None


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


def test_the_desk_is_told_at_once_of_a_stale_alarm_that_is_worse(village: Any) -> None:
    """Its next page was an hour away: the policy of what it knew of before (invariant never-silent)."""
    stage = village.stage(kind="contact", severity=Severity.WARNING, verified=False).after(5)
    stage.hear("gas", severity=Severity.CRITICAL, verified=False, policy=village.life_safety)
    assert stage.pages == [("值守台", "sms", "desk:1")]
    assert stage.seconds(DueKind.STEP) == 5 + 300
    assert not stage.incident.verified


def test_whoever_took_a_stale_notice_is_told_of_a_worse_alarm_and_has_no_more_time_than_that_gives(
    village: Any,
) -> None:
    """By text: nothing stale calls anybody (invariant stale-does-not-page)."""
    stage = village.stage(kind="contact", severity=Severity.WARNING, verified=False).after(5)
    stage.act(V.ACKNOWLEDGE, village.desk)
    before = stage.seconds(DueKind.ARRIVAL)
    stage.after(5).hear("gas", severity=Severity.CRITICAL, verified=False, policy=village.life_safety)
    assert stage.pages == []
    assert stage.informs == {"值守台": "[待核实]另有更紧急的报警 玉林北街1号院1栋2单元301 夜间门未关+燃气泄漏 编号K7"}
    assert stage.seconds(DueKind.ARRIVAL) < before


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
    assert stage.seconds(DueKind.STEP) == 300
    stage.until(300)
    assert stage.told == []
    stage.until(600)
    assert stage.pages == [("值守台", "sms", "desk:2")]


def test_a_page_to_the_desk_that_is_late_says_so(village: Any) -> None:
    stage = village.stage(verified=False).after(400)
    stage.tick()
    assert stage.last.deliveries[0].late_s == 100
    assert stage.events[-1] == "late"


# --- timers -----------------------------------------------------------------------------------------------------------


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
    assert stage.seconds(kind) == max(expected, lost_for)


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
