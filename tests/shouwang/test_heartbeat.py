"""The sign of life: while all is well and not otherwise, and nothing waits for whoever takes it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from notify.channels.http import Courier
from shouwang.heartbeat import Heartbeat
from web.metrics import Metrics


class Other:
    """The other side."""

    def __init__(self) -> None:
        self.url = ""
        self.calls: list[tuple[str, str]] = []
        self.status = 200
        self.hangs = False
        self.third = asyncio.Event()

    async def take(self, request: web.Request) -> web.Response:
        self.calls.append((request.method, request.path_qs))
        if len(self.calls) == 3:
            self.third.set()
        if self.hangs:
            await asyncio.sleep(5)
        return web.Response(status=self.status)


@pytest.fixture
async def other() -> AsyncIterator[Other]:
    other = Other()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", other.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    other.url = f"http://127.0.0.1:{runner.addresses[0][1]}/ping/s3cret?x=1"
    yield other
    await runner.cleanup()


def heartbeat(other: Other, reasons: list[str], metrics: Metrics, **more: Any) -> Heartbeat:
    return Heartbeat(
        other.url,
        **{"method": "get", "every_s": 60, **more},
        not_in_order=lambda: reasons,
        metrics=metrics,
        courier=Courier(timeout_s=0.2),
    )


@pytest.mark.parametrize("method", ["get", "post", "head"])
async def test_it_is_given_while_all_is_well(other: Other, method: str) -> None:
    beating = heartbeat(other, [], Metrics(), method=method)
    assert await beating.beat() == "sent"
    await beating.aclose()

    assert other.calls == [(method.upper(), "/ping/s3cret?x=1")]


async def test_it_is_withheld_while_something_is_not_in_order(other: Other) -> None:
    reasons = ["database"]
    metrics = Metrics()
    beating = heartbeat(other, reasons, metrics)
    assert [await beating.beat(), await beating.beat()] == ["withheld", "withheld"]
    assert other.calls == []

    reasons.clear()
    assert await beating.beat() == "sent"
    await beating.aclose()
    value = metrics.registry.get_sample_value
    assert value("shouwang_heartbeat_total", {"result": "withheld"}) == 2
    assert value("shouwang_heartbeat_total", {"result": "sent"}) == 1


async def test_one_that_is_not_taken_is_said_once_and_without_its_address(
    other: Other, caplog: pytest.LogCaptureFixture
) -> None:
    other.status = 500
    beating = heartbeat(other, [], Metrics())
    assert [await beating.beat(), await beating.beat()] == ["failed", "failed"]
    await beating.aclose()

    assert caplog.text.count("it answered 500") == 1
    assert "s3cret" not in caplog.text


async def test_an_other_side_that_hangs_is_not_waited_for(other: Other) -> None:
    other.hangs = True
    beating = heartbeat(other, [], Metrics())
    assert await beating.beat() == "failed"
    await beating.aclose()


async def test_it_goes_on_beating(other: Other) -> None:
    beating = heartbeat(other, [], Metrics(), every_s=0.01)
    running = asyncio.create_task(beating.run())
    await other.third.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await beating.aclose()
