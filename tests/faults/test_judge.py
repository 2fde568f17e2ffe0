"""The judge sees each thing that must not be, and nothing where there is nothing."""

from dataclasses import replace
from typing import Any

import pytest

from tests.faults.judge import expected, judge, missing
from tests.faults.ledger import Alarm, Forgery, Ledger, Message, Reply, Said, Seen, Span, Step, Tally, Verdict
from tests.faults.problem import DOUBT_S, PROMPT_S, UNDER_WAY_S

WORKER, GENERAL, DESK, STRANGER = "+8613800000001", "+8613800000101", "+8613800000201", "+8613800000009"
HOME = 4
STEPS = (Step(0.0, 0), Step(5.0, 1), Step(10.0, 2))
WITH_CALLS = (Step(0.0, 0), Step(5.0, 0, ("voice",)), Step(10.0, 1, ("sms", "voice")), Step(15.0, 2))
WORKERS = {WORKER: "w-m1", GENERAL: "w-g1", DESK: "w-c"}


def text(to: str, at: float, *, home: int = HOME, page: bool = True, **more: Any) -> Message:
    homes = frozenset({home})
    return Message(sid=f"SM{to}{at}", to=to, body="", homes=homes, page=page, at=at, **more)


def call(to: str, at: float, *, home: int = HOME, **more: Any) -> Message:
    return text(to, at, home=home, channel="voice", **more)


def incident(**changes: Any) -> Seen:
    seen = Seen(
        id="i", code="K7", home=HOME, state="open", answered_by=None, has_next=True, events=frozenset({"opened"})
    )
    return replace(seen, **changes)


@pytest.fixture
def ledger() -> Ledger:
    """One alarm at 100 s, of which everybody was told in time."""
    alarm = Alarm(home=HOME, kind="gas", topic="t", payload=b"p", said_at=100.0, had_at=100.1)
    return Ledger(
        steps=STEPS,
        repeat_s=7200.0,
        workers=WORKERS,
        people={HOME: (WORKER, GENERAL, DESK), 5: (WORKER, GENERAL, DESK)},
        alarms={HOME: alarm},
        messages=[text(WORKER, 100.2), text(GENERAL, 105.3), text(DESK, 110.3)],
        incidents=[incident()],
    )


def kinds(ledger: Ledger) -> list[str]:
    return [problem.kind for problem in judge(ledger)]


def test_there_is_nothing_wrong_with_what_went_as_it_should(ledger: Ledger) -> None:
    assert judge(ledger) == []
    assert missing(ledger) == []


@pytest.mark.parametrize("step", range(3))
def test_a_step_of_which_nobody_was_told_is_lost(ledger: Ledger, step: int) -> None:
    del ledger.messages[step]

    assert kinds(ledger) == ["lost"]


def test_an_alarm_without_an_incident_is_lost(ledger: Ledger) -> None:
    ledger.incidents.clear()
    ledger.acknowledged[HOME] = 100.2

    assert kinds(ledger) == ["lost", "lost"]


def test_an_alarm_of_which_the_broker_never_said_that_it_has_it_is_nobodys_yet(ledger: Ledger) -> None:
    ledger.alarms[HOME].had_at = None
    ledger.messages.clear()
    ledger.incidents.clear()

    assert judge(ledger) == []


def test_what_the_broker_loses_is_not_ours_until_we_acknowledged_it(ledger: Ledger) -> None:
    """Invariant ack-after-commit: the promise begins with our acknowledgement."""
    ledger.messages.clear()
    ledger.broker_may_lose = True
    assert expected(ledger) == {}

    ledger.acknowledged[HOME] = 100.2
    assert kinds(ledger) == ["lost"] * 3


def test_a_step_told_twice_is_doubled(ledger: Ledger) -> None:
    """Invariant one-page, seen from the phone."""
    ledger.messages.append(text(GENERAL, 140.0))

    assert kinds(ledger) == ["doubled"]


