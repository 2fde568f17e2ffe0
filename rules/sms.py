"""Short messages: everything that matters within one SMS of 70 UTF-16 units, shortened by rule where it must be.

A Chinese SMS is UCS-2: 70 units alone, 67 a part where it is split. A page that arrives in two parts may arrive as
half a page, so nothing here is ever longer than one. What is shortened first is what the neighbour who answers misses
least: the city, then the street, then the words between house numbers, then the name, then the end of the advice. The
tail, which holds the reply code, is never touched.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

#: UTF-16 units of one SMS in UCS-2.
LIMIT = 70


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a message says, before and after shortening."""

    title: str
    place: str
    person: str = ""
    first: str = ""


def units(text: str) -> int:
    """Count UTF-16 units, as networks do."""
    return len(text.encode("utf-16-le")) // 2


def compose(*, marks: str = "", title: str, place: str, person: str, first: str, tail: str) -> str:
    """Write a page: marks and title, place, person, first action, and the tail with the reply code."""

    def head(words: Words) -> str:
        return " ".join(filter(None, (marks + words.title, words.place, words.person, words.first)))

    return fit(head, tail, Words(title=title, place=place, person=person, first=first))


def fit(head: Callable[[Words], str], tail: str, words: Words) -> str:
    """Write `head` of the words, a space and the tail within LIMIT, shortening the words only as far as needed."""
    room = LIMIT - units(tail) - (1 if tail else 0)
    words = Words(
        title=_one_line(words.title),
        place=_one_line(words.place),
        person=_one_line(words.person),
        first=_one_line(words.first),
    )
    for shorten in (_same, *_SHORTER):
        words = shorten(words)
        text = _one_line(head(words))
        if units(text) <= room:
            return f"{text} {tail}".strip()
    # The number of the house is at the end of an address: that end is kept.
    over = units(text) - room
    words = replace(words, place=_end(words.place, max(units(words.place) - over, _LEAST_PLACE)))
    return f"{_beginning(_one_line(head(words)), room)} {tail}".strip()


def shorten_address(address: str) -> str:
    """Shorten a Chinese address as far as the rules go, e.g. for a narrow column."""
    for shorten in (_without_brackets, _without_region, _without_street, _collapsed):
        address = shorten(address)
    return address


# --- the rules, in the order in which they are applied ----------------------------------------------------------------

#: UTF-16 units of which an address keeps at least, at its end; advice and title, at their beginning.
_LEAST_PLACE = 16
_LEAST_FIRST = 6
_LEAST_TITLE = 8


def _same(words: Words) -> Words:
    return words


def _place(shorten: Callable[[str], str]) -> Callable[[Words], Words]:
    return lambda words: replace(words, place=shorten(words.place))


_CLAUSE = re.compile(r"[\s，,；;。、:：!！]+")


def _first_clause(words: Words) -> Words:
    return replace(words, first=_CLAUSE.split(words.first)[0])


def _first_words(words: Words) -> Words:
    return replace(words, first=_beginning(_CLAUSE.split(words.first)[0], _LEAST_FIRST, mark=""))


def _short_title(words: Words) -> Words:
    return replace(words, title=_beginning(words.title, _LEAST_TITLE))


_PROVINCES = (
    "河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南|四川|贵州|云南|陕西|甘肃|青海"
    "|台湾"
)
_AUTONOMOUS = "内蒙古|广西壮族|广西|西藏|宁夏回族|宁夏|新疆维吾尔|新疆"
#: Cities that nobody takes for the name of a compound, so that no district need follow.
_WELL_KNOWN = re.compile(r"(?:北京|天津|上海|重庆|成都)市")
_HAN = r"[\u4e00-\u9fff]"

#: `四川省`, or `四川` where a city follows: 四川北路 is a road.
_PROVINCE = re.compile(
    rf"(?:中国)?(?:(?:{_PROVINCES})省|(?:{_AUTONOMOUS})自治区|(?:香港|澳门)特别行政区"
    rf"|(?:{_PROVINCES}|{_AUTONOMOUS})(?=(?:(?![路街巷道]){_HAN}){{2,8}}?(?:市|自治州|地区|盟)))"
)
_CITY = re.compile(rf"{_HAN}{{2,12}}?(?:市|自治州|地区|盟)")

