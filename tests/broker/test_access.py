"""The access list of docs/sensors.md: each home under its own topics, and nowhere else."""

import asyncio
import contextlib
import re
from pathlib import Path
from typing import Any

import pytest
from aiomqtt import Client, MqttError

DOCUMENT = Path(__file__).parents[2] / "docs" / "sensors.md"
#: Last of all, so that whatever else is let through has come before it.
END = ("flat-301", "zigbee2mqtt/flat-301/end")

pytestmark = pytest.mark.broker


@pytest.fixture
async def mosquitto(make_mosquitto: Any, tmp_path: Path) -> Any:
    (acl,) = re.findall(r"(?ms)^```acl\n(.*?)^```", DOCUMENT.read_text("utf-8"))
    path = tmp_path / "acl"
    path.write_text(acl, "utf-8")
    path.chmod(0o700)
    # Who somebody is was settled by the password; here the name is enough.
    return await make_mosquitto(lines=[f"acl_file {path}"])


@pytest.mark.parametrize(
    ("user", "topic", "heard"),
    [
        ("flat-301", "zigbee2mqtt/flat-301/kitchen", True),
        ("flat-301", "zigbee2mqtt/flat-301/bridge/state", True),
        ("flat-301", "shouwang/v1/flat-301/gas/event", True),
        ("flat-301", "shellies/flat-301/online", True),
        ("flat-301", "zigbee2mqtt/flat-302/kitchen", False),
        ("flat-301", "shouwang/v1/flat-302/gas/event", False),
        ("flat-301", "shouwang/v1/flat-301", True),
        ("flat-30", "zigbee2mqtt/flat-301/kitchen", False),
        ("+", "zigbee2mqtt/flat-301/kitchen", False),
        ("#", "zigbee2mqtt/flat-301/kitchen", False),
        ("flat-301/..", "zigbee2mqtt/flat-301/kitchen", False),
        (None, "zigbee2mqtt/flat-301/kitchen", False),
        ("shouwang", "zigbee2mqtt/flat-301/kitchen", False),
    ],
)
async def test_a_home_publishes_under_its_own_topics(mosquitto: Any, user: str | None, topic: str, heard: bool) -> None:
    there = {"hostname": "127.0.0.1", "port": mosquitto.port, "timeout": 5}
    async with asyncio.timeout(20), Client(**there, username="shouwang") as service:
        for one in ("zigbee2mqtt/#", "shouwang/v1/#", "shellies/#"):
            await service.subscribe(one, qos=1)
        for who, where in ((user, topic), END):
            # Refused is refused, in whatever way: at the connection, by an end of it, or in silence.
            with contextlib.suppress(MqttError):
                async with Client(**there, username=who) as client:
                    await client.publish(where, b"1", qos=1)
        found: list[str] = []
        async for message in service.messages:
            found.append(str(message.topic))
            if found[-1] == END[1]:
                break

    assert found == ([topic] if heard else []) + [END[1]]
