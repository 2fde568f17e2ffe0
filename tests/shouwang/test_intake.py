"""What may come between while a batch is taken in, and loses nothing (invariant nothing-dropped)."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ingest.message import Message
from rules.decisions import Finding, FindingEvent
from shouwang import config, intake, situations
from store import incidents, quarantine, registry
from store.database import Database

Start = Callable[[], Awaitable[Any]]
NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)


def says(device: str, payload: bytes) -> Message:
    return Message(topic=f"zigbee2mqtt/{device}", payload=payload, retain=False, received_at=NOON)


async def test_a_device_stays_known_where_the_caches_are_emptied_in_the_midst_of_a_batch(
    start: Start, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reload while a batch waits for the database does not make its devices strangers."""
    service, _ = await start()
    await service.intake.take_in([says("yl-1-2-301-gas", b'{"gas":false}')])
    devices_named = registry.devices_named

    async def and_a_reload_comes(*args: Any) -> Any:
        service.intake.use(service.decoder)
        return await devices_named(*args)

    monkeypatch.setattr(intake.registry, "devices_named", and_a_reload_comes)
    await service.intake.take_in(
        [says("yl-1-2-301-gas", b'{"gas":true}'), says("yl-1-2-301-door", b'{"contact":true}')]
    )

    async with sqlite_database.read() as tx:
        assert await quarantine.counts(tx) == {}
        assert [one.title for one in await incidents.listing(tx, open_only=True, limit=9)] == ["燃气泄漏"]


async def test_a_device_that_a_reload_brings_is_not_remembered_as_unknown(
    start: Start, folder: Path, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read before the reload does not stay in the caches after it."""
    service, _ = await start()
    devices_named = registry.devices_named

    async def and_a_reload_comes_after_it(*args: Any) -> Any:
        found = await devices_named(*args)
        service.intake.forget()
        return found

    with monkeypatch.context() as patch:
        patch.setattr(intake.registry, "devices_named", and_a_reload_comes_after_it)
        await service.intake.take_in([says("yl-1-2-301-gas2", b'{"gas":false}')])
    devices = folder / "devices.yaml"
    text = devices.read_text("utf-8")
    devices.write_text(text.replace("name: yl-1-2-301-gas,", "name: yl-1-2-301-gas2,"), "utf-8")
    async with sqlite_database.write() as tx:
        await registry.apply(tx, config.load(folder).registry, NOON)

    await service.intake.take_in([says("yl-1-2-301-gas2", b'{"gas":true}')])
    async with sqlite_database.read() as tx:
        assert len(await incidents.listing(tx, open_only=True, limit=9)) == 1


async def test_a_finding_of_a_rule_that_a_reload_took_away_is_evaluated_again(
    start: Start, sqlite_database: Database
) -> None:
    """Dropped, it would be lost: the device's state has moved on with it."""
    service, _ = await start()
    finding = Finding(
        event=FindingEvent.RAISED,
        rule_id="gone",
        home_id="yl-1-2-301",
        device_id="yl-1-2-301-gas",
        kind="gas",
        at=NOON,
        reason="厨房燃气：报警",
    )
    async with sqlite_database.write() as tx:
        with pytest.raises(situations.StaleRulesError):
            await situations.settle(service.core, tx, finding, NOON)
