import base64
import json
import struct
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.decode import Decoder, GatewayWord, World
from ingest.message import Message
from rules.community import Device, Mapped, Source
from rules.readings import Freshness

EUI = "a84041000181c0de"
EVENTS = f"application/17c82e96-be03-4f38-aef3-f83d48582d97/device/{EUI}/event"
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TIME = "2026-11-23T11:59:58.775023242+00:00"


@pytest.fixture
def server(source: Any) -> Any:
    return source("chirpstack")


def event(said: Any = None, *, profile: str = "Test device-profile", data: bytes | None = None, **more: Any) -> str:
    """An event of a device as ChirpStack 4 writes it."""
    document = {
        "deduplicationId": "3ac7e3c4-4401-4b8d-9386-a5c902f9202d",
        "time": TIME,
        "deviceInfo": {
            "tenantName": "ChirpStack", "applicationName": "homes", "deviceProfileName": profile,
            "deviceName": "Test device", "devEui": EUI, "tags": {"key": "value"},
        },
        **more,
    }  # fmt: skip
    if said is not None:
        document["object"] = said
    if data is not None:
        document["data"] = base64.b64encode(data).decode()
    return json.dumps(document)


@pytest.mark.parametrize(
    ("kind", "payload", "said"),
    [
        ("up", event({"magnet_status": "open", "battery": 92}), {"contact": "open", "battery": 92.0}),
        ("up", event({"status": 1}, profile="Browan TBWL100"), {"water_leak": "alarm"}),
        ("up", event(data=b"\x01\x75\x64\x03\x00\x01", fPort=85, profile="Milesight WS303"),
         {"battery": 100.0, "water_leak": "alarm"}),
        ("up", event(data=b"\xaa", fPort=1), {"heartbeat": "alive", "map:data": "aa"}),
        ("up", event(fPort=1), {"heartbeat": "alive"}),
        ("up", event({}), {"heartbeat": "alive"}),
        ("up", event("text"), {"heartbeat": "alive"}),
        ("up", event(data=b"\xaa").replace("qg==", "not base64 at all!"), {"heartbeat": "alive"}),
        ("status", event(margin=10, batteryLevel=88.3), {"battery": 88.3}),
        ("status", event(margin=10, externalPowerSource=True, batteryLevel=0), {"heartbeat": "alive"}),
        ("status", event(margin=10, batteryLevelUnavailable=True, batteryLevel=0), {"heartbeat": "alive"}),
        ("status", event(margin=10), {"heartbeat": "alive"}),
        ("status", event(margin=10, batteryLevel="full"), {"heartbeat": "alive"}),
        ("status", event(margin=10, battery=127), {"battery": 50.0}),
        ("status", event(margin=10, battery=255), {"heartbeat": "alive"}),
        ("join", event(devAddr="00189440"), {"availability": "online"}),
        ("ack", event(acknowledged=True), {"ignored": "gateway_message"}),
        ("txack", event(), {"ignored": "gateway_message"}),
        ("location", event(location={"latitude": 30.6}), {"ignored": "not_a_safety_sensor"}),
        ("integration", event(integrationName="x"), {"ignored": "metadata"}),
        ("log", event(level="ERROR", code="UPLINK_MIC"), {"fault": "alarm"}),
        ("log", event(level="ERROR", code="DOWNLINK_PAYLOAD_SIZE"), {"ignored": "log"}),
        ("log", event(level="INFO", code="UPLINK_MIC"), {"ignored": "log"}),
        ("log", event(level="ERROR", code=[]), {"ignored": "log"}),
        ("something", event(), {"aside": "unknown_topic"}),
        ("up", "", {"ignored": "empty_payload"}),
        ("up", "{", {"aside": "malformed_json"}),
        ("up", "[]", {"aside": "malformed_json"}),
        ("up", "\x08\x96\x01", {"aside": "malformed_json"}),
    ],
)  # fmt: skip
def test_what_an_event_says(server: Any, summary: Any, kind: str, payload: str, said: dict[str, Any]) -> None:
    server.knows(EUI)
    assert summary(server.hears(f"{EVENTS}/{kind}", payload)) == said


