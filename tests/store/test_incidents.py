import asyncio
import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from rules.decisions import DueKind, Purpose, SetDue
from rules.incident import Incident, IncidentState, OutcomeKind
from rules.rulebook import Severity
from store import codes, due, incidents, outbox
from store.database import Database, RefusedError, StaleIncident

RESOLVED = {"state": IncidentState.RESOLVED, "outcome": OutcomeKind.REAL}


def _resolved(make: Any, id: str, **other: Any) -> Incident:  # noqa: A002 - the field's name
    incident: Incident = make.incident(id, **RESOLVED | {"resolved_at": make.now} | other)
    return incident


async def test_an_incident_comes_back_whole(database: Database, make: Any) -> None:
    """Invariant snapshot: people, plan and policy as they were, down to the hours of a shift."""
    incident = make.incident(
        kinds=("gas", "smoke"),
        severity=Severity.HIGH,
        verified=False,
        drill=True,
        declined=("w07-a", "w07-b"),
        state=IncidentState.ON_SCENE,
        answered_by="w07-a",
        answered_by_name="李明",
        answered_at=make.at(minutes=1),
        arrived_at=make.at(minutes=5),
        note="门开着",
        step=2,
        round=1,
        realerts=3,
        count=7,
    )
    async with database.write() as tx:
        await incidents.insert(tx, incident)
        assert await incidents.load(tx, incident.id) == incident
        assert await incidents.load(tx, incident.id, lock=True) == incident
        assert await incidents.load(tx, "nothing") is None


async def test_saving_changes_what_moves_and_the_policy_a_worse_finding_brings(database: Database, make: Any) -> None:
    """What an incident steps by is what the next step finds: its snapshot is written as the decision has it."""
    before = make.incident()
    after = replace(
        before,
        state=IncidentState.ACKNOWLEDGED,
        answered_by="w07-a",
        severity=Severity.HIGH,
        kinds=("gas", "smoke"),
        snapshot=make.snapshot(policy=replace(before.snapshot.policy, id="life-safety", repeat_every_s=60)),
    )
    async with database.write() as tx:
        await incidents.insert(tx, before)
        saved = await incidents.save(tx, after, before=before)
        assert saved.version == 1
        assert await incidents.load(tx, before.id) == replace(after, version=1)


async def test_an_incident_that_somebody_else_has_written_is_not_written_over(database: Database, make: Any) -> None:
    incident = make.incident()
    async with database.write() as tx:
        await incidents.insert(tx, incident)
        await incidents.save(tx, replace(incident, count=2), before=incident)

    async def save_the_old_one() -> None:
        async with database.write() as tx:
            await incidents.add_journal(tx, [make.journal()])
            await incidents.save(tx, replace(incident, count=3), before=incident)

    with pytest.raises(StaleIncident, match=r"K7 .* not at version 0 any more"):
        await save_the_old_one()
    async with database.read() as tx:
        found = await incidents.load(tx, incident.id)
        assert found is not None
        assert (found.count, found.version) == (2, 1)
        assert await incidents.journal(tx, incident.id) == []


async def test_a_home_has_one_open_incident_of_a_group(database: Database, make: Any) -> None:
    async with database.write() as tx:
        for one in (make.incident("a"), make.incident("b", group="welfare"), make.incident("c", home_id="other")):
            await incidents.insert(tx, one)
        await incidents.insert(tx, _resolved(make, "d"))
        found = await incidents.open_in_home(tx, "yl-1-2-301", "life-safety", lock=True)
        assert found is not None
        assert found.id == "a"
        assert await incidents.open_in_home(tx, "yl-1-2-301", "maintenance") is None

    async def open_a_second() -> None:
        async with database.write() as tx:
            await incidents.insert(tx, make.incident("e"))

    with pytest.raises(RefusedError):
        await open_a_second()


async def test_the_last_of_a_home_may_be_closed(database: Database, make: Any) -> None:
    async with database.write() as tx:
        for hour, one in enumerate("abc"):
            await incidents.insert(tx, _resolved(make, one, opened_at=make.at(hours=hour)))
        last = await incidents.last_in_home(tx, "yl-1-2-301", "life-safety")
        assert last is not None
        assert last.id == "c"
        assert await incidents.last_in_home(tx, "yl-1-2-301", "welfare") is None


