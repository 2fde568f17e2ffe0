import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rules.community import Device, Grid, GridLevel, Home, Registry, Source
from rules.engine import Engine
from rules.rulebook import Offline, Rule, Rulebook, Severity
from shouwang.importing import bringing_in
from shouwang.importing.bringing_in import Brought
from shouwang.importing.gathering import Gathered, gather
from shouwang.importing.tables import Table
from store import due, imports, registry
from store.database import Database

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
FILES = Registry(
    sources=(Source(id="z", dialect="zigbee2mqtt", base="zigbee2mqtt"),),
    homes=(Home(id="filed", grid="g1", address="玉林北街9号"),),
    devices=(Device(id="filed-gas", home_id="filed", kind="gas", source="z", name="0x99"),),
    grids=(Grid(id="g1", level=GridLevel.MICRO, name="一号院"),),
    workers=(),
)


def tables(homes: dict[str, str], *devices: tuple[str, ...]) -> list[Table]:
    """Homes by their ids with their addresses, and devices: id, home, name there."""
    rows = [(number, (one, "g1", address)) for number, (one, address) in enumerate(homes.items(), 2)]
    parts = [(number, (one, home, "gas", "z", name, "2h")) for number, (one, home, name) in enumerate(devices, 2)]
    return [
        Table("homes.csv", "homes", ("id", "grid", "address"), rows),
        Table("devices.csv", "devices", ("id", "home", "kind", "source", "name", "heartbeat"), parts),
    ]


@pytest.fixture
async def filled(database: Database) -> Database:
    async with database.write() as tx:
        await registry.apply(tx, FILES, NOON)
    return database


async def brought(
    database: Database, what: list[Table], origin: str = "one", *, close: bool = False
) -> tuple[Brought, Gathered]:
    gathered = gather(what)
    await bringing_in.check(database, gathered, origin)
    engine = Engine(Rulebook(rules=(), plans={}, policies={}))
    done = await bringing_in.bring_in(database, gathered, engine, origin=origin, now=NOON, close_missing=close)
    return done, gathered


async def in_homes(database: Database, *homes: str) -> dict[str, list[str]]:
    async with database.read() as tx:
        found = await registry.homes(tx, homes)
        devices = await registry.devices_of_homes(tx, homes)
    return {home: [one.id for one in devices.get(home, [])] for home in found}


async def test_tables_stand_beside_the_files(filled: Database) -> None:
    """Applied again, the files neither close what came from tables nor count it."""
    done, gathered = await brought(
        filled, tables({"a": "1号", "b": "2号"}, ("a-gas", "a", "0x1"), ("b-gas", "b", "0x2"))
    )

    assert gathered.problems == []
    assert done == Brought(added=2, devices=2)
    everything = {"a": ["a-gas"], "b": ["b-gas"], "filed": ["filed-gas"]}
    assert await in_homes(filled, "a", "b", "filed") == everything
    async with filled.write() as tx:
        assert not await registry.apply(tx, FILES, NOON)
    assert await in_homes(filled, "a", "b", "filed") == everything


async def test_the_same_import_again_changes_what_differs(filled: Database) -> None:
    """Devices that are not named any more are closed; homes are where that is asked for."""
    await brought(filled, tables({"a": "1号", "b": "2号"}, ("a-gas", "a", "0x1"), ("b-gas", "b", "0x2")))
    await brought(filled, tables({"other": "3号"}, ("other-gas", "other", "0x3")), "two")

    again = tables({"a": "1号改", "c": "4号"}, ("a-new", "a", "0x1"), ("c-gas", "c", "0x4"))
    done, _ = await brought(filled, again)
    assert done == Brought(added=1, changed=1, devices=2)
    assert await in_homes(filled, "a", "b", "c") == {"a": ["a-new"], "b": ["b-gas"], "c": ["c-gas"]}

    done, _ = await brought(filled, again, close=True)
    assert done == Brought(unchanged=2, closed=1, devices=2)
    assert await in_homes(filled, "a", "b", "c", "other", "filed") == {
        "a": ["a-new"], "c": ["c-gas"], "other": ["other-gas"], "filed": ["filed-gas"]
    }  # fmt: skip


