from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from rules.community import Availability, ContactMethod, Grid, GridLevel, Layout, Mapped, Role, Source
from rules.readings import DeviceState, Freshness
from store import registry, states
from store.database import Database, RefusedError
from store.registry import GatewayRow

MICRO = "xinsheng-g1-w07"


async def test_everything_comes_back_as_it_went_in(database: Database, make: Any) -> None:
    async with database.write() as tx:
        changes = await registry.apply(tx, make.registry(), make.now)

        assert str(changes) == ("sources: 1 added; grids: 3 added; workers: 1 added; homes: 1 added; devices: 1 added")
        assert await registry.sources(tx) == [Source(id="xinsheng", dialect="zigbee2mqtt", base="zigbee2mqtt")]
        assert await registry.homes(tx, ["yl-1-2-301", "nowhere"]) == {"yl-1-2-301": make.home()}
        assert await registry.workers(tx, ["w07-a"]) == {"w07-a": make.worker()}
        gas = make.device()
        assert await registry.devices(tx, [gas.id, "nothing"]) == {gas.id: gas}
        assert await registry.devices_named(tx, [("xinsheng", gas.name), ("own", gas.name)]) == {
            ("xinsheng", gas.name): gas
        }
        assert await registry.devices_of_homes(tx, [gas.home_id, "nowhere"]) == {gas.home_id: [gas]}
        assert [device async for device in registry.each_device(tx)] == [gas]


async def test_applying_the_same_again_changes_nothing(database: Database, make: Any) -> None:
    async with database.write() as tx:
        await registry.apply(tx, make.registry(), make.now)
        changes = await registry.apply(tx, make.registry(), make.at(hours=1))

    assert not changes
    assert str(changes) == "nothing changed"


async def test_what_is_gone_is_closed_and_what_comes_back_is_opened_again(database: Database, make: Any) -> None:
    """Closed, not deleted: its history stays, and it is not there for anybody who asks."""
    empty = make.registry(sources=(), grids=(), workers=(), homes=(), devices=())
    async with database.write() as tx:
        await registry.apply(tx, make.registry(), make.now)
        changes = await registry.apply(tx, empty, make.at(hours=1))

        assert changes.homes.closed == ("yl-1-2-301",)
        assert "homes: 1 closed" in str(changes)
        assert await registry.sources(tx) == []
        assert await registry.homes(tx, ["yl-1-2-301"]) == {}
        assert await registry.workers(tx, ["w07-a"]) == {}
        assert await registry.workers_with_phone(tx, "+8613800000001") == []
        assert await registry.devices(tx, ["yl-1-2-301-gas"]) == {}
        assert await registry.devices_named(tx, [("xinsheng", "yl-1-2-301-gas")]) == {}
        assert await registry.devices_of_homes(tx, ["yl-1-2-301"]) == {}
        assert [device async for device in registry.each_device(tx)] == []
        assert (await registry.responsibility(tx, MICRO)).grids == ()
        assert not await registry.apply(tx, empty, make.at(hours=2))

        changes = await registry.apply(tx, make.registry(), make.at(hours=3))
        assert changes.devices.reopened == ("yl-1-2-301-gas",)
        assert changes.devices.added == ()
        assert await registry.homes(tx, ["yl-1-2-301"]) == {"yl-1-2-301": make.home()}
        assert len(await registry.workers_with_phone(tx, "+8613800000001")) == 1


async def test_a_device_that_changes_keeps_what_is_known_of_it(database: Database, make: Any) -> None:
    known = DeviceState("yl-1-2-301-gas", "gas", "alarm", None, None, make.now, make.now, None, Freshness.LIVE)
    moved = make.device(room="客厅", heartbeat_s=None, invert=True)
    async with database.write() as tx:
        await registry.apply(tx, make.registry(), make.now)
        await states.save(tx, [known])
        changes = await registry.apply(tx, make.registry(devices=(moved,)), make.at(hours=1))

        assert changes.devices.changed == (moved.id,)
        assert await registry.devices(tx, [moved.id]) == {moved.id: moved}
        assert await states.load(tx, [moved.id]) == {(moved.id, "gas"): known}


async def test_devices_may_exchange_their_names(database: Database, make: Any) -> None:
    """A name belongs to one device at a time, and still two boxes mixed up on the wall can be set right."""
    one, other = make.device("one", name="left"), make.device("other", name="right")
    swapped = (replace(one, name="right"), replace(other, name="left"))
    async with database.write() as tx:
        await registry.apply(tx, make.registry(devices=(one, other)), make.now)
        await registry.apply(tx, make.registry(devices=swapped), make.at(hours=1))
        assert await registry.devices_named(tx, [("xinsheng", "left"), ("xinsheng", "right")]) == {
            ("xinsheng", "right"): swapped[0],
            ("xinsheng", "left"): swapped[1],
        }
        heir = make.device("heir", name="left")
        await registry.apply(tx, make.registry(devices=(swapped[0], heir)), make.at(hours=2))
        assert await registry.devices_named(tx, [("xinsheng", "left")]) == {("xinsheng", "left"): heir}
        back = (swapped[0], replace(swapped[1], name="third"), heir)
        await registry.apply(tx, make.registry(devices=back), make.at(hours=3))
        assert {device.name async for device in registry.each_device(tx)} == {"left", "right", "third"}


