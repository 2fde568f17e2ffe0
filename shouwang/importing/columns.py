"""What the columns of a table may be called, in English and Chinese, and what their cells mean."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import phonenumbers

from shouwang.config.problems import did_you_mean

_YES = frozenset({"yes", "y", "true", "1", "是", "对", "有", "√", "✓"})
_NO = frozenset({"no", "n", "false", "0", "否", "不", "无", "×"})
_SEPARATORS = re.compile(r"[;；、\n]+")
_YEAR = re.compile(r"(\d{4})(?:[-/.年].*)?")
_INDEXED = re.compile(r"(resident|contact)(\d*)\.(\w+)")
_HAZARD = re.compile(r"hazards?\.(\w+)")
#: So many people of a sort may stand in the row of a home.
_MOST_PEOPLE = 9
_KINDS_BY_NAME = {
    "燃气": "gas", "燃气报警器": "gas", "可燃气体": "gas", "烟雾": "smoke", "烟感": "smoke",
    "一氧化碳": "carbon_monoxide", "漏水": "water_leak", "水浸": "water_leak", "门磁": "contact", "门窗": "contact",
    "人体移动": "motion", "红外": "motion",
    "人体存在": "presence", "震动": "vibration", "求助按钮": "sos", "紧急按钮": "sos", "跌倒": "fall", "按钮": "button",
    "测量值": "measurement",
}  # fmt: skip

Loc = tuple[str | int, ...]
Convert = Callable[[Any], Any]


def text(cell: Any) -> Any:
    """Give a cell as text: 301 in a spreadsheet is the text 301."""
    if isinstance(cell, bool) or cell is None:
        return cell
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def as_it_is(cell: Any) -> Any:
    """Leave a cell to whoever checks the entry."""
    return cell


def truth(cell: Any) -> Any:
    """Read 是, 否, yes, no …; what is none of them stays, to be refused."""
    word = str(cell).strip().lower()
    return True if word in _YES else False if word in _NO else cell


def several(cell: Any) -> Any:
    """Read texts that stand in one cell with ; or 、 between."""
    return [part.strip() for part in _SEPARATORS.split(str(cell)) if part.strip()]


def year(cell: Any) -> Any:
    """Read a year, also of a whole date."""
    if isinstance(cell, date):
        return cell.year
    found = _YEAR.fullmatch(str(cell))
    return int(found[1]) if found else cell


def phone(cell: Any) -> Any:
    """Read a phone number; one without a country code is one of the mainland."""
    number = str(cell)
    if number.startswith("+"):
        return number
    try:
        parsed = phonenumbers.parse(number, "CN")
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def kind(cell: Any) -> Any:
    """Read a kind of device, in English or Chinese."""
    return _KINDS_BY_NAME.get(str(cell), cell)


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is understood: where in an entry its cells belong, and how they are read."""

    loc: Loc
    convert: Convert = text


@dataclass(frozen=True, slots=True)
class Sort:
    """What a table may be about."""

    name: str
    #: Words in the name of a sheet or file by which it is known.
    words: tuple[str, ...]
    #: By what the column may be called, in small letters.
    columns: Mapping[str, Column]
    #: Columns that there must be, by their English name.
    needed: tuple[str, ...]
    #: The column that says which home it is.
    home: str


def _named(names: Mapping[str, Convert], also: Mapping[str, str], *at: str) -> dict[str, Column]:
    columns = {name: Column((*at, name), convert) for name, convert in names.items()}
    return columns | {other: columns[name] for other, name in also.items()}


_RESIDENT = {"name": text, "born": year, "phone": phone, "living_alone": truth, "care": text, "notes": several}
_CONTACT = {"name": text, "relation": text, "phone": phone, "notify": truth}
#: Which home a row of another table is about.
_OF_HOME = {name: Column(("home",)) for name in ("home", "住户编号", "住户")}