def test_the_next_round_is_no_double_and_comes_at_its_time(ledger: Ledger) -> None:
    ledger.messages.append(text(WORKER, 100.2 + ledger.repeat_s))
    assert judge(ledger) == []

    ledger.messages.append(text(GENERAL, 105.3 + ledger.repeat_s - 2))
    assert judge(ledger) == []

    ledger.messages[-1] = text(GENERAL, 100.0 + ledger.repeat_s - 2)
    assert kinds(ledger) == ["doubled"]


def test_an_alarm_that_comes_back_is_no_double_where_the_broker_has_taken_it_back(ledger: Ledger) -> None:
    ledger.messages.append(text(WORKER, 140.0))
    ledger.incidents = [incident(events=frozenset({"opened", "cleared", "realerted"}))]
    assert kinds(ledger) == ["doubled"]

    ledger.broker_may_lose = True
    ledger.acknowledged[HOME] = 100.2
    assert judge(ledger) == []


def test_one_text_may_be_about_several_homes(ledger: Ledger) -> None:
    ledger.alarms[5] = replace_alarm(ledger.alarms[HOME], 5)
    ledger.incidents.append(incident(home=5, id="j"))
    ledger.messages = [replace(one, homes=frozenset({HOME, 5})) for one in ledger.messages]
    assert judge(ledger) == []

    ledger.messages.append(text(DESK, 111.0, home=5))
    assert kinds(ledger) == ["doubled"]


def replace_alarm(alarm: Alarm, home: int) -> Alarm:
    return Alarm(home=home, kind="gas", topic="t", payload=b"p", said_at=alarm.said_at, had_at=alarm.had_at)


def test_a_home_with_two_incidents_is_doubled(ledger: Ledger) -> None:
    ledger.incidents.append(incident(id="j"))

    assert kinds(ledger) == ["doubled"]


def test_a_stranger_or_a_home_without_alarm_is_misdirected(ledger: Ledger) -> None:
    ledger.messages += [text(STRANGER, 101.0), text(WORKER, 101.0, home=5)]

    assert kinds(ledger) == ["misdirected", "misdirected"]


def test_a_step_before_its_time_is_early_unless_the_one_before_it_failed(ledger: Ledger) -> None:
    ledger.messages[1] = text(GENERAL, 102.0)
    assert kinds(ledger) == ["early"]

    ledger.incidents = [incident(events=frozenset({"opened", "delivery_failed", "stepped_on"}))]
    assert judge(ledger) == []


def test_a_step_is_late_by_undisturbed_time_alone(ledger: Ledger) -> None:
    ledger.messages[0] = text(WORKER, 100.1 + PROMPT_S + 1)
    assert kinds(ledger) == ["late"]

    ledger.spans = [Span(what="stopped", began=90.0, ended=103.0), Span(what="killed", began=102.0, ended=104.0)]
    assert judge(ledger) == []


def test_a_doubt_takes_longer_and_not_for_ever(ledger: Ledger) -> None:
    ledger.incidents = [incident(events=frozenset({"doubt_resent"}))]
    ledger.messages[0] = text(WORKER, 100.1 + DOUBT_S - 1)
    assert judge(ledger) == []

    ledger.messages[0] = text(WORKER, 100.1 + DOUBT_S + 1)
    assert kinds(ledger) == ["late"]


def test_nothing_is_said_about_times_where_the_clock_was_moved(ledger: Ledger) -> None:
    ledger.clock_moved = True
    ledger.messages = [text(WORKER, 500.0), text(GENERAL, 100.5), text(DESK, 100.6)]

    assert judge(ledger) == []


@pytest.mark.parametrize(
    "seen",
    [incident(has_next=False), incident(state="acknowledged", answered_by=None)],
    ids=["nothing due", "nobody answers"],
)
def test_an_open_incident_without_owner_or_due_time_is_unowned(ledger: Ledger, seen: Seen) -> None:
    """Invariant never-silent."""
    ledger.incidents = [seen]

    assert kinds(ledger) == ["unowned"]


def test_api_and_database_must_say_the_same(ledger: Ledger) -> None:
    ledger.incidents = [incident(api_state="resolved")]

    assert kinds(ledger) == ["other"]


