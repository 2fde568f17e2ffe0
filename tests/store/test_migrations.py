import contextlib
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command

from store import migrating
from store.database import Database, SchemaTooNewError
from store.errors import RefusedError
from store.tables import metadata


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Give a database that no other test will meet."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "fresh_postgres_url")
    return url


def _schema(connection: sa.Connection) -> dict[str, Any]:
    """Describe every table as the database itself sees it, without what Alembic keeps."""
    inspector = sa.inspect(connection)
    return {
        table: {
            "columns": {
                column["name"]: (str(column["type"]), column["nullable"], column["default"])
                for column in inspector.get_columns(table)
            },
            "primary key": inspector.get_pk_constraint(table),
            "unique": sorted(inspector.get_unique_constraints(table), key=str),
            "checks": sorted((each["name"], each["sqltext"]) for each in inspector.get_check_constraints(table)),
            "indexes": sorted(
                (str(each["name"]), *map(str, each["column_names"]), str(each["unique"]), *_texts(each))
                for each in inspector.get_indexes(table)
            ),
            "options": str(inspector.get_table_options(table)),
        }
        for table in inspector.get_table_names()
        if table != "alembic_version"
    }


def _texts(index: Any) -> list[str]:
    return sorted(f"{name}: {value}" for name, value in index.get("dialect_options", {}).items())


def _definitions(connection: sa.Connection) -> list[Any]:
    """Give what else the database remembers of its tables: the words on SQLite, the storage options on PostgreSQL."""
    if connection.dialect.name == "sqlite":
        told = "SELECT name, sql LIKE '%WITHOUT ROWID%' FROM sqlite_master WHERE name <> 'alembic_version'"
    else:
        told = "SELECT relname, reloptions::text FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    return sorted(tuple(row) for row in connection.execute(sa.text(told)) if "alembic" not in row[0])


async def test_the_migrated_schema_is_the_one_the_program_has_in_mind(database_url: str, database: Database) -> None:
    async with database.read() as tx:
        migrated = await tx.run_sync(_schema), await tx.run_sync(_definitions)

    async with database.write() as tx:
        await tx.run_sync(metadata.drop_all)
        await tx.run_sync(metadata.create_all)
        meant = await tx.run_sync(_schema), await tx.run_sync(_definitions)

    assert migrated == meant
    assert set(metadata.tables) == set(meant[0])


async def test_migrating_twice_changes_nothing(database: Database) -> None:
    async with database.read() as tx:
        before = await tx.run_sync(_schema)
    await database.migrate()

    async with database.read() as tx:
        assert await tx.run_sync(_schema) == before


async def test_a_newer_schema_is_refused_with_a_way_out(database_url: str, database: Database) -> None:
    async with database.write() as tx:
        await tx.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(SchemaTooNewError, match=r"schema 9999.*schemas up to \d{4}\..*Start the newer program"):
        await Database.open(database_url)
    with pytest.raises(SchemaTooNewError):
        await database.migrate()


async def test_a_database_of_the_first_release_is_brought_up_to_date(tmp_path: Path) -> None:
    """What is in it stays."""

    def first_release(connection: sa.Connection) -> None:
        made = migrating.configuration()
        made.attributes["connection"] = connection
        command.upgrade(made, "0001")

    database = await Database.open(f"sqlite:///{tmp_path}/shouwang.db")
    async with database.write() as tx:
        await tx.run_sync(first_release)
        await tx.execute(sa.text("INSERT INTO opted_out (address, since) VALUES ('+8613800000001', 1)"))
        assert "listening" not in await tx.run_sync(_schema)

    await database.migrate()
    async with database.read() as tx:
        assert set(metadata.tables) == set(await tx.run_sync(_schema))
        assert await tx.scalar(sa.text("SELECT address FROM opted_out")) == "+8613800000001"
    await database.close()