@pytest.mark.parametrize("name", [EUI, EUI.upper(), "Test device"])
def test_a_device_is_called_by_its_eui_or_its_name(server: Any, summary: Any, name: str) -> None:
    server.knows(name)
    assert summary(server.hears(f"{EVENTS}/up", event({"leakage_status": "leak"}))) == {"water_leak": "alarm"}


def test_who_is_in_no_file_is_a_stranger_by_its_eui(server: Any) -> None:
    assert server.hears(f"{EVENTS}/up", event({})).strangers == (EUI,)


def test_when_the_network_server_heard_it_is_kept_beside(server: Any) -> None:
    server.knows(EUI)
    [reading] = server.hears(f"{EVENTS}/up", event({"pir": "trigger"})).readings
    assert reading.observed_at == datetime(2026, 11, 23, 11, 59, 58, 775023, UTC)
    [kept] = server.hears(f"{EVENTS}/up", event({"pir": "trigger"}), retain=True).readings
    assert kept.freshness is Freshness.RETAINED


def test_commands_to_devices_are_of_no_interest(server: Any, summary: Any) -> None:
    topic = f"application/1/device/{EUI}/command/down"
    assert summary(server.hears(topic, '{"devEui": "x", "data": "AA=="}')) == {"ignored": "command"}


def test_an_error_about_uplinks_is_a_fault_until_the_next_is_taken(server: Any, summary: Any) -> None:
    server.knows(EUI)
    server.hears(f"{EVENTS}/log", event(level="ERROR", code="UPLINK_MIC"))
    assert summary(server.hears(f"{EVENTS}/up", event({"pir": "normal"}))) == {"motion": "clear", "fault": "clear"}
    assert summary(server.hears(f"{EVENTS}/up", event({"pir": "normal"}))) == {"motion": "clear"}


def test_a_codec_that_fails_goes_on_failing_until_it_says_something(server: Any, summary: Any) -> None:
    server.knows(EUI)
    server.hears(f"{EVENTS}/log", event(level="ERROR", code="UPLINK_CODEC"))
    assert summary(server.hears(f"{EVENTS}/up", event())) == {"heartbeat": "alive"}
    assert summary(server.hears(f"{EVENTS}/up", event({"pir": "normal"}))) == {"motion": "clear", "fault": "clear"}


def test_a_device_that_says_itself_that_it_is_faulty_stays_so(server: Any, summary: Any) -> None:
    server.knows(EUI)
    server.hears(f"{EVENTS}/log", event(level="ERROR", code="OTAA"))
    assert summary(server.hears(f"{EVENTS}/up", event({"faultAlarm": "Alarm"}))) == {"fault": "alarm"}


def test_the_sources_map_is_read(source: Any, summary: Any) -> None:
    server = source("chirpstack", map={"digital": Mapped(kind="gas", states={"1": "alarm", "0": "clear"})})
    server.knows(EUI)
    assert summary(server.hears(f"{EVENTS}/up", event({"digital": 1}))) == {"gas": "alarm"}


# --- version 3 ---


@pytest.mark.parametrize(
    ("topic", "payload", "said"),
    [
        (f"application/1/device/{EUI}/event/up", {"devEUI": EUI, "fPort": 2, "object": {"DOOR_OPEN_STATUS": 1}},
         {"contact": "open"}),
        (f"application/1/device/{EUI}/event/up", {"devEUI": "AQEBAQEBAQE=", "objectJSON": '{"WATER_LEAK_STATUS":1}'},
         {"water_leak": "alarm"}),
        (f"application/1/device/{EUI}/event/up", {"objectJSON": "{"}, {"heartbeat": "alive"}),
        (f"application/1/device/{EUI}/event/up", {"deviceProfileName": "TBDW100", "object": {"status": 0}},
         {"contact": "closed"}),
        (f"application/1/node/{EUI}/rx", {"devEUI": EUI, "fPort": 2, "data": "AA=="},
         {"heartbeat": "alive", "map:data": "00"}),
        (f"application/1/device/{EUI}/rx", {"object": {"pir": "trigger"}}, {"motion": "detected"}),
        (f"application/1/device/{EUI}/event/status", {"batteryLevel": 75.5, "externalPowerSource": False},
         {"battery": 75.5}),
        (f"application/1/device/{EUI}/event/error", {"type": "UPLINK_MIC", "error": "invalid MIC"}, {"fault": "alarm"}),
        (f"application/1/device/{EUI}/event/error", {"type": "DOWNLINK_GATEWAY"}, {"ignored": "log"}),
        (f"application/1/device/{EUI}/tx", {"data": "AA=="}, {"ignored": "command"}),
    ],
)  # fmt: skip
def test_version_3(server: Any, summary: Any, topic: str, payload: dict[str, Any], said: dict[str, Any]) -> None:
    server.knows(EUI)
    assert summary(server.hears(topic, json.dumps(payload))) == said


