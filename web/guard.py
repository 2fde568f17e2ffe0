"""What stands around every request.

A limit on what is read, headers that tell browsers to keep out, one line in the log, and no exception that leaves as
anything but a plain 500.
"""

import logging
import re
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.problems import BodyTooLarge, answer

logger = logging.getLogger(__name__)

#: Shouwang shows no pages here, so a browser may do nothing with what it gets.
SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

#: Asked for every few seconds by machines; logged only where somebody wants to see everything.
_QUIET_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})

_PHONE = re.compile(r"(?<![0-9A-Za-z])(\+?\d{3,5}?)\d{4}(\d{4})(?![0-9A-Za-z])")
_UNPRINTABLE = re.compile(r"[^ -~\u4e00-\u9fff]")


def masked(text: str) -> str:
    """Make text fit for a log: phone numbers lose their middle, what could forge a line becomes `?`."""
    return _UNPRINTABLE.sub("?", _PHONE.sub(r"\1****\2", text))


class Guard:
    """The middleware around the whole application."""

    def __init__(self, app: ASGIApp, *, max_body_bytes: int) -> None:
        self._app = app
        self._limit = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 0

        async def send_guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message).update(SECURITY_HEADERS)
            await send(message)

        try:
            await self._app(scope, _limited(scope, receive, self._limit), send_guarded)
        except Exception:
            # The path says which request it was; what it carried stays out of the log.
            logger.exception("%s %s failed.", scope["method"], masked(scope["path"]))
            if status:
                raise  # half an answer has left: only closing the connection tells the caller
            await answer(500, "internal_error", "Something went wrong here; the log of this service says what.")(
                scope, receive, send_guarded
            )
        level = logging.DEBUG if scope["path"] in _QUIET_PATHS and status < 400 else logging.INFO
        elapsed_ms = (time.perf_counter() - began) * 1000
        # Without the query: a code or a number may be in it.
        logger.log(level, "%s %s %d in %.0f ms", scope["method"], masked(scope["path"]), status, elapsed_ms)


def _limited(scope: Scope, receive: Receive, limit: int) -> Receive:
    declared = Headers(scope=scope).get("content-length", "")
    announced = int(declared) if declared.isdecimal() else 0
    read = 0

    async def receive_limited() -> Message:
        nonlocal read
        if announced > limit:
            raise BodyTooLarge(limit)
        message = await receive()
        read += len(message.get("body", b""))
        if read > limit:
            raise BodyTooLarge(limit)
        return message

    return receive_limited
