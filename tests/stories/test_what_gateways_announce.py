"""What a topic says is known only by what its gateway has announced of it, some time before or a moment later."""

import json
from typing import Any

import pytest

from ingest.message import Message
from store import quarantine

STATE = "esp/yl-1-2-301/binary_sensor/d1/state"
#: Two gateways announce what they have under the same topic.
SOURCES = """sources:
  - {id: esp, dialect: esphome, base: esp, discovery: homeassistant}
  - {id: esp2, dialect: esphome, base: esp2, discovery: homeassistant}
  - {id: ha, dialect: homeassistant, base: stream, discovery: homeassistant}
"""
DEVICES = """      - {id: esp-gas, kind: gas, source: esp, name: yl-1-2-301, room: 厨房}
      - {id: ha-gas, kind: gas, source: ha, name: flat_301, room: 客厅}
"""


async def hears(site: Any, topic: str, payload: str, *, retain: bool = False) -> None:
    """Messages as these gateways write them: plain words."""
    await site.service.intake.take_in([Message(topic, payload.encode(), retain, site.moment)])
    await site.settle()


async def announces(site: Any, **about: str) -> None:
    config = {"stat_t": STATE, "avty_t": "esp/yl-1-2-301/status", **about}
    await hears(site, "homeassistant/binary_sensor/yl-1-2-301/d1/config", json.dumps(config), retain=True)


async def _with_gateways(site: Any) -> Any:
    file = site.file("devices.yaml")
    text = file.read_text().replace("sources:\n", SOURCES, 1)
    first = "      - {id: yl-1-2-301-gas,"
    assert first in text
    file.write_text(text.replace(first, DEVICES + first, 1))
    assert await site.reload()
    return site


@pytest.fixture
async def announced_site(site: Any) -> Any:
    return await _with_gateways(site)


async def test_what_was_announced_is_known_after_a_restart(any_site: Any) -> None:
    """The announcement is in the database; the alarm that comes later pages at once."""
    site = await _with_gateways(any_site)
    await announces(site, dev_cla="gas", pl_on="1", pl_off="0")
    await hears(site, STATE, "0")
    await site.stop()
    await site.advance(minutes=10)
    await site.start()
    await hears(site, STATE, "1")
    await site.advance(seconds=5)

    assert site.who_heard() == [(600, "sms li")]
    assert (await site.incident()).verified


async def test_without_an_announcement_staff_are_told_and_nobody_is_paged(announced_site: Any) -> None:
    """Invariant nothing-dropped: it is in quarantine, as what needs a map."""
    site = announced_site
    await hears(site, STATE, "ON")
    await site.advance(minutes=5)

    assert site.who_heard() == []
    async with site.database.read() as tx:
        assert [one.reason for one in await quarantine.listing(tx, 10)] == ["needs_mapping"]


async def test_an_alarm_whose_meaning_comes_a_moment_later_pages(announced_site: Any) -> None:
    """Home Assistant publishes what an entity is behind its state, as a message of its own."""
    site = announced_site
    await hears(site, "stream/binary_sensor/flat_301_x/state", "on")
    assert site.who_heard() == []
    await hears(site, "stream/binary_sensor/flat_301_x/device_class", '"gas"')
    await site.advance(seconds=5)

    assert site.who_heard() == [(0, "sms li")]


async def test_what_the_broker_has_kept_pages_nobody_but_the_desk(announced_site: Any) -> None:
    """Invariant stale-does-not-page."""
    site = announced_site
    await announces(site, dev_cla="gas")
    await hears(site, STATE, "ON", retain=True)
    await site.advance(seconds=30)

    assert [who for _, who in site.who_heard()] == ["sms desk"]
