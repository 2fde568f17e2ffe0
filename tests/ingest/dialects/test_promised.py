"""How often a device speaks, by what is said of it and never by a guess."""

from typing import Any

import pytest

from ingest.dialects.promised import HEARTBEAT, by_power, by_wake_up
from ingest.dialects.zigbee2mqtt_plans import definitions


@pytest.mark.parametrize(
    ("seconds", "heartbeat"),
    [
        (86_400, 86_400),
        (43_200.0, 43_200),
        (5, 600),
        (0, None),
        (-1, None),
        (float("nan"), None),
        (1e300, None),
        (True, None),
        ("86400", None),
        (None, None),
    ],
)
def test_what_wakes_up_speaks_as_often(seconds: Any, heartbeat: int | None) -> None:
    assert by_wake_up(seconds) == heartbeat


@pytest.mark.parametrize(
    ("said", "fed"),
    [
        ("Battery", "battery"),
        ("Mains (single phase)", "mains"),
        ("Mains (3 phase)", "mains"),
        ("DC Source", "mains"),
        ("Emergency mains constantly powered", "mains"),
        ("Unknown", None),
        (None, None),
        (7, None),
    ],
)
def test_zigbee2mqtt_says_what_feeds_a_device(said: Any, fed: str | None) -> None:
    device = {"friendly_name": "x", "power_source": said, "definition": {"model": "m", "vendor": "v", "exposes": []}}
    found = definitions([device])

    assert found is not None
    assert found["x"].get(HEARTBEAT) == by_power(fed)
    assert (by_power(fed) is None) == (fed is None)


def test_devices_that_are_fed_otherwise_share_no_definition() -> None:
    one = {"friendly_name": "x", "power_source": "Battery", "definition": {"model": "m", "vendor": "v", "exposes": []}}
    found = definitions([one, {**one, "friendly_name": "y", "power_source": "DC Source"}])

    assert found is not None
    assert found["x"]["digest"] != found["y"]["digest"]
