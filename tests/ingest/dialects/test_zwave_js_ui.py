import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.decode import Decoder, Gateway, World
from ingest.dialects import zwave_tables as tables
from ingest.message import Message
from rules.community import Device, Mapped, Source
from rules.readings import ALARM_STATES, KINDS, Freshness

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SMOKE = "zwave/nodeID_8/113/0/Smoke_Alarm/Sensor_status"


@pytest.fixture
def zwave(source: Any) -> Any:
    return source("zwave-js-ui")


# --- notifications ---

VARIABLES: list[tuple[str, Any, dict[str, Any]]] = [
    ("Smoke_Alarm/Sensor_status", 0, {"smoke": "clear"}),
    ("Smoke_Alarm/Sensor_status", 1, {"smoke": "alarm"}),
    ("Smoke_Alarm/Sensor_status", 2, {"smoke": "alarm"}),
    ("Smoke_Alarm/Sensor_status", 254, {"smoke": "unknown"}),
    ("Smoke_Alarm/Sensor_status", None, {"smoke": "unknown"}),
    ("Smoke_Alarm/Alarm_status", 3, {"test": "active"}),
    ("Smoke_Alarm/Alarm_status", 6, {"mute": "on"}),
    ("Smoke_Alarm/Alarm_status", 0, {"test": "inactive", "mute": "off"}),
    ("Smoke_Alarm/Maintenance_status", 4, {"fault": "alarm"}),
    ("Smoke_Alarm/Maintenance_status", 5, {"end_of_life": "alarm"}),
    ("Smoke_Alarm/Maintenance_status", 0, {"fault": "clear", "end_of_life": "clear"}),
    ("Smoke_Alarm/Periodic_inspection_status", 7, {"fault": "alarm"}),
    ("Smoke_Alarm/Dust_in_device_status", 8, {"fault": "alarm"}),
    ("CO_Alarm/Sensor_status", 2, {"carbon_monoxide": "alarm"}),
    ("CO_Alarm/Sensor_status", 0, {"carbon_monoxide": "clear"}),
    ("CO_Alarm/Test_status", 3, {"test": "active"}),
    ("CO_Alarm/Test_status", 1, {"test": "passed"}),
    ("CO_Alarm/Test_status", 2, {"test": "failed"}),
    ("CO_Alarm/Test_status", 0, {"test": "inactive"}),
    ("CO_Alarm/Alarm_status", 6, {"mute": "on"}),
    ("CO2_Alarm/Sensor_status", 2, {"map:CO2_Alarm/Sensor_status": "2"}),
    ("CO2_Alarm/Sensor_status", 0, {"ignored": "attribute"}),
    ("Heat_Alarm/Heat_sensor_status", 2, {"map:Heat_Alarm/Heat_sensor_status": "2"}),
    ("Heat_Alarm/Heat_sensor_status", 0, {"ignored": "attribute"}),
    ("CO2_Alarm/Carbon_dioxide_detected", None, {"map:CO2_Alarm/Carbon_dioxide_detected": "null"}),
    ("Home_Security/Intrusion", None, {"map:Home_Security/Intrusion": "null"}),
    ("Heat_Alarm/Alarm_status", 7, {"test": "active"}),
    ("Water_Alarm/Sensor_status", 1, {"water_leak": "alarm"}),
    ("Water_Alarm/Sensor_status", 2, {"water_leak": "alarm"}),
    ("Water_Alarm/Sensor_status", 0, {"water_leak": "clear"}),
    ("Water_Alarm/Water_level_alarm_status", 9, {"map:Water_Alarm/Water_level_alarm_status": "9"}),
    ("Gas_alarm/Combustible_gas_status", 2, {"gas": "alarm"}),
    ("Gas_alarm/Combustible_gas_status", 0, {"gas": "clear"}),
    ("Gas_alarm/Combustible_gas_status", 77, {"gas": "unknown"}),
    ("Gas_alarm/Toxic_gas_status", 4, {"gas": "alarm"}),
    ("Gas_alarm/Toxic_gas_status", 0, {"ignored": "attribute"}),
    ("Gas_alarm/Alarm_status", 5, {"test": "active"}),
    ("Gas_alarm/Maintenance_status", 6, {"fault": "alarm"}),
    ("Access_Control/Door_state", 22, {"contact": "open"}),
    ("Access_Control/Door_state", 23, {"contact": "closed"}),
    ("Access_Control/Door_state", 5632, {"contact": "open"}),
    ("Access_Control/Door_state", 5633, {"contact": "open"}),
    ("Access_Control/Door_state", 0, {"contact": "unknown"}),
    ("Access_Control/Door_state_simple", 22, {"contact": "open"}),
    ("Access_Control/Door_state_simple", 23, {"contact": "closed"}),
    ("Access_Control/Door_tilt_state", 1, {"ignored": "attribute"}),
    ("Access_Control/Door_handle_state", 24, {"ignored": "attribute"}),
    ("Home_Security/Motion_sensor_status", 8, {"motion": "detected"}),
    ("Home_Security/Motion_sensor_status", 0, {"motion": "clear"}),
    ("Home_Security/Cover_status", 3, {"tamper": "alarm"}),
    ("Home_Security/Cover_status", 0, {"tamper": "clear"}),
    ("Home_Security/Sensor_status", 2, {"map:Home_Security/Sensor_status": "2"}),
    ("Power_Management/Mains_status", 2, {"fault": "alarm"}),
    ("Power_Management/Mains_status", 3, {"fault": "clear"}),
    ("Power_Management/Battery_maintenance_status", 11, {"battery": "low"}),
    ("Power_Management/Battery_maintenance_status", 0, {"battery": "ok"}),
    ("System/Hardware_status", 3, {"fault": "alarm"}),
    ("System/Cover_status", 6, {"tamper": "alarm"}),
    ("Home_monitoring/Home_occupancy_status", 2, {"presence": "detected"}),
    ("Siren/Siren_status", 1, {"ignored": "not_a_safety_sensor"}),
    ("alarmType", 0, {"ignored": "attribute"}),
    ("alarmType", 12, {"map:alarmType": "12"}),
    ("alarmLevel", 255, {"map:alarmLevel": "255"}),
    # Events, which are published once, with their parameters or nothing.
    ("Smoke_Alarm/Smoke_detected", {}, {"smoke": "alarm"}),
    ("Smoke_Alarm/Smoke_alarm_test", None, {"test": "active"}),
    ("Access_Control/Window-door_is_open", None, {"contact": "open"}),
    ("Access_Control/Window-door_is_closed", None, {"contact": "closed"}),
    ("Emergency_Alarm/Contact_medical_service", None, {"sos": "pressed"}),
    ("Home_Health/Fall_detected", {}, {"fall": "alarm"}),
    ("Home_Security/Tampering_product_moved", None, {"tamper": "alarm"}),
    ("Home_Security/Impact_detected", None, {"vibration": "detected"}),
    ("System/Heartbeat", None, {"heartbeat": "alive"}),
]


