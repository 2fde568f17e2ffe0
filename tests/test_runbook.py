"""The operator's page: every alarm and every own trouble has its section, and asks for what there is."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from rules.trouble import TroubleKind
from shouwang import settings
from shouwang.cli import app
from web.metrics import Metrics

DOCS = Path(__file__).parent.parent / "docs"
RUNBOOK = (DOCS / "runbook.md").read_text(encoding="utf-8")
HEADINGS = set(re.findall(r"^### (.+)$", RUNBOOK, re.MULTILINE))
TITLES = re.findall(r"^#+ (.+)$", RUNBOOK, re.MULTILINE)
ANCHORS = {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in TITLES}
RULES: list[dict[str, Any]] = yaml.safe_load((DOCS / "alerts.yml").read_text(encoding="utf-8"))["groups"][0]["rules"]


@pytest.mark.parametrize("kind", TroubleKind)
def test_every_own_trouble_has_a_section(kind: TroubleKind) -> None:
    assert str(kind) in HEADINGS


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_every_alarm_leads_to_a_section_that_is_there(rule: dict[str, Any]) -> None:
    page, _, anchor = rule["annotations"]["runbook"].partition("#")

    assert page == "runbook.md"
    assert anchor in ANCHORS
    assert rule["annotations"]["summary"]
    assert rule["labels"]["severity"] in {"page", "warning"}
    assert re.fullmatch(r"\d+[mh]", rule.get("for", "1m"))


def test_every_section_of_an_alarm_is_of_one_there_is() -> None:
    named = {one for one in HEADINGS if one.startswith("Shouwang")}

    assert named <= {rule["alert"] for rule in RULES}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_alarms_ask_for_metrics_and_labels_that_there_are(rule: dict[str, Any]) -> None:
    shown: dict[str, set[str]] = {}
    for family in Metrics().registry.collect():
        kinds = {"counter": ["_total"], "histogram": ["_bucket"]}.get(family.type, [""])
        for kind in kinds:
            shown[family.name + kind] = {label for one in family.samples for label in one.labels}
    asked = re.findall(r"(shouwang_[a-z_]+)(?:\{(\w+)=)?", rule["expr"])

    assert asked
    for name, label in asked:
        assert name in shown
        assert not label or not shown[name] or label in shown[name]


def test_what_it_tells_to_set_and_to_run_is_there() -> None:
    variables = set(re.findall(r"SHOUWANG_[A-Z0-9_]+[A-Z0-9]", RUNBOOK)) - {"SHOUWANG_OPERATORS"}
    assert variables <= settings.variables().keys()
    commands = {command.name for command in app.registered_commands}
    assert set(re.findall(r"`shouwang ([a-z]+)", RUNBOOK)) <= commands


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", RUNBOOK):
        path, _, anchor = target.partition("#")
        if path.startswith("http"):
            continue
        assert not path or (DOCS / path).exists(), target
        if not path:
            assert anchor in ANCHORS, target
