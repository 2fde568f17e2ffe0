"""The process: what it survives."""

import asyncio
import os
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from shouwang import app
from shouwang.configuration import Configuration
from shouwang.settings import Settings
from store.errors import DatabaseUnavailableError


async def test_a_reload_that_fails_in_whatever_way_stops_nothing(
    folder: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGHUP at a bad moment, and the seniors would be alone until somebody looks."""
    settings = Settings(
        _env_file=None,
        config={"dir": folder},
        database={"url": sqlite_url},
        mqtt={"url": "mqtt://127.0.0.1:1"},
        http={"listen": "127.0.0.1:0"},
    )
    reloads: list[bool] = []
    twice = asyncio.Event()

    async def fail(*_: object) -> bool:
        reloads.append(True)
        if len(reloads) >= 2:
            twice.set()
        raise OSError("the disk is gone")

    monkeypatch.setattr(Configuration, "reload", fail)
    running = asyncio.create_task(app.run(settings, sending={}))
    while not reloads:
        await asyncio.sleep(0.01)
        assert not running.done()
    os.kill(os.getpid(), signal.SIGHUP)
    await twice.wait()
    await asyncio.sleep(0)
    assert not running.done()

    os.kill(os.getpid(), signal.SIGTERM)
    await running


async def test_what_waits_for_the_database_goes_on_soon_after_it_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute of locks does not make the escalation sleep for half a minute more."""
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def note(seconds: float) -> None:
        pauses.append(seconds)
        await sleep(0)

    async def work() -> None:
        if len(pauses) >= 8:
            raise asyncio.CancelledError
        raise DatabaseUnavailableError("The database is busy.")

    monkeypatch.setattr(app.asyncio, "sleep", note)
    with pytest.raises(asyncio.CancelledError):
        await app._for_ever("clockwork", work)
    assert max(pauses) <= 2


class Ears:
    """Hears what is noted of the service."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, ...]] = []

    def note(self, *what: object) -> None:
        self.heard.append(tuple(str(one) for one in what))


async def test_a_part_that_fails_is_noted_and_a_database_that_is_away_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second is a trouble of its own, told once and not for each part that waits."""
    sleep = asyncio.sleep
    ends = iter([DatabaseUnavailableError("busy"), ValueError("+8613800000001 again"), asyncio.CancelledError()])

    async def work() -> None:
        raise next(ends)

    monkeypatch.setattr(app.asyncio, "sleep", lambda _: sleep(0))
    ears = Ears()
    with pytest.raises(asyncio.CancelledError):
        await app._for_ever("clockwork", work, ears)  # type: ignore[arg-type]
    assert ears.heard == [("part", "clockwork", "ValueError: 138****0001 again")]


async def test_what_the_auditor_repaired_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    repaired = iter([2, 0])

    class Senses(Ears):
        def note(self, *what: object, detail: str = "") -> None:
            super().note(*what, detail)

    async def audit(_core: object) -> int:
        return next(repaired)

    monkeypatch.setattr(app.auditor, "audit", audit)
    senses = Senses()
    service: Any = SimpleNamespace(core=None)
    await app._audit(service, senses)  # type: ignore[arg-type]
    await app._audit(service, senses)  # type: ignore[arg-type]
    assert senses.heard == [("auditor", "2")]
