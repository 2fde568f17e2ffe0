"""Traffic that is broken, or meant to do harm: nothing stops, nothing is made up, and an alarm among it is told."""

from collections import Counter
from datetime import timedelta
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from ingest.message import Message
from shouwang import history
from shouwang.sieve import Limits
from store import quarantine, security, states
from store.tables import state_changes

GAS = "yl-1-2-301-gas"
DOOR = "yl-1-2-301-door"
OWN = "shouwang/v1/yl-1-2-302/gas"


async def come(site: Any, *messages: tuple[str, bytes], **more: Any) -> None:
    """Messages arrive in one batch."""
    await site.service.intake.take_in(
        [Message(topic, payload, False, site.moment, **more) for topic, payload in messages]
    )
    await site.settle()


async def aside(site: Any) -> dict[str, int]:
    async with site.database.read() as tx:
        return await quarantine.counts(tx)


async def journal(site: Any) -> list[tuple[str, str, str, int]]:
    async with site.database.read() as tx:
        return [(one.kind, one.source, one.subject, one.count) for one in await security.listing(tx)]


async def rows(site: Any) -> int:
    async with site.database.read() as tx:
        count: int = await tx.scalar(sa.select(sa.func.count()).select_from(state_changes))
        return count


def thinned(site: Any) -> Counter[str]:
    metric = site.service.core.metrics.thinned
    samples = [one for family in metric.collect() for one in family.samples if one.name.endswith("_total")]
    return Counter({one.labels["what"]: int(one.value) for one in samples if one.value})


def door(open_: bool, number: int) -> tuple[str, bytes]:
    return f"zigbee2mqtt/{DOOR}", orjson.dumps({"contact": not open_, "linkquality": number})


# --- floods -----------------------------------------------------------------------------------------------------------


async def test_an_alarm_in_a_flood_of_its_own_device_is_told(any_site: Any) -> None:
    """Thousands of messages of one detector within a second, one of them an alarm that ends at once (life-first)."""
    site = any_site
    await site.says(GAS, gas=False)
    flood = [(f"zigbee2mqtt/{GAS}", orjson.dumps({"gas": False, "linkquality": number % 7})) for number in range(3_000)]
    flood[2_222] = (flood[0][0], orjson.dumps({"gas": True, "linkquality": 5}))
    for start in range(0, len(flood), 500):
        await come(site, *flood[start : start + 500])

    assert site.who_heard() == [(0, "sms li")]
    assert (await journal(site))[0][:3] == ("flood", "", f"zigbee2mqtt/{GAS}")


async def test_a_contact_that_chatters_ends_as_it_is_and_fills_no_disk(site: Any) -> None:
    told: list[tuple[str, str, str]] = []
    site.service.intake.security.tell = lambda *said: told.append(said)
    for batch in range(20):
        await come(site, *(door(bool(number % 2), batch * 100 + number) for number in range(101)))

    assert await rows(site) < 2 * 240 + 40
    async with site.database.read() as tx:
        assert (await states.load(tx, [DOOR]))[DOOR, "contact"].state == "closed"
    assert thinned(site)["replaced"] > 1_000
    assert [one[0] for one in told] == ["flood"]


async def test_repeats_cost_nothing_and_still_are_signs_of_life(site: Any) -> None:
    said = door(False, 1)
    for _ in range(3):
        await come(site, *([said] * 500))
        await site.advance(seconds=11)

    assert thinned(site)["repeated"] > 1_000
    async with site.database.read() as tx:
        assert (await states.load(tx, [DOOR]))[DOOR, "contact"].last_seen == site.moment - timedelta(seconds=11)


async def test_strangers_fill_no_quarantine(site: Any) -> None:
    for number in range(4):
        stranger = [("zigbee2mqtt/nobody", orjson.dumps({"gas": True, "n": number * 500 + one})) for one in range(500)]
        await come(site, *stranger)

    assert await aside(site) == {"unknown_device": 4}
    assert thinned(site)["strange"] == 2_000 - 4
    assert site.who_heard() == []


async def test_a_source_that_speaks_too_much_is_thinned_as_a_whole(site: Any) -> None:
    site.service.intake.sieve.limits = Limits(0, 100)
    await come(site, *(door(bool(number % 2), number) for number in range(181)))
    before = await rows(site)
    await come(
        site, *(door(bool(number % 2), number) for number in range(101)), (f"zigbee2mqtt/{GAS}", b'{"gas":true}')
    )

    assert await rows(site) <= before + 3
    assert ("flood", "xinsheng", "xinsheng", 1) in await journal(site)
    assert site.who_heard() == [(0, "sms li")]


