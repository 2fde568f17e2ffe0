"""The model test's parts are modules of this folder; they are imported as `model.<name>`."""

import asyncio
import gc
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# Behind everything else: what is called the same elsewhere comes first.
sys.path.append(str(Path(__file__).parent.parent))

from model import trap, world


@pytest.fixture(scope="session")
def blank(sqlite_template: Path) -> Path:
    """Give a migrated, empty database to copy; its log is written back, so that one file is all of it."""
    return sqlite_template


@pytest.fixture
def site(blank: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[world.Ground]:
    """Give the ground that worlds are made on, one after the other: a loop, a folder, traps in place."""
    monkeypatch.setenv("DESK_HOOK", "https://desk.example.org/hook")
    trap.set_up(monkeypatch)
    world.hurry(monkeypatch)
    loop = asyncio.new_event_loop()
    yield world.Ground(loop=loop, blank=blank, folder=tmp_path)
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
    # The tasks of crashed services say that nobody asked what became of them; not in the middle of another test.
    gc.collect()