def says(who: str, at: float, said: Said = "go", verdict: Verdict = "mine", *, began: float = 0.0) -> Reply:
    return Reply(
        home=HOME,
        number=who,
        worker=WORKERS[who],
        said=said,
        verdict=verdict,
        said_at=began or at - 0.1,
        taken_at=at,
        answer="",
    )


def answered(ledger: Ledger) -> None:
    ledger.replies.append(says(WORKER, 103.0))
    ledger.incidents = [incident(state="acknowledged", answered_by="w-m1")]
    ledger.messages = ledger.messages[:1]


def test_an_answer_ends_the_steps(ledger: Ledger) -> None:
    answered(ledger)
    ledger.messages.append(text(GENERAL, 120.0, page=False))

    assert judge(ledger) == []


def test_a_page_after_the_answer_is_one_too_many(ledger: Ledger) -> None:
    """Invariant quiet-after-answer; what was on its way already may still arrive."""
    answered(ledger)
    ledger.messages.append(text(GENERAL, 103.0 + UNDER_WAY_S + 0.1))
    ledger.incidents = [replace(ledger.incidents[0], events=frozenset({"stepped_on"}))]
    assert kinds(ledger) == ["after answer"]

    ledger.messages[-1] = text(GENERAL, 103.0 + UNDER_WAY_S - 0.1)
    assert judge(ledger) == []


def test_an_answer_that_was_taken_and_forgotten_is_lost(ledger: Ledger) -> None:
    answered(ledger)
    ledger.incidents = [incident()]

    assert kinds(ledger) == ["answer lost"]


def test_a_forged_callback_that_is_believed_is_seen(ledger: Ledger) -> None:
    ledger.forgeries = [Forgery(path="/webhooks/twilio/sms", status=403), Forgery(path="/x", status=0)]
    assert judge(ledger) == []

    ledger.forgeries.append(Forgery(path="/webhooks/twilio/status", status=204))
    assert kinds(ledger) == ["forged"]


def test_complaints_count(ledger: Ledger) -> None:
    ledger.complaints.append("it ended by itself")

    assert kinds(ledger) == ["other"]


# --- calls ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def calls(ledger: Ledger) -> Ledger:
    """The same with a policy that calls."""
    ledger.steps = WITH_CALLS
    ledger.messages = [
        text(WORKER, 100.2),
        call(WORKER, 105.2),
        text(GENERAL, 110.2),
        call(GENERAL, 110.3),
        text(DESK, 115.2),
    ]
    return ledger


def test_there_is_nothing_wrong_with_calls_that_went_as_they_should(calls: Ledger) -> None:
    assert judge(calls) == []


@pytest.mark.parametrize("which", range(5))
def test_each_way_of_a_step_counts_by_itself(calls: Ledger, which: int) -> None:
    del calls.messages[which]

    assert kinds(calls) == ["lost"]


def test_a_second_call_is_doubled_unless_a_text_did_not_arrive(calls: Ledger) -> None:
    """Invariant one-page, seen from the telephone that rings."""
    calls.messages.append(call(WORKER, 120.0))
    assert kinds(calls) == ["doubled"]

    calls.incidents = [incident(events=frozenset({"fell_back"}), fell_back=(("w-m1", "voice"),))]
    assert judge(calls) == []

    calls.messages.append(call(WORKER, 125.0))
    assert kinds(calls) == ["doubled"]


def test_a_call_that_no_step_asks_for_is_one_too_many_unless_a_text_did_not_arrive(calls: Ledger) -> None:
    calls.messages.append(call(DESK, 118.0))
    assert kinds(calls) == ["doubled"]

    calls.incidents = [incident(events=frozenset({"fell_back"}), fell_back=(("w-c", "voice"),))]
    assert judge(calls) == []


def test_calls_are_early_and_late_as_texts_are(calls: Ledger) -> None:
    calls.messages[1] = call(WORKER, 102.0)
    assert kinds(calls) == ["early"]

    calls.messages[1] = call(WORKER, 105.1 + PROMPT_S + 1)
    assert kinds(calls) == ["late"]


