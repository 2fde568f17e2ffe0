import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.decode import Decoded, Decoder, World
from ingest.message import Message
from rules.community import Device, Mapped, Source
from rules.readings import KINDS, Freshness

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
GAS = "shellies/shellygas-AABBCCDDEEFF"
SMOKE = "shellies/shellysmoke-0D01BB"
Summary = Callable[[Decoded], dict[str, Any]]


@pytest.fixture
def site(source: Any) -> Any:
    return source("shelly-gen1")


# --- one topic each ---


@pytest.mark.parametrize(
    ("topic", "payload", "said"),
    [
        ("shellygas-1/sensor/gas", "none", {"gas": "clear"}),
        ("shellygas-1/sensor/gas", "mild", {"gas": "alarm"}),
        ("shellygas-1/sensor/gas", "heavy", {"gas": "alarm"}),
        ("shellygas-1/sensor/gas", "test", {"test": "active"}),
        ("shellygas-1/sensor/gas", "unknown", {"gas": "unknown"}),
        ("shellygas-1/sensor/gas", "-1", {"gas": "unknown"}),
        ("shellygas-1/sensor/gas", "NONE", {"gas": "unknown"}),
        ("shellygas-1/sensor/operation", "normal", {"fault": "clear", "warmup": "inactive"}),
        ("shellygas-1/sensor/operation", "warmup", {"warmup": "active", "gas": "unknown"}),
        ("shellygas-1/sensor/operation", "fault", {"fault": "alarm", "gas": "unknown"}),
        ("shellygas-1/sensor/operation", "unknown", {"fault": "unknown", "gas": "unknown"}),
        ("shellygas-1/sensor/operation", "", {"ignored": "empty_payload"}),
        ("shellygas-1/sensor/self_test", "not_completed", {"test": "inactive"}),
        ("shellygas-1/sensor/self_test", "pending", {"test": "inactive"}),
        ("shellygas-1/sensor/self_test", "running", {"test": "active"}),
        ("shellygas-1/sensor/self_test", "completed", {"test": "passed"}),
        ("shellygas-1/sensor/self_test", "nonsense", {"test": "unknown"}),
        ("shellygas-1/sensor/concentration", "12", {"gas_concentration": 12.0}),
        ("shellygas-1/sensor/concentration", "-1", {"gas_concentration": "unknown", "ignored": "invalid_value"}),
        ("shellygas-1/sensor/mute", "mute", {"ignored": "command"}),
        ("shellygas-1/sensor/unmute", "unmute", {"ignored": "command"}),
        ("shellygas-1/sensor/start_self_test", "self_test", {"ignored": "command"}),
        ("shellygas-1/valve/0/command", "close", {"ignored": "command"}),
        ("shellygas-1/valve/0", "closed", {"heartbeat": "alive", "ignored": "not_a_safety_sensor"}),
        ("shellysmoke-1/sensor/smoke", "true", {"smoke": "alarm"}),
        ("shellysmoke-1/sensor/smoke", "false", {"smoke": "clear"}),
        ("shellysmoke-1/sensor/smoke", "1", {"smoke": "alarm"}),
        ("shellysmoke-1/sensor/smoke", "-1", {"smoke": "unknown"}),
        ("shellysmoke-1/sensor/smoke", "null", {"smoke": "unknown"}),
        ("shellysmoke-1/sensor/temperature", "21.5", {"measurement:temperature": 21.5}),
        ("shellysmoke-1/sensor/temperature", "999", {"measurement:temperature": "unknown"}),
        ("shellysmoke-1/sensor/battery", "88", {"battery": 88.0}),
        ("shellysmoke-1/sensor/battery", "-1", {"heartbeat": "alive"}),
        ("shellysmoke-1/sensor/error", "0", {"fault": "clear"}),
        ("shellysmoke-1/sensor/error", "1", {"fault": "alarm"}),
        ("shellysmoke-1/sensor/error", "what", {"fault": "unknown"}),
        ("shellysmoke-1/sensor/act_reasons", '["alarm"]', {"heartbeat": "alive", "ignored": "not_a_safety_sensor"}),
        ("shellyflood-1/sensor/flood", "true", {"water_leak": "alarm"}),
        ("shellyflood-1/sensor/flood", "false", {"water_leak": "clear"}),
        ("shellyflood-1/sensor/flood", "unknown", {"water_leak": "unknown"}),
        ("shellydw-1/sensor/state", "open", {"contact": "open"}),
        ("shellydw2-1/sensor/state", "close", {"contact": "closed"}),
        ("shellydw2-1/sensor/state", "unknown", {"contact": "unknown"}),
        ("shellydw2-1/sensor/state", "-1", {"contact": "unknown"}),
        ("shellydw2-1/sensor/state", "true", {"contact": "unknown"}),
        ("shellydw2-1/sensor/vibration", "1", {"vibration": "detected"}),
        ("shellydw2-1/sensor/vibration", "0", {"vibration": "clear"}),
        ("shellydw2-1/sensor/vibration", "-1", {"vibration": "unknown"}),
        ("shellydw2-1/sensor/lux", "12", {"measurement:lux": 12.0}),
        ("shellydw2-1/sensor/tilt", "3", {"heartbeat": "alive", "ignored": "not_a_safety_sensor"}),
        ("shellysense-1/sensor/motion", "true", {"motion": "detected"}),
        ("shellyht-1/sensor/humidity", "48.5", {"measurement:humidity": 48.5}),
        ("shellygas-1/online", "true", {"availability": "online"}),
        ("shellygas-1/online", "false", {"availability": "offline"}),
        ("shelly1-1/online", "false", {"availability": "offline"}),
        ("shellysmoke-1/online", "false", {"availability": "sleeping"}),
        ("shellydw2-1/online", "false", {"availability": "sleeping"}),
        ("shellymotionsensor-1/online", "false", {"availability": "sleeping"}),
        ("shellybutton1-1/online", "true", {"availability": "online"}),
        ("shellygas-1/online", "maybe", {"aside": "invalid_value"}),
        ("shelly1-1/relay/0", "on", {"heartbeat": "alive", "ignored": "not_a_safety_sensor"}),
        ("shelly1-1/relay/0/command", "on", {"ignored": "command"}),
        ("shelly1-1/input/0", "1", {"map:input/0": "1", "heartbeat": "alive"}),
        ("shellyuni-1/ext_switch/0", "0", {"map:ext_switch/0": "0", "heartbeat": "alive"}),
        ("announce", "{}", {"ignored": "announce"}),
        ("command", "announce", {"ignored": "command"}),
    ],
)
def test_what_each_topic_says(site: Any, summary: Summary, topic: str, payload: str, said: dict[str, Any]) -> None:
    assert summary(site.says(f"shellies/{topic}", payload)) == said


