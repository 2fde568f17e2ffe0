"""Bringing the schema up to date, with the migrations that the package carries."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from store.errors import SchemaTooNewError

#: Taken on PostgreSQL while migrating, so that processes that start together do not migrate together.
_MIGRATION_LOCK = 0x5348_4F55_5741_4E47


def configuration() -> Config:
    """Give Alembic's configuration; `alembic revision` wants the same when a developer adds a migration."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return made


def upgrade(connection: sa.Connection) -> None:
    """Migrate to the newest schema, within the connection's transaction."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
    refuse_newer(connection)
    made = configuration()
    scripts = ScriptDirectory.from_config(made)
    if MigrationContext.configure(connection).get_current_revision() == scripts.get_current_head():
        return
    made.attributes["connection"] = connection
    command.upgrade(made, "head")


def refuse_newer(connection: sa.Connection) -> None:
    """Raise SchemaTooNewError where the schema is one that this program does not know."""
    scripts = ScriptDirectory.from_config(configuration())
    current = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in scripts.walk_revisions()}
    if current is not None and current not in known:
        raise SchemaTooNewError(
            f"The database has schema {current}, which a newer Shouwang made; this one knows schemas up to"
            f" {scripts.get_current_head()}. Start the newer program, or restore the backup from before the upgrade."
        )
