"""What the doctor says of a database."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shouwang.doctor import database
from shouwang.doctor.diagnosis import Grade
from shouwang.doctor.patient import Patient
from shouwang.settings import DatabaseSettings, Settings
from store.database import Database
from store.examination import DiskTrial, ServerFacts, SqliteFacts

FINDING, NOTE, FINE = Grade.FINDING, Grade.NOTE, Grade.FINE
FILE = {
    "path": Path("/var/lib/shouwang.db"),
    "journal_mode": "wal",
    "size_b": 1 << 20,
    "log_b": 0,
    "damage": "",
    "schema": "",
}
SERVER = {
    "version": "18.1",
    "synchronous_commit": "on",
    "fsync": True,
    "full_page_writes": True,
    "encoding": "UTF8",
    "read_only": False,
    "connections_allowed": 97,
    "connections_used": 20,
    "connections_ours": 5,
    "round_trip_s": 0.001,
    "schema": "",
}


def patient(url: str) -> Patient:
    settings = Settings.model_construct(database=DatabaseSettings(url=url))
    return Patient(settings=settings, registry=None, now=lambda: datetime.now(UTC))


@pytest.mark.parametrize(
    ("mode", "commit_s", "grades"),
    [
        ("wal", 0.002, [FINE]),
        ("wal", 0.051, [NOTE]),
        ("wal", 0.6, [FINDING]),
        ("delete", 0.002, [FINDING, FINE]),
    ],
)
def test_a_trial_of_the_disk(mode: str, commit_s: float, grades: list[Grade]) -> None:
    told = database.of_trial(DiskTrial(journal_mode=mode, commit_s=commit_s), Path("/var/lib"))

    assert [one.grade for one in told] == grades


@pytest.mark.parametrize(
    ("facts", "mode", "grades", "words"),
    [
        ({}, 0o600, [FINE], "1.0 MiB"),
        ({"damage": "row 3 missing from index"}, 0o600, [FINDING], "row 3 missing"),
        ({"damage": None}, 0o600, [NOTE], "too big"),
        ({"schema": "a newer Shouwang made it"}, 0o600, [FINE, FINDING], "a newer Shouwang"),
        ({"journal_mode": "delete"}, 0o600, [FINE, NOTE], "'delete'"),
        ({"log_b": 300 << 20}, 0o600, [FINE, NOTE], "300 MiB"),
        ({}, 0o640, [FINE, NOTE], "others on this machine"),
    ],
)
def test_a_file(facts: dict[str, Any], mode: int, grades: list[Grade], words: str) -> None:
    told = list(database.of_file(SqliteFacts(**{**FILE, **facts}), mode))

    assert [one.grade for one in told] == grades
    assert words in told[-1].what


@pytest.mark.parametrize(
    ("facts", "what"),
    [
        ({"synchronous_commit": "off"}, "synchronous_commit is off"),
        ({"fsync": False}, "fsync is off"),
        ({"full_page_writes": False}, "full_page_writes is off"),
        ({"read_only": True}, "can only be read"),
        ({"encoding": "SQL_ASCII"}, "SQL_ASCII"),
        ({"schema": "a newer Shouwang made it"}, "a newer Shouwang"),
        ({"connections_used": 88}, "88 of 97 connections"),
    ],
)
def test_each_thing_that_a_server_may_lack(facts: dict[str, Any], what: str) -> None:
    findings = [one for one in database.of_server(ServerFacts(**{**SERVER, **facts})) if one.grade is FINDING]

    assert [what in one.what for one in findings] == [True]
    assert findings[0].advice


def test_a_good_server() -> None:
    """The connections that the service has already are its own to use."""
    assert {one.grade for one in database.of_server(ServerFacts(**SERVER))} == {FINE}
    full = ServerFacts(**{**SERVER, "connections_used": 87})
    assert {one.grade for one in database.of_server(full)} == {FINE}


async def test_a_file_of_the_services(sqlite_database: Database, sqlite_url: str) -> None:
    told = await database.look(patient(sqlite_url))

    assert [one.what for one in told if one.grade is FINDING] == []
    assert any("the file is sound" in one.what for one in told)
    assert any(one.subject == "disk" for one in told)


async def test_no_file_yet_and_no_folder_at_all(tmp_path: Path) -> None:
    not_yet = await database.look(patient(f"sqlite:///{tmp_path}/shouwang.db"))
    nowhere = await database.look(patient(f"sqlite:///{tmp_path}/none/shouwang.db"))

    assert any((one.grade, "no database yet" in one.what) == (NOTE, True) for one in not_yet)
    assert nowhere[0].grade is FINDING
    assert not (tmp_path / "shouwang.db").exists()


async def test_a_server_of_the_tests_forgets(postgres_database_url: str) -> None:
    """It runs without fsync, and the doctor sees it."""
    told = await database.look(patient(postgres_database_url))

    assert [one.where for one in told if one.grade is FINDING] == ["fsync"]
