"""The small words of the files, row by row."""

from datetime import time
from typing import Any

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from rules.periods import DailyWindow, Shift
from shouwang.config import scalars


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0s", 0), ("30s", 30), ("5m", 300), ("24h", 86_400), ("2d", 172_800), ("1h30m", 5_400), ("1d1h1m1s", 90_061)],
)
def test_durations(text: str, seconds: int) -> None:
    assert scalars.duration_s(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "5", "m", "5 m", "5min", "-5m", "5m1h", "1.5h", "５m", "367d", 15, None, True, ["5m"]]
)
def test_what_is_no_duration_is_refused(text: Any) -> None:
    with pytest.raises(PydanticCustomError):
        scalars.duration_s(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (60, "60s"), (300, "5m"), (5_400, "90m"), (86_400, "24h"), (172_800, "2d"), (61, "61s")],
)
def test_durations_are_written_as_people_write_them(seconds: int, text: str) -> None:
    assert scalars.written(seconds) == text


@given(st.integers(0, 366 * 86_400))
def test_a_written_duration_is_read_back(seconds: int) -> None:
    assert scalars.duration_s(scalars.written(seconds)) == seconds


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("22:00-06:00", time(22), time(6)),
        ("07:30 - 22:00", time(7, 30), time(22)),
        ("07:00-24:00", time(7), time(0)),
        ("00:00-24:00", time(0), time(0)),
        ("08:00-08:00", time(8), time(8)),
    ],
)
def test_windows(text: str, start: time, end: time) -> None:
    """An end of 24:00 is midnight, and equal ends are a whole day."""
    assert scalars.window(text) == DailyWindow(start=start, end=end)


@pytest.mark.parametrize(
    "text", ["22-06", "22:00", "24:00-06:00", "22:60-06:00", "22:00-25:00", "22:00-24:30", 2200, None]
)
def test_what_is_no_window_is_refused(text: Any) -> None:
    with pytest.raises(PydanticCustomError):
        scalars.window(text)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("mon-sun 07:00-22:00", {0, 1, 2, 3, 4, 5, 6}),
        ("sat,sun 07:00-22:00", {5, 6}),
        ("mon-fri,sun 07:00-22:00", {0, 1, 2, 3, 4, 6}),
        ("fri-mon 07:00-22:00", {4, 5, 6, 0}),
        ("wed 07:00-22:00", {2}),
        ("Mon-Fri  07:00-22:00", {0, 1, 2, 3, 4}),
    ],
)
def test_shifts(text: str, days: set[int]) -> None:
    """Days may run over the end of the week."""
    assert scalars.shift(text) == Shift(days=frozenset(days), window=DailyWindow(start=time(7), end=time(22)))


@pytest.mark.parametrize(
    "text", ["", "mon-sun", "07:00-22:00", "monday 07:00-22:00", "mon- 07:00-22:00", "mon,, 07:00-22:00"]
)
def test_what_is_no_shift_is_refused(text: Any) -> None:
    with pytest.raises(PydanticCustomError):
        scalars.shift(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+8613900000001", "+8613900000001"),
        ("+86 139 0000 0001", "+8613900000001"),
        ("+86-139-0000-0001", "+8613900000001"),
        ("+86 (028) 8555 0100", "+862885550100"),
        ("+862885550100", "+862885550100"),
        ("+85221234567", "+85221234567"),
        ("+8612300000001", None),
        ("+861390000000", None),
        ("+86139000000011", None),
        ("+86139０0000001", None),
        ("13900000001", None),
        ("008613900000001", None),
        ("+", None),
        ("", None),
    ],
)
def test_phone_numbers(text: str, number: str | None) -> None:
    """They are kept as E.164; signs that people put in are taken out."""
    if number is None:
        with pytest.raises(PydanticCustomError):
            scalars.phone(text)
    else:
        assert scalars.phone(text) == number


@given(st.integers(0, 10**10 - 1))
def test_the_quick_look_at_mainland_mobiles_agrees_with_the_library(digits: int) -> None:
    """A second opinion on the cache by the first digits."""
    number = f"+861{digits:010}"
    real = phonenumbers.is_valid_number(phonenumbers.parse(number))
    try:
        assert scalars.phone(number) == number
        assert real
    except PydanticCustomError:
        assert not real


def test_a_number_with_two_zeros_is_understood() -> None:
    with pytest.raises(PydanticCustomError, match=r"did you mean '\+8613900000001'"):
        scalars.phone("008613900000001")


@pytest.mark.parametrize(("number", "fixed"), [("+8613900000001", False), ("+862885550100", True)])
def test_landlines(number: str, fixed: bool) -> None:
    assert scalars.is_landline(number) is fixed


@pytest.mark.parametrize("value", ["h1", "玉林-1", "a.b", "A_1", "x" * 100, "family:1"])
def test_ids(value: str) -> None:
    assert TypeAdapter(scalars.Id).validate_python(value) == value


@pytest.mark.parametrize("value", ["", "a b", "a/b", "a+b", "a#b", "$a", " a", "a\n", "a\t", "x" * 101])
def test_what_is_unsafe_in_a_topic_is_no_id(value: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(scalars.Id).validate_python(value)


@pytest.mark.parametrize("value", ["6号楼/106/按钮_5", "kitchen gas", "0x00158d0001", "a", "$x"])
def test_names_of_devices(value: str) -> None:
    """Zigbee2MQTT allows slashes and spaces in friendly names."""
    assert TypeAdapter(scalars.Name).validate_python(value) == value


@pytest.mark.parametrize("value", ["", "/a", "a/", "a+", "a#b", " a", "a ", "a\nb"])
def test_names_that_cannot_be_on_mqtt(value: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(scalars.Name).validate_python(value)


@pytest.mark.parametrize(
    "value", ["zigbee2mqtt", "shouwang/v1", "chengdu/新盛/z2m", "+", "$sys", "$sys/480701", "/sys/a1b2"]
)
def test_bases(value: str) -> None:
    assert TypeAdapter(scalars.Base).validate_python(value) == value


@pytest.mark.parametrize("value", ["", "a/", "/a", "a//b", "a/#", "+/a", "a/+", "++", "$SYS", "a b"])
def test_bases_with_wildcards_or_loose_slashes_are_refused(value: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(scalars.Base).validate_python(value)
