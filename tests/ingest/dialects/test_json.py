import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.decode import Decoder, World
from ingest.dialects import json_times
from ingest.message import Message
from rules.community import Availability, Device, Layout, Mapped, Source
from rules.readings import Freshness

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
GAS = Mapped(kind="gas", states={"0": "clear", "1": "alarm", "2": "fault", "3": "warmup", "4": "end_of_life"})
THERE = Availability(topic="{device}/there", path="state", online=("1", "up"), offline=("0", "down"))
GATEWAY = Availability(topic="{gateway}/status", path=".", online=("online",), offline=("offline",))


# --- which device ---


def test_the_topic_names_the_device(source: Any, summary: Any) -> None:
    spoken = source("json", base="iot", topic="{device}/state", map={"s": GAS})
    spoken.knows("k1", "gas")
    assert summary(spoken.hears("iot/k1/state", '{"s":1}')) == {"gas": "alarm"}
    assert spoken.hears("iot/k2/state", '{"s":1}').strangers == ("k2",)
    assert summary(spoken.hears("iot/k1/other", '{"s":1}')) == {"aside": "unknown_topic"}


def test_a_gateway_in_the_topic_stands_before_the_device_or_is_left_out(source: Any, summary: Any) -> None:
    for name in ("box/k1", "k1"):
        spoken = source("json", base="iot", topic="{gateway}/{device}", map={"s": GAS})
        spoken.knows(name, "gas")
        assert summary(spoken.hears("iot/box/k1", '{"s":0}')) == {"gas": "clear"}
    assert source("json", base="iot", topic="{gateway}/{device}").hears("iot/box/k1", "{}").strangers == ("box/k1",)


def test_the_payload_names_the_device(source: Any, summary: Any) -> None:
    spoken = source("json", base="iot", topic="up", layout=Layout(device="dev.id"), map={"s": GAS})
    spoken.knows("7", "gas")
    assert summary(spoken.hears("iot/up", '{"dev":{"id":7},"s":1}')) == {"gas": "alarm"}
    assert summary(spoken.hears("iot/up", '{"dev":{},"s":1}')) == {"aside": "no_device"}


def test_one_message_tells_of_several_devices(source: Any, summary: Any) -> None:
    layout = Layout(each="params[*]", device="did", time="time", time_format="ms")
    spoken = source("json", base="zigbee", topic="send", layout=layout, map={"list[n=gas].v": GAS})
    spoken.knows("a", "gas")
    spoken.knows("b", "gas")
    said = [
        {"did": did, "time": 1795435199000, "list": [{"n": "gas", "v": v}]} for did, v in (("a", 1), ("b", 0), ("c", 1))
    ]
    decoded = spoken.hears("zigbee/send", json.dumps({"params": said}))
    assert [(one.device_id, one.state) for one in decoded.readings] == [("a", "alarm"), ("b", "clear")]
    assert decoded.strangers == ("c",)
    assert decoded.quarantine is not None
    assert decoded.readings[0].observed_at == datetime(2026, 11, 23, 11, 59, 59, tzinfo=UTC)


def test_without_a_form_of_topics_the_whole_topic_is_the_name(source: Any, summary: Any) -> None:
    assert summary(source("json").says("any/thing/at/all", '{"smoke":true}')) == {"smoke": "alarm"}


# --- what it says ---


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("1", {"gas": "alarm"}),
        ('"1"', {"gas": "alarm"}),
        ("1.0", {"gas": "alarm"}),
        ("0", {"gas": "clear"}),
        ("2", {"gas": "unknown", "fault": "alarm"}),
        ("3", {"gas": "unknown", "warmup": "active"}),
        ("4", {"gas": "unknown", "end_of_life": "alarm"}),
        ("9", {"gas": "unknown"}),
        ("null", {"gas": "unknown"}),
        ("-1", {"gas": "unknown"}),
        ("[]", {"gas": "unknown"}),
        ('"unavailable"', {"gas": "unknown"}),
    ],
)
def test_a_table_of_values(source: Any, summary: Any, value: str, said: dict[str, Any]) -> None:
    """Invariant unknown-is-not-clear; what is the detector's own is not its hazard's."""
    assert summary(source("json", base="x", topic="{device}", map={"s": GAS}).says("x/k", f'{{"s":{value}}}')) == said


