import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from shouwang.cli import app
from shouwang.config import ConfigError

runner = CliRunner()
GAS = 'zigbee2mqtt/kitchen {"gas":true}\n'


def decode(*arguments: str | Path, said: str = "") -> tuple[int, list[dict[str, Any]], str]:
    result = runner.invoke(app, ["decode", *map(str, arguments)], input=said)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    lines = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]
    return result.exit_code, lines, result.output


def test_a_message_is_a_line_of_json() -> None:
    status, lines, _ = decode("--dialect", "zigbee2mqtt", said=GAS)

    assert status == 0
    assert [(one["line"], one["facts"][0]["kind"], one["facts"][0]["state"]) for one in lines] == [(1, "gas", "alarm")]


def test_a_file_is_read_as_well(tmp_path: Path) -> None:
    (tmp_path / "heard.txt").write_text(GAS + "\n" + GAS, "utf-8")

    status, lines, _ = decode("-d", "zigbee2mqtt", tmp_path / "heard.txt")

    assert (status, [one["line"] for one in lines]) == (0, [1, 3])


def test_a_bad_line_is_told_with_its_number_and_stops_nothing() -> None:
    status, lines, output = decode("-d", "zigbee2mqtt", said="nonsense\n" + GAS)

    assert status == 1
    assert [one["line"] for one in lines] == [2]
    assert "line 1: " in output


def test_what_is_left_to_somebody_is_a_finding() -> None:
    assert decode("-d", "zigbee2mqtt", said="zigbee2mqtt/x {broken\n")[0] == 1
    assert decode("-d", "zigbee2mqtt", said="zigbee2mqtt/x/set {}\n")[0] == 0


def test_lines_may_name_their_dialect() -> None:
    said = [
        {"dialect": "zigbee2mqtt", "topic": "zigbee2mqtt/x", "payload": {"smoke": True}},
        {"dialect": "shouwang", "topic": "shouwang/v1/h/x/event", "payload": {"kind": "sos", "state": "pressed"}},
        {"dialect": "gibberish", "topic": "t", "payload": ""},
        {"topic": "t", "payload": ""},
    ]

    status, lines, output = decode(said="\n".join(json.dumps(one) for one in said))

    assert status == 1
    assert [one["facts"][0]["kind"] for one in lines] == ["smoke", "sos"]
    assert "line 3: the line says that its dialect is 'gibberish'" in output
    assert "line 4: the line does not say its dialect" in output


def test_topics_may_begin_otherwise() -> None:
    status, lines, _ = decode("-d", "zigbee2mqtt", "-b", "z/1", "-b", "z/2", said='z/1/x {"gas":true}\nz/2/x {"gas":0}')

    assert status == 0
    assert [one["facts"][0]["state"] for one in lines] == ["alarm", "clear"]


def test_a_base_that_was_given_is_meant_so() -> None:
    said = 'south/x {"gas":true}'

    assert decode("-d", "zigbee2mqtt", said=said)[1][0]["base"] == "south"
    assert decode("-d", "zigbee2mqtt", "-b", "north", said=said)[1][0]["quarantine"]["reason"] == "unknown_topic"


def test_every_line_may_be_a_payload_of_one_topic() -> None:
    _, lines, _ = decode("-d", "zigbee2mqtt", "--topic", "zigbee2mqtt/x", said='{"contact":false}\n{"contact":true}\n')

    assert [one["facts"][0]["state"] for one in lines] == ["open", "closed"]


def test_a_table_counts() -> None:
    said = GAS + GAS + "zigbee2mqtt/x/set {}\nzigbee2mqtt/x {broken\nnonsense\n"

    status, lines, output = decode("-d", "zigbee2mqtt", "--table", said=said)

    assert (status, lines) == (1, [])
    rows = {tuple(line.split()) for line in output.splitlines()}
    assert {("gas", "alarm", "2"), ("ignored", "command", "1"), ("quarantine", "malformed_json", "1")} <= rows
    assert ("bad", "line", "1") in rows


DEVICES = """version: 1
sources:
  - {id: site, dialect: zigbee2mqtt, base: site/zigbee2mqtt}
homes:
  - id: home
    grid: nowhere
    address: 1号
    devices:
      - {id: home-door, kind: contact, source: site, name: door, invert: true}
"""


def test_the_service_s_own_files_tell_what_is_registered(tmp_path: Path) -> None:
    (tmp_path / "devices.yaml").write_text(DEVICES, "utf-8")
    said = 'site/zigbee2mqtt/door {"contact":true}\nsite/zigbee2mqtt/other {"contact":true}\nelsewhere/x {}\n'

    status, lines, _ = decode("--config", tmp_path, said=said)

    assert status == 1
    assert lines[0]["facts"][0]["device"] == "home-door"
    assert lines[0]["facts"][0]["state"] == "open"
    assert [one["quarantine"]["reason"] for one in lines[1:]] == ["unknown_device", "unknown_topic"]


def test_a_devices_file_as_map_reads_strangers_too(tmp_path: Path) -> None:
    file = tmp_path / "anything.yaml"
    file.write_text(DEVICES, "utf-8")
    said = 'site/zigbee2mqtt/door {"contact":true}\nsite/zigbee2mqtt/other {"contact":true}\n'

    status, lines, _ = decode("-d", "zigbee2mqtt", "--map", file, said=said)

    assert status == 0
    assert [one["facts"][0]["state"] for one in lines] == ["open", "closed"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Switch1: gas\n", None),
        ("map:\n  Switch1: {kind: gas, states: {1: alarm}}\n  Switch2: none\n", None),
        ("Switch1: gass\n", "Switch1"),
        ("Switch1: {kind: gas, states: {1: open}}\n", "gas has no state 'open'"),
        ("version: 1\nsource: []\n", "did you mean 'sources'"),
    ],
)
def test_a_map_is_checked_before_anything_is_read(tmp_path: Path, text: str, told: str | None) -> None:
    (tmp_path / "map.yaml").write_text(text, "utf-8")

    if told is None:
        assert decode("-d", "zigbee2mqtt", "--map", tmp_path / "map.yaml", said=GAS)[0] == 0
    else:
        with pytest.raises(ConfigError, match=told):
            decode("-d", "zigbee2mqtt", "--map", tmp_path / "map.yaml", said=GAS)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--dialect", "zigbe2mqtt"], "did you mean 'zigbee2mqtt'?"),
        (["--dialect", "zigbee2mqtt", "--kind", "gaz"], "did you mean 'gas'?"),
        (["--dialect", "zigbee2mqtt", "--config", ".", "--map", "."], "already"),
        (["--map", "/nowhere"], "does not exist"),
    ],
)
def test_wrong_usage_is_told(arguments: list[str], told: str) -> None:
    status, _, output = decode(*arguments, said=GAS)

    assert status == 2
    assert told in " ".join(output.replace("│", " ").split())