async def test_a_person_names_an_incident_by_id_code_or_the_beginning_of_the_id(database: Database, make: Any) -> None:
    async with database.write() as tx:
        code = await incidents.new_code(tx, "abcd1111", make.now, random.Random(1))
        await incidents.insert(tx, make.incident("abcd1111", code=code))
        await incidents.insert(tx, make.incident("abcd2222", home_id="other"))

        async def found(reference: str) -> str | None:
            incident = await incidents.find(tx, reference)
            return incident.id if incident else None

        assert await found("abcd2222") == "abcd2222"
        assert await found("ABCD1") == "abcd1111"
        assert await found(code.lower()) == "abcd1111"
        assert await found("abcd") is None
        assert await found("abc") is None
        assert await found("%") is None
        assert await found("abcd%") is None
        assert await found("") is None


async def test_the_listing_is_newest_first_and_can_go_on(database: Database, make: Any) -> None:
    async with database.write() as tx:
        for hour, one in enumerate("abcd"):
            await incidents.insert(tx, make.incident(one, home_id=one, opened_at=make.at(hours=hour)))
        await incidents.insert(tx, _resolved(make, "e", opened_at=make.at(hours=9)))

        assert [one.id for one in await incidents.listing(tx, open_only=False, limit=3)] == ["e", "d", "c"]
        assert [one.id for one in await incidents.listing(tx, open_only=True, limit=2)] == ["d", "c"]
        rest = await incidents.listing(tx, open_only=True, limit=9, before=make.at(hours=2))
        assert [one.id for one in rest] == ["b", "a"]


async def test_open_incidents_are_counted_by_state(database: Database, make: Any) -> None:
    answered = {"state": IncidentState.ACKNOWLEDGED, "answered_by": "w07-a"}
    async with database.write() as tx:
        await incidents.insert(tx, make.incident("a"))
        await incidents.insert(tx, make.incident("b", home_id="b"))
        await incidents.insert(tx, make.incident("c", home_id="c", **answered))
        await incidents.insert(tx, _resolved(make, "d"))
        assert await incidents.open_counts(tx) == {"open": 2, "acknowledged": 1}


async def test_the_journal_is_in_the_order_it_was_written(database: Database, make: Any) -> None:
    lines = [make.journal("opened"), make.journal("paged", detail={}), make.journal("acknowledged", actor="w07-a")]
    async with database.write() as tx:
        await incidents.add_journal(tx, lines[:2])
        await incidents.add_journal(tx, iter(lines[2:]))
        await incidents.add_journal(tx, [make.journal(incident_id="other")])
        await incidents.add_journal(tx, [])
        assert await incidents.journal(tx, "0a1b2c3d") == lines


@pytest.mark.parametrize(
    ("state", "clock", "other"),
    [
        (IncidentState.OPEN, DueKind.STEP, {}),
        (IncidentState.ACKNOWLEDGED, DueKind.ARRIVAL, {"answered_by": "w07-a"}),
        (IncidentState.ON_SCENE, DueKind.OUTCOME, {"answered_by": "w07-a"}),
    ],
)
async def test_the_auditor_finds_an_open_incident_whose_fitting_clock_does_not_run(
    state: IncidentState, clock: DueKind, other: dict[str, Any], database: Database, make: Any
) -> None:
    """Invariant never-silent."""
    incident = make.incident(state=state, **other)
    wrong = [kind for kind in (DueKind.STEP, DueKind.ARRIVAL, DueKind.OUTCOME) if kind is not clock]
    async with database.write() as tx:
        await incidents.insert(tx, incident)
        await incidents.insert(tx, _resolved(make, "closed", home_id="other"))
        await due.put(tx, [SetDue(kind=kind, subject=incident.id, due_at=make.now) for kind in wrong])
        await due.put(tx, [SetDue(kind=clock, subject="another", due_at=make.now)])
        assert [one.id for one in await incidents.without_next(tx)] == [incident.id]

        await due.put(tx, [SetDue(kind=clock, subject=incident.id, due_at=make.now)])
        assert await incidents.without_next(tx) == []


