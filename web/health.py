"""Alive, ready, and the metrics: what machines ask."""

import asyncio
import logging
from collections.abc import Sequence

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from web.metrics import CONTENT_TYPE, Metrics
from web.options import WebOptions
from web.ports import Health

logger = logging.getLogger(__name__)


def router(health: Health, metrics: Metrics, options: WebOptions) -> APIRouter:
    """Make the routes."""
    routes = APIRouter(tags=["health"])

    @routes.get("/healthz", summary="Is the process alive?")
    async def healthz() -> dict[str, str]:
        """Answer as long as the process can answer at all; restart it where this fails."""
        return {"status": "alive"}

    @routes.get(
        "/readyz",
        summary="Can it do its work?",
        responses={200: {"description": "Ready"}, 503: {"description": "Not ready; `problems` says why, in sentences"}},
    )
    async def readyz() -> JSONResponse:
        """Check the broker, the database and the outbox."""
        problems = await _problems(health, options.check_timeout_s)
        status = "not_ready" if problems else "ready"
        return JSONResponse({"status": status, "problems": list(problems)}, 503 if problems else 200)

    @routes.get("/metrics", summary="Metrics for Prometheus", response_class=Response)
    async def show_metrics() -> Response:
        """Give all metrics in Prometheus' text form. They carry no personal data."""
        return Response(await metrics.scrape(options.check_timeout_s), media_type=CONTENT_TYPE)

    return routes


async def _problems(health: Health, timeout_s: float) -> Sequence[str]:
    try:
        async with asyncio.timeout(timeout_s):
            return await health.problems()
    except TimeoutError:
        return [f"The checks did not end within {timeout_s:g} s."]
    except Exception:
        logger.exception("The checks failed.")
        return ["The checks failed; the log says why."]
