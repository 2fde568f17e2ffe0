"""What docs/sensors.md shows works: its files load, its maps are maps, and `shouwang decode` prints what it says."""

import re
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from shouwang import config
from shouwang.cli import app
from shouwang.decoding import maps

DOCUMENT = (Path(__file__).parent.parent / "docs" / "sensors.md").read_text("utf-8")
BLOCKS = [textwrap.dedent(block) for block in re.findall(r"(?ms)^ *```yaml\n(.*?)^ *```", DOCUMENT)]
#: What was said for the lines that the document shows.
SAID = 'zigbee2mqtt/kitchen {"gas":false}\nzigbee2mqtt/kitchen/set {"state":"ON"}\nzigbee2mqtt/kitchen {"gas":\n'


def of_kind(key: str) -> list[Any]:
    found = [block for block in BLOCKS if type(document := yaml.safe_load(block)) is dict and key in document]
    return [pytest.param(block, id=f"{key} {number}") for number, block in enumerate(found)]


@pytest.mark.parametrize("block", of_kind("version"))
def test_every_devices_file_in_it_loads(tmp_path: Path, block: str) -> None:
    (tmp_path / "devices.yaml").write_text(block, "utf-8")

    sources, devices = config.load_devices(tmp_path)

    assert {one.source for one in devices} <= {one.id for one in sources}
    assert sources


@pytest.mark.parametrize("block", of_kind("map"))
def test_every_map_in_it_is_one(tmp_path: Path, block: str) -> None:
    (tmp_path / "map.yaml").write_text(block, "utf-8")

    meanings, _, _ = maps.read(tmp_path / "map.yaml")

    assert meanings


def test_decode_prints_what_it_shows() -> None:
    shown = [line.strip() for line in DOCUMENT.splitlines() if line.startswith('    {"line": ')]

    printed = CliRunner().invoke(app, ["decode", "--dialect", "zigbee2mqtt"], input=SAID).stdout.splitlines()

    assert printed == shown
