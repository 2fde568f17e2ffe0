"""The command line as a whole: quick help, and sentences for what people can mend."""

import subprocess
import sys

import pytest

from shouwang import cli
from shouwang.cli.trouble import sentences
from shouwang.config import ConfigError, Problem
from store.errors import DatabaseError

HELP = """
import sys
from shouwang.cli import main
sys.argv = ["shouwang", "--help"]
try:
    main()
finally:
    print(sorted({"fastapi", "sqlalchemy", "pydantic", "twilio", "yaml", "simulators"} & sys.modules.keys()))
"""


def test_help_lists_the_commands_and_loads_none_of_them() -> None:
    """Whoever asks for help does not wait for a database and a web server."""
    done = subprocess.run([sys.executable, "-c", HELP], capture_output=True, text=True, check=True, timeout=60)

    *shown, loaded = done.stdout.splitlines()
    assert loaded == "[]"
    expected = "demo run probe troubles check decode explain simulate incidents ack arrive resolve"
    for command in expected.split():
        assert any(f" {command} " in line for line in shown)


def test_each_problem_is_a_sentence() -> None:
    wrong = ConfigError([Problem(file="rules.yaml", line=3, column=5, path="rules[0]", message="no such plan")])
    both = ExceptionGroup("several", [ExceptionGroup("more", [wrong]), DatabaseError("the disk is full")])

    assert sentences(both) == [
        "rules.yaml:3:5: rules[0]: no such plan\n1 problem; nothing was started or changed.",
        "the disk is full",
    ]


def test_a_mistake_of_ours_is_no_sentence() -> None:
    """It keeps its traceback, also where something that people can mend happened beside it."""
    assert sentences(KeyError("x")) == []
    assert sentences(ExceptionGroup("both", [DatabaseError("the disk is full"), KeyError("x")])) == []


def test_what_can_be_mended_ends_with_status_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise DatabaseError("the disk is full")

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(SystemExit) as end:
        cli.main()

    assert end.value.code == 2
    assert capsys.readouterr().err == "the disk is full\n"


def test_what_cannot_be_mended_is_shown_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise KeyError("x")

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(KeyError):
        cli.main()
