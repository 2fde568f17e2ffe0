"""Homes that come from tables while the process runs, devices that nobody has registered, a walk through a home."""

import asyncio
import contextlib
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.real.community import micro_of

pytestmark = [pytest.mark.broker, pytest.mark.timeout(200)]

GAS = [{"id": "gas1", "kind": "gas", "source": "zigbee"}]


def windows(path: Path) -> int:
    """How many homes are being tested."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        return int(database.execute("SELECT COUNT(*) FROM testing").fetchone()[0])


async def test_a_home_that_was_imported_is_watched_and_what_it_said_before_was_noted(site: Any) -> None:
    """The whole way of an installer: what is heard, a table, a walk through the home, and then a real alarm."""
    site.community({1: GAS}, site.steps(0))
    await site.shouwang.start()
    await site.zigbee("new-gas", gas=False)

    status, said = await site.shouwang.command("devices", "--json")
    assert status == 0
    [row] = json.loads(said)
    assert (row["name"], row["kind"]) == ("new-gas", "gas")

    grid = micro_of(1)
    folder = site.shouwang.folder
    (folder / "homes.csv").write_text(f"编号,网格,地址\nnew,{grid},桂花巷77号\n", "gb18030")
    (folder / "devices.csv").write_text("id,home,kind,source,name\nnew-gas,new,燃气,zigbee,new-gas\n", "utf-8")
    status, said = await site.shouwang.command("import", "homes.csv", "devices.csv")
    assert (status, "1 added" in said) == (0, True), said
    # It knows of it within ten seconds.
    await site.until("the service has noticed", lambda: "were imported" in site.shouwang.said(), within_s=30)

    walk = asyncio.create_task(site.shouwang.command("commission", "new", "--by", "李明", "--json"))
    await site.until("a window is open", lambda: windows(folder / "shouwang.db"))
    await site.zigbee("new-gas", gas=True)
    status, said = await walk
    assert status == 0, said
    assert site.texts == []

    await site.zigbee("new-gas", gas=False)
    await site.zigbee("new-gas", gas=True)
    await site.until("a real alarm is told", lambda: any("桂花巷77号" in text.body for text in site.texts))
    assert await site.shouwang.stop() == 0
    assert site.shouwang.complaints() == []
