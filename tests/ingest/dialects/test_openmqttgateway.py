import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.decode import Decoder, World
from ingest.message import Message
from rules.community import Device, Mapped, Source
from rules.readings import Freshness

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
FILE = Path(__file__).parents[1] / "payloads" / "openmqttgateway.jsonl"
CASES = [json.loads(line) for line in FILE.read_text("utf-8").splitlines()]
DOOR = "home/OMG/BTtoMQTT/3C2EF5AABBCC"


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{CASES.index(case)} {case['topic'][5:]} {case['says']}")
def test_what_a_message_says(source: Any, summary: Any, case: dict[str, Any]) -> None:
    payload = case["payload"] if isinstance(case["payload"], str) else json.dumps(case["payload"])
    spoken = source("openmqttgateway")
    decoded = spoken.says(case["topic"], payload, kind=case.get("kind", ""), retain=case.get("retain", False))
    assert summary(decoded) == case["says"]


def test_one_advertisement_heard_by_two_gateways_is_of_one_device(source: Any) -> None:
    spoken = source("openmqttgateway")
    device = spoken.knows("3C2EF5AABBCC", "contact")
    heard = [
        spoken.hears(f"home/{gateway}/BTtoMQTT/3C2EF5AABBCC", '{"model_id":"SBDW-002C","open":true}').readings
        for gateway in ("hall", "TheengsGateway")
    ]
    assert heard[0] == heard[1]
    assert heard[0][0].device_id == device.id


@pytest.mark.parametrize("name", ["3C2EF5AABBCC", "3C:2E:F5:AA:BB:CC"])
@pytest.mark.parametrize("topic", [DOOR, "home/OMG/BTtoMQTT/3c2ef5aabbcc"])
def test_a_mac_may_be_written_either_way(source: Any, summary: Any, name: str, topic: str) -> None:
    spoken = source("openmqttgateway")
    spoken.knows(name, "contact")
    assert summary(spoken.hears(topic, '{"model_id":"SBDW-002C","open":true}')) == {"contact": "open"}


def test_a_phone_that_passes_by_is_no_stranger(source: Any) -> None:
    decoded = source("openmqttgateway").hears(DOOR, '{"id":"3C:2E:F5:AA:BB:CC","type":"RMAC","rssi":-80}')
    assert decoded.quarantine is None
    assert not decoded.strangers


def test_who_is_registered_lives_when_nothing_but_its_signal_is_heard(source: Any, summary: Any) -> None:
    spoken = source("openmqttgateway")
    spoken.knows("3C2EF5AABBCC", "contact")
    assert summary(spoken.hears(DOOR, '{"id":"3C:2E:F5:AA:BB:CC","rssi":-80}')) == {"heartbeat": "alive"}


def test_a_code_is_read_by_a_map(source: Any, summary: Any) -> None:
    spoken = source("openmqttgateway")
    spoken.knows("433/1315156", "sos", map={"value": Mapped(kind="sos", states={"1315156": "pressed"})})
    assert summary(spoken.hears("home/OMG/433toMQTT", '{"value":1315156,"length":24}')) == {"sos": "pressed"}


def test_a_sensor_with_several_codes_is_one_device_with_keys(source: Any, summary: Any) -> None:
    spoken = source("openmqttgateway")
    keys = Mapped(kind="contact", states={"14": "open", "7": "closed"})
    spoken.knows("433/82197/*", "contact", map={"key": keys})
    for low, state in ((14, "open"), (7, "closed"), (1, "unknown")):
        payload = json.dumps({"value": 82197 * 16 + low, "length": 24})
        assert summary(spoken.hears("home/OMG/433toMQTT", payload)) == {"contact": state}


def test_a_gateway_that_comes_up_has_started(source: Any) -> None:
    decoded = source("openmqttgateway").hears("home/OMG/LWT", "online")
    assert decoded.gateway is not None
    assert decoded.gateway.started_at == NOON
    again = source("openmqttgateway").hears("home/OMG/LWT", "online", retain=True)
    assert again.gateway is not None
    assert again.gateway.started_at is None


def test_the_gateways_clock_is_taken_where_it_has_one(source: Any) -> None:
    payload = '{"model_id":"SBDW-002C","open":true,"UTCtime":"2026-11-23T11:59:58Z"}'
    [reading] = source("openmqttgateway").says(DOOR, payload).readings
    assert reading.observed_at == datetime(2026, 11, 23, 11, 59, 58, tzinfo=UTC)


def test_a_retained_advertisement_says_so(source: Any) -> None:
    """Invariant stale-does-not-page."""
    [reading] = source("openmqttgateway").says(DOOR, '{"model_id":"X","open":true}', retain=True).readings
    assert reading.freshness is Freshness.RETAINED


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["open", "ON", "1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FIELDS = [
    "id", "open", "contact", "motion", "presence", "button", "button1", "action", "batt", "lowbatt", "alarm", "volt",
    "flag_reed", "smoke", "type", "model_id", "value", "length", "protocol", "message", "detected", "gpio", "model",
    "tempc", "UTCtime", "cipher", "address",
]  # fmt: skip
WHAT = ["BT", "433", "RTL_433", "Pilight", "IR", "RF2", "SRFB", "HCSR501", "GAS", "GPIOInput", "SYS"]
UNKNOWN = (None, -1, "", "unknown", "unavailable", 999)


@given(what=st.sampled_from(WHAT), fields=st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=8))
def test_nothing_raises_and_nothing_unknown_becomes_clear(what: str, fields: dict[str, Any]) -> None:
    """Invariants nothing-dropped and unknown-is-not-clear."""
    decoder = Decoder([Source(id="s", dialect="openmqttgateway", base="home")])
    payload = json.dumps(fields).replace("NaN", "null").replace("Infinity", "1")
    message = Message(f"home/OMG/{what}toMQTT/AABBCCDDEEFF", payload.encode("utf-8", "surrogatepass"), False, NOON)
    world = World()
    for name in decoder.names(message):
        world.devices[name] = Device(id="d", home_id="h", kind="smoke", source="s", name=name[1])
    decoded = decoder.decode(message, world)
    assert decoded.quarantine is None or decoded.quarantine[0] != "decoder_error"
    if all(value in UNKNOWN or type(value) in {list, dict} for value in fields.values()):
        assert not {"clear", "closed"} & {one.state for one in decoded.readings if one.kind != "presence"}


@given(rest=st.text(max_size=40), payload=st.binary(max_size=60))
def test_no_message_raises(rest: str, payload: bytes) -> None:
    """Invariant nothing-dropped."""
    decoder = Decoder([Source(id="s", dialect="openmqttgateway", base="home")])
    message = Message(f"home/{rest}", payload, False, NOON)
    decoder.names(message)
    decoded = decoder.decode(message, World())
    assert decoded.quarantine is None or decoded.quarantine[0] != "decoder_error"
