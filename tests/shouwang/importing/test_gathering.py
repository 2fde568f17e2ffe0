from collections.abc import Sequence
from typing import Any

import pytest

from rules.community import Device, FamilyContact, Resident
from shouwang.importing.gathering import Gathered, gather
from shouwang.importing.tables import Table


def table(name: str, header: str, *rows: str) -> Table:
    """A table whose cells stand with | between."""
    cells = [tuple(cell or None for cell in row.split("|")) for row in rows]
    return Table(f"{name}.csv", name, tuple(header.split("|")), list(enumerate(cells, 2)))


HOMES = table("homes", "id|grid|address", "h1|g1|玉林北街1号", "h2|g1|玉林北街2号")


def told(gathered: Gathered) -> list[str]:
    return [str(problem) for problem in gathered.problems]


def test_everything_of_a_home_may_stand_in_its_row() -> None:
    gathered = gather(
        [
            table(
                "a",
                "编号|网格|地址|纬度|经度|燃气阀|hazards.steps|老人|出生日期|电话|独居|健康备注|resident2.name|联系人|联系人关系|联系人电话|通知联系人|外出",
                "h1|g1|玉林北街1号|30.6|104.0|灶台下|有台阶|王秀英|1941-05-03|13900000001|是|听力差；行动慢|李大爷|王强|儿子|13900000002|是|否",
            )
        ]
    )

    assert told(gathered) == []
    [(household, written)] = gathered.homes
    home = household.home
    assert (home.id, home.grid, home.address, home.away) == ("h1", "g1", "玉林北街1号", False)
    assert home.location is not None
    assert (home.location.lat, home.location.lon) == (30.6, 104.0)
    assert home.hazards == {"gas_valve": "灶台下", "steps": "有台阶"}
    assert home.residents == (
        Resident(name="王秀英", born=1941, phone="+8613900000001", living_alone=True, notes=("听力差", "行动慢")),
        Resident(name="李大爷"),
    )
    assert home.contacts == (FamilyContact(name="王强", relation="儿子", phone="+8613900000002", notify=True),)
    assert (written.home.number, written.devices) == (2, ())


def test_or_in_tables_of_their_own() -> None:
    gathered = gather(
        [
            table(
                "设备", "设备编号|住户编号|类型|来源|网关名称|心跳|反向", "d1|h1|门磁|z|0x12|25h|是", "d2|h1|gas|z||2h|"
            ),
            table("老人", "住户编号|姓名|出生年份", "h2|王秀英|1941"),
            table("家属", "住户|姓名|关系|电话|通知", "h2|王强|儿子|+8613900000002|yes"),
            HOMES,
        ]
    )

    assert told(gathered) == []
    first, second = (household for household, _ in gathered.homes)
    assert first.devices == (
        Device(id="d1", home_id="h1", kind="contact", source="z", name="0x12", heartbeat_s=90_000, invert=True),
        Device(id="d2", home_id="h1", kind="gas", source="z", name="d2", heartbeat_s=7200),
    )
    assert [one.name for one in second.home.residents] == ["王秀英"]
    assert [one.name for one in second.home.contacts] == ["王强"]


@pytest.mark.parametrize(
    ("tables", "problems"),
    [
        ([table("x", "a|b", "1|2")], ["x.csv:1:1: it cannot be told what this table is about; there must be"]),
        ([table("homes", "id|adress", "1|2")], ["homes.csv:1:1: a table of homes needs the columns grid, address"]),
        (
            [HOMES, table("devices", "id|home|kind|source|rom", "d|h1|gas|z|x")],
            ["devices.csv:1:5: rom: the column 'rom' is not known in a table of devices; did you mean 'room'?"],
        ),
        (
            [HOMES, table("devices", "id|home|kind|类型|source", "d|h1|gas|gas|z")],
            ["devices.csv:1:4: 类型: '类型' says the same as 'kind'"],
        ),
        (
            [table("devices", "id|home|kind|source", "d|h1|gas|z")],
            [
                "devices.csv (devices): there is no table of homes among these; give it as well",
                "devices.csv:2:2: home: there is no home 'h1' among the homes here",
            ],
        ),
        (
            [table("homes", "id|grid|address", "h1|g1|x", "h1|g1|y", "|g1|z", "h4||z")],
            [
                "homes.csv:3:1: id: the home 'h1' stands here a second time (homes.csv:2)",
                "homes.csv:4:1: id: the id of the home is missing",
                "homes.csv:5:2: grid: this key is missing",
            ],
        ),
        (
            [
                HOMES,
                table("devices", "id|home|kind|source|heartbeat", "d1|h9|gas|z|", "d2||gas|z|", "d3|h1|smoek|z|2 h"),
            ],
            [
                "devices.csv:2:2: home: there is no home 'h9' among the homes here",
                "devices.csv:3:2: home: the id of the home is missing",
                "devices.csv:4:3: kind: 'smoek' is not known here; did you mean 'smoke'?",
                "devices.csv:4:5: heartbeat: '2 h' is not a duration; write a number with its unit",
            ],
        ),
        (
            [table("homes", "id|grid|address|resident.phone|resident.name|lat|lon", "h1|g1|x|123|王|104|30")],
            [
                "homes.csv:2:4: resident.phone: '+86123' is not a phone number that can be called",
                "homes.csv:2:6: lat: 104 is no latitude; have lat and lon changed places?",
            ],
        ),
        (
            [table("homes", "id|grid|address|独居|老人", "h1|g1|x|也许|王")],
            ["homes.csv:2:4: 独居: '也许' should be true or false"],
        ),
    ],
    ids=range(9),
)
def test_what_is_wrong_is_told_with_row_and_column(tables: Sequence[Any], problems: list[str]) -> None:
    sentences = told(gather(tables))

    assert len(sentences) == len(problems)
    assert all(map(str.startswith, sentences, problems)), sentences


def test_a_home_with_a_mistake_is_refused_and_the_others_are_not() -> None:
    gathered = gather([HOMES, table("devices", "id|home|kind|source", "d1|h1|nothing|z", "d2|h2|gas|z")])

    assert gathered.refused == {"h1"}
    assert [household.home.id for household, _ in gathered.homes] == ["h2"]
