"""One SMS of 70 UTF-16 units, whatever the address."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import sms

PERSON, FIRST, TAIL = "王秀英", "开窗关阀勿开灯", "接单回K7"


def page(address: str, *, title: str = "燃气泄漏", marks: str = "", first: str = FIRST, person: str = PERSON) -> str:
    return sms.compose(marks=marks, title=title, place=address, person=person, first=first, tail=TAIL)


def test_units_are_those_of_networks() -> None:
    assert sms.units("") == 0
    assert sms.units("K7") == 2
    assert sms.units("燃气") == 2
    assert sms.units("😀") == 2


def test_what_fits_is_not_touched() -> None:
    assert page("玉林北街1号院1栋2单元301") == "燃气泄漏 玉林北街1号院1栋2单元301 王秀英 开窗关阀勿开灯 接单回K7"


#: (address, units of the page, its place): the longest that real registers hold.
LONGEST = [
    ("四川省成都市武侯区玉林街道玉林北街1号院1栋2单元301", 51, "四川省成都市武侯区玉林街道玉林北街1号院1栋2单元301"),
    (
        "新疆维吾尔自治区巴音郭楞蒙古自治州库尔勒市萨依巴格街道人民西路丽水花园3号楼2单元502室",
        68,
        "新疆维吾尔自治区巴音郭楞蒙古自治州库尔勒市萨依巴格街道人民西路丽水花园3号楼2单元502室",
    ),
    (
        "内蒙古自治区呼伦贝尔市莫力达瓦达斡尔族自治旗尼尔基镇腾克民族社区文化路56号3号楼4单元602",
        70,
        "内蒙古自治区呼伦贝尔市莫力达瓦达斡尔族自治旗尼尔基镇腾克民族社区文化路56号3号楼4单元602",
    ),
    (
        "云南省临沧市双江拉祜族佤族布朗族傣族自治县勐勐镇沿河社区北回归大道东段123号2栋3单元1204室",
        51,
        "勐勐镇沿河社区北回归大道东段123号2栋3单元1204室",
    ),
    (
        "中国四川省成都市高新技术产业开发区肖家河街道新盛社区永丰路20号院6栋3单元12号（原国营第四棉纺织印染厂职工宿舍区北门旁）",
        64,
        "中国四川省成都市高新技术产业开发区肖家河街道新盛社区永丰路20号院6栋3单元12号",
    ),
    (
        "四川省成都市武侯区肖家河街道新盛社区东南里居民小组锦绣花园国际城市社区二期东区香榭丽舍组团12号院15栋2单元27层2703室",
        68,
        "东南里居民小组锦绣花园国际城市社区二期东区香榭丽舍组团12号院15栋2单元27层2703室",
    ),
]


@pytest.mark.parametrize(("address", "length", "place"), LONGEST)
def test_the_longest_real_addresses(address: str, length: int, place: str) -> None:
    text = page(address)
    assert text == f"燃气泄漏 {place} 王秀英 开窗关阀勿开灯 接单回K7"
    assert sms.units(text) == length <= sms.LIMIT


#: (address, units, the page after its title) with more marks than there ever are: each row one rule further.
MARKED = [
    (
        "四川省成都市武侯区玉林街道玉林北街1号院1栋2单元301",
        67,
        "四川省成都市武侯区玉林街道玉林北街1号院1栋2单元301 王秀英 开窗关阀勿开灯 接单回K7",
    ),
    (
        "新疆维吾尔自治区巴音郭楞蒙古自治州库尔勒市萨依巴格街道人民西路丽水花园3号楼2单元502室",
        63,
        "萨依巴格街道人民西路丽水花园3号楼2单元502室 王秀英 开窗关阀勿开灯 接单回K7",
    ),
    (
        "云南省临沧市双江拉祜族佤族布朗族傣族自治县勐勐镇沿河社区北回归大道东段123号2栋3单元1204室",
        67,
        "勐勐镇沿河社区北回归大道东段123号2栋3单元1204室 王秀英 开窗关阀勿开灯 接单回K7",
    ),
    (
        "成都市武侯区肖家河街道新盛社区永丰路北巷机械厂家属院20号院6栋3单元12层1203室",
        67,
        "永丰路北巷机械厂家属院20号院6栋3单元12层1203室 王秀英 开窗关阀勿开灯 接单回K7",
    ),
    (
        "成都市武侯区肖家河街道新盛社区永丰路北巷红旗机械制造厂职工家属区20号院6栋3单元12层1203室",
        67,
        "永丰路北巷红旗机械制造厂职工家属区20院6-3-1203 王秀英 开窗关阀勿开灯 接单回K7",
    ),
    (
        "成都市武侯区肖家河街道新盛社区永丰路北巷国营红旗机械制造总厂第二职工家属区20号院6栋3单元12层1203室",
        68,
        "永丰路北巷国营红旗机械制造总厂第二职工家属区20院6-3-1203 开窗关阀勿开灯 接单回K7",
    ),
    (
        "成都市武侯区肖家河街道新盛社区永丰路北巷国营红旗机械制造总厂第二职工家属区正东门20号院6栋3单元12层1203室",
        70,
        "永丰路北巷国营红旗机械制造总厂第二职工家属区正东门20院6-3-1203 开窗关阀勿开 接单回K7",
    ),
    (
        "成都市武侯区肖家河街道新盛社区永丰路北巷国营红旗机械制造总厂第二职工家属区东门旁菜市场楼上20号院6栋3单元12层1203室",
        70,
        "…营红旗机械制造总厂第二职工家属区东门旁菜市场楼上20院6-3-1203 开窗关阀勿开 接单回K7",
    ),
]


@pytest.mark.parametrize(("address", "length", "rest"), MARKED)
def test_each_rule_in_turn(address: str, length: int, rest: str) -> None:
    marks = "[演练][迟12分钟][第2轮]"
    text = page(address, marks=marks)
    assert text == f"{marks}燃气泄漏 {rest}"
    assert sms.units(text) == length <= sms.LIMIT


def test_advice_is_shortened_to_its_first_clause_before_it_is_cut() -> None:
    address = "永丰路北巷国营红旗机械制造总厂第二职工家属区20号院6栋3单元12层1203室"
    text = page(address, marks="[演练][待核实]", first="开窗通风，关总阀，勿开灯，勿打电话，带老人出门")
    assert text == "[演练][待核实]燃气泄漏 永丰路北巷国营红旗机械制造总厂第二职工家属区20院6-3-1203 开窗通风 接单回K7"


def test_a_title_of_many_kinds_gives_way_to_the_house_number() -> None:
    title = "燃气泄漏+烟雾报警+一氧化碳报警+长时间未出门+紧急求助+跌倒报警+夜间门未关"
    text = page("玉林北街1号院1栋2单元301", title=title)
    assert "1院1-2-301" in text
    assert text.endswith(TAIL)
    assert sms.units(text) <= sms.LIMIT


#: (address, without its region and street, collapsed)
ADDRESSES = [
    # Names that only look like a city, a district or a province.
    ("阳光城市花园3栋2单元101", "阳光城市花园3-2-101"),
    ("玉林小区东区5栋1单元302", "玉林小区东区5-1-302"),
    ("锦绣花园东区5栋1单元302", "锦绣花园东区5-1-302"),
    ("四川北路2011弄3号402室", "四川北路2011弄3号402室"),
    ("山东路菜市口1号", "山东路菜市口1号"),
    ("和平社区3栋", "和平社区3栋"),
    ("菜市口大街5号3栋2单元8号", "菜市口大街5号3-2-8"),
    ("都市花园3栋2单元8号", "都市花园3-2-8"),
    ("成都市都市花园3栋2单元8号", "都市花园3-2-8"),
    ("红旗路5号院3栋2单元8号", "红旗路5院3-2-8"),
    ("成都市红旗路5号院3栋2单元8号", "红旗路5院3-2-8"),
    ("老县城路12号", "老县城路12号"),
    ("成都市锦绣东区5栋1单元302", "锦绣东区5-1-302"),
    ("成都市玉林小区3栋2单元8号", "玉林小区3-2-8"),
    # Real regions of every form.
    ("四川成都市锦江区人民东路1号2幢3门4楼405室", "人民东路1号2-3-405"),
    ("北京市朝阳区望京街道望京西园四区412号楼1单元1803室", "望京西园四区412-1-1803"),
    ("四川省乐山市市中区通江街道柏杨西路168号", "柏杨西路168号"),
    ("四川省甘孜藏族自治州康定市炉城街道向阳街89号5栋1单元7层702室", "向阳街89号5-1-702"),
    ("西安市雁塔区小寨路街道长安中路社区含光小区10号楼3单元1501室", "含光小区10-3-1501"),
    ("重庆市沙坪坝区陈家桥街道陈桥村3组12号", "陈桥村3组12号"),
    ("武侯区玉林街道玉林北路社区玉林北路10号院一栋二单元三号", "玉林北路10院一-二-三"),
    ("成都市武侯区玉林街道3栋2单元101", "玉林街道3-2-101"),
    # House numbers of every form.
    ("玉林北街1号院1栋301", "玉林北街1院1-301"),
    ("玉林北街1号院1栋2单元3楼301号", "玉林北街1院1-2-301"),
    ("玉林北街88号A座1204室", "玉林北街88号A-1204"),
    ("玉林北街 1号院 1栋 2单元 301", "玉林北街1院1-2-301"),
    ("玉林北街1号院（后门）1栋2单元301", "玉林北街1院1-2-301"),
    ("玉林北街1号附12号", "玉林北街1号附12号"),
    ("（北门）", "（北门）"),
    ("", ""),
]


@pytest.mark.parametrize(("address", "short"), ADDRESSES)
def test_shortening_an_address(address: str, short: str) -> None:
    """What drops a region never eats the name of a compound, and never leaves a bare number."""
    assert sms.shorten_address(address) == short


def test_breaks_of_lines_do_not_get_into_a_message() -> None:
    assert "\n" not in page("玉林北街\n1号院", first="开窗\r\n关阀")


def test_without_a_person_there_is_no_gap() -> None:
    assert "  " not in page("玉林北街1号院", person="")


@given(
    words=st.builds(
        sms.Words,
        title=st.text(max_size=60),
        place=st.text(max_size=200),
        person=st.text(max_size=40),
        first=st.text(max_size=100),
    ),
    marks=st.sampled_from(["", "[演练]", "[演练][待核实][迟119分钟][第12轮]再次报警:"]),
    code=st.from_regex(r"[A-Z2-9]{2,5}", fullmatch=True),
)
def test_any_text_fits_and_keeps_its_code(words: sms.Words, marks: str, code: str) -> None:
    """Never longer than one SMS, never cut within the code, never half of a character."""
    tail = f"接单回{code}"
    text = sms.compose(
        marks=marks, title=words.title, place=words.place, person=words.person, first=words.first, tail=tail
    )
    assert sms.units(text) <= sms.LIMIT
    assert text.endswith(tail)
    assert "\n" not in text


@given(
    region=st.sampled_from(
        ["四川省成都市武侯区", "成都市武侯区", "武侯区", "北京市朝阳区", "广西壮族自治区南宁市青秀区"]
    ),
    street=st.sampled_from(["", "玉林街道", "望京街道办事处"]),
    road=st.sampled_from(["玉林北街", "人民南路四段", "小天竺街", "四川北路"]),
    numbers=st.tuples(st.integers(1, 999), st.integers(1, 99), st.integers(1, 9), st.integers(101, 3499)),
)
def test_what_a_neighbour_needs_stays(region: str, street: str, road: str, numbers: tuple[int, int, int, int]) -> None:
    """Road, compound, building, unit and door survive every rule."""
    court, building, unit, door = numbers
    short = sms.shorten_address(f"{region}{street}{road}{court}号院{building}栋{unit}单元{door}室")
    assert short == f"{road}{court}院{building}-{unit}-{door}"


def test_the_table_of_lengths_is_of_long_ones() -> None:
    assert all(sms.units(address) >= 28 for address, _, _ in LONGEST)
    assert max(sms.units(address) for address, _, _ in LONGEST) >= 60
    assert all(re.search(r"\d", address) for address, _, _ in LONGEST)
