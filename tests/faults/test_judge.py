"""The judge sees each thing that must not be, and nothing where there is nothing."""

from dataclasses import replace
from typing import Any

import pytest

from tests.faults.judge import DOUBT_S, PROMPT_S, UNDER_WAY_S, expected, judge, missing
from tests.faults.ledger import Alarm, Forgery, Ledger, Reply, Seen, Span, Text

WORKER, GENERAL, DESK, STRANGER = "+8613800000001", "+8613800000101", "+8613800000201", "+8613800000009"
HOME = 4
STEPS_S = (0.0, 5.0, 10.0)


def text(to: str, at: float, *, home: int = HOME, page: bool = True) -> Text:
    return Text(sid=f"SM{to}{at}", to=to, body="", homes=frozenset({home}), page=page, at=at)


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
        steps_s=STEPS_S,
        repeat_s=7200.0,
        people={HOME: (WORKER, GENERAL, DESK), 5: (WORKER, GENERAL, DESK)},
        alarms={HOME: alarm},
        texts=[text(WORKER, 100.2), text(GENERAL, 105.3), text(DESK, 110.3)],
        incidents=[incident()],
    )


def kinds(ledger: Ledger) -> list[str]:
    return [problem.kind for problem in judge(ledger)]


def test_there_is_nothing_wrong_with_what_went_as_it_should(ledger: Ledger) -> None:
    assert judge(ledger) == []
    assert missing(ledger) == []


@pytest.mark.parametrize("step", range(3))
def test_a_step_of_which_nobody_was_told_is_lost(ledger: Ledger, step: int) -> None:
    del ledger.texts[step]

    assert kinds(ledger) == ["lost"]


def test_an_alarm_without_an_incident_is_lost(ledger: Ledger) -> None:
    ledger.incidents.clear()
    ledger.acknowledged[HOME] = 100.2

    assert kinds(ledger) == ["lost", "lost"]


def test_an_alarm_of_which_the_broker_never_said_that_it_has_it_is_nobodys_yet(ledger: Ledger) -> None:
    ledger.alarms[HOME].had_at = None
    ledger.texts.clear()
    ledger.incidents.clear()

    assert judge(ledger) == []


def test_what_the_broker_loses_is_not_ours_until_we_acknowledged_it(ledger: Ledger) -> None:
    """Invariant ack-after-commit: the promise begins with our acknowledgement."""
    ledger.texts.clear()
    ledger.broker_may_lose = True
    assert expected(ledger) == {}

    ledger.acknowledged[HOME] = 100.2
    assert kinds(ledger) == ["lost"] * 3


def test_a_step_told_twice_is_doubled(ledger: Ledger) -> None:
    """Invariant one-page, seen from the phone."""
    ledger.texts.append(text(GENERAL, 140.0))

    assert kinds(ledger) == ["doubled"]


def test_the_next_round_is_no_double_and_comes_at_its_time(ledger: Ledger) -> None:
    ledger.texts.append(text(WORKER, 100.2 + ledger.repeat_s))
    assert judge(ledger) == []

    ledger.texts.append(text(GENERAL, 105.3 + ledger.repeat_s - 2))
    assert kinds(ledger) == ["doubled"]


def test_one_text_may_be_about_several_homes(ledger: Ledger) -> None:
    ledger.alarms[5] = replace_alarm(ledger.alarms[HOME], 5)
    ledger.incidents.append(incident(home=5, id="j"))
    ledger.texts = [replace(one, homes=frozenset({HOME, 5})) for one in ledger.texts]
    assert judge(ledger) == []

    ledger.texts.append(text(DESK, 111.0, home=5))
    assert kinds(ledger) == ["doubled"]


def replace_alarm(alarm: Alarm, home: int) -> Alarm:
    return Alarm(home=home, kind="gas", topic="t", payload=b"p", said_at=alarm.said_at, had_at=alarm.had_at)


def test_a_home_with_two_incidents_is_doubled(ledger: Ledger) -> None:
    ledger.incidents.append(incident(id="j"))

    assert kinds(ledger) == ["doubled"]


def test_a_stranger_or_a_home_without_alarm_is_misdirected(ledger: Ledger) -> None:
    ledger.texts += [text(STRANGER, 101.0), text(WORKER, 101.0, home=5)]

    assert kinds(ledger) == ["misdirected", "misdirected"]


def test_a_step_before_its_time_is_early_unless_the_one_before_it_failed(ledger: Ledger) -> None:
    ledger.texts[1] = text(GENERAL, 102.0)
    assert kinds(ledger) == ["early"]

    ledger.incidents = [incident(events=frozenset({"opened", "delivery_failed", "stepped_on"}))]
    assert judge(ledger) == []


def test_a_step_is_late_by_undisturbed_time_alone(ledger: Ledger) -> None:
    ledger.texts[0] = text(WORKER, 100.1 + PROMPT_S + 1)
    assert kinds(ledger) == ["late"]

    ledger.spans = [Span(what="stopped", began=90.0, ended=103.0), Span(what="killed", began=102.0, ended=104.0)]
    assert judge(ledger) == []


def test_a_doubt_takes_longer_and_not_for_ever(ledger: Ledger) -> None:
    ledger.incidents = [incident(events=frozenset({"doubt_resent"}))]
    ledger.texts[0] = text(WORKER, 100.1 + DOUBT_S - 1)
    assert judge(ledger) == []

    ledger.texts[0] = text(WORKER, 100.1 + DOUBT_S + 1)
    assert kinds(ledger) == ["late"]


def test_nothing_is_said_about_times_where_the_clock_was_moved(ledger: Ledger) -> None:
    ledger.clock_moved = True
    ledger.texts = [text(WORKER, 500.0), text(GENERAL, 100.5), text(DESK, 100.6)]

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


def answered(ledger: Ledger) -> None:
    ledger.replies[HOME] = Reply(home=HOME, number=WORKER, worker="w-m1", taken_at=103.0, answer="已接单K7")
    ledger.incidents = [incident(state="acknowledged", answered_by="w-m1")]
    ledger.texts = ledger.texts[:1]


def test_an_answer_ends_the_steps(ledger: Ledger) -> None:
    answered(ledger)
    ledger.texts.append(text(GENERAL, 120.0, page=False))

    assert judge(ledger) == []


def test_a_page_after_the_answer_is_one_too_many(ledger: Ledger) -> None:
    """Invariant quiet-after-answer; what was on its way already may still arrive."""
    answered(ledger)
    ledger.texts.append(text(GENERAL, 103.0 + UNDER_WAY_S + 0.1))
    ledger.incidents = [replace(ledger.incidents[0], events=frozenset({"stepped_on"}))]
    assert kinds(ledger) == ["after answer"]

    ledger.texts[-1] = text(GENERAL, 103.0 + UNDER_WAY_S - 0.1)
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
