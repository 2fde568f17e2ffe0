"""The demo's world, really running, with its clock in our hands."""

import io
from collections.abc import AsyncIterator
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from shouwang import config
from shouwang.demo import sample
from shouwang.demo.people import Directory
from shouwang.demo.reporter import Reporter
from shouwang.demo.screen import Screen
from shouwang.demo.stage import ZONE, Stage
from shouwang.demo.story import START
from shouwang.demo.world import set_up


@pytest.fixture(scope="session")
def directory() -> Directory:
    """Who is who in the sample community."""
    return Directory(config.load(sample.folder()).registry)


@pytest.fixture
def screen() -> Screen:
    """A screen that is no terminal; `screen.console.file.getvalue()` is what it shows."""
    return Screen(Console(file=io.StringIO(), width=100, highlight=False), zone=ZoneInfo(ZONE))


@pytest.fixture
async def stage(screen: Screen) -> AsyncIterator[Stage]:
    """The world on an afternoon, told to the screen."""
    async with set_up(START) as stage:
        reporter = Reporter(stage, screen)
        stage.watch.append(reporter.look)
        stage.on_life = reporter.life
        # What a gateway says in its first minutes may be old, and old alarms page nobody.
        stage.clock.speed = 3000
        await stage.until(START + timedelta(minutes=10))
        stage.clock.speed = 200
        yield stage