@pytest.mark.parametrize("case", VARIABLES)
@pytest.mark.parametrize("topic", ["zwave/8/113/0/{}", "zwave/Hall/Smoke_1/notification/endpoint_0/{}"])
def test_notifications(source: Any, summary: Any, case: tuple[str, Any, dict[str, Any]], topic: str) -> None:
    variable, value, said = case
    for payload in (value, {"time": 1795435190000, "value": value}):
        assert summary(source("zwave-js-ui").says(topic.format(variable), json.dumps(payload))) == said


def test_the_tables_hold_together() -> None:
    for known in tables.NOTIFICATIONS.values():
        facts = [*known.events.values(), *(fact for idle in known.idle.values() for fact in idle)]
        assert {fact.kind for fact in facts} <= KINDS
        assert set(known.labels.values()) <= known.events.keys()
        # No idle clears another hazard than that which it is of.
        for idle in known.idle.values():
            assert not any(fact.state == ALARM_STATES.get(fact.kind, "alarm") for fact in idle)


def test_an_intrusion_is_what_the_sensor_is(zwave: Any, summary: Any) -> None:
    zwave.knows("nodeID_8", "contact")
    topic = "zwave/nodeID_8/113/0/Home_Security/Sensor_status"
    assert [summary(zwave.hears(topic, one)) for one in ("2", "0", "null")] == [
        {"contact": "open"},
        {"contact": "closed"},
        {"contact": "unknown"},
    ]
    assert summary(zwave.hears("zwave/nodeID_8/113/0/Home_Security/Intrusion", "null")) == {"contact": "open"}


# --- other values ---


