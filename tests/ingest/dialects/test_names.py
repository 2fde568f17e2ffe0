from datetime import UTC, datetime
from typing import Any

import pytest

from ingest.dialects.facts import Facts
from ingest.dialects.names import plain, tell
from ingest.message import Message
from rules.community import Device

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DEVICE = Device(id="d", home_id="h", kind="", source="s", name="n")


def told(name: str, value: Any) -> list[tuple[Any, ...]] | None:
    facts = Facts(DEVICE, Message("t", b"", False, NOON))
    if not tell(facts, name, value):
        return None
    return [(one.kind, one.state if one.value is None else one.value) for one in facts.readings]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("smoke", True, ("smoke", "alarm")),
        ("smoke", 0, ("smoke", "clear")),
        ("GasAlarm", 1, ("gas", "alarm")),
        ("gasLeak", "ON", ("gas", "alarm")),
        ("Kitchen/Gas Alarm", False, ("gas", "clear")),
        ("kitchen_gas_alarm_1", "true", ("gas", "alarm")),
        ("COAlarm", True, ("carbon_monoxide", "alarm")),
        ("co_state", "alarm", ("carbon_monoxide", "alarm")),
        ("water_leak", True, ("water_leak", "alarm")),
        ("FloodDetected", 0, ("water_leak", "clear")),
        ("door_open", 1, ("contact", "open")),
        ("windowOpen", False, ("contact", "closed")),
        ("door_closed", True, ("contact", "closed")),
        ("door", "open", ("contact", "open")),
        ("contact", "closed", ("contact", "closed")),
        ("motion", True, ("motion", "detected")),
        ("SOS", 1, ("sos", "pressed")),
        ("fall_detected", 1, ("fall", "alarm")),
        ("tamper", 0, ("tamper", "clear")),
        ("battery", "80.00", ("battery", 80.0)),
        ("BatteryLevel", 15, ("battery", 15.0)),
        ("low_battery", True, ("battery", "low")),
        ("battery_mv", 2950, ("battery_voltage", 2.95)),
        ("co_ppm", 35, ("carbon_monoxide_concentration", 35.0)),
        ("gas_concentration", "12.5", ("gas_concentration", 12.5)),
        ("smoke", 12, ("smoke_concentration", 12.0)),
        ("gas_sensor_value", 7, ("gas_concentration", 7.0)),
        ("self_test", True, ("test", "active")),
        ("sensor_fault", 1, ("fault", "alarm")),
        ("end_of_life", True, ("end_of_life", "alarm")),
    ],
)
def test_a_name_that_leaves_no_doubt_is_read(name: str, value: Any, said: tuple[str, Any]) -> None:
    assert told(name, value) == [said]


@pytest.mark.parametrize("value", [None, "unavailable", -1, "nan", [], {}, "", 3.7e300])
@pytest.mark.parametrize("name", ["smoke", "gas_alarm", "co", "water_leak", "door_open", "motion", "tamper"])
def test_what_is_not_known_is_unknown(name: str, value: Any) -> None:
    """Invariant unknown-is-not-clear."""
    [(_, state)] = told(name, value) or []
    assert state == "unknown"


@pytest.mark.parametrize("value", [True, False, 1, 0, "on"])
@pytest.mark.parametrize("name", ["contact", "door", "WindowStatus"])
def test_which_way_round_a_contact_is_nobody_can_know(name: str, value: Any) -> None:
    assert told(name, value) is None


@pytest.mark.parametrize(
    "name",
    [
        "gas_alarm_limit", "gas_valve_state", "last_gas_alarm", "smoke_alarm_count", "smoke_alarm_enabled", "CO2",
        "co2", "co2_ppm", "room_co2_concentration", "gas_meter", "alarm", "status", "state", "Switch1", "value",
        "water", "", "/", "temperature", "smoke_mode", "no_motion", "13.1.85", "🔥", "gas_alarm_reset",
        "rain_fall",
        "volt_batt", "current_batt_1", "flag_fall",
    ],
)  # fmt: skip
def test_what_may_be_something_else_is_not_read(name: str) -> None:
    assert plain(name) is None


@pytest.mark.parametrize(
    ("name", "kind"),
    [("gas_fault", "fault"), ("smoke_alarm_test", "test"), ("smoke_muted", "mute"), ("co_eol", "end_of_life")],
)
def test_a_detectors_own_state_is_not_its_hazards(name: str, kind: str) -> None:
    assert [kind] == [found for found, _ in told(name, True) or []]
