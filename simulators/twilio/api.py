"""The provider's REST API over HTTP: Messages and Calls, with the faults that meet requests."""

import asyncio
import base64
import binascii
import hmac
import json
import socket
import struct
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from aiohttp import hdrs, web

from simulators.twilio import account, listing
from simulators.twilio.calling import Calling
from simulators.twilio.errors import DELIVERY_ERRORS, ApiError, refuse
from simulators.twilio.faults import Fault, FaultKind
from simulators.twilio.messaging import Messaging
from simulators.twilio.resources import API_VERSION, Call, Message, Request
from simulators.twilio.validation import check_call, check_message
from simulators.twilio.world import World

#: What the pages of the account are called in the ledger and in faults.
_ACCOUNT_PAGES = {None: "account", "Balance": "balance", "IncomingPhoneNumbers": "numbers"}


class _Cut(web.Response):
    """The answer of a handler that has already cut the connection; nobody gets it."""


class Api:
    """The handlers, and the ledger of what was asked."""

    def __init__(self, world: World, messaging: Messaging, calling: Calling) -> None:
        self._world = world
        self._messaging = messaging
        self._calling = calling
        #: Every POST, and every GET, in the order of arrival.
        self.requests: list[Request] = []
        self.reads: list[Request] = []
        #: While it is set, every request is dropped: the provider is out of reach.
        self.down = False
        #: Set at the end, so that hanging requests let go.
        self.closing = asyncio.Event()

    def routes(self) -> list[web.RouteDef]:
        """What it answers to."""
        base = f"/{API_VERSION}/Accounts/{{account}}"
        return [
            web.post(f"{base}/{{resource:Messages|Calls}}.json", self._post),
            web.post(f"{base}/{{resource:Messages|Calls}}/{{sid}}.json", self._post),
            web.get(f"{base}/{{resource:Messages|Calls}}.json", self._get),
            web.get(f"{base}/{{resource:Messages|Calls}}/{{sid}}.json", self._get),
            web.get(f"{base}.json", self._get_account),
            web.get(f"{base}/{{page:Balance|IncomingPhoneNumbers}}.json", self._get_account),
        ]

    async def _post(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        entry = self._enter(request, {name: str(value) for name, value in form.items()})
        self.requests.append(entry)
        sid = request.match_info.get("sid")

        def store() -> Message | Call:
            item = self._create(entry, [str(event) for event in form.getall("StatusCallbackEvent", [])])
            entry.accepted, entry.sid = True, item.sid
            return item

        async def work() -> web.Response:
            if sid is None:
                return _answer(201, _resource(store()))
            return _answer(200, _resource(await self._update(entry, sid)))

        return await self._meet(request, entry, work, store=store, creates=sid is None)

    async def _get(self, request: web.Request) -> web.StreamResponse:
        entry = self._enter(request, dict(request.query))
        self.reads.append(entry)
        sid = request.match_info.get("sid")

        async def work() -> web.Response:
            if sid is None:
                return _answer(200, self._list(entry))
            return _answer(200, _resource(self._find(entry, sid, request.path)))

        return await self._meet(request, entry, work, store=None, creates=False)

    async def _get_account(self, request: web.Request) -> web.StreamResponse:
        entry = self._enter(request, dict(request.query))
        self.reads.append(entry)
        about = self._world.account
        sid = request.match_info["account"]

        async def work() -> web.Response:
            if entry.resource in about.without:
                raise refuse(20404, request.path)
            match entry.resource:
                case "balance":
                    return _answer(200, account.balance(about, sid))
                case "numbers":
                    page = account.numbers(about, sid, self._world.numbers, self._world.sms_url, request.query)
                    return _answer(200, page)
                case _:
                    return _answer(200, account.resource(about, sid))

        return await self._meet(request, entry, work, store=None, creates=False)

    def _enter(self, request: web.Request, params: dict[str, str]) -> Request:
        parts = request.match_info
        return Request(
            at=self._world.now(),
            arrived=time.monotonic(),
            method=request.method,
            resource=_ACCOUNT_PAGES[parts.get("page")] if "resource" not in parts else parts["resource"].lower(),
            params=params,
        )

    # --- faults -------------------------------------------------------------------------------------------------------

    async def _meet(
        self,
        request: web.Request,
        entry: Request,
        work: Callable[[], Any],
        *,
        store: Callable[[], object] | None,
        creates: bool,
    ) -> web.StreamResponse:
        """Do the work, with whatever fault meets this request, and write into the ledger what was answered."""
        if self.down:
            entry.fault = "down"
            return _cut(request)
        fault = self._world.faults.meet_request(entry.resource, entry.params.get("To"), creates=creates)
        entry.fault = str(fault.kind) if fault else None
        try:
            if fault is not None and (early := await self._before(request, fault, entry, store)) is not None:
                return early
            self._authenticate(request)
            response: web.StreamResponse = await work()
        except ApiError as exc:
            entry.code = exc.code
            response = _refusal(exc, fault)
        else:
            if fault is not None:
                response = await self._after(request, fault, response)
        entry.status = None if isinstance(response, _Cut) else response.status
        return response

    async def _before(
        self, request: web.Request, fault: Fault, entry: Request, store: Callable[[], object] | None
    ) -> web.StreamResponse | None:
        """What a fault does instead of the work; None: the work goes on."""
        match fault.kind:
            case FaultKind.REFUSE:
                return _cut(request)
            case FaultKind.ERROR_BEFORE:
                raise _server_error(fault)
            case FaultKind.RATE_LIMITED:
                raise refuse(20429)
            case FaultKind.REJECT:
                raise refuse(fault.code or 21614, entry.to)
            case FaultKind.HANG_BEFORE:
                return await self._hang(request)
            case FaultKind.LANDS_LATE:
                self._authenticate(request)
                if store is not None:
                    self._land_late(fault.seconds, store)
                return await self._hang(request)
            case _:
                return None

    async def _after(self, request: web.Request, fault: Fault, response: web.StreamResponse) -> web.StreamResponse:
        """What a fault does to the answer of work that was done."""
        match fault.kind:
            case FaultKind.ANSWER_LOST:
                return _cut(request)
            case FaultKind.HANG:
                return await self._hang(request)
            case FaultKind.SLOW:
                await self._wait(fault.seconds)
                return response
            case FaultKind.ERROR_AFTER:
                return _refusal(_server_error(fault), fault)
            case _:
                return response

    def _land_late(self, seconds: float, store: Callable[[], object]) -> None:
        async def land(_at: datetime) -> None:
            try:
                store()
            except ApiError:
                return

        self._world.after(self._world.now(), seconds, land, "")

    async def _hang(self, request: web.Request) -> web.StreamResponse:
        await self._wait(None)
        return _cut(request)

    async def _wait(self, seconds: float | None) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self.closing.wait()
        except TimeoutError:
            return

    # --- the work -----------------------------------------------------------------------------------------------------

    def _authenticate(self, request: web.Request) -> None:
        scheme, _, encoded = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            user = password = ""
        expected = self._world.webhooks.auth_token
        if (
            scheme.lower() != "basic"
            or user != self._world.account_sid
            or request.match_info["account"] != user
            or not hmac.compare_digest(password.encode(), expected.encode())
        ):
            raise ApiError(401, 20003, "Authenticate", detail="Your AccountSid or AuthToken was incorrect.")

    def _create(self, entry: Request, events: list[str]) -> Message | Call:
        world, at = self._world, self._world.now()
        if entry.resource == "messages":
            validity_s = check_message(entry.params, numbers=world.numbers, opted_out=world.opted_out)
            return self._messaging.accept(entry.params, validity_s=validity_s, at=at)
        ring_s = check_call(entry.params, numbers=world.numbers)
        return self._calling.accept(entry.params, events=events, ring_s=ring_s, at=at)

    async def _update(self, entry: Request, sid: str) -> Message | Call:
        item = self._find(entry, sid, sid)
        at = self._world.now()
        if isinstance(item, Message):
            if entry.params.get("Status") == "canceled" and not self._messaging.cancel(item, at):
                raise refuse(30409)
            if entry.params.get("Body") == "":
                item.body = ""
        elif not await self._calling.update(item, entry.params, at):
            raise refuse(21220)
        entry.sid = sid
        return item

    def _find(self, entry: Request, sid: str, path: str) -> Message | Call:
        stored: list[Message] | list[Call] = self._world.messages if entry.resource == "messages" else self._world.calls
        for item in stored:
            if item.sid == sid:
                return item
        raise refuse(20404, path)

    def _list(self, entry: Request) -> Mapping[str, Any]:
        now = self._world.now()
        if entry.resource == "messages":
            found = listing.messages(entry.params, self._world.messages, now)
            items, around = listing.page(entry.params, found, account_sid=self._world.account_sid, name="Messages")
            return {**around, "messages": [_resource(item) for item in items]}
        calls = listing.calls(entry.params, self._world.calls, now)
        shown, around = listing.page(entry.params, calls, account_sid=self._world.account_sid, name="Calls")
        return {**around, "calls": [_resource(item) for item in shown]}


def _resource(item: Message | Call) -> dict[str, Any]:
    if isinstance(item, Message):
        return item.resource(DELIVERY_ERRORS.get(item.error_code) if item.error_code else None)
    return item.resource()


def _answer(status: int, body: Mapping[str, Any]) -> web.Response:
    return web.Response(
        status=status,
        body=json.dumps(body).encode(),
        content_type="application/json",
        headers={"Twilio-Request-Id": "RQ" + "0" * 32, "X-API-Domain": "api.twilio.com"},
    )


def _server_error(fault: Fault) -> ApiError:
    error = refuse(20503 if fault.status == 503 else 20500)
    return ApiError(fault.status, error.code, error.message)


def _refusal(error: ApiError, fault: Fault | None) -> web.Response:
    response = _answer(error.status, error.body())
    if error.status == 401:
        response.headers[hdrs.WWW_AUTHENTICATE] = 'Basic realm="Twilio API"'
    if error.status == 429 and fault is not None and fault.retry_after is not None:
        response.headers[hdrs.RETRY_AFTER] = str(fault.retry_after)
    return response


def _cut(request: web.Request) -> web.StreamResponse:
    """Reset the connection: the client gets no byte of an answer."""
    transport = request.transport
    if transport is not None:
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return _Cut(status=500)


def not_found(request: web.Request) -> web.Response:
    """The answer to any other address."""
    return _refusal(refuse(20404, request.path), None)
