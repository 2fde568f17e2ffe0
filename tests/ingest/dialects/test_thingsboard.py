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

ME = "v1/devices/me/telemetry"
GATEWAY = "v1/gateway/telemetry"
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


@pytest.fixture
def board(source: Any) -> Any:
    return source("thingsboard")


@pytest.mark.parametrize(
    ("topic", "payload", "said"),
    [
        (ME, {"smoke": True, "battery": 80}, {"smoke": "alarm", "battery": 80.0}),
        (ME, {"GasAlarm": 0}, {"gas": "clear"}),
        (ME, {"co_alarm": None}, {"carbon_monoxide": "unknown"}),
        (ME, {"water_leak": "unavailable"}, {"water_leak": "unknown"}),
        (ME, {"door": "open"}, {"contact": "open"}),
        (ME, {"door": True}, {"heartbeat": "alive", "map:door": "true"}),
        (ME, {"DOOR_OPEN_STATUS": 1, "MOD": 1, "BAT_V": 3.0}, {"contact": "open", "battery_voltage": 3.0}),
        (ME, {"temperature": 42}, {"measurement:temperature": 42.0}),
        (ME, {"key1": "value1", "key2": True},
         {"heartbeat": "alive", "map:key1": "value1", "map:key2": "true"}),
        (ME, {"stringKey": "value1", "doubleKey": 42.0, "jsonKey": {"someArray": [1, 2], "deep": {"key": "value"}}},
         {"measurement:doubleKey": 42.0, "map:stringKey": "value1", "map:jsonKey.deep.key": "value"}),
        (ME, {"ts": ms(NOON), "values": {"smoke": True}}, {"smoke": "alarm"}),
        (ME, {"ts": "no time", "values": {"smoke": True}}, {"smoke": "alarm"}),
        (ME, [{"smoke": False}, {"battery": 9}], {"smoke": "clear", "battery": 9.0}),
        (ME, [], {"aside": "invalid_value"}),
        (ME, [1], {"aside": "invalid_value"}),
        (ME, 7, {"aside": "invalid_value"}),
        (ME, {}, {"heartbeat": "alive"}),
        (ME, {"gas": False, "sensor_fault": True}, {"gas": "unknown", "fault": "alarm"}),
        ("v2/t", {"smoke": True}, {"smoke": "alarm"}),
        ("v2/t/j", {"smoke": True}, {"smoke": "alarm"}),
        ("v2/t/p", {}, {"ignored": "binary"}),
        ("v2/a", {"smoke": True}, {"ignored": "attribute"}),
        ("v2/r/req/1", {"method": "x"}, {"ignored": "command"}),
        ("v1/devices/me/attributes", {"attribute1": "value1", "smoke": True}, {"ignored": "attribute"}),
        ("v1/devices/me/attributes/request/1", {"clientKeys": "a"}, {"ignored": "command"}),
        ("v1/devices/me/attributes/response/1", {"client": {}}, {"ignored": "reply"}),
        ("v1/devices/me/rpc/request/1", {"method": "x"}, {"ignored": "command"}),
        ("v1/devices/me/rpc/response/1", {"ok": True}, {"ignored": "reply"}),
        ("v1/devices/me/claim", {"secretKey": "x"}, {"ignored": "command"}),
        ("v1/gateway/attributes", {"Device A": {"attribute1": 1}}, {"ignored": "attribute"}),
        ("v1/gateway/rpc", {"device": "Device A", "id": 1}, {"ignored": "command"}),
        ("v1/gateway/connect", {"device": "Device A"}, {"availability": "online"}),
        ("v1/gateway/disconnect", {"device": "Device A"}, {"availability": "offline"}),
        ("v1/gateway/disconnect", {"device": 7}, {"aside": "invalid_value"}),
        ("v1/gateway/disconnect", [], {"aside": "invalid_value"}),
        (GATEWAY, {"Device A": [{"ts": ms(NOON), "values": {"smoke": True}}]}, {"smoke": "alarm"}),
        (GATEWAY, {"Device A": {"smoke": True}}, {"smoke": "alarm"}),
        (GATEWAY, {"Device A": 7}, {"aside": "invalid_value"}),
        (GATEWAY, [], {"aside": "invalid_value"}),
        ("v1/devices/me/something", {}, {"aside": "unknown_topic"}),
        ("v1/devices/me/connect", {"device": "me"}, {"aside": "unknown_topic"}),
    ],
)  # fmt: skip
def test_what_a_message_says(board: Any, summary: Any, topic: str, payload: Any, said: dict[str, Any]) -> None:
    board.knows("me")
    board.knows("Device A")
    assert summary(board.hears(topic, json.dumps(payload))) == said


@pytest.mark.parametrize(
    ("payload", "said"),
    [("test", {"aside": "malformed_json"}), ("", {"ignored": "empty_payload"}), (b"\xff", {"aside": "malformed_json"})],
)
def test_what_is_no_json(board: Any, summary: Any, payload: Any, said: dict[str, Any]) -> None:
    board.knows("me")
    assert summary(board.hears(ME, payload)) == said