def test_a_mild_and_a_heavy_leak_are_told_apart(site: Any) -> None:
    assert site.says(f"{GAS}/sensor/gas", "heavy").readings[0].detail == "heavy"
    assert site.says(f"{GAS}/sensor/gas", "mild").readings[0].detail == "mild"


def test_a_detector_that_is_warming_up_or_broken_is_not_clear(site: Any, summary: Summary) -> None:
    """Invariant unknown-is-not-clear: it goes on saying `none`, until it says that it works again."""
    for operation in ("warmup", "fault", "unknown", "nonsense"):
        site.says(f"{GAS}/sensor/operation", operation)
        assert summary(site.says(f"{GAS}/sensor/gas", "none")) == {"gas": "unknown"}
        assert summary(site.says(f"{GAS}/sensor/gas", "heavy")) == {"gas": "alarm"}
    site.says(f"{GAS}/sensor/operation", "normal")
    assert summary(site.says(f"{GAS}/sensor/gas", "none")) == {"gas": "clear"}


def test_the_operation_is_written_down_only_when_it_changes(site: Any) -> None:
    assert site.says(f"{GAS}/sensor/operation", "normal").learnt == {"shellygas-AABBCCDDEEFF": {"operation": "normal"}}
    assert site.says(f"{GAS}/sensor/operation", "normal").learnt is None


# --- names and prefixes ---


@pytest.mark.parametrize("name", ["shellysmoke-0D01BB", "301-smoke", "1号楼/301/烟感", "info"])
def test_the_name_is_what_stands_before_the_channel(site: Any, name: str) -> None:
    site.knows(name, "smoke")
    assert [one.device_id for one in site.hears(f"shellies/{name}/sensor/smoke", "true").readings] == [name]


