"""A service over the community of the stories, without a provider."""

import shutil
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rules.decisions import Delivery, DeliveryState, Priority, Purpose
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


@pytest.fixture
def make_delivery() -> Callable[..., Delivery]:
    """Give a function that makes deliveries of no incident; its arguments replace single fields."""

    def make(**fields: Any) -> Delivery:
        usual: dict[str, Any] = {
            "id": 1,
            "incident_id": "0a1b2c3d",
            "step_key": "r0s0",
            "recipient_id": "w07-a",
            "recipient_name": "李明",
            "channel": "sms",
            "address": "+8613800000001",
            "purpose": Purpose.PAGE,
            "priority": Priority.LIFE_SAFETY_PAGE,
            "text": "桂花巷1号 燃气泄漏 接单回K7",
            "code": "K7",
            "expires_at": NOON + timedelta(minutes=30),
            "state": DeliveryState.SENDING,
            "created_at": NOON,
            "attempts": 1,
            "fence": 1,
            "owner": "one",
        }
        return Delivery(**{**usual, **fields})

    return make
