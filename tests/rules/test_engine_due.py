"""What the engine makes of time: holds, quiet homes, silent devices."""

from collections.abc import Callable
from datetime import time, timedelta
from typing import Any

import pytest

from rules.community import Device
from rules.decisions import DueKind
from rules.hearing import Gap
from rules.periods import DailyWindow
from rules.readings import Freshness
from rules.rulebook import Absent, Offline, StateIs, Threshold

Make = Callable[..., Any]

GAS = StateIs(kind="gas", state="alarm")
SOS = StateIs(kind="sos", state="pressed")
BATTERY = Threshold(kind="battery", below=15, clear_above=20)
DOOR = StateIs(kind="contact", state="open", hold_s=900)
NIGHT = DailyWindow(start=time(22), end=time(6))
DOOR_AT_NIGHT = StateIs(kind="contact", state="open", hold_s=900, between=NIGHT)
NO_MOTION = Absent(kind="motion", hold_s=12 * 3600)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


# --- holds ---


def minutes(number: float) -> timedelta:
    return number * MINUTE


def test_a_condition_must_last(make_site: Make) -> None:
    site = make_site(door=DOOR)

    assert site.hear("door", "open") == []
    assert site.fire(after=minutes(14.9)) == []
    assert site.fire(after=minutes(15)) == ["raised door"]
    assert not site.due
    assert site.hear("door", "open", after=minutes(20)) == ["repeated door"]
    assert site.hear("door", "closed", after=minutes(30)) == ["cleared door"]


def test_a_condition_that_stops_in_time_is_forgotten(make_site: Make) -> None:
    site = make_site(door=DOOR)
    site.hear("door", "open")
    site.hear("door", "closed", after=minutes(14))

    assert not site.due
    assert site.fire(after=minutes(16)) == []


def test_each_time_it_begins_anew(make_site: Make) -> None:
    site = make_site(door=DOOR)
    batch = [site.reading("door", word, after=minutes(at)) for at, word in enumerate(["open", "closed", "open"])]
    site.hear_all(batch)

    assert site.due == {(DueKind.HOLD, "door/door"): batch[2].received_at + minutes(15)}
    assert len(site.evaluation.due) == 1


def test_a_hold_that_was_cancelled_in_the_same_batch_begins_anew(make_site: Make) -> None:
    site = make_site(door=DOOR)
    site.hear("door", "open")
    words = ["closed", "unknown", "open"]
    site.hear_all([site.reading("door", word, after=minutes(5)) for word in words])

    assert site.due == {(DueKind.HOLD, "door/door"): site.now + minutes(15)}


def test_saying_it_again_does_not_move_the_time(make_site: Make) -> None:
    site = make_site(door=DOOR)
    site.hear("door", "open")
    due = dict(site.due)
    site.hear("door", "open", after=minutes(10))
    site.hear("door", "open", after=minutes(12), merged=True)

    assert site.due == due


def test_a_hold_begins_also_for_what_stood_before_the_rule_did(make_site: Make) -> None:
    before = make_site(leak=GAS)
    before.hear("door", "open")
    site = make_site(door=DOOR)
    site.states = before.states
    site.hear("door", "open", after=minutes(60))

    assert site.fire() == ["raised door"]


def test_unknown_neither_ends_a_hold_nor_begins_it_anew(make_site: Make) -> None:
    """Invariant unknown-is-not-clear."""
    site = make_site(door=DOOR)
    site.hear("door", "open")
    site.hear("door", "unknown", after=minutes(5))
    site.hear("door", "open", after=minutes(10))
    site.hear("door", "unknown", after=minutes(12))

    assert site.fire(after=minutes(15)) == ["raised door"]


def test_what_turns_out_closed_after_unknown_is_forgotten(make_site: Make) -> None:
    site = make_site(door=DOOR)
    site.hear("door", "open")
    site.hear("door", "unknown", after=minutes(5))
    site.hear("door", "closed", after=minutes(10))

    assert not site.due