async def test_two_open_devices_with_one_name_are_refused(database: Database, make: Any) -> None:
    twins = (make.device("one", name="same"), make.device("other", name="same"))

    async def apply() -> None:
        async with database.write() as tx:
            await registry.apply(tx, make.registry(devices=twins), make.now)

    with pytest.raises(RefusedError):
        await apply()
    async with database.read() as tx:
        assert await registry.sources(tx) == []


async def test_who_is_away_is_said_by_the_desk_until_the_file_says_something_else(
    database: Database, make: Any
) -> None:
    async with database.write() as tx:
        homes = (make.home(), make.home("other", away=True))
        await registry.apply(tx, make.registry(homes=homes), make.now)
        assert await registry.away(tx, ["yl-1-2-301", "other"]) == {"other"}
        assert (await registry.homes(tx, ["other"]))["other"].away

        await registry.set_away(tx, "yl-1-2-301", away=True)
        await registry.set_away(tx, "other", away=False)
        homes = (make.home(access="钥匙在门卫室"), make.home("other", away=True, access="钥匙在门卫室"))
        await registry.apply(tx, make.registry(homes=homes), make.now)
        assert await registry.away(tx, ["yl-1-2-301", "other"]) == {"yl-1-2-301"}

        await registry.apply(tx, make.registry(homes=(make.home(away=True), make.home("other"))), make.now)
        assert await registry.away(tx, ["yl-1-2-301", "other"]) == {"yl-1-2-301"}
        await registry.apply(tx, make.registry(homes=(make.home(), make.home("other"))), make.now)
        assert await registry.away(tx, ["yl-1-2-301", "other"]) == set()


async def test_gateways_and_what_they_say_of_their_devices(database: Database, make: Any) -> None:
    lamp, gas = {"exposes": [{"property": "state"}]}, {"exposes": [{"property": "gas", "value_on": True}]}
    async with database.write() as tx:
        await registry.apply(tx, make.registry(), make.now)
        assert await registry.gateways(tx) == {}
        later = make.now + timedelta(minutes=1)
        await registry.set_gateway(tx, "xinsheng", "", "online", at=make.now, started_at=make.now)
        await registry.set_gateway(tx, "xinsheng", "", "offline", at=later, started_at=None)
        await registry.set_gateway(tx, "xinsheng", "", "offline", at=later + timedelta(hours=1), started_at=None)
        await registry.set_gateway(tx, "xinsheng", "hall", "online", at=later, started_at=None)
        await registry.set_gateway(tx, "closed-source", "", "online", at=later, started_at=None)
        said = {
            ("xinsheng", ""): GatewayRow("offline", later, make.now),
            ("xinsheng", "hall"): GatewayRow("online", later, None),
        }
        assert await registry.gateways(tx) == said
        assert not await registry.apply(tx, make.registry(), make.now)
        assert await registry.gateways(tx) == said

        await registry.replace_definitions(tx, "xinsheng", {"lamp": lamp, "gas": lamp})
        await registry.replace_definitions(tx, "other", {"gas": lamp})
        await registry.replace_definitions(tx, "xinsheng", {"gas": gas})
        names = [("xinsheng", "gas"), ("xinsheng", "lamp"), ("nowhere", "gas"), ("other", "gas")]
        assert await registry.definitions(tx, names) == {("xinsheng", "gas"): gas, ("other", "gas"): lamp}
        assert await registry.definitions(tx, []) == {}
        await registry.learn(tx, "xinsheng", {"lamp": lamp, "gas": lamp})
        await registry.learn(tx, "xinsheng", {"gas": None, "lamp": gas})
        await registry.learn(tx, "xinsheng", {})
        assert await registry.definitions(tx, names) == {("xinsheng", "lamp"): gas, ("other", "gas"): lamp}


