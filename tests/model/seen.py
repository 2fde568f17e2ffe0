"""What is in the database, read beside the service by a connection of our own and without its code."""

import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

#: Columns that hold a time, in microseconds since 1970.
_TIMES = {"until", "since", "at"}


def _moment(value: int | None) -> datetime | None:
    return None if value is None else datetime.fromtimestamp(value / 1e6, UTC)


class Row(SimpleNamespace):
    """One row, its columns as attributes."""


class Snapshot:
    """All that matters of a database at one moment."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        def rows(table: str, order: str = "rowid") -> list[Row]:
            cursor = connection.execute(f'SELECT * FROM "{table}" ORDER BY {order}')
            names = [column[0] for column in cursor.description]
            times = [name.endswith(("_at", "_until", "_since", "_after")) or name in _TIMES for name in names]
            return [
                Row(
                    **{
                        name: _moment(value) if time else value
                        for name, time, value in zip(names, times, values, strict=True)
                    }
                )
                for values in cursor
            ]

        self.incidents = {row.id: row for row in rows("incidents")}
        self.outbox = {row.id: row for row in rows("outbox")}
        self.due = {(row.kind, row.subject): row.due_at for row in rows("due", "subject")}
        self.findings = {(row.rule_id, row.subject): row for row in rows("findings", "subject")}
        self.codes = {row.code: row for row in rows("reply_codes")}
        self.journal = rows("journal", "id")
        self.attempts = rows("attempts", "id")
        self.replies = {row.provider_id for row in rows("replies")}
        self.quarantine = rows("quarantine", "id")
        self.states = {
            (row.device_id, row.kind): SimpleNamespace(state=row.state, last_seen=_moment(row.last_seen))
            for row in rows("device_states", "device_id")
        }
        self.history = {(row.device_id, row.kind, row.received_at) for row in rows("state_changes", "id")}
        self.devices = {row.id: row for row in rows("devices") if row.closed_at is None}

    def open_incidents(self) -> list[Row]:
        """Those that are not over."""
        return [row for row in self.incidents.values() if row.state != "resolved"]


class Reader:
    """A connection that only looks."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)

    def look(self) -> Snapshot:
        """Read everything, as of one moment."""
        self._connection.execute("BEGIN")
        try:
            return Snapshot(self._connection)
        finally:
            self._connection.execute("COMMIT")

    def incident_state(self, incident_id: str) -> str | None:
        """Say how an incident stands now."""
        row = self._connection.execute("SELECT state FROM incidents WHERE id = ?", (incident_id,)).fetchone()
        return None if row is None else str(row[0])

    def life_waiting(self, channel: str, now: datetime) -> list[int]:
        """Give the life-safety pages that could leave by a channel now, and have not been taken up."""
        at = round(now.timestamp() * 1e6)
        rows = self._connection.execute(
            "SELECT o.id FROM outbox o JOIN incidents i ON i.id = o.incident_id WHERE o.state = 'pending' AND"
            " o.priority = 0 AND o.channel = ? AND o.next_attempt_at <= ? AND o.expires_at > ? AND"
            " (o.purpose <> 'page' OR i.state = 'open')",
            (channel, at, at),
        )
        return [row[0] for row in rows]

    def close(self) -> None:
        """Close."""
        self._connection.close()


def document(text: str) -> dict[str, Any]:
    """Read a column that holds JSON."""
    found = json.loads(text)
    assert isinstance(found, dict)
    return found