# --- who speaks of whom -----------------------------------------------------------------------------------------------


async def test_a_topic_of_another_home_raises_nothing_and_is_journalled(any_site: Any) -> None:
    site = any_site
    alarm = b'{"kind":"gas","state":"alarm"}'
    await come(site, (f"{OWN.replace('302', '301')}/event", alarm), ("shouwang/v1/x/yl-1-2-302-gas/event", alarm))
    assert site.who_heard() == []
    assert await aside(site) == {"unknown_device": 2}

    await come(site, (f"{OWN}/event", alarm))
    assert site.who_heard() == [(0, "sms li")]


async def test_a_device_of_another_source_raises_nothing_and_is_journalled(any_site: Any) -> None:
    site = any_site
    await come(site, (f"shouwang/v1/yl-1-2-301/{GAS}/event", b'{"kind":"gas","state":"alarm"}'))

    assert site.who_heard() == []
    assert await aside(site) == {"unknown_device": 1}
    assert await journal(site) == [("wrong_source", "own", f"shouwang/v1/yl-1-2-301/{GAS}/event", 1)]


# --- what cannot be read ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "payload",
    [
        b"[" * 100_000,
        b'{"a":' * 900 + b"1" + b"}" * 900,
        b'{"action":"a\\u0000b"}',
        b'{"gas":"\\ud800"}',
        b"\xff\xfe{\x00}",
        b'{"gas":1e999,"battery":-1e308,"linkquality":123456789012345678901234567890}',
        b'{"gas":[[[]]],"battery":{"a":{}},"last_seen":-9e18,"update":null}',
        b"\x00" * 5_000,
    ],
    ids=["deep", "nested", "nul", "surrogate", "encoding", "numbers", "types", "zeros"],
)
async def test_whatever_a_message_holds_the_alarm_behind_it_is_told(any_site: Any, payload: bytes) -> None:
    """Invariant nothing-dropped: no input stops the stream."""
    site = any_site
    topics = (
        f"zigbee2mqtt/{DOOR}",
        f"{OWN}/event",
        f"{OWN}/status",
        "zigbee2mqtt/bridge/devices",
        "zigbee2mqtt/x\x00y",
    )
    await come(site, *((topic, payload) for topic in topics), (f"zigbee2mqtt/{GAS}", b'{"gas":true}'))

    assert site.who_heard() == [(0, "sms li")]


async def test_of_what_is_too_large_the_beginning_is_kept(site: Any) -> None:
    cut = Message(f"zigbee2mqtt/{GAS}", b'{"gas":true' + b" " * 1_000, False, site.moment, size=9_000_000)
    await site.service.intake.take_in([cut])
    await site.settle()

    async with site.database.read() as tx:
        (row,) = await quarantine.listing(tx, 5)
    assert (row.reason, row.payload) == ("too_large", cut.payload)
    assert "9,000,000 bytes" in row.sentence
    assert await journal(site) == [("too_large", "xinsheng", f"zigbee2mqtt/{GAS}", 1)]
    assert site.who_heard() == []


# --- clocks and history -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("clock", [0, 1, 2**31 - 1, 2**31, 2**33, "1970-01-01T00:00:00Z", "2038-01-19T03:14:08Z", -1])
async def test_a_device_whose_clock_is_wrong_is_told_as_any_other(site: Any, clock: object) -> None:
    """Durations run on the receive time; a time that cannot be true is not kept."""
    event = {"kind": "gas", "state": "alarm", "at": clock}
    await come(site, (f"{OWN}/event", orjson.dumps(event)))

    assert site.who_heard() == [(0, "sms li")]
    async with site.database.read() as tx:
        assert await tx.scalar(sa.select(state_changes.c.observed_at)) is None


async def test_ten_years_of_history_page_nobody_and_fill_no_disk(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Invariant stale-does-not-page."""
    monkeypatch.setattr(history, "OF_DEVICE", 50)
    for year in range(10):
        at = site.moment - timedelta(days=365 * year + 1)
        events = [
            {"kind": "gas", "state": "alarm", "historic": True, "at": (at - timedelta(hours=one)).timestamp()}
            for one in range(100)
        ]
        await come(site, (f"{OWN}/event", orjson.dumps(events)))

    assert site.who_heard() == []
    assert await rows(site) == 50
    assert thinned(site)["history"] == 950
