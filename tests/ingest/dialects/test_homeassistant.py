import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.decode import Decoder, Gateway, World
from ingest.dialects.entities import BINARY
from ingest.message import Message
from rules.community import Device, Mapped, Source
from rules.readings import Freshness

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
GAS = "homeassistant/binary_sensor/kitchen_gas"
#: What on and off say of each kind.
STATES = {
    "contact": ("open", "closed"),
    "availability": ("online", "offline"),
    "battery": ("low", "ok"),
    **dict.fromkeys(("motion", "presence", "vibration"), ("detected", "clear")),
    **dict.fromkeys(("gas", "smoke", "carbon_monoxide", "water_leak", "tamper", "fault"), ("alarm", "clear")),
}


@pytest.fixture
def home(source: Any) -> Any:
    return source("homeassistant", base="homeassistant", discovery="homeassistant")


@pytest.mark.parametrize(
    ("topic", "payload", "said"),
    [
        ("homeassistant/binary_sensor/kitchen_gas/state", "on", {"gas": "alarm"}),
        ("homeassistant/binary_sensor/kitchen_gas/state", '"on"', {"gas": "alarm"}),
        ("homeassistant/binary_sensor/kitchen_gas/state", "off", {"gas": "clear"}),
        ("homeassistant/binary_sensor/kitchen_gas/state", "unknown", {"gas": "unknown"}),
        ("homeassistant/binary_sensor/kitchen_gas/state", "unavailable", {"gas": "unknown", "availability": "offline"}),
        ("homeassistant/binary_sensor/front_door/state", "on", {"map:front_door": "on"}),
        (
            "homeassistant/binary_sensor/front_door/state",
            "unavailable",
            {"contact": "unknown", "availability": "offline"},
        ),
        ("homeassistant/binary_sensor/x/state", "unknown", {"ignored": "invalid_value"}),
        ("homeassistant/sensor/kitchen_gas_battery/state", "64", {"battery": 64.0}),
        ("homeassistant/sensor/kitchen_co_ppm/state", "9.5", {"carbon_monoxide_concentration": 9.5}),
        ("homeassistant/sensor/kitchen_co_ppm/state", "unknown", {"carbon_monoxide_concentration": "unknown"}),
        ("homeassistant/sensor/kitchen_temperature/state", "20.5", {"measurement:kitchen_temperature": 20.5}),
        ("homeassistant/sensor/kitchen_temperature/state", "unavailable", {"availability": "offline"}),
        ("homeassistant/alarm_control_panel/house/state", "triggered", {"alarm_panel": "triggered"}),
        ("homeassistant/alarm_control_panel/house/state", "unknown", {"alarm_panel": "unknown"}),
        ("homeassistant/input_boolean/sos/state", "on", {"sos": "pressed"}),
        ("homeassistant/input_boolean/guests/state", "on", {"map:guests": "on"}),
        ("homeassistant/light/master_bedroom_dimmer/state", "on", {"ignored": "not_a_safety_sensor"}),
        ("homeassistant/light/master_bedroom_dimmer/state", '"on"', {"ignored": "not_a_safety_sensor"}),
        ("homeassistant/binary_sensor/kitchen_gas/device_class", '"gas"', {"ignored": "attribute"}),
        ("homeassistant/binary_sensor/kitchen_gas/friendly_name", '"Gas"', {"ignored": "attribute"}),
        ("homeassistant/binary_sensor/kitchen_gas/state", "", {"ignored": "empty_payload"}),
        ("homeassistant/binary_sensor/0x01/gas/config", '{"stat_t":"x"}', {"ignored": "discovery_config"}),
        ("homeassistant/status", "offline", {"gateway:": "offline"}),
        ("homeassistant/status", "online", {"gateway:": "online"}),
        ("homeassistant/status", "maybe", {"aside": "invalid_value"}),
        ("homeassistant/hello", "on", {"aside": "unknown_topic"}),
    ],
)
def test_what_is_read_of_each_message(home: Any, summary: Any, topic: str, payload: str, said: dict[str, Any]) -> None:
    assert summary(home.says(topic, payload)) == said


