"""What may come between while a batch is taken in, and loses nothing (invariant nothing-dropped)."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ingest.message import Message
from rules.decisions import Finding, FindingEvent
from shouwang import config, intake, situations
from store import findings, incidents, quarantine, registry
from store.database import Database
from store.errors import DatabaseUnavailableError

Start = Callable[[], Awaitable[Any]]
NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)


def says(device: str, payload: bytes, *, urgent: bool = False) -> Message:
    return Message(topic=f"zigbee2mqtt/{device}", payload=payload, retain=False, received_at=NOON, urgent=urgent)


HOMES = 30


@pytest.fixture
def many_homes(folder: Path) -> list[Message]:
    """Let there be many homes; gives one alarm of each."""
    more = "".join(
        f"""
  - id: h{number}
    grid: xinsheng-g1-w07
    address: 玉林北街2号院{number}
    devices: [{{id: h{number}-gas, kind: gas, source: own, name: h{number}/gas, room: 厨房}}]"""
        for number in range(HOMES)
    )
    devices = folder / "devices.yaml"
    devices.write_text(devices.read_text("utf-8") + more + "\n", "utf-8")
    topics = [f"shouwang/v1/h{number}/gas/event" for number in range(HOMES)]
    said = b'{"kind":"gas","state":"alarm"}'
    return [Message(topic=topic, payload=said, retain=False, received_at=NOON) for topic in topics]


async def counts(database: Database) -> list[int]:
    """How often each open incident was reported, the oldest first."""
    async with database.read() as tx:
        return [one.count for one in reversed(await incidents.listing(tx, open_only=True, limit=99))]


async def test_the_first_of_many_alarms_does_not_wait_for_the_last(
    many_homes: list[Message], start: Start, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch of alarms is committed a few at a time, and what is decided leaves each time (invariant life-first)."""
    service, _ = await start()
    seen: list[int] = []
    commit = service.intake._commit

    async def and_look(ordered: Any, departures: Any) -> None:
        await commit(ordered, departures)
        seen.append(len(await counts(sqlite_database)))

    monkeypatch.setattr(service.intake, "_commit", and_look)
    await service.intake.take_in(many_homes)

    assert seen == [intake.ALARMS_AT_ONCE, 2 * intake.ALARMS_AT_ONCE, HOMES]


async def test_a_batch_that_failed_midway_goes_on_where_it_was(
    many_homes: list[Message], start: Start, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Handed over again it raises what was not committed, and repeats nothing (invariant ack-after-commit)."""
    service, _ = await start()
    settle, calls = situations.settle, iter(range(10_000))

    async def and_the_database_goes(*args: Any) -> None:
        if next(calls) == intake.ALARMS_AT_ONCE + 3:
            raise DatabaseUnavailableError("The database did not answer.")
        await settle(*args)

    monkeypatch.setattr(intake.situations, "settle", and_the_database_goes)
    with pytest.raises(DatabaseUnavailableError):
        await service.intake.take_in(many_homes)
    assert await counts(sqlite_database) == [1] * intake.ALARMS_AT_ONCE
    await service.intake.take_in(many_homes)
    assert await counts(sqlite_database) == [1] * HOMES

    # Another batch of the same is another batch.
    await service.intake.take_in(list(many_homes))
    assert await counts(sqlite_database) == [2] * HOMES


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The topics' ends of each transaction that follows."""
    seen: list[list[str]] = []
    commit = intake.Intake._commit

    async def and_note(self: Any, ordered: Any, departures: Any) -> None:
        seen.append([one.topic.removeprefix("zigbee2mqtt/").removeprefix("yl-1-2-301-") for one in ordered.next])
        await commit(self, ordered, departures)

    monkeypatch.setattr(intake.Intake, "_commit", and_note)
    return seen


GAS_ALARM = says("yl-1-2-301-gas", b'{"gas":true}', urgent=True)


async def test_what_looks_urgent_is_committed_before_the_rest_of_its_batch(
    start: Start, parts: list[list[str]]
) -> None:
    """An alarm does not wait for what happened to come before it (invariant life-first)."""
    service, _ = await start()
    door, smoke = says("yl-1-2-301-door", b'{"contact":true}'), says("yl-1-2-301-smoke", b'{"smoke":false}')

    await service.intake.take_in([door, smoke, GAS_ALARM, smoke, door])

    assert parts == [["gas"], ["door", "smoke", "smoke", "door"]]


async def test_nothing_that_looks_urgent_overtakes_an_earlier_word_of_its_device(
    start: Start, parts: list[list[str]], sqlite_database: Database
) -> None:
    service, _ = await start()
    door, clear = says("yl-1-2-301-door", b'{"contact":true}'), says("yl-1-2-301-gas", b'{"gas":false}')
    battery = says("yl-1-2-301-gas/battery", b"80")

    await service.intake.take_in([door, clear, door, battery, GAS_ALARM, clear])

    assert parts == [["gas", "gas/battery", "gas"], ["door", "door", "gas"]]
    # The word behind the alarm stays behind it: the finding has stood, and is over.
    async with sqlite_database.read() as tx:
        assert len(await incidents.listing(tx, open_only=True, limit=9)) == 1
        assert await findings.standing(tx, ["yl-1-2-301-gas"]) == {}


async def test_nothing_overtakes_the_word_of_a_gateway(start: Start, parts: list[list[str]]) -> None:
    """What a gateway says of itself decides what follows is worth (invariant stale-does-not-page)."""
    service, _ = await start()
    door, begins = says("yl-1-2-301-door", b'{"contact":true}'), says("bridge/state", b'{"state":"online"}')

    await service.intake.take_in([door, begins, door, GAS_ALARM])

    assert parts == [["door", "bridge/state", "gas"], ["door"]]


async def test_a_batch_of_which_the_urgent_part_is_committed_goes_on_behind_it(
    start: Start, parts: list[list[str]], sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Handed over again, the rest is taken in, and the alarm is not counted twice (invariant ack-after-commit)."""
    service, _ = await start()
    batch = [says("yl-1-2-301-door", b'{"contact":true}'), GAS_ALARM]
    touch, calls = intake.states.save, iter(range(10))

    async def and_the_database_goes(*args: Any) -> None:
        if next(calls) == 1:
            raise DatabaseUnavailableError("The database did not answer.")
        await touch(*args)

    monkeypatch.setattr(intake.states, "save", and_the_database_goes)
    with pytest.raises(DatabaseUnavailableError):
        await service.intake.take_in(batch)
    await service.intake.take_in(batch)

    assert parts == [["gas"], ["door"], ["door"]]
    assert await counts(sqlite_database) == [1]


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