def test_a_device_in_no_file_is_a_stranger(site: Any, summary: Summary) -> None:
    decoded = site.hears(f"{SMOKE}/sensor/smoke", "true")
    assert (summary(decoded), list(decoded.strangers)) == ({"aside": "unknown_device"}, ["shellysmoke-0D01BB"])


@pytest.mark.parametrize(
    ("kind", "announced", "state"),
    [
        ("smoke", None, "sleeping"),
        ("contact", None, "sleeping"),
        ("gas", None, "offline"),
        ("", None, "offline"),
        ("gas", "SHSM-01", "sleeping"),
        ("smoke", "SHSW-1", "offline"),
        ("smoke", "SHUNI-1", "offline"),
    ],
)
def test_what_sleeps_is_not_offline_whatever_its_prefix(
    site: Any, summary: Summary, kind: str, announced: str | None, state: str
) -> None:
    site.knows("mine", kind)
    if announced is not None:
        site.hears("shellies/announce", json.dumps({"id": "mine", "model": announced, "mac": "AABBCCDDEEFF"}))
    assert summary(site.hears("shellies/mine/online", "false")) == {"availability": state}


def test_what_has_a_battery_sleeps(site: Any, summary: Summary) -> None:
    site.knows("mine")
    site.hears("shellies/mine/sensor/battery", "90")
    assert summary(site.hears("shellies/mine/online", "false")) == {"availability": "sleeping"}


def test_a_detector_wired_to_an_input_is_on_mains_power(site: Any, summary: Summary) -> None:
    site.knows("mine", "smoke", map={"input/0": Mapped(kind="smoke")})
    assert summary(site.hears("shellies/mine/online", "false")) == {"availability": "offline"}


# --- inputs and buttons ---


def test_what_is_wired_to_an_input_is_written_down(source: Any, summary: Summary) -> None:
    opens = Mapped(kind="contact", states={"1": "closed", "0": "open"})
    site = source("shelly-gen1", map={"input/1": opens, "relay/0": Mapped(kind=None)})
    site.knows("shellyuni-1", "smoke", map={"input/0": Mapped(kind="smoke")})
    said = {
        "input/0": [("1", {"smoke": "alarm"}), ("0", {"smoke": "clear"}), ("2", {"smoke": "unknown"})],
        "input/1": [("0", {"contact": "open"}), ("1", {"contact": "closed"}), ("-1", {"contact": "unknown"})],
        "relay/0": [("on", {"heartbeat": "alive"})],
    }
    for topic, cases in said.items():
        for payload, expected in cases:
            assert summary(site.hears(f"shellies/shellyuni-1/{topic}", payload)) == expected


@pytest.mark.parametrize(
    ("event", "kind", "said"),
    [
        ("S", "button", {"button": "single"}),
        ("SS", "button", {"button": "double"}),
        ("SSS", "button", {"button": "triple"}),
        ("L", "button", {"button": "long"}),
        ("S", "sos", {"sos": "pressed"}),
        ("L", "sos", {"sos": "pressed"}),
        ("LS", "sos", {"sos": "pressed"}),
        ("", "sos", {"heartbeat": "alive", "ignored": "empty_action_reset"}),
        ("X", "sos", {"map:input_event/0": "X"}),
    ],
)
def test_a_press(site: Any, summary: Summary, event: str, kind: str, said: dict[str, Any]) -> None:
    payload = json.dumps({"event": event, "event_cnt": 3})
    assert summary(site.says("shellies/shellybutton1-1/input_event/0", payload, kind=kind)) == said


def test_a_press_that_is_told_again_at_the_next_wake_up_is_none(site: Any, summary: Summary) -> None:
    """Invariant stale-does-not-page: the counter says so, of each input by itself."""
    site.knows("shellyix3-1", "sos")
    said = [
        summary(
            site.hears(f"shellies/shellyix3-1/input_event/{number}", json.dumps({"event": "S", "event_cnt": count}))
        )
        for number, count in ((0, 7), (0, 7), (1, 7), (0, 8), (0, 0), (0, 0))
    ]
    again = {"heartbeat": "alive", "ignored": "empty_action_reset"}
    pressed = {"sos": "pressed"}
    assert said == [pressed, again, pressed, pressed, pressed, again]


def test_without_a_counter_each_press_counts(site: Any, summary: Summary) -> None:
    site.knows("shellybutton1-1", "sos")
    for _ in range(2):
        assert summary(site.hears("shellies/shellybutton1-1/input_event/0", '{"event":"S"}')) == {"sos": "pressed"}


