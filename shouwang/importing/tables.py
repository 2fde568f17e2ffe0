"""Tables as people keep them: CSV in the encodings that spreadsheets write, and workbooks."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from shouwang.config.problems import ConfigError, Problem

_WORKBOOKS = frozenset({".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"})
#: Excel in China saves CSV as GB18030 (or its subset GBK), and with a mark at the beginning as UTF-8.
_ENCODINGS = ("utf-8-sig", "gb18030")
_DELIMITERS = ",;\t"


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet, or a file of comma-separated values."""

    #: As problems name it: `homes.csv`, `community.xlsx[住户]`.
    file: str
    #: The name of the sheet, or of the file without its ending.
    name: str
    header: tuple[str, ...]
    #: The cells of a row with the row's number as a spreadsheet shows it; empty rows are left out.
    rows: list[tuple[int, tuple[Any, ...]]]


def read(path: Path) -> list[Table]:
    """Read the tables of a file. Raises ConfigError with a sentence where it cannot be read."""
    try:
        sheets = [
            (file, name, _rows(lines))
            for file, name, lines in (_workbook(path) if path.suffix.lower() in _WORKBOOKS else _csv(path))
        ]
    except OSError as error:
        raise ConfigError([Problem(file=str(path), message=f"it cannot be read: {error.strerror or error}")]) from error
    except (CalamineError, csv.Error) as error:
        raise ConfigError([Problem(file=str(path), message=f"this is no table that can be read: {error}")]) from error
    tables = []
    for file, name, rows in sheets:
        if rows:
            (_, header), *rest = rows
            tables.append(Table(file, name, tuple("" if cell is None else str(cell) for cell in header), rest))
    if not tables:
        raise ConfigError([Problem(file=str(path), message="there is nothing in it; the first row names the columns")])
    return tables


def _rows(lines: Iterable[tuple[int, list[Any]]]) -> list[tuple[int, tuple[Any, ...]]]:
    """Give the rows in which there is anything."""
    rows = ((number, tuple(map(_value, cells))) for number, cells in lines)
    return [(number, cells) for number, cells in rows if any(cell is not None for cell in cells)]


_Sheets = Iterator[tuple[str, str, Iterable[tuple[int, list[Any]]]]]


def _workbook(path: Path) -> _Sheets:
    with CalamineWorkbook.from_path(path) as book:
        for name in book.sheet_names:
            sheet = book.get_sheet_by_name(name)
            yield f"{path.name}[{name}]", name, enumerate(sheet.iter_rows(), 1)


def _csv(path: Path) -> _Sheets:
    content = path.read_bytes()
    text = None
    for encoding in _ENCODINGS:
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    if text is None or "\0" in text:
        message = "this is neither UTF-8 nor GB18030 text; save it as `CSV UTF-8`, or as a workbook (.xlsx)"
        raise ConfigError([Problem(file=str(path), message=message)])
    head = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    yield path.name, path.stem, enumerate(reader, 1)


def _value(cell: Any) -> Any:
    """Give a cell as text, whole number, number, truth value or date; None where it is empty."""
    if isinstance(cell, str):
        return cell.strip() or None
    if isinstance(cell, float) and cell.is_integer():
        # A spreadsheet knows no whole numbers.
        return int(cell)
    if isinstance(cell, datetime) and cell.time() == time():
        return cell.date()
    if isinstance(cell, (int, float, bool, date, datetime)) or cell is None:
        return cell
    return str(cell)
