"""From rows to homes: what stands in several tables of one home comes together, and is read as devices.yaml is."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from shouwang.config.entries import HomeEntry, Household
from shouwang.config.problems import Problem
from shouwang.config.sentences import sentences
from shouwang.importing import columns
from shouwang.importing.columns import CONTACTS, DEVICES, HOMES, RESIDENTS, Column, Loc, Sort
from shouwang.importing.tables import Table

_ADAPTER = TypeAdapter(HomeEntry)


class Row(NamedTuple):
    """Where something of a home was written."""

    sheet: "Sheet"
    number: int

    def problem(self, message: str, loc: Loc = ()) -> Problem:
        """Make a problem of the cell in which the last part of a place in the entry stands."""
        column = self.sheet.column_at(loc)
        return Problem(
            file=self.sheet.table.file,
            line=self.number,
            column=1 if column is None else column + 1,
            path="" if column is None else self.sheet.table.header[column],
            message=message,
        )


class Sheet:
    """A table that is understood."""

    def __init__(self, table: Table, sort: Sort) -> None:
        self.table = table
        self.sort = sort
        self.columns: list[Column | None] = [columns.column_of(sort, heading) for heading in table.header]
        self._at = {column.loc: number for number, column in enumerate(self.columns) if column is not None}

    def column_at(self, loc: Loc) -> int | None:
        """Find the column of a place in the entry, or of what it is a part of."""
        # In a table of its own, what belongs to a resident or device has no path before it.
        short = loc if self.sort is HOMES else loc[2:3]
        while short:
            if short in self._at:
                return self._at[short]
            short = short[:-1]
        return None

    def cells(self, row: tuple[Any, ...]) -> Iterator[tuple[Column, Any]]:
        """Give what stands in a row, converted; empty cells are left out."""
        for column, cell in zip(self.columns, row, strict=False):
            if column is not None and cell is not None:
                yield column, column.convert(cell)


@dataclass(slots=True)
class _Raw:
    """A home as it comes together."""

    row: Row
    entry: dict[str, Any]
    #: The rows of what stands in tables of its own, by place.
    rows: dict[Loc, Row] = field(default_factory=dict)

    def row_of(self, loc: Loc) -> Row:
        return self.rows.get(loc[:2], self.row)


@dataclass(slots=True)
class Gathered:
    """What the tables say."""

    #: Homes that can be brought in, with where they were written.
    homes: list[tuple[Household, "Written"]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    #: Ids of homes of which something is wrong.
    refused: set[str] = field(default_factory=set)


class Written(NamedTuple):
    """Where a home and its devices were written."""

    home: Row
    devices: tuple[Row, ...]


def gather(tables: Iterable[Table]) -> Gathered:
    """Read tables. Everything that is wrong with any row is in `problems`, in the order of the tables."""
    result = Gathered()
    sheets = [sheet for table in tables if (sheet := _sheet(table, result.problems)) is not None]
    raws: dict[str, _Raw] = {}
    for sheet in sheets:
        if sheet.sort is HOMES:
            _homes(sheet, raws, result)
    if not any(sheet.sort is HOMES for sheet in sheets) and not result.problems:
        names = ", ".join(f"{sheet.table.file} ({sheet.sort.name})" for sheet in sheets)
        result.problems.append(Problem(file=names, message="there is no table of homes among these; give it as well"))
    for sheet in sheets:
        if sheet.sort is not HOMES:
            _parts(sheet, raws, result)
    for identity, raw in raws.items():
        _finish(identity, raw, result)
    order = {sheet.table.file: number for number, sheet in enumerate(sheets)}
    result.problems.sort(key=lambda one: (order.get(one.file, -1), one.line or 0, one.column or 0))
    return result


def _sheet(table: Table, problems: list[Problem]) -> Sheet | None:
    sort = columns.sort_of(table.name, table.header)
    if sort is None:
        known = "; ".join(f"{one.name}: {', '.join(one.needed)}" for one in columns.SORTS)
        message = f"it cannot be told what this table is about; there must be the columns of one of these ({known})"
        problems.append(Problem(file=table.file, line=1, column=1, message=message))
        return None
    lacking = columns.missing(sort, table.header)
    if lacking:
        message = f"a table of {sort.name} needs the column{'s'[: len(lacking) > 1]} {', '.join(lacking)}"
        problems.append(Problem(file=table.file, line=1, column=1, message=message))
        return None
    sheet = Sheet(table, sort)
    seen: dict[Loc, str] = {}
    for number, (heading, column) in enumerate(zip(table.header, sheet.columns, strict=True), 1):
        if not heading:
            continue
        if column is None:
            message = columns.strange(sort, heading)
        elif column.loc in seen:
            message = f"'{heading}' says the same as '{seen[column.loc]}'"
        else:
            seen[column.loc] = heading
            continue
        problems.append(Problem(file=table.file, line=1, column=number, path=heading, message=message))
    return sheet


def _homes(sheet: Sheet, raws: dict[str, _Raw], result: Gathered) -> None:
    for number, cells in sheet.table.rows:
        row = Row(sheet, number)
        entry: dict[str, Any] = {}
        for column, value in sheet.cells(cells):
            _put(entry, column.loc, value)
        identity = entry.get("id")
        if not identity:
            result.problems.append(row.problem("the id of the home is missing", ("id",)))
            continue
        if identity in raws:
            first = raws[identity].row
            message = f"the home '{identity}' stands here a second time ({first.sheet.table.file}:{first.number})"
            result.problems.append(row.problem(message, ("id",)))
            result.refused.add(identity)
            continue
        for people in ("residents", "contacts"):
            if people in entry:
                entry[people] = [person for _, person in sorted(entry[people].items())]
        raws[identity] = _Raw(row, entry)


def _put(entry: dict[str, Any], loc: Loc, value: Any) -> None:
    for part in loc[:-1]:
        entry = entry.setdefault(part, {})  # type: ignore[arg-type]
    entry[loc[-1]] = value  # type: ignore[index]


def _parts(sheet: Sheet, raws: dict[str, _Raw], result: Gathered) -> None:
    section = {RESIDENTS.name: "residents", CONTACTS.name: "contacts", DEVICES.name: "devices"}[sheet.sort.name]
    for number, cells in sheet.table.rows:
        row = Row(sheet, number)
        part = {str(column.loc[0]): value for column, value in sheet.cells(cells)}
        home = part.pop("home", None)
        raw = raws.get(str(home))
        if raw is None:
            message = (
                "the id of the home is missing" if home is None else f"there is no home '{home}' among the homes here"
            )
            result.problems.append(row.problem(message, (section, 0, "home")))
            continue
        listed = raw.entry.setdefault(section, [])
        raw.rows[section, len(listed)] = row
        listed.append(part)


def _finish(identity: str, raw: _Raw, result: Gathered) -> None:
    try:
        household = _ADAPTER.validate_python(raw.entry).value()
    except ValidationError as error:
        result.refused.add(identity)
        for said in sentences(HomeEntry, error.errors(include_url=False)):
            result.problems.append(raw.row_of(said.place.loc).problem(said.message, said.place.loc))
        return
    if identity not in result.refused:
        rows = tuple(raw.row_of(("devices", number)) for number in range(len(household.devices)))
        result.homes.append((household, Written(raw.row, rows)))