def test_a_press_may_be_mapped(site: Any, summary: Summary) -> None:
    site.knows("shellyix3-1", "sos", map={"input_event/1": Mapped(kind=None)})
    assert summary(site.hears("shellies/shellyix3-1/input_event/1", '{"event":"S","event_cnt":1}')) == {}


# --- snapshots ---


def info(**fields: Any) -> str:
    common = {"wifi_sta": {"connected": True}, "unixtime": int(NOON.timestamp()) - 5, "uptime": 9, "mac": "AABBCC"}
    return json.dumps({**common, **fields})


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (
            {
                "gas_sensor": {"sensor_state": "normal", "self_test_state": "not_completed", "alarm_state": "none"},
                "concentration": {"ppm": 0, "is_valid": True},
            },
            {"gas": "clear", "fault": "clear", "warmup": "inactive", "test": "inactive", "gas_concentration": 0.0},
        ),
        (
            {
                "gas_sensor": {"sensor_state": "warmup", "self_test_state": "running", "alarm_state": "none"},
                "concentration": {"ppm": 0, "is_valid": False},
            },
            {"gas": "unknown", "warmup": "active", "test": "active", "gas_concentration": "unknown"},
        ),
        (
            {"gas_sensor": {"sensor_state": "normal", "self_test_state": "completed", "alarm_state": "heavy"}},
            {"gas": "alarm", "fault": "clear", "warmup": "inactive", "test": "passed"},
        ),
        ({"gas_sensor": {}}, {"gas": "unknown", "fault": "unknown", "test": "unknown"}),
        (
            {"is_valid": True, "flood": False, "bat": {"value": 96, "voltage": 2.93}, "sensor_error": 0},
            {"water_leak": "clear", "battery": 96.0, "battery_voltage": 2.93, "fault": "clear"},
        ),
        ({"is_valid": True, "flood": True}, {"water_leak": "alarm"}),
        ({"is_valid": False, "flood": False}, {"water_leak": "unknown"}),
        ({"is_valid": True, "flood": None}, {"water_leak": "unknown"}),
        ({"smoke": True}, {"smoke": "alarm"}),
        ({"smoke": {"value": False, "is_valid": True}}, {"smoke": "clear"}),
        ({"smoke": {"value": False, "is_valid": False}}, {"smoke": "unknown"}),
        ({"sensor": {"state": "open", "is_valid": True}}, {"contact": "open"}),
        ({"sensor": {"state": "close", "is_valid": True}}, {"contact": "closed"}),
        ({"sensor": {"state": "close", "is_valid": False}}, {"contact": "unknown"}),
        ({"sensor": {"state": None}}, {"contact": "unknown"}),
        ({"accel": {"tilt": -1, "vibration": -1}}, {"vibration": "unknown"}),
        ({"accel": {"tilt": 3, "vibration": 1}}, {"vibration": "detected"}),
        (
            {"sensor": {"motion": True, "vibration": False, "active": True, "is_valid": True}},
            {"motion": "detected", "vibration": "clear"},
        ),
        ({"inputs": [{"input": 1, "event": "S", "event_cnt": 4}]}, {"heartbeat": "alive"}),
        ({}, {"heartbeat": "alive"}),
    ],
)
def test_info_says_everything_at_once(
    site: Any, summary: Summary, document: dict[str, Any], said: dict[str, Any]
) -> None:
    decoded = site.says("shellies/mine/info", info(**document))
    assert summary(decoded) == said
    assert {one.observed_at for one in decoded.readings} == {NOON - timedelta(seconds=5)}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (
            {"motion": True, "vibration": False, "bat": 99},
            {"motion": "detected", "vibration": "clear", "battery": 99.0},
        ),
        ({"motion": False, "active": True}, {"motion": "clear"}),
        ({"motion": False, "active": False}, {"motion": "unknown"}),
        ({"motion": None}, {"motion": "unknown"}),
        ({"motion": -1}, {"motion": "unknown"}),
        ({"motion": False, "is_valid": False}, {"motion": "unknown"}),
    ],
)
def test_a_motion_sensor_says_all_in_its_status(
    site: Any, summary: Summary, document: dict[str, Any], said: dict[str, Any]
) -> None:
    """A sensor whose watching is switched off has not seen that nobody is there (invariant unknown-is-not-clear)."""
    assert summary(site.says("shellies/shellymotion2-1/status", json.dumps(document))) == said


