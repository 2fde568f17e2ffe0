from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rules.commissioning import Said, judge, untested_due
from rules.community import Device
from rules.decisions import CancelDue, DueKind, FindingEvent, SetDue, StandingFinding
from rules.engine import Engine
from rules.rulebook import Rule, Rulebook, Severity, Untested

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
DAY = timedelta(days=1)
MONTHLY = Untested(hold_s=30 * 86_400)
RULE = Rule(id="retest", title="复测", when=MONTHLY, severity=Severity.NOTICE, plan="p", policy="p")
ENGINE = Engine(Rulebook(rules=(RULE,), plans={}, policies={}))
GAS = Device(id="h-gas", home_id="h", kind="gas", source="s", name="gas", room="厨房")
DOOR = Device(id="h-door", home_id="h", kind="contact", source="s", name="door", room="入户门")


@pytest.mark.parametrize(
    ("kind", "said", "passed", "to_do"),
    [
        ("gas", [], False, "press"),
        ("gas", ["gas clear", "battery ok"], False, "press"),
        ("gas", ["gas test"], True, None),
        ("smoke", ["smoke alarm"], True, None),
        ("smoke", ["test active"], True, None),
        ("smoke", ["test failed"], False, "press"),
        ("smoke", ["gas alarm"], False, "press"),
        ("sos", ["sos test"], True, None),
        ("sos", ["button single"], True, None),
        ("button", ["button single"], True, None),
        ("fall", ["fall test"], True, None),
        ("fall", ["fall warning"], False, "press"),
        ("contact", [], False, "open_and_close"),
        ("contact", ["contact closed"], False, "open"),
        ("contact", ["contact open"], False, "close"),
        ("contact", ["contact open", "contact closed"], True, None),
        ("contact", ["contact unknown", "contact closed"], False, "open"),
        ("motion", ["motion clear"], False, "move"),
        ("motion", ["motion detected"], True, None),
        ("measurement", ["measurement unknown"], False, "speak"),
        ("measurement", ["battery ok"], True, None),
    ],
    ids=str,
)
def test_what_must_be_heard_of_each_kind(kind: str, said: list[str], passed: bool, to_do: str | None) -> None:
    heard = [Said(*one.split()) for one in said]

    assert judge(kind, heard) == (passed, to_do)


def due_for(passed: dict[str, datetime], *, stands: bool = False, devices: Any = (GAS, DOOR)) -> Any:
    standing = {}
    if stands:
        standing["retest", "h"] = StandingFinding(
            rule_id="retest",
            subject="h",
            home_id="h",
            device_id=None,
            kind="untested",
            raised_at=NOW - DAY,
            reason="",
            verified=True,
            incident_id="i",
        )
    return untested_due(ENGINE.rulings, "retest", "h", devices=devices, passed=passed, standing=standing, now=NOW)


def at(when: datetime) -> SetDue:
    return SetDue(kind=DueKind.UNTESTED, subject="retest/h", due_at=when)


def test_a_home_is_due_when_the_oldest_of_its_tests_is() -> None:
    fine = due_for({"h-gas": NOW - 3 * DAY, "h-door": NOW - 29 * DAY})
    assert (fine.findings, fine.due) == ([], [at(NOW + DAY)])

    over = due_for({"h-gas": NOW - 3 * DAY, "h-door": NOW - 30 * DAY})
    [finding] = over.findings
    assert (finding.event, finding.kind, finding.home_id, finding.device_id) == (
        FindingEvent.RAISED, "untested", "h", None
    )  # fmt: skip
    assert finding.reason == "该复测了：入户门门磁（30天未通过测试）"
    assert over.due == [at(NOW + DAY)]


def test_what_has_never_passed_is_due_too() -> None:
    [finding] = due_for({"h-gas": NOW - 3 * DAY}).findings

    assert "从未通过测试" in finding.reason


def test_it_is_raised_once_and_over_when_all_have_passed() -> None:
    assert due_for({}, stands=True).findings == []

    over = due_for({"h-gas": NOW, "h-door": NOW - DAY}, stands=True)
    assert [one.event for one in over.findings] == [FindingEvent.CLEARED]
    assert over.due == [at(NOW + 29 * DAY)]


def test_where_there_is_nothing_to_test_nobody_looks_again() -> None:
    gone = [CancelDue(kind=DueKind.UNTESTED, subject="retest/h")]
    assert due_for({}, devices=()).due == gone
    assert Engine(Rulebook(rules=(), plans={}, policies={})).rulings.untested == []
    elsewhere = untested_due(ENGINE.rulings, "other", "h", devices=(GAS,), passed={}, standing={}, now=NOW)
    assert elsewhere.due == [CancelDue(kind=DueKind.UNTESTED, subject="other/h")]


def test_each_home_is_watched_from_the_day_on_which_it_is_there() -> None:
    wanted = list(ENGINE.watch_due([DOOR, GAS], NOW))

    assert wanted == [SetDue(kind=DueKind.UNTESTED, subject="retest/h", due_at=NOW + 30 * DAY, if_absent=True)]
