"""Traffic that is broken, or meant to do harm, through a real broker to the real process."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]

GAS = {"id": "h1-gas", "kind": "gas", "source": "zigbee", "name": "h1-gas", "heartbeat": "2h"}
OTHER = {"id": "h2-gas", "kind": "gas", "source": "own", "heartbeat": "2h"}


async def becomes_so(true: Callable[[], Awaitable[bool]]) -> None:
    """Wait for what happens in the other process."""
    async with asyncio.timeout(60):
        while not await true():  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.05)


async def test_an_alarm_comes_through_all_of_it(opened: Any, tmp_path: Path, mosquitto_program: str) -> None:
    """Too large, of another home, of another source, and hundreds of its own device (life-first)."""
    limits = {"SHOUWANG_MQTT__PAYLOAD_LIMIT": "20000"}
    async with opened(tmp_path, mosquitto_program, **limits) as site:
        site.community({1: [GAS], 2: [OTHER]}, site.steps(0))
        await site.shouwang.start()
        alarm = b'{"kind": "gas", "state": "alarm"}'
        await site.publish("zigbee2mqtt/h1-gas", b'{"gas": false, "x": "' + b"x" * 100_000 + b'"}')
        await site.publish("shouwang/v1/h1/h2-gas/event", alarm)
        await site.publish("shouwang/v1/h1/h1-gas/event", alarm)
        await site.publish("zigbee2mqtt/h1-gas", b"[" * 10_000)
        for number in range(600):
            said = {"gas": number == 400, "linkquality": number % 5}
            await site.publish("zigbee2mqtt/h1-gas", json.dumps(said).encode())

        await site.told_is(1, site.told_of(1)[:1])
        figures: dict[str, float] = {}

        async def all_taken() -> bool:
            text = (await site.shouwang.get("/metrics")).text
            figures.update(
                (line.split()[0], float(line.split()[1])) for line in text.splitlines() if not line.startswith("#")
            )
            left = sum(value for name, value in figures.items() if name.startswith("shouwang_thinned_total"))
            return left > 0 and figures.get('shouwang_quarantine_total{reason="too_large"}') == 1

        await becomes_so(all_taken)
        for reason in ("wrong_home", "unknown_device", "malformed_json"):
            assert figures[f'shouwang_quarantine_total{{reason="{reason}"}}'] == 1
        assert len(site.texts) == 1

        # A gateway that is off: its homes are not watched over, and nobody is called silent.
        await site.publish("zigbee2mqtt/bridge/state", b'{"state": "offline"}', retain=True)

        async def unwatched() -> bool:
            homes = (await site.shouwang.get("/api/v1/homes?state=unwatched")).json()["homes"]
            return [(home["id"], home["devices"][0]["cause"]) for home in homes] == [
                ("h1", "gateway"),
                ("h2", "never_heard"),
            ]

        await becomes_so(unwatched)
        assert await site.shouwang.stop() == 0
        status, printed = await site.shouwang.command("security", "--json")
        assert status == 1
        kinds = {one["kind"] for one in json.loads(printed[printed.index("[") :])}
        assert kinds == {"too_large", "wrong_home", "wrong_source", "flood"}
