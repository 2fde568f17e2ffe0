"""Puts the HTTP side together."""

import logging

from fastapi import FastAPI

from web import api, gate, problems, twilio, twilio_check
from web import health as health_routes
from web.guard import Guard
from web.metrics import Metrics
from web.options import WebOptions
from web.ports import Desk, Health, Phone

logger = logging.getLogger(__name__)

_DESCRIPTION = """\
Incidents of seniors who live alone, and who is on the way.

Every refusal is `{"error": {"code", "message"}}`: a word for programs and a sentence for people. Times are in UTC.
"""


def create_app(
    desk: Desk, phone: Phone, health: Health, options: WebOptions, metrics: Metrics | None = None
) -> FastAPI:
    """Make the application: health, metrics, the API and the provider's callbacks.

    The OpenAPI description is at /api/openapi.json; there is no page that shows it, because FastAPI's own pages load
    their scripts from elsewhere.
    """
    metrics = metrics or Metrics()
    app = FastAPI(
        title="Shouwang",
        version="1",
        description=_DESCRIPTION,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.add_middleware(Guard, max_body_bytes=options.max_body_bytes)
    problems.install(app)
    app.include_router(health_routes.router(health, metrics, options))
    app.include_router(api.router(desk, options))
    app.include_router(api.figures_router(desk, options))
    app.include_router(api.homes_router(desk, options))
    app.include_router(twilio.router(phone, metrics, options))
    app.include_router(twilio_check.router(metrics, options))
    if not gate.api_is_on(options):
        logger.warning("The API is off: others can reach this server, and SHOUWANG_HTTP__API_TOKEN is not set.")
    return app
