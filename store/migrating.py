"""Bringing the schema up to date, with the migrations that the package carries.

Alembic is loaded only where there is something to do: it takes nine megabytes.
"""

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from store.errors import SchemaTooNewError

if TYPE_CHECKING:
    from alembic.config import Config

_MIGRATIONS = Path(__file__).parent / "migrations"

#: What a migration says of its place.
_WORDS = ("revision", "down_revision")

#: Taken on PostgreSQL while migrating, so that processes that start together do not migrate together.
_MIGRATION_LOCK = 0x5348_4F55_5741_4E47


def configuration() -> "Config":
    """Give Alembic's configuration; `alembic revision` wants the same when a developer adds a migration."""
    from alembic.config import Config  # noqa: PLC0415 - see above

    made = Config()
    made.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return made


def is_current(connection: sa.Connection) -> bool:
    """Say whether the schema is the newest one that this program knows."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return False
    return bool(connection.scalar(sa.text("SELECT version_num FROM alembic_version")) == _newest())


@cache
def _newest() -> str:
    """Give the revision that no other builds on, by what the files themselves say."""
    texts = [path.read_text(encoding="utf-8") for path in (_MIGRATIONS / "versions").glob("m*.py")]
    found = {name: set(re.findall(rf'^{name} = "(\w+)"$', "\n".join(texts), re.MULTILINE)) for name in _WORDS}
    (newest,) = found["revision"] - found["down_revision"]
    return str(newest)


def upgrade(connection: sa.Connection) -> None:
    """Migrate to the newest schema, within the connection's transaction."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
    if is_current(connection):
        return
    from alembic import command  # noqa: PLC0415 - see above

    refuse_newer(connection)
    made = configuration()
    made.attributes["connection"] = connection
    command.upgrade(made, "head")


def refuse_newer(connection: sa.Connection) -> None:
    """Raise SchemaTooNewError where the schema is one that this program does not know."""
    if is_current(connection):
        return
    from alembic.migration import MigrationContext  # noqa: PLC0415 - see above
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    scripts = ScriptDirectory.from_config(configuration())
    current = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in scripts.walk_revisions()}
    if current is not None and current not in known:
        raise SchemaTooNewError(
            f"The database has schema {current}, which a newer Shouwang made; this one knows schemas up to"
            f" {scripts.get_current_head()}. Start the newer program, or restore the backup from before the upgrade."
        )
