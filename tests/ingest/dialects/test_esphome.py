import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.decode import Decoder, World
from ingest.dialects.entities import BINARY
from ingest.message import Message
from rules.community import Device, Mapped, Source
from rules.readings import Freshness

NODE = "livingroom"
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
#: What on and off say of each kind.
STATES = {
    "contact": ("open", "closed"),
    "availability": ("online", "offline"),
    "battery": ("low", "ok"),
    **dict.fromkeys(("motion", "presence", "vibration"), ("detected", "clear")),
    **dict.fromkeys(("gas", "smoke", "carbon_monoxide", "water_leak", "tamper", "fault"), ("alarm", "clear")),
}


@pytest.fixture
def nodes(source: Any) -> Any:
    return source("esphome", discovery="homeassistant")


def announced(component: str, object_id: str, **more: Any) -> tuple[str, str]:
    """What a node tells Home Assistant of an entity."""
    topic = f"{NODE}/{component}/{object_id}/state"
    config = {"name": object_id, "stat_t": topic, "avty_t": f"{NODE}/status", "uniq_id": f"ESP{component}{object_id}"}
    return f"homeassistant/{component}/{NODE}/{object_id}/config", json.dumps(config | more)


# --- by name ---


@pytest.mark.parametrize(
    ("topic", "payload", "said"),
    [
        ("livingroom/binary_sensor/kitchen_gas/state", "ON", {"gas": "alarm"}),
        ("livingroom/binary_sensor/kitchen_gas/state", "OFF", {"gas": "clear"}),
        ("livingroom/binary_sensor/smoke_detected/state", "ON", {"smoke": "alarm"}),
        ("livingroom/binary_sensor/co_alarm/state", "ON", {"carbon_monoxide": "alarm"}),
        ("livingroom/binary_sensor/water_leak/state", "OFF", {"water_leak": "clear"}),
        ("livingroom/binary_sensor/door_open/state", "ON", {"contact": "open"}),
        ("livingroom/binary_sensor/door_open/state", "OFF", {"contact": "closed"}),
        ("livingroom/binary_sensor/motion/state", "ON", {"motion": "detected"}),
        ("livingroom/binary_sensor/sos/state", "ON", {"sos": "pressed"}),
        ("livingroom/binary_sensor/front_door/state", "ON", {"map:front_door": "ON"}),
        ("livingroom/binary_sensor/gpio_4/state", "ON", {"map:gpio_4": "ON"}),
        ("livingroom/sensor/battery_level/state", "87", {"battery": 87.0}),
        ("livingroom/sensor/gas_ppm/state", "12.5", {"gas_concentration": 12.5}),
        ("livingroom/sensor/co_ppm/state", "nan", {"carbon_monoxide_concentration": "unknown"}),
        ("livingroom/sensor/temperature/state", "21.5", {"measurement:temperature": 21.5}),
        ("weather-sensor/sensor/temperature/state", "nan", {"ignored": "invalid_value"}),
        ("weather-sensor/sensor/temperature/state", "None", {"ignored": "invalid_value"}),
        ("livingroom/sensor/gas_state/state", "alarm", {"gas": "alarm"}),
        ("livingroom/sensor/gas_state/state", "normal", {"gas": "clear"}),
        ("livingroom/sensor/greeting/state", "hello", {"map:greeting": "hello"}),
        ("livingroom/number/gas_threshold/state", "40", {"measurement:gas_threshold": 40.0}),
        ("livingroom/alarm_control_panel/house/state", "triggered", {"alarm_panel": "triggered"}),
        ("livingroom/alarm_control_panel/house/state", "armed_away", {"alarm_panel": "armed_away"}),
        ("livingroom/alarm_control_panel/house/state", "?", {"alarm_panel": "unknown"}),
        ("livingroom/light/lamp/state", '{"state":"ON"}', {"ignored": "not_a_safety_sensor"}),
        ("livingroom/switch/relay/state", "ON", {"ignored": "not_a_safety_sensor"}),
        ("livingroom/climate/heat/mode/state", "heat", {"ignored": "not_a_safety_sensor"}),
        ("livingroom/switch/relay/command", "ON", {"ignored": "command"}),
        ("livingroom/debug", "[I][app:029] Running through setup()", {"ignored": "log"}),
        ("livingroom/custom_state_topic", "ON", {"map:custom_state_topic": "ON"}),
        ("home/12/kitchen/smoke", "ON", {"smoke": "alarm"}),
        ("home/12/kitchen/smoke", "unavailable", {"smoke": "unknown"}),
        ("home/12/door", "ON", {"map:door": "ON"}),
        ("home/sensor/kitchen/smoke", "ON", {"smoke": "alarm"}),
        ("home/12/gas/state", "OFF", {"gas": "clear"}),
        ("livingroom/status", "online", {"availability": "online"}),
        ("livingroom/status", "offline", {"availability": "offline"}),
        ("livingroom/status", "perhaps", {"aside": "invalid_value"}),
        ("livingroom/binary_sensor/kitchen_gas/state", "", {"ignored": "empty_payload"}),
        ("esphome/discover/esp32-test", '{"ip":"192.0.2.7","name":"esp32-test"}', {"ignored": "announce"}),
        ("esphome/discover", "", {"ignored": "command"}),
    ],
)  # fmt: skip
def test_what_is_read_without_discovery(
    nodes: Any, summary: Any, topic: str, payload: str, said: dict[str, Any]
) -> None:
    assert summary(nodes.says(topic, payload)) == said


