"""What must hold for any sequence of facts."""

import math
from collections.abc import Callable, Sequence
from datetime import time, timedelta
from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from rules.conditions import TEST
from rules.decisions import DueKind, FindingEvent, StandingFinding
from rules.periods import DailyWindow
from rules.readings import UNKNOWN, Freshness
from rules.rulebook import Absent, Offline, Rule, Severity, StateIs, Threshold

Make = Callable[..., Any]

GAS = StateIs(kind="gas", state="alarm")
SLOW_GAS = StateIs(kind="gas", state="alarm", hold_s=30)
SOS = StateIs(kind="sos", state="pressed")
#: Rules that only an alarm may raise.
ALARMS = {"leak": GAS, "slow": SLOW_GAS, "help": SOS}
RULES = ALARMS | {
    "door": StateIs(kind="contact", state="open", hold_s=60),
    "night": StateIs(kind="contact", state="open", hold_s=60, between=DailyWindow(start=time(20, 5), end=time(6))),
    "low": Threshold(kind="battery", below=15, clear_above=20),
    "slow_low": Threshold(kind="battery", below=15, clear_above=20, hold_s=60),
    "quiet": Absent(kind="contact", hold_s=600),
    "silent": Offline(),
}
RESTING = Rule(id="rests", title="rests", when=GAS, severity=Severity.HIGH, plan="p", policy="p", unless=("away",))

STATES = {
    "gas": ["alarm", "clear", UNKNOWN, None],
    "sos": ["pressed", "cleared", UNKNOWN, None],
    "contact": ["open", "closed", UNKNOWN, None],
    "battery": ["low", "ok", UNKNOWN, None],
    "availability": ["online", "offline"],
}
DEVICE_OF = {"gas": "gas", "sos": "sos", "contact": "door", "battery": "gas", "availability": "gas"}
STALE = [Freshness.RETAINED, Freshness.CACHED, Freshness.HISTORIC]


class Word(NamedTuple):
    """A fact and what has passed since the one before it."""

    pause: timedelta
    device: str
    kind: str
    state: str | None
    value: float | None
    more: dict[str, Any]


@st.composite
def talk(
    draw: st.DrawFn,
    freshness: Sequence[Freshness] = tuple(Freshness),
    but: frozenset[str] = frozenset(),
    kinds: Sequence[str] = tuple(STATES),
) -> list[Word]:
    """Facts of a few kinds; late ones, contradictory ones and ones that say nothing among them."""
    # Few kinds, and mostly plain live facts: what comes of long talks of one device is what is hard to foresee.
    some = draw(st.lists(st.sampled_from(list(kinds)), min_size=1, max_size=3, unique=True))
    usual = draw(st.booleans())
    return [
        _word(draw, draw(st.sampled_from(some)), list(freshness), but, usual=usual)
        for _ in range(draw(st.integers(0, 20)))
    ]


def _word(draw: st.DrawFn, kind: str, freshness: list[Freshness], but: frozenset[str], *, usual: bool) -> Word:
    value = draw(st.sampled_from([None, 3.0, 14.0, 17.0, 25.0, 80.0, math.nan])) if kind == "battery" else None
    fields = {
        "freshness": Freshness.LIVE if usual and Freshness.LIVE in freshness else draw(st.sampled_from(freshness)),
        "merged": draw(st.booleans()),
        "under_test": not usual and draw(st.integers(0, 5)) == 0,
        "startup": not usual and draw(st.integers(0, 5)) == 0,
    }
    state = draw(st.sampled_from([state for state in STATES[kind] if state not in but]))
    pause = timedelta(seconds=draw(st.sampled_from([0, 0, 1, 20, 59, 61, 400, -5])))
    return Word(pause, DEVICE_OF[kind], kind, state, value, fields)


def say(site: Any, word: Word) -> Any:
    site.now += word.pause
    return site.reading(word.device, word.state, kind=word.kind, value=word.value, **word.more)


def hear(site: Any, word: Word) -> list[str]:
    """One message, and then whatever has become due."""
    return list(site.hear_all([say(site, word)]) + site.fire())


def is_clear(found: str, rules: Sequence[str]) -> bool:
    return any(found == f"cleared {rule}" for rule in rules)


FACTS = [name for name in RULES if name not in {"silent", "quiet"}]


@given(talk(but=frozenset({"alarm", "pressed"})))
def test_without_an_alarm_no_alarm_is_raised(make_site: Make, said: list[Word]) -> None:
    site = make_site(RESTING, **RULES)

    found = [one for word in said for one in hear(site, word)]
    found += site.fire(after=timedelta(days=2))

    assert not [one for one in found if one.split()[1].rstrip("?") in {*ALARMS, "rests"}]


