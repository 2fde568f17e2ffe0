"""The small words of the three files: ids, durations, windows, shifts, phone numbers, addresses.

Each is a type that pydantic reads, that JSON Schema describes, and whose refusal is a whole sentence.
"""

import re
from collections.abc import Collection
from datetime import time
from functools import lru_cache
from typing import Annotated, Any, Final

import phonenumbers
from pydantic import BeforeValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from rules.periods import DailyWindow, Shift
from shouwang.config.problems import one_of

#: The type of an error whose message is already a sentence for people.
SENTENCE: Final = "sentence"

#: What must not be in an id: ids stand in MQTT topics and beside one another with a slash between.
ID_PATTERN: Final = r"^[^\s/+#$\x00-\x1f\x7f][^\s/+#\x00-\x1f\x7f]{0,99}$"
#: What must not be in a name by which a gateway calls a device; it may hold slashes and spaces.
NAME_PATTERN: Final = r"^[^\s/+#\x00-\x1f\x7f]([^+#\x00-\x1f\x7f]{0,198}[^\s/+#\x00-\x1f\x7f])?$"
#: What must not be in the base of topics; a single `+` stands for devices that each have a base of their own.
#: OneNET's topics begin with $sys, and Alink's with a slash.
BASE_PATTERN: Final = r"^(\+|(\$sys|/sys|[^\s/+#$\x00-\x1f\x7f]+)(/[^\s/+#\x00-\x1f\x7f]+)*)$"

_DURATION: Final = re.compile(r"(?=.)(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", re.ASCII)
_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))
_LONGEST_S: Final = 366 * 86_400
_WINDOW: Final = re.compile(r"(\d\d):(\d\d)\s*-\s*(\d\d):(\d\d)", re.ASCII)
_MINUTES_A_DAY: Final = 24 * 60
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_E164: Final = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)
#: Signs that people put into numbers, and that say nothing.
_DIALLING_SIGNS: Final = re.compile(r"[\s().-]")


class OneOf:
    """Goes with `str`: the value must be one of some words, and a wrong one is told what was probably meant."""

    def __init__(self, known: Collection[str]) -> None:
        self._known = frozenset(known)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "enum": sorted(self._known)}

    def _check(self, value: Any) -> Any:
        if isinstance(value, str) and value not in self._known:
            raise sentence(f"'{value}' is not known here; {one_of(value, self._known)}")
        return value


class OneOrMany:
    """Goes with a list: a single text is a list of one."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._as_list, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        many = handler(schema)
        return {"anyOf": [many["items"], many]}

    @staticmethod
    def _as_list(value: Any) -> Any:
        return [value] if isinstance(value, str) else value


class OneOrSeveral(OneOrMany):
    """Goes with a list of entries: a single entry is a list of one, too."""

    @staticmethod
    def _as_list(value: Any) -> Any:
        return value if isinstance(value, list) else [value]


class OrText:
    """Goes with an entry that may be written as a text, which it reads itself: editors should know."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return handler(source)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string", "minLength": 1}, handler(schema)]}


def sentence(message: str, *at: str | int) -> PydanticCustomError:
    """An error whose message is shown as it is, at a place inside the value that is being read."""
    # The message is not a template: braces in it (they come from the file) stay what they are.
    return PydanticCustomError(SENTENCE, "{message}", {"message": message, "at": at})


def duration_s(value: Any) -> int:
    """Read `30s`, `5m`, `24h`, `2d`, `1h30m` as seconds."""
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise sentence(f"'{value}' is not a duration; write a number with its unit, such as 30s, 5m, 24h or 2d")
    seconds = sum(int(number or 0) * size for number, (size, _) in zip(found.groups(), _UNITS, strict=True))
    if seconds > _LONGEST_S:
        raise sentence(f"'{value}' is longer than a year")
    return seconds


def written(seconds: int) -> str:
    """Write a duration as in the files, in the largest unit of which it holds more than one: `60s`, `5m`, `24h`."""
    size, unit = next((size, unit) for size, unit in _UNITS if (seconds > size and not seconds % size) or size == 1)
    return f"{seconds // size}{unit}"


def _positive_duration_s(value: Any) -> int:
    seconds = duration_s(value)
    if not seconds:
        raise sentence(f"'{value}' must be longer than nothing")
    return seconds


def window(value: Any) -> DailyWindow:
    """Read `"22:00-06:00"`; an end of 24:00 is midnight, and equal ends are a whole day."""
    found = _WINDOW.fullmatch(value) if isinstance(value, str) else None
    if found is not None:
        hours = [int(part) for part in found.groups()]
        start, end = hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]
        if start < _MINUTES_A_DAY and end <= _MINUTES_A_DAY and max(hours[1], hours[3]) < 60:
            return DailyWindow(start=time(*divmod(start, 60)), end=time(*divmod(end % _MINUTES_A_DAY, 60)))
    raise sentence(f"'{value}' is not a window of the day; write it as \"22:00-06:00\"")