# --- by discovery ---


@pytest.mark.parametrize("device_class", sorted(BINARY))
def test_the_device_class_says_what_it_is_and_which_way_round(nodes: Any, summary: Any, device_class: str) -> None:
    """Invariant unknown-is-not-clear."""
    assert summary(nodes.hears(*announced("binary_sensor", "gpio4", dev_cla=device_class), retain=True)) == {
        "ignored": "discovery_config"
    }
    on, off = STATES[BINARY[device_class]]
    topic = f"{NODE}/binary_sensor/gpio4/state"
    said = [summary(nodes.says(topic, payload)) for payload in ("ON", "OFF", "unavailable")]
    kind = BINARY[device_class]
    nothing = {"ignored": "invalid_value"} if kind in {"battery", "availability"} else {kind: "unknown"}
    assert said == [{kind: on}, {kind: off}, nothing]


def test_payloads_are_what_the_gateway_announces(nodes: Any, summary: Any) -> None:
    nodes.hears(*announced("binary_sensor", "x", dev_cla="gas", pl_on="OFF", pl_off="ON"))
    topic = f"{NODE}/binary_sensor/x/state"
    assert [summary(nodes.says(topic, one)) for one in ("OFF", "ON", "1")] == [
        {"gas": "alarm"}, {"gas": "clear"}, {"gas": "unknown"},
    ]  # fmt: skip


def test_a_custom_state_topic_is_known_by_its_announcement(nodes: Any, summary: Any) -> None:
    nodes.hears(*announced("binary_sensor", "door", dev_cla="door", stat_t="village/12/d"))
    assert summary(nodes.says("village/12/d", "ON")) == {"contact": "open"}


@pytest.mark.parametrize(
    ("about", "payload", "said"),
    [
        ({"dev_cla": "battery", "unit_of_meas": "%"}, "55", {"battery": 55.0}),
        ({"dev_cla": "battery", "unit_of_meas": "%"}, "nan", {"ignored": "invalid_value"}),
        ({"dev_cla": "carbon_monoxide", "unit_of_meas": "ppm"}, "30", {"carbon_monoxide_concentration": 30.0}),
        ({"dev_cla": "carbon_monoxide"}, "nan", {"carbon_monoxide_concentration": "unknown"}),
        ({"dev_cla": "temperature", "unit_of_meas": "°C"}, "21.0", {"measurement:temperature": 21.0}),
        ({"dev_cla": "gas", "unit_of_meas": "m³"}, "1", {"measurement:gas": 1.0}),
        ({"dev_cla": "timestamp"}, "2026-11-23T12:00:00+00:00", {"ignored": "attribute"}),
    ],
)
def test_sensors_by_their_class(
    nodes: Any, summary: Any, about: dict[str, str], payload: str, said: dict[str, Any]
) -> None:
    nodes.hears(*announced("sensor", "x", **about))
    assert summary(nodes.says(f"{NODE}/sensor/x/state", payload)) == said


def test_an_unsafe_of_which_nobody_says_what_is_what_the_registry_says(nodes: Any, summary: Any) -> None:
    nodes.hears(*announced("binary_sensor", "x", dev_cla="safety"))
    assert summary(nodes.says(f"{NODE}/binary_sensor/x/state", "ON")) == {"map:x": "ON"}
    nodes.knows(NODE, "gas")
    assert summary(nodes.says(f"{NODE}/binary_sensor/x/state", "ON")) == {"gas": "alarm"}


def test_the_announcement_of_another_source_is_left_to_it(summary: Any) -> None:
    sources = [
        Source(id=name, dialect="esphome", base=name, discovery="homeassistant") for name in ("upstairs", "livingroom")
    ]
    decoder = Decoder(sources)
    topic, payload = announced("binary_sensor", "x", dev_cla="gas")
    decoded = decoder.decode(Message(topic, payload.encode(), True, NOON), World())
    assert decoded.source == "livingroom"
    assert list(decoded.learnt or ()) == [f"#{NODE}/binary_sensor/x/state", f"#{NODE}/status"]
    stranger = decoder.decode(Message("homeassistant/sensor/x/config", b'{"stat_t":"z"}', True, NOON), World())
    assert summary(stranger) == {"ignored": "discovery_config"}
    assert not stranger.learnt


# --- events ---


def test_a_press_is_one_when_it_comes(nodes: Any, summary: Any) -> None:
    decoded = nodes.says("livingroom/event/bell/state", '{"event_type":"press"}')
    assert summary(decoded) == {"button": "press"}
    assert decoded.readings[0].freshness is Freshness.LIVE
    assert summary(nodes.says("livingroom/event/sos/state", '{"event_type":"press"}')) == {"sos": "pressed"}
    assert summary(nodes.says("livingroom/event/bell/state", '{"event_type":"emergency"}')) == {"sos": "pressed"}


