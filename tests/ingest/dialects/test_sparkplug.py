import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.decode import Decoder, World
from ingest.dialects import sparkplug_schema as schema
from ingest.dialects import sparkplug_wire as wire
from ingest.message import Message
from rules.community import Device, Mapped, Source
from rules.readings import Freshness

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
#: A session as another implementation (pysparkplug) writes it on the wire; data say neither names nor types.
FILE = Path(__file__).parents[1] / "payloads" / "sparkplug.json"
WIRE = {name: base64.b64decode(text) for name, text in json.loads(FILE.read_text("utf-8")).items()}
NODE = "yulin/box 1"
DEVICE = f"{NODE}/home 12"


def topic(kind: str) -> str:
    return f"spBv1.0/yulin/{kind}/box 1" + ("/home 12" if kind.startswith("D") else "")


@pytest.fixture
def born(source: Any) -> Any:
    """A source whose node and device have been born, and whose device is registered."""
    spoken = source("sparkplug")
    spoken.knows(DEVICE)
    spoken.hears(topic("NBIRTH"), WIRE["nbirth"])
    spoken.hears(topic("DBIRTH"), WIRE["dbirth"])
    return spoken


# --- births ---


def test_a_birth_is_a_snapshot_and_its_device_is_online(source: Any, summary: Any) -> None:
    """Invariant stale-does-not-page: what stood when the node was born is merged, and of its start."""
    spoken = source("sparkplug")
    spoken.knows(DEVICE)
    decoded = spoken.hears(topic("DBIRTH"), WIRE["dbirth"])
    assert summary(decoded) == {
        "availability": "online",
        "gas": "clear",
        "smoke": "alarm",
        "contact": "closed",
        "carbon_monoxide_concentration": "unknown",
        "battery": 80.0,
        "map:relay": "true",
        "measurement:temperature": 21.5,
    }
    assert all(one.merged and one.startup for one in decoded.readings if one.kind != "availability")


def test_a_nodes_birth_says_that_the_gateway_has_started(source: Any) -> None:
    gateway = source("sparkplug").hears(topic("NBIRTH"), WIRE["nbirth"]).gateway
    assert (gateway.state, gateway.name, gateway.started_at) == ("online", NODE, NOON)


def test_what_a_birth_teaches_is_kept_of_those_in_no_file_too(source: Any, summary: Any) -> None:
    spoken = source("sparkplug")
    decoded = spoken.hears(topic("DBIRTH"), WIRE["dbirth"])
    assert decoded.strangers == (DEVICE,)
    spoken.knows(DEVICE)
    assert summary(spoken.hears(topic("DDATA"), WIRE["ddata_gas"])) == {"gas": "alarm"}


# --- data ---


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ("ddata_gas", {"gas": "alarm"}),
        ("ddata_co", {"carbon_monoxide_concentration": "unknown", "battery": 15.0}),
        ("ddata_null", {"smoke": "unknown"}),
        ("ddata_door", {"contact": "open"}),
        ("ddata_named", {"smoke": "clear"}),
        ("ddata_unknown", {"gas": "alarm", "aside": "unknown_alias"}),
    ],
)
def test_data_by_alias(born: Any, summary: Any, payload: str, said: dict[str, Any]) -> None:
    decoded = born.hears(topic("DDATA"), WIRE[payload])
    assert summary(decoded) == said
    assert not any(one.merged or one.startup for one in decoded.readings)


def test_late_samples_are_historic_each_with_its_time(born: Any) -> None:
    """Invariant stale-does-not-page."""
    readings = born.hears(topic("DDATA"), WIRE["ddata_late"]).readings
    assert [(one.state, one.freshness) for one in readings] == [
        ("alarm", Freshness.HISTORIC),
        ("clear", Freshness.HISTORIC),
    ]
    assert readings[0].observed_at < readings[1].observed_at < NOON


def test_without_a_birth_nothing_is_guessed(source: Any, summary: Any) -> None:
    spoken = source("sparkplug")
    spoken.knows(DEVICE)
    decoded = spoken.hears(topic("DDATA"), WIRE["ddata_gas"])
    assert summary(decoded) == {"heartbeat": "alive", "aside": "unknown_alias"}
    assert "rebirth" in decoded.quarantine[1]


def test_another_devices_aliases_are_its_own(born: Any, summary: Any) -> None:
    born.knows(f"{NODE}/home 13")
    decoded = born.hears("spBv1.0/yulin/DDATA/box 1/home 13", WIRE["ddata_gas"])
    assert summary(decoded) == {"heartbeat": "alive", "aside": "unknown_alias"}