#: A district, county or county-level city. Not 小区, 社区, 园区, 红旗 or 菜市, and nothing beyond a road.
_DISTRICT = re.compile(
    rf"(?:市[中南北]区|(?:(?![区县旗市号]){_HAN})(?:(?![区县旗市号路街巷道院栋幢园苑庭]){_HAN}){{0,14}}?"
    rf"(?:自治县|自治旗|(?<![小社园校厂院苑庭])区|县|(?<![红国])旗)|(?:(?!市){_HAN}){{2,6}}?(?<![城都菜夜超门])市)"
)
_STREET = re.compile(rf"{_HAN}{{2,10}}?(?:街道(?:办事处)?|地区办事处)")
_TOWN = re.compile(rf"(?:(?![路街巷道村]){_HAN}){{1,8}}?(?<![古小])(?:镇|民族乡|乡|苏木)")
_COMMUNITY = re.compile(rf"(?:(?![路街巷道村]){_HAN}){{2,8}}?(?:社区|居委会|村委会)")
#: 玉林北路社区: surely a community where a subdistrict or a town stands before it.
_COMMUNITY_OF_A_STREET = re.compile(rf"{_HAN}{{2,8}}?(?:社区|居委会|村委会)")

#: What is left of an address must still begin with a name, whole, and say something.
_NAMED = re.compile(rf"(?![路街巷口]|大道|大街|城[路街]){_HAN}.{{3}}")


def _strip(pattern: re.Pattern[str], address: str) -> str:
    found = pattern.match(address)
    rest = address[found.end() :].lstrip() if found else address
    return rest if _NAMED.match(rest) else address


def _without_brackets(address: str) -> str:
    return re.sub(r"[（(［\[【][^（）()［］\[\]【】]*[）)］\]】]", "", address).strip() or address


def _without_region(address: str) -> str:
    """Drop province, city and district, where they are that and not part of a name."""
    rest = _strip(_PROVINCE, address)
    sure = rest != address
    if (city := _CITY.match(rest)) and (sure or _WELL_KNOWN.match(rest) or _is_district(rest[city.end() :])):
        shorter = _strip(_CITY, rest)
        sure = sure or shorter != rest
        rest = shorter
    # A county-level city may stand between a prefecture and nothing else; a second district is not stripped.
    found = _DISTRICT.match(rest)
    if found and _is_district(rest, sure=sure):
        rest = _strip(_DISTRICT, rest)
    return rest


def _is_district(address: str, *, sure: bool = True) -> bool:
    """Whether a district stands at the beginning; one that follows no city has a short name."""
    found = _DISTRICT.match(address)
    if not found:
        return False
    name = found[0]
    return len(name) <= _LONGEST_BARE_DISTRICT or (sure and not re.search(r"..[东南西北中前后]区$", name))


_LONGEST_BARE_DISTRICT = 3


def _without_street(address: str) -> str:
    """Drop subdistrict, town and community, where something is left that has a name."""
    rest = _strip(_TOWN, _strip(_STREET, address))
    return _strip(_COMMUNITY if rest == address else _COMMUNITY_OF_A_STREET, rest)


_NUMBER = r"[0-9A-Za-z一二三四五六七八九十百]+"
_COMPOUND = re.compile(r"([0-9]+)号院")
_DOOR = re.compile(
    rf"({_NUMBER})(?:栋|幢|号楼|座|#楼?)({_NUMBER})(?:单元|门)(?:{_NUMBER}[层楼])?({_NUMBER})(?:室|号|房)?(?!{_NUMBER})"
)
_DOOR_WITHOUT_UNIT = re.compile(
    rf"({_NUMBER})(?:栋|幢|号楼|座|#楼?)(?:{_NUMBER}[层楼])?([0-9A-Za-z]+)(?:室|号|房)?(?![0-9A-Za-z单])"
)


def _collapsed(address: str) -> str:
    """Write 1号院1栋2单元301 as 1院1-2-301."""
    address = _COMPOUND.sub(r"\1院", re.sub(r"\s+", "", address))
    address = _DOOR.sub(r"\1-\2-\3", address)
    return _DOOR_WITHOUT_UNIT.sub(r"\1-\2", address)


_SHORTER: tuple[Callable[[Words], Words], ...] = (
    _place(_without_brackets),
    _place(_without_region),
    _place(_without_street),
    _place(_collapsed),
    lambda words: replace(words, person=""),
    _first_clause,
    _first_words,
    _short_title,
)


# --- cutting ----------------------------------------------------------------------------------------------------------


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _beginning(text: str, room: int, *, mark: str = "…") -> str:
    """Give as much of the beginning as fits, never half of a character."""
    if units(text) <= room:
        return text
    kept = text
    while kept and units(kept) > room - units(mark):
        kept = kept[:-1]
    return kept + mark


def _end(text: str, room: int) -> str:
    """Give as much of the end as fits."""
    if units(text) <= room:
        return text
    kept = text
    while kept and units(kept) > room - 1:
        kept = kept[1:]
    return "…" + kept
