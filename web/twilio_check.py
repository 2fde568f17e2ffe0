"""`/webhooks/twilio/check`: whether the provider's way to us is open, asked by `shouwang doctor`.

It takes what the webhooks take, a form signed with the account's token for our public address, and gives a word of it
back. So whoever has the token learns that proxy, path and signature are right, and nothing happens here.
"""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from web.metrics import Metrics
from web.options import WebOptions
from web.twilio import PREFIX, Webhook

_LONGEST = 64


def router(metrics: Metrics, options: WebOptions) -> APIRouter:
    """Make the route."""
    routes = APIRouter(prefix=PREFIX, include_in_schema=False)
    webhook = Webhook(options, metrics)

    @routes.post("/check")
    async def check(request: Request) -> JSONResponse:
        """Give back the word."""
        fields = await webhook.fields(request)
        return JSONResponse({"word": fields.needed("word")[:_LONGEST]})

    return routes