async def test_a_migration_that_fails_leaves_the_schema_as_it_was(tmp_path: Path) -> None:
    """Both databases can roll back changes of the schema, and the store lets them."""
    path = tmp_path / "half.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE sources (id TEXT)")  # in the way of migration 0001

    database = await Database.open(f"sqlite:///{path}")
    with pytest.raises(Exception, match="sources already exists"):
        await database.migrate()
    async with database.read() as tx:
        assert await tx.run_sync(lambda connection: sa.inspect(connection).get_table_names()) == ["sources"]
    await database.close()


async def test_a_folder_with_a_percent_sign_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "50% off").mkdir()
    database = await Database.open(f"sqlite:///{tmp_path}/50% off/shouwang.db")
    await database.migrate()
    await database.close()


async def test_what_was_sent_before_there_were_several_providers_has_one(tmp_path: Path) -> None:
    """Each channel had one, so whose a delivery was is known: a doubt that the upgrade meets can be asked about."""

    def before(connection: sa.Connection) -> None:
        made = migrating.configuration()
        made.attributes["connection"] = connection
        command.upgrade(made, "0003")

    columns = (
        "id, incident_id, step_key, recipient_id, recipient_name, channel, address, purpose, priority, text, speech,"
        " code, created_at, expires_at, late_s, drill, state, next_attempt_at, attempts, doubt_since, provider_id"
    )
    rows = [
        (1, "sms", "delivered", None, 1, None, "SM1"),
        (2, "voice", "unknown", 9, 2, 1, None),
        (3, "webhook", "sent", None, 1, None, None),
        (4, "sms", "pending", 9, 0, None, None),
    ]
    database = await Database.open(f"sqlite:///{tmp_path}/shouwang.db")
    async with database.write() as tx:
        await tx.run_sync(before)
        for number, channel, state, at, attempts, doubt, provider_id in rows:
            given = [
                number,
                "i",
                f"k{number}",
                "w",
                "李明",
                channel,
                "+8613800000001",
                "page",
                0,
                "",
                "",
                "K7",
                1,
                9,
                0,
            ]
            given += [False, state, at, attempts, doubt, provider_id]
            await tx.exec_driver_sql(
                f"INSERT INTO outbox ({columns}) VALUES ({', '.join('?' * len(given))})",
                tuple(given),
            )
        receipt = ("SM1", "delivered", None, 1_000_005)
        await tx.exec_driver_sql("INSERT INTO receipts VALUES (?, ?, ?, ?)", receipt)
    await database.migrate()

    async with database.read() as tx:
        found = await tx.execute(sa.text("SELECT id, provider, delivered_at FROM outbox ORDER BY id"))
        assert [tuple(row) for row in found] == [
            (1, "twilio", 1_000_005),
            (2, "twilio", None),
            (3, "webhook", None),
            (4, None, None),
        ]
    await database.close()


async def test_what_waited_before_gateways_had_due_times_waits_on(tmp_path: Path) -> None:
    """On SQLite the table is made anew; new kinds are let in, and nonsense is not."""

    def before(connection: sa.Connection) -> None:
        made = migrating.configuration()
        made.attributes["connection"] = connection
        command.upgrade(made, "0007")

    database = await Database.open(f"sqlite:///{tmp_path}/shouwang.db")
    waits = [("a", "offline", 1), ("i", "step", 2), ("r/h", "absence", 3)]
    insert = sa.text("INSERT INTO due (subject, kind, due_at) VALUES (:subject, :kind, :due_at)")
    async with database.write() as tx:
        await tx.run_sync(before)
        for subject, kind, due_at in waits:
            await tx.execute(insert, {"subject": subject, "kind": kind, "due_at": due_at})

    await database.migrate()
    async with database.write() as tx:
        found = await tx.execute(sa.text("SELECT subject, kind, due_at FROM due ORDER BY due_at"))
        assert [tuple(row) for row in found] == waits
        await tx.execute(insert, {"subject": "s/", "kind": "gateway", "due_at": 4})
    with pytest.raises(RefusedError):
        async with database.write() as tx:
            await tx.execute(insert, {"subject": "s/", "kind": "nonsense", "due_at": 4})
    await database.close()
