"""The clock beside those of others."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from aiohttp import web

from notify.channels.http import Courier
from shouwang.doctor import clock
from shouwang.doctor.clock import Comparison, compared, judge
from shouwang.doctor.diagnosis import Grade
from shouwang.doctor.patient import Patient
from shouwang.doctor.places import is_this_machine
from shouwang.settings import Settings

FINDING, NOTE, FINE = Grade.FINDING, Grade.NOTE, Grade.FINE
NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)


def patient() -> Patient:
    return Patient(settings=Settings.model_construct(), registry=None, now=lambda: datetime.now(UTC))


def test_half_of_the_way_there_and_back_is_in_doubt() -> None:
    found = compared("them", NOW, NOW, NOW + timedelta(seconds=4))

    assert (found.ahead_s, found.error_s) == (2.0, 2.0)


def test_a_clock_that_shows_whole_seconds_is_half_a_second_further_on_the_average() -> None:
    found = compared("them", NOW, NOW + timedelta(seconds=0.5), NOW + timedelta(seconds=0.5), coarse_s=1.0)

    assert (found.ahead_s, found.error_s) == (0.0, 0.5)


@pytest.mark.parametrize(
    ("ahead_s", "error_s", "grade", "words"),
    [
        (0.3, 0.5, FINE, "agrees with them"),
        (-2.4, 0.5, FINE, "agrees with them"),
        (2.6, 0.5, NOTE, "3 s ahead of them"),
        (-6.0, 0.5, FINDING, "6 s behind them"),
        (3600.0, 0.5, FINDING, "3600 s ahead of them"),
        # A slow line proves nothing.
        (6.0, 4.5, FINE, "agrees"),
    ],
)
def test_how_far_it_may_be_off(ahead_s: float, error_s: float, grade: Grade, words: str) -> None:
    [told] = [
        one for one in judge([Comparison("them", ahead_s, error_s)], synchronised=True) if "kernel" not in one.what
    ]

    assert (told.grade, words in told.what) == (grade, True)


@pytest.mark.parametrize(
    ("comparisons", "synchronised", "grades"),
    [
        ([], True, [FINE]),
        ([], False, [NOTE]),
        ([], None, [NOTE]),
        ([Comparison("them", 0.0, 0.5)], None, [FINE]),
        ([Comparison("them", 0.0, 0.5)], False, [FINE, NOTE]),
    ],
)
def test_what_the_kernel_knows(comparisons: list[Comparison], synchronised: bool | None, grades: list[Grade]) -> None:
    assert [one.grade for one in judge(comparisons, synchronised=synchronised)] == grades


@pytest.fixture
async def watch() -> AsyncIterator[dict[str, str]]:
    """A web server an hour ahead of us; its address, and the Date it gives, may be changed."""
    answer = {"date": format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)}

    async def tell(_request: web.Request) -> web.Response:
        return web.Response(status=401, headers={"Date": answer["date"]})

    app = web.Application()
    app.router.add_get("/{path:.*}", tell)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    answer["url"] = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield answer
    await runner.cleanup()


async def test_a_web_server_tells_its_time_whatever_else_it_answers(watch: dict[str, str]) -> None:
    courier = Courier()
    [found] = await clock.of_web(courier, watch["url"], patient())
    watch["date"] = "yesterday"
    nonsense = await clock.of_web(courier, watch["url"], patient())
    away = await clock.of_web(courier, "http://127.0.0.1:9", patient())
    await courier.aclose()

    assert -3610 < found.ahead_s < -3590
    assert (nonsense, away) == ([], [])


async def test_a_database_server_tells_its_time(postgres_database_url: str) -> None:
    found = await clock.of_database(postgres_database_url, patient())

    assert abs(found.ahead_s) <= found.error_s + 0.1


async def test_what_runs_on_this_machine_has_our_clock_and_is_not_asked(postgres_database_url: str) -> None:
    settings = Settings.model_construct()
    settings = settings.model_copy(
        update={"database": settings.database.model_copy(update={"url": postgres_database_url})}
    )
    told = await clock.look(Patient(settings=settings, registry=None, now=lambda: datetime.now(UTC)))

    assert len(told) == 1
    assert "database" not in told[0].what


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("postgresql://me:word@localhost/x", True),
        ("postgresql:///x", True),
        ("http://127.0.0.1:8080", True),
        ("http://[::1]:8080", True),
        ("https://api.twilio.com", False),
        ("postgresql://db.example.org/x", False),
        ("http://[", False),
    ],
)
def test_which_addresses_are_this_machine(url: str, here: bool) -> None:
    assert is_this_machine(url) is here