@pytest.mark.parametrize(
    "case",
    [
        ("8/48/0/Any", "true", "contact", {"contact": "open"}),
        ("8/48/0/Any", "false", "gas", {"gas": "clear"}),
        ("8/48/0/Any", "true", "", {"map:Any": "true"}),
        ("8/48/0/Smoke", "true", "", {"smoke": "alarm"}),
        ("8/48/0/CO", "true", "", {"carbon_monoxide": "alarm"}),
        ("8/48/0/Water", "false", "", {"water_leak": "clear"}),
        ("8/48/0/Water", "null", "", {"water_leak": "unknown"}),
        ("8/48/0/Door-Window", "true", "", {"contact": "open"}),
        ("8/48/0/Door-Window", "false", "", {"contact": "closed"}),
        ("8/48/0/Motion", "true", "", {"motion": "detected"}),
        ("8/48/0/Tamper", "true", "", {"tamper": "alarm"}),
        ("8/48/0/CO2", "true", "", {"map:CO2": "true"}),
        ("hall/sensor_binary/endpoint_0/Door-Window", "true", "", {"contact": "open"}),
        ("hall/sensor_binary/Motion", "true", "", {"motion": "detected"}),
        ("8/156/0/state/1", "true", "", {"smoke": "alarm"}),
        ("8/156/0/state/5", "255", "", {"water_leak": "alarm"}),
        ("8/156/0/severity/1", "10", "", {"ignored": "attribute"}),
        ("8/128/0/level", "87", "", {"battery": 87.0}),
        ("8/128/0/level", "255", "", {"battery": "low"}),
        ("8/128/0/isLow", "true", "", {"battery": "low"}),
        ("8/128/0/isLow", "false", "", {"battery": "ok"}),
        ("8/128/0/chargingStatus", "1", "", {"ignored": "attribute"}),
        ("8/49/0/Carbon_monoxide_CO_level", "12", "", {"carbon_monoxide_concentration": 12.0}),
        ("8/49/0/Carbon_monoxide_CO_level", "null", "", {"carbon_monoxide_concentration": "unknown"}),
        ("8/49/0/Air_temperature", "21.4", "", {"measurement:Air_temperature": 21.4}),
        ("8/38/0/targetValue", '{"time": 1548683523859, "value": 10}', "", {"measurement:targetValue": 10.0}),
        ("8/91/0/scene/001", "0", "", {"button": "single"}),
        ("8/91/0/scene/001", "2", "sos", {"sos": "pressed"}),
        ("8/91/0/scene/001", "1", "sos", {"button": "release"}),
        ("8/91/0/scene/001", "null", "sos", {"ignored": "empty_action_reset"}),
        ("8/91/0/slowRefresh", "true", "sos", {"ignored": "attribute"}),
        ("8/43/0/sceneId", "3", "", {"button": "press"}),
        ("8/111/0/18/0", '{"time":1,"value":null}', "", {"sos": "pressed"}),
        ("8/111/0/2/1", '"1234"', "", {"ignored": "not_a_safety_sensor"}),
        ("8/32/0/event", "255", "smoke", {"smoke": "alarm"}),
        ("8/32/0/event", "0", "smoke", {"smoke": "clear"}),
        ("8/32/0/event", "255", "", {"map:event": "255"}),
        ("8/32/0/currentValue", "0", "smoke", {"ignored": "attribute"}),
        ("8/98/0/doorStatus", '"open"', "", {"contact": "open"}),
        ("8/98/0/doorStatus", '"closed"', "", {"contact": "closed"}),
        ("8/112/0/49/1", "1", "", {"ignored": "metadata"}),
        ("8/37/0/currentValue", "true", "", {"ignored": "not_a_safety_sensor"}),
        ("hall/thermostat_mode/endpoint_0/mode", "1", "", {"ignored": "not_a_safety_sensor"}),
        ("8/112/0/49", "1", "", {"ignored": "metadata"}),
        ("hall/configuration/endpoint_0/LED", "1", "", {"ignored": "metadata"}),
        ("8/48/0/Smoke", "", "", {"ignored": "empty_payload"}),
        ("8/37/0/targetValue/set", "true", "", {"ignored": "command"}),
    ],
)
def test_values(zwave: Any, summary: Any, case: tuple[str, str, str, dict[str, Any]]) -> None:
    topic, payload, kind, said = case
    assert summary(zwave.says(f"zwave/{topic}", payload, kind=kind)) == said


