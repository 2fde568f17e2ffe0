from datetime import UTC, datetime

import pytest

from shouwang.decoding import BadLine, Line, read_line


@pytest.mark.parametrize(
    ("text", "topic", "payload"),
    [
        ('{"topic":"a/b","payload":"{\\"gas\\":true}"}', "a/b", b'{"gas":true}'),
        ('{"topic":"a/b","payload":{"gas":true}}', "a/b", b'{"gas":true}'),
        ('{"topic":"a/b","payload":12.5}', "a/b", b"12.5"),
        ('{"topic":"a/b","payload":""}', "a/b", b""),
        ('{"topic":"a/b","payload":null}', "a/b", b""),
        ('{"topic":"a/b","payload":null,"raw":"true"}', "a/b", b"true"),
        ('{"topic":"a/b","payload_hex":"0aff"}', "a/b", b"\x0a\xff"),
        ('{"topic":"a/b","payload_base64":"Cv8="}', "a/b", b"\x0a\xff"),
        ('a/b {"gas":true}', "a/b", b'{"gas":true}'),
        ('z/Gas Kitchen {"gas":1, "x":[{}]}', "z/Gas Kitchen", b'{"gas":1, "x":[{}]}'),
        ("zigbee2mqtt/Gas Kitchen/availability online", "zigbee2mqtt/Gas Kitchen/availability", b"online"),
        ("a/b (null)", "a/b", b""),
        ("a/b {broken", "a/b", b"{broken"),
        ("a/b and/or", "a/b", b"and/or"),
        ("a/b \udcff\udcfe", "a/b", b"\xff\xfe"),
    ],
)
def test_a_line_is_a_message_however_it_was_recorded(text: str, topic: str, payload: bytes) -> None:
    line = read_line(text + "\n")

    assert line is not None
    assert (line.topic, line.payload) == (topic, payload)


def test_what_the_record_says_of_the_device_is_kept() -> None:
    line = read_line(
        '{"topic":"t","payload":"x","retain":1,"tst":"2026-01-31T03:00:00+08:00","device_model":"M","vendor":"V",'
        '"sensor_kind":"gas","dialect":"tasmota","friendly_name":"x","exposes":[],"invert":true}'
    )

    assert line == Line(
        topic="t",
        payload=b"x",
        retain=True,
        received_at=datetime(2026, 1, 30, 19, tzinfo=UTC),
        dialect="tasmota",
        name="x",
        kind="gas",
        vendor="V",
        model="M",
        exposes=[],
        invert=True,
    )


def test_of_one_topic_every_line_is_a_payload() -> None:
    assert read_line('{"topic": "not this"}\r\n', topic="t") == Line(topic="t", payload=b'{"topic": "not this"}')


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("online", "a topic, a space and a payload"),
        ('{"topic":', "is none"),
        ('{"payload":1}', "no topic"),
        ('{"topic":"t"}', "no payload"),
        ('{"topic":"t","payload_hex":"0g"}', "not what it is said to be"),
        ('{"topic":"t","payload":1,"received_at":"2026-01-31T03:00:00"}', "no zone"),
        ('{"topic":"t","payload":1,"received_at":"soon"}', "is no time"),
        ('{"topic":"t","payload":1,"received_at":1e300}', "is no time"),
    ],
)
def test_what_is_no_message_is_told(text: str, why: str) -> None:
    with pytest.raises(BadLine, match=why):
        read_line(text)


def test_an_empty_line_is_nothing() -> None:
    assert read_line(" \n") is None