HOMES = Sort(
    name="homes",
    words=("home", "住户", "家庭", "房屋"),
    columns={
        **_named(
            {"id": text, "grid": text, "address": text, "access": text, "away": truth},
            {"编号": "id", "住户编号": "id", "网格": "grid", "网格编号": "grid", "地址": "address",
             "入户方式": "access", "外出": "away"},
        ),
        "lat": Column(("location", "lat"), as_it_is), "纬度": Column(("location", "lat"), as_it_is),
        "lon": Column(("location", "lon"), as_it_is), "经度": Column(("location", "lon"), as_it_is),
        "datum": Column(("location", "datum")), "坐标系": Column(("location", "datum")),
        "燃气阀": Column(("hazards", "gas_valve")),
        "老人": Column(("residents", 0, "name")), "姓名": Column(("residents", 0, "name")),
        "出生年份": Column(("residents", 0, "born"), year), "出生日期": Column(("residents", 0, "born"), year),
        "电话": Column(("residents", 0, "phone"), phone), "独居": Column(("residents", 0, "living_alone"), truth),
        "关注等级": Column(("residents", 0, "care")), "健康备注": Column(("residents", 0, "notes"), several),
        "联系人": Column(("contacts", 0, "name")), "联系人关系": Column(("contacts", 0, "relation")),
        "联系人电话": Column(("contacts", 0, "phone"), phone), "通知联系人": Column(("contacts", 0, "notify"), truth),
    },
    needed=("id", "grid", "address"),
    home="id",
)  # fmt: skip
RESIDENTS = Sort(
    name="residents",
    words=("resident", "people", "老人", "居民"),
    columns={
        **_OF_HOME,
        **_named(_RESIDENT, {"姓名": "name", "出生年份": "born", "出生日期": "born", "电话": "phone",
                             "独居": "living_alone", "关注等级": "care", "健康备注": "notes"}),
    },
    needed=("home", "name"),
    home="home",
)  # fmt: skip
CONTACTS = Sort(
    name="contacts",
    words=("contact", "famil", "联系人", "家属"),
    columns={
        **_OF_HOME,
        **_named(_CONTACT, {"姓名": "name", "关系": "relation", "电话": "phone", "通知": "notify"}),
    },
    needed=("home", "name"),
    home="home",
)  # fmt: skip
DEVICES = Sort(
    name="devices",
    words=("device", "sensor", "设备", "传感器"),
    columns={
        **_OF_HOME,
        **_named(
            {"id": text, "kind": kind, "source": text, "name": text, "room": text, "heartbeat": text, "invert": truth,
             "vendor": text, "model": text},
            {"编号": "id", "设备编号": "id", "类型": "kind", "来源": "source", "网关名称": "name", "名称": "name",
             "房间": "room", "位置": "room", "心跳": "heartbeat", "反向": "invert", "厂家": "vendor", "型号": "model"},
        ),
    },
    needed=("id", "home", "kind", "source"),
    home="home",
)  # fmt: skip
SORTS = (HOMES, RESIDENTS, CONTACTS, DEVICES)


def sort_of(name: str, header: tuple[str, ...]) -> Sort | None:
    """Say what a table is about: by its name, else by its columns."""
    folded = name.casefold()
    named = [sort for sort in SORTS if any(word in folded for word in sort.words)]
    if len(named) == 1:
        return named[0]
    fitting = [sort for sort in SORTS if not missing(sort, header)]
    # What has an address is a home; what has a kind and a source is a device; a relation tells contacts.
    words = {cell.strip().casefold() for cell in header}
    for sort in (HOMES, DEVICES):
        if sort in fitting:
            return sort
    if CONTACTS in fitting and words & {"relation", "关系", "notify", "通知"}:
        return CONTACTS
    return RESIDENTS if RESIDENTS in fitting else None


def missing(sort: Sort, header: tuple[str, ...]) -> list[str]:
    """Give the columns that a table lacks."""
    there = {column.loc for cell in header if (column := column_of(sort, cell)) is not None}
    return [name for name in sort.needed if sort.columns[name].loc not in there]


def column_of(sort: Sort, heading: str) -> Column | None:
    """Say what a column is; None where it is not understood."""
    word = heading.strip().casefold().replace(" ", "_")
    found = sort.columns.get(word)
    if found is not None or sort is not HOMES:
        return found
    if hazard := _HAZARD.fullmatch(word):
        return Column(("hazards", hazard[1]))
    indexed = _INDEXED.fullmatch(word)
    if indexed is None:
        return None
    fields: Mapping[str, Convert] = _RESIDENT if indexed[1] == "resident" else _CONTACT
    number = int(indexed[2] or 1)
    if indexed[3] not in fields or not 1 <= number <= _MOST_PEOPLE:
        return None
    return Column((f"{indexed[1]}s", number - 1, indexed[3]), fields[indexed[3]])


def strange(sort: Sort, heading: str) -> str:
    """Say of a column that it is not understood."""
    return f"the column '{heading}' is not known in a table of {sort.name}" + did_you_mean(heading, sort.columns)