def test_a_hold_of_a_stale_fact_is_not_verified(make_site: Make) -> None:
    """Invariant stale-does-not-page, also where something that says nothing comes live in between."""
    site = make_site(door=DOOR)
    site.stale("door", "open")
    site.hear("door", "unknown", after=minutes(5))

    assert site.fire(after=minutes(15)) == ["raised door?"]


def test_a_live_word_before_its_time_verifies_it(make_site: Make) -> None:
    site = make_site(door=DOOR)
    site.stale("door", "open")
    site.hear("door", "open", after=minutes(5))

    assert site.fire(after=minutes(15)) == ["raised door"]


def test_a_test_ends_a_hold(make_site: Make) -> None:
    site = make_site(leak=StateIs(kind="gas", state="alarm", hold_s=30))
    site.hear("gas", "alarm")
    site.hear("gas", "alarm", under_test=True, after=10 * SECOND)

    assert site.fire(after=minutes(9)) == []
    site.hear("gas", "clear", after=minutes(9))
    assert not site.due


def test_a_test_that_does_not_end_is_told_as_unverified(make_site: Make) -> None:
    """A test bit that is stuck hides no gas for ever; nor does a test page a worker (invariant stale-does-not-page)."""
    site = make_site(leak=StateIs(kind="gas", state="alarm"))
    assert site.hear("gas", "alarm", under_test=True) == []
    assert site.hear("gas", "alarm", under_test=True, after=minutes(8)) == []

    assert site.fire(after=minutes(10)) == ["raised leak?"]
    assert "测试已10分钟" in site.evaluation.findings[0].reason
    assert site.fire(after=minutes(60)) == []
    assert site.hear("gas", "alarm", after=minutes(61)) == ["raised leak"]


@pytest.mark.parametrize("word", ["alarm", "clear", "unknown"])
def test_a_test_that_ends_in_time_is_forgotten(make_site: Make, word: str) -> None:
    site = make_site(leak=StateIs(kind="gas", state="alarm"))
    site.hear("gas", "alarm", under_test=True)
    site.hear("gas", word, after=minutes(1))

    assert not site.due


def test_a_pressed_button_that_was_a_test_is_nothing_later(make_site: Make) -> None:
    """A call for help does not last: there is nothing that would end the test."""
    site = make_site(help=StateIs(kind="sos", state="pressed"))
    site.hear("sos", "pressed", under_test=True)

    assert not site.due


def test_what_alarms_on_although_it_was_closed_is_told_as_unverified(make_site: Make) -> None:
    """Its gateway repeats the same field for ever, and nobody knows whether the detector still means it."""
    site = make_site(leak=StateIs(kind="gas", state="alarm"))
    site.hear("gas", "alarm", merged=True)
    site.resolve()
    site.due[DueKind.HOLD, "leak/gas"] = site.now + minutes(15)
    site.hear("gas", "alarm", merged=True, after=minutes(14))

    assert site.fire(after=minutes(15)) == ["raised leak?"]
    assert "结束后仍未恢复" in site.evaluation.findings[0].reason


@pytest.mark.parametrize("word", ["clear", "unknown"])
def test_what_was_closed_and_alarms_no_more_is_over(make_site: Make, word: str) -> None:
    site = make_site(leak=StateIs(kind="gas", state="alarm"))
    site.hear("gas", "alarm", merged=True)
    site.resolve()
    site.due[DueKind.HOLD, "leak/gas"] = site.now + minutes(15)
    site.hear("gas", word, merged=True, after=minutes(14))

    assert site.fire(after=minutes(15)) == []
    assert not site.due


def test_a_number_must_stay_past_its_bound(make_site: Make) -> None:
    """Between the bounds nothing ends that stands; but nothing begins there either."""
    site = make_site(low=Threshold(kind="battery", below=15, clear_above=20, hold_s=3600))

    def say(value: float, after: timedelta) -> list[str]:
        return list(site.hear("gas", value=value, kind="battery", after=after))

    say(14, minutes(0))
    say(13, minutes(10))
    assert site.due == {(DueKind.HOLD, "low/gas"): site.reading("gas", after=minutes(60)).received_at}
    say(16, minutes(20))
    assert not site.due
    say(14, minutes(30))
    assert site.fire(after=minutes(90)) == ["raised low"]
    assert say(16, minutes(100)) == []
    assert say(14, minutes(110)) == ["repeated low"]
    assert not site.due