def test_version_3_has_its_time_with_the_gateways(server: Any) -> None:
    server.knows(EUI)
    payload = json.dumps({"object": {"pir": "trigger"}, "rxInfo": [{"time": TIME}]})
    [reading] = server.hears(f"application/1/device/{EUI}/event/up", payload).readings
    assert reading.observed_at is not None


# --- gateways ---


@pytest.mark.parametrize(
    ("payload", "state"),
    [
        ('{"gatewayId":"0016c001f153a14c","state":"ONLINE"}', "online"),
        ('{"gatewayId":"0016c001f153a14c","state":"OFFLINE"}', "offline"),
        ('{"gatewayId":"0016c001f153a14c"}', "offline"),
        ('{"gatewayID":"ABbAAfFToUw=","state":"OFFLINE"}', "offline"),
        (b"\x10\x01\x1a\x100016c001f153a14c", "online"),
        (b"\x1a\x100016c001f153a14c", "offline"),
    ],
)
@pytest.mark.parametrize("base", ["", "cn470_10/", "village/eu868/"])
def test_a_gateways_connection(source: Any, payload: str | bytes, state: str, base: str) -> None:
    server = source("chirpstack", more=(f"{base}gateway",)) if base else source("chirpstack")
    topic = f"{base}gateway/0016c001f153a14c/state/conn"
    assert server.hears(topic, payload, retain=True).gateway == GatewayWord("s", state, name="0016c001f153a14c")


@pytest.mark.parametrize(
    ("topic", "payload", "said"),
    [
        ("gateway/0016c001f153a14c/event/up", b"\x0a\x01", {"ignored": "gateway_message"}),
        ("gateway/0016c001f153a14c/event/stats", "{}", {"ignored": "gateway_message"}),
        ("gateway/0016c001f153a14c/command/down", b"\x00", {"ignored": "command"}),
        ("gateway/0016c001f153a14c/state/conn", "", {"ignored": "retained_clear"}),
        ("gateway/0016c001f153a14c/state/conn", '{"state":"UP"}', {"aside": "invalid_value"}),
        ("gateway/0016c001f153a14c/state/conn", '{"state":[]}', {"aside": "invalid_value"}),
        ("gateway/0016c001f153a14c/state/conn", b"\xff", {"aside": "invalid_value"}),
        ("gateway/x", "{}", {"aside": "unknown_topic"}),
        ("application/x", "{}", {"aside": "unknown_topic"}),
    ],
)
def test_what_else_gateways_write(
    server: Any, summary: Any, topic: str, payload: str | bytes, said: dict[str, Any]
) -> None:
    assert summary(server.hears(topic, payload)) == said


def test_of_gateways_only_the_state_is_subscribed_to() -> None:
    assert Decoder([Source(id="s", dialect="chirpstack", base="application")]).subscriptions == (
        "application/#",
        "gateway/+/state/+",
    )
    mine = Source(id="s", dialect="chirpstack", base="lora/application", more=("eu868/gateway",))
    assert Decoder([mine]).subscriptions == ("lora/application/#", "eu868/gateway/+/state/+")


# --- protobuf ---


def packed(number: int, value: Any) -> bytes:
    """A field of a protobuf message: text, bytes, a number, or a fixed number as struct has packed it."""
    if isinstance(value, int):
        return bytes([number << 3, value])
    if isinstance(value, float):
        return bytes([number << 3 | 5]) + struct.pack("<f", value)
    raw = value.encode() if isinstance(value, str) else value
    return bytes([number << 3 | 2, len(raw)]) + raw


