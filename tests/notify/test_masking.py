"""Nothing that identifies a person or opens a door gets into a log."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify.masking import mask_address, mask_phone, mask_place, mask_text, mask_url


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("+8613800000001", "138****0001"),
        ("13800000001", "138****0001"),
        ("+86 138 0000 0001", "138****0001"),
        ("%2B8613800000001", "138****0001"),
        ("+15551230000", "+155****0000"),
        ("02885551234", "028****1234"),
        ("12345", "****45"),
        ("110", "****"),
        ("", "****"),
    ],
)
def test_a_phone_number_keeps_only_its_ends(number: str, masked: str) -> None:
    assert mask_phone(number) == masked


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("ntfy://me:key@ntfy.example.org/topic", "ntfy://ntfy.example.org/****"),
        ("ntfy://topic-that-is-a-password", "ntfy://****"),
        ("wecombot://0a1b-2c3d", "wecombot://****"),
        ("tgram://123456:AbC/chat", "tgram://****"),
        ("bark://device-key@api.example.org:443", "bark://api.example.org:443/****"),
        ("https://hooks.example.org:8443/s/SECRET?key=1", "https://hooks.example.org:8443/****"),
        ("https://hooks.example.org?key=1", "https://hooks.example.org/****"),
        ("https://hooks.example.org/", "https://hooks.example.org"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("postgresql://me:secret@db.example.org/shouwang", "postgresql://db.example.org/****"),
        ("sqlite:///shouwang.db", "sqlite:///shouwang.db"),
    ],
)
def test_of_an_address_only_the_server_is_shown(url: str, masked: str) -> None:
    assert mask_url(url) == masked


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("+8613800000001", "138****0001"),
        ("ntfy://ntfy.example.org/w07-a", "ntfy://ntfy.example.org/****"),
        ("liming@example.org", "l****@example.org"),
        ("console", "console"),
    ],
)
def test_every_kind_of_address_is_masked(address: str, masked: str) -> None:
    assert mask_address(address) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("SMS to +8613800000001 failed", "SMS to 138****0001 failed"),
        ("call 13800000001，then 13900000002。", "call 138****0001，then 139****0002。"),
        ("GET /Messages.json?To=%2B8613800000001&PageSize=50", "GET /Messages.json?To=138****0001&PageSize=50"),
        ("up: http://127.0.0.1:8080, 2 sources", "up: http://127.0.0.1:8080, 2 sources"),
        ("posted to https://h.example.org/s/KEY.", "posted to https://h.example.org/****."),
        ("posted to https://h.example.org/a,SECRET now", "posted to https://h.example.org/**** now"),
        ("took 1792483726.123456789 s", "took 1792483726.123456789 s"),
        ("at 1792483726123 ms", "at 1792483726123 ms"),
        ("delivery 7 of incident 4b1d", "delivery 7 of incident 4b1d"),
    ],
)
def test_a_line_of_a_log_is_masked_and_still_says_something(text: str, masked: str) -> None:
    assert mask_text(text) == masked


@given(st.text())
def test_masking_never_raises(text: str) -> None:
    mask_text(text)
    mask_address(text)
    mask_url(text)
    mask_phone(text)


@given(st.text(), st.from_regex(r"\A1[3-9][0-9]{9}\Z"), st.text())
def test_no_mobile_number_survives(before: str, number: str, after: str) -> None:
    assert f" +86{number} " not in mask_text(f"{before} +86{number} {after}")


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("玉林北街1号院1栋2单元301", "玉林北街1号院1栋2单元***"),
        ("玉林北街1号院301室", "玉林北街1号院***室"),
        ("玉林北街", "玉林北街"),
        ("", ""),
    ],
)
def test_of_an_address_the_door_is_hidden(address: str, shown: str) -> None:
    assert mask_place(address) == shown
