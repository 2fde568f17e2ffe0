"""The watch over the service: what it sees, whom it tells by which way, and what it does while everything is broken."""

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any, NamedTuple

import pytest

from ingest.message import Message
from notify.channel import SendOutcome, SendResult
from rules.trouble import TroubleKind
from shouwang import symptoms
from shouwang.operators import Bulletin, Operators
from shouwang.symptoms import Senses
from shouwang.trouble import Watch
from store import troubles
from store.errors import DatabaseUnavailableError

Start = Callable[[], Awaitable[Any]]


class Way:
    """One way to the operators; `breaks` is what happens when it is tried."""

    def __init__(self, name: str = "webhook", *, leans_on: str = "") -> None:
        self.name = name
        self.leans_on = leans_on
        self.breaks: Exception | str | None = None
        self.told: list[Bulletin] = []

    async def tell(self, bulletin: Bulletin) -> str | None:
        if isinstance(self.breaks, TimeoutError):
            await asyncio.Event().wait()
        if isinstance(self.breaks, Exception):
            raise self.breaks
        if self.breaks is None:
            self.told.append(bulletin)
        return self.breaks

    def heard(self) -> list[tuple[str, str]]:
        return [(str(one.trouble.kind), str(one.event)) for bulletin in self.told for one in bulletin.news]


class Place(NamedTuple):
    """A service under watch, and the hands on its surroundings."""

    service: Any
    watch: Watch
    senses: Senses
    way: Way
    state: dict[str, Any]

    async def let(self, seconds: float) -> None:
        """Let time pass, with a look every five seconds."""
        for _ in range(round(seconds / 5)):
            self.state["elapsed"] += 5
            await self.watch.look()
            await self.watch.tell()


@contextlib.asynccontextmanager
async def away() -> AsyncIterator[None]:
    raise DatabaseUnavailableError("The database did not answer.")
    yield


@pytest.fixture
async def place(start: Start) -> Place:
    service, _ = await start()
    began = service.core.now()
    state: dict[str, Any] = {"elapsed": 0.0, "set_by": 0.0, "broker": True, "refused": "", "folders": []}
    service.core.now = lambda: began + timedelta(seconds=state["elapsed"] + state["set_by"])
    senses = Senses(
        service.core,
        broker_up=lambda: state["broker"],
        refused=lambda: state["refused"],
        folders=state["folders"],
        elapsed=lambda: float(state["elapsed"]),
        patience_s=0.5,
    )
    way = Way()
    return Place(service, Watch(service.core, senses, Operators([way], patience_s=0.2)), senses, way, state)


async def test_where_all_is_well_nobody_is_told(place: Place) -> None:
    assert place.watch.not_in_order() == ["watch"]
    await place.let(600)

    assert place.way.told == []
    assert place.watch.not_in_order() == []


