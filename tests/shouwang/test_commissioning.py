"""A home is tested: nobody is paged, everything is heard, and how it went is kept."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from ingest.message import Message
from shouwang.cli import app
from shouwang.commissioning import Commissioning, UnknownHomeError
from store import commissioning, incidents
from store.database import Database

Start = Callable[[], Awaitable[Any]]
NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
HOME = "yl-1-2-301"
HALF_AN_HOUR = timedelta(minutes=30)


def says(name: str, at: datetime = NOON, **fields: Any) -> Message:
    return Message(f"zigbee2mqtt/{name}", orjson.dumps(fields), retain=False, received_at=at)


async def opened(database: Database) -> list[str]:
    async with database.read() as tx:
        return [one.home_id for one in await incidents.listing(tx, open_only=True, limit=9)]


async def test_an_alarm_in_the_window_pages_nobody_and_one_elsewhere_does(
    start: Start, sqlite_database: Database
) -> None:
    service, _ = await start()
    await service.intake.take_in([says(f"{HOME}-gas", gas=False)])
    walk = await Commissioning.begin(sqlite_database, HOME, by="李明", now=NOON, lasts=HALF_AN_HOUR)

    await service.intake.take_in([says(f"{HOME}-gas", gas=True)])
    assert await opened(sqlite_database) == []
    elsewhere = b'{"kind":"gas","state":"alarm"}'
    topic = "shouwang/v1/yl-1-2-302/gas/event"
    await service.intake.take_in([Message(topic, elsewhere, retain=False, received_at=NOON)])
    assert await opened(sqlite_database) == ["yl-1-2-302"]

    seen = {one.device.id: one for one in await walk.look()}
    assert seen[f"{HOME}-gas"].verdict.passed
    assert not seen[f"{HOME}-door"].verdict.passed


async def test_after_the_window_the_same_alarm_pages(start: Start, sqlite_database: Database) -> None:
    """Whether it was closed, or nobody closed it and its time is over."""
    service, _ = await start()
    await service.intake.take_in([says(f"{HOME}-gas", gas=False), says(f"{HOME}-smoke", smoke=False)])
    walk = await Commissioning.begin(sqlite_database, HOME, by="李明", now=NOON, lasts=HALF_AN_HOUR)
    await service.intake.take_in([says(f"{HOME}-gas", gas=True)])
    await walk.finish(NOON)

    await service.intake.take_in([says(f"{HOME}-gas", gas=True, linkquality=9)])

    assert await opened(sqlite_database) == [HOME]


async def test_a_window_that_nobody_closes_ends_by_itself(sqlite_database: Database, start: Start) -> None:
    await start()
    await Commissioning.begin(sqlite_database, HOME, by="李明", now=NOON, lasts=HALF_AN_HOUR)
    async with sqlite_database.write() as tx:
        just_before, at_its_end = NOON + HALF_AN_HOUR - timedelta(seconds=1), NOON + HALF_AN_HOUR
        assert await commissioning.under_test(tx, [HOME, "yl-1-2-302"], just_before) == {HOME}
        assert await commissioning.under_test(tx, [HOME], at_its_end) == set()
        assert await commissioning.prune(tx, at_its_end + timedelta(seconds=1)) == 1


async def test_how_it_went_is_kept_with_date_and_person(start: Start, sqlite_database: Database) -> None:
    service, _ = await start()
    only = [f"{HOME}-gas", f"{HOME}-door"]
    walk = await Commissioning.begin(sqlite_database, HOME, by="李明", now=NOON, lasts=HALF_AN_HOUR, only=only)
    for open_or_not in (False, True, False):
        await service.intake.take_in([says(f"{HOME}-door", contact=open_or_not, battery=80)])

    later = NOON + timedelta(minutes=5)
    await walk.finish(later)

    async with sqlite_database.read() as tx:
        assert await commissioning.last_tests(tx, [HOME]) == {
            f"{HOME}-door": commissioning.Test(
                f"{HOME}-door", HOME, later, "李明", True, "battery, contact open, contact closed"
            ),
            f"{HOME}-gas": commissioning.Test(f"{HOME}-gas", HOME, later, "李明", False, None),
        }
        assert await commissioning.under_test(tx, [HOME], later) == set()


@pytest.mark.parametrize(
    ("home", "only", "sentence"),
    [
        ("nowhere", [], "there is no home 'nowhere'"),
        (HOME, ["x"], f"the home '{HOME}' has no device 'x'"),
    ],
)
async def test_what_is_not_there_is_said(
    start: Start, sqlite_database: Database, home: str, only: list[str], sentence: str
) -> None:
    await start()
    with pytest.raises(UnknownHomeError, match=sentence):
        await Commissioning.begin(sqlite_database, home, by="x", now=NOON, lasts=HALF_AN_HOUR, only=only)


async def test_the_command_ends_when_all_have_passed(
    start: Start, sqlite_database: Database, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, _ = await start()
    monkeypatch.setenv("SHOUWANG_DATABASE__URL", sqlite_url)
    gas = f"{HOME}-gas"
    await service.intake.take_in([says(gas, gas=False)])
    command = ["commission", HOME, "--by", "李明", "--device", gas, "--json"]
    running = asyncio.create_task(asyncio.to_thread(CliRunner().invoke, app, command))
    async with asyncio.timeout(60):
        while True:
            async with sqlite_database.read() as tx:
                if await commissioning.under_test(tx, [HOME], datetime.now(UTC)):
                    break
            await asyncio.sleep(0.05)
    # It goes by the time of day, and so does what is heard.
    service.core.now = lambda: datetime.now(UTC)
    await service.intake.take_in([says(gas, datetime.now(UTC), gas=True)])

    done = await running

    assert done.exit_code == 0, done.output
    [row] = json.loads(done.stdout)
    assert (row["device"], row["passed"], row["tested_before"]) == (gas, True, None)
    assert "gas test" in row["heard"]
    # Nobody hears the broker in this test, and whoever stands in the home is told so.
    assert "shouwang run" in done.stderr
    assert await opened(sqlite_database) == []


async def test_a_home_that_is_due_is_told_of_and_its_test_ends_that(
    start: Start, sqlite_database: Database, folder: Path
) -> None:
    """The rule counts from the day on which the home was first there; a notice closes itself."""
    rules = folder / "rules.yaml"
    retest = "  - {id: retest, title: 复测, when: {untested: home, for: 30d}, severity: notice, plan: gas-leak,"
    rules.write_text(
        rules.read_text("utf-8").replace("\nplans:", f"\n{retest} policy: routine}}\n\nplans:", 1), "utf-8"
    )
    service, _ = await start()
    now = NOON
    service.core.now = lambda: now

    async def told_of() -> list[tuple[str, str]]:
        async with sqlite_database.read() as tx:
            found = await incidents.listing(tx, open_only=True, limit=99)
        return [(one.home_id, one.title) for one in found]

    await service.clockwork.tick()
    assert await told_of() == []

    now = NOON + timedelta(days=30)
    await service.clockwork.tick()
    now += timedelta(seconds=10)
    await service.clockwork.tick()
    assert (HOME, "复测") in await told_of()

    walk = await Commissioning.begin(sqlite_database, HOME, by="李明", now=now, lasts=HALF_AN_HOUR)
    async with sqlite_database.write() as tx:
        await commissioning.record(
            tx, [commissioning.Test(one.id, HOME, now, "李明", True, None) for one in walk.devices]
        )
    # What was not heard in this walk itself has not passed it; the row before is what counts.
    await walk.finish(now)
    await service.clockwork.tick()
    assert (HOME, "复测") not in await told_of()
