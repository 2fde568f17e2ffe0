"""What the engine makes of facts as they come."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from rules.conditions import life
from rules.rulebook import StateIs, Threshold

Make = Callable[..., Any]

GAS = StateIs(kind="gas", state="alarm")
SOS = StateIs(kind="sos", state="pressed")
BATTERY = Threshold(kind="battery", below=15, clear_above=20)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


# --- live facts ---


def test_the_first_fact_ever_is_news(make_site: Make) -> None:
    assert make_site(leak=GAS).hear("gas", "alarm") == ["raised leak"]


def test_an_alarm_is_raised_said_again_and_cleared(make_site: Make) -> None:
    site = make_site(leak=GAS)

    assert site.hear("gas", "clear") == []
    assert site.hear("gas", "alarm", after=MINUTE) == ["raised leak"]
    assert site.hear("gas", "alarm", after=2 * MINUTE) == ["repeated leak"]
    assert site.hear("gas", "clear", after=3 * MINUTE) == ["cleared leak"]
    assert site.hear("gas", "clear", after=4 * MINUTE) == []


def test_the_fire_that_comes_back_is_raised_again(make_site: Make) -> None:
    site = make_site(leak=GAS)
    site.hear("gas", "alarm")
    site.hear("gas", "clear")

    assert site.hear("gas", "alarm") == ["raised leak"]


def test_an_alarm_that_nobody_was_told_of_is_raised_when_it_is_said_again(make_site: Make) -> None:
    """A rule may have been added while the alarm stood."""
    site = make_site(other=SOS)
    site.hear("gas", "alarm")
    later = make_site(leak=GAS)
    later.states = site.states

    assert later.hear("gas", "alarm", after=MINUTE) == ["raised leak"]


def test_what_still_stands_after_its_incident_is_closed_is_only_repeated(make_site: Make) -> None:
    """A detector that never clears does not open an incident every half minute."""
    site = make_site(leak=GAS)
    site.hear("gas", "alarm")
    site.resolve()

    assert site.hear("gas", "alarm") == ["repeated leak"]
    assert site.hear("gas", "clear") == ["cleared leak"]
    assert site.hear("gas", "alarm") == ["raised leak"]


def test_several_messages_of_one_device_in_one_batch(make_site: Make) -> None:
    site = make_site(leak=GAS)
    words = ["clear", "alarm", "alarm", "clear", "alarm"]
    batch = [site.reading("gas", word, after=number * SECOND) for number, word in enumerate(words)]

    assert site.hear_all(batch) == ["raised leak", "repeated leak", "cleared leak", "raised leak"]
    assert [change.state for change in site.changes] == ["clear", "alarm", "clear", "alarm"]


def test_devices_do_not_mix(make_site: Make) -> None:
    site = make_site(leak=GAS)
    site.hear("gas", "alarm")

    assert site.hear("gas2", "clear") == []
    assert site.hear("gas2", "alarm") == ["raised leak"]


def test_a_device_that_nobody_knows_is_ignored(make_site: Make) -> None:
    site = make_site(leak=GAS)
    reading = site.reading("gas", "alarm")._replace(device_id="stranger")

    assert site.hear_all([reading]) == []
    assert not site.states
    assert not site.changes


def test_every_rule_on_a_kind_is_asked(make_site: Make) -> None:
    site = make_site(one=GAS, two=GAS, other=SOS)

    assert site.hear("gas", "alarm") == ["raised one", "raised two"]


# --- ordinary repeats ---


def test_an_ordinary_repeat_touches_and_leaves_nothing_behind(make_site: Make) -> None:
    site = make_site(leak=GAS)
    site.hear("gas", "clear")
    first = site.changes.copy()

    batch = [site.reading("gas", "clear", after=number * MINUTE) for number in (1, 3, 2)]
    assert site.hear_all(batch) == []

    assert site.evaluation.states == []
    assert site.evaluation.touched == [("gas", "gas", batch[1].received_at)]
    assert site.changes == first


def test_of_the_facts_that_are_repeated_in_one_message_one_shows_that_the_device_lives(make_site: Make) -> None:
    """Time is data: that it was heard is kept, also where each message begins with another fact."""
    site = make_site(leak=GAS)
    kinds = ("gas", "tamper", "fault")
    site.hear_all([site.reading("gas", "clear", kind=kind, merged=True) for kind in kinds])

    for minute, order in enumerate((kinds, kinds[::-1]), 1):
        site.hear_all([site.reading("gas", "clear", kind=kind, merged=True, after=minute * MINUTE) for kind in order])

        assert site.evaluation.touched == [("gas", order[0], site.now)]
        assert life("gas", site.states).seen == site.now


def test_a_row_is_either_written_or_touched(make_site: Make) -> None:
    site = make_site(leak=GAS)
    site.hear("gas", "clear")
    batch = [site.reading("gas", word, after=number * MINUTE) for number, word in enumerate(["clear", "alarm"], 1)]
    batch += [site.reading("gas", "alarm", after=5 * MINUTE, merged=True)]

    site.hear_all(batch)

    assert site.evaluation.touched == []
    [row] = site.evaluation.states
    assert row.true_since == batch[1].received_at
    assert row.last_seen == batch[2].received_at


def test_a_touch_before_a_change_does_not_outlive_it(make_site: Make) -> None:
    site = make_site(leak=GAS)
    site.hear("gas", "clear")
    site.hear_all([site.reading("gas", word, after=at * MINUTE) for at, word in enumerate(["clear", "alarm"], 1)])

    assert site.evaluation.touched == []
    assert site.states["gas", "gas"].last_seen == site.now


def test_a_number_and_a_word_in_one_message_are_one_row(make_site: Make) -> None:
    site = make_site(low=BATTERY)
    said = {"kind": "battery"}
    site.hear_all([site.reading("gas", value=80.0, **said), site.reading("gas", "ok", **said)])

    site.hear_all([site.reading("gas", value=80.0, after=HOUR, **said), site.reading("gas", "ok", **said)])

    assert site.evaluation.states == []
    assert len(site.evaluation.touched) == 1
    assert (site.states["gas", "battery"].value, site.states["gas", "battery"].state) == (80.0, "ok")


def test_a_battery_s_number_that_is_repeated_is_not_outdated_by_the_word_beside_it(make_site: Make) -> None:
    site = make_site(low=BATTERY)
    said = {"kind": "battery", "merged": True}
    tamper = {"kind": "tamper", "merged": True}
    site.hear_all([site.reading("gas", "clear", **tamper), site.reading("gas", value=80.0, **said)])

    batch = [site.reading("gas", "clear", after=HOUR, **tamper), site.reading("gas", value=80.0, **said)]
    site.hear_all([*batch, site.reading("gas", "ok", **said)])

    assert (site.states["gas", "battery"].value, site.states["gas", "battery"].state) == (80.0, "ok")


def test_quantities_without_a_kind_of_their_own_only_show_that_a_device_lives(make_site: Make) -> None:
    """Temperature and link quality share one kind; they would be a change each, every time."""
    site = make_site(leak=GAS)
    for minutes, value in enumerate((21.5, 40.0, 21.6)):
        site.hear("gas", value=value, kind="measurement", after=minutes * MINUTE)

    assert len(site.changes) == 1
    assert site.states["gas", "measurement"].last_seen == site.now


# --- late messages ---


def test_times_never_run_backwards(make_site: Make) -> None:
    """What arrives late still counts, an alarm above all, but what is known does not go back in time."""
    site = make_site(leak=GAS)
    site.hear("gas", "clear", after=HOUR)

    assert site.hear("gas", "alarm", after=MINUTE) == ["raised leak"]
    row = site.states["gas", "gas"]
    assert row.true_since == row.last_seen == site.reading("gas", after=HOUR).received_at

    site.hear("gas", "alarm", after=2 * MINUTE, merged=True)
    assert site.evaluation.touched == []


# --- calls for help ---


def test_each_call_for_help_is_raised_but_one_press_only_once(make_site: Make) -> None:
    site = make_site(help=SOS)

    assert site.hear("sos", "pressed") == ["raised help"]
    assert site.hear("sos", "pressed", after=59 * SECOND) == ["repeated help"]
    assert site.hear("sos", "pressed", after=60 * SECOND + 61 * SECOND) == ["raised help"]


def test_the_reset_of_a_button_is_not_the_end_of_the_need(make_site: Make) -> None:
    """A press is often published with its reset and again; that is one call, and nobody is told that it is over."""
    site = make_site(help=SOS)

    assert site.hear("sos", "pressed") == ["raised help"]
    assert site.hear("sos", "cleared", after=SECOND) == []
    assert site.hear("sos", "pressed", after=2 * SECOND) == ["repeated help"]
    assert site.hear("sos", "pressed", after=3 * MINUTE) == ["raised help"]


def test_a_call_that_the_broker_hands_over_again_is_not_a_second_call(make_site: Make) -> None:
    """Killed between commit and acknowledgement, and started minutes later (invariants ack-after-commit, one-page)."""
    site = make_site(help=SOS)

    assert site.hear("sos", "pressed") == ["raised help"]
    assert site.hear("sos", "pressed", after=5 * MINUTE, redelivered=True) == ["repeated help"]


def test_a_call_handed_over_again_that_was_never_taken_in_is_raised(make_site: Make) -> None:
    assert make_site(help=SOS).hear("sos", "pressed", redelivered=True) == ["raised help"]


def test_a_call_soon_after_the_incident_was_closed_is_raised(make_site: Make) -> None:
    site = make_site(help=SOS)
    site.hear("sos", "pressed")
    site.resolve()

    assert site.hear("sos", "pressed", after=30 * SECOND) == ["raised help"]


def test_a_stale_press_is_raised_unverified_and_once(make_site: Make) -> None:
    """Invariant stale-does-not-page: retained events are replayed at each reconnection."""
    site = make_site(help=SOS)

    assert site.stale("sos", "pressed") == ["raised help?"]
    assert site.stale("sos", "pressed") == []
    site.hear("sos", "cleared")
    assert site.stale("sos", "pressed") == []
    assert site.hear("sos", "pressed", after=SECOND) == ["raised help"]


def test_every_press_is_kept_in_the_history(make_site: Make) -> None:
    site = make_site(help=SOS)
    for minutes in (0, 2, 4):
        site.hear("sos", "pressed", after=minutes * MINUTE)

    assert len(site.changes) == 3


def test_a_fall_is_a_call_and_a_warning_of_one_is_not(make_site: Make) -> None:
    site = make_site(fall=StateIs(kind="fall", state="alarm"))

    assert site.hear("sos", "warning", kind="fall") == []
    assert site.hear("sos", "alarm", kind="fall", after=MINUTE) == ["raised fall"]
    assert site.hear("sos", "alarm", kind="fall", after=3 * MINUTE) == ["raised fall"]


def test_a_button_without_a_reset_calls_each_time(make_site: Make) -> None:
    site = make_site(call=StateIs(kind="button", state="long"))

    assert site.hear("sos", "long", kind="button") == ["raised call"]
    assert site.hear("sos", "long", kind="button", after=HOUR) == ["raised call"]


# --- numbers ---


def test_a_number_is_cleared_only_beyond_the_second_bound(make_site: Make) -> None:
    site = make_site(low=BATTERY)

    def say(value: float, **more: Any) -> list[str]:
        return list(site.hear("gas", value=value, kind="battery", **more))

    assert say(15) == []
    assert say(14.9) == ["raised low"]
    assert say(20) == []
    assert say(14) == ["repeated low"]
    assert say(20.5) == ["cleared low"]
    assert say(16) == []
    assert say(14) == ["raised low"]


def test_numbers_within_one_batch(make_site: Make) -> None:
    site = make_site(low=BATTERY)
    batch = [site.reading("gas", value=value, kind="battery") for value in (80, 14, 14, 16, 25)]

    assert site.hear_all(batch) == ["raised low", "repeated low", "cleared low"]


def test_a_number_above_a_bound(make_site: Make) -> None:
    site = make_site(much=Threshold(kind="gas_concentration", above=10, clear_below=5))

    said = [site.hear("gas", value=value, kind="gas_concentration") for value in (10, 11, 7, 5, 4)]

    assert said == [[], ["raised much"], [], [], ["cleared much"]]


def test_a_bound_without_a_second_one(make_site: Make) -> None:
    site = make_site(low=Threshold(kind="battery", below=15))

    assert site.hear("gas", value=14, kind="battery") == ["raised low"]
    assert site.hear("gas", value=15, kind="battery") == ["cleared low"]


@pytest.mark.parametrize("better", [{"state": "ok"}, {"value": 21.0}])
def test_a_battery_may_say_in_a_word_that_it_is_low(make_site: Make, better: dict[str, Any]) -> None:
    site = make_site(low=BATTERY)

    assert site.hear("gas", "low", kind="battery") == ["raised low"]
    assert site.hear("gas", kind="battery", after=HOUR, **better) == ["cleared low"]


@pytest.mark.parametrize("better", [{"state": "ok"}, {"value": 21.0}])
def test_a_battery_that_is_low_by_number_is_well_by_either(make_site: Make, better: dict[str, Any]) -> None:
    site = make_site(low=BATTERY)

    assert site.hear("gas", value=5.0, kind="battery") == ["raised low"]
    assert site.hear("gas", kind="battery", after=HOUR, **better) == ["cleared low"]


def test_a_battery_that_contradicts_itself_does_not_flutter(make_site: Make) -> None:
    """Some devices say 80 % and low in each message; the worse word counts, and counts once."""
    site = make_site(low=BATTERY)
    found = []
    for hours, value in enumerate((80.0, 80.0, 79.0, 81.0)):
        said = {"kind": "battery", "merged": True}
        found += site.hear_all(
            [site.reading("gas", value=value, after=hours * HOUR, **said), site.reading("gas", "low", **said)]
        )

    assert found == ["raised low"]


def test_unknown_battery_is_not_well(make_site: Make) -> None:
    """Invariant unknown-is-not-clear."""
    site = make_site(low=BATTERY)
    site.hear("gas", value=5.0, kind="battery")

    assert site.hear("gas", "unknown", kind="battery") == []
    assert site.hear("gas", value=5.0, kind="battery") == ["repeated low"]


# --- in words ---


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh", ["厨房燃气：报警", "厨房燃气：报警，再次报告", "厨房燃气：正常，已恢复"]),
        ("en", ["厨房 gas: alarm", "厨房 gas: alarm, said again", "厨房 gas: clear, over"]),
    ],
)
def test_reasons_are_sentences(make_site: Make, language: str, words: list[str]) -> None:
    site = make_site(leak=GAS, language=language)
    batch = [
        site.reading("gas", word, after=number * SECOND) for number, word in enumerate(["alarm", "alarm", "clear"])
    ]
    site.hear_all(batch)

    assert [finding.reason for finding in site.evaluation.findings] == words


def test_a_reason_names_the_number_and_says_what_is_not_verified(make_site: Make) -> None:
    site = make_site(low=BATTERY)
    site.stale("gas", value=14.0, unit="%", kind="battery")

    [finding] = site.evaluation.findings
    assert finding.reason == "厨房电量14%，低于15%（旧消息，未经核实）"
