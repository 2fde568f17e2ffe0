"""What an operator watches, in a registry of its own. Imports prometheus_client and nothing of the web.

Counters and histograms are moved where things happen. Gauges are read off the database: `on_scrape` sets them just
before they are shown. What each one means, and when to alarm, is in docs/operations.md.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from rules.decisions import Priority
from rules.incident import IncidentState
from rules.trouble import TroubleKind

logger = logging.getLogger(__name__)

#: What every Prometheus since 2014 reads.
CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

#: Why a webhook was refused.
WEBHOOK_REFUSALS = ("unconfigured", "too_large", "malformed", "signature", "missing_field")

CONFIG_RELOADS = ("applied", "refused", "unchanged")

#: Whether the operators could be told of own trouble.
TROUBLE_TOLD = ("told", "failed")

HEARTBEATS = ("sent", "withheld", "failed")

#: What became of probes: it left, it could not, or it was none that we heed.
PROBES = ("sent", "failed", "refused")

_OPEN_STATES = tuple(state for state in IncidentState if state is not IncidentState.RESOLVED)

_BATCH_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_HANDLING_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_PROVIDER_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)
_DELIVERY_SECONDS = (0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800)

#: When each was made is noise beside every sample.
disable_created_metrics()  # type: ignore[no-untyped-call]  # it ships without annotations


def priority_label(priority: int) -> str:
    """Name a priority as the labels do, e.g. `life_safety_page`."""
    return Priority(priority).name.lower()


class Metrics:
    """All metrics of one service.

    Set `on_scrape` to a coroutine function that brings the gauges up to date; one that fails or takes too long is
    shown as `shouwang_gauges_stale 1`, and never keeps the rest from being shown.
    """

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.on_scrape: Callable[[], Awaitable[None]] | None = None

        self.messages = Counter("shouwang_messages", "Messages taken from the broker", ["source"], registry=registry)
        self.quarantine = Counter("shouwang_quarantine", "Messages set aside", ["reason"], registry=registry)
        self.thinned = Counter(
            "shouwang_thinned", "What came too thick and was left out, never an alarm", ["what"], registry=registry
        )
        self.batch_size = Histogram(
            "shouwang_batch_size", "Messages in one transaction", buckets=_BATCH_SIZES, registry=registry
        )
        self.message_handling = Histogram(
            "shouwang_message_handling_seconds",
            "From a batch having been gathered to the commit of what it caused",
            buckets=_HANDLING_SECONDS,
            registry=registry,
        )
        self.sensor_to_provider = Histogram(
            "shouwang_sensor_to_provider_seconds",
            "From the decision that wrote a delivery to the provider having taken it",
            ["priority"],
            buckets=_PROVIDER_SECONDS,
            registry=registry,
        )
        self.outbox_oldest = Gauge(
            "shouwang_outbox_oldest_seconds", "Age of the oldest delivery that waits", ["priority"], registry=registry
        )
        self.outbox_waiting = Gauge("shouwang_outbox_waiting", "Deliveries that wait", registry=registry)
        self.incidents_open = Gauge("shouwang_incidents_open", "Open incidents", ["state"], registry=registry)
        self.deliveries = Counter(
            "shouwang_deliveries", "Tries to deliver, by what became of them", ["channel", "outcome"], registry=registry
        )
        self.provider_tries = Counter(
            "shouwang_provider_tries",
            "Tries at a provider, by what became of them",
            ["channel", "provider", "outcome"],
            registry=registry,
        )
        self.provider_receipts = Counter(
            "shouwang_provider_receipts",
            "Messages that a provider had taken, by what it said of them in the end",
            ["channel", "provider", "outcome"],
            registry=registry,
        )
        self.provider_delivery = Histogram(
            "shouwang_provider_delivery_seconds",
            "From the provider having taken a message to its word that the phone has it, or that the call was heard",
            ["channel", "provider"],
            buckets=_DELIVERY_SECONDS,
            registry=registry,
        )
        self.provider_passed_on = Counter(
            "shouwang_provider_passed_on",
            "Messages that a provider did not take and another got at once",
            ["channel", "provider"],
            registry=registry,
        )
        self.provider_sick = Gauge(
            "shouwang_provider_sick",
            "1 where a provider has done so badly lately that another is preferred",
            ["channel", "provider"],
            registry=registry,
        )
        self.replies = Counter("shouwang_replies", "Replies from phones", ["verdict"], registry=registry)
        self.webhook_refused = Counter(
            "shouwang_webhook_refused", "Calls of the provider that were refused", ["reason"], registry=registry
        )
        self.broker_up = Gauge("shouwang_broker_up", "1 while connected and subscribed", registry=registry)
        self.database_up = Gauge("shouwang_database_up", "1 while the database answers", registry=registry)
        self.late_steps = Counter(
            "shouwang_late_steps", "Escalation steps that fired after their time", registry=registry
        )
        self.auditor_repairs = Counter(
            "shouwang_auditor_repairs", "Open incidents found with nothing coming next", registry=registry
        )
        self.config_reload = Counter(
            "shouwang_config_reload", "Readings of the configuration files", ["result"], registry=registry
        )
        self.troubles = Gauge("shouwang_trouble", "Own troubles that stand", ["kind"], registry=registry)
        self.trouble_told = Counter(
            "shouwang_trouble_told", "Times the operators were to be told of own trouble", ["result"], registry=registry
        )
        self.heartbeats = Counter("shouwang_heartbeat", "Heartbeats, sent and not", ["result"], registry=registry)
        self.probes = Counter("shouwang_probe", "Probes, by what became of them", ["result"], registry=registry)
        self.gauges_stale = Gauge(
            "shouwang_gauges_stale", "1 where the gauges could not be brought up to date", registry=registry
        )
        ProcessCollector(registry=registry)

        # A counter that first appears with its first increment hides that increment from rate().
        for reason in WEBHOOK_REFUSALS:
            self.webhook_refused.labels(reason)
        for result in CONFIG_RELOADS:
            self.config_reload.labels(result)
        for result in TROUBLE_TOLD:
            self.trouble_told.labels(result)
        for result in HEARTBEATS:
            self.heartbeats.labels(result)
        for result in PROBES:
            self.probes.labels(result)
        for priority in Priority:
            self.sensor_to_provider.labels(priority_label(priority))
        self.set_outbox({}, waiting=0)
        self.set_incidents({})
        self.set_troubles({})

    def set_outbox(self, oldest_seconds: Mapping[int, float], *, waiting: int) -> None:
        """Show the age in seconds of the oldest waiting delivery of each priority; a priority not named has none."""
        for priority in Priority:
            self.outbox_oldest.labels(priority_label(priority)).set(max(0.0, oldest_seconds.get(priority, 0.0)))
        self.outbox_waiting.set(waiting)

    def set_incidents(self, open_counts: Mapping[str, int]) -> None:
        """Show how many incidents are in each open state; a state not named has none."""
        for state in _OPEN_STATES:
            self.incidents_open.labels(state).set(open_counts.get(state, 0))

    def note_receipt(self, channel: str, provider: str, seconds: float | None) -> None:
        """Count a message that was delivered after some seconds, or, with None, that was not delivered."""
        self.provider_receipts.labels(channel, provider, "failed" if seconds is None else "delivered").inc()
        if seconds is not None:
            self.provider_delivery.labels(channel, provider).observe(max(0.0, seconds))

    def set_troubles(self, standing: Mapping[str, int]) -> None:
        """Show how many own troubles of each kind stand; a kind not named has none."""
        for kind in TroubleKind:
            self.troubles.labels(str(kind)).set(standing.get(str(kind), 0))

    async def scrape(self, timeout_s: float = 5.0) -> bytes:
        """Bring the gauges up to date, and give everything in Prometheus' text form."""
        if self.on_scrape is not None:
            try:
                async with asyncio.timeout(timeout_s):
                    await self.on_scrape()
            except Exception:
                logger.exception("The gauges could not be brought up to date.")
                self.gauges_stale.set(1)
            else:
                self.gauges_stale.set(0)
        return generate_latest(self.registry)
