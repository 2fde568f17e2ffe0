"""What the engine makes of facts that are old, say nothing, or come from a test."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from rules.readings import Freshness
from rules.rulebook import StateIs, Threshold

Make = Callable[..., Any]

GAS = StateIs(kind="gas", state="alarm")
SOS = StateIs(kind="sos", state="pressed")
BATTERY = Threshold(kind="battery", below=15, clear_above=20)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


# --- facts that are not fresh ---


@pytest.mark.parametrize("freshness", [Freshness.RETAINED, Freshness.CACHED])
def test_an_alarm_found_standing_is_raised_unverified_and_once(make_site: Make, freshness: Freshness) -> None:
    """Invariant stale-does-not-page."""
    site = make_site(leak=GAS)

    assert site.hear("gas", "alarm", freshness=freshness) == ["raised leak?"]
    assert site.hear("gas", "alarm", freshness=freshness) == []
    assert site.states["gas", "gas"].freshness is freshness


def test_a_live_word_verifies_a_stale_one(make_site: Make) -> None:
    site = make_site(leak=GAS)
    site.stale("gas", "alarm")

    assert site.hear("gas", "alarm", merged=True) == []
    assert site.hear("gas", "alarm") == ["raised leak"]
    assert site.hear("gas", "alarm") == ["repeated leak"]
    assert site.states["gas", "gas"].freshness is Freshness.LIVE


def test_a_stale_alarm_after_a_live_one_says_nothing_new(make_site: Make) -> None:
    site = make_site(leak=GAS)
    site.hear("gas", "alarm")

    assert site.stale("gas", "alarm") == []
    assert site.states["gas", "gas"].freshness is Freshness.LIVE


def test_a_historic_fact_moves_nothing(make_site: Make) -> None:
    site = make_site(leak=GAS)

    assert site.hear("gas", "alarm", freshness=Freshness.HISTORIC) == []
    assert not site.states
    assert [change.state for change in site.changes] == ["alarm"]


def test_a_field_that_is_merged_in_is_a_repeat_where_it_is_the_same_and_live_where_it_is_not(make_site: Make) -> None:
    site = make_site(leak=GAS)

    assert site.hear("gas", "clear", merged=True) == []
    assert site.hear("gas", "alarm", merged=True) == ["raised leak"]
    assert site.hear("gas", "alarm", merged=True, after=MINUTE) == []
    assert site.evaluation.touched == [("gas", "gas", site.now)]


def test_a_stale_clear_moves_what_is_known_and_ends_nothing(make_site: Make) -> None:
    """A cache from before the alarm must not tell anybody that all is well; and the next alarm is news."""
    site = make_site(leak=GAS)
    site.hear("gas", "alarm")

    assert site.stale("gas", "clear") == []
    assert site.states["gas", "gas"].state == "clear"
    assert site.hear("gas", "alarm") == ["raised leak"]


def test_a_live_clear_after_a_stale_one_ends_it(make_site: Make) -> None:
    site = make_site(leak=GAS)
    site.hear("gas", "alarm")
    site.stale("gas", "clear")

    assert site.hear("gas", "clear") == ["cleared leak"]


def test_a_live_word_makes_what_is_known_fresh(make_site: Make) -> None:
    site = make_site(leak=GAS)
    site.stale("gas", "clear")
    assert site.hear("gas", "clear") == []

    assert site.states["gas", "gas"].freshness is Freshness.LIVE


def test_an_alarm_that_comes_back_by_stale_words_is_raised_by_the_next_live_one(make_site: Make) -> None:
    site = make_site(leak=GAS)
    site.hear("gas", "alarm")
    site.stale("gas", "clear")

    assert site.stale("gas", "alarm") == []
    assert site.hear("gas", "alarm") == ["raised leak"]


def test_a_stale_alarm_that_nobody_has_any_more_is_raised_unverified(make_site: Make) -> None:
    site = make_site(leak=GAS)
    site.hear("gas", "alarm")
    site.resolve()
    site.stale("gas", "clear")

    assert site.stale("gas", "alarm") == ["raised leak?"]


def test_stale_facts_are_no_sign_of_life(make_site: Make) -> None:
    site = make_site(leak=GAS)
    site.hear("gas", "clear")
    heard = site.states["gas", "gas"].last_seen

    site.stale("gas", "clear", after=HOUR)
    assert site.states["gas", "gas"].last_seen == heard
    site.stale("gas", "alarm", after=2 * HOUR)
    assert site.states["gas", "gas"].last_seen == heard


@pytest.mark.parametrize(
    ("known", "found"),
    [(None, ["raised leak?"]), ("clear", ["raised leak"]), ("unknown", ["raised leak"]), ("alarm", [])],
)
def test_what_a_gateway_that_has_just_started_says_is_old_where_nothing_is_known(
    make_site: Make, known: str | None, found: list[str]
) -> None:
    """Invariant stale-does-not-page; but an alarm that is new pages also while the gateway starts."""
    site = make_site(leak=GAS)
    if known:
        site.hear("gas", known)

    assert site.hear("gas", "alarm", merged=True, startup=True, after=MINUTE) == found


def test_what_a_gateway_remembers_when_it_starts_is_no_sign_of_life(make_site: Make) -> None:
    site = make_site(leak=GAS)
    site.hear("gas", "clear", merged=True)
    before = dict(site.states)

    site.hear("gas", "clear", merged=True, startup=True, after=HOUR)

    assert site.states == before


# --- unknown ---


@pytest.mark.parametrize("nothing", [{"state": "unknown"}, {"state": None}, {"state": None, "value": float("nan")}])
def test_unknown_is_not_clear(make_site: Make, nothing: dict[str, Any]) -> None:
    """Invariant unknown-is-not-clear."""
    site = make_site(leak=GAS)
    site.hear("gas", "alarm")

    assert site.hear("gas", **nothing) == []
    assert site.states["gas", "gas"].state == "unknown"
    assert site.standing


def test_unknown_then_alarm_is_an_alarm(make_site: Make) -> None:
    """Invariant unknown-is-not-clear."""
    site = make_site(leak=GAS)
    site.hear("gas", "unknown")

    assert site.hear("gas", "alarm", merged=True) == ["raised leak"]


def test_unknown_then_clear_says_nothing_where_nothing_stands(make_site: Make) -> None:
    site = make_site(leak=GAS)
    site.hear("gas", "unknown")

    assert site.hear("gas", "clear") == []


def test_an_alarm_that_was_lost_from_sight_is_a_repeat_while_somebody_has_it(make_site: Make) -> None:
    site = make_site(leak=GAS)
    site.hear("gas", "alarm")
    site.hear("gas", "unknown")

    assert site.hear("gas", "alarm") == ["repeated leak"]


def test_an_unverified_alarm_that_was_lost_from_sight_is_verified(make_site: Make) -> None:
    site = make_site(leak=GAS)
    site.stale("gas", "alarm")
    site.hear("gas", "unknown")

    assert site.hear("gas", "alarm") == ["raised leak"]


def test_an_alarm_that_was_lost_from_sight_is_raised_where_nobody_has_it_any_more(make_site: Make) -> None:
    site = make_site(leak=GAS)
    site.hear("gas", "alarm")
    site.hear("gas", "unknown")
    site.resolve()

    assert site.hear("gas", "alarm") == ["raised leak"]


# --- tests ---


def test_an_alarm_under_test_raises_nothing_and_the_next_without_test_does(make_site: Make) -> None:
    site = make_site(leak=GAS)

    assert site.hear("gas", "alarm", under_test=True) == []
    assert site.hear("gas", "alarm", under_test=True) == []
    assert site.states["gas", "gas"].state == "test"
    assert [change.state for change in site.changes] == ["test"]
    assert site.hear("gas", "alarm", merged=True) == ["raised leak"]


def test_a_test_during_an_alarm_does_not_end_it(make_site: Make) -> None:
    site = make_site(leak=GAS)
    site.hear("gas", "alarm")

    assert site.hear("gas", "alarm", under_test=True) == []
    assert site.standing
    assert site.hear("gas", "alarm") == ["raised leak"]


@pytest.mark.parametrize("rules", [{"leak": GAS}, {"help": SOS}], ids=["with a rule", "without one"])
def test_a_test_is_known_also_where_the_alarm_is_only_repeated(make_site: Make, rules: dict[str, StateIs]) -> None:
    site = make_site(**rules)
    site.hear("gas", "alarm")
    site.hear("gas", "alarm", under_test=True, merged=True)

    assert site.states["gas", "gas"].state == "test"


def test_only_alarms_are_held_back_by_a_test(make_site: Make) -> None:
    site = make_site(leak=GAS)
    site.hear("gas", "alarm")

    assert site.hear("gas", "clear", under_test=True) == ["cleared leak"]


def test_what_a_stale_word_has_not_ended_a_live_one_ends(make_site: Make) -> None:
    """The broker's copy comes before the message itself, which then says nothing new; it is live all the same."""
    site = make_site(leak=GAS)
    site.hear("gas", "alarm", merged=True)
    assert site.stale("gas", "clear", after=MINUTE) == []

    assert site.hear("gas", "clear", merged=True, after=2 * MINUTE) == ["cleared leak"]
    assert site.hear("gas", "clear", merged=True, after=3 * MINUTE) == []