def test_a_node_that_is_but_a_gateway_is_no_stranger(born: Any, summary: Any) -> None:
    assert summary(born.hears(topic("NDATA"), WIRE["ndata"])) == {"ignored": "gateway_message"}


def test_a_node_with_sensors_of_its_own_is_a_device(source: Any, summary: Any) -> None:
    spoken = source("sparkplug")
    payload = '{"metrics":[{"name":"smoke","dataType":"Boolean","value":true}],"seq":1}'
    assert spoken.hears(topic("NDATA"), payload).strangers == (NODE,)
    spoken.knows(NODE)
    assert summary(spoken.hears(topic("NDATA"), payload)) == {"smoke": "alarm"}


def test_a_map_goes_before_a_name(born: Any, summary: Any) -> None:
    born.knows(
        DEVICE, map={"kitchen/gas_alarm": Mapped(kind="smoke"), "relay": Mapped(kind="sos", states={"true": "pressed"})}
    )
    assert summary(born.hears(topic("DDATA"), WIRE["ddata_gas"])) == {"smoke": "alarm"}


# --- deaths ---


def test_a_device_dies(born: Any, summary: Any) -> None:
    assert summary(born.hears(topic("DDEATH"), WIRE["ddeath"])) == {"availability": "offline"}


def test_a_nodes_death_is_the_gateways_and_only_of_its_last_session(born: Any, summary: Any) -> None:
    assert summary(born.hears(topic("NDEATH"), WIRE["ndeath_old"])) == {"ignored": "gateway_message"}
    assert summary(born.hears(topic("NDEATH"), WIRE["ndeath"])) == {f"gateway:{NODE}": "offline"}


def test_a_death_without_a_birth_is_believed(source: Any, summary: Any) -> None:
    assert summary(source("sparkplug").hears(topic("NDEATH"), WIRE["ndeath_old"])) == {f"gateway:{NODE}": "offline"}


# --- JSON and the rest ---

OPEN = '{"name":"door_open","dataType":"Boolean","value":true}'


@pytest.mark.parametrize(
    ("metrics", "said"),
    [
        ('{"name":"Alarm/Gas","dataType":"Int32","value":1}', {"gas": "alarm"}),
        ('{"name":"smoke","dataType":"Boolean","value":false}', {"smoke": "clear"}),
        ('{"name":"smoke","dataType":"Boolean","is_null":true,"value":false}', {"smoke": "unknown"}),
        ('{"name":"smoke","dataType":"Boolean","isNull":true}', {"smoke": "unknown"}),
        ('{"name":"smoke","booleanValue":true}', {"smoke": "alarm"}),
        ('{"name":"battery","type":"Int8","value":255}', {"heartbeat": "alive"}),
        (OPEN, {"contact": "open"}),
        ('{"name":"Switch 1","dataType":"Boolean","value":true}', {"heartbeat": "alive", "map:Switch 1": "true"}),
        ('{"name":"Valve","dataType":"String","value":"OPEN"}', {"heartbeat": "alive", "map:Valve": "OPEN"}),
        ('{"name":"Firmware","dataType":"String","value":"1.2"}', {"heartbeat": "alive"}),
        ('{"name":"Properties/Smoke","dataType":"Boolean","value":true}', {"heartbeat": "alive"}),
        ('{"name":"self_test","value":true},{"name":"gas_alarm","value":true}', {"test": "active", "gas": "alarm"}),
        ("7", {"heartbeat": "alive"}),
    ],
)
def test_json_metrics(source: Any, summary: Any, metrics: str, said: dict[str, Any]) -> None:
    payload = f'{{"timestamp":1795435199000,"metrics":[{metrics}],"seq":1}}'
    decoded = source("sparkplug").says(topic("DDATA"), payload)
    assert summary(decoded) == said
    assert all(one.under_test for one in decoded.readings if "test" in said)


def test_a_plain_alarm_is_of_what_the_device_is(source: Any, summary: Any) -> None:
    payload = '{"metrics":[{"name":"Alarm","value":true}]}'
    assert summary(source("sparkplug").says(topic("DDATA"), payload, kind="smoke")) == {"smoke": "alarm"}
    said = {"heartbeat": "alive", "map:Alarm": "true"}
    assert summary(source("sparkplug").says(topic("DDATA"), payload, kind="contact")) == said


