import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ingest.decode import DIALECTS, Decoder, World
from ingest.message import Message
from rules.community import Device, Source

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def message(topic: str, payload: bytes = b'{"gas":true}') -> Message:
    return Message(topic, payload, False, NOON)


def world(*names: tuple[str, str]) -> World:
    return World(
        devices={
            (source, name): Device(id=f"{source}:{name}", home_id="h", kind="gas", source=source, name=name)
            for source, name in names
        }
    )


@pytest.fixture
def decoder() -> Decoder:
    return Decoder(
        [
            Source(id="one", dialect="zigbee2mqtt", base="zigbee2mqtt"),
            Source(id="two", dialect="zigbee2mqtt", base="site/2/z2m"),
            Source(id="inner", dialect="zigbee2mqtt", base="zigbee2mqtt/inner"),
            Source(id="own", dialect="shouwang", base="shouwang/v1/"),
        ]
    )


def test_it_subscribes_to_the_bases(decoder: Decoder) -> None:
    assert decoder.subscriptions == ("zigbee2mqtt/#", "site/2/z2m/#", "zigbee2mqtt/inner/#", "shouwang/v1/#")


@pytest.mark.parametrize(
    ("topic", "names"),
    [
        ("zigbee2mqtt/x", [("one", "x")]),
        ("zigbee2mqtt/x/availability", [("one", "x/availability"), ("one", "x")]),
        ("zigbee2mqtt/1号楼/101/燃气", [("one", "1号楼/101/燃气"), ("one", "1号楼/101")]),
        ("zigbee2mqtt/bridge/state", []),
        ("zigbee2mqtt/bridge/devices", []),
        ("zigbee2mqtt/bridge/logging", []),
        ("zigbee2mqtt/inner/x", [("inner", "x")]),
        ("zigbee2mqtt/innermost/x", [("one", "innermost/x"), ("one", "innermost")]),
        ("site/2/z2m/x", [("two", "x")]),
        ("shouwang/v1/h/d/event", [("own", "h/d"), ("own", "d")]),
        ("shouwang/v1/h/d/set", []),
        ("site/2/x", []),
        ("zigbee2mqtt", []),
        ("elsewhere/x", []),
        ("", []),
    ],
)
def test_the_names_that_a_topic_may_mean(decoder: Decoder, topic: str, names: list[tuple[str, str]]) -> None:
    """Of sources whose bases lie within one another, the longest has the message."""
    assert list(decoder.names(message(topic))) == names


def test_equal_names_of_two_sources_are_two_devices(decoder: Decoder) -> None:
    here = world(("one", "x"), ("two", "x"))

    assert decoder.decode(message("zigbee2mqtt/x"), here).readings[0].device_id == "one:x"
    assert decoder.decode(message("site/2/z2m/x"), here).readings[0].device_id == "two:x"


def test_a_topic_of_no_source_is_set_aside(decoder: Decoder) -> None:
    decoded = decoder.decode(message("elsewhere/x"), world())

    assert decoded.quarantine is not None
    assert (decoded.quarantine[0], decoded.source) == ("unknown_topic", None)


def test_a_decoder_that_fails_sets_the_message_aside(
    decoder: Decoder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Invariant nothing-dropped: a mistake of ours stops one message, and is said."""

    def fail(*_: Any) -> None:
        raise RuntimeError("a mistake")

    monkeypatch.setattr(DIALECTS["zigbee2mqtt"], "decode", fail)

    decoded = decoder.decode(message("zigbee2mqtt/x"), world(("one", "x")))

    assert decoded.quarantine is not None
    assert decoded.quarantine[0] == "decoder_error"
    assert decoded.source == "one"
    assert "a mistake" in caplog.text


def test_no_sources_no_subscriptions() -> None:
    assert Decoder([]).subscriptions == ()


def test_a_dialect_that_is_not_known_is_refused() -> None:
    with pytest.raises(KeyError):
        Decoder([Source(id="x", dialect="tasmotta", base="x")])


NUL = "\0"


@pytest.mark.parametrize(
    ("dialect", "topic", "payload"),
    [
        ("zigbee2mqtt", "b/x", b'{"action":"a\\u0000b"}'),
        ("shouwang", "b/h/x/event", b'{"kind":"gas","state":"alarm","detail":"a\\u0000"}'),
        ("rtl_433", "b/devices/A/x/event", b"button\0"),
        (
            "zigbee2mqtt",
            "b/bridge/devices",
            b'[{"friendly_name":"a\\u0000","definition":{"model":"m\\u0000","exposes":[]}}]',
        ),
        (
            "sparkplug",
            "b/g/DBIRTH/n/x",
            b'{"metrics":[{"name":"a\\u0000","alias":1,"dataType":"Boolean","value":true}]}',
        ),
        ("openmqttgateway", "b/g/433toMQTT", b'{"value":"a\\u0000"}'),
        ("thingsboard", "b/gateway/telemetry", b'{"a\\u0000":[{"gas":1}]}'),
    ],
)
def test_what_is_to_be_stored_holds_no_nul(dialect: str, topic: str, payload: bytes) -> None:
    """Invariant nothing-dropped: PostgreSQL refuses a text with NUL in it, and the whole batch with it, for ever."""
    decoder = Decoder([Source(id="one", dialect=dialect, base="b")])
    heard = message(topic, payload)
    names = [("one", "x"), ("one", "g/n/x"), *decoder.names(heard)]
    known = World(
        devices={name: Device(id="d", home_id="h", kind="button", source="one", name=name[1]) for name in names}
    )

    decoded = decoder.decode(heard, known)

    assert not any(NUL in name for _, name in names)
    assert any((decoded.readings, decoded.unmapped, decoded.definitions, decoded.strangers))
    said = [*decoded.readings, *decoded.unmapped, decoded.definitions, decoded.learnt, *decoded.strangers]
    assert NUL not in json.dumps(said, default=str, ensure_ascii=False)
    assert "\\u0000" not in json.dumps(said, default=str)
