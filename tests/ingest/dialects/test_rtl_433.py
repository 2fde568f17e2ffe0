import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.decode import Decoder, World
from ingest.dialects.rtl_433_models import MODELS
from ingest.dialects.rtl_433_tables import STATES
from ingest.message import Message
from rules.community import Device, Mapped, Source
from rules.readings import Freshness

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
EVENTS = "rtl_433/roof/events"


FILE = Path(__file__).parents[1] / "payloads" / "rtl_433.jsonl"
CASES = [json.loads(line) for line in FILE.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{CASES.index(case)} {case['topic'][13:]} {case['says']}")
def test_what_a_message_says(source: Any, summary: Any, case: dict[str, Any]) -> None:
    payload = case["payload"] if isinstance(case["payload"], str) else json.dumps(case["payload"])
    said = summary(source("rtl_433").says(case["topic"], payload, kind=case.get("kind", "")))
    assert json.loads(json.dumps(said)) == case["says"]


@pytest.mark.parametrize("value", ["null", '"unknown"', '"unavailable"', "-1", '""', "[]", "{}", '"nan"', "2"])
@pytest.mark.parametrize(("field", "kind"), [(field, kind) for field, (kind, _) in STATES.items() if kind != "battery"])
def test_what_is_not_known_is_not_clear(source: Any, summary: Any, field: str, kind: str, value: str) -> None:
    """Invariant unknown-is-not-clear."""
    said = summary(source("rtl_433").says(EVENTS, f'{{"model":"Some-New","id":1,"{field}":{value}}}'))
    assert said.get(kind, "unknown") == "unknown"


def test_a_device_may_be_named_with_its_channel_or_without(source: Any, summary: Any) -> None:
    frame = '{"model":"Honeywell-Security","id":3,"channel":8,"contact_open":1}'
    for name in ("Honeywell-Security/8/3", "Honeywell-Security/3"):
        spoken = source("rtl_433")
        spoken.knows(name, "contact")
        assert summary(spoken.hears(EVENTS, frame)) == {"contact": "open"}


def test_a_neighbours_sensor_is_a_stranger_by_model_channel_and_id(source: Any) -> None:
    spoken = source("rtl_433")
    spoken.knows("Honeywell-Security/8/3", "contact")
    decoded = spoken.hears(EVENTS, '{"model":"Honeywell-Security","id":4,"channel":8,"contact_open":1}')
    assert decoded.quarantine is not None
    assert decoded.strangers == ("Honeywell-Security/8/4",)


def test_the_same_frame_from_two_receivers_is_of_one_device(source: Any, summary: Any) -> None:
    spoken = source("rtl_433")
    spoken.knows("Cavius-Door/dc", "contact")
    for host in ("roof", "cellar"):
        assert summary(spoken.hears(f"rtl_433/{host}/events", '{"model":"Cavius-Door","id":"dc","state":"open"}')) == {
            "contact": "open"
        }


def test_codes_are_read_by_a_map(source: Any, summary: Any) -> None:
    spoken = source("rtl_433")
    states = {"14": "open", "7": "closed"}
    spoken.knows("Generic-Remote/82197", "contact", map={"cmd": Mapped(kind="contact", states=states)})
    for code, state in (("14", "open"), ("7", "closed"), ("3", "unknown")):
        assert summary(spoken.hears(EVENTS, f'{{"model":"Generic-Remote","id":82197,"cmd":{code}}}')) == {
            "contact": state
        }


def test_a_contact_that_hangs_the_other_way_round(source: Any, summary: Any) -> None:
    spoken = source("rtl_433")
    spoken.knows("DSC-Security/7", "contact", invert=True)
    assert summary(spoken.hears(EVENTS, '{"model":"DSC-Security","id":7,"closed":1}')) == {"contact": "open"}


@pytest.mark.parametrize(
    ("time", "observed"),
    [
        ("2026-11-23T11:59:58Z", "2026-11-23T11:59:58+00:00"),
        ("2026-11-23T19:59:58.379345+0800", "2026-11-23T11:59:58.379345+00:00"),
        ("1795435198", "2026-11-23T11:59:58+00:00"),
        ("2026-11-23 19:59:58", None),
        ("@0.565908s", None),
        ("1970-01-01T00:00:00Z", None),
    ],
)
def test_only_a_time_with_a_zone_is_one(source: Any, time: str, observed: str | None) -> None:
    payload = f'{{"time":"{time}","model":"Cavius-Door","id":"dc","state":"open"}}'
    [reading] = source("rtl_433").says(EVENTS, payload).readings
    assert (reading.observed_at and reading.observed_at.isoformat()) == observed


def test_a_retained_frame_says_so(source: Any) -> None:
    """Invariant stale-does-not-page."""
    [reading] = source("rtl_433").says(EVENTS, '{"model":"Some-New","id":1,"smoke":1}', retain=True).readings
    assert reading.freshness is Freshness.RETAINED


def test_an_alarm_in_a_test_message_is_under_test(source: Any) -> None:
    readings = source("rtl_433").says(EVENTS, '{"model":"Cavius-Security","id":1,"message":96}', kind="smoke").readings
    assert {one.kind: one.under_test for one in readings}["smoke"]


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["open", "ON", "1", None, -1, "", "unknown"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
OTHERS = [
    "id", "channel", "state", "event", "alarm", "battery_ok", "message", "text", "cmd", "code", "learn", "time",
    "count", "temperature_C", "switch1", "subtype", "status",
]  # fmt: skip
FIELDS = st.dictionaries(st.sampled_from([*STATES, *OTHERS]), VALUES, max_size=8)
UNKNOWN = (None, -1, "", "unknown", "unavailable", 999)


@given(
    model=st.sampled_from([*MODELS, "Other"]) | VALUES, fields=FIELDS, kind=st.sampled_from(["", "smoke", "contact"])
)
def test_no_frame_raises_and_nothing_unknown_becomes_clear(model: Any, fields: dict[str, Any], kind: str) -> None:
    """Invariants nothing-dropped and unknown-is-not-clear."""
    decoder = Decoder([Source(id="s", dialect="rtl_433", base="rtl_433")])
    payload = json.dumps({"model": model, **fields}).replace("NaN", "null").replace("Infinity", "1")
    message = Message(EVENTS, payload.encode("utf-8", "surrogatepass"), False, NOON)
    world = World()
    for name in decoder.names(message):
        world.devices[name] = Device(id="d", home_id="h", kind=kind, source="s", name=name[1])
    decoded = decoder.decode(message, world)
    assert decoded.quarantine is None or decoded.quarantine[0] != "decoder_error"
    if all(value in UNKNOWN or type(value) in {list, dict} for value in fields.values()):
        assert not {"clear", "closed"} & {one.state for one in decoded.readings}


@given(rest=st.text(max_size=40), payload=st.binary(max_size=60))
def test_no_message_raises(rest: str, payload: bytes) -> None:
    """Invariant nothing-dropped."""
    decoder = Decoder([Source(id="s", dialect="rtl_433", base="rtl_433")])
    message = Message(f"rtl_433/{rest}", payload, False, NOON)
    decoder.names(message)
    decoded = decoder.decode(message, World())
    assert decoded.quarantine is None or decoded.quarantine[0] != "decoder_error"