def test_a_hold_that_the_rulebook_has_dropped_is_forgotten(make_site: Make) -> None:
    site = make_site(door=DOOR)
    site.hear("door", "open")
    site.engine = make_site(leak=GAS).engine

    assert site.fire(after=minutes(15)) == []
    assert not site.due


def test_a_hold_whose_condition_no_longer_is_raises_nothing(make_site: Make) -> None:
    site = make_site(door=DOOR)
    site.hear("door", "closed")
    site.due[DueKind.HOLD, "door/door"] = site.now
    site.due[DueKind.HOLD, "door/gas"] = site.now

    assert site.fire() == []
    assert not site.due


def test_a_door_opened_again_after_a_stale_word_is_raised_again(make_site: Make) -> None:
    site = make_site(door=DOOR)
    site.hear("door", "open")
    assert site.fire(after=minutes(15)) == ["raised door"]
    site.stale("door", "closed", after=minutes(20))
    site.hear("door", "open", after=minutes(30))

    assert site.fire(after=minutes(45)) == ["raised door"]


@pytest.mark.parametrize("freshness", [Freshness.LIVE, Freshness.RETAINED])
def test_a_hold_that_fires_twice_raises_once(make_site: Make, freshness: Freshness) -> None:
    site = make_site(door=DOOR)
    site.hear("door", "open", freshness=freshness)
    site.fire(after=minutes(15))
    site.due[DueKind.HOLD, "door/door"] = site.now

    assert site.fire(after=minutes(16)) == []


def test_a_reason_says_for_how_long(make_site: Make) -> None:
    site = make_site(door=DOOR)
    site.hear("door", "open")
    site.fire(after=minutes(15))

    assert [finding.reason for finding in site.evaluation.findings] == ["入户门门磁：打开，已持续15分钟"]


# --- windows of the day (it is 20:00 in Chengdu) ---


def test_a_hold_counts_from_the_start_of_its_window(make_site: Make) -> None:
    site = make_site(door=DOOR_AT_NIGHT)
    site.hear("door", "open")

    assert site.fire(after=minutes(134)) == []
    assert site.fire(after=minutes(135)) == ["raised door"]


def test_a_door_closed_before_the_night_is_forgotten(make_site: Make) -> None:
    site = make_site(door=DOOR_AT_NIGHT)
    site.hear("door", "open")
    site.hear("door", "closed", after=minutes(110))

    assert not site.due


def test_what_does_not_fit_into_this_night_waits_for_the_next(make_site: Make) -> None:
    site = make_site(door=DOOR_AT_NIGHT)
    site.hear("door", "open", after=9 * HOUR + minutes(50))

    assert site.due == {(DueKind.HOLD, "door/door"): site.reading("door", after=26 * HOUR + minutes(15)).received_at}


def test_a_window_without_a_hold(make_site: Make) -> None:
    site = make_site(door=StateIs(kind="contact", state="open", between=NIGHT))

    assert site.hear("door", "open") == []
    assert site.fire(after=2 * HOUR) == ["raised door"]
    assert site.hear("door", "closed", after=3 * HOUR) == ["cleared door"]
    assert site.hear("door", "open", after=3 * HOUR) == ["raised door"]


def test_what_began_in_the_night_ends_by_day(make_site: Make) -> None:
    site = make_site(door=DOOR_AT_NIGHT)
    site.hear("door", "open", after=3 * HOUR)
    site.fire(after=4 * HOUR)

    assert site.hear("door", "open", after=14 * HOUR) == ["repeated door"]
    assert site.hear("door", "closed", after=15 * HOUR) == ["cleared door"]


def test_a_hold_longer_than_its_window_is_never_set(make_site: Make) -> None:
    site = make_site(door=StateIs(kind="contact", state="open", hold_s=9 * 3600, between=NIGHT))
    site.hear("door", "open")

    assert not site.due


