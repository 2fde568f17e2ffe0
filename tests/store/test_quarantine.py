from typing import Any

from store import quarantine
from store.database import Database
from store.quarantine import Quarantined


def _message(make: Any, hour: int = 0, **other: Any) -> Quarantined:
    values: dict[str, Any] = {
        "received_at": make.at(hours=hour),
        "topic": "zigbee2mqtt/unbekannt",
        "payload": b'{"gas": tru\xff',
        "retain": False,
        "reason": "malformed_json",
        "sentence": "The payload is not JSON.",
    }
    return Quarantined(**values | other)


async def test_messages_are_kept_whole_counted_and_pruned(database: Database, make: Any) -> None:
    kept = [_message(make, hour) for hour in range(3)] + [_message(make, 3, reason="unknown_device", retain=True)]
    async with database.write() as tx:
        await quarantine.add(tx, kept)
        assert await quarantine.listing(tx, 2) == [kept[3], kept[2]]
        assert await quarantine.counts(tx) == {"malformed_json": 3, "unknown_device": 1}
        assert await quarantine.prune(tx, make.at(hours=2), limit=1) == 1
        assert await quarantine.prune(tx, make.at(hours=2)) == 1
        assert await quarantine.counts(tx) == {"malformed_json": 1, "unknown_device": 1}


async def test_here_every_text_can_be_kept(database: Database, make: Any) -> None:
    """Invariant nothing-dropped: what PostgreSQL or UTF-8 has no place for must not stop the stream here."""
    async with database.write() as tx:
        await quarantine.add(tx, [_message(make, topic="a\0b", sentence="half a pair \ud83d")])
        (kept,) = await quarantine.listing(tx, 1)
        assert (kept.topic, kept.sentence) == ("a�b", "half a pair ?")
