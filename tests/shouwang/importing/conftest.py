"""A workbook, made by hand: nothing here needs to write them otherwise."""

import zipfile
from pathlib import Path

import pytest

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def _text(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


def _number(place: str, number: float, style: int = 0) -> str:
    return f'<c r="{place}" s="{style}"><v>{number}</v></c>'


def _sheet(*rows: tuple[int, str]) -> str:
    lines = "".join(f'<row r="{number}">{cells}</row>' for number, cells in rows)
    return f'<worksheet xmlns="{_MAIN}"><sheetData>{lines}</sheetData></worksheet>'


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    """Two sheets with something in them, the first with an empty row above; and an empty one."""
    homes = _sheet(
        (2, "".join(_text(f"{letter}2", word) for letter, word in zip("ABCDE", HEADING, strict=True))),
        (3, _number("A3", 101) + _text("B3", "g1") + _text("C3", "玉林北街1号") + _text("D3", "王秀英")
         + _number("E3", 15099, 1)),
    )  # fmt: skip
    devices = _sheet(
        (1, "".join(_text(f"{letter}1", word) for letter, word in zip("ABCD", DEVICES, strict=True))),
        (2, _text("A2", "101-gas") + _number("B2", 101) + _text("C2", "燃气") + _text("D2", "xinsheng")),
    )
    names = ("住户", "设备", "空")
    sheets = "".join(f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>' for n, name in enumerate(names, 1))
    rels = "".join(
        f'<Relationship Id="r{n}" Type="{_REL}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in (1, 2, 3)
    )
    styles = (
        f'<styleSheet xmlns="{_MAIN}"><cellXfs count="2"><xf numFmtId="0"/>'
        '<xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>'
    )
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="xml" ContentType='
        f'"application/xml"/><Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" Type='
        f'"{_REL}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_REL}"><sheets>{sheets}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{rels}<Relationship Id="r9"'
        f' Type="{_REL}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": styles,
        "xl/worksheets/sheet1.xml": homes,
        "xl/worksheets/sheet2.xml": devices,
        "xl/worksheets/sheet3.xml": _sheet(),
    }
    path = tmp_path / "community.xlsx"
    with zipfile.ZipFile(path, "w") as book:
        for name, text in parts.items():
            book.writestr(name, text)
    return path


HEADING = ("编号", "网格", "地址", "老人", "出生日期")
DEVICES = ("设备编号", "住户编号", "类型", "来源")
