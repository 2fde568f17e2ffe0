"""`shouwang doctor` beside a running service: what it sees, and that the service does not notice."""

import asyncio
import json
import os
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]

HOME = 4


async def examined(site: Any, *arguments: str) -> dict[str, list[str]]:
    """Run it with the settings of the installation; give what it says by grade."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith("SHOUWANG_")}
    doctor = await asyncio.create_subprocess_exec(
        *[str(Path(sys.executable).parent / "shouwang"), "doctor", "--json", *arguments],
        cwd=site.shouwang.folder,
        env={**outside, **site.shouwang.environment},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await doctor.communicate()
    told: dict[str, list[str]] = {"finding": [], "note": [], "fine": []}
    for one in json.loads(out)["checks"]:
        told[one["grade"]].append(f"{one['subject']}: {one['what']}")
    assert doctor.returncode == (1 if told["finding"] else 0)
    return told


def rows(path: Path) -> dict[str, int]:
    """How many rows each table has."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    counts = {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names}
    connection.close()
    return counts


async def test_a_running_service_is_seen_and_does_not_notice(site: Any) -> None:
    site.community({HOME: [{"id": "gas", "kind": "gas", "source": "zigbee"}]}, site.steps(0))
    # The provider's way back, without the proxy that there is none of here.
    site.shouwang.environment["SHOUWANG_HTTP__PUBLIC_URL"] = f"http://127.0.0.1:{site.shouwang.port}"
    await site.shouwang.start()
    await site.shouwang.connected()
    before = rows(site.shouwang.folder / "shouwang.db")

    examination = asyncio.create_task(examined(site, "--listen", "3"))
    while not examination.done():
        await site.zigbee("gas", gas=False)
        await asyncio.sleep(0.2)
    told = await examination

    assert any("lets us in" in one for one in told["fine"])
    assert "service: the service runs, and says that it is ready" in told["fine"]
    assert "callbacks: the public address leads to us, and signatures fit" in told["fine"]
    assert any("all with QoS 1" in one for one in told["fine"])
    assert any("1500 messages published to a client that was away" in one for one in told["fine"])
    # Its Mosquitto writes now and then; its replies go to where no proxy is. Nothing else is the matter.
    assert sorted(one.split(":")[0] for one in told["finding"]) == ["persistence", "provider"]

    # One connection for all the time, and no row but those of the sensor's own words.
    assert site.shouwang.said().count("connected to mqtt") == 1
    after = rows(site.shouwang.folder / "shouwang.db")
    assert {name for name in after if after[name] != before[name]} <= {"device_states", "state_changes", "listening"}
    assert site.texts == []