async def test_the_auditor_finds_a_question_for_the_outcome_that_lies_too_far_ahead(
    database: Database, make: Any
) -> None:
    """Invariant never-silent: it is asked for again within the time of the policy, wherever the clock was then."""
    incident = make.incident(state=IncidentState.ON_SCENE, answered_by="w07-a", arrived_at=make.now)
    within = timedelta(seconds=incident.snapshot.policy.outcome_within_s)
    later = timedelta(days=2)
    async with database.write() as tx:
        await incidents.insert(tx, incident)
        for ahead, found in ((timedelta(), []), (timedelta(seconds=1), [incident.id])):
            at = make.now + later + within + ahead
            await due.put(tx, [SetDue(kind=DueKind.OUTCOME, subject=incident.id, due_at=at)])
            assert [one.id for one in await incidents.from_ahead(tx, make.now + later)] == found


async def test_a_reply_without_a_code_means_what_the_person_was_paged_for_last(database: Database, make: Any) -> None:
    async with database.write() as tx:
        for one in "abcdef":
            await incidents.insert(tx, make.incident(one, home_id=one))
        await incidents.insert(tx, _resolved(make, "closed"))
        for incident_id in ("b", "a", "closed"):
            await outbox.add(tx, [make.delivery(incident_id=incident_id)], make.now)
            await outbox.claim(tx, owner="one", now=make.now, limit=9, lease_s=30)
        await outbox.add(
            tx,
            [
                make.delivery(incident_id="c", recipient_id="w07-b"),
                make.delivery(incident_id="d", purpose=Purpose.INFORM),
                make.delivery(incident_id="e"),
            ],
            make.now,
        )

        assert [one.id for one in await incidents.paged_to(tx, "w07-a")] == ["a", "b"]


# --- codes ------------------------------------------------------------------------------------------------------------


async def test_a_code_is_a_letter_and_a_digit_that_cannot_be_misread(database: Database, make: Any) -> None:
    async with database.write() as tx:
        given = [await incidents.new_code(tx, f"i{number}", make.now, random.Random(number)) for number in range(50)]

    assert len(set(given)) == 50
    assert all(len(code) == 2 for code in given)
    assert not set("".join(given)) & set("0O1IL")


async def test_a_code_reaches_its_incident_and_no_other_for_thirty_days(database: Database, make: Any) -> None:
    """Invariant code-is-unique."""
    async with database.write() as tx:
        first = await incidents.new_code(tx, "a", make.now, random.Random(7))
        await incidents.insert(tx, make.incident("a", code=first))
        await incidents.release_code(tx, "a", make.now + timedelta(days=30))

        for number in range(183):
            await incidents.new_code(tx, f"i{number}", make.at(days=29), random.Random(number))
        found = await incidents.with_code(tx, first.lower())
        assert found is not None
        assert found.id == "a"

        longer = await incidents.new_code(tx, "late", make.at(days=29), random.Random(7))
        assert len(longer) == 3
        again = await incidents.new_code(tx, "much later", make.at(days=31), random.Random(7))
        assert again == first
        assert await incidents.with_code(tx, first) is None


async def test_codes_grow_longer_only_when_all_shorter_ones_are_taken(database: Database, make: Any) -> None:
    every = len(codes.LETTERS) * len(codes.DIGITS)
    async with database.write() as tx:
        given = [await incidents.new_code(tx, f"i{number}", make.now, random.Random(3)) for number in range(every + 5)]

    assert sorted(map(len, given)) == [2] * every + [3] * 5
    assert len(set(given)) == every + 5


async def test_two_processes_never_give_the_same_code(postgres_database_url: str, make: Any) -> None:
    """Each asks chance the same way at the same moment, and the database decides."""
    one, other = await Database.open(postgres_database_url), await Database.open(postgres_database_url)

    async def take(database: Database, name: str) -> list[str]:
        given = []
        for number in range(20):
            async with database.write() as tx:
                given.append(await incidents.new_code(tx, f"{name}{number}", make.now, random.Random(number)))
        return given

    here, there = await asyncio.gather(take(one, "here"), take(other, "there"))
    assert len({*here, *there}) == 40
    await one.close()
    await other.close()
