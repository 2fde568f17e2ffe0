"""What the two READMEs say is so."""

import re
from pathlib import Path

import pytest

from notify.replies import ReplyKind, parse
from rules.incident import OutcomeKind, Verb
from shouwang import settings
from shouwang.cli import app

ROOT = Path(__file__).parent.parent
READMES = ("README.md", "README.zh.md")
MEANINGS = (
    (Verb.ACKNOWLEDGE, None),
    (Verb.CANNOT_GO, None),
    (Verb.ARRIVE, None),
    (Verb.OUTCOME, OutcomeKind.REAL),
    (Verb.OUTCOME, OutcomeKind.FALSE_ALARM),
    (Verb.OUTCOME, OutcomeKind.NO_ONE_HOME),
    (Verb.OUTCOME, OutcomeKind.NOTHING_FOUND),
    (Verb.OUTCOME, OutcomeKind.TEST),
)


@pytest.fixture(params=READMES)
def readme(request: pytest.FixtureRequest) -> str:
    return (ROOT / request.param).read_text(encoding="utf-8")


def test_every_reply_means_what_it_says(readme: str) -> None:
    """Row by row, in words and in digits."""
    rows = [row for row in readme.splitlines() if row.startswith("|") and "K7`" in row]
    meant = [
        {(reply.verb, reply.outcome, reply.code) for text in re.findall(r"`([^`]+)`", row) if (reply := parse(text))}
        for row in rows
    ]

    assert meant == [{(verb, outcome, "K7")} for verb, outcome in MEANINGS]


def test_stop_and_start_are_understood(readme: str) -> None:
    for word, kind in {"退订": "STOP", "STOP": "STOP", "恢复短信": "START", "START": "START"}.items():
        assert f"`{word}`" in readme
        assert parse(word).kind is ReplyKind[kind]


def test_every_file_it_points_to_is_there(readme: str) -> None:
    """And every section of it."""
    for target in re.findall(r"\]\(([^)]+)\)", readme):
        path, _, section = target.partition("#")
        if not path.startswith("http"):
            assert (ROOT / path).exists(), target
        if section:
            assert section in sections((ROOT / path).read_text(encoding="utf-8")), target


def sections(text: str) -> set[str]:
    """The anchors of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_setting_and_command_is_one(readme: str) -> None:
    assert set(re.findall(r"SHOUWANG_\w+", readme)) <= settings.variables().keys()
    commands = {command.name for command in app.registered_commands}
    assert set(re.findall(r"shouwang (run|[a-z]+)(?= |`|$)", readme, re.MULTILINE)) - {"shouwang"} <= commands
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)", readme)) <= targets


def test_both_say_the_same() -> None:
    """The same commands and the same settings, line by line, whatever the language of the comments."""
    english, chinese = (
        re.findall(r"```.*?```", (ROOT / one).read_text(encoding="utf-8"), re.DOTALL) for one in READMES
    )

    def commands(blocks: list[str]) -> list[str]:
        return [re.sub(r"\s+#.*", "", line) for block in blocks for line in block.splitlines()]

    assert commands(english) == commands(chinese)
