"""The real process, `shouwang run`, in an installation of its own; what it is made of is in tests/real."""

import contextlib
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.real.broker import mosquitto_process
from tests.real.site import Site, open_site
from tests.real.waiting import LOOPBACK, free_port


@pytest.fixture(scope="session")
def mosquitto_program(real_part: Callable[[str, str], None]) -> str:
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        real_part("Mosquitto", "it is not installed")
        raise AssertionError
    return program


@pytest.fixture
async def site(tmp_path: Path, mosquitto_program: str) -> AsyncIterator[Site]:
    """An installation beside a Mosquitto, with SQLite; not started yet."""
    async with open_site(tmp_path, mosquitto_program) as site:
        yield site


@pytest.fixture(scope="session")
def opened() -> Any:
    """Give `open_site`, for tests that need an installation of another kind, or several."""
    return open_site


class BrokerLater:
    """A Mosquitto that is not there yet."""

    def __init__(self, folder: Path, program: str) -> None:
        self._folder = folder
        self._program = program
        self._port = free_port()
        self.url = f"mqtt://{LOOPBACK}:{self._port}"

    def started(self) -> contextlib.AbstractContextManager[str]:
        return mosquitto_process(self._folder, self._program, self._port)


@pytest.fixture
def broker_later(tmp_path: Path, mosquitto_program: str) -> BrokerLater:
    return BrokerLater(tmp_path / "later", mosquitto_program)
