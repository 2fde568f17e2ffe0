"""Files that are edited while the service runs: whole, or not at all, and in every process."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from shouwang import configuration
from store.database import Database
from store.errors import DatabaseUnavailableError

Start = Callable[[], Awaitable[Any]]


def rename_rule(folder: Path) -> None:
    rules = folder / "rules.yaml"
    rules.write_text(rules.read_text("utf-8").replace("id: gas-leak, title", "id: gas, title"), "utf-8")


async def test_files_edited_while_the_database_is_away_take_effect_when_it_is_back(
    start: Start, folder: Path, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until then what was in force stays in force, whole."""
    service, files = await start()
    monkeypatch.setattr(configuration, "_AGAIN_S", 0)
    rename_rule(folder)
    write = sqlite_database.write
    seen: list[tuple[bool, bool]] = []

    @contextlib.asynccontextmanager
    async def away() -> AsyncIterator[Any]:
        seen.append((service.core.rules.rule("gas-leak") is not None, service.core.rules.rule("gas") is not None))
        if len(seen) < 3:
            raise DatabaseUnavailableError("The database did not answer.")
        async with write() as tx:
            yield tx

    monkeypatch.setattr(sqlite_database, "write", away)
    assert await files.reload(service)
    assert seen == [(True, False)] * 3
    assert service.core.rules.rule("gas-leak") is None
    assert service.core.rules.rule("gas") is not None
    assert not await files.reload(service)


async def test_every_process_takes_an_edited_file(start: Start, folder: Path) -> None:
    """The first one brings it into the database; the others find it there, and go by the new rules all the same."""
    first, files = await start()
    second, other_files = await start()
    rename_rule(folder)

    assert await files.reload(first)
    assert await other_files.reload(second)
    for service in (first, second):
        assert service.core.rules.rule("gas") is not None


async def test_why_edited_files_are_refused_is_known_until_they_are_mended(start: Start, folder: Path) -> None:
    service, files = await start()
    good = (folder / "rules.yaml").read_text("utf-8")
    (folder / "rules.yaml").write_text(good.replace("policy:", "polcy:"), "utf-8")
    assert not await files.reload(service)
    assert "rules.yaml:" in files.refused
    assert "more)" in files.refused

    (folder / "rules.yaml").write_text(good, "utf-8")
    await files.reload(service)
    assert files.refused == ""
