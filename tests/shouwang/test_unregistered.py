"""Devices that are heard and in no file are kept, and shown as lines ready to be pasted."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
import yaml
from typer.testing import CliRunner

from ingest.message import Message
from shouwang import unregistered
from shouwang.cli import app
from store import strangers
from store.database import Database
from store.strangers import Stranger, Unregistered

Start = Callable[[], Awaitable[Any]]
NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
SPOKEN_OF = (("0x0001", "HS1CG", "gas"), ("silent", "HS1SA", "smoke"), ("yl-1-2-301-gas", "HS1CG", "gas"))
BRIDGE = [
    {
        "friendly_name": name,
        "definition": {"model": model, "vendor": "HEIMAN", "exposes": [{"property": what, "access": 1}]},
    }
    for name, model, what in SPOKEN_OF
]


def says(name: str, at: datetime = NOON, **fields: Any) -> Message:
    return Message(f"zigbee2mqtt/{name}", orjson.dumps(fields), retain=False, received_at=at)


async def known(database: Database) -> dict[str, Unregistered]:
    async with database.read() as tx:
        return {one.name: one for one in await strangers.unregistered(tx)}


async def test_what_is_heard_and_what_a_gateway_speaks_of(start: Start, sqlite_database: Database) -> None:
    """Registered devices are not among them."""
    service, _ = await start()
    said = Message("zigbee2mqtt/bridge/devices", orjson.dumps(BRIDGE), retain=True, received_at=NOON)
    await service.intake.take_in([said, says("0x0001", gas=False, battery=80), says("0x0002", contact=True)])

    found = await known(sqlite_database)

    assert list(found) == ["0x0001", "0x0002", "silent"]
    assert found["silent"].stranger is None
    first = found["0x0001"]
    assert first.definition is not None
    assert first.definition["model"] == "HS1CG"
    assert first.stranger == Stranger("xinsheng", "0x0001", "zigbee2mqtt/0x0001", NOON, NOON, ("battery", "gas"))
    assert [one.kind for one in unregistered.propose(found.values())] == ["gas", "contact", "smoke"]


async def test_it_is_noted_now_and_then_and_learnt_what_it_tells_of(start: Start, sqlite_database: Database) -> None:
    service, _ = await start()
    later = NOON + timedelta(minutes=10)
    await service.intake.take_in([says("0x1", contact=True), says("0x1", NOON + timedelta(minutes=9), battery=80)])
    assert (await known(sqlite_database))["0x1"].stranger == Stranger(
        "xinsheng", "0x1", "zigbee2mqtt/0x1", NOON, NOON, ("contact",)
    )

    await service.intake.take_in([says("0x1", later, battery=80)])

    assert (await known(sqlite_database))["0x1"].stranger == Stranger(
        "xinsheng", "0x1", "zigbee2mqtt/0x1", NOON, later, ("battery", "contact")
    )


async def test_whoever_makes_names_up_does_not_keep_the_disk_busy(start: Start, sqlite_database: Database) -> None:
    service, _ = await start()
    await service.intake.take_in([says(f"0x{number}", contact=True) for number in range(700)])

    assert len(await known(sqlite_database)) == 500


async def test_there_are_never_too_many_and_old_ones_go(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strangers, "AT_MOST", 3)
    many = [Stranger("xinsheng", f"0x{n}", "t", NOON, NOON, ()) for n in range(5)]
    async with database.write() as tx:
        await strangers.note(tx, many[:2])
        await strangers.note(tx, many)
        later = NOON + timedelta(days=1)
        await strangers.note(tx, [many[0]._replace(last_seen=later, kinds=("gas",))])
        assert await strangers.prune(tx, later) == 2


@pytest.mark.parametrize(
    ("name", "kind"),
    [("0x0001", "gas"), ("1号楼 101/烟感", "smoke"), ("123", "contact"), ("on", "button"), ("x: y", None)],
)
def test_an_entry_is_yaml(name: str, kind: str | None) -> None:
    proposal = unregistered.Proposal(
        source="s", dialect="zigbee2mqtt", name=name, kind=kind, vendor=None, model=None, last_seen=None, topic=None
    )

    [entry] = yaml.safe_load(proposal.entry("h1", {"h1-gas", "h1-gas-2"}))

    assert (entry["name"], entry["source"], entry["kind"]) == (name, "s", kind or "CHANGE-ME")
    assert entry["id"] == ("h1-gas-3" if kind == "gas" else f"h1-{kind or 'CHANGE-ME'}")


async def test_the_command(
    start: Start, sqlite_database: Database, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, _ = await start()
    await service.intake.take_in([says("0x0002", contact=True), says("0x0003", contact=True)])
    monkeypatch.setenv("SHOUWANG_DATABASE__URL", sqlite_url)

    def told(*arguments: str) -> str:
        done = CliRunner().invoke(app, ["devices", *arguments])
        assert done.exit_code == 0, done.output
        return done.stdout

    shown = await asyncio.to_thread(told, "--home", "h1")
    rows = json.loads(await asyncio.to_thread(told, "--json", "--home", "h1"))
    one = json.loads(await asyncio.to_thread(told, "--json", "--limit", "1"))
    nothing = await asyncio.to_thread(told, "--source", "own")

    *_, first, second = shown.splitlines()
    assert first.strip() == "- {id: h1-contact, kind: contact, source: xinsheng, name: 0x0002, heartbeat: 25h}".replace(
        "0x0002", '"0x0002"'
    )
    assert "id: h1-contact-2" in second
    assert [(row["name"], row["kind"]) for row in one] == [("0x0002", "contact")]
    # The same lines, each with an id of its own.
    assert [row["entry"] for row in rows] == [first.strip(), second.strip()]
    assert nothing.strip() == "nothing is heard that is not registered"
