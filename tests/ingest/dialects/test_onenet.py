import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.decode import Decoder, World
from ingest.message import Message
from rules.community import Device, Mapped, Source
from rules.readings import Freshness

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
NOW = int(NOON.timestamp() * 1000) - 1000
THING = "$sys/480701/yl-1/thing"
ALINK = "/sys/a1b2/yl-1/thing"


@pytest.fixture
def cloud(source: Any) -> Any:
    return source("onenet")


def post(params: Any) -> dict[str, Any]:
    return {"id": "123", "version": "1.0", "params": params}


def valued(value: Any, time: Any = NOW) -> dict[str, Any]:
    return {"value": value, "time": time}


@pytest.mark.parametrize(
    ("topic", "payload", "said"),
    [
        (f"{THING}/property/post", post({"GasAlarm": valued(1)}), {"gas": "alarm"}),
        (f"{THING}/property/post", post({"GasAlarm": valued("0")}), {"gas": "clear"}),
        (f"{THING}/property/post", post({"SmokeSensorState": valued(1), "BatteryLevel": valued("80")}),
         {"smoke": "alarm", "battery": 80.0}),
        (f"{THING}/property/post", post({"SmokeSensorState": valued(None)}), {"smoke": "unknown"}),
        (f"{THING}/property/post", post({"SmokeSensorState": {"value": -1}}), {"smoke": "unknown"}),
        (f"{THING}/property/post", post({"door_open": {"value": True}}), {"contact": "open"}),
        (f"{THING}/property/post", post({"ContactState": valued(1)}), {"heartbeat": "alive", "map:ContactState": "1"}),
        (f"{THING}/property/post", post({"Power": valued("on"), "WF": valued(23.6)}),
         {"measurement:WF": 23.6, "map:Power": "on"}),
        (f"{THING}/property/post", post({"env": valued({"temperature": 21.5})}), {"measurement:env.temperature": 21.5}),
        (f"{THING}/property/post", post({}), {"heartbeat": "alive"}),
        (f"{THING}/property/post", post([]), {"aside": "invalid_value"}),
        (f"{THING}/property/post", {}, {"aside": "invalid_value"}),
        (f"{THING}/property/post/reply", {"id": "123", "code": 200}, {"ignored": "reply"}),
        (f"{THING}/property/set", post({"temperature": "30.5"}), {"ignored": "command"}),
        (f"{THING}/property/set_reply", {}, {"ignored": "reply"}),
        (f"{THING}/property/get", {}, {"ignored": "command"}),
        (f"{THING}/property/get_reply", {"data": {"smoke": 1}}, {"ignored": "reply"}),
        (f"{THING}/service/reset/invoke", {}, {"ignored": "command"}),
        (f"{THING}/service/reset/invoke_reply", {}, {"ignored": "reply"}),
        (f"{THING}/sub/topo/get/result", {}, {"ignored": "gateway_message"}),
        # Events
        (f"{THING}/event/post", post({"identifier1": valued({"Power": "on", "WF": "2"}), "identifier2": valued({})}),
         {"heartbeat": "alive", "map:identifier1": "true", "map:identifier2": "true"}),
        (f"{THING}/event/post", post({"GasLeakAlarm": valued({"Level": 2})}), {"gas": "alarm"}),
        (f"{THING}/event/post", post({"smokeAlarm": valued({"AlarmState": 0})}), {"smoke": "clear"}),
        (f"{THING}/event/post", post({"smokeAlarm": valued({"AlarmState": None})}), {"smoke": "unknown"}),
        (f"{THING}/event/post", post({"smokeAlarm": valued(1)}), {"smoke": "alarm"}),
        (f"{THING}/event/post", post({"alarmEvent": valued({"smoke": True, "x": 1})}), {"smoke": "alarm"}),
        (f"{THING}/event/post", post({"gasAlarmRecovery": valued({})}),
         {"heartbeat": "alive", "map:gasAlarmRecovery": "true"}),
        (f"{THING}/event/post", post({"sos": valued({})}), {"sos": "pressed"}),
        # Sub-devices
        (f"{THING}/sub/login", post({"productID": "p2", "deviceName": "yl-2"}), {"availability": "online"}),
        (f"{THING}/sub/logout", post({"productID": "p2", "deviceName": "yl-2"}), {"availability": "offline"}),
        (f"{THING}/sub/login/reply", {}, {"ignored": "reply"}),
        (f"{THING}/pack/post", post([{"identity": {"productID": "p2", "deviceName": "yl-2"},
         "properties": {"GasAlarm": valued(1)}, "events": {"smokeAlarm": valued({})}}]),
         {"gas": "alarm", "smoke": "alarm"}),
        (f"{THING}/pack/post", post([{"properties": {"GasAlarm": valued(0)}}]), {"gas": "clear"}),
        (f"{THING}/pack/post", post([7]), {"aside": "invalid_value"}),
        (f"{THING}/history/post", post([{"identity": {"deviceName": "yl-2"}, "properties": {"GasAlarm": [valued(1)]}}]),
         {"gas": "alarm"}),
        # The older data points: seconds, and several of one stream.
        ("$sys/480701/yl-1/dp/post/json", {"dp": {"smoke": [{"v": 1, "t": NOW // 1000}]}}, {"smoke": "alarm"}),
        ("$sys/480701/yl-1/dp/post/json", {"id": 1, "dp": {"status": [{"v": {"color": "red"}}], "power": [{"v": 4.5}]}},
         {"measurement:power": 4.5, "map:status.color": "red"}),
        ("$sys/480701/yl-1/dp/post/json", {"id": 1}, {"aside": "invalid_value"}),
        ("$sys/480701/yl-1/dp/post/json/accepted", {"id": 123}, {"ignored": "reply"}),
        ("$sys/480701/yl-1/dp/post/bin", {}, {"ignored": "binary"}),
        ("$sys/480701/yl-1/cmd/request/4cb7", {}, {"ignored": "command"}),
        ("$sys/480701/yl-1/cmd/response/4cb7", {}, {"ignored": "reply"}),
        ("$sys/480701/yl-1/image/update", {}, {"ignored": "metadata"}),
        ("$sys/480701/yl-1/x", {}, {"aside": "unknown_topic"}),
        ("$sys/480701/yl-1", {}, {"aside": "unknown_topic"}),
        # Alink
        (f"{ALINK}/event/property/post", post({"GasSensorState": valued(1)}), {"gas": "alarm"}),
        (f"{ALINK}/event/property/post", post({"SmokeSensorState": 0, "BatteryPercentage": 55}),
         {"smoke": "clear", "battery": 55.0}),
        (f"{ALINK}/event/property/post",
         post({"WaterSensorState": valued(1), "ContactState": 1, "MotionAlarmState": "0"}),
         {"water_leak": "alarm", "contact": "open", "motion": "clear"}),
        (f"{ALINK}/event/property/post", post({"WaterSensorState": valued(2), "ContactState": -1}),
         {"water_leak": "unknown", "contact": "unknown"}),
        (f"{ALINK}/event/property/pack/post", post({"subDevices": [{"identity": {"deviceName": "yl-2"},
         "properties": {"WaterSensorState": valued(0)}}]}), {"water_leak": "clear"}),
        (f"{ALINK}/event/LowElectricityAlarm/post", post(valued({})), {"battery": "low"}),
        (f"{THING}/event/post", post({"LowElectricityAlarm": valued({})}),
         {"heartbeat": "alive", "map:LowElectricityAlarm": "true"}),
        (f"{ALINK}/event/property/post_reply", {"code": 200}, {"ignored": "reply"}),
        (f"{ALINK}/event/SmokeAlarm/post", post(valued({"Level": 1})), {"smoke": "alarm"}),
        (f"{ALINK}/event/SmokeAlarm/post", post({"Level": 1}), {"smoke": "alarm"}),
        (f"{ALINK}/event/Error/post", post(valued({"ErrorCode": 1})), {"heartbeat": "alive", "map:Error": "true"}),
        (f"{ALINK}/event/property/batch/post", post({"properties": {"smoke": [valued(1)]},
         "events": {"sosAlarm": [valued({})]}}), {"smoke": "alarm", "sos": "pressed"}),
        (f"{ALINK}/event/property/pack/post", post({"properties": {"WF": valued(3.5)}, "subDevices": [
         {"identity": {"productKey": "p2", "deviceName": "yl-2"}, "properties": {"smoke": valued(1)}}]}),
         {"measurement:WF": 3.5, "smoke": "alarm"}),
        (f"{ALINK}/event/property/history/post", post([{"identity": {"deviceName": "yl-2"},
         "properties": [{"smoke": valued(1)}], "events": [{"sos": valued({})}]}]),
         {"smoke": "alarm", "sos": "pressed"}),
        (f"{ALINK}/model/up_raw", {}, {"ignored": "binary"}),
        (f"{ALINK}/model/up_raw_reply", {}, {"ignored": "reply"}),
        (f"{ALINK}/model/down_raw", {}, {"ignored": "command"}),
        (f"{ALINK}/service/property/set", {}, {"ignored": "command"}),
        (f"{ALINK}/deviceinfo/update", {}, {"ignored": "attribute"}),
    ],
)  # fmt: skip
def test_what_a_message_says(cloud: Any, summary: Any, topic: str, payload: Any, said: dict[str, Any]) -> None:
    cloud.knows("yl-1")
    cloud.knows("yl-2")
    assert summary(cloud.hears(topic, json.dumps(payload))) == said


@pytest.mark.parametrize(
    ("payload", "said"),
    [("", {"ignored": "empty_payload"}), ("{", {"aside": "malformed_json"}), ("[]", {"aside": "malformed_json"})],
)
def test_what_is_no_document(cloud: Any, summary: Any, payload: str, said: dict[str, Any]) -> None:
    cloud.knows("yl-1")
    assert summary(cloud.hears(f"{THING}/property/post", payload)) == said


@pytest.mark.parametrize("topic", [f"{THING}/history/post", f"{ALINK}/event/property/history/post"])
def test_history_pages_nobody_however_young_it_is(cloud: Any, topic: str) -> None:
    """Invariant stale-does-not-page."""
    cloud.knows("yl-1", "gas")
    [reading] = cloud.hears(topic, json.dumps(post([{"properties": {"gas": [valued(1)]}}]))).readings
    assert (reading.state, reading.freshness) == ("alarm", Freshness.HISTORIC)


@pytest.mark.parametrize(
    ("ago", "freshness"),
    [(timedelta(minutes=1), Freshness.LIVE), (timedelta(hours=1), Freshness.HISTORIC)],
)
@pytest.mark.parametrize("old", [False, True], ids=["ms", "seconds"])
def test_what_was_kept_is_history(cloud: Any, ago: timedelta, freshness: Freshness, old: bool) -> None:
    """Invariant stale-does-not-page."""
    cloud.knows("yl-1", "gas")
    at = NOON - ago
    topic, payload = f"{THING}/property/post", post({"gas": valued(1, int(at.timestamp() * 1000))})
    if old:
        topic, payload = "$sys/480701/yl-1/dp/post/json", {"dp": {"gas": [{"v": 1, "t": int(at.timestamp())}]}}
    [reading] = cloud.hears(topic, json.dumps(payload)).readings
    assert (reading.freshness, reading.observed_at) == (freshness, at)


def test_samples_are_read_in_the_order_of_their_times(cloud: Any) -> None:
    cloud.knows("yl-1", "gas")
    params = {"properties": {"gas": [valued(0), valued(1, NOW - 2000), valued(0, NOW - 4000)]}}
    readings = cloud.hears(f"{ALINK}/event/property/batch/post", json.dumps(post(params))).readings
    assert [one.state for one in readings] == ["clear", "alarm", "clear"]


@pytest.mark.parametrize("name", ["yl-1", "480701/yl-1"])
def test_a_device_is_called_by_its_name_or_with_its_product(cloud: Any, summary: Any, name: str) -> None:
    cloud.knows(name)
    assert summary(cloud.hears(f"{THING}/property/post", json.dumps(post({"smoke": 1})))) == {"smoke": "alarm"}


def test_a_gateways_message_is_about_each_of_its_devices(cloud: Any) -> None:
    cloud.knows("p2/yl-2")
    entries = [
        {"identity": {"productID": "p2", "deviceName": "yl-2"}, "properties": {"smoke": valued(1)}},
        {"identity": {"productID": "p2", "deviceName": "yl-3"}, "properties": {"smoke": valued(1)}},
    ]
    decoded = cloud.hears(f"{THING}/pack/post", json.dumps(post(entries)))
    assert [(one.device_id, one.state) for one in decoded.readings] == [("p2/yl-2", "alarm")]
    assert decoded.strangers == ["yl-3"]
    assert decoded.quarantine is not None


def test_a_map_says_what_identifiers_mean(source: Any, summary: Any) -> None:
    meanings = {
        "Di1": Mapped(kind="gas", states={"1": "alarm", "0": "clear"}),
        "identifier1": Mapped(kind="smoke"),
        "identifier2.Power": Mapped(kind="fault", states={"on": "clear", "off": "alarm"}),
    }
    cloud = source("onenet", map=meanings)
    cloud.knows("yl-1")
    assert summary(cloud.hears(f"{THING}/property/post", json.dumps(post({"Di1": valued(1)})))) == {"gas": "alarm"}
    assert summary(cloud.hears(f"{THING}/property/post", json.dumps(post({"Di1": valued(7)})))) == {"gas": "unknown"}
    events = post({"identifier1": valued({}), "identifier2": valued({"Power": "off"})})
    assert summary(cloud.hears(f"{THING}/event/post", json.dumps(events))) == {"smoke": "alarm", "fault": "alarm"}


def test_a_map_says_more_than_the_standard(source: Any, summary: Any) -> None:
    cloud = source("onenet", map={"ContactState": Mapped(kind="contact", invert=True)})
    cloud.knows("yl-1")
    said = post({"ContactState": valued(1), "WaterSensorState": valued(1)})
    told = summary(cloud.hears(f"{ALINK}/event/property/post", json.dumps(said)))
    assert told == {"contact": "closed", "water_leak": "alarm"}


def test_both_clouds_are_subscribed_to() -> None:
    assert Decoder([Source(id="s", dialect="onenet", base="$sys")]).subscriptions == ("$sys/#", "/sys/#")
    assert Decoder([Source(id="s", dialect="onenet", base="$sys/480701")]).subscriptions == ("$sys/480701/#",)


_KEYS = st.sampled_from(
    ["params", "value", "time", "identity", "deviceName", "productID", "properties", "events", "subDevices", "dp", "v",
     "t", "smoke", "gasAlarm", "Di1", "AlarmState"]
)  # fmt: skip
_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=5),
    max_leaves=15,
)


@given(
    topic=st.sampled_from(
        [*(f"{THING}/{one}/post" for one in ("property", "event", "pack", "history")), f"{THING}/sub/login",
         "$sys/480701/yl-1/dp/post/json", f"{ALINK}/event/SmokeAlarm/post", f"{ALINK}/event/property/batch/post",
         "$sys/x", "/sys//"]
    ),
    payload=st.binary(max_size=40) | _VALUES.map(lambda value: json.dumps(value).encode())
    | _VALUES.map(lambda value: json.dumps(post(value)).encode()),
)  # fmt: skip
def test_no_payload_is_too_much(topic: str, payload: bytes) -> None:
    """Invariant nothing-dropped."""
    decoder = Decoder([Source(id="s", dialect="onenet", base="$sys")])
    device = Device(id="a", home_id="h", kind="gas", source="s", name="yl-1")
    message = Message(topic, payload, False, NOON)
    decoder.names(message)
    decoded = decoder.decode(message, World(devices={("s", "yl-1"): device}))
    assert decoded.quarantine is None or decoded.quarantine[0] != "decoder_error"