async def test_what_devices_and_sources_say_of_their_fields_is_kept(database: Database, make: Any) -> None:
    """Also when it changes, and when nothing is said any more."""
    gas = Mapped(kind="gas", states={"1": "alarm", "0": "clear"})
    level = Mapped(kind="gas_concentration", unit="%LEL", scale=0.1, invert=True, unknown=("-1", "999"))
    there = Availability(topic="{device}/there", path="up", online=("1",), offline=("0", "no"))
    layout = Layout(topics=("a", "b"), each="x[*]", availability=(there,), ignore_where={"cmd": ("a", "b")})
    plain = make.registry()
    source = replace(plain.sources[0], more=("b", "c"), topic="%prefix%/%topic%/", map={"level": level}, layout=layout)
    device = replace(plain.devices[0], vendor="V", model="M", map={"Switch1": gas})
    told = replace(plain, sources=(source,), devices=(device, *plain.devices[1:]))
    for registered in (plain, told, plain):
        async with database.write() as tx:
            await registry.apply(tx, registered, make.now)
            assert not await registry.apply(tx, registered, make.now)
            assert await registry.sources(tx) == list(registered.sources)
            first = registered.devices[0]
            assert await registry.devices(tx, [first.id]) == {first.id: first}


async def test_digests_are_those_of_the_files_applied_last(database: Database, make: Any) -> None:
    async with database.write() as tx:
        await registry.set_digests(tx, {"devices.yaml": "a1", "old.yaml": "b2"}, make.now)
        await registry.set_digests(tx, {"devices.yaml": "c3"}, make.now)
        assert await registry.digests(tx) == {"devices.yaml": "c3"}


async def test_a_number_belongs_to_everybody_who_is_reached_by_it(database: Database, make: Any) -> None:
    push = (ContactMethod(channel="apprise", address="+8613800000009"),)
    people = (make.worker(), make.worker("w07-b"), make.worker("c", number="+8613800000003"))
    async with database.write() as tx:
        await registry.apply(tx, make.registry(workers=people), make.now)
        assert [one.id for one in await registry.workers_with_phone(tx, "+8613800000001")] == ["w07-a", "w07-b"]
        fewer = (make.worker(number="+8613800000004"), make.worker("w07-b", contact=push))
        await registry.apply(tx, make.registry(workers=fewer), make.now)
        assert await registry.workers_with_phone(tx, "+8613800000001") == []
        assert await registry.workers_with_phone(tx, "+8613800000003") == []
        assert await registry.workers_with_phone(tx, "+8613800000009") == []
        assert [one.id for one in await registry.workers_with_phone(tx, "+8613800000004")] == ["w07-a"]


async def test_who_answers_for_a_home_from_the_nearest_grid_up_then_those_who_stand_in(
    database: Database, make: Any
) -> None:
    elsewhere = Grid(id="xinsheng-g2", level=GridLevel.GENERAL, name="第二网格", parent="xinsheng")
    people = (
        make.worker("desk", role=Role.DESK, grids=("xinsheng",)),
        make.worker("general", role=Role.GENERAL, grids=("xinsheng-g1", "xinsheng-g2")),
        make.worker("b-micro"),
        make.worker("a-micro", grids=(MICRO, "xinsheng")),
        make.worker("for-the-grid", grids=("xinsheng-g2",), backup_for=("xinsheng-g1",)),
        make.worker("for-the-person", grids=(), backup_for=("b-micro", "nobody")),
        make.worker("stranger", grids=("xinsheng-g2",), backup_for=("for-the-grid",)),
    )
    grids = make.registry().grids
    async with database.write() as tx:
        await registry.apply(tx, make.registry(workers=people, grids=(*grids, elsewhere)), make.now)
        found = await registry.responsibility(tx, MICRO)

        assert [grid.id for grid in found.grids] == [MICRO, "xinsheng-g1", "xinsheng"]
        assert found.grids[0] == grids[2]
        assert [one.id for one in found.workers] == [
            "a-micro",
            "b-micro",
            "general",
            "desk",
            "for-the-grid",
            "for-the-person",
        ]
        assert found.workers[1] == people[2]
        assert (await registry.responsibility(tx, "nowhere")).workers == ()


async def test_grids_that_go_in_a_circle_do_not_go_on_for_ever(database: Database, make: Any) -> None:
    circle = tuple(Grid(id=one, level=GridLevel.MICRO, name=one, parent=other) for one, other in ("ab", "bc", "ca"))
    async with database.write() as tx:
        await registry.apply(tx, make.registry(grids=circle), make.now)
        assert [grid.id for grid in (await registry.responsibility(tx, "a")).grids] == ["a", "b", "c"]


async def test_each_device_goes_through_more_than_one_page(database: Database, make: Any) -> None:
    many = tuple(make.device(f"d{number:04d}") for number in range(2_345))
    async with database.write() as tx:
        await registry.apply(tx, make.registry(devices=many), make.now)
    async with database.read() as tx:
        found = [device async for device in registry.each_device(tx)]

    assert found == list(many)


async def test_messages_of_many_devices_are_looked_up_at_once(database: Database, make: Any) -> None:
    many = tuple(make.device(f"设备-{number:04d}") for number in range(1_000))
    async with database.write() as tx:
        await registry.apply(tx, make.registry(devices=many), make.now)
        found = await registry.devices_named(tx, {(device.source, device.name) for device in many})

    assert set(found.values()) == set(many)