async def test_a_home_that_the_files_take_over_is_theirs(filled: Database) -> None:
    await brought(filled, tables({"a": "1号"}, ("a-gas", "a", "0x1")))
    home = Home(id="a", grid="g1", address="1号")
    taken = dataclasses.replace(FILES, homes=(*FILES.homes, home))
    async with filled.write() as tx:
        await registry.apply(tx, taken, NOON)
        assert await imports.owners(tx, Home, ["a"]) == {"a": None}
        await registry.apply(tx, FILES, NOON)
        assert await registry.homes(tx, ["a"]) == {}


@pytest.mark.parametrize(
    ("homes", "devices", "sentence"),
    [
        ({"filed": "x"}, [], "homes.csv:2:1: id: the home 'filed' belongs to devices.yaml, and is changed there"),
        ({"other": "x"}, [], "homes.csv:2:1: id: the home 'other' belongs to the import 'two'"),
        (
            {"a": "x"},
            [("filed-gas", "a", "0x1")],
            "devices.csv:2:1: id: the device 'filed-gas' belongs to devices.yaml",
        ),
        ({"a": "x"}, [("a-gas", "a", "0x99")], "devices.csv:2:5: name: '0x99' of source 'z' is 'filed-gas' already"),
        (
            {"a": "x", "b": "y"},
            [("d", "a", "0x1"), ("d", "b", "0x2")],
            "devices.csv:3:1: id: the device 'd' stands here a second time",
        ),
        ({"a": "x"}, [("d", "a", "1"), ("e", "a", "1")], "devices.csv:3:5: name: '1' of source 'z' is 'd' already"),
    ],
    ids=range(6),
)
async def test_what_does_not_fit_to_what_is_there(filled: Database, homes: Any, devices: Any, sentence: str) -> None:
    await brought(filled, tables({"other": "3号"}, ("other-gas", "other", "0x3")), "two")

    _, gathered = await brought(filled, tables(homes, *devices))

    assert str(gathered.problems[0]).startswith(sentence)
    assert gathered.refused


async def test_grids_and_sources_must_be_there(filled: Database) -> None:
    rows = [
        Table("homes.csv", "homes", ("id", "grid", "address"), [(2, ("a", "g2", "1号"))]),
        Table("devices.csv", "devices", ("id", "home", "kind", "source"), [(2, ("d", "a", "gas", "zz"))]),
    ]
    _, gathered = await brought(filled, rows)

    assert list(map(str, gathered.problems)) == [
        "homes.csv:2:2: grid: there is no grid 'g2'; it must be one of: g1",
        "devices.csv:2:4: source: there is no source 'zz'; did you mean 'z'?",
    ]


async def test_each_import_is_noted_so_that_services_notice(filled: Database) -> None:
    async with filled.read() as tx:
        before = await imports.version(tx)
    await brought(filled, tables({"a": "1号"}))
    async with filled.write() as tx:
        after = await imports.version(tx)
        assert after != before
        # The files' own digests are theirs alone.
        await registry.set_digests(tx, {"devices.yaml": "x"}, NOON)
        assert await registry.digests(tx) == {"devices.yaml": "x"}
        assert await imports.version(tx) == after


async def test_devices_are_watched_from_then_on(filled: Database) -> None:
    """Time is data: a device that never says a word is missed as well."""
    gathered = gather(tables({"a": "1号"}, ("a-gas", "a", "0x1")))
    await bringing_in.check(filled, gathered, "one")
    silent = Rule(
        id="silent", title="设备离线", when=Offline(), severity=Severity.NOTICE, plan="repair", policy="maintenance"
    )
    engine = Engine(Rulebook(rules=(silent,), plans={}, policies={}))
    await bringing_in.bring_in(filled, gathered, engine, origin="one", now=NOON, close_missing=False)
    async with filled.read() as tx:
        assert await due.next_at(tx) == NOON + 3 * timedelta(hours=2)
