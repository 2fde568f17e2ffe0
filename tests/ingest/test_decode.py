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