def test_a_call_outside_its_window_is_not_kept(make_site: Make) -> None:
    site = make_site(help=StateIs(kind="sos", state="pressed", between=NIGHT))

    assert site.hear("sos", "pressed") == []
    assert not site.due
    assert site.hear("sos", "pressed", after=3 * HOUR) == ["raised help"]


def test_a_deadline_that_passed_while_the_service_was_down_is_not_dropped(make_site: Make) -> None:
    """Invariant late-is-said: also where the window is over by then."""
    site = make_site(door=DOOR_AT_NIGHT)
    site.hear("door", "open", after=3 * HOUR)

    assert site.fire(after=12 * HOUR) == ["raised door"]


# --- away ---


def test_a_rule_rests_while_nobody_is_there_and_looks_again(make_site: Make) -> None:
    site = make_site(door=DOOR, unless=("away",))
    site.away.add("home")
    site.hear("door", "open")

    assert site.fire(after=minutes(15)) == []
    site.away.clear()
    assert site.fire(after=minutes(29)) == []
    assert site.fire(after=minutes(30)) == ["raised door"]


def test_a_rule_without_a_hold_rests_too(make_site: Make) -> None:
    site = make_site(leak=StateIs(kind="water_leak", state="alarm"), unless=("away",))
    site.away.add("home")
    assert site.hear("gas", "alarm", kind="water_leak") == []
    assert site.fire(after=minutes(15)) == []

    site.away.clear()
    assert site.fire(after=minutes(30)) == ["raised leak"]
    assert site.hear("gas", "alarm", kind="water_leak") == ["repeated leak"]


def test_what_ends_while_nobody_is_there_is_forgotten(make_site: Make) -> None:
    site = make_site(leak=StateIs(kind="water_leak", state="alarm"), unless=("away",))
    site.away.add("home")
    site.hear("gas", "alarm", kind="water_leak")
    site.hear("gas", "clear", kind="water_leak")

    assert not site.due


def test_a_call_rests_where_its_rule_says_so(make_site: Make) -> None:
    site = make_site(help=StateIs(kind="sos", state="pressed"), unless=("away",))
    site.away.add("home")

    assert site.hear("sos", "pressed") == []
    assert not site.due


def test_a_rule_that_rests_looks_again_within_its_window(make_site: Make) -> None:
    site = make_site(door=DOOR_AT_NIGHT, unless=("away",))
    site.away.add("home")
    site.hear("door", "open", after=9 * HOUR + minutes(40))
    site.fire(after=9 * HOUR + minutes(55))

    assert site.due == {(DueKind.HOLD, "door/door"): site.reading("door", after=26 * HOUR + minutes(15)).received_at}


# --- quiet homes ---


def test_a_home_is_quiet_when_its_sensors_live_and_show_nobody(make_site: Make) -> None:
    site = make_site(quiet=NO_MOTION)
    site.watch()
    site.hear("motion", "detected", after=HOUR)
    site.hear("motion", "clear", after=HOUR + MINUTE)
    assert site.fire(after=12 * HOUR) == []

    site.hear("motion", value=80.0, kind="battery", after=12 * HOUR + minutes(30))
    assert site.fire(after=13 * HOUR) == ["raised quiet"]
    [finding] = site.evaluation.findings
    assert (finding.device_id, finding.kind, finding.reason) == (None, "absence", "12小时没有人体移动活动")


def test_somebody_moves_again(make_site: Make) -> None:
    site = quiet_home(make_site)

    assert site.hear("motion", "detected", after=14 * HOUR) == ["cleared quiet"]
    assert site.due == {(DueKind.ABSENCE, "quiet/home"): site.now + 12 * HOUR}


def test_a_home_that_stays_quiet_is_raised_once(make_site: Make) -> None:
    site = quiet_home(make_site)
    site.hear("motion", "clear", after=30 * HOUR)

    assert site.fire(after=30 * HOUR) == []
    assert (DueKind.ABSENCE, "quiet/home") in site.due


def quiet_home(make_site: Make) -> Any:
    site = make_site(quiet=NO_MOTION)
    site.watch()
    site.hear("motion", "clear")
    site.hear("motion", "clear", after=12 * HOUR)
    assert site.fire() == ["raised quiet"]
    return site


