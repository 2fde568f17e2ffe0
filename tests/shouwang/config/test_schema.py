"""The JSON Schemas that editors read."""

import json
from typing import Any

import pytest

from shouwang.config import schema


def test_they_are_current() -> None:
    """`python -m shouwang.config.schema` writes them anew."""
    for path, text in schema.schemas():
        assert path.read_text(encoding="utf-8") == text


def test_durations_are_told_as_people_write_them() -> None:
    rules = json.loads((schema.FOLDER / "rules.json").read_text(encoding="utf-8"))
    policy = rules["$defs"]["PolicyEntry"]["properties"]

    assert {key: policy[key]["default"] for key in ("answer_within", "arrive_within", "outcome_within")} == {
        "answer_within": "60s",
        "arrive_within": "5m",
        "outcome_within": "30m",
    }


@pytest.mark.parametrize("kind", ["devices", "grids", "rules"])
def test_every_key_is_described_and_no_other_is_allowed(kind: str) -> None:
    document = json.loads((schema.FOLDER / f"{kind}.json").read_text(encoding="utf-8"))

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if "properties" in node:
                assert node["additionalProperties"] is False
                for key, value in node["properties"].items():
                    assert "description" in value or "$ref" in value, key
            for part in node.values():
                walk(part)
        elif isinstance(node, list):
            for part in node:
                walk(part)

    walk(document)


def test_writing_them(tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(schema, "FOLDER", tmp_path / "schemas")
    schema.main()

    assert sorted(path.name for path in (tmp_path / "schemas").iterdir()) == [
        "devices.json",
        "grids.json",
        "rules.json",
    ]
    assert len(capsys.readouterr().out.splitlines()) == 3
