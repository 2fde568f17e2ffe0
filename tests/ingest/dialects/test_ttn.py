import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.decode import Decoder, World
from ingest.message import Message
from rules.community import Device, Mapped, Source

DEVICES = "v3/app1@tenant1/devices"
UP = f"{DEVICES}/dev1/up"
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TIME = "2026-11-23T11:59:42.063941758Z"


@pytest.fixture
def stack(source: Any) -> Any:
    return source("ttn")


def uplink(said: Any = None, *, model: tuple[str, str] | None = None, data: bytes | None = None, **more: Any) -> str:
    """An uplink as The Things Stack writes it; `more` goes beside `uplink_message`."""
    within: dict[str, Any] = {
        "session_key_id": "AXIDznz4bnQqtW8T3NsIVg==",
        "f_port": more.pop("port", 10),
        "f_cnt": 102,
    }
    if said is not None:
        within["decoded_payload"] = said
    if data is not None:
        within["frm_payload"] = base64.b64encode(data).decode()
    if model is not None:
        within["version_ids"] = {"brand_id": model[0], "model_id": model[1], "band_id": "EU_863_870"}
    if (level := more.pop("battery", None)) is not None:
        within["last_battery_percentage"] = {"f_cnt": 4, "value": level, "received_at": TIME}
    document = {
        "end_device_ids": {"device_id": "dev1", "application_ids": {"application_id": "app1"}, "dev_eui": "0004A30B"},
        "received_at": TIME,
        "uplink_message": within,
        **more,
    }  # fmt: skip
    return json.dumps(document)


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (uplink({"ALARM": 0, "BAT_V": 2.958, "DOOR_OPEN_STATUS": 1, "MOD": 1}),
         {"contact": "open", "battery_voltage": 2.958}),
        (uplink({"status": 1, "battery": 3.6}, model=("browan", "tbwl100")),
         {"water_leak": "alarm", "battery_voltage": 3.6}),
        (uplink({"status": 1, "battery": 3.6}, model=("browan", "tbdw100")),
         {"contact": "open", "battery_voltage": 3.6}),
        (uplink(data=bytes.fromhex("8B8E0100001D00000000"), model=("dragino", "lds02")),
         {"contact": "open", "battery_voltage": 2.958}),
        (uplink(data=b"\x01"), {"heartbeat": "alive", "map:data": "01"}),
        (uplink(), {"heartbeat": "alive"}),
        (uplink({"test_key": 42}), {"measurement:test_key": 42.0}),
        (uplink({"pir": "trigger"}, battery=41.5), {"motion": "detected", "battery": 41.5}),
        (uplink({"pir": "trigger", "battery": 92, "magnet_status": "open"}, battery=41.5),
         {"motion": "detected", "contact": "open", "battery": 92.0}),
        (uplink({"pir": "trigger"}, battery="full"), {"motion": "detected"}),
        ("", {"ignored": "empty_payload"}),
        ("{", {"aside": "malformed_json"}),
        ("[]", {"aside": "invalid_value"}),
        ("{}", {"aside": "invalid_value"}),
    ],
)  # fmt: skip
def test_what_an_uplink_says(stack: Any, summary: Any, payload: str, said: dict[str, Any]) -> None:
    stack.knows("dev1")
    assert summary(stack.hears(UP, payload)) == said


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("join", {"availability": "online"}),
        ("down/push", {"ignored": "command"}),
        ("down/replace", {"ignored": "command"}),
        ("down/queued", {"ignored": "gateway_message"}),
        ("down/sent", {"ignored": "gateway_message"}),
        ("down/ack", {"ignored": "gateway_message"}),
        ("down/failed", {"ignored": "gateway_message"}),
        ("location/solved", {"ignored": "not_a_safety_sensor"}),
        ("service/data", {"ignored": "metadata"}),
        ("up/normalized", {"ignored": "metadata"}),
        ("something", {"aside": "unknown_topic"}),
    ],
)
def test_what_else_is_published(stack: Any, summary: Any, what: str, said: dict[str, Any]) -> None:
    stack.knows("dev1")
    payload = {"join_accept": {"received_at": "0001-01-01T00:00:00Z"}}
    assert summary(stack.hears(f"{DEVICES}/dev1/{what}", json.dumps(payload))) == said


def test_a_topic_without_a_device_is_none(stack: Any, summary: Any) -> None:
    assert summary(stack.hears("v3/app1@tenant1/x", "{}")) == {"aside": "unknown_topic"}