async def test_the_database_is_away_and_the_operators_hear_it_all_the_same(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told from memory, once, however long it lasts; written down when it is back."""
    with monkeypatch.context() as patch:
        patch.setattr(place.service.core.database, "write", away)
        patch.setattr(place.service.core.database, "read", away)
        await place.let(120)
        assert place.way.heard() == [("database", "raised")]
        assert place.watch.not_in_order() == ["database"]

    await place.let(60)
    assert place.way.heard() == [("database", "raised"), ("database", "cleared")]
    assert place.watch.not_in_order() == []
    async with place.service.core.database.read() as tx:
        (row,) = await troubles.listing(tx)
    assert (row.kind, row.stands, row.told) == (TroubleKind.DATABASE, False, False)


async def test_a_database_that_hangs_is_away_too(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked once, not again and again while the first question hangs."""
    begun: list[int] = []

    @contextlib.asynccontextmanager
    async def hangs() -> AsyncIterator[None]:
        begun.append(1)
        await asyncio.Event().wait()
        yield

    with monkeypatch.context() as patch:
        patch.setattr(place.service.core.database, "write", hangs)
        place.senses._database.patience_s = 0.01
        await place.let(60)

    assert place.way.heard() == [("database", "raised")]
    assert begun == [1]


async def test_the_broker_is_away_and_comes_back(place: Place) -> None:
    place.state["broker"] = False
    await place.let(60)
    place.state["broker"] = True
    await place.let(60)

    assert place.way.heard() == [("broker", "raised"), ("broker", "cleared")]
    assert "连不上消息服务器" in place.way.told[0].text


async def test_a_page_that_waits_for_half_a_minute_is_told(place: Place) -> None:
    gas = Message("zigbee2mqtt/yl-1-2-301-gas", b'{"gas":true}', retain=False, received_at=place.service.core.now())
    await place.service.intake.take_in([gas])
    await place.let(30)
    assert place.way.told == []

    await place.let(5)
    assert place.way.heard() == [("outbox", "raised")]


async def test_a_clock_that_jumps_is_told_and_one_that_is_slewed_is_not(place: Place) -> None:
    for _ in range(20):
        place.state["set_by"] += 0.01
        await place.let(5)
    assert place.way.told == []

    place.state["set_by"] -= 3600
    await place.let(5)
    assert place.way.heard() == [("clock", "raised")]
    assert "-3600 s" in place.way.told[0].text
    assert place.watch.not_in_order() == ["clock"]
    await place.let(305)
    assert place.watch.not_in_order() == []


async def test_a_disk_that_is_nearly_full_is_told(place: Place, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    place.state["folders"].append(tmp_path)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(symptoms, "LEAST_FREE", usage.free * 2)
    await place.let(5)
    monkeypatch.setattr(symptoms, "LEAST_FREE", 0)
    await place.let(400)

    assert place.way.heard() == [("disk", "raised"), ("disk", "cleared")]
    assert str(tmp_path) in place.way.told[0].text


async def test_a_folder_that_is_gone_is_told(place: Place, tmp_path: Any) -> None:
    place.state["folders"].append(tmp_path / "nowhere")
    await place.let(5)

    assert place.way.heard() == [("disk", "raised")]
    assert os.strerror(2) in place.way.told[0].text


async def test_files_that_are_refused_are_told_until_they_are_mended(place: Place) -> None:
    place.state["refused"] = "rules.yaml:3:5: no such plan (and 2 more)"
    await place.let(60)
    place.state["refused"] = ""
    await place.let(5)

    assert place.way.heard() == [("configuration", "raised"), ("configuration", "cleared")]
    assert "rules.yaml:3:5" in place.way.told[0].text


async def test_what_happened_once_is_told_once(place: Place) -> None:
    place.senses.note(TroubleKind.AUDITOR, detail="2")
    place.senses.note(TroubleKind.PART, "dispatcher", "KeyError: 'x'")
    await place.let(3600)

    assert place.way.heard() == [("part", "raised"), ("auditor", "raised")]


async def test_a_slow_disk_is_told_when_it_stays_slow(place: Place) -> None:
    place.senses.note_pace(3.0)
    await place.let(15)
    place.senses.note_pace(0.01)
    await place.let(200)
    assert place.way.told == []

    place.senses.note_pace(3.0)
    await place.let(60)
    assert place.way.heard() == [("slow_database", "raised")]


async def test_a_provider_that_refuses_us_is_told_by_another_way(place: Place, make_delivery: Any) -> None:
    refused = SendResult(outcome=SendOutcome.PERMANENT, error="Twilio answered 401", account_refused=True)
    place.senses.note_try(make_delivery(), refused)
    await place.let(5)

    assert place.way.heard() == [("provider", "raised")]
    assert "Twilio answered 401" in place.way.told[0].text


async def test_a_restart_tells_nothing_twice_and_does_not_forget_the_end(place: Place) -> None:
    place.state["broker"] = False
    await place.let(60)
    again = Watch(place.service.core, place.senses, Operators([place.way]))
    await again.remember()
    place = place._replace(watch=again)
    await place.let(60)
    assert place.way.heard() == [("broker", "raised")]

    place.state["broker"] = True
    await place.let(60)
    assert place.way.heard()[1:] == [("broker", "cleared")]


async def test_what_was_too_short_to_count_leaves_no_trace(place: Place) -> None:
    place.state["broker"] = False
    await place.let(5)
    place.state["broker"] = True
    await place.let(60)

    assert place.way.told == []
    async with place.service.core.database.read() as tx:
        assert await troubles.listing(tx) == []


async def test_the_figures_show_what_stands(place: Place) -> None:
    place.state["broker"] = False
    await place.let(15)

    value = place.service.core.metrics.registry.get_sample_value
    assert value("shouwang_trouble", {"kind": "broker"}) == 1
    assert value("shouwang_trouble", {"kind": "database"}) == 0
    assert value("shouwang_trouble_told_total", {"result": "told"}) == 1


# --- the ways ---------------------------------------------------------------------------------------------------------


async def test_the_ways_are_tried_one_after_the_other_until_one_takes_it(place: Place) -> None:
    """One refuses, one raises, one hangs; the fourth takes it, and the fifth is not bothered."""
    ways = [Way(f"way {number}") for number in range(5)]
    ways[0].breaks, ways[1].breaks, ways[2].breaks = "it answered 500", OSError("no route"), TimeoutError()
    watch = Watch(place.service.core, place.senses, Operators(ways, patience_s=0.05))
    place.state["broker"] = False
    for _ in range(5):
        place.state["elapsed"] += 5
        await watch.look()
        await watch.tell()

    assert [len(one.told) for one in ways] == [0, 0, 0, 1, 0]


async def test_where_no_way_takes_it_it_is_tried_again_and_logged(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    place.way.breaks = "it answered 503"
    place.state["broker"] = False
    await place.let(30)
    assert "nobody could be told" in caplog.text

    place.way.breaks = None
    await place.let(30)
    assert place.way.heard() == [("broker", "raised")]


async def test_the_way_that_leans_on_what_broke_comes_last(place: Place, make_delivery: Any) -> None:
    sms, mail = Way("sms", leans_on="twilio"), Way("mail")
    watch = Watch(place.service.core, place.senses, Operators([sms, mail]))
    refused = SendResult(outcome=SendOutcome.PERMANENT, error="Twilio answered 401", account_refused=True)
    place.senses.note_try(make_delivery(provider="twilio"), refused)
    await watch.look()
    await watch.tell()

    assert (len(sms.told), len(mail.told)) == (0, 1)
