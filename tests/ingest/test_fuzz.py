"""Whatever arrives, a decoder answers: facts of known kinds, or a reason (invariant nothing-dropped)."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.decode import Decoded, Decoder, World
from ingest.dialects import zigbee2mqtt_tables as tables
from ingest.message import Message
from ingest.urgent import is_urgent
from rules.community import Device, Source
from rules.readings import KINDS

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

WORDS = ["ON", "OFF", "True", "False", "alarm", "normal", "open", "closed", "unknown", "fall_alarm", "sos"]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.sampled_from(WORDS),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
NAMES = sorted({*tables.STATES, *tables.FAULTS, *tables.NUMBERS, *tables.GENERIC, "action", "battery", "voltage"})
PROPERTIES = st.one_of(
    st.sampled_from(NAMES),
    st.sampled_from(["gas", "contact", "alarm", "voltage", "co", "gas_value", "gas_concentration", "last_seen"]),
    st.text(max_size=10),
)
STATES = st.dictionaries(PROPERTIES, VALUES, max_size=12)
#: What says nothing, in every form.
NOTHINGS: tuple[Any, ...] = (None, "unavailable", -1, [], {})
DEFINED = st.sampled_from(["gas", "contact", "alarm", "voltage", "co", "battery", "action"])
EXPOSES = st.lists(
    st.fixed_dictionaries(
        {
            "property": DEFINED,
            "type": st.sampled_from(["binary", "enum", "numeric", "text", "switch"]),
            "access": st.one_of(st.just(1), st.integers(0, 7), VALUES),
        },
        optional={
            "name": st.one_of(PROPERTIES, VALUES),
            "value_on": VALUES,
            "value_off": VALUES,
            "values": VALUES,
            "unit": VALUES,
            "description": VALUES,
            "features": VALUES,
        },
    ),
    max_size=6,
)
DEFINITIONS = st.fixed_dictionaries({"exposes": st.one_of(EXPOSES, VALUES), "model": VALUES, "vendor": VALUES})
DEVICES = st.lists(
    st.fixed_dictionaries(
        {"friendly_name": st.one_of(st.just("x"), VALUES), "definition": st.one_of(VALUES, DEFINITIONS)}
    ),
    max_size=4,
)
DEFINITION = st.fixed_dictionaries({"exposes": EXPOSES, "model": st.just("m"), "vendor": st.just("v")})
EVENTS = st.one_of(
    VALUES,
    st.dictionaries(
        st.sampled_from(["kind", "state", "value", "unit", "at", "id", "test", "historic", "detail"]),
        st.one_of(VALUES, st.sampled_from(sorted(KINDS))),
        max_size=9,
    ),
)
TOPICS = [
    "x",
    "x/availability",
    "x/gas",
    "x/set",
    "x/get/y",
    "bridge/state",
    "bridge/devices",
    "bridge/",
    "bridge/logging",
    "h/x/event",
    "h/x/status",
    "/",
    "",
]
RESTS = st.one_of(st.sampled_from(TOPICS), st.text(max_size=20))


def check(decoded: Decoded) -> None:
    reasons = decoded.quarantine or decoded.ignored or decoded.unmapped
    assert reasons or decoded.readings or decoded.definitions is not None or decoded.gateway, "it must not vanish"
    assert decoded.quarantine is None or decoded.quarantine[0] != "decoder_error"
    kinds = [one.kind for one in decoded.readings]
    for one in decoded.readings:
        assert one.kind in KINDS
        assert one.state is not None or one.value is not None
        assert one.state is None or type(one.state) is str
        assert one.value is None or type(one.value) is float
        assert one.unit is None or type(one.unit) is str
        assert one.detail is None or type(one.detail) is str
        assert one.observed_at is None or one.observed_at.utcoffset() == timedelta(0)
    if decoded.readings and decoded.readings[0].merged:
        # A field sos and an action sos may stand in one message.
        assert len(set(kinds) - {"sos"}) == len([kind for kind in kinds if kind != "sos"]), "one fact of a kind"


def dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


PAYLOADS = st.one_of(
    st.binary(max_size=40),
    st.one_of(STATES, VALUES, DEVICES, EVENTS, st.lists(EVENTS, max_size=3)).map(dumped),
    st.sampled_from([b"online", b"offline", b"", b"{", b"[]", b"NaN", b"-Infinity", b"9" * 400, b"[" * 2000, b"\xff"]),
)


@pytest.mark.parametrize("dialect", ["zigbee2mqtt", "shouwang"])
@pytest.mark.parametrize("kind", ["gas", "contact", "sos"])
def test_no_message_makes_a_decoder_fail(dialect: str, kind: str) -> None:
    decoder = Decoder([Source(id="s", dialect=dialect, base="b")])
    device = Device(id="d", home_id="h", kind=kind, source="s", name="x", invert=kind == "contact")

    @settings(deadline=None)
    @given(rest=RESTS, payload=PAYLOADS, retain=st.booleans())
    @example(rest="x", payload=b'{"last_seen":1e308,"gas":1e400}', retain=False)
    @example(rest="x", payload=b'{"values":{"__proto__":1},"gas":true,"gas":false}', retain=False)
    @example(rest="x", payload=b'{"gas_value":1,"gas_concentration":2}', retain=False)
    @example(rest="h/x/event", payload=b'{"kind":"gas","state":"alarm","at":-1e300}', retain=False)
    def run(rest: str, payload: bytes, retain: bool) -> None:
        world = World(devices={("s", "x"): device, ("s", "h/x"): device})
        message = Message(f"b/{rest}", payload, retain, NOON)
        for source, name in decoder.names(message):
            assert (source, type(name)) == ("s", str)
        is_urgent(message.topic, message.payload)
        check(decoder.decode(message, world))

    run()


@settings(deadline=None)
@given(
    devices=st.one_of(DEVICES, DEFINITION.map(lambda one: [{"friendly_name": "x", "definition": one}])),
    states=st.lists(st.dictionaries(DEFINED, VALUES, min_size=1), min_size=1, max_size=4),
)
def test_no_definition_makes_a_decoder_fail(devices: list[Any], states: list[Any]) -> None:
    """A gateway may say of its devices what it likes."""
    decoder = Decoder([Source(id="s", dialect="zigbee2mqtt", base="b")])
    for kind in ("gas", "contact"):
        world = World(devices={("s", "x"): Device(id="d", home_id="h", kind=kind, source="s", name="x", invert=True)})
        decoded = decoder.decode(Message("b/bridge/devices", dumped(devices), True, NOON), world)
        check(decoded)
        for name, definition in (decoded.definitions or {}).items():
            assert json.loads(json.dumps(definition)) == definition
            world.definitions["s", name] = definition
        for state in states:
            check(decoder.decode(Message("b/x", dumped(state), False, NOON), world))
            for key, value in state.items():
                check(decoder.decode(Message(f"b/x/{key}", dumped(value), False, NOON), world))


@settings(deadline=None)
@given(state=STATES)
def test_null_and_nonsense_are_never_clear(state: dict[str, Any]) -> None:
    """Invariant unknown-is-not-clear: a field that says nothing gives no clear, whatever stands beside it."""
    decoder = Decoder([Source(id="s", dialect="zigbee2mqtt", base="b")])
    world = World(devices={("s", "x"): Device(id="d", home_id="h", kind="gas", source="s", name="x")})
    for kind in ("gas", "smoke", "carbon_monoxide", "contact"):
        for nothing in NOTHINGS:
            decoded = decoder.decode(Message("b/x", dumped({**state, kind: nothing}), False, NOON), world)
            found = [one.state for one in decoded.readings if one.kind == kind]
            assert not {"clear", "closed"} & set(found)
            assert len(found) == 1
