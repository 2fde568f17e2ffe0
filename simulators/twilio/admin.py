"""Pages under /_fake/ by which another process looks at the fake provider and drives it. JSON in, JSON out."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from simulators import phones
from simulators.phones import CallManner, TextManner
from simulators.twilio.resources import Call, Message, Request

if TYPE_CHECKING:
    from simulators.twilio.fake import FakeTwilio


class Admin:
    """The handlers."""

    def __init__(self, fake: "FakeTwilio") -> None:
        self._fake = fake

    def routes(self) -> list[web.RouteDef]:
        """What it answers to."""
        return [
            web.get("/_fake/ledger", self._ledger),
            web.get("/_fake/webhooks", self._webhooks),
            web.get("/_fake/faults", self._faults),
            web.post("/_fake/faults", self._add_fault),
            web.delete("/_fake/faults", self._clear_faults),
            web.post("/_fake/incoming", self._incoming),
            web.post("/_fake/phones/{number}", self._script),
            web.get("/_fake/phones/{number}", self._phone),
            web.post("/_fake/settings", self._settings),
            web.post("/_fake/advance", self._advance),
            web.post("/_fake/reset", self._reset),
        ]

    async def _ledger(self, _request: web.Request) -> web.Response:
        fake = self._fake
        return web.json_response(
            {
                "requests": [request_json(entry) for entry in fake.requests],
                "reads": [request_json(entry) for entry in fake.reads],
                "messages": [message_json(message) for message in fake.messages],
                "calls": [call_json(call) for call in fake.calls],
            }
        )

    async def _webhooks(self, _request: web.Request) -> web.Response:
        return web.json_response(
            [
                {
                    "at": webhook.at.isoformat(),
                    "method": webhook.method,
                    "url": webhook.url,
                    "params": dict(webhook.params),
                    "status": webhook.status,
                    "answer": webhook.answer,
                }
                for webhook in self._fake.webhooks
            ]
        )

    async def _faults(self, _request: web.Request) -> web.Response:
        return web.json_response([fault.as_json() for fault in self._fake.faults])

    async def _add_fault(self, request: web.Request) -> web.Response:
        try:
            fault = self._fake.faults.add(**await _fields(request))
        except (TypeError, ValueError) as exc:
            raise _bad(str(exc)) from exc
        return web.json_response(fault.as_json(), status=201)

    async def _clear_faults(self, _request: web.Request) -> web.Response:
        self._fake.faults.clear()
        return web.json_response([])

    async def _incoming(self, request: web.Request) -> web.Response:
        fields = await _fields(request)
        try:
            came = await self._fake.incoming(fields["from"], fields.get("to"), fields["body"])
        except KeyError as exc:
            raise _bad(f"missing: {exc}") from exc
        return web.json_response(
            {
                "sid": came.message.sid,
                "status": came.status,
                "replies": [reply.body for reply in came.replies],
                "problems": list(came.problems),
            }
        )

    async def _script(self, request: web.Request) -> web.Response:
        """Manners, one for each next text and call, the last one stays.

        `{"text": [{"reply": "1 K7", "after_s": 20}, {}], "call": [{"do": "busy"}, {"do": "answer", "press": "1"}]}`
        """
        fields = await _fields(request)
        phone = self._fake.phone(request.match_info["number"])
        try:
            if "text" in fields:
                phone.on_text(*(_text_manner(entry) for entry in fields["text"]))
            if "call" in fields:
                phone.on_call(*(_call_manner(entry) for entry in fields["call"]))
        except (KeyError, TypeError, ValueError) as exc:
            raise _bad(f"not a manner: {exc}") from exc
        return web.json_response({})

    async def _phone(self, request: web.Request) -> web.Response:
        phone = self._fake.phone(request.match_info["number"])
        return web.json_response(
            {
                "texts": [{"at": t.at.isoformat(), "from": t.sender, "body": t.body} for t in phone.texts],
                "sent": phone.sent,
                "calls": [
                    {
                        "at": call.at.isoformat(),
                        "from": call.caller,
                        "answered": call.answered,
                        "over": call.over,
                        "heard": call.heard,
                        "pressed": call.pressed,
                    }
                    for call in phone.calls
                ],
            }
        )

    async def _settings(self, request: web.Request) -> web.Response:
        fields = await _fields(request)
        if "sms_url" in fields:
            self._fake.sms_url = fields["sms_url"]
        if "routes" in fields:
            self._fake.routes.clear()
            self._fake.routes.update(fields["routes"])
        if "down" in fields:
            self._fake.unreachable = bool(fields["down"])
        return web.json_response(
            {
                "sms_url": self._fake.sms_url,
                "routes": self._fake.routes,
                "down": self._fake.unreachable,
                "numbers": sorted(self._fake.numbers),
            }
        )

    async def _advance(self, _request: web.Request) -> web.Response:
        return web.json_response({"done": await self._fake.advance()})

    async def _reset(self, _request: web.Request) -> web.Response:
        self._fake.reset()
        return web.json_response({})


async def _fields(request: web.Request) -> dict[str, Any]:
    try:
        fields = await request.json()
    except json.JSONDecodeError as exc:
        raise _bad(f"not JSON: {exc}") from exc
    if not isinstance(fields, dict):
        raise _bad("expected a JSON object")
    return fields


def _bad(reason: str) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(text=json.dumps({"error": reason}), content_type="application/json")


def _text_manner(entry: dict[str, Any]) -> TextManner:
    if "reply" not in entry:
        return phones.IGNORE
    return phones.reply(str(entry["reply"]), after_s=float(entry.get("after_s", 0.0)))


def _call_manner(entry: dict[str, Any]) -> CallManner:
    makers: dict[str, Callable[[], CallManner]] = {
        "no_answer": lambda: phones.NO_ANSWER,
        "busy": lambda: phones.BUSY,
        "by_hand": lambda: phones.BY_HAND,
        "voicemail": phones.voicemail,
        "answer": lambda: phones.answer(
            press=entry.get("press", ""),
            after_s=float(entry.get("after_s", 4.0)),
            press_after_s=float(entry.get("press_after_s", 3.0)),
        ),
    }
    return makers[str(entry["do"])]()


def request_json(entry: Request) -> dict[str, Any]:
    """A line of the ledger."""
    return {
        "at": entry.at.isoformat(),
        "arrived": entry.arrived,
        "method": entry.method,
        "resource": entry.resource,
        "params": entry.params,
        "accepted": entry.accepted,
        "sid": entry.sid,
        "status": entry.status,
        "code": entry.code,
        "fault": entry.fault,
    }


def message_json(message: Message) -> dict[str, Any]:
    """A message with its history."""
    return {
        "sid": message.sid,
        "to": message.to,
        "from": message.sender,
        "body": message.body,
        "direction": message.direction,
        "status": message.status,
        "error_code": message.error_code,
        "arrived": message.arrived,
        "status_callback": message.status_callback,
        "history": [[at.isoformat(), status] for at, status in message.history],
    }


def call_json(call: Call) -> dict[str, Any]:
    """A call with its history."""
    return {
        "sid": call.sid,
        "to": call.to,
        "from": call.sender,
        "url": call.url,
        "status": call.status,
        "heard": call.heard,
        "pressed": call.pressed,
        "problems": call.problems,
        "duration_s": call.duration_s,
        "history": [[at.isoformat(), status] for at, status in call.history],
    }
