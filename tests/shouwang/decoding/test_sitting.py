import json
from datetime import UTC, datetime
from typing import Any

import pytest

from rules.community import Device, Mapped, Source
from shouwang.decoding import Line, Sitting, read_line
from shouwang.decoding.sitting import assumed

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
EXPOSES = [{"type": "binary", "name": "contact", "property": "contact", "access": 1, "value_on": False}]


def hears(sitting: Sitting, text: str) -> dict[str, Any]:
    line = read_line(text)
    assert line is not None
    return sitting.hear(line, NOON).as_json()


@pytest.fixture
def zigbee() -> Sitting:
    return Sitting([assumed("zigbee2mqtt")])


def test_a_device_that_nobody_has_registered_says_what_its_message_says(zigbee: Sitting) -> None:
    answer = hears(zigbee, 'zigbee2mqtt/kitchen {"gas":true,"last_seen":"2026-11-23T11:59:58Z"}')

    assert answer == {
        "topic": "zigbee2mqtt/kitchen",
        "facts": [
            {
                "device": "kitchen",
                "kind": "gas",
                "state": "alarm",
                "freshness": "live",
                "merged": True,
                "observed_at": "2026-11-23T11:59:58Z",
            }
        ],
    }


def test_what_only_the_kind_of_device_tells_is_told_by_the_record_or_the_caller() -> None:
    said = '{"topic":"zigbee2mqtt/x","payload":{"alarm":true},"kind":"carbon_monoxide"}'
    plain = '{"topic":"zigbee2mqtt/x","payload":{"alarm":true},"kind":"state"}'

    def kinds(sitting: Sitting, text: str) -> list[str]:
        return [one["kind"] for one in hears(sitting, text)["facts"]]

    assert kinds(Sitting([assumed("zigbee2mqtt")]), said) == ["carbon_monoxide"]
    assert kinds(Sitting([assumed("zigbee2mqtt")]), plain) == ["heartbeat", "alarm_bit"], "it needs a map"
    assert kinds(Sitting([assumed("zigbee2mqtt")], kind="smoke"), plain) == ["smoke"]


def test_earlier_messages_teach_later_ones(zigbee: Sitting) -> None:
    """The gateway's own definition turns a polarity round that the tables would have guessed otherwise."""
    value = {**EXPOSES[0], "name": "door", "property": "door_state", "value_on": "SHUT", "value_off": "AJAR"}
    definition = {"model": "m", "vendor": "v", "exposes": [{**value, "type": "enum", "values": ["open", "closed"]}]}
    devices = [{"friendly_name": "door", "definition": definition}]

    taught = hears(zigbee, '{"topic":"zigbee2mqtt/bridge/devices","payload":' + _json(devices) + "}")
    hears(zigbee, 'zigbee2mqtt/bridge/state {"state":"online"}')
    answer = hears(zigbee, 'zigbee2mqtt/door {"door_state":"open"}')

    assert taught["learnt"] == ["door"]
    assert answer["facts"][0]["state"] == "open"
    assert answer["facts"][0]["startup"] is True, "the gateway has said just before that it had started"


def test_a_gateway_speaks_for_itself(zigbee: Sitting) -> None:
    assert hears(zigbee, "zigbee2mqtt/bridge/state offline")["facts"] == [
        {
            "device": "zigbee2mqtt",
            "kind": "availability",
            "state": "offline",
            "scope": "gateway",
            "source": "zigbee2mqtt",
        }
    ]


def test_the_definition_beside_a_message_is_used(zigbee: Sitting) -> None:
    exposes = [{**EXPOSES[0], "name": "status", "property": "leaking", "value_on": "WET"}]
    with_name = {"topic": "zigbee2mqtt/a/b", "payload": {"contact": False}, "exposes": EXPOSES, "model": "m"}

    assert hears(zigbee, _json(with_name))["facts"][0]["state"] == "open"
    assert hears(zigbee, _json({**with_name, "exposes": exposes}))["facts"][0]["kind"] == "contact"


def test_discovery_messages_are_none_of_the_devices(zigbee: Sitting) -> None:
    assert hears(zigbee, "homeassistant/binary_sensor/x/gas/config {}") == {
        "topic": "homeassistant/binary_sensor/x/gas/config",
        "facts": [],
        "ignored": "discovery_config",
    }


def test_what_is_broken_says_so(zigbee: Sitting) -> None:
    answer = zigbee.hear(Line(topic="zigbee2mqtt/x", payload=b'{"gas":'), NOON)

    assert not answer.understood
    assert answer.as_json()["quarantine"]["reason"] == "malformed_json"


def test_of_what_is_registered_strangers_stay_strangers() -> None:
    source = Source(id="s", dialect="zigbee2mqtt", base="z")
    device = Device(id="d", home_id="h", kind="contact", source="s", name="door", invert=True)
    sitting = Sitting([source], [device], registered_only=True)

    known = hears(sitting, 'z/door {"contact":true}')
    stranger = hears(sitting, 'z/window {"contact":true}')

    assert known["facts"][0]["state"] == "open", "it is registered as mounted the other way round"
    assert known["facts"][0]["device"] == "d"
    assert stranger["facts"] == []
    assert stranger["quarantine"]["reason"] == "unknown_device"
    assert stranger["strangers"] == ["window"]


def test_several_faults_are_told_one_by_one(zigbee: Sitting) -> None:
    facts = hears(zigbee, 'zigbee2mqtt/x {"trouble":true,"battery_defect":true}')["facts"]

    assert {(one["kind"], one["state"], one["code"]) for one in facts} == {
        ("fault", "alarm", "trouble"),
        ("fault", "alarm", "battery_defect"),
    }


def test_a_base_that_nobody_has_named_is_guessed_and_told() -> None:
    """Of a recording: the gateway of a stranger may be set to anything."""
    sitting = Sitting([assumed("zigbee2mqtt")], guess_base=True)

    guessed = hears(sitting, 'z2m-south/kitchen {"gas":true}')
    again = hears(sitting, 'z2m-south/kitchen {"gas":false}')
    usual = hears(sitting, 'zigbee2mqtt/kitchen {"gas":true}')

    assert (guessed["facts"][0]["device"], guessed["facts"][0]["state"], guessed["base"]) == (
        "kitchen",
        "alarm",
        "z2m-south",
    )
    assert (again["facts"][0]["state"], again["base"]) == ("clear", "z2m-south")
    assert "base" not in usual
    assert hears(sitting, "homeassistant/sensor/x/config {}")["ignored"] == "discovery_config"


def test_nothing_is_guessed_where_a_base_was_named(zigbee: Sitting) -> None:
    assert hears(zigbee, 'z2m-south/kitchen {"gas":true}')["quarantine"]["reason"] == "unknown_topic"


def test_a_source_is_as_its_gateway_comes() -> None:
    source = assumed("zigbee2mqtt", bases=["a", "b"], meanings={"x": Mapped(kind="gas")})

    assert (source.base, source.more, source.discovery) == ("a", ("b",), "homeassistant")
    assert source.map == {"x": Mapped(kind="gas")}


def _json(value: Any) -> str:
    return json.dumps(value)
