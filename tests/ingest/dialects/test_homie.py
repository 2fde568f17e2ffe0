import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.decode import Decoder, World
from ingest.message import Message
from rules.community import Device, Mapped, Source
from rules.readings import Freshness

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def homie(source: Any) -> Any:
    return source("homie")


def property_of(site: Any, path: str, **attributes: str) -> None:
    for name, value in attributes.items():
        site.hears(f"homie/{path}/${name}", value, retain=True)


def described(nodes: dict[str, Any], **more: Any) -> str:
    return json.dumps({"homie": "5.0", "version": 1, "name": "x", "nodes": nodes} | more)


@pytest.mark.parametrize(
    ("topic", "payload", "said"),
    [
        ("homie/flat-301/kitchen/gas", "true", {"gas": "alarm"}),
        ("homie/flat-301/kitchen/gas", "false", {"gas": "clear"}),
        ("homie/flat-301/kitchen/gas", "unknown", {"gas": "unknown"}),
        ("homie/flat-301/kitchen/gas", "nan", {"gas": "unknown"}),
        ("homie/flat-301/kitchen/gas", "TRUE!", {"gas": "unknown"}),
        ("homie/flat-301/gas-sensor/state", "alarm", {"gas": "alarm"}),
        ("homie/flat-301/smoke-detector/alarm", "true", {"smoke": "alarm"}),
        ("homie/flat-301/co/alarm", "1", {"carbon_monoxide": "alarm"}),
        ("homie/flat-301/kitchen/water-leak", "true", {"water_leak": "alarm"}),
        ("homie/flat-301/front-door/open", "true", {"contact": "open"}),
        ("homie/flat-301/front-door/open", "false", {"contact": "closed"}),
        ("homie/flat-301/front-door/contact", "open", {"contact": "open"}),
        ("homie/flat-301/front-door/contact", "true", {"map:front-door/contact": "true"}),
        ("homie/flat-301/hall/motion", "true", {"motion": "detected"}),
        ("homie/flat-301/box/battery", "73", {"battery": 73.0}),
        ("homie/flat-301/air/temperature", "21.5", {"measurement:temperature": 21.5}),
        ("homie/flat-301/air/mood", "gloomy", {"map:air/mood": "gloomy"}),
        ("homie/flat-301/$stats/battery", "80", {"battery": 80.0}),
        ("homie/flat-301/$stats/uptime", "120", {"heartbeat": "alive"}),
        ("homie/flat-301/light/power/set", "true", {"ignored": "command"}),
        ("homie/5/flat-301/light/power/set", "true", {"ignored": "command"}),
        ("homie/5/flat-301/light/power/$target", "true", {"ignored": "attribute"}),
        ("homie/5/flat-301/kitchen/gas", "true", {"gas": "alarm"}),
        ("homie/$broadcast/alert", "Intruder detected", {"ignored": "broadcast"}),
        ("homie/5/$broadcast/security/alert", "Intruder detected", {"ignored": "broadcast"}),
        ("homie/5/flat-301/$log/warn", "low memory", {"ignored": "log"}),
        ("homie/flat-301/$homie", "4.0.0", {"ignored": "attribute"}),
        ("homie/flat-301/$nodes", "kitchen,hall", {"ignored": "attribute"}),
        ("homie/flat-301/kitchen/$name", "Kitchen", {"ignored": "attribute"}),
        ("homie/flat-301/kitchen/gas/$datatype", "boolean", {"ignored": "attribute"}),
        ("homie/flat-301/kitchen/gas", "", {"ignored": "empty_payload"}),
        ("homie/flat-301/kitchen", "x", {"aside": "unknown_topic"}),
        ("homie/flat-301/$state", "init", {"availability": "online"}),
        ("homie/flat-301/$state", "ready", {"availability": "online"}),
        ("homie/flat-301/$state", "disconnected", {"availability": "offline"}),
        ("homie/flat-301/$state", "lost", {"availability": "offline"}),
        ("homie/flat-301/$state", "sleeping", {"availability": "sleeping"}),
        ("homie/flat-301/$state", "alert", {"availability": "online", "fault": "alarm"}),
        ("homie/5/flat-301/$state", "lost", {"availability": "offline"}),
        ("homie/flat-301/$state", "dreaming", {"aside": "invalid_value"}),
        ("homie/5/flat-301/$description", "{", {"aside": "malformed_json"}),
        ("homie/5/flat-301/$description", "[]", {"aside": "invalid_value"}),
    ],
)
def test_what_each_message_says_by_itself(
    homie: Any, summary: Any, topic: str, payload: str, said: dict[str, Any]
) -> None:
    assert summary(homie.says(topic, payload)) == said


# --- what a device says of itself, versions 3 and 4 ---


def test_a_name_tells_what_an_id_does_not(homie: Any, summary: Any) -> None:
    property_of(homie, "d/n/p1", name="Smoke alarm", datatype="boolean")
    assert summary(homie.says("homie/d/n/p1", "true")) == {"smoke": "alarm"}