@pytest.mark.parametrize(
    ("base", "name"),
    [("v3", "dev1"), ("v3", "app1/dev1"), ("v3/app1@tenant1", "dev1"), ("v3/app1@tenant1", "/dev1")],
)
def test_a_device_is_called_by_its_id_or_with_its_application(source: Any, summary: Any, base: str, name: str) -> None:
    stack = source("ttn", base=base)
    stack.knows(name)
    assert summary(stack.hears(UP, uplink({"pir": "normal"}))) == {"motion": "clear"}


def test_the_name_with_the_application_comes_first(stack: Any) -> None:
    stack.knows("dev1")
    device = stack.knows("app1/dev1")
    [reading] = stack.hears(UP, uplink({"pir": "normal"})).readings
    assert reading.device_id == device.id


def test_who_is_in_no_file_is_a_stranger(stack: Any) -> None:
    assert stack.hears(UP, uplink({})).strangers == ("dev1",)


@pytest.mark.parametrize(
    ("received_at", "observed_at"),
    [(TIME, datetime(2026, 11, 23, 11, 59, 42, 63941, UTC)), ("0001-01-01T00:00:00Z", None), (7, None), (None, None)],
)
def test_when_it_was_received_is_kept_where_it_can_be_true(
    stack: Any, received_at: Any, observed_at: datetime | None
) -> None:
    stack.knows("dev1")
    [reading] = stack.hears(UP, uplink({"pir": "normal"}, received_at=received_at)).readings
    assert reading.observed_at == observed_at


def test_what_the_console_simulates_is_a_test(stack: Any) -> None:
    stack.knows("dev1")
    [reading] = stack.hears(UP, uplink({"leakage_status": "leak"}, simulated=True)).readings
    assert (reading.state, reading.under_test) == ("alarm", True)
    [reading] = stack.hears(UP, uplink({"leakage_status": "leak"})).readings
    assert not reading.under_test


def test_version_2(source: Any, summary: Any) -> None:
    stack = source("ttn", base="homes")
    stack.knows("dev1")
    payload = {
        "app_id": "homes", "dev_id": "dev1", "port": 10, "counter": 2, "payload_raw": "AQ==",
        "payload_fields": {"DOOR_OPEN_STATUS": 0, "MOD": 1}, "metadata": {"time": TIME},
    }  # fmt: skip
    decoded = stack.hears("homes/devices/dev1/up", json.dumps(payload))
    assert summary(decoded) == {"contact": "closed"}
    assert decoded.readings[0].observed_at is not None
    assert summary(stack.hears("homes/devices/dev1/up/DOOR_OPEN_STATUS", "0")) == {"ignored": "attribute"}
    assert summary(stack.hears("homes/devices/dev1/events/activations", "{}")) == {"availability": "online"}
    assert summary(stack.hears("homes/devices/dev1/down", "{}")) == {"ignored": "command"}


def test_the_sources_map_is_read(source: Any, summary: Any) -> None:
    stack = source("ttn", map={"digital": Mapped(kind="gas", states={"1": "alarm", "0": "clear"})})
    stack.knows("dev1")
    assert summary(stack.hears(UP, uplink({"digital": 0}))) == {"gas": "clear"}
    assert summary(stack.hears(UP, uplink({"digital": 7}))) == {"gas": "unknown"}


_KEYS = st.sampled_from(
    ["uplink_message", "decoded_payload", "frm_payload", "f_port", "version_ids", "brand_id", "received_at",
     "simulated", "last_battery_percentage", "value", "payload_fields", "metadata", "join_accept", "smoke", "event"]
)  # fmt: skip
_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=5),
    max_leaves=12,
)


@given(
    topic=st.sampled_from([UP, f"{DEVICES}/dev1/join", f"{DEVICES}/dev1/activations", "v3/devices/dev1/up", "v3/x"]),
    payload=st.binary(max_size=40) | _VALUES.map(lambda value: json.dumps(value).encode()),
)  # fmt: skip
def test_no_payload_is_too_much(topic: str, payload: bytes) -> None:
    """Invariant nothing-dropped."""
    decoder = Decoder([Source(id="s", dialect="ttn", base="v3")])
    device = Device(id="a", home_id="h", kind="gas", source="s", name="dev1")
    message = Message(topic, payload, False, NOON)
    decoder.names(message)
    decoded = decoder.decode(message, World(devices={("s", "dev1"): device}))
    assert decoded.quarantine is None or decoded.quarantine[0] != "decoder_error"
