"""Where a gateway is raised, and what is behind it."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shouwang import liveness
from shouwang.hearing import Ears
from store import registry
from store.database import Database

Start = Callable[[], Awaitable[Any]]
NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
DEVICES = """
version: 1
sources:
  - {id: many, dialect: zigbee2mqtt, base: many}
  - {id: there, dialect: zigbee2mqtt, base: there, home: h3}
  - {id: empty, dialect: zigbee2mqtt, base: empty}
homes:
  - {id: h1, grid: xinsheng-g1-w07, address: 一号, devices: [
      {id: a1, kind: gas, source: many, name: hall/a1}, {id: a2, kind: gas, source: many, name: attic/a2},
      {id: a3, kind: gas, source: there}]}
  - {id: h2, grid: xinsheng-g1-w07, address: 二号, devices: [
      {id: b1, kind: gas, source: many, name: attic/b1}, {id: b2, kind: smoke, source: many, name: attic/b2},
      {id: b3, kind: gas, source: many, name: loose}]}
  - {id: h3, grid: xinsheng-g1-w07, address: 三号}
"""


@pytest.fixture
async def service(start: Start, folder: Path) -> Any:
    (folder / "devices.yaml").write_text(DEVICES, "utf-8")
    service, _ = await start()
    return service


@pytest.mark.parametrize(
    ("gateway", "states", "expected"),
    [
        # A gateway with devices of its own: where the first of them is, and no others.
        ("many/attic", {"attic": "offline", "hall": "online"}, ("h1", 2, 3)),
        ("many/hall", {"attic": "online", "hall": "offline"}, ("h1", 1, 1)),
        # One without: all of the source, unless another still hears them.
        ("many/cellar", {"cellar": "offline", "hall": "online"}, ("h1", 0, 0)),
        ("many/cellar", {"cellar": "offline", "hall": "offline"}, ("h1", 2, 5)),
        ("many/", {"": "offline"}, ("h1", 2, 5)),
        # Where it stands is said.
        ("there/", {"": "offline"}, ("h3", 1, 1)),
        ("empty/", {"": "offline"}, (None, 0, 0)),
    ],
)
async def test_where_it_is_raised_with_what_is_behind_it(
    service: Any,
    sqlite_database: Database,
    gateway: str,
    states: dict[str, str],
    expected: tuple[str | None, int, int],
) -> None:
    source, _, name = gateway.partition("/")
    async with sqlite_database.write() as tx:
        for one, state in states.items():
            await registry.set_gateway(tx, source, one, state, at=NOON, started_at=None)
        ears = await Ears.of(tx, NOON + timedelta(minutes=1), sources=[source])
        found = await liveness.outage(tx, source, name, ears)

    assert found.outage.since == NOON
    assert (found.outage.home_id, found.outage.homes, found.outage.devices) == expected
    assert len(found.homes) == expected[1]


async def test_a_source_that_is_gone_has_no_gateway_that_is_off(service: Any, sqlite_database: Database) -> None:
    async with sqlite_database.write() as tx:
        await registry.set_gateway(tx, "gone", "", "offline", at=NOON, started_at=None)
        ears = await Ears.of(tx, NOON, sources=["gone"])
        found = await liveness.outage(tx, "gone", "", ears)

    assert found.outage.since is None
