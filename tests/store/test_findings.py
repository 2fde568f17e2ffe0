from typing import Any

from rules.decisions import StandingFinding
from store import findings
from store.database import Database


def _finding(make: Any, rule_id: str = "gas-leak", subject: str = "d1", **other: Any) -> StandingFinding:
    values: dict[str, Any] = {
        "rule_id": rule_id,
        "subject": subject,
        "home_id": "h1",
        "device_id": subject,
        "kind": "gas",
        "raised_at": make.now,
        "reason": "厨房燃气 alarm",
        "verified": True,
        "incident_id": None,
    }
    return StandingFinding(**values | other)


async def test_findings_stand_until_removed(database: Database, make: Any) -> None:
    gas, home = _finding(make), _finding(make, "no-door", "h1", device_id=None, verified=False)
    async with database.write() as tx:
        for one in (gas, home, _finding(make, subject="d2")):
            await findings.put(tx, one)

        assert await findings.standing(tx, {"d1", "h1", "nothing"}) == {
            ("gas-leak", "d1"): gas,
            ("no-door", "h1"): home,
        }
        await findings.remove(tx, "gas-leak", "d1")
        assert await findings.standing(tx, ["d1", "h1"]) == {("no-door", "h1"): home}


async def test_a_finding_that_is_put_again_is_as_it_is_now(database: Database, make: Any) -> None:
    later = _finding(make, raised_at=make.at(hours=1), verified=False, incident_id="i1")
    async with database.write() as tx:
        await findings.put(tx, _finding(make))
        await findings.put(tx, later)
        assert await findings.standing(tx, ["d1"]) == {("gas-leak", "d1"): later}


async def test_findings_stand_on_without_their_incident(database: Database, make: Any) -> None:
    """A sensor that still alarms after the outcome was given must not look new."""
    second = _finding(make, "smoke", raised_at=make.at(minutes=1), incident_id="i1")
    first = _finding(make, incident_id="i1")
    async with database.write() as tx:
        for one in (second, first, _finding(make, subject="d2", incident_id="i2")):
            await findings.put(tx, one)
        assert await findings.of_incident(tx, "i1") == [first, second]

        await findings.detach(tx, "i1")
        assert await findings.of_incident(tx, "i1") == []
        assert {one.incident_id for one in (await findings.standing(tx, ["d1"])).values()} == {None}
        assert len(await findings.of_incident(tx, "i2")) == 1
