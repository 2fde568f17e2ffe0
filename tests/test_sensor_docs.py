"""What docs/sensors.md shows works: its files load, its maps are maps, and messages say what stands behind them."""

import re
import textwrap
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from shouwang import config
from shouwang.cli import app
from shouwang.decoding import Sitting, maps
from tests.decoding.shown import DOCUMENT, Example, examples

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
YAML = [textwrap.dedent(block) for block in re.findall(r"(?ms)^ *```yaml\n(.*?)^ *```", DOCUMENT)]
#: What was said for the lines of `shouwang decode` that the document shows.
SAID = 'zigbee2mqtt/kitchen {"gas":false}\nzigbee2mqtt/kitchen/set {"state":"ON"}\nzigbee2mqtt/kitchen {"gas":\n'


def of_kind(key: str) -> list[Any]:
    found = [block for block in YAML if block.startswith(f"{key}:")]
    return [pytest.param(block, id=f"{key} {number}") for number, block in enumerate(found)]


def said(document: dict[str, Any]) -> set[str]:
    """What `shouwang decode` would print of a message, as the document writes it."""
    told = {f"ignored: {document['ignored']}"} if "ignored" in document else set()
    if "quarantine" in document:
        told.add(f"quarantine: {document['quarantine']['reason']}")
    for fact in document["facts"]:
        if fact.get("needs_mapping"):
            told.add(f"needs a map: {fact['field']}")
        elif fact.get("scope") == "gateway":
            # By its own name, or by that of its source.
            told |= {f"{one} gateway {fact['state']}" for one in (fact["device"], fact["source"])}
        elif "value" in fact:
            told.add(f"{fact['device']} {fact['kind']} {fact['value']:g}{fact.get('unit', '')}")
        else:
            told.add(f"{fact['device']} {fact['kind']} {fact['state']}")
    return told


def words(*facts: str) -> set[tuple[str, ...]]:
    """Facts by their words, in whatever order and with whatever colons they are written."""
    return {tuple(sorted(one.replace(":", "").replace("gateway", "availability").split())) for one in facts}


@pytest.mark.parametrize("block", of_kind("version"))
def test_every_devices_file_in_it_loads(tmp_path: Path, block: str) -> None:
    (tmp_path / "devices.yaml").write_text(block, "utf-8")

    sources, devices = config.load_devices(tmp_path)

    assert sources
    assert {one.source for one in devices} <= {one.id for one in sources}


@pytest.mark.parametrize("block", of_kind("map"))
def test_every_map_in_it_is_one(tmp_path: Path, block: str) -> None:
    (tmp_path / "map.yaml").write_text(block, "utf-8")

    meanings, _, _ = maps.read(tmp_path / "map.yaml")

    assert meanings


@pytest.mark.parametrize("example", examples(), ids=lambda one: one.name)
def test_every_message_in_it_says_what_stands_behind_it(tmp_path: Path, example: Example) -> None:
    """With the devices of the file before them, in their order."""
    (tmp_path / "devices.yaml").write_text(example.file, "utf-8")
    sitting = Sitting(*config.load_devices(tmp_path), registered_only=True)
    wrong = []
    for line, meant in example.messages:
        told = said(sitting.hear(line, NOON).as_json())
        if not words(*meant.split(", ")) <= words(*told):
            wrong.append((line.topic, line.payload, meant, told))

    assert wrong == []


def test_decode_prints_what_it_shows() -> None:
    shown = [line.strip() for line in DOCUMENT.splitlines() if line.startswith('    {"line": ')]

    printed = CliRunner().invoke(app, ["decode", "--dialect", "zigbee2mqtt"], input=SAID).stdout.splitlines()

    assert printed == shown
    assert shown
