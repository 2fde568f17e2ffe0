"""Findings that stand."""

from collections.abc import Collection, Iterable

import sqlalchemy as sa

from rules.decisions import StandingFinding
from store import dialect
from store.database import Transaction
from store.prepared import once
from store.tables import findings

_COLUMNS = (
    "subject",
    "rule_id",
    "home_id",
    "device_id",
    "kind",
    "raised_at",
    "reason",
    "verified",
    "incident_id",
)
_CHOSEN = sa.select(*(findings.c[name] for name in _COLUMNS))
_OF_INCIDENT = once(
    _CHOSEN.where(findings.c.incident_id == sa.bindparam("incident_id")).order_by(
        findings.c.raised_at, findings.c.subject, findings.c.rule_id
    )
)
_REMOVE = once(
    sa.delete(findings).where(findings.c.subject == sa.bindparam("subject"), findings.c.rule_id == sa.bindparam("rule"))
)


@dialect.statement
def _standing(on_sqlite: bool) -> sa.Select[tuple[object, ...]]:
    return _CHOSEN.where(dialect.among(findings.c.subject, "subjects", on_sqlite=on_sqlite))


async def standing(tx: Transaction, subjects: Iterable[str]) -> dict[tuple[str, str], StandingFinding]:
    """Give the findings that stand about some devices or homes, by rule and subject."""
    rows = await tx.execute(_standing(tx), {"subjects": dialect.keys(tx, subjects)})
    return {(row["rule_id"], row["subject"]): StandingFinding(**row) for row in rows.mappings()}


async def homes_with(tx: Transaction, kind: str, *, among: Collection[str]) -> list[str]:
    """Give those of some homes of which a finding of a kind stands, by id."""
    rows = await tx.scalars(sa.select(findings.c.home_id).where(findings.c.kind == kind).distinct())
    return sorted(set(rows) & set(among))


async def subjects_of(tx: Transaction, kind: str) -> set[str]:
    """Give what the findings of a kind that stand are about."""
    return set(await tx.scalars(sa.select(findings.c.subject).where(findings.c.kind == kind)))


async def put(tx: Transaction, finding: StandingFinding) -> None:
    """Let a finding stand, as it is now."""
    row = tuple(getattr(finding, name) for name in _COLUMNS)
    await dialect.upsert(tx, findings, _COLUMNS, [row], change=_COLUMNS[2:])


async def remove(tx: Transaction, rule_id: str, subject: str) -> None:
    """Let a finding stand no more."""
    await tx.execute(_REMOVE, {"subject": subject, "rule": rule_id})


async def of_incident(tx: Transaction, incident_id: str) -> list[StandingFinding]:
    """Give the findings that stand behind an incident, oldest first."""
    rows = await tx.execute(_OF_INCIDENT, {"incident_id": incident_id})
    return [StandingFinding(**row) for row in rows.mappings()]


async def detach(tx: Transaction, incident_id: str) -> None:
    """Let the findings of an incident stand on without it."""
    await tx.execute(sa.update(findings).where(findings.c.incident_id == incident_id).values(incident_id=None))