def test_a_gateways_message_is_about_each_of_its_devices(board: Any) -> None:
    board.knows("Device A", "smoke")
    board.knows("Device B", "gas")
    payload = {
        "Device A": [{"ts": ms(NOON), "values": {"smoke": True}}],
        "Device B": [{"gas": False}],
        "C": [{"gas": 1}],
    }
    decoded = board.hears(GATEWAY, json.dumps(payload))
    assert [(one.device_id, one.kind, one.state) for one in decoded.readings] == [
        ("Device A", "smoke", "alarm"),
        ("Device B", "gas", "clear"),
    ]
    assert decoded.strangers == ["C"]
    assert decoded.quarantine is not None
    assert decoded.quarantine[0] == "unknown_device"


@pytest.mark.parametrize(
    ("ago", "freshness", "kept"),
    [
        (timedelta(0), Freshness.LIVE, True),
        (timedelta(minutes=9), Freshness.LIVE, True),
        (timedelta(minutes=11), Freshness.HISTORIC, True),
        (timedelta(days=3650), Freshness.HISTORIC, False),
        (timedelta(days=20_000), Freshness.LIVE, False),
        (timedelta(days=-4000), Freshness.LIVE, False),
    ],
    ids=["now", "9 min", "11 min", "10 years", "1972", "2037"],
)
def test_what_was_kept_is_history_and_an_impossible_clock_is_not_believed(
    board: Any, ago: timedelta, freshness: Freshness, kept: bool
) -> None:
    """Invariant stale-does-not-page."""
    board.knows("me", "smoke")
    at = NOON - ago
    [reading] = board.hears(ME, json.dumps({"ts": ms(at), "values": {"smoke": True}})).readings
    assert (reading.state, reading.freshness, reading.observed_at) == ("alarm", freshness, at if kept else None)


def test_samples_are_read_in_the_order_of_their_times(board: Any) -> None:
    board.knows("me", "smoke")
    samples = [
        {"smoke": False},
        {"ts": ms(NOON - timedelta(seconds=1)), "values": {"smoke": True}},
        {"ts": ms(NOON - timedelta(hours=1)), "values": {"smoke": False}},
    ]
    readings = board.hears(ME, json.dumps(samples)).readings
    assert [(one.state, one.freshness) for one in readings] == [
        ("clear", Freshness.HISTORIC),
        ("alarm", Freshness.LIVE),
        ("clear", Freshness.LIVE),
    ]


def test_a_map_says_what_nobody_can_know(source: Any, summary: Any) -> None:
    board = source("thingsboard", map={"in1": Mapped(kind="gas", states={"1": "alarm", "0": "clear"})})
    board.knows("me", map={"door": Mapped(kind="contact", states={"true": "open", "false": "closed"})})
    said = board.hears(ME, json.dumps({"in1": 1, "door": False, "in2": 1}))
    assert summary(said) == {"gas": "alarm", "contact": "closed", "map:in2": "1"}
    assert summary(board.hears(ME, '{"in1": 2}')) == {"gas": "unknown"}


@pytest.mark.parametrize("base", ["v1/devices/me", "site7/v1"])
def test_other_bases(source: Any, summary: Any, base: str) -> None:
    board = source("thingsboard", base=base)
    board.knows("me")
    topic = f"{base}/telemetry" if base.endswith("me") else f"{base}/devices/me/telemetry"
    assert summary(board.hears(topic, '{"smoke": 1}')) == {"smoke": "alarm"}


def test_where_who_it_is_stands_in_the_topic(board: Any, summary: Any) -> None:
    board.knows("yl-1")
    assert summary(board.hears("v1/devices/yl-1/telemetry", '{"smoke": 1}')) == {"smoke": "alarm"}


def test_who_is_in_no_file_is_a_stranger(board: Any) -> None:
    assert board.hears(ME, "{}").strangers == ("me",)
    assert board.hears("v1/gateway/connect", '{"device": "A"}').strangers == ("A",)


def test_both_forms_of_topics_are_subscribed_to() -> None:
    assert Decoder([Source(id="s", dialect="thingsboard", base="v1")]).subscriptions == ("v1/#", "v2/#")
    assert Decoder([Source(id="s", dialect="thingsboard", base="a/v1")]).subscriptions == ("a/v1/#",)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["ts", "values", "device", "me", "smoke", "gas_alarm", "door", "alarm", "x", "event"]),
        inner, max_size=5),
    max_leaves=15,
)  # fmt: skip


@given(
    topic=st.sampled_from([ME, GATEWAY, "v1/gateway/connect", "v2/t", "v1/devices/me/rpc/request/1", "v1/x", "v1/"]),
    payload=st.binary(max_size=40) | _VALUES.map(lambda value: json.dumps(value).encode()),
)
def test_no_payload_is_too_much(topic: str, payload: bytes) -> None:
    """Invariant nothing-dropped."""
    decoder = Decoder([Source(id="s", dialect="thingsboard", base="v1")])
    device = Device(id="a", home_id="h", kind="gas", source="s", name="me")
    message = Message(topic, payload, False, NOON)
    decoder.names(message)
    decoded = decoder.decode(message, World(devices={("s", "me"): device}))
    assert decoded.quarantine is None or decoded.quarantine[0] != "decoder_error"
