"""The database: whether it keeps what it confirms, and has room for the service."""

from collections.abc import Iterator
from pathlib import Path

from shouwang.doctor import disk
from shouwang.doctor.checking import aside
from shouwang.doctor.diagnosis import Diagnosis, finding, fine, note
from shouwang.doctor.patient import Patient
from store import examination
from store.examination import DiskTrial, ServerFacts, SqliteFacts

SUBJECT = "database"

_SLOW_COMMIT_S = 0.05
_VERY_SLOW_COMMIT_S = 0.5
_SLOW_ANSWER_S = 0.1
_BIG_LOG_B = 256 << 20


async def look(patient: Patient) -> list[Diagnosis]:
    """Examine the database. Raises DatabaseError where it cannot be reached."""
    url = patient.settings.database.url
    path = examination.sqlite_path(url)
    if path is not None:
        return [*await _sqlite(path), *await disk.look(path, "the database")]
    if url.startswith("sqlite"):
        return [note(SUBJECT, "the database is no plain file, and was not examined", where="SHOUWANG_DATABASE__URL")]
    async with examination.postgresql(url) as server:
        return [*of_server(await server.look())]


async def _sqlite(path: Path) -> list[Diagnosis]:
    path = await aside(path.absolute)
    folder = path.parent
    if not await aside(folder.is_dir):
        advice = "Make it, and give it to the user that runs the service."
        return [finding(SUBJECT, "the folder of the database does not exist", where=str(folder), advice=advice)]
    told = [*of_trial(await aside(examination.try_disk, folder), folder)]
    if await aside(path.exists):
        return [*told, *of_file(await aside(examination.look_at_sqlite, path), await aside(_mode, path))]
    return [*told, note(SUBJECT, "there is no database yet; the service makes it at its first start", where=str(path))]


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def of_trial(trial: DiskTrial, folder: Path) -> Iterator[Diagnosis]:
    """Say what a database of the doctor's own in the folder has shown."""
    where = str(folder)
    if trial.journal_mode != "wal":
        yield finding(
            SUBJECT,
            f"SQLite cannot keep a write-ahead log here (it says '{trial.journal_mode}'), as on a network share",
            where=where,
            advice="Put the database on a local disk; the service refuses to start on it.",
        )
    took = f"a commit takes {trial.commit_s * 1000:.1f} ms"
    if trial.commit_s > _VERY_SLOW_COMMIT_S:
        advice = "Every alarm waits for several of them: use another disk."
        yield finding(SUBJECT, f"{took} until it is on disk", where=where, advice=advice)
    elif trial.commit_s > _SLOW_COMMIT_S:
        yield note(SUBJECT, f"{took} until it is on disk", where=where, advice="An SSD takes less than ten.")
    else:
        yield fine(SUBJECT, f"{took} until it is on disk", where=where)


def of_file(facts: SqliteFacts, mode: int) -> Iterator[Diagnosis]:
    """Say what is the matter with the file; `mode` are its permission bits."""
    where = str(facts.path)
    if facts.damage:
        yield finding(
            SUBJECT,
            f"the file is damaged: {facts.damage}",
            where=where,
            advice="Stop the service and restore the last backup (docs/operations.md, section 3).",
        )
    elif facts.damage is None:
        yield note(SUBJECT, "the file is too big to be checked as a whole beside the service", where=where)
    else:
        yield fine(SUBJECT, f"the file is sound ({facts.size_b / (1 << 20):,.1f} MiB)", where=where)
    if facts.schema:
        yield finding(SUBJECT, facts.schema, where=where, advice="The service refuses to start until then.")
    if facts.journal_mode != "wal":
        yield note(
            SUBJECT,
            f"the journal mode is '{facts.journal_mode}'; the service sets it to 'wal' when it starts",
            where=where,
        )
    if facts.log_b > _BIG_LOG_B:
        yield note(
            SUBJECT,
            f"the write-ahead log has grown to {facts.log_b >> 20:,} MiB: something reads the database without an end",
            where=where,
            advice="Find out who has the file open (`fuser -v`).",
        )
    if mode & 0o077:
        yield note(
            SUBJECT,
            "others on this machine can read the file, with names, addresses and health notes in it",
            where=where,
            advice="chmod 600.",
        )


def of_server(facts: ServerFacts) -> Iterator[Diagnosis]:
    """Say what is the matter with a PostgreSQL server."""
    yield fine(SUBJECT, f"PostgreSQL {facts.version} answers within {facts.round_trip_s * 1000:.1f} ms")
    forgets = "an alarm that was acknowledged to the broker may be forgotten when the server crashes"
    if facts.synchronous_commit == "off":
        yield finding(
            SUBJECT,
            f"synchronous_commit is off: {forgets}",
            where="synchronous_commit",
            advice="Set it to on for this role or database; the service refuses to start on it.",
        )
    if not facts.fsync:
        yield finding(SUBJECT, f"fsync is off: {forgets}", where="fsync", advice="Set it to on in postgresql.conf.")
    if not facts.full_page_writes:
        yield finding(
            SUBJECT,
            "full_page_writes is off: a power failure can damage the database",
            where="full_page_writes",
            advice="Set it to on, unless the file system writes whole pages or nothing.",
        )
    if facts.read_only:
        yield finding(
            SUBJECT,
            "the database can only be read: it is a standby, or default_transaction_read_only is on",
            where="SHOUWANG_DATABASE__URL",
            advice="Name the primary server.",
        )
    if facts.encoding != "UTF8":
        yield finding(
            SUBJECT,
            f"the encoding of the database is {facts.encoding}, which does not hold every text",
            where="server_encoding",
            advice="Make a database with ENCODING 'UTF8' TEMPLATE template0.",
        )
    yield from _connections(facts)
    if facts.schema:
        yield finding(SUBJECT, facts.schema, advice="The service refuses to start until then.")
    if facts.round_trip_s > _SLOW_ANSWER_S:
        advice = "Every alarm is a dozen questions: bring the two nearer to one another."
        yield note(SUBJECT, "the server answers slowly", advice=advice)


def _connections(facts: ServerFacts) -> Iterator[Diagnosis]:
    needed = examination.SERVICE_CONNECTIONS
    free = facts.connections_allowed - facts.connections_used + facts.connections_ours
    what = f"{facts.connections_used} of {facts.connections_allowed} connections are taken"
    if free < needed:
        yield finding(
            SUBJECT,
            f"{what}, and the service may need {needed}: it would wait for the database in a storm",
            where="max_connections",
            advice="Raise max_connections (or the role's limit), or let others use fewer.",
        )
    else:
        yield fine(SUBJECT, what)
