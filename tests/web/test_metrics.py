"""The metrics, as Prometheus reads them."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from rules.decisions import Priority
from web.metrics import Metrics

NAMES = {
    "shouwang_messages": "counter",
    "shouwang_quarantine": "counter",
    "shouwang_thinned": "counter",
    "shouwang_batch_size": "histogram",
    "shouwang_message_handling_seconds": "histogram",
    "shouwang_sensor_to_provider_seconds": "histogram",
    "shouwang_outbox_oldest_seconds": "gauge",
    "shouwang_outbox_waiting": "gauge",
    "shouwang_incidents_open": "gauge",
    "shouwang_deliveries": "counter",
    "shouwang_provider_tries": "counter",
    "shouwang_provider_receipts": "counter",
    "shouwang_provider_delivery_seconds": "histogram",
    "shouwang_provider_passed_on": "counter",
    "shouwang_provider_sick": "gauge",
    "shouwang_replies": "counter",
    "shouwang_webhook_refused": "counter",
    "shouwang_broker_up": "gauge",
    "shouwang_database_up": "gauge",
    "shouwang_late_steps": "counter",
    "shouwang_auditor_repairs": "counter",
    "shouwang_config_reload": "counter",
    "shouwang_trouble": "gauge",
    "shouwang_trouble_told": "counter",
    "shouwang_heartbeat": "counter",
    "shouwang_probe": "counter",
    "shouwang_gauges_stale": "gauge",
}


async def test_every_metric_has_its_name_and_kind(site: Any) -> None:
    answer = await site.request("GET", "/metrics")
    families = {family.name: family.type for family in text_string_to_metric_families(answer.text)}

    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert {name: kind for name, kind in families.items() if name.startswith("shouwang_")} == NAMES
    assert "_created" not in answer.text


async def test_gauges_are_brought_up_to_date_before_they_are_shown() -> None:
    metrics = Metrics()

    async def refresh() -> None:
        metrics.set_outbox({Priority.LIFE_SAFETY_PAGE: 12.5}, waiting=3)
        metrics.set_incidents({"open": 2})

    metrics.on_scrape = refresh
    text = (await metrics.scrape()).decode()

    assert 'shouwang_outbox_oldest_seconds{priority="life_safety_page"} 12.5' in text
    assert 'shouwang_outbox_oldest_seconds{priority="inform"} 0.0' in text
    assert "shouwang_outbox_waiting 3.0" in text
    assert 'shouwang_incidents_open{state="open"} 2.0' in text
    assert 'shouwang_incidents_open{state="on_scene"} 0.0' in text
    assert "shouwang_gauges_stale 0.0" in text


def test_what_is_no_longer_there_goes_back_to_nothing() -> None:
    metrics = Metrics()
    metrics.set_incidents({"open": 2})
    metrics.set_incidents({"acknowledged": 1})

    assert metrics.registry.get_sample_value("shouwang_incidents_open", {"state": "open"}) == 0


async def test_a_refresh_that_fails_or_hangs_leaves_the_rest_standing() -> None:
    """The counters are most needed while the database is away."""
    metrics = Metrics()
    metrics.messages.labels("own").inc(5)

    async def fail() -> None:
        raise OSError

    async def hang() -> None:
        await asyncio.Event().wait()

    for refresh in (fail, hang):
        metrics.on_scrape = refresh
        text = (await metrics.scrape(0.01)).decode()
        assert "shouwang_gauges_stale 1.0" in text
        assert 'shouwang_messages_total{source="own"} 5.0' in text


def test_two_services_in_one_process_do_not_share_their_metrics() -> None:
    one, other = Metrics(), Metrics()
    one.late_steps.inc()

    assert other.registry.get_sample_value("shouwang_late_steps_total") == 0


def test_metrics_can_be_had_without_the_web() -> None:
    """Parts that only count do not pay for FastAPI."""
    code = "import sys, web.metrics; sys.exit(bool({'fastapi', 'starlette', 'uvicorn', 'twilio'} & set(sys.modules)))"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_metric_is_explained_to_operators() -> None:
    """docs/operations.md has a row for each, and none for what there is not."""
    text = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"^\| `(shouwang_\w+?)(?:_total)?[`{]", text, flags=re.MULTILINE))

    assert explained == set(NAMES)