def test_a_press_that_the_broker_kept_is_none(zwave: Any, summary: Any) -> None:
    """Invariant stale-does-not-page."""
    zwave.knows("8", "sos")
    for topic in ("91/0/scene/001", "111/0/18/0", "113/0/Emergency_Alarm/Contact_police"):
        decoded = zwave.hears(f"zwave/8/{topic}", "0", retain=True)
        assert [one.kind for one in decoded.readings] == ["button"]
        assert decoded.readings[0].freshness is Freshness.RETAINED


def test_the_whole_of_a_value_says_what_it_is_wherever_it_is_published(zwave: Any, summary: Any) -> None:
    value = {
        "id": "8-113-0-Smoke Alarm-Sensor status", "nodeId": 8, "commandClass": 113, "endpoint": 0,
        "property": "Smoke Alarm", "propertyKey": "Sensor status", "value": 2, "lastUpdate": 1795435190000,
    }  # fmt: skip
    decoded = zwave.says("zwave/Kitchen/smoke_of_ours", json.dumps(value))
    assert summary(decoded) == {"smoke": "alarm"}
    assert decoded.readings[0].observed_at == NOON - timedelta(seconds=10)


def test_a_topic_of_ones_own_needs_a_name_that_tells_or_a_map(zwave: Any, summary: Any) -> None:
    assert summary(zwave.says("zwave/Kitchen/smoke_alarm", "true")) == {"smoke": "alarm"}
    assert summary(zwave.says("zwave/Kitchen/x", "true")) == {"map:x": "true"}
    zwave.knows("Kitchen", map={"x": Mapped(kind="gas")})
    assert summary(zwave.says("zwave/Kitchen/x", '{"time":1,"value":true}')) == {"gas": "alarm"}


def test_units_are_those_of_the_value(zwave: Any) -> None:
    payload = json.dumps({"commandClass": 49, "property": "Smoke density", "value": 3, "unit": "%"})
    [reading] = zwave.says("zwave/8/49/0/Smoke_density", payload).readings
    assert (reading.kind, reading.value, reading.unit) == ("smoke_concentration", 3.0, "%")


# --- nodes and the gateway ---


@pytest.mark.parametrize(
    ("topic", "payload", "said"),
    [
        ("nodeID_8/status", '{"time":1,"value":false,"status":"Dead","nodeId":8}', {"availability": "offline"}),
        ("nodeID_8/status", '{"time":1,"value":true,"status":"Asleep","nodeId":8}', {"availability": "sleeping"}),
        ("nodeID_8/status", '{"time":1,"value":false,"status":"Asleep","nodeId":8}', {"availability": "sleeping"}),
        ("Hall/Door/status", '{"value":true,"status":"Awake"}', {"availability": "online"}),
        ("Hall/Door/status", '{"value":true,"status":"Alive"}', {"availability": "online"}),
        ("Hall/Door/status", '{"value":true,"status":"Unknown"}', {"availability": "unknown"}),
        ("Hall/Door/status", "true", {"availability": "online"}),
        ("Hall/Door/status", "false", {"availability": "offline"}),
        ("Hall/Door/status", "17", {"aside": "invalid_value"}),
        ("Hall/Door/lastActive", '{"time":1795435200000,"value":1795435190000}', {"heartbeat": "alive"}),
        ("Hall/Door/nodeinfo", '{"id":8}', {"ignored": "metadata"}),
        ("_CLIENTS/ZWAVE_GATEWAY-flat/status", '{"value":true,"time":1}', {"gateway:": "online"}),
        ("_CLIENTS/ZWAVE_GATEWAY-flat/status", '{"value":false}', {"gateway:": "offline"}),
        ("_CLIENTS/ZWAVE_GATEWAY-flat/version", '{"value":"9.0.0"}', {"ignored": "metadata"}),
        ("_CLIENTS/ZWAVE_GATEWAY-flat/api/getNodes", '{"success":true}', {"ignored": "reply"}),
        ("_CLIENTS/ZWAVE_GATEWAY-flat/api/getNodes/set", '{"args":[]}', {"ignored": "command"}),
        ("_EVENTS/ZWAVE_GATEWAY-flat/node/node_value_updated", '{"data":[]}', {"ignored": "gateway_message"}),
        ("driver/status", "false", {"gateway:": "offline"}),
        ("driver/status", "?", {"aside": "invalid_value"}),
    ],
)
def test_nodes_and_the_gateway(zwave: Any, summary: Any, topic: str, payload: str, said: dict[str, Any]) -> None:
    assert summary(zwave.says(f"zwave/{topic}", payload)) == said