def test_a_call_may_name_its_homes_and_no_others(calls: Ledger) -> None:
    calls.messages[1] = call(WORKER, 105.2, heard=frozenset({HOME}))
    assert judge(calls) == []

    calls.alarms[5] = replace_alarm(calls.alarms[HOME], 5)
    calls.alarms[5].had_at = None
    calls.messages[1] = call(WORKER, 105.2, heard=frozenset({HOME, 5}))
    assert kinds(calls) == ["misdirected"]


@pytest.mark.parametrize("make", [text, call])
def test_one_delivery_leaves_once_by_whichever_provider(calls: Ledger, make: Any) -> None:
    """Invariant one-page; the homes of a call are not needed to see it."""
    kept = [one for one in calls.messages if (one.to, one.channel) != (GENERAL, "sms" if make is text else "voice")]
    calls.messages = [*kept, make(GENERAL, 110.2, delivery=7), make(GENERAL, 140.0, delivery=7)]

    assert kinds(calls) == ["doubled", "doubled", "doubled"]


def test_a_key_for_several_homes_counts_for_as_many_as_was_said(calls: Ledger) -> None:
    calls.tallies = [Tally(worker="w-m1", homes=frozenset({HOME}), count=1, reply=says(WORKER, 116.0))]
    calls.incidents = [incident(state="acknowledged", answered_by="w-m1", acknowledged_by=frozenset({"w-m1"}))]
    assert judge(calls) == []

    calls.messages.append(call(WORKER, 150.0))
    assert "after answer" in kinds(calls)

    calls.messages.pop()
    calls.incidents = [incident()]
    assert kinds(calls) == ["answer lost"]


# --- answers, one after the other -------------------------------------------------------------------------------------


def test_what_was_long_due_when_it_was_answered_must_have_been_told(ledger: Ledger) -> None:
    answered(ledger)
    ledger.replies = [says(WORKER, 110.2 + DOUBT_S)]
    ledger.messages.append(text(GENERAL, 105.2))
    assert kinds(ledger) == ["lost"]

    ledger.spans = [Span(what="killed", began=120.0, ended=125.0)]
    assert judge(ledger) == []


@pytest.mark.parametrize(
    ("state", "replies", "found"),
    [
        ("acknowledged", [("go", "mine")], []),
        ("on_scene", [("go", "mine"), ("arrived", "there")], []),
        ("on_scene", [("go", "mine"), ("arrived", "there"), ("cannot go", "other")], []),
        ("resolved", [("go", "mine"), ("arrived", "there"), ("outcome", "closed")], []),
        ("resolved", [("go", "mine"), ("outcome", "other")], []),
        ("acknowledged", [("go", "mine"), ("outcome", "closed")], ["answer lost"]),
        ("resolved", [("go", "mine")], ["answer lost"]),
        ("open", [("go", "mine")], ["answer lost"]),
    ],
)
def test_each_answer_counts_in_the_end(
    ledger: Ledger, state: str, replies: list[tuple[Said, Verdict]], found: list[str]
) -> None:
    answered(ledger)
    ledger.replies = [says(WORKER, 103.0 + number, *one) for number, one in enumerate(replies)]
    ledger.incidents = [incident(state=state, answered_by=None if state == "open" else "w-m1")]

    assert kinds(ledger) == found


def test_what_nobody_has_answered_is_open(ledger: Ledger) -> None:
    ledger.incidents = [incident(state="acknowledged", answered_by="w-m1")]

    assert kinds(ledger) == ["other"]


def test_two_people_cannot_both_have_been_told_that_it_is_theirs(ledger: Ledger) -> None:
    answered(ledger)
    ledger.replies.append(says(GENERAL, 104.0))
    assert kinds(ledger) == ["answer lost"]

    ledger.replies[-1] = says(GENERAL, 104.0, "go", "other")
    assert judge(ledger) == []


