"""`shouwang doctor` as people and programs see it."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

SAMPLE = Path(__file__).parents[3]


@pytest.fixture
def doctor(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run it in a folder with the sample community and no broker."""
    for name in ("devices.yaml", "grids.yaml", "rules.yaml"):
        shutil.copy(SAMPLE / name, tmp_path)
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SHOUWANG_")}
    environ |= {"SHOUWANG_MQTT__URL": f"mqtt://127.0.0.1:{port}", "SHOUWANG_HTTP__LISTEN": f"127.0.0.1:{port}"}

    def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(Path(sys.executable).parent / "shouwang"), "doctor", *arguments],
            cwd=tmp_path,
            env=environ | more,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return run


def test_findings_stand_last_with_what_to_do_and_end_with_status_1(
    doctor: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    """And nothing is left in the folder."""
    before = {one.name for one in tmp_path.iterdir()}
    done = doctor()

    lines = done.stdout.splitlines()
    assert done.returncode == 1
    assert done.stderr == ""
    marks = [line.split()[0] for line in lines[:-1] if not line.startswith(" ")]
    assert marks == sorted(marks, key=["fine", "note", "FINDING"].index)
    at = lines.index("FINDING broker: no connection: Connection refused")
    assert lines[at + 1].startswith("  where mqtt://127.0.0.1:")
    assert lines[at + 2].startswith("  do    ")
    assert "findings; " in lines[-1]
    assert {one.name for one in tmp_path.iterdir()} == before


def test_programs_get_json_and_files_that_are_wrong_hide_nothing_else(
    doctor: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    (tmp_path / "rules.yaml").write_text("rules: {")
    done = doctor("--json", SHOUWANG_TWILO__AUTH_TOKEN="a-secret")
    told = json.loads(done.stdout)

    assert done.returncode == 1
    assert told["findings"] == sum(one["grade"] == "finding" for one in told["checks"])
    assert {"grade", "subject", "what", "where", "advice"} == told["checks"][0].keys()
    subjects = {one["subject"] for one in told["checks"]}
    assert {"settings", "files", "broker", "database", "disk", "clock", "service", "provider", "watching"} == subjects
    assert any("did you mean SHOUWANG_TWILIO__AUTH_TOKEN" in one["what"] for one in told["checks"])
    assert "a-secret" not in done.stdout + done.stderr
