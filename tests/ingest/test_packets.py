import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.packets import MalformedError, Publish, frame, publish


def coded(length: int) -> bytes:
    out = b""
    while True:
        length, byte = divmod(length, 128)
        out += bytes([byte | 0x80 if length else byte])
        if not length:
            return out


@pytest.mark.parametrize("length", [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 268_435_455])
def test_lengths_are_read_as_they_are_coded(length: int) -> None:
    head = b"\x30" + coded(length)

    assert frame(head, 0) == (len(head), len(head) + length)


@pytest.mark.parametrize("data", [b"", b"\x30", b"\x30\x80", b"\x30\xff\xff\xff"])
def test_a_length_that_has_not_arrived_is_waited_for(data: bytes) -> None:
    assert frame(data, 0) is None


def test_a_length_of_five_bytes_is_no_mqtt() -> None:
    with pytest.raises(MalformedError):
        frame(b"\x30\xff\xff\xff\xff\x01", 0)


@settings(deadline=None)
@given(
    topic=st.text(st.characters(exclude_categories=["Cs"]), max_size=300),
    payload=st.binary(max_size=400),
    qos=st.sampled_from([0, 1, 2]),
    retain=st.booleans(),
    dup=st.booleans(),
    mid=st.integers(1, 65535),
    properties=st.one_of(st.none(), st.binary(max_size=300)),
    before=st.binary(max_size=20),
    behind=st.binary(max_size=20),
)
def test_a_message_is_read_as_it_was_written(
    *,
    topic: str,
    payload: bytes,
    qos: int,
    retain: bool,
    dup: bool,
    mid: int,
    properties: bytes | None,
    before: bytes,
    behind: bytes,
) -> None:
    name = topic.encode()
    content = struct.pack("!H", len(name)) + name
    content += struct.pack("!H", mid) if qos else b""
    content += b"" if properties is None else coded(len(properties)) + properties
    content += payload
    first = 0x30 | dup << 3 | qos << 1 | retain
    data = before + bytes([first]) + coded(len(content)) + content + behind

    found = frame(data, len(before))

    assert found is not None
    start, end = found
    read = publish(first, data, start, end, properties=properties is not None)
    assert read == Publish(topic, payload, qos, retain, dup, mid if qos else 0)


@pytest.mark.parametrize(
    ("first", "content", "properties"),
    [
        (0x30, b"", False),
        (0x30, b"\x00\x09abc", False),
        (0x32, b"\x00\x01a", False),
        (0x32, b"\x00\x01a\x00\x00payload", False),
        (0x36, b"\x00\x01a\x00\x01payload", False),
        (0x30, b"\x00\x01a", True),
        (0x30, b"\x00\x01a\x20abc", True),
        (0x30, b"\x00\x01a\xff\xff", True),
    ],
)
def test_a_message_that_is_cut_short_or_has_no_id_is_refused(first: int, content: bytes, properties: bool) -> None:
    with pytest.raises(MalformedError):
        publish(first, content, 0, len(content), properties=properties)


@settings(deadline=None)
@given(first=st.integers(0x30, 0x3F), content=st.binary(max_size=60), properties=st.booleans())
def test_whatever_arrives_is_a_message_or_malformed(first: int, content: bytes, properties: bool) -> None:
    try:
        read = publish(first, content, 0, len(content), properties=properties)
    except MalformedError:
        return

    assert len(read.payload) <= len(content)


def test_a_topic_that_is_not_utf8_is_kept_readable() -> None:
    read = publish(0x30, b"\x00\x02\xffa!", 0, 5, properties=False)

    assert read == Publish("\N{REPLACEMENT CHARACTER}a", b"!", 0, False, False, 0)