def test_of_answers_at_the_same_time_each_may_have_come_first(ledger: Ledger) -> None:
    """One says that they cannot go after all while another one goes: that is an order that fits."""
    answered(ledger)
    ledger.replies += [says(GENERAL, 106.0, began=105.0), says(WORKER, 106.5, "cannot go", "declined", began=104.5)]
    ledger.messages.append(text(GENERAL, 104.8))
    ledger.incidents = [incident(state="acknowledged", answered_by="w-g1")]
    assert judge(ledger) == []

    ledger.replies[-1] = says(WORKER, 108.5, "cannot go", "declined", began=107.5)
    assert "answer lost" in kinds(ledger)


# --- who cannot go ----------------------------------------------------------------------------------------------------


def cannot(ledger: Ledger, at: float, *then: Message) -> None:
    """The worker was told, and says that they cannot go; the policy would tell the next one an hour later."""
    ledger.steps = (Step(0.0, 0), Step(3600.0, 1), Step(7200.0, 2))
    ledger.spans = []
    ledger.replies = [says(WORKER, at, "cannot go", "declined")]
    ledger.incidents = [incident(events=frozenset({"opened", "cannot_go"}))]
    later = [text(GENERAL, 3700.2), text(DESK, 7300.2)]
    told = {one.to for one in then}
    ledger.messages = [text(WORKER, 100.2), *then, *(one for one in later if one.to not in told)]


def test_after_one_who_cannot_go_the_next_is_told_at_once(ledger: Ledger) -> None:
    cannot(ledger, 110.0, text(GENERAL, 110.2), text(DESK, 3710.0))
    assert judge(ledger) == []

    cannot(ledger, 110.0, text(GENERAL, 110.0 + PROMPT_S + 1), text(DESK, 3710.0))
    assert kinds(ledger) == ["late"]


def test_after_one_who_cannot_go_somebody_must_be_told(ledger: Ledger) -> None:
    cannot(ledger, 110.0)
    ledger.messages = ledger.messages[:1]
    assert len([one for one in missing(ledger) if "anybody" in one[1]]) == 1

    ledger.people[HOME] = (WORKER, WORKER, WORKER)
    assert judge(ledger) == []


def test_who_says_once_more_that_they_cannot_go_has_others_told_only_once(ledger: Ledger) -> None:
    """The others were told the first time; where they were not, saying it again makes up for nothing."""
    cannot(ledger, 110.0, text(GENERAL, 110.2), text(DESK, 3710.0))
    ledger.replies.append(says(WORKER, 140.0, "cannot go", "declined before"))
    assert judge(ledger) == []

    ledger.messages = ledger.messages[:1]
    assert len([one for one in missing(ledger) if "anybody" in one[1]]) == 1


def test_where_nobody_can_go_nobody_is_told_again(ledger: Ledger) -> None:
    ledger.replies = [says(who, 120.0 + number, "cannot go", "declined") for number, who in enumerate(WORKERS)]
    assert judge(ledger) == []

    del ledger.replies[1]
    assert kinds(ledger) == ["lost", "lost"]


def test_who_cannot_go_is_not_asked_again(ledger: Ledger) -> None:
    cannot(ledger, 110.0, text(GENERAL, 110.2), text(DESK, 3710.0))
    ledger.messages.append(text(WORKER, 120.0, channel="voice"))
    ledger.steps = (*ledger.steps, Step(10_000.0, 0, ("voice",)))
    assert kinds(ledger) == ["after answer"]

    ledger.incidents = [incident(events=frozenset({"everybody_declined"}))]
    assert judge(ledger) == []


def test_who_cannot_go_after_all_gives_it_back(ledger: Ledger) -> None:
    """They had answered; the others were told that they are on the way, and are paged now."""
    cannot(ledger, 130.0, text(GENERAL, 130.2), text(DESK, 3730.0))
    ledger.replies.insert(0, says(WORKER, 105.0))
    assert judge(ledger) == []

    ledger.replies[1] = says(WORKER, 140.0, "cannot go", "declined")
    assert "after answer" in kinds(ledger)


def test_when_everybody_had_been_told_the_next_round_begins_with_the_first_who_cannot_go(ledger: Ledger) -> None:
    ledger.replies = [says(DESK, 120.0, "cannot go", "declined")]
    ledger.messages += [text(WORKER, 120.2), text(GENERAL, 125.2)]
    assert judge(ledger) == []

    ledger.messages.append(text(WORKER, 130.0))
    assert kinds(ledger) == ["doubled"]