@pytest.mark.parametrize(
    ("topic", "payload", "said"),
    [
        ("pub/fake/entity/state", "on", {"map:entity": "on"}),
        ("pub/fake/entity/state", "off", {"map:entity": "off"}),
        ("pub/fake/entity/testing", '"YES"', {"ignored": "attribute"}),
        ("pub/fake/entity/list", '["a", "b", "c"]', {"ignored": "attribute"}),
        ("pub/fake/entity/bool", "false", {"ignored": "attribute"}),
        ("a/b/c/binary_sensor/smoke/state", "on", {"smoke": "alarm"}),
    ],
)
def test_the_base_is_chosen_freely(source: Any, summary: Any, topic: str, payload: str, said: dict[str, Any]) -> None:
    assert summary(source("homeassistant", discovery="homeassistant").says(topic, payload)) == said


# --- device classes ---


@pytest.mark.parametrize("device_class", sorted(BINARY))
def test_each_device_class_that_comes_before_the_state(home: Any, summary: Any, device_class: str) -> None:
    """Invariant unknown-is-not-clear."""
    home.hears("homeassistant/binary_sensor/x/device_class", json.dumps(device_class), retain=True)
    kind = BINARY[device_class]
    on, off = STATES[kind]
    said = [summary(home.says("homeassistant/binary_sensor/x/state", one)) for one in ("on", "off", "unknown")]
    nothing = {"ignored": "invalid_value"} if kind in {"battery", "availability"} else {kind: "unknown"}
    assert said == [{kind: on}, {kind: off}, nothing]


@pytest.mark.parametrize("device_class", ["light", "running", "update", "plug", "sound"])
def test_classes_that_are_none_of_ours(home: Any, summary: Any, device_class: str) -> None:
    home.hears("homeassistant/binary_sensor/x/device_class", json.dumps(device_class))
    assert summary(home.says("homeassistant/binary_sensor/x/state", "on")) == {"ignored": "not_a_safety_sensor"}


def test_a_class_that_comes_after_the_state_makes_the_state_known(home: Any, summary: Any) -> None:
    """Nothing is lost of an alarm whose meaning comes a moment later."""
    home.knows("x", "gas")
    assert summary(home.hears("homeassistant/binary_sensor/x/state", "on")) == {"map:x": "on"}
    decoded = home.hears("homeassistant/binary_sensor/x/device_class", '"gas"')
    assert summary(decoded) == {"gas": "alarm"}
    assert decoded.readings[0].freshness is Freshness.LIVE
    assert summary(home.hears("homeassistant/binary_sensor/x/device_class", '"gas"')) == {"ignored": "attribute"}
    assert summary(home.hears("homeassistant/binary_sensor/x/state", "off")) == {"gas": "clear"}


@pytest.mark.parametrize(
    ("first", "then", "later", "fresh"),
    [
        (True, True, timedelta(), Freshness.RETAINED),
        (True, False, timedelta(), Freshness.RETAINED),
        (False, False, timedelta(hours=3), Freshness.CACHED),
    ],
)
def test_a_state_that_is_old_by_then_is_no_news(
    home: Any, first: bool, then: bool, later: timedelta, fresh: Freshness
) -> None:
    """Invariant stale-does-not-page."""
    home.knows("x", "gas")
    home.hears("homeassistant/binary_sensor/x/state", "on", retain=first)
    [reading] = home.hears(
        "homeassistant/binary_sensor/x/device_class", '"smoke"', retain=then, at=NOON + later
    ).readings
    assert (reading.kind, reading.state, reading.freshness) == ("smoke", "alarm", fresh)


def test_units_and_classes_of_sensors(home: Any, summary: Any) -> None:
    home.hears("homeassistant/sensor/x/device_class", '"carbon_monoxide"')
    home.hears("homeassistant/sensor/x/unit_of_measurement", '"mg/m³"')
    [reading] = home.says("homeassistant/sensor/x/state", "3").readings
    assert (reading.kind, reading.value, reading.unit) == ("carbon_monoxide_concentration", 3.0, "mg/m³")