def structured(said: dict[str, Any]) -> bytes:
    """A google.protobuf.Struct."""
    found = b""
    for key, value in said.items():
        if isinstance(value, bool):
            coded = packed(4, int(value))
        elif isinstance(value, float):
            coded = bytes([2 << 3 | 1]) + struct.pack("<d", value)
        elif isinstance(value, str):
            coded = packed(3, value)
        elif isinstance(value, list):
            coded = packed(6, b"".join(packed(1, packed(3, one)) for one in value))
        elif value is None:
            coded = packed(1, 0)
        else:
            coded = packed(5, structured(value))
        found += packed(1, packed(1, key) + packed(2, coded))
    return found


def wired(*fields: bytes, first: int = 1) -> bytes:
    """An event: its time, who it is about, and some fields; `first` is how many stand before the time."""
    at = bytes([1 << 3]) + b"\xfe\xb0\x8b\xc9\x06"
    info = packed(6, "Milesight WS303") + packed(8, EUI) + packed(9, packed(1, "brand") + packed(2, "milesight"))
    head = packed(1, "3ac7e3c4") if first == 1 else b""
    return head + packed(first + 1, at) + packed(first + 2, info) + b"".join(fields)


@pytest.mark.parametrize(
    ("kind", "payload", "said"),
    [
        ("up", wired(packed(8, 85), packed(11, structured({"leakage_status": "leak", "battery": 92.0}))),
         {"water_leak": "alarm", "battery": 92.0}),
        ("up", wired(packed(11, structured({"smoke": True, "list": ["a"], "none": None}))), {"smoke": "alarm"}),
        ("up", wired(packed(11, structured({"button_event": {"status": "long press"}}))), {"button": "long"}),
        ("up", wired(packed(10, b"\x01\x75\x64\x03\x00\x00")), {"battery": 100.0, "water_leak": "clear"}),
        ("status", wired(packed(8, 88.5)), {"battery": 88.5}),
        ("status", wired(packed(6, 1)), {"heartbeat": "alive"}),
        ("join", wired(packed(4, "00189440")), {"availability": "online"}),
        ("log", wired(packed(3, 2), packed(4, 6), first=0), {"fault": "alarm"}),
        ("log", wired(packed(4, 6), first=0), {"ignored": "log"}),
    ],
)  # fmt: skip
def test_protobuf(server: Any, summary: Any, kind: str, payload: bytes, said: dict[str, Any]) -> None:
    server.knows(EUI)
    assert summary(server.hears(f"{EVENTS}/{kind}", payload)) == said


def test_protobuf_has_the_time_as_well(server: Any) -> None:
    server.knows(EUI)
    [reading] = server.hears(f"{EVENTS}/join", wired()).readings
    assert reading.observed_at == datetime.fromtimestamp(1763891326, UTC)


# --- anything at all ---

_TOPICS = st.sampled_from(
    [*(f"{EVENTS}/{kind}" for kind in ("up", "join", "status", "log", "error", "ack")), "gateway/a/state/conn",
     f"application/1/node/{EUI}/rx", "application/a/b", "gateway/"]
)  # fmt: skip
_KEYS = st.sampled_from(
    ["deviceInfo", "object", "objectJSON", "data", "fPort", "time", "rxInfo", "tags", "deviceName", "level", "code",
     "batteryLevel", "battery", "state", "smoke", "event", "magnet_status"]
)  # fmt: skip
_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=5),
    max_leaves=12,
)


@given(topic=_TOPICS, payload=st.binary(max_size=60) | _VALUES.map(lambda value: json.dumps(value).encode()))
def test_no_payload_is_too_much(topic: str, payload: bytes) -> None:
    """Invariant nothing-dropped."""
    decoder = Decoder([Source(id="s", dialect="chirpstack", base="application")])
    device = Device(id="a", home_id="h", kind="gas", source="s", name=EUI)
    message = Message(topic, payload, False, NOON)
    decoder.names(message)
    decoded = decoder.decode(message, World(devices={("s", EUI): device}))
    assert decoded.quarantine is None or decoded.quarantine[0] != "decoder_error"