@pytest.mark.parametrize(
    ("how", "value", "said"),
    [
        (Mapped(kind="contact", invert=True), "true", {"contact": "closed"}),
        (Mapped(kind="contact", invert=True), "0", {"contact": "open"}),
        (Mapped(kind="contact"), '"open"', {"contact": "open"}),
        (Mapped(kind="smoke"), '"ON"', {"smoke": "alarm"}),
        (Mapped(kind="battery"), '"80.00"', {"battery": 80.0}),
        (Mapped(kind="battery", scale=20), "4", {"battery": 80.0}),
        (Mapped(kind="battery_voltage", unit="V", scale=0.001), "2950", {"battery_voltage": 2.95}),
        (Mapped(kind="gas_concentration", unit="%LEL"), "4.5", {"gas_concentration": 4.5}),
        (Mapped(kind="gas_concentration", unit="%LEL"), "-1", {"gas_concentration": "unknown"}),
        (Mapped(kind="gas_concentration", unknown=("999", "-1")), "999", {"gas_concentration": "unknown"}),
        (Mapped(kind="smoke", unknown=("255",)), "255", {"smoke": "unknown"}),
        (Mapped(kind="measurement", unit="°C"), "21.5", {"measurement:s": 21.5}),
        (Mapped(kind="sos", states={"1": "pressed"}), "1", {"sos": "pressed"}),
        (Mapped(kind="button"), '"double"', {"button": "double"}),
        (Mapped(kind="button"), '""', {"heartbeat": "alive"}),
        (Mapped(kind="button", states={"1": "single"}), "1", {"button": "single"}),
        (Mapped(kind=None), "1", {"heartbeat": "alive"}),
    ],
)
def test_units_scales_and_inverts(source: Any, summary: Any, how: Mapped, value: str, said: dict[str, Any]) -> None:
    assert summary(source("json", base="x", topic="{device}", map={"s": how}).says("x/k", f'{{"s":{value}}}')) == said


def test_of_several_places_the_alarm_counts(source: Any, summary: Any) -> None:
    spoken = source("json", base="x", topic="{device}", map={"zones[*].wet": Mapped(kind="water_leak")})
    assert summary(spoken.says("x/k", '{"zones":[{"wet":0},{"wet":1},{"wet":0}]}')) == {"water_leak": "alarm"}


def test_a_devices_own_map_goes_first(source: Any, summary: Any) -> None:
    spoken = source("json", base="x", topic="{device}", map={"s": GAS})
    spoken.knows("k", "smoke", map={"s": Mapped(kind="smoke")})
    assert summary(spoken.hears("x/k", '{"s":1}')) == {"smoke": "alarm"}


def test_what_no_map_names_is_read_where_its_name_leaves_no_doubt(source: Any, summary: Any) -> None:
    spoken = source("json", base="x", topic="{device}", map={"s": GAS})
    payload = '{"s":0,"params":{"WaterLeak":{"value":1}},"door":1,"x":7,"list":[{"id":"smoke","value":true}]}'
    assert summary(spoken.says("x/k", payload)) == {"gas": "clear", "water_leak": "alarm", "smoke": "alarm"}


def test_of_a_message_of_which_nothing_can_be_read_all_is_listed(source: Any, summary: Any) -> None:
    payload = '{"id":"7","ts":1,"a":{"b":1},"list":[{"name":"c","value":true}]}'
    assert summary(source("json", base="x", topic="{device}").says("x/k", payload)) == {
        "heartbeat": "alive",
        "map:a.b": "1",
        "map:list[name=c].value": "true",
    }


# --- plain values ---


def test_a_topic_for_each_value(source: Any, summary: Any) -> None:
    spoken = source("json", base="x", topic="{device}/{field}", map={"zone1": Mapped(kind="smoke")})
    assert summary(spoken.says("x/k/zone1", "ON")) == {"smoke": "alarm"}
    assert summary(spoken.says("x/k/battery", "80")) == {"battery": 80.0}
    assert summary(spoken.says("x/k/zone2", "ON")) == {"heartbeat": "alive", "map:zone2": "ON"}


def test_the_payload_as_a_whole(source: Any, summary: Any) -> None:
    spoken = source("json", base="x", topic="{device}", map={".": Mapped(kind="contact")})
    assert summary(spoken.says("x/k", "open")) == {"contact": "open"}
    assert summary(spoken.says("x/k", '"closed"')) == {"contact": "closed"}


# --- availability, time, what is ignored ---