def test_a_nodes_type_tells_what_its_properties_are(homie: Any, summary: Any) -> None:
    homie.hears("homie/d/n1/$type", "gas detector")
    assert summary(homie.says("homie/d/n1/state", "alarm")) == {"gas": "alarm"}


@pytest.mark.parametrize(
    ("form", "payload", "state"),
    [
        ("closed,open", "true", "open"), ("closed,open", "false", "closed"),
        ("open,closed", "true", "closed"), ("open,closed", "false", "open"),
        ("off,on", "true", None), ("", "true", None),
    ],
)  # fmt: skip
def test_a_format_says_which_way_round(homie: Any, summary: Any, form: str, payload: str, state: str | None) -> None:
    property_of(homie, "d/door/contact", datatype="boolean", format=form)
    said = summary(homie.says("homie/d/door/contact", payload))
    assert said.get("contact") == state
    assert (state is None) == any(one.startswith("map:") for one in said)


@pytest.mark.parametrize(
    ("form", "payload", "state"),
    [
        ("ok,alarm", "true", "alarm"),
        ("alarm,ok", "true", "clear"),
        ("alarm,ok", "false", "alarm"),
        ("a,b", "true", "alarm"),
    ],
)
def test_so_it_does_of_a_hazard(homie: Any, summary: Any, form: str, payload: str, state: str) -> None:
    property_of(homie, "d/n/gas", datatype="boolean", format=form)
    assert summary(homie.says("homie/d/n/gas", payload)) == {"gas": state}


@pytest.mark.parametrize(
    ("attributes", "payload", "said"),
    [
        ({"datatype": "float", "unit": "ppm"}, "12.5", {"gas_concentration": 12.5}),
        ({"datatype": "float", "unit": "ppm"}, "1", {"gas_concentration": 1.0}),
        ({"datatype": "integer"}, "1", {"gas": "alarm"}),
        ({"datatype": "integer"}, "0", {"gas": "clear"}),
        ({"datatype": "integer"}, "nan", {"gas": "unknown"}),
        ({"datatype": "enum", "format": "normal,alarm,fault"}, "alarm", {"gas": "alarm"}),
        ({"datatype": "enum", "format": "normal,alarm,fault"}, "fault", {"fault": "alarm"}),
        ({"datatype": "datetime"}, "2026-11-23T12:00:00Z", {"ignored": "attribute"}),
    ],
)
def test_a_datatype_tells_an_amount_from_an_alarm(
    homie: Any, summary: Any, attributes: dict[str, str], payload: str, said: dict[str, Any]
) -> None:
    property_of(homie, "d/n/gas", **attributes)
    assert summary(homie.says("homie/d/n/gas", payload)) == said


def test_what_can_be_set_and_says_nothing_else_is_no_sensor(homie: Any, summary: Any) -> None:
    property_of(homie, "d/lamp/power", datatype="boolean", settable="true")
    assert summary(homie.says("homie/d/lamp/power", "true")) == {"ignored": "not_a_safety_sensor"}


def test_a_momentary_property_is_a_press(homie: Any, summary: Any) -> None:
    property_of(homie, "d/bell/action", datatype="enum", format="single,double", retained="false")
    homie.knows("d", "sos")
    assert summary(homie.hears("homie/d/bell/action", "single")) == {"sos": "pressed"}
    kept = homie.hears("homie/d/bell/action", "single", retain=True)
    assert (summary(kept), kept.readings[0].freshness) == ({"button": "single"}, Freshness.RETAINED)


# --- version 5 ---


def test_a_description_says_it_all(homie: Any, summary: Any) -> None:
    nodes = {
        "n1": {
            "name": "Kitchen gas",
            "type": "detector",
            "properties": {
                "state": {"datatype": "boolean", "format": "ok,alarm"},
                "level": {"datatype": "float", "unit": "%LEL", "name": "Gas concentration"},
                "door": {"datatype": "boolean", "format": "close,open"},
            },
        }
    }
    decoded = homie.hears("homie/5/d/$description", described(nodes), retain=True)
    assert set(decoded.learnt) == {"#d/n1/state", "#d/n1/level", "#d/n1/door"}
    assert homie.hears("homie/5/d/$description", described(nodes), retain=True).learnt is None
    assert summary(homie.says("homie/5/d/n1/state", "true")) == {"gas": "alarm"}
    assert summary(homie.says("homie/5/d/n1/level", "12")) == {"gas_concentration": 12.0}
    assert summary(homie.says("homie/5/d/n1/door", "false")) == {"contact": "closed"}


def test_nodes_may_be_a_list_too(homie: Any, summary: Any) -> None:
    nodes = [{"id": "n", "name": "N", "properties": [{"id": "p", "name": "Smoke", "datatype": "boolean"}]}]
    homie.hears("homie/d/$description", json.dumps({"homie": "5.0", "nodes": nodes}))
    assert summary(homie.says("homie/d/n/p", "true")) == {"smoke": "alarm"}


