"""Statements that are made once, as SQLite's driver takes them.

At each execution SQLAlchemy works out anew what it has worked out before: 47 µs of processor time for a statement that
takes SQLite five, and 10 where it is worked out once (measured). An alarm is some twenty of them. What a value means
stays SQLAlchemy's: its types convert what goes in and what comes out.
"""

import sqlite3
from collections.abc import Mapping
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData

from store.errors import RefusedError
from store.transaction import Rows, Values

_Statement = TypeVar("_Statement", bound=sa.Executable)


class Changed:
    """What a statement gives that returns no rows."""

    def __init__(self, rowcount: int) -> None:
        self.rowcount = rowcount


class Prepared:
    """One statement for one dialect: its text, and how values become what SQLite stores and back."""

    def __init__(self, statement: sa.Executable, dialect: sa.Dialect) -> None:
        compiled: Any = cast("sa.ClauseElement", statement).compile(dialect=dialect)
        if compiled.post_compile_params or compiled.literal_execute_params:
            raise ValueError(f"its text differs from one execution to the next, so it cannot be made once: {compiled}")
        self._text = str(compiled)
        bound = {name: parameter for parameter, name in compiled.bind_names.items()}
        #: Values that stand in the statement itself.
        self._own = {name: compiled.params[name] for name, parameter in bound.items() if not parameter.required}
        self._bound = [
            (name, bound[name].type.dialect_impl(dialect).bind_processor(dialect)) for name in compiled.positiontup
        ]
        columns = cast("Any", statement).exported_columns
        converted = enumerate(column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns)
        self._converted = [(place, convert) for place, convert in converted if convert is not None]
        self._names: SimpleResultMetaData | None = None

    def run(self, connection: sqlite3.Connection, parameters: Values) -> Rows:
        """Execute it, or once for each of several sets of values; its rows have been fetched.

        Raises RefusedError where a value is missing, or is none of its type.
        """
        if parameters is None or isinstance(parameters, Mapping):
            cursor = connection.execute(self._text, self._values(parameters or {}))
        else:
            cursor = connection.executemany(self._text, [self._values(each) for each in parameters])
        if cursor.description is None:
            return cast("Rows", Changed(cursor.rowcount))
        if self._names is None:
            self._names = SimpleResultMetaData([column[0] for column in cursor.description])
        rows = cursor.fetchall()
        if self._converted:
            rows = [self._convert(row) for row in rows]
        return cast("Rows", IteratorResult(self._names, iter(rows)))

    def _values(self, parameters: Mapping[str, Any]) -> list[Any]:
        given = {**self._own, **parameters}
        try:
            return [given[name] if convert is None else convert(given[name]) for name, convert in self._bound]
        except (KeyError, TypeError, ValueError) as error:
            raise RefusedError(f"The database could not be asked that way: {error!r}") from error

    def _convert(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        values = list(row)
        for place, convert in self._converted:
            values[place] = convert(values[place])
        return tuple(values)


#: By identity: a statement that is made of one of these, with one condition more, is another one.
_MADE: dict[sa.Executable, Prepared | None] = {}


def once(statement: _Statement) -> _Statement:
    """Note that a statement is made once and executed often.

    It must not hold lists of values whose length may differ (`in_`).
    """
    _MADE[statement] = None
    return statement


def find(statement: sa.Executable, dialect: sa.Dialect) -> Prepared | None:
    """Give a statement that is made once; None for any other. Every connection to SQLite here has an equal dialect."""
    return prepare(statement, dialect) if statement in _MADE else None


def prepare(statement: sa.Executable, dialect: sa.Dialect) -> Prepared:
    """Give a statement, which is made once from now on."""
    prepared = _MADE.get(statement)
    if prepared is None:
        prepared = _MADE[statement] = Prepared(statement, dialect)
    return prepared
