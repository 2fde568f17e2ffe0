"""`/webhooks/twilio`: what Twilio tells us. Nothing is believed before its signature has been checked.

Twilio signs the address it calls. Behind a proxy that is not the address we see, so SHOUWANG_HTTP__PUBLIC_URL says
what it is. Twilio repeats itself; the Phone port knows what it has already handled by the provider's id.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NoReturn
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from starlette.datastructures import ImmutableMultiDict

from web import twiml
from web.guard import masked
from web.metrics import Metrics
from web.options import WebOptions
from web.ports import CallScript, Phone
from web.problems import BodyTooLarge, Problem

if TYPE_CHECKING:
    from twilio.request_validator import RequestValidator

logger = logging.getLogger(__name__)

PREFIX = "/webhooks/twilio"

_FORM = "application/x-www-form-urlencoded"
_MAX_FIELDS = 200
#: Whom machine detection may name that is no person, and what such a call counts as.
_MACHINES = ("machine", "fax")
_ANSWERED_BY_MACHINE = "answered-by-machine"
#: Nobody may hold a connection open by sending a body a byte at a time.
_READ_TIMEOUT_S = 10.0


class Webhook:
    """Reads one of Twilio's calls, and refuses, counted, what is not one."""

    def __init__(self, options: WebOptions, metrics: Metrics) -> None:
        self._options = options
        self._metrics = metrics
        #: By provider; their names are those of the groups of settings.
        self._tokens = {
            name: token
            for name, token in (("twilio", options.twilio_auth_token), ("twilio_2", options.twilio_2_auth_token))
            if token
        }
        self._validators: dict[str, RequestValidator] = {}

    def url(self, request: Request, path: str) -> str:
        """Give the address under which Twilio reaches a path of ours."""
        base = self._options.public_url or f"{request.url.scheme}://{request.url.netloc}"
        return base.rstrip("/") + path

    async def fields(self, request: Request) -> "Fields":
        """Give the fields of a request that Twilio has signed; raise Problem otherwise."""
        if not self._tokens:
            self.refuse("unconfigured", 503, "SHOUWANG_TWILIO__AUTH_TOKEN is not set, so nothing from Twilio is taken.")
        form = await self._form(request)
        query = request.scope["query_string"].decode("latin-1")
        signed = self.url(request, request.url.path) + (f"?{query}" if query else "")
        signature = request.headers.get("x-twilio-signature", "")
        signers = self._signers(signed, form, signature)
        if not signers:
            logger.warning(
                "A call to %s had no signature of ours for the host %s; SHOUWANG_HTTP__PUBLIC_URL must be the address"
                " that Twilio calls.",
                request.url.path,
                masked(self.url(request, "")),
            )
            self.refuse("signature", 403, "The signature does not fit. Is SHOUWANG_HTTP__PUBLIC_URL what Twilio calls?")
        return Fields(self, form, request, signers)

    def refuse(self, reason: str, status: int, message: str) -> NoReturn:
        """Count a refusal and raise it."""
        self._metrics.webhook_refused.labels(reason).inc()
        raise Problem(status, reason, message)

    async def _form(self, request: Request) -> ImmutableMultiDict[str, str]:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != _FORM:
            self.refuse("malformed", 400, f"The body must be {_FORM}.")
        try:
            async with asyncio.timeout(_READ_TIMEOUT_S):
                body = await request.body()
            pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="strict")
        except BodyTooLarge:
            self._metrics.webhook_refused.labels("too_large").inc()
            raise
        except TimeoutError:
            self.refuse("malformed", 400, f"The body did not come within {_READ_TIMEOUT_S:g} s.")
        except ValueError:
            self.refuse("malformed", 400, "The body is not a form in UTF-8.")
        return ImmutableMultiDict(pairs)

    def _signers(self, url: str, form: ImmutableMultiDict[str, str], signature: str) -> list[str]:
        """Name the providers with whose token it is signed: none, one, or two where they share an account."""
        if not self._validators:
            from twilio.request_validator import RequestValidator  # noqa: PLC0415 - only where Twilio is used

            self._validators = {name: RequestValidator(token) for name, token in self._tokens.items()}
        return [name for name, one in self._validators.items() if one.validate(url, form, signature)]