def test_alerts_come_and_go(homie: Any, summary: Any) -> None:
    homie.knows("d")
    said = [
        summary(homie.hears(f"homie/5/d/$alert/{name}", payload))
        for name, payload in (("sensor", "dead"), ("radio", "weak"), ("sensor", ""), ("radio", ""), ("battery", "8%"))
    ]
    assert said == [{"fault": "alarm"}, {"fault": "alarm"}, {"fault": "alarm"}, {"fault": "clear"}, {"battery": "low"}]


def test_the_alert_of_version_4_is_over_when_the_device_is_ready(homie: Any, summary: Any) -> None:
    homie.knows("d")
    homie.hears("homie/d/$state", "alert")
    assert summary(homie.hears("homie/d/$state", "ready")) == {"availability": "online", "fault": "clear"}
    assert summary(homie.hears("homie/d/$state", "ready")) == {"availability": "online"}


def test_children_are_lost_with_their_root_and_no_longer(homie: Any) -> None:
    for name in ("bridge", "door", "sleeper"):
        homie.knows(name)
    homie.hears("homie/5/bridge/$description", described({}, children=["door", "sleeper"]))
    homie.hears("homie/5/door/$description", described({}, root="bridge"))
    homie.hears("homie/5/door/$state", "ready")
    homie.hears("homie/5/sleeper/$state", "sleeping")

    def said(state: str) -> dict[str, Any]:
        return {one.device_id: one.state for one in homie.hears("homie/5/bridge/$state", state).readings}

    assert said("ready") == {"bridge": "online"}
    assert said("lost") == dict.fromkeys(("bridge", "door", "sleeper"), "offline")
    assert said("ready") == {"bridge": "online", "door": "online", "sleeper": "sleeping"}


def test_what_a_device_says_while_it_begins_is_what_it_remembers(homie: Any) -> None:
    """Invariant stale-does-not-page."""
    homie.knows("d", "gas")
    homie.hears("homie/d/$state", "init")
    assert homie.hears("homie/d/n/gas", "true").readings[0].startup
    homie.hears("homie/d/$state", "ready")
    assert not homie.hears("homie/d/n/gas", "true").readings[0].startup


# --- names and maps ---


def test_a_node_may_be_a_device_of_its_own(homie: Any) -> None:
    homie.knows("d/kitchen", "gas")
    homie.knows("d/hall", "smoke")
    assert [one.device_id for one in homie.hears("homie/d/kitchen/gas", "true").readings] == ["d/kitchen"]
    assert [one.device_id for one in homie.hears("homie/d/hall/smoke", "true").readings] == ["d/hall"]
    gone = homie.hears("homie/d/$state", "lost").readings
    assert [(one.device_id, one.state) for one in gone] == [("d/hall", "offline"), ("d/kitchen", "offline")]
    assert homie.hears("homie/e/$state", "lost").strangers == ("e",)


def test_the_base_may_hold_the_version(source: Any, summary: Any) -> None:
    assert summary(source("homie", base="village/5").says("village/5/d/kitchen/gas", "true")) == {"gas": "alarm"}


@pytest.mark.parametrize("field", ["n/d0", "d0"])
def test_a_map_says_what_nobody_can_know(homie: Any, summary: Any, field: str) -> None:
    homie.knows("d", map={field: Mapped(kind="smoke", states={"false": "alarm", "true": "clear"})})
    said = [summary(homie.hears("homie/d/n/d0", payload)) for payload in ("false", "true", "nan")]
    assert said == [{"smoke": "alarm"}, {"smoke": "clear"}, {"smoke": "unknown"}]


# --- anything at all ---

_TOPICS = st.sampled_from(
    [
        f"homie/{one}"
        for one in (
            "d/n/gas",
            "d/n/p",
            "d/$state",
            "d/$description",
            "5/d/n/gas",
            "5/d/$alert/x",
            "d/n/gas/$format",
            "$x",
            "5",
            "//",
            "d",
            "5/$state",
            "d/$stats/battery",
            "d/n/$name",
        )
    ]
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["nodes", "properties", "id", "children", "root", "name", "format", "datatype"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)


@given(
    topic=_TOPICS,
    payload=st.binary(max_size=20)
    | st.sampled_from([b"true", b"nan", b"-1"])
    | _VALUES.map(lambda one: json.dumps(one).encode()),
    retain=st.booleans(),
    said=st.dictionaries(
        st.sampled_from(["name", "datatype", "format", "unit", "retained", "settable"]), st.text(max_size=9)
    ),
)
def test_no_payload_is_too_much(topic: str, payload: bytes, retain: bool, said: dict[str, str]) -> None:
    """Invariants nothing-dropped and unknown-is-not-clear."""
    decoder = Decoder([Source(id="s", dialect="homie", base="homie")])
    device = Device(id="d", home_id="h", kind="gas", source="s", name="d")
    message = Message(topic, payload, retain, NOON)
    decoder.names(message)
    decoded = decoder.decode(message, World(devices={("s", "d"): device}, definitions={("s", "#d/n/gas"): said}))
    assert decoded.quarantine is None or decoded.quarantine[0] != "decoder_error"
    if topic.endswith("/gas") and payload.strip().lower() not in {b"false", b"0", b"0.0", b"-0.0", b"true", b"1"}:
        assert all(one.state != "clear" for one in decoded.readings)