def test_a_mapped_input_in_a_snapshot_is_read_and_is_no_press(site: Any, summary: Summary) -> None:
    site.knows("shelly1-1", "smoke", map={"input/0": Mapped(kind="smoke")})
    assert summary(site.hears("shellies/shelly1-1/info", info(inputs=[{"input": 1, "event": "S"}]))) == {
        "smoke": "alarm"
    }


@pytest.mark.parametrize(
    ("payload", "reason"), [("{", "malformed_json"), ("[1]", "invalid_value"), ("5", "invalid_value")]
)
def test_a_broken_snapshot_is_set_aside(site: Any, summary: Summary, payload: str, reason: str) -> None:
    assert summary(site.says("shellies/mine/info", payload)) == {"aside": reason}


@pytest.mark.parametrize("topic", ["", "shellygas-1", "shellygas-1/"])
def test_other_topics_are_set_aside(site: Any, summary: Summary, topic: str) -> None:
    assert summary(site.says(f"shellies/{topic}", "x")) == {"aside": "unknown_topic"}


def test_retained_is_retained_and_an_empty_retained_message_clears_nothing(site: Any, summary: Summary) -> None:
    [reading] = site.says(f"{SMOKE}/sensor/smoke", "true", retain=True).readings
    assert reading.freshness is Freshness.RETAINED
    assert summary(site.says(f"{SMOKE}/sensor/smoke", "", retain=True)) == {"ignored": "retained_clear"}


# --- anything ---

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("gas_sensor", "concentration", "smoke", "flood", "sensor", "accel", "bat", "motion", "inputs", "is_valid",
          "sensor_error", "unixtime", "active", "event", "event_cnt", "id", "model")  # fmt: skip
TOPICS = st.sampled_from(
    [
        "sensor/gas",
        "sensor/operation",
        "sensor/smoke",
        "sensor/state",
        "sensor/battery",
        "sensor/error",
        "online",
        "info",
        "status",
        "input/0",
        "input_event/0",
        "announce",
        "relay/0",
        "",
        "x/y",
    ]
)


@settings(deadline=None)
@given(
    topic=TOPICS,
    payload=st.binary(max_size=40)
    | st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=5).map(lambda one: json.dumps(one).encode()),
    kind=st.sampled_from(["", "gas", "sos", "contact"]),
)
@example(topic="info", payload=b'{"unixtime":1e400}', kind="gas")
@example(topic="sensor/battery", payload=b"9" * 5000, kind="gas")
def test_nothing_makes_it_fail(topic: str, payload: bytes, kind: str) -> None:
    """Invariant nothing-dropped."""
    decoder = Decoder([Source(id="s", dialect="shelly-gen1", base="shellies")])
    world = World(devices={("s", "x"): Device(id="d", home_id="h", kind=kind, source="s", name="x")})
    message = Message(f"shellies/x/{topic}", payload, False, NOON)
    assert all(type(name) is str for _, name in decoder.names(message))
    decoded = decoder.decode(message, world)
    assert decoded.readings or decoded.ignored or decoded.quarantine or decoded.unmapped
    assert decoded.quarantine is None or decoded.quarantine[0] != "decoder_error"
    assert {one.kind for one in decoded.readings} <= KINDS


@settings(deadline=None)
@given(payload=st.text(max_size=10) | st.sampled_from(["normal", "off", "no", "None", "CLOSE", "False", "null", "-0"]))
@pytest.mark.parametrize(
    ("what", "words"),
    [("gas", {"none"}), ("smoke", {"false", "0"}), ("flood", {"false", "0"}), ("state", {"close", "closed"})],
)
def test_only_the_documented_words_are_clear(what: str, words: set[str], payload: str) -> None:
    """Invariant unknown-is-not-clear."""
    decoder = Decoder([Source(id="s", dialect="shelly-gen1", base="shellies")])
    world = World(devices={("s", "x"): Device(id="d", home_id="h", kind="gas", source="s", name="x")})
    decoded = decoder.decode(Message(f"shellies/x/sensor/{what}", payload.encode(), False, NOON), world)
    clear = {one.state for one in decoded.readings} & {"clear", "closed"}
    assert bool(clear) == (payload.strip() in words)
