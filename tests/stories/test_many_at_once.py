"""Many things at once: who must not wait does not."""

from datetime import timedelta
from typing import Any

import orjson

from ingest.message import Message

HOMES = 60


def build(site: Any) -> None:
    """Let there be many more homes, each with a gas detector; all of them the same worker's."""
    more = "".join(
        f"""
  - id: h{number}
    grid: xinsheng-g1-w07
    address: 玉林北街2号院{number}
    residents: [{{name: 住户{number}, living_alone: true}}]
    devices: [{{id: h{number}-gas, kind: gas, source: own, name: h{number}/gas, room: 厨房}}]"""
        for number in range(HOMES)
    )
    path = site.file("devices.yaml")
    path.write_text(path.read_text() + more + "\n")


def event(site: Any, number: int, **fields: object) -> Message:
    topic = f"shouwang/v1/h{number}/gas/event"
    return Message(topic=topic, payload=orjson.dumps(fields), retain=False, received_at=site.moment)


async def test_one_gas_alarm_behind_sixty_low_batteries(any_site: Any) -> None:
    """Sixty notices wait to leave when gas is smelled: its page is the first request (invariant life-first)."""
    site = any_site
    build(site)
    assert await site.reload()
    await site.service.intake.take_in([event(site, number, kind="battery", value=5) for number in range(HOMES)])
    site.moment += timedelta(seconds=1)
    await site.service.intake.take_in([event(site, 7, kind="gas", state="alarm")])
    await site.advance(seconds=30)

    requests = site.twilio.requests
    assert len(requests) == HOMES + 1
    assert "燃气泄漏" in requests[0].params["Body"]
    assert requests[0].to == "+8613800000001"


async def test_sixty_gas_alarms_in_one_second(site: Any) -> None:
    """Every home is named within a minute, each with a code of its own (invariants life-first, code-is-unique)."""
    build(site)
    assert await site.reload()
    await site.service.intake.take_in([event(site, number, kind="gas", state="alarm") for number in range(HOMES)])
    await site.advance(seconds=59)

    texts = [one.body for one in site.twilio.messages]
    assert len(texts) == HOMES
    for number in range(HOMES):
        assert len([text for text in texts if f"2号院{number} " in text]) == 1
    codes = [one.code for one in await site.open_incidents()]
    assert len(codes) == len(set(codes)) == HOMES