@given(talk())
def test_what_says_nothing_ends_nothing(make_site: Make, said: list[Word]) -> None:
    """Invariant unknown-is-not-clear: neither a finding that stands, nor a hold that runs.

    That a test goes on for too long is no condition that holds: it is over with the test.
    """
    site = make_site(RESTING, **RULES)
    for word in said:
        site.now += word.pause
        standing = {key for key in site.standing if key[0] in FACTS}
        tested = {device for (device, _), row in site.states.items() if row.state == TEST}
        holds = {key for key in site.due if key[0] is DueKind.HOLD and key[1].split("/")[1] not in tested}
        nothing = word.state in {None, UNKNOWN} and (word.value is None or math.isnan(word.value))

        found = hear(site, word._replace(pause=timedelta(0)))

        if nothing:
            assert not [one for one in found if is_clear(one, FACTS)]
            assert standing <= set(site.standing)
            raised = {one.split()[1].rstrip("?") for one in found if one.startswith("raised")}
            assert all(key in site.due or key[1].split("/")[0] in raised for key in holds)


@given(talk(freshness=STALE))
def test_what_is_old_never_pages(make_site: Make, said: list[Word]) -> None:
    """Invariant stale-does-not-page."""
    site = make_site(RESTING, **{name: rule for name, rule in RULES.items() if name != "silent"})

    found = [one for word in said for one in hear(site, word)]
    found += site.fire(after=timedelta(days=2))

    assert [one for one in found if one.startswith("raised") and not one.endswith("?")] == []
    assert [one for one in found if one.startswith("repeated")] == []


@given(talk(), talk(), st.booleans())
def test_one_batch_or_message_by_message_is_the_same(
    make_site: Make, before: list[Word], said: list[Word], away: bool
) -> None:
    one, many = make_site(RESTING, **RULES), make_site(RESTING, **RULES)
    for site in (one, many):
        if away:
            site.away.add("home")
        for word in before:
            hear(site, word)
    findings = []
    for word in said:
        one.hear_all([say(one, word)])
        findings += one.evaluation.findings

    many.hear_all([say(many, word) for word in said])

    assert many.evaluation.findings == findings
    assert many.states == one.states
    assert many.due == one.due
    assert many.changes == one.changes


@given(talk())
def test_the_short_way_gives_what_the_long_way_gives(make_site: Make, said: list[Word]) -> None:
    """An ordinary repeat is seen at a glance; looking at it closely must not show anything else."""
    short, long = make_site(RESTING, **RULES), make_site(RESTING, **RULES)
    for device in long.devices.values():
        long.standing["another rule", device.id] = StandingFinding(
            rule_id="another rule",
            subject=device.id,
            home_id=device.home_id,
            device_id=device.id,
            kind="gas",
            raised_at=long.now,
            reason="",
            verified=True,
            incident_id=None,
        )
    for word in said:
        assert hear(short, word) == hear(long, word)

    assert short.states == long.states
    assert short.due == long.due
    assert short.changes == long.changes


@given(talk())
def test_times_never_run_backwards(make_site: Make, said: list[Word]) -> None:
    site = make_site(RESTING, **RULES)
    for word in said:
        before = dict(site.states)
        hear(site, word)
        for key, row in before.items():
            now = site.states[key]
            assert now.last_seen >= row.last_seen
            assert now.true_since >= row.true_since
            assert row.active_at is None or (now.active_at is not None and now.active_at >= row.active_at)


@given(talk())
def test_after_a_live_alarm_a_verified_finding_stands(make_site: Make, said: list[Word]) -> None:
    """Whatever came before: an alarm that a device says now is with somebody."""
    site = make_site(leak=GAS, help=SOS)
    for word in [
        *said,
        Word(timedelta(0), "gas", "gas", "alarm", None, {}),
        Word(timedelta(0), "sos", "sos", "pressed", None, {}),
    ]:
        hear(site, word)

    assert site.standing["leak", "gas"].verified
    assert site.standing["help", "sos"].verified


@given(talk())
def test_an_alarm_that_was_not_known_is_told(make_site: Make, said: list[Word]) -> None:
    """From clear, unknown, test or nothing to a live alarm is never quiet, unless somebody already has it."""
    site = make_site(leak=GAS)
    for word in said:
        row = site.states.get(("gas", "gas"))
        standing = site.standing.get(("leak", "gas"))
        is_alarm = word.kind == "gas" and word.state == "alarm" and not word.more["under_test"]
        live = word.more["freshness"] is Freshness.LIVE and not (row is None and word.more["startup"])

        found = hear(site, word)

        if is_alarm and live and (row is None or row.state in {"clear", TEST, UNKNOWN}):
            lost = row is not None and row.state == UNKNOWN and standing is not None and standing.verified
            assert found == (["repeated leak"] if lost else ["raised leak"])


@given(talk())
def test_findings_are_raised_before_they_are_repeated_or_cleared(make_site: Make, said: list[Word]) -> None:
    site = make_site(RESTING, **RULES)
    for word in said:
        standing = set(site.standing)
        site.hear_all([say(site, word)])
        for finding in site.evaluation.findings:
            key = (finding.rule_id, finding.device_id or finding.home_id)
            assert finding.event is FindingEvent.RAISED or key in standing
        subjects = [(change.kind, change.subject) for change in site.evaluation.due]
        assert len(subjects) == len(set(subjects))
        rows = [(row.device_id, row.kind) for row in site.evaluation.states]
        touched = [touch[:2] for touch in site.evaluation.touched]
        assert len({*rows, *touched}) == len(rows) + len(touched)
