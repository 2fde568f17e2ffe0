import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest

from shouwang import logs


@pytest.fixture(autouse=True)
def root() -> Iterator[None]:
    """Leave the process's logging as it was."""
    before = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:], logging.root.level = before


def lines(monkeypatch: pytest.MonkeyPatch, *, style: str, terminal: bool = False) -> list[str]:
    """Log some things as the service does; give what it wrote."""
    stream = io.StringIO()
    stream.isatty = lambda: terminal  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    logs.configure(level="info", style=style)
    log = logging.getLogger("shouwang.test")
    log.info("sms to %s at %s", "李明", "+8613800000001", extra={"incident": "4be1", "delivery": 17})
    try:
        int("+8613800000001 via wecombot://secret-key")
    except ValueError:
        log.exception("it failed")
    log.debug("too much")
    return stream.getvalue().splitlines()


def test_json_lines_name_incident_and_delivery_and_no_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (json.loads(line) for line in lines(monkeypatch, style="json"))

    assert first["message"] == "sms to 李明 at 138****0001"
    assert (first["level"], first["logger"], first["incident"], first["delivery"]) == (
        "info",
        "shouwang.test",
        "4be1",
        17,
    )
    assert "138****0001 via wecombot://****" in second["exception"]
    assert "incident" not in second


def test_a_terminal_shows_the_same_to_people(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "\n".join(lines(monkeypatch, style="auto", terminal=True))

    assert "sms to 李明 at 138****0001  [incident=4be1 delivery=17]" in text
    assert "138****0001 via wecombot://****" in text
    assert "13800000001" not in text
    assert "secret-key" not in text


@pytest.mark.parametrize(
    ("style", "terminal", "is_json"),
    [("auto", False, True), ("auto", True, False), ("json", True, True), ("text", False, False)],
)
def test_the_form_follows_the_terminal_unless_it_is_set(
    monkeypatch: pytest.MonkeyPatch, style: str, terminal: bool, is_json: bool
) -> None:
    assert lines(monkeypatch, style=style, terminal=terminal)[0].startswith("{") == is_json
