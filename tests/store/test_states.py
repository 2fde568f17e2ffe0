from typing import Any

from rules.readings import DeviceState, Freshness, Reading
from store import states
from store.database import Database


def _state(make: Any, device_id: str = "d1", kind: str = "gas", **other: Any) -> DeviceState:
    values: dict[str, Any] = {
        "device_id": device_id,
        "kind": kind,
        "state": "clear",
        "value": None,
        "unit": None,
        "true_since": make.now,
        "last_seen": make.now,
        "active_at": None,
        "freshness": Freshness.LIVE,
    }
    return DeviceState(**values | other)


async def test_what_was_saved_is_loaded_by_device(database: Database, make: Any) -> None:
    gas = _state(make, state="alarm", freshness=Freshness.CACHED, active_at=make.at(seconds=1))
    battery = _state(make, kind="battery", state=None, value=87.5, unit="%")
    async with database.write() as tx:
        await states.save(tx, [gas, battery, _state(make, "d2"), _state(make, "d3")])

    async with database.read() as tx:
        loaded = await states.load(tx, ["d1", "d2", "nobody", "d1"])

    assert loaded == {
        ("d1", "gas"): gas,
        ("d1", "battery"): battery,
        ("d2", "gas"): _state(make, "d2"),
    }
    assert isinstance(loaded["d1", "gas"], DeviceState)
    assert loaded["d1", "gas"].freshness is Freshness.CACHED


async def test_of_two_states_of_one_kind_the_last_counts(database: Database, make: Any) -> None:
    async with database.write() as tx:
        await states.save(tx, [_state(make, state="alarm"), _state(make, state="clear")])
        await states.save(tx, [_state(make, state="alarm", value=1.5), _state(make, state="test", value=2.5)])
        loaded = await states.load(tx, ["d1"])

    assert loaded["d1", "gas"] == _state(make, state="test", value=2.5)


async def test_touching_moves_only_the_last_sign_of_life_and_never_back(database: Database, make: Any) -> None:
    async with database.write() as tx:
        await states.save(tx, [_state(make, state="alarm"), _state(make, kind="battery")])
        await states.touch(
            tx, [("d1", "gas", make.at(seconds=9)), ("d1", "gas", make.at(seconds=5)), ("d9", "gas", make.now)]
        )
        await states.touch(tx, [("d1", "gas", make.at(seconds=7))])
        loaded = await states.load(tx, ["d1", "d9"])

    assert loaded == {
        ("d1", "gas"): _state(make, state="alarm", last_seen=make.at(seconds=9)),
        ("d1", "battery"): _state(make, kind="battery"),
    }


async def test_nothing_to_do_is_done(database: Database) -> None:
    async with database.write() as tx:
        await states.save(tx, [])
        await states.touch(tx, [])
        await states.record_changes(tx, [])
        assert await states.load(tx, []) == {}


async def test_a_batch_may_be_larger_than_any_limit_on_placeholders(database: Database, make: Any) -> None:
    many = [_state(make, f"device-with-a-long-name-{number:06d}") for number in range(12_000)]
    async with database.write() as tx:
        await states.save(tx, many)
        await states.touch(tx, [(one.device_id, one.kind, make.at(hours=1)) for one in many])
        loaded = await states.load(tx, [one.device_id for one in many])

    assert len(loaded) == 12_000
    assert {one.last_seen for one in loaded.values()} == {make.at(hours=1)}


async def test_changes_are_kept_until_they_are_pruned_oldest_first(database: Database, make: Any) -> None:
    readings = [
        Reading("d1", "gas", make.at(hours=hour), "alarm", None, None, make.now, Freshness.HISTORIC)
        for hour in range(5)
    ]
    async with database.write() as tx:
        await states.record_changes(tx, readings)
        assert await states.prune_changes(tx, make.at(hours=4), limit=3) == 3
        assert await states.prune_changes(tx, make.at(hours=4), limit=3) == 1
        assert await states.prune_changes(tx, make.at(hours=4), limit=3) == 0
        assert await states.prune_changes(tx, make.at(hours=5)) == 1