@pytest.mark.parametrize(
    ("topic", "payload", "said"),
    [
        ("x/k/there", '{"state":1}', {"availability": "online"}),
        ("x/k/there", '{"state":"DOWN"}', {"availability": "offline"}),
        ("x/k/there", '{"state":"perhaps"}', {"aside": "invalid_value"}),
        ("x/k/there", "{", {"aside": "invalid_value"}),
        ("x/k/there", "", {"ignored": "retained_clear"}),
        ("x/box/status", "online", {"gateway:box": "online"}),
        ("x/box/status", '"offline"', {"gateway:box": "offline"}),
        ("x/k/log", "whatever", {"ignored": "not_a_safety_sensor"}),
        ("x/k/state", '{"cmd":"read_rsp","s":1}', {"ignored": "not_a_safety_sensor"}),
        ("x/k/state", "", {"ignored": "empty_payload"}),
        ("x/k/state", "{", {"aside": "malformed_json"}),
        ("x/k/state", b"\xff\xfe", {"aside": "malformed_json"}),
    ],
)
def test_availability_and_what_is_ignored(source: Any, summary: Any, topic: str, payload: Any, said: Any) -> None:
    layout = Layout(availability=(THERE, GATEWAY), ignore=("+/log",), ignore_where={"cmd": ("read_rsp", "write_rsp")})
    assert summary(source("json", base="x", topic="{device}/state", layout=layout).says(topic, payload)) == said


def test_what_tells_of_an_earlier_time_is_historic(source: Any) -> None:
    """Invariant stale-does-not-page."""
    layout = Layout(historic_where={"type": ("history",)})
    spoken = source("json", base="x", topic="{device}", layout=layout, map={"s": GAS})
    assert [one.freshness for one in spoken.says("x/k", '{"type":"history","s":1}').readings] == [Freshness.HISTORIC]
    assert [one.freshness for one in spoken.says("x/k", '{"type":"now","s":1}').readings] == [Freshness.LIVE]
    assert [one.freshness for one in spoken.says("x/k", '{"s":1}', retain=True).readings] == [Freshness.RETAINED]


@pytest.mark.parametrize(
    ("value", "form", "zone", "read"),
    [
        ("2026-11-23T19:59:59+08:00", None, None, "11:59:59"),
        (1795435199, None, None, "11:59:59"),
        ("1795435199000", None, None, "11:59:59"),
        (1795435199, "s", None, "11:59:59"),
        (1795435199000000, "us", None, "11:59:59"),
        (1795435199000000000, "ns", None, "11:59:59"),
        ("2026-11-23 19:59:59", None, None, None),
        ("2026-11-23 19:59:59", None, "Asia/Shanghai", "11:59:59"),
        ("23/11/2026 19:59", "%d/%m/%Y %H:%M", "Asia/Shanghai", "11:59:00"),
        ("23/11/2026 19:59", "%Y", "Asia/Shanghai", None),
        (2.46, None, None, None),
        ("yesterday", None, None, None),
        (True, "s", None, None),
        (1e300, "ms", None, None),
        (4102444800, "s", None, None),
    ],
)
def test_a_devices_own_time(value: Any, form: str | None, zone: str | None, read: str | None) -> None:
    at = json_times.read(value, Layout(time="t", time_format=form, time_zone=zone), NOON)
    assert (at and f"{at:%H:%M:%S}") == read


# --- whatever comes ---

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["s", "value", "name", "gas", "did", "params"]), inner, max_size=4)
    ),
    max_leaves=12,
)
SOURCE = Source(
    id="s",
    dialect="json",
    base="x",
    topic="{gateway}/{device}",
    layout=Layout(
        topics=("up",), each="params[*]", device="did", time="s", availability=(THERE,), ignore_where={"s": ("a",)}
    ),
    map={"s": GAS, "value[*].s": Mapped(kind="smoke"), "a[": GAS},
)


@given(
    document=VALUES | st.fixed_dictionaries({"params": st.lists(VALUES, max_size=3)}),
    binary=st.binary(max_size=30),
    use=st.booleans(),
    rest=st.sampled_from(["up", "a/b", "a/there", "x/y/z"]),
)
def test_nothing_raises(document: Any, binary: bytes, use: bool, rest: str) -> None:
    """Invariant nothing-dropped."""
    decoder = Decoder([SOURCE])
    payload = binary if use else json.dumps(document).encode("utf-8", "surrogatepass")
    message = Message(f"x/{rest}", payload, False, NOON)
    world = World()
    for name in decoder.names(message):
        world.devices[name] = Device(id="d", home_id="h", kind="gas", source="s", name=name[1])
    decoded = decoder.decode(message, world)
    assert decoded.quarantine is None or decoded.quarantine[0] != "decoder_error"


def test_a_layout_that_cannot_be_read_stops_nothing(source: Any, summary: Any) -> None:
    """The files are checked; what is in the database may be older than the check."""
    layout = Layout(topics=("{x}",), ignore=("#/a",), ignore_where={"a[": ("1",)})
    spoken = source("json", base="x", topic="{device}", layout=layout, map={"s": GAS, "a[": GAS})
    assert summary(spoken.says("x/k", '{"s":1}')) == {"gas": "alarm"}
