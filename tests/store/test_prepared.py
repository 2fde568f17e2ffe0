"""A statement that is made once means the same as SQLAlchemy's own execution of it."""

import importlib
import pkgutil
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

import store
from store import prepared
from store.documents import to_json
from store.errors import RefusedError
from store.prepared import Changed, Prepared, find, once
from store.tables import UtcTime

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)

_things = sa.Table(
    "things",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", UtcTime),
    sa.Column("is_open", sa.Boolean),
    sa.Column("document", sa.JSON),
    sa.Column("state", sa.Text),
)
_ROWS = [
    {"id": 1, "at": NOON, "is_open": True, "document": {"name": "张三"}, "state": "open"},
    {"id": 2, "at": None, "is_open": False, "document": ["a", 1], "state": None},
]


@pytest.fixture
def connection() -> Iterator[sa.Connection]:
    engine = sa.create_engine("sqlite://", json_serializer=to_json)
    with engine.connect() as connection:
        _things.metadata.create_all(connection)
        connection.execute(sa.insert(_things), _ROWS)
        yield connection
    engine.dispose()


def raw(connection: sa.Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        (sa.select(_things).order_by(_things.c.id), None),
        (sa.select(_things).where(_things.c.at <= sa.bindparam("now")), {"now": NOON}),
        (sa.select(_things.c.id.label("number"), sa.func.count(), sa.literal(7)).group_by(_things.c.id), {}),
        (sa.select(_things.c.document).where(_things.c.is_open == sa.true(), _things.c.state == "open"), None),
        (
            sa.union_all(sa.select(_things.c.at), sa.select(_things.c.at)).limit(
                sa.bindparam("most", type_=sa.Integer)
            ),
            {"most": 3},
        ),
    ],
)
def test_rows_are_what_sqlalchemy_gives(connection: sa.Connection, statement: sa.Select[None], values: None) -> None:
    usual = connection.execute(statement, values).mappings().all()
    prepared = Prepared(statement, connection.dialect).run(raw(connection), values).mappings().all()

    assert [dict(row) for row in prepared] == [dict(row) for row in usual]


def test_values_are_stored_as_sqlalchemy_stores_them(connection: sa.Connection) -> None:
    new = {"at": sa.bindparam("new_at"), "is_open": sa.bindparam("new_open"), "document": sa.bindparam("new_document")}
    change = sa.update(_things).where(_things.c.id == sa.bindparam("which")).values({**new, "state": "closed"})
    values = {"new_at": NOON, "new_open": None, "new_document": {"x": [1.5]}, "which": 2}

    changed = Prepared(change, connection.dialect).run(raw(connection), values)

    assert isinstance(changed, Changed)
    assert changed.rowcount == 1
    (row,) = connection.execute(sa.select(_things).where(_things.c.id == 2)).mappings()
    assert dict(row) == {"id": 2, "at": NOON, "is_open": None, "document": {"x": [1.5]}, "state": "closed"}


def test_several_sets_of_values(connection: sa.Connection) -> None:
    change = sa.update(_things).where(_things.c.id == sa.bindparam("which")).values(state=sa.bindparam("new_state"))
    values = [{"which": 1, "new_state": "a"}, {"which": 2, "new_state": "b"}, {"which": 3, "new_state": "c"}]

    assert Prepared(change, connection.dialect).run(raw(connection), values).rowcount == 2


def test_a_value_that_is_missing_is_a_mistake(connection: sa.Connection) -> None:
    statement = sa.select(_things).where(_things.c.id == sa.bindparam("which"))

    with pytest.raises(RefusedError, match="which"):
        Prepared(statement, connection.dialect).run(raw(connection), {})


def test_a_statement_whose_text_differs_cannot_be_made_once(connection: sa.Connection) -> None:
    with pytest.raises(ValueError, match="made once"):
        Prepared(sa.select(_things).where(_things.c.id.in_([1, 2])), connection.dialect)


def test_what_is_made_of_such_a_statement_is_another_one(connection: sa.Connection) -> None:
    statement = once(sa.select(_things))

    assert find(statement, connection.dialect) is find(statement, connection.dialect) is not None
    assert find(statement.where(_things.c.id == 1), connection.dialect) is None


def test_every_statement_of_the_store_that_is_made_once_can_be(connection: sa.Connection) -> None:
    """Otherwise only its first execution would tell."""
    for module in pkgutil.iter_modules(store.__path__, "store."):
        for made in vars(importlib.import_module(module.name)).values():
            if getattr(made, "__qualname__", "").startswith("statement.<locals>"):
                made(_On(connection.dialect))
    assert len(prepared._MADE) > 30

    for one in prepared._MADE:
        Prepared(one, connection.dialect)


class _On:
    def __init__(self, dialect: sa.Dialect) -> None:
        self.dialect = dialect
