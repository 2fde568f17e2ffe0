"""A service over the community of the stories, without a provider."""

import shutil
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shouwang.configuration import Configuration
from shouwang.service import Service
from store.database import Database

COMMUNITY = Path(__file__).parent.parent / "stories" / "community"
NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)

Started = tuple[Service, Configuration]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The three files, to be edited."""
    monkeypatch.setenv("DESK_HOOK", "https://hook.example.org/")
    return Path(shutil.copytree(COMMUNITY, tmp_path / "community"))


@pytest.fixture
def start(sqlite_database: Database, folder: Path) -> Callable[[], Awaitable[Started]]:
    """Start a service as a process does, at noon; a second one is a second process over the same database."""

    async def started() -> Started:
        configuration = Configuration(folder, time_zone="Asia/Shanghai", language="zh")
        service = Service(sqlite_database, configuration.rulebook(), now=lambda: NOON)
        await configuration.apply(service)
        return service, configuration

    return started