@pytest.mark.parametrize(
    ("at", "payload", "said"),
    [
        ("spBv1.0/STATE/my_host", '{"online":false,"timestamp":1486144502122}', {"ignored": "gateway_message"}),
        ("spBv1.0/yulin/NCMD/box 1", b"\x12\x00", {"ignored": "command"}),
        ("spBv1.0/yulin/DCMD/box 1/home 12", b"", {"ignored": "command"}),
        ("spBv1.0/yulin/DDATA/box 1", b"", {"aside": "unknown_topic"}),
        ("spBv1.0/x", b"", {"aside": "unknown_topic"}),
        ("spBv1.0/yulin/DDATA/box 1/home 12", b"", {"ignored": "empty_payload"}),
        ("spBv1.0/yulin/DDATA/box 1/home 12", b"\xff\xff\xff", {"aside": "malformed_payload"}),
        ("spBv1.0/yulin/DDATA/box 1/home 12", b"{", {"aside": "malformed_payload"}),
        ("spBv1.0/yulin/DDATA/box 1/home 12", b'{"seq":1}', {"aside": "malformed_payload"}),
        ("spBv1.0/yulin/DDATA/box 1/home 12", b'{"metrics":7}', {"aside": "malformed_payload"}),
    ],
)
def test_the_rest(source: Any, summary: Any, at: str, payload: Any, said: dict[str, Any]) -> None:
    assert summary(source("sparkplug").hears(at, payload)) == said


def test_templates_are_read_as_folders_and_their_definitions_are_not() -> None:
    payload = schema._PAYLOAD()
    for name, defines in (("box", False), ("_types_/box", True)):
        metric = payload.metrics.add(name=name)
        metric.template_value.is_definition = defines
        metric.template_value.metrics.add(name="smoke", boolean_value=True)
    assert [(one.name, one.value) for one in wire.read(payload.SerializeToString()).metrics] == [("box/smoke", True)]


def test_a_unit_in_a_birth_is_taken(source: Any) -> None:
    payload = schema._PAYLOAD()
    metric = payload.metrics.add(name="gas_concentration", double_value=4.5)
    metric.properties.keys.append("engUnit")
    metric.properties.values.add(string_value="%LEL")
    reading = source("sparkplug").says(topic("DBIRTH"), payload.SerializeToString()).readings[-1]
    assert (reading.kind, reading.value, reading.unit) == ("gas_concentration", 4.5, "%LEL")


@pytest.mark.parametrize(
    ("value", "datatype", "typed"),
    [
        (255, 1, -1),
        (65535, 2, -1),
        (2**32 - 1, 3, -1),
        (2**64 - 1, 4, -1),
        (255, 5, 255),
        (1, 11, True),
        (2, 11, 2),
        (-1, 3, -1),
    ],
)
def test_the_wire_has_no_signs(value: int, datatype: int, typed: Any) -> None:
    assert wire.typed(value, datatype) == typed


VALUES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.lists(st.integers(), max_size=2)
)
KEYS = ["name", "alias", "value", "timestamp", "dataType", "is_null", "is_historical", "booleanValue"]
METRICS = st.lists(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6) | VALUES, max_size=3)
DOCUMENTS = st.fixed_dictionaries({"metrics": METRICS | VALUES}, optional={"timestamp": VALUES, "seq": VALUES})


@given(
    kind=st.sampled_from(["NBIRTH", "NDATA", "NDEATH", "DBIRTH", "DDATA", "DDEATH"]),
    document=DOCUMENTS,
    binary=st.binary(max_size=40),
    use=st.booleans(),
)
def test_nothing_raises(kind: str, document: Any, binary: bytes, use: bool) -> None:
    """Invariant nothing-dropped."""
    decoder = Decoder([Source(id="s", dialect="sparkplug", base="spBv1.0")])
    text = json.dumps(document).replace("NaN", "null").replace("Infinity", "1")
    message = Message(topic(kind), binary if use else text.encode("utf-8", "surrogatepass"), False, NOON)
    world = World()
    for name in decoder.names(message):
        world.devices[name] = Device(id="d", home_id="h", kind="smoke", source="s", name=name[1])
        world.definitions[name] = {"aliases": {"1": "smoke"}, "types": 7, "bd_seq": "x"}
    decoded = decoder.decode(message, world)
    assert decoded.quarantine is None or decoded.quarantine[0] != "decoder_error"


@given(
    value=st.sampled_from([None, -1, "", "unknown", "unavailable", 999, 1.5e300, []]),
    name=st.sampled_from(["smoke", "gas_alarm", "door_open", "water_leak"]),
)
def test_nothing_unknown_becomes_clear(value: Any, name: str) -> None:
    """Invariant unknown-is-not-clear."""
    decoder = Decoder([Source(id="s", dialect="sparkplug", base="spBv1.0")])
    payload = json.dumps({"metrics": [{"name": name, "value": value}]}).encode()
    world = World(devices={("s", DEVICE): Device(id="d", home_id="h", kind="", source="s", name=DEVICE)})
    decoded = decoder.decode(Message(topic("DDATA"), payload, False, NOON), world)
    assert not {"clear", "closed"} & {one.state for one in decoded.readings}
