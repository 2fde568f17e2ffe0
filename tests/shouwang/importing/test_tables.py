from pathlib import Path

import pytest

from shouwang.config import ConfigError
from shouwang.importing import tables

ROWS = "编号,网格,地址\nh1,g1,玉林北街1号\n\n,,\nh2,g1,玉林北街2号\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_as_spreadsheets_write_it(tmp_path: Path, encoding: str, delimiter: str) -> None:
    path = tmp_path / "住户.csv"
    path.write_text(ROWS.replace(",", delimiter).replace("\n", "\r\n"), encoding)

    [table] = tables.read(path)

    assert (table.file, table.name, table.header) == ("住户.csv", "住户", ("编号", "网格", "地址"))
    # Rows have the numbers that a spreadsheet shows.
    assert table.rows == [(2, ("h1", "g1", "玉林北街1号")), (5, ("h2", "g1", "玉林北街2号"))]


def test_a_workbook_has_a_table_for_each_sheet_with_anything_in_it(workbook: Path) -> None:
    homes, devices = tables.read(workbook)

    assert (homes.file, homes.name, homes.header[0]) == ("community.xlsx[住户]", "住户", "编号")
    assert homes.rows[0][0] == 3
    # A spreadsheet knows no whole numbers, and has dates.
    assert homes.rows[0][1][:2] == (101, "g1")
    assert str(homes.rows[0][1][4]) == "1941-05-03"
    assert devices.name == "设备"


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("x.csv", b"a,b\0\n", "neither UTF-8 nor GB18030"),
        ("x.csv", b"\xff\xfe\xff\n", "neither UTF-8 nor GB18030"),
        ("x.csv", b"", "nothing in it"),
        ("x.csv", b"\n,\n", "nothing in it"),
        ("x.csv", b'a,b\n"x', "no table that can be read"),
        ("x.xlsx", b"no zip", "no table that can be read"),
    ],
    ids=range(6),
)
def test_what_is_no_table_is_refused_in_a_sentence(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(ConfigError, match=sentence):
        tables.read(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        tables.read(tmp_path / "homes.csv")