def _days(words: str) -> frozenset[int] | None:
    days: set[int] = set()
    for part in words.split(","):
        first, dash, last = part.partition("-")
        if first not in DAYS or (dash and last not in DAYS):
            return None
        begin = DAYS.index(first)
        length = (DAYS.index(last) - begin) % 7 + 1 if dash else 1
        days.update((begin + step) % 7 for step in range(length))
    return frozenset(days)


def shift(value: Any) -> Shift:
    """Read `mon-sun 07:00-22:00` or `sat,sun 08:00-20:00`; a shift past midnight belongs to the day it begins on."""
    words, _, hours = value.strip().lower().partition(" ") if isinstance(value, str) else ("", "", "")
    days = _days(words)
    if days is None or not hours:
        raise sentence(
            f"'{value}' is not a shift; write days (mon tue wed thu fri sat sun) and hours, "
            'such as "mon-fri 07:00-22:00" or "sat,sun 08:00-20:00"'
        )
    return Shift(days=days, window=window(hours.strip()))


@lru_cache(maxsize=4096)
def _mainland_mobile(prefix: str) -> bool:
    """Say whether numbers with this beginning (+86 and six digits; the plan goes no deeper) can be real."""
    return phonenumbers.is_valid_number(phonenumbers.parse(prefix + "00001"))


def phone(value: Any) -> str:
    """Read a phone number with its country code, as E.164."""
    if not isinstance(value, str):
        raise sentence(f"'{value}' is not a phone number; write it with + and the country code, such as +8613900000001")
    number = _DIALLING_SIGNS.sub("", value)
    # One in thirty microseconds instead of thirty: a city has hundreds of thousands of them.
    if len(number) == 14 and number.startswith("+861") and number[1:].isascii() and number[1:].isdecimal():
        if _mainland_mobile(number[:9]):
            return number
    elif _E164.fullmatch(number) and phonenumbers.is_valid_number(parsed := phonenumbers.parse(number)):
        return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    raise sentence(f"'{value}' is not a phone number{_meant_number(number)}")


def _meant_number(number: str) -> str:
    if number.startswith("+"):
        return " that can be called; are there digits too many or too few?"
    try:
        meant = phonenumbers.parse(number, "CN")
    except phonenumbers.NumberParseException:
        meant = None
    if meant is not None and phonenumbers.is_valid_number(meant):
        with_code = phonenumbers.format_number(meant, phonenumbers.PhoneNumberFormat.E164)
        return f" with its country code; did you mean '{with_code}'?"
    return "; it must begin with + and the country code, such as +8613900000001"


def is_landline(number: str) -> bool:
    """Say whether a number (E.164) surely is no mobile, so that a text message will not arrive."""
    if number.startswith("+861") and len(number) == 14:
        return False
    return phonenumbers.number_type(phonenumbers.parse(number)) == phonenumbers.PhoneNumberType.FIXED_LINE


def _web_address(value: Any) -> str:
    if isinstance(value, str) and re.fullmatch(r"https?://[^\s/?#]+\S*", value, re.ASCII):
        return value
    raise sentence("this is not a web address; it must begin with https:// (or http://) and hold no spaces")


def _apprise_address(value: Any) -> str:
    if isinstance(value, str) and re.fullmatch(r"[a-z][a-z0-9+.-]*://\S+", value, re.IGNORECASE):
        return value
    raise sentence('this is no address for Apprise; write one such as "ntfy://ntfy.example.org/topic"')


_DURATION_SCHEMA: Final = {
    "type": "string",
    "pattern": r"^(?=.)(\d+d)?(\d+h)?(\d+m)?(\d+s)?$",
    "examples": ["30s", "5m", "24h", "2d"],
}
_PHONE_SCHEMA: Final = {"type": "string", "pattern": r"^\+[\d ().-]{7,24}$", "examples": ["+8613900000001"]}

Duration = Annotated[int, BeforeValidator(duration_s), WithJsonSchema(_DURATION_SCHEMA)]
PositiveDuration = Annotated[int, BeforeValidator(_positive_duration_s), WithJsonSchema(_DURATION_SCHEMA)]
Window = Annotated[
    DailyWindow,
    BeforeValidator(window),
    WithJsonSchema({"type": "string", "pattern": r"^\d\d:\d\d\s*-\s*\d\d:\d\d$", "examples": ["22:00-06:00"]}),
]
ShiftOfWeek = Annotated[
    Shift,
    BeforeValidator(shift),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^[a-zA-Z,-]+ +\d\d:\d\d\s*-\s*\d\d:\d\d$",
            "examples": ["mon-sun 07:00-22:00", "sat,sun 08:00-20:00"],
        }
    ),
]
Phone = Annotated[str, BeforeValidator(phone), WithJsonSchema(_PHONE_SCHEMA)]
WebAddress = Annotated[str, BeforeValidator(_web_address), WithJsonSchema({"type": "string", "pattern": "^https?://"})]
AppriseAddress = Annotated[str, BeforeValidator(_apprise_address), WithJsonSchema({"type": "string", "pattern": "://"})]
Id = Annotated[str, Field(pattern=ID_PATTERN)]
Name = Annotated[str, Field(pattern=NAME_PATTERN)]
Base = Annotated[str, Field(pattern=BASE_PATTERN)]
Text = Annotated[str, Field(min_length=1)]