@pytest.mark.parametrize(
    ("word", "more"),
    [
        pytest.param({"after": 9 * HOUR, "state": "clear"}, {}, id="silent beyond its heartbeat"),
        pytest.param({"after": 12 * HOUR, "state": "offline", "kind": "availability"}, {}, id="said to be offline"),
        pytest.param({"after": 12 * HOUR, "state": "unknown"}, {}, id="unknown"),
        pytest.param({"after": 12 * HOUR, "state": "clear"}, {"unheard": {"motion"}}, id="gateway offline"),
        pytest.param({"after": 12 * HOUR, "state": "clear"}, {"away": {"home"}}, id="away"),
    ],
)
def test_a_sensor_that_cannot_tell_is_not_a_quiet_home(make_site: Make, word: dict[str, Any], more: Any) -> None:
    """Invariant unknown-is-not-clear: a silent sensor is never read as an inactive resident."""
    site = make_site(quiet=NO_MOTION, unless=("away",))
    site.hear("motion", "clear")
    site.hear("motion", **word)
    site.away = more.pop("away", set())
    now = site.reading("motion", after=12 * HOUR).received_at

    evaluation = site.look(DueKind.ABSENCE, "quiet/home", now=now, **more)

    assert evaluation.findings == []
    assert [change.due_at for change in evaluation.due] == [now + 15 * MINUTE]


def test_stale_facts_alone_tell_nothing_of_people(make_site: Make) -> None:
    """Invariant stale-does-not-page."""
    site = make_site(quiet=Absent(kind="contact", hold_s=24 * 3600))
    site.stale("door", "closed")
    site.stale("door", "open", after=HOUR)

    assert site.look(DueKind.ABSENCE, "quiet/home", now=site.now + 24 * HOUR).findings == []
    site.hear("door", "open", after=2 * HOUR, merged=True)
    assert len(site.look(DueKind.ABSENCE, "quiet/home", now=site.now + 24 * HOUR).findings) == 1


def test_one_sensor_that_can_tell_is_enough(make_site: Make) -> None:
    more = Device(id="motion2", home_id="home", kind="motion", source="s", name="motion2", heartbeat_s=7200)
    site = make_site(quiet=NO_MOTION, devices=[*make_site().devices.values(), more])
    site.hear("motion", "clear")
    site.hear("motion2", "clear")
    site.hear("motion", "clear", after=12 * HOUR)

    assert len(site.look(DueKind.ABSENCE, "quiet/home").findings) == 1


def test_quiet_does_not_count_while_the_gateway_could_not_be_heard(make_site: Make) -> None:
    site = make_site(quiet=NO_MOTION)
    site.hear("motion", "detected")
    site.hear("motion", "clear", after=12 * HOUR)
    began = site.reading("motion", after=0 * HOUR).received_at
    gap = Gap(began + HOUR, began + 11 * HOUR)

    evaluation = site.look(DueKind.ABSENCE, "quiet/home", now=began + 12 * HOUR, gaps=[gap])

    assert evaluation.findings == []
    assert [change.due_at for change in evaluation.due] == [began + 22 * HOUR]


def test_a_device_may_show_a_kind_that_it_is_not_registered_for(make_site: Make) -> None:
    site = make_site(quiet=NO_MOTION)
    site.hear("sos", "clear", kind="motion")

    assert site.due == {(DueKind.ABSENCE, "quiet/home"): site.now + 12 * HOUR}


@pytest.mark.parametrize("name", ["quiet/home2", "dropped/home"])
def test_a_home_without_such_sensors_or_rule_is_no_longer_watched(make_site: Make, name: str) -> None:
    site = make_site(quiet=NO_MOTION)
    site.due[DueKind.ABSENCE, name] = site.now

    assert site.fire() == []
    assert not site.due


# --- silent devices ---