def test_what_is_learnt_once_is_not_learnt_again(home: Any) -> None:
    assert home.hears(f"{GAS}/device_class", '"gas"').learnt == {"#binary_sensor.kitchen_gas": {"class": "gas"}}
    assert home.hears(f"{GAS}/device_class", '"gas"').learnt is None
    assert home.hears(f"{GAS}/device_class", "null").learnt == {"#binary_sensor.kitchen_gas": None}


# --- names ---


@pytest.mark.parametrize("name", ["binary_sensor.kitchen_gas_alarm", "kitchen_gas_alarm", "kitchen_gas", "kitchen"])
def test_the_ways_to_name_a_device(home: Any, name: str) -> None:
    home.knows(name, "gas")
    [reading] = home.hears("homeassistant/binary_sensor/kitchen_gas_alarm/state", "on").readings
    assert reading.device_id == name


def test_the_longest_name_has_it_and_nobody_else(home: Any) -> None:
    home.knows("kitchen")
    home.knows("kitchen_gas")
    [reading] = home.hears("homeassistant/sensor/kitchen_gas_battery/state", "5").readings
    assert reading.device_id == "kitchen_gas"
    assert home.hears("homeassistant/sensor/kitchenette/state", "5").strangers == ("sensor.kitchenette",)


def test_a_map_says_what_nobody_can_know(home: Any, summary: Any) -> None:
    home.knows("front_door", "contact", map={"front_door": Mapped(kind="contact", states={"on": "closed"})})
    topic = "homeassistant/binary_sensor/front_door/state"
    assert [summary(home.says(topic, one)) for one in ("on", "unavailable")] == [
        {"contact": "closed"},
        {"contact": "unknown", "availability": "offline"},
    ]


# --- Home Assistant itself ---


def test_its_birth_begins_a_time_of_grace(home: Any) -> None:
    """Invariant stale-does-not-page."""
    assert home.hears("homeassistant/status", "online").gateway.started_at == NOON
    [soon] = home.says(f"{GAS}/state", "on", at=NOON + timedelta(seconds=30)).readings
    [late] = home.says(f"{GAS}/state", "on", at=NOON + timedelta(minutes=5)).readings
    assert (soon.startup, late.startup) == (True, False)
    assert home.hears("homeassistant/status", "online", retain=True).gateway.started_at is None


def test_the_grace_is_known_from_the_database_too(home: Any) -> None:
    home.world.gateways["s", ""] = Gateway("online", NOON)
    [reading] = home.says(f"{GAS}/state", "on", at=NOON + timedelta(seconds=1)).readings
    assert reading.startup


def test_its_status_is_heard_where_statestream_has_another_base(source: Any, summary: Any) -> None:
    site = source("homeassistant", base="stream", discovery="homeassistant")
    assert site.decoder.subscriptions == ("stream/#", "homeassistant/status")
    assert summary(site.hears("homeassistant/status", "offline")) == {"gateway:": "offline"}
    other = site.hears("homeassistant/binary_sensor/node/x/config", "{}")
    assert (summary(other), other.foreign) == ({"ignored": "gateway_message"}, True)


@pytest.mark.parametrize("attribute", ["last_updated", "last_changed"])
def test_when_something_changed_is_noted_and_is_no_sign_of_life(home: Any, attribute: str) -> None:
    """That an entity could not be reached any more is a change as well."""
    [reading] = home.says(f"{GAS}/{attribute}", "2026-11-23T11:59:00.5+00:00").readings
    assert (reading.kind, reading.freshness) == ("heartbeat", Freshness.CACHED)
    assert reading.observed_at == NOON - timedelta(seconds=59.5)


# --- events and buttons ---


def pressed(home: Any, then: datetime, action: str, **more: Any) -> list[Any]:
    home.hears("homeassistant/event/bell/state", then.isoformat(), **more)
    return [
        (one.kind, one.state)
        for one in home.hears("homeassistant/event/bell/event_type", f'"{action}"', **more).readings
    ]


