"""The promises: each is kept by good evidence, and broken by what it is there to find."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shouwang.demo.promises import ALWAYS, OF_THE_STORY, Evidence, Outcome, Sent, judged

LEAK = datetime(2026, 3, 2, 13, 43, tzinfo=UTC)


def sent(
    step: str = "i/r0s0/li/sms/+8613800000001", body: str = "燃气泄漏 接单回K7", resource: str = "messages"
) -> Sent:
    return Sent(resource=resource, to="+8613800000001", step=step, body=body, at=LEAK)


def outcome(**changes: Any) -> Outcome:
    told: dict[str, Any] = {
        "code": "K7",
        "is_open": False,
        "outcome": "real",
        "outcome_by": "w07-b",
        "answered_at": LEAK + timedelta(seconds=100),
        "pages": (LEAK, LEAK + timedelta(seconds=60)),
    }
    return Outcome(**(told | changes))


def evidence(**changes: Any) -> Evidence:
    """Evidence of a story that went well, but for these."""
    good: dict[str, Any] = {
        "first_text_s": 0.05,
        "sent": [sent(), sent("i/r0s1/li/voice/+8613800000001", "", "calls")],
        "incidents": [outcome()],
        "call_after_s": 60.0,
        "published": 9,
        "committed": 9,
        "acknowledged": 9,
    }
    return Evidence(**(good | changes))


def test_a_story_that_went_well_keeps_them_all() -> None:
    assert [one.en for one in judged(evidence()) if not one.kept] == []


@pytest.mark.parametrize(
    ("broken", "changes"),
    [
        ("the story came to its end", {"stuck": "等不到"}),
        ("an ordinary evening disturbs nobody", {"incidents_before": 1}),
        ("the first text leaves within 3 real seconds", {"first_text_s": 3.1}),
        ("the first text leaves within 3 real seconds", {"first_text_s": None}),
        ("unanswered for 60 s, the phone rings", {"call_after_s": 75.0}),
        ("unanswered for 60 s, the phone rings", {"call_after_s": None}),
        ("no text is longer than 70 characters", {"sent": [sent(body="泄" * 71)]}),
        ("nobody is told a step twice by one way", {"sent": [sent(), sent()]}),
        ("nobody is told a step twice by one way", {"sent": [sent(), sent(step="")]}),
        ("after the answer no page leaves", {"incidents": [outcome(pages=(LEAK + timedelta(seconds=101),))]}),
        ("no open incident ever stood still", {"repairs": 1}),
        ("every message of the homes is on disk", {"outstanding": 1}),
        ("every message of the homes is on disk", {"committed": 8, "acknowledged": 8}),
        ("all of them acknowledged, after the commit", {"acknowledged": 8}),
        ("nothing went into quarantine", {"quarantined": {"unknown_device": 1}}),
        ("nothing was logged as an error", {"errors": ["shouwang.intake: failed"]}),
        ("the incident is closed, with an outcome", {"incidents": [outcome(is_open=True, outcome=None)]}),
        ("the incident is closed, with an outcome", {"incidents": [outcome(outcome_by=None)]}),
    ],
)
def test_each_is_broken_by_what_it_is_there_to_find(broken: str, changes: dict[str, Any]) -> None:
    assert [one.en for one in judged(evidence(**changes)) if not one.kept] == [broken]


def test_no_evidence_keeps_no_promise_of_deeds() -> None:
    """Where nothing was seen, nothing was proved."""
    broken = {one.en for one in judged(Evidence()) if not one.kept}

    assert {"the first text leaves within 3 real seconds", "the incident is closed, with an outcome"} <= broken
    assert {"no text is longer than 70 characters", "every message of the homes is on disk"} <= broken


def test_what_always_holds_is_part_of_the_story() -> None:
    assert set(ALWAYS) < set(OF_THE_STORY)
    assert all(replace(promise) == promise for promise in ALWAYS)