def test_the_time_of_a_nodes_last_packet_is_kept(zwave: Any) -> None:
    [reading] = zwave.says("zwave/8/lastActive", "1795435190000").readings
    assert reading.observed_at == NOON - timedelta(seconds=10)


def test_what_the_gateway_remembers_at_its_start_is_marked(zwave: Any) -> None:
    """Invariant stale-does-not-page."""
    assert zwave.hears("zwave/_CLIENTS/ZWAVE_GATEWAY-x/status", '{"value":true}').gateway.started_at == NOON
    assert zwave.says(SMOKE, "2", at=NOON + timedelta(seconds=30)).readings[0].startup
    assert not zwave.says(SMOKE, "2", at=NOON + timedelta(minutes=3)).readings[0].startup
    zwave.world.gateways["s", ""] = Gateway("online", NOON + timedelta(hours=1))
    assert zwave.says(SMOKE, "2", at=NOON + timedelta(hours=1, seconds=1)).readings[0].startup


@pytest.mark.parametrize("name", ["Hall/Smoke", "Smoke", "Hall/Smoke/0", "Smoke/0"])
@pytest.mark.parametrize(
    "topic", ["113/0/Smoke_Alarm/Sensor_status", "notification/endpoint_0/Smoke_Alarm/Sensor_status"]
)
def test_the_ways_to_name_a_node(zwave: Any, name: str, topic: str) -> None:
    zwave.knows(name, "smoke")
    assert [one.device_id for one in zwave.hears(f"zwave/Hall/Smoke/{topic}", "2").readings] == [name]


def test_a_number_may_be_a_node_or_a_place(zwave: Any) -> None:
    assert zwave.hears("zwave/48/48/0/Smoke", "true").strangers == ("48",)
    assert zwave.hears("zwave/301/48/48/0/Smoke", "true").strangers == ("301/48",)
    assert zwave.hears("zwave/48/113/0/Smoke_Alarm/Sensor_status", "2").strangers == ("48",)


def test_a_map_goes_before_what_is_known(zwave: Any, summary: Any) -> None:
    zwave.knows("8", map={"Heat_Alarm/Heat_sensor_status": Mapped(kind="smoke", states={"2": "alarm", "0": "clear"})})
    topic = "zwave/8/113/0/Heat_Alarm/Heat_sensor_status"
    assert [summary(zwave.hears(topic, one)) for one in ("2", "0", "5")] == [
        {"smoke": "alarm"},
        {"smoke": "clear"},
        {"smoke": "unknown"},
    ]


# --- anything at all ---

_TOPICS = st.sampled_from([
    "8/113/0/Smoke_Alarm/Sensor_status", "8/113/0/Gas_alarm/Combustible_gas_status", "8/48/0/Any", "8/128/0/level",
    "8/91/0/scene/001", "8/status", "8/lastActive", "8/x", "_CLIENTS/a/status", "driver/status", "8/113/0/x", "8/0",
    "8/notification/endpoint_0/Smoke_Alarm/Sensor_status", "8/111/0/eventType", "8/unknownClass_9999999/1/2", "//",
])  # fmt: skip
_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["value", "time", "unit", "commandClass", "property", "propertyKey", "status"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=9,
)


@given(
    topic=_TOPICS,
    payload=st.binary(max_size=20) | _VALUES.map(lambda one: json.dumps(one).encode()),
    retain=st.booleans(),
)
def test_no_payload_is_too_much(topic: str, payload: bytes, retain: bool) -> None:
    """Invariants nothing-dropped and unknown-is-not-clear."""
    decoder = Decoder([Source(id="s", dialect="zwave-js-ui", base="zwave")])
    device = Device(id="d", home_id="h", kind="gas", source="s", name="8")
    message = Message(f"zwave/{topic}", payload, retain, NOON)
    decoder.names(message)
    decoded = decoder.decode(message, World(devices={("s", "8"): device}))
    assert decoded.quarantine is None or decoded.quarantine[0] != "decoder_error"
    try:
        said = json.loads(payload)
    except ValueError:
        said = payload
    if isinstance(said, dict):
        said = said.get("value")
    if said not in (0, False, "0", "false", "off") and not isinstance(said, (str, bytes)):
        assert all(one.state != "clear" for one in decoded.readings)
