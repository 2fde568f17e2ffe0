"""The description of the API says what the desk gives, and no more."""

from dataclasses import fields
from datetime import UTC, datetime

import pytest

from rules.community import Home, Resident, Responsibility
from rules.decisions import Delivery, DeliveryState, JournalEntry, Priority, Purpose
from rules.incident import Incident, IncidentState, Snapshot
from rules.rulebook import Plan, Policy, Severity
from web.views import DeliveryView, IncidentView, JournalView

NOW = datetime(2026, 1, 10, 19, 0, tzinfo=UTC)


@pytest.fixture
def incident() -> Incident:
    return Incident(
        id="0123abc",
        code="K7",
        home_id="h1",
        group="life-safety",
        state=IncidentState.OPEN,
        severity=Severity.CRITICAL,
        title="燃气泄漏",
        kinds=("gas",),
        opened_at=NOW,
        snapshot=Snapshot(
            home=Home(id="h1", grid="g1", address="玉林北街1号院", residents=(Resident(name="王秀英"),)),
            responsibility=Responsibility(grids=(), workers=()),
            plan=Plan(id="gas", first="开窗关阀", steps=("拨打抢修电话",)),
            policy=Policy(
                id="p", answer_within_s=60, arrive_within_s=300, outcome_within_s=600, steps=(), repeat_every_s=300
            ),
            time_zone="Asia/Shanghai",
            language="zh",
        ),
    )


def test_the_description_of_an_incident(incident: Incident) -> None:
    from shouwang import desk  # noqa: PLC0415 - only these tests need the service

    view = desk.view(incident)

    assert set(IncidentView.model_fields) == set(view)
    IncidentView.model_validate(view)


def test_the_description_of_a_line_of_the_journal() -> None:
    from shouwang import desk  # noqa: PLC0415 - as above

    view = desk._journal_view(JournalEntry(incident_id="0123abc", at=NOW, event="opened", actor="sensor"), "zh")

    assert set(JournalView.model_fields) == set(view)
    JournalView.model_validate(view)


def test_the_description_of_a_delivery() -> None:
    from shouwang import desk  # noqa: PLC0415 - as above

    known = {
        "priority": Priority.LIFE_SAFETY_PAGE,
        "purpose": Purpose.PAGE,
        "state": DeliveryState.SENT,
        "expires_at": NOW,
        "created_at": NOW,
        "address": "+8613800000001",
        "channel": "sms",
    }
    numbers = {"id": 12, "attempts": 1, "fence": 1, "late_s": 0, "drill": False}
    optional = {"owner": None, "doubt_since": None, "provider_id": None, "provider_status": None, "error": None}
    values = {field.name: "x" for field in fields(Delivery)} | known | numbers | optional
    view = desk._delivery_view(Delivery(**values))  # type: ignore[arg-type]  # every field by name

    assert set(DeliveryView.model_fields) == set(view)
    assert "13800000001" not in view["address"]
    DeliveryView.model_validate(view)