def test_a_device_is_offline_after_three_heartbeats(make_site: Make) -> None:
    site = make_site(silent=Offline())
    site.watch()
    site.hear("gas2", "clear", after=minutes(30))
    site.hear("gas2", value=80.0, kind="battery", after=HOUR)
    assert site.fire(after=6 * HOUR).count("raised silent") == 2

    assert site.fire(after=7 * HOUR - SECOND) == []
    assert site.fire(after=7 * HOUR) == ["raised silent"]
    assert site.evaluation.findings[0].reason == "gas2燃气设备已6小时没有消息"
    assert site.evaluation.findings[0].kind == "offline"


def test_a_device_that_was_never_heard_is_offline_too(make_site: Make) -> None:
    site = make_site(silent=Offline())
    site.watch()
    site.fire(after=6 * HOUR)

    assert site.evaluation.findings[0].reason.startswith("从未收到")


def test_a_device_said_to_be_offline_is_so_after_one_heartbeat(make_site: Make) -> None:
    site = make_site(silent=Offline(hold_s=600))
    site.watch()
    site.hear("gas", "clear")
    site.stale("gas", "offline", kind="availability", after=HOUR)

    assert site.fire(after=3 * HOUR) == []
    assert site.fire(after=3 * HOUR + minutes(10)) == ["raised silent"]
    assert "离线" in site.evaluation.findings[0].reason


def test_a_device_that_speaks_although_it_is_said_to_be_offline_is_alive(make_site: Make) -> None:
    site = make_site(silent=Offline())
    site.watch()
    site.hear("gas", "offline", kind="availability", after=HOUR)
    site.hear("gas", "clear", after=2 * HOUR)

    assert site.fire(after=3 * HOUR) == []
    assert site.due[DueKind.OFFLINE, "gas"] == site.reading("gas", after=8 * HOUR).received_at


def test_a_device_behind_a_gateway_that_is_offline_is_not_judged(make_site: Make) -> None:
    site = make_site(silent=Offline())
    site.watch()
    site.gateway_offline = True

    assert site.fire(after=6 * HOUR) == []
    assert site.due[DueKind.OFFLINE, "gas"] == site.now + minutes(15)


def test_silence_does_not_count_while_the_gateway_could_not_be_heard(make_site: Make) -> None:
    site = make_site(silent=Offline())
    site.hear("gas", "clear")
    heard = site.reading("gas").received_at
    gap = Gap(heard + HOUR, heard + 19 * HOUR)

    evaluation = site.look(DueKind.OFFLINE, "gas", now=heard + 20 * HOUR, gaps=[gap])

    assert evaluation.findings == []
    assert [change.due_at for change in evaluation.due] == [heard + 24 * HOUR]
    assert len(site.look(DueKind.OFFLINE, "gas", now=heard + 24 * HOUR, gaps=[gap]).findings) == 1


def test_a_finding_that_stands_is_not_raised_again_but_watched(make_site: Make) -> None:
    site = make_site(silent=Offline())
    site.watch()
    site.fire(after=6 * HOUR)

    assert site.fire(after=12 * HOUR) == []
    assert site.due[DueKind.OFFLINE, "gas"] == site.now + 6 * HOUR


def test_several_rules_on_silence_each_have_their_time(make_site: Make) -> None:
    site = make_site(soon=Offline(), late=Offline(hold_s=3600), devices=[make_site().devices["gas"]])
    site.watch()
    site.hear("gas", "clear")

    assert site.fire(after=6 * HOUR) == ["raised soon"]
    assert site.fire(after=7 * HOUR) == ["raised late"]
    assert site.hear("gas", "clear", after=8 * HOUR) == ["cleared soon", "cleared late"]


def test_a_device_without_a_heartbeat_is_not_watched(make_site: Make) -> None:
    site = make_site(silent=Offline())
    site.due[DueKind.OFFLINE, "sos"] = site.now

    assert site.fire() == []
    assert not site.due


def test_what_a_registry_needs_to_be_watched(make_site: Make) -> None:
    site = make_site(silent=Offline(), quiet=NO_MOTION)

    site.watch()

    watched = {f"{kind}:{subject}" for kind, subject in site.due}
    assert watched == {"offline:gas", "offline:door", "offline:motion", "offline:gas2", "absence:quiet/home"}
    assert all(change.if_absent for change in site.evaluation.due)