class Fields:
    """The fields of a request whose signature has been checked, and the delivery its address names."""

    def __init__(
        self, webhook: Webhook, form: ImmutableMultiDict[str, str], request: Request, signers: Sequence[str]
    ) -> None:
        self._webhook = webhook
        #: The provider that sent it; None where two have the same token.
        self.provider = signers[0] if len(signers) == 1 else None
        self._form = form
        self._request = request

    def needed(self, name: str) -> str:
        """Give a field that must be there and not empty."""
        value = self._form.get(name, "")
        if not value:
            self._webhook.refuse("missing_field", 400, f"The field {name} is missing.")
        return value

    def optional(self, name: str) -> str | None:
        """Give a field, or None where it is absent or empty."""
        return self._form.get(name) or None

    def text(self, name: str) -> str:
        """Give a field that must be there and may be empty."""
        if name not in self._form:
            self._webhook.refuse("missing_field", 400, f"The field {name} is missing.")
        return self._form[name]

    def is_of_a_machine(self) -> bool:
        """Say whether machine detection has heard a voice box or a fax; never where it is off."""
        return (self.optional("AnsweredBy") or "").lower().startswith(_MACHINES)

    def delivery(self) -> int | None:
        """Give `?delivery=` of the address, which is signed with it; None where it has none."""
        value = self._request.query_params.get("delivery")
        if value is None:
            return None
        if not (value.isascii() and value.isdecimal() and len(value) <= 18):
            self._webhook.refuse("malformed", 400, "The address must name a delivery by its number.")
        return int(value)

    def needed_delivery(self) -> int:
        """Give `?delivery=` where there is no going on without it."""
        number = self.delivery()
        if number is None:
            self._webhook.refuse("missing_field", 400, "The address must name a delivery: `?delivery=…`.")
        return number


def router(phone: Phone, metrics: Metrics, options: WebOptions) -> APIRouter:
    """Make the routes."""
    routes = APIRouter(prefix=PREFIX, include_in_schema=False)
    webhook = Webhook(options, metrics)

    @routes.post("/sms")
    async def sms(request: Request) -> Response:
        """Take a reply, and answer it where there is something to say."""
        fields = await webhook.fields(request)
        answer = await phone.sms(
            provider_id=fields.needed("MessageSid"), sender=fields.needed("From"), text=fields.text("Body")
        )
        return _xml(twiml.message(answer))

    @routes.post("/status")
    async def status(request: Request) -> Response:
        """Take a word on a message or a call that we sent."""
        fields = await webhook.fields(request)
        kind: Literal["message", "call"] = "call" if fields.optional("CallSid") else "message"
        prefix = kind.capitalize()
        word = fields.needed(f"{prefix}Status")
        await phone.receipt(
            delivery_id=fields.delivery(),
            provider_id=fields.needed(f"{prefix}Sid"),
            status=_ANSWERED_BY_MACHINE if fields.is_of_a_machine() and word == "completed" else word,
            error_code=fields.optional("ErrorCode"),
            kind=kind,
            provider=fields.provider,
        )
        return Response(status_code=204)

    @routes.post("/voice")
    async def voice(request: Request) -> Response:
        """Say what an answered call is to say."""
        fields = await webhook.fields(request)
        call_id = fields.needed("CallSid")
        delivery_id = fields.needed_delivery()
        if fields.is_of_a_machine():
            # A voice box presses no key and goes nowhere: the person was not reached.
            await phone.receipt(
                delivery_id=delivery_id,
                provider_id=call_id,
                status=_ANSWERED_BY_MACHINE,
                error_code=None,
                kind="call",
                provider=fields.provider,
            )
            return _xml(twiml.hang_up())
        try:
            script = await phone.call_script(delivery_id)
        except LookupError:
            return _unknown_call(delivery_id)
        return _call(request, script, delivery_id)

    @routes.post("/voice/key")
    async def voice_key(request: Request) -> Response:
        """Take a key pressed in a call."""
        fields = await webhook.fields(request)
        fields.needed("CallSid")
        delivery_id = fields.needed_delivery()
        try:
            script = await phone.call_key(delivery_id, fields.needed("Digits"))
        except LookupError:
            return _unknown_call(delivery_id)
        return _call(request, script, delivery_id)

    def _call(request: Request, script: CallScript, delivery_id: int) -> Response:
        return _xml(twiml.call(script, f"{webhook.url(request, PREFIX)}/voice/key?delivery={delivery_id}"))

    return routes


def _unknown_call(delivery_id: int) -> Response:
    logger.warning("A call asked for delivery %d, which there is not; it was hung up.", delivery_id)
    return _xml(twiml.hang_up())


def _xml(text: str) -> Response:
    return Response(text, media_type="text/xml; charset=utf-8")
