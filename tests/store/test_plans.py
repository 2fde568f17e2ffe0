"""What is asked all the time is answered from an index: a backlog, or a city, must not slow it down."""

from typing import Any

import pytest
import sqlalchemy as sa

from store import due, figures, findings, outbox_claim, providers, registry, states
from store.database import Database
from store.tables import attempts, outbox


async def _plan(database: Database, statement: sa.Select[Any]) -> str:
    async with database.read() as tx:
        compiled: Any = statement.compile(dialect=tx.dialect)
        values = tuple("[]" if name.endswith(("ids", "names", "subjects")) else 1 for name in compiled.positiontup)
        rows = await tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", values)
        return "\n".join(str(row.detail) for row in rows)


@pytest.mark.parametrize(
    ("build", "index"),
    [
        (lambda: outbox_claim._WAITING, "outbox USING INDEX ix_outbox_waiting"),
        (lambda: outbox_claim._RAN_OUT, "outbox USING INDEX ix_outbox_sending (lease_until<?)"),
        (lambda: due._IN_ORDER[0], "due USING COVERING INDEX ix_due_escalating (due_at<?)"),
        (lambda: due._IN_ORDER[1], "due USING COVERING INDEX ix_due_due_at (due_at<?)"),
    ],
)
async def test_what_is_due_is_found_in_its_order_without_sorting(
    build: Any, index: str, sqlite_database: Database
) -> None:
    """Invariant life-first costs nothing, however much is waiting."""
    plan = await _plan(sqlite_database, build())

    assert index in plan
    assert "TEMP B-TREE" not in plan


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (providers._RECENT, "attempts USING INDEX ix_attempts_provider_at (provider=? AND at>?)"),
        (providers._UNDER_WAY, "outbox USING INDEX ix_outbox_sending"),
        (figures._TAKEN.where(outbox.c.sent_at >= sa.bindparam("began")), "outbox USING INDEX ix_outbox_sent_at"),
        (
            figures._NOT_TAKEN.where(attempts.c.at >= sa.bindparam("began")),
            "attempts USING INDEX ix_attempts_not_taken (at>?)",
        ),
    ],
)
async def test_what_providers_have_done_lately_is_found_by_time(
    statement: Any, index: str, sqlite_database: Database
) -> None:
    """A year of deliveries must slow down neither a claim nor a table of figures."""
    assert index in await _plan(sqlite_database, statement)


@pytest.mark.parametrize(
    ("build", "key"),
    [
        (states._load, "device_states USING PRIMARY KEY (device_id=?)"),
        (findings._standing, "findings USING INDEX sqlite_autoindex_findings_1 (subject=?)"),
        (registry._devices_named, "devices USING INDEX uq_devices_source_name (source=? AND name=?)"),
        (registry._devices_with_id, "devices USING INDEX sqlite_autoindex_devices_1 (id=?)"),
        (registry._devices_in_homes, "devices USING INDEX ix_devices_home_id (home_id=?)"),
        (registry._workers_of_grids, "worker_grids USING INDEX ix_worker_grids_grid_id (grid_id=?)"),
        (registry._backups, "worker_backups USING INDEX ix_worker_backups_backs_up (backs_up=?)"),
    ],
)
async def test_what_a_batch_asks_for_is_found_by_key(build: Any, key: str, sqlite_database: Database) -> None:
    async with sqlite_database.read() as tx:
        statement = build(tx)

    assert key in await _plan(sqlite_database, statement)
