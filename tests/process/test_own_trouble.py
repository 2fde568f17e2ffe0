"""What the process does when what it stands on breaks: those who run it hear of it, and the sign of life stays away."""

import hmac
import json
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any

import pytest
from aiohttp import web

SECRET = "a-secret-of-the-tests"
HOME = 1


class Office:
    """Where the operators sit: a webhook of theirs, and a place that expects a sign of life."""

    def __init__(self) -> None:
        self.posts: list[dict[str, Any]] = []
        self.beats = 0
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        at, _, digest = request.headers["X-Shouwang-Signature"].partition(",v1=")
        expected = hmac.new(SECRET.encode(), f"{at.removeprefix('t=')}.".encode() + body, sha256).hexdigest()
        assert hmac.compare_digest(digest, expected)
        self.posts.append(json.loads(body))
        return web.Response()

    async def beat(self, _request: web.Request) -> web.Response:
        self.beats += 1
        return web.Response()

    @property
    def heard(self) -> list[tuple[str, str]]:
        return [(one["kind"], one["event"]) for post in self.posts for one in post["troubles"]]


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    office = Office()
    app = web.Application()
    app.router.add_post("/told", office.take)
    app.router.add_get("/alive", office.beat)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    office.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield office
    await runner.cleanup()


async def test_a_broker_that_dies_is_told_to_the_operators_and_so_is_that_it_is_back(
    site: Any, broker_later: Any, office: Office
) -> None:
    """And meanwhile there is no sign of life, and not a word to any worker."""
    site.community({HOME: [{"id": "gas", "kind": "gas", "source": "zigbee", "name": "gas"}]}, site.steps(0))
    site.shouwang.environment |= {
        "SHOUWANG_MQTT__URL": broker_later.url,
        "SHOUWANG_WEBHOOK__SECRET": SECRET,
        "SHOUWANG_OPERATORS__WEBHOOK": f"{office.url}/told",
        "SHOUWANG_HEARTBEAT__URL": f"{office.url}/alive",
        "SHOUWANG_HEARTBEAT__EVERY_S": "5",
    }
    with broker_later.started():
        await site.shouwang.start()
        await site.until("a sign of life", lambda: office.beats)
        assert office.posts == []

    await site.until("the operators hear that the broker is away", lambda: office.heard)
    assert office.heard == [("broker", "raised")]
    assert "broker" in office.posts[0]["text"]
    beats = office.beats
    shown = (await site.shouwang.get("/metrics")).text
    assert 'shouwang_trouble{kind="broker"} 1.0' in shown
    assert 'shouwang_heartbeat_total{result="withheld"} 0.0' not in shown

    with broker_later.started():
        await site.until("they hear that it is back", lambda: len(office.heard) > 1)
        await site.until("a sign of life again", lambda: office.beats > beats)
        assert await site.shouwang.stop() == 0
    assert office.heard == [("broker", "raised"), ("broker", "cleared")]
    assert site.texts == []
