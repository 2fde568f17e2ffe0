"""The handful of words in which SQLite and PostgreSQL differ.

Long lists of keys go over as one value (a JSON text, an array), never as hundreds of placeholders: one statement text,
compiled and prepared once. Many rows go over as an executemany on SQLite, where a row costs a function call, and as one
statement over arrays on PostgreSQL, where a row would cost a message. Either way their values are converted a column
at a time here: SQLAlchemy's way for many rows, a dict a row and a call a value, takes longer than SQLite takes to write
them.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import cache
from itertools import islice
from operator import itemgetter
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from store.documents import to_json
from store.prepared import once
from store.tables import UtcTime, microseconds
from store.transaction import SLOW, Transaction

_T = TypeVar("_T")
_Statement = TypeVar("_Statement", bound=sa.Executable)

#: The values of a row, in the order of the columns named beside it.
Row = Sequence[Any]

#: Rows in one statement at the most.
CHUNK = 5_000

_SQLITE = sqlite.dialect(paramstyle="qmark")


def is_sqlite(tx: Transaction) -> bool:
    """Say which of the two it is."""
    return tx.dialect.name == "sqlite"


def statement(build: Callable[[bool], _Statement]) -> Callable[[Transaction], _Statement]:
    """Make a statement once a dialect. What it decorates takes whether it is for SQLite."""
    cached = cache(lambda on_sqlite: once(build(on_sqlite)))
    return lambda tx: cached(is_sqlite(tx))


# --- lists of keys ----------------------------------------------------------------------------------------------------


def among(column: sa.ColumnElement[Any], name: str, *, on_sqlite: bool) -> sa.ColumnElement[bool]:
    """Say that a text column is in the list bound as `name` by `keys`."""
    if on_sqlite:
        listed = sa.func.json_each(sa.bindparam(name, type_=sa.Text)).table_valued("value")
        return column.in_(sa.select(listed.c.value))
    return column == sa.func.any(sa.bindparam(name, type_=postgresql.ARRAY(sa.Text)))


def keys(tx: Transaction, values: Iterable[str]) -> str | list[str]:
    """Give a list of keys in the form in which `among` takes it."""
    listed = list(values)
    return to_json(listed) if is_sqlite(tx) else listed


# --- many rows --------------------------------------------------------------------------------------------------------


async def insert(tx: Transaction, table: sa.Table, columns: tuple[str, ...], rows: Iterable[Row]) -> None:
    """Insert rows."""
    for chunk in chunks(rows):
        await _insert(is_sqlite(tx), table, columns, None).write(tx, chunk)


async def insert_new(tx: Transaction, table: sa.Table, columns: tuple[str, ...], rows: Iterable[Row]) -> int:
    """Insert the rows that break no UNIQUE constraint; return how many."""
    made = _insert(is_sqlite(tx), table, columns, ())
    return sum([await made.write(tx, chunk) for chunk in chunks(rows)])


async def upsert(
    tx: Transaction,
    table: sa.Table,
    columns: tuple[str, ...],
    rows: Iterable[Row],
    *,
    change: tuple[str, ...],
    least: bool = False,
) -> None:
    """Insert rows, or change the named columns of those that are there; of two rows of one key the last counts.

    With `least`, what is there stays where it is smaller. They are written in the order of their keys, so that two
    writers never wait for each other crosswise.
    """
    key = itemgetter(*(columns.index(column.name) for column in table.primary_key))
    by_key = {key(row): row for row in rows}
    for chunk in chunks(by_key[each] for each in sorted(by_key)):
        await _insert(is_sqlite(tx), table, columns, change, least=least).write(tx, chunk)


async def update(
    tx: Transaction,
    table: sa.Table,
    columns: tuple[str, ...],
    rows: Iterable[Row],
    *,
    newest: bool = False,
) -> int:
    """Change rows found by their key, with the other columns given; return how many. Keys do not repeat.

    With `newest`, what is there stays where it is greater.
    """
    made = _update(is_sqlite(tx), table, columns, newest)
    return sum([await made.write(tx, chunk) for chunk in chunks(rows)])


async def prune(tx: Transaction, table: sa.Table, at: sa.Column[Any], before: datetime, *, limit: int) -> int:
    """Delete the rows whose time lies before another, the oldest first, at most `limit`; return how many."""
    oldest = sa.select(table.c.id).where(at < before).order_by(at).limit(limit)
    result = await tx.execute(sa.delete(table).where(table.c.id.in_(oldest)).execution_options(**SLOW))
    return result.rowcount


async def take_stock(tx: Transaction, table: sa.Table) -> None:
    """Let PostgreSQL learn how large a table has become; until it does of itself, it may read all of it for one row."""
    if not is_sqlite(tx):
        await tx.execute(sa.text(f"ANALYZE {table.name}"))


def chunks(items: Iterable[_T], size: int = CHUNK) -> Iterator[list[_T]]:
    """Give items in lists of at most `size`; no list is empty."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