@pytest.mark.parametrize("action", ["press", "emergency", "sos"])
def test_an_event_that_the_broker_kept_is_no_press(nodes: Any, summary: Any, action: str) -> None:
    """Invariant stale-does-not-page."""
    nodes.knows(NODE, "sos", map={"sos": Mapped(kind="sos", states={action: "pressed"})})
    decoded = nodes.says("livingroom/event/sos/state", json.dumps({"event_type": action}), retain=True)
    assert summary(decoded) == {"button": action}
    assert decoded.readings[0].freshness is Freshness.RETAINED


# --- names ---


def test_one_node_may_be_several_devices_and_its_will_is_theirs(source: Any, summary: Any) -> None:
    site = source("esphome", base="esp")
    site.knows("301/kitchen_gas", "gas")
    site.knows("301/binary_sensor/door_open", "contact")
    [gas] = site.hears("esp/301/binary_sensor/kitchen_gas/state", "ON").readings
    [door] = site.hears("esp/301/binary_sensor/door_open/state", "ON").readings
    assert (gas.device_id, door.device_id) == ("301/kitchen_gas", "301/binary_sensor/door_open")
    gone = site.hears("esp/301/status", "offline").readings
    assert {(one.device_id, one.state) for one in gone} == {(gas.device_id, "offline"), (door.device_id, "offline")}


def test_the_whole_node_may_be_one_device_also_where_its_prefix_is_the_base(source: Any) -> None:
    site = source("esphome", base="flat-301", more=("flat-302",))
    site.knows("flat-302", "gas")
    [reading] = site.hears("flat-302/binary_sensor/gas/state", "ON").readings
    assert reading.device_id == "flat-302"
    assert site.hears("flat-301/binary_sensor/gas/state", "ON").strangers == ("flat-301",)
    assert [one.state for one in site.hears("flat-302/status", "online").readings] == ["online"]


def test_the_status_may_be_said_in_other_words(nodes: Any, summary: Any) -> None:
    nodes.hears(*announced("binary_sensor", "x", avty_t=f"{NODE}/lwt", pl_avail="up", pl_not_avail="down"))
    assert [summary(nodes.says(f"{NODE}/lwt", one)) for one in ("up", "down")] == [
        {"availability": "online"}, {"availability": "offline"},
    ]  # fmt: skip


def test_a_map_says_what_nobody_can_know(nodes: Any, summary: Any) -> None:
    gas = Mapped(kind="gas", states={"ON": "clear", "OFF": "alarm"})
    nodes.knows(NODE, "gas", map={"d0": gas, "custom_state_topic": gas})
    assert summary(nodes.says("livingroom/binary_sensor/d0/state", "OFF")) == {"gas": "alarm"}
    assert summary(nodes.says("livingroom/binary_sensor/d0/state", "unavailable")) == {"gas": "unknown"}
    assert summary(nodes.says("livingroom/custom_state_topic", "ON")) == {"gas": "clear"}


def test_a_door_that_is_registered_as_one_opens_with_on(nodes: Any, summary: Any) -> None:
    nodes.knows("livingroom/front_door", "contact")
    assert summary(nodes.says("livingroom/binary_sensor/front_door/state", "ON")) == {"contact": "open"}
    nodes.knows("livingroom/front_door", "contact", invert=True)
    assert summary(nodes.says("livingroom/binary_sensor/front_door/state", "ON")) == {"contact": "closed"}


def test_what_the_broker_kept_is_retained(nodes: Any) -> None:
    [reading] = nodes.says("livingroom/binary_sensor/gas/state", "ON", retain=True).readings
    assert reading.freshness is Freshness.RETAINED


# --- anything at all ---

_TOPICS = st.sampled_from(
    ["a/binary_sensor/gas/state", "a/sensor/gas_ppm/state", "a/event/sos/state", "a/status", "a/x", "a/b/c/smoke",
     "homeassistant/binary_sensor/a/gas/config", "homeassistant/device/a/config", "esphome/discover/a", "x"]
)  # fmt: skip
_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["stat_t", "~", "avty", "t", "cmps", "p", "dev", "dev_cla", "val_tpl", "pl_on", "event_type"]),
        inner, max_size=5),
    max_leaves=12,
)  # fmt: skip


@given(topic=_TOPICS, payload=st.binary(max_size=40) | _VALUES.map(lambda value: json.dumps(value).encode()))
def test_no_payload_is_too_much(topic: str, payload: bytes) -> None:
    """Invariant nothing-dropped."""
    decoder = Decoder([Source(id="s", dialect="esphome", base="+", discovery="homeassistant")])
    device = Device(id="a", home_id="h", kind="gas", source="s", name="a")
    message = Message(topic, payload, False, NOON)
    decoder.names(message)
    decoded = decoder.decode(message, World(devices={("s", "a"): device}))
    assert decoded.quarantine is None or decoded.quarantine[0] != "decoder_error"
    if payload.strip().lower() not in {b"off", b"false", b"0"}:
        assert all(one.state not in {"clear", "closed"} or one.kind == "alarm_panel" for one in decoded.readings)
