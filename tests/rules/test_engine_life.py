"""What the engine knows of people and devices by their facts: who was active, and who is alive."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from rules.decisions import DueKind
from rules.readings import Freshness
from rules.rulebook import Offline, StateIs, Threshold

Make = Callable[..., Any]

GAS = StateIs(kind="gas", state="alarm")
SOS = StateIs(kind="sos", state="pressed")
BATTERY = Threshold(kind="battery", below=15, clear_above=20)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


# --- people ---


def active_at(site: Any, device_id: str, kind: str) -> timedelta | None:
    at = site.states[device_id, kind].active_at
    return None if at is None else at - site.reading(device_id, after=timedelta(0)).received_at


def test_a_live_change_of_a_contact_is_a_persons_doing(make_site: Make) -> None:
    site = make_site(leak=GAS)
    site.hear("door", "closed")
    assert active_at(site, "door", "contact") is None

    site.hear("door", "closed", after=MINUTE)
    assert active_at(site, "door", "contact") is None
    site.hear("door", "open", after=2 * MINUTE)
    site.hear("door", "open", after=3 * MINUTE)
    assert active_at(site, "door", "contact") == 2 * MINUTE


@pytest.mark.parametrize("word", ["unknown", None])
def test_a_contact_that_was_lost_from_sight_shows_nobody(make_site: Make, word: str | None) -> None:
    """Invariant unknown-is-not-clear: that a gateway comes back is no person."""
    site = make_site(leak=GAS)
    site.hear("door", "closed")
    site.hear("door", word, after=MINUTE)
    site.hear("door", "open", after=2 * MINUTE)

    assert active_at(site, "door", "contact") is None


def test_a_stale_change_shows_nobody(make_site: Make) -> None:
    site = make_site(leak=GAS)
    site.hear("door", "closed")
    site.stale("door", "open", after=MINUTE)

    assert active_at(site, "door", "contact") is None


def test_motion_shows_somebody_each_time_it_is_detected(make_site: Make) -> None:
    site = make_site(leak=GAS)
    site.hear("motion", "detected")
    assert active_at(site, "motion", "motion") == timedelta(0)

    site.hear("motion", "detected", after=MINUTE)
    site.hear("motion", "detected", after=2 * MINUTE, merged=True)
    site.hear("motion", "clear", after=3 * MINUTE)
    assert active_at(site, "motion", "motion") == MINUTE


# --- offline and back ---


def test_a_device_that_speaks_again_is_not_offline(make_site: Make) -> None:
    site = make_site(silent=Offline())
    site.hear("gas", "clear")
    site.watch()
    assert site.fire(after=6 * HOUR) == ["raised silent", "raised silent", "raised silent"]

    assert site.hear("gas", "clear", merged=True) == ["cleared silent"]
    assert ("silent", "gas2") in site.standing


@pytest.mark.parametrize(
    ("word", "back"),
    [
        ({"state": "clear", "freshness": Freshness.RETAINED}, False),
        ({"state": "alarm", "freshness": Freshness.CACHED}, False),
        ({"state": "clear", "freshness": Freshness.HISTORIC}, False),
        ({"state": "offline", "kind": "availability"}, False),
        ({"state": "unknown", "kind": "availability"}, False),
        ({"state": "online", "kind": "availability"}, True),
        ({"state": "unknown"}, True),
        ({"value": 80.0, "kind": "battery"}, True),
    ],
)
def test_what_shows_that_a_device_is_alive(make_site: Make, word: dict[str, Any], back: bool) -> None:
    site = make_site(silent=Offline())
    site.hear("gas", "clear")
    site.watch()
    site.fire(after=6 * HOUR)

    assert site.hear("gas", after=7 * HOUR, **word) == (["cleared silent"] if back else [])


def test_a_word_of_being_offline_is_looked_into_after_one_heartbeat(make_site: Make) -> None:
    site = make_site(silent=Offline(hold_s=600))
    site.hear("gas", "clear")
    site.watch()

    site.stale("gas", "offline", kind="availability", after=HOUR)

    due = site.due[DueKind.OFFLINE, "gas"]
    assert due == site.reading("gas", after=3 * HOUR + 10 * MINUTE).received_at