def test_who_is_left_is_not_told_twice_in_the_round_that_another_one_began(ledger: Ledger) -> None:
    """Everybody had been told; the desk could not go, so the worker is told again; then another cannot go either."""
    ledger.replies = [says(DESK, 120.0, "cannot go", "declined"), says(GENERAL, 122.0, "cannot go", "declined")]
    ledger.messages.append(text(WORKER, 120.2))
    assert judge(ledger) == []

    # That round was over: it is time for another one.
    ledger.replies[1] = says(GENERAL, 140.0, "cannot go", "declined")
    assert kinds(ledger) == ["lost"]

    # Told once, long ago, and no round has begun: somebody must be told now.
    ledger.replies, ledger.messages = ledger.replies[:1], ledger.messages[:3]
    assert kinds(ledger) == ["lost"]


def test_who_could_not_go_and_heard_no_answer_to_that_explains_why_the_next_was_told(ledger: Ledger) -> None:
    """It was taken; when they said it again somebody else was on the way already."""
    cannot(ledger, 120.0, text(GENERAL, 110.2))
    ledger.messages = ledger.messages[:2]
    ledger.replies = [
        replace(says(WORKER, 120.0, "cannot go", "other"), said_at=110.0),
        says(GENERAL, 112.0),
    ]
    ledger.incidents = [incident(state="acknowledged", answered_by="w-g1")]
    assert judge(ledger) == []

    ledger.replies = ledger.replies[1:]
    assert kinds(ledger) == ["early"]


def test_who_was_to_be_told_while_somebody_was_on_the_way_is_told_that_they_cannot_go(ledger: Ledger) -> None:
    """The worker's text was in doubt, and not needed any more while the general grid's worker was going."""
    cannot(ledger, 130.0, text(GENERAL, 100.2), text(DESK, 130.2))
    ledger.replies = [says(GENERAL, 105.0), says(GENERAL, 130.0, "cannot go", "declined")]
    ledger.steps = STEPS
    ledger.messages = ledger.messages[1:]
    ledger.incidents = [incident(events=frozenset({"cannot_go", "delivery_failed"}))]
    assert kinds(ledger) == ["lost"]

    ledger.messages.append(text(WORKER, 131.0, page=False, asks_anew=frozenset({HOME})))
    assert judge(ledger) == []


def test_news_makes_up_for_nothing_that_was_long_due_before_anybody_answered(ledger: Ledger) -> None:
    cannot(ledger, 410.0, text(GENERAL, 105.3), text(DESK, 410.2))
    ledger.replies = [says(GENERAL, 400.0), says(GENERAL, 410.0, "cannot go", "declined")]
    ledger.steps = STEPS
    ledger.messages = [*ledger.messages[1:], text(WORKER, 411.0, page=False, asks_anew=frozenset({HOME}))]

    assert "lost" in kinds(ledger)


def test_a_round_that_was_lost_pays_for_no_double(ledger: Ledger) -> None:
    ledger.repeat_s = 45.0
    ledger.messages += [text(WORKER, 190.2), text(WORKER, 191.2)]

    assert kinds(ledger) == ["doubled"]


def test_when_a_round_is_over_the_next_one_begins_with_who_cannot_go_then(ledger: Ledger) -> None:
    ledger.repeat_s = 45.0
    ledger.messages += [text(WORKER, 147.5), text(GENERAL, 150.3), text(DESK, 155.3)]
    ledger.replies = [says(DESK, 156.0, "cannot go", "declined")]

    assert kinds(ledger) == ["lost"]


def test_who_says_too_late_that_they_cannot_go_explains_no_early_page(ledger: Ledger) -> None:
    ledger.steps = (Step(0.0, 0), Step(60.0, 1), Step(120.0, 2))
    ledger.messages = [text(WORKER, 100.2), text(GENERAL, 103.0), text(DESK, 220.0)]
    ledger.replies = [says(WORKER, 150.0, "cannot go", "none", began=101.0)]

    assert kinds(ledger) == ["early"]