def test_an_event_is_a_press_once(home: Any) -> None:
    home.knows("bell", "button")
    assert pressed(home, NOON, "single") == [("button", "single")]
    later = {"at": NOON + timedelta(hours=1)}
    assert pressed(home, NOON, "single", **later) == []
    assert pressed(home, NOON + timedelta(hours=1), "emergency", **later) == [("sos", "pressed")]


def test_of_a_button_that_is_there_for_that_a_press_calls_for_help(home: Any) -> None:
    home.knows("bell", "sos")
    assert pressed(home, NOON, "single") == [("sos", "pressed")]


def test_an_event_that_was_kept_or_is_restored_is_no_press(home: Any, summary: Any) -> None:
    """Invariant stale-does-not-page."""
    home.knows("bell", "sos")
    assert pressed(home, NOON, "single", retain=True) == [("button", "single")]
    assert pressed(home, NOON, "single") == []
    fresh = home.hears("homeassistant/event/other/state", (NOON - timedelta(days=1)).isoformat())
    assert summary(fresh)["aside"] == "unknown_device"


def test_an_old_event_at_first_sight_is_no_press(home: Any) -> None:
    home.knows("bell", "sos")
    assert pressed(home, NOON - timedelta(days=1), "single") == []


def test_a_clock_that_is_wrong_hides_no_press(home: Any) -> None:
    home.knows("bell", "sos")
    pressed(home, NOON - timedelta(days=400), "single", retain=True)
    assert pressed(home, NOON - timedelta(days=399), "single") == [("sos", "pressed")]


def test_a_button_of_a_dashboard(home: Any, summary: Any) -> None:
    topic = "homeassistant/input_button/sos/state"
    assert summary(home.says(topic, "unknown")) == {"ignored": "invalid_value"}
    home.knows("input_button.sos")
    assert summary(home.hears(topic, NOON.isoformat())) == {"sos": "pressed"}
    assert summary(home.hears(topic, NOON.isoformat())) == {"ignored": "attribute"}


# --- anything at all ---

_TOPICS = st.sampled_from(
    [f"homeassistant/{one}" for one in (
        "binary_sensor/a/state", "binary_sensor/a/device_class", "sensor/a_gas_ppm/state", "event/a/state", "a/a/state",
        "event/a/event_type", "sensor/a/last_updated", "status", "button/a/state", "x/y", "alarm_control_panel/a/state",
        "binary_sensor/a/unit_of_measurement", "//", "a/", "light/a/state")]
)  # fmt: skip
_PAYLOADS = st.binary(max_size=40) | st.sampled_from(
    [b"on", b"off", b"null", b'"', b'"gas"', b"[[[[", b"1e999", b"nan", b'"2026-11-23T12:00:00"',
     b"9999-12-31T23:59:59+14:00"]
)  # fmt: skip
_KNOWN = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "class": st.sampled_from([*BINARY, "safety", "x"]),
        "pending": st.none()
        | st.fixed_dictionaries({}, optional={"state": st.text(max_size=9), "at": st.text(max_size=9)}),
        "event_at": st.text(max_size=5),
        "heard_at": st.sampled_from(["", NOON.isoformat(), "2026-11-23"]),
    },
)  # fmt: skip


@given(topic=_TOPICS, payload=_PAYLOADS, known=_KNOWN, retain=st.booleans())
def test_no_payload_is_too_much(topic: str, payload: bytes, known: Any, retain: bool) -> None:
    """Invariants nothing-dropped and unknown-is-not-clear."""
    decoder = Decoder([Source(id="s", dialect="homeassistant", base="homeassistant", discovery="homeassistant")])
    device = Device(id="a", home_id="h", kind="gas", source="s", name="a")
    message = Message(topic, payload, retain, NOON)
    decoder.names(message)
    definitions = {} if known is None else {("s", f"#{one}.a"): known for one in ("binary_sensor", "event", "button")}
    decoded = decoder.decode(message, World(devices={("s", "a"): device}, definitions=definitions))
    assert decoded.quarantine is None or decoded.quarantine[0] != "decoder_error"
    if topic.endswith("/state") and payload.strip().lower() not in {b"off", b'"off"', b"false", b"0"}:
        assert all(one.state not in {"clear", "closed"} for one in decoded.readings)
