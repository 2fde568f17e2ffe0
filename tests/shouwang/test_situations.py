"""From findings to incidents."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from ingest.message import Message
from rules.decisions import Finding, FindingEvent
from shouwang import situations
from store import findings, incidents
from store.registry import set_away

Start = Callable[[], Awaitable[Any]]

RAISED, REPEATED, CLEARED = FindingEvent


@pytest.fixture
async def service(start: Start) -> Any:
    return (await start())[0]


async def settle(
    service: Any, event: FindingEvent, *, kind: str = "gas", home: str = "yl-1-2-301", **more: Any
) -> None:
    now = service.core.now()
    finding = Finding(
        event=event,
        rule_id=more.pop("rule_id", "gas-leak"),
        home_id=home,
        device_id=more.pop("device_id", f"{home}-{kind}"),
        kind=kind,
        at=now,
        reason="said so",
        **more,
    )
    async with service.core.database.write() as tx:
        await situations.settle(service.core, tx, finding, now)


async def everything(service: Any) -> list[Any]:
    async with service.core.database.read() as tx:
        return await incidents.listing(tx, open_only=False, limit=10)


async def test_an_incident_carries_what_it_will_need(service: Any) -> None:
    """Home, chain of grids, people, plan filled in, policy: nothing of it is asked for again (invariant snapshot)."""
    async with service.core.database.write() as tx:
        await set_away(tx, "yl-1-2-301", away=True)
    await settle(service, RAISED)
    snapshot = (await everything(service))[0].snapshot

    assert snapshot.home.residents[0].name == "王秀英"
    assert [grid.id for grid in snapshot.responsibility.grids] == [
        "xinsheng-g1-w07",
        "xinsheng-g1",
        "xinsheng",
        "xiaojiahe",
    ]
    assert [worker.id for worker in snapshot.responsibility.workers] == ["li", "chen", "duty-room", "zhang"]
    assert "到场先在门外关总阀: 厨房灶台下方" in snapshot.plan.steps
    assert snapshot.policy.id == "life-safety"
    assert (snapshot.time_zone, snapshot.language) == ("Asia/Shanghai", "zh")


async def test_findings_of_one_group_and_home_are_one_incident(service: Any) -> None:
    await settle(service, RAISED)
    await settle(service, RAISED, kind="smoke", rule_id="smoke")
    await settle(service, RAISED, home="yl-1-2-302")
    await settle(service, RAISED, kind="battery", rule_id="battery-low", device_id="yl-1-2-301-door")

    found = {(one.home_id, one.group): one.kinds for one in await everything(service)}
    assert found == {
        ("yl-1-2-301", "life-safety"): ("gas", "smoke"),
        ("yl-1-2-302", "life-safety"): ("gas",),
        ("yl-1-2-301", "maintenance"): ("battery",),
    }


async def test_a_finding_of_a_home_that_is_not_known_is_said_and_opens_nothing(
    service: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        await settle(service, RAISED, home="nowhere")

    assert "a finding names home nowhere" in caplog.text
    assert await everything(service) == []


async def test_a_cleared_finding_stands_no_more(service: Any) -> None:
    await settle(service, RAISED)
    await settle(service, CLEARED)
    await settle(service, CLEARED)

    async with service.core.database.read() as tx:
        assert await findings.standing(tx, ["yl-1-2-301-gas"]) == {}
        events = [entry.event for entry in await incidents.journal(tx, (await everything(service))[0].id)]
    assert events.count("cleared") == 1


async def test_a_repeat_keeps_the_finding_as_it_was_raised(service: Any) -> None:
    await settle(service, RAISED)
    async with service.core.database.read() as tx:
        before = await findings.standing(tx, ["yl-1-2-301-gas"])
    await settle(service, REPEATED)

    async with service.core.database.read() as tx:
        assert await findings.standing(tx, ["yl-1-2-301-gas"]) == before
    assert (await everything(service))[0].count == 2


async def test_life_comes_first_also_within_one_batch(service: Any) -> None:
    """Gas is decided on before the low battery that came before it in the same batch (invariant life-first)."""
    now = service.core.now()
    batch = [
        Message(topic="zigbee2mqtt/yl-1-2-301-door", payload=b'{"battery":3}', retain=False, received_at=now),
        Message(topic="zigbee2mqtt/yl-1-2-301-gas", payload=b'{"gas":true}', retain=False, received_at=now),
    ]
    await service.intake.take_in(batch)
    claimed = await service.deliveries.claim(10)

    assert [one.recipient_id for one in claimed] == ["li", "duty-room"]
    assert claimed[0].id < claimed[1].id