class _OfMany:
    """A statement for many rows: as a text with the order of its values for SQLite, over arrays for PostgreSQL."""

    def __init__(
        self, made: sa.Insert | sa.Update, table: sa.Table, columns: tuple[str, ...], *, on_sqlite: bool
    ) -> None:
        self.made = made
        self.text = ""
        #: Names that values are bound to, in the order in which the statement takes them.
        self._order = tuple(_bound(name) for name in columns)
        if on_sqlite:
            compiled: Any = made.compile(dialect=_SQLITE)
            self.text, self._order = str(compiled), tuple(compiled.positiontup)
        places = {_bound(name): (at, _conversion(table.c[name].type)) for at, name in enumerate(columns)}
        self._places = [places[name] for name in self._order]

    async def write(self, tx: Transaction, rows: Sequence[Row]) -> int:
        """Execute it; return how many rows it has written."""
        by_column: list[Sequence[Any]] = list(zip(*rows, strict=True))
        arrays = [
            by_column[at] if convert is None else list(map(convert, by_column[at])) for at, convert in self._places
        ]
        if self.text:
            result = await tx.exec_driver_sql(self.text, list(zip(*arrays, strict=True)))
        else:
            result = await tx.execute(self.made, dict(zip(self._order, arrays, strict=True)))
        return max(result.rowcount, 0)


def _conversion(kind: sa.types.TypeEngine[Any]) -> Callable[[Any], Any] | None:
    """Give what makes of a value of a column what is stored; None where it is stored as it is."""
    if isinstance(kind, UtcTime):
        return lambda value: None if value is None else microseconds(value)
    if isinstance(kind, sa.JSON):
        # A text is JSON already.
        return lambda value: value if value is None or isinstance(value, str) else to_json(value)
    return None


@cache
def _insert(
    on_sqlite: bool, table: sa.Table, columns: tuple[str, ...], change: tuple[str, ...] | None, *, least: bool = False
) -> _OfMany:
    """Make an INSERT; with `change` empty it leaves what is there, with None it does not expect it."""
    made: sqlite.Insert | postgresql.Insert
    if on_sqlite:
        made = sqlite.insert(table).values({name: sa.bindparam(_bound(name)) for name in columns})
    else:
        given = _given(table, columns)
        chosen = (
            sa.cast(given.c[name], sa.JSON) if isinstance(table.c[name].type, sa.JSON) else given.c[name]
            for name in columns
        )
        made = postgresql.insert(table).from_select(list(columns), sa.select(*chosen))
    if change == ():
        made = made.on_conflict_do_nothing()
    elif change is not None:
        smaller = sa.func.min if on_sqlite else sa.func.least
        new = {name: smaller(table.c[name], made.excluded[name]) if least else made.excluded[name] for name in change}
        made = made.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=new)
    return _OfMany(made, table, columns, on_sqlite=on_sqlite)


@cache
def _update(on_sqlite: bool, table: sa.Table, columns: tuple[str, ...], newest: bool) -> _OfMany:
    """Make an UPDATE by primary key."""
    if on_sqlite:
        new: dict[str, sa.ColumnElement[Any]] = {name: sa.bindparam(_bound(name)) for name in columns}
    else:
        given = _given(table, columns)
        new = {name: given.c[name] for name in columns}
    greater = sa.func.max if on_sqlite else sa.func.greatest
    key = {column.name for column in table.primary_key}
    made = (
        sa.update(table)
        .values(
            {name: greater(table.c[name], new[name]) if newest else new[name] for name in columns if name not in key}
        )
        .where(*(table.c[name] == new[name] for name in columns if name in key))
    )
    return _OfMany(made, table, columns, on_sqlite=on_sqlite)


def _given(table: sa.Table, columns: tuple[str, ...]) -> sa.TableValuedAlias:
    """Give, on PostgreSQL, the rows bound as one array a column as a table."""
    arrays = [sa.bindparam(_bound(name), type_=postgresql.ARRAY(_element(table.c[name].type))) for name in columns]
    return sa.func.unnest(*arrays).table_valued(*columns, name="given").render_derived()


def _bound(name: str) -> str:
    # SQLAlchemy keeps the plain names of columns for itself.
    return f"many_{name}"


def _element(kind: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
    if isinstance(kind, UtcTime):
        return sa.BigInteger()
    return sa.Text() if isinstance(kind, (sa.JSON, sa.String)) else kind
