"""HTTP for channels: one request, one try, and an honest word on whether it may have left.

Repeating a page is safe only if the first request never left this machine. No client says so directly, so the moment at
which a connection begins to write the request is watched; whatever goes wrong before it has surely not left, whatever
goes wrong after it is a doubt.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

#: No answer of a provider that we can use is longer; what is longer is cut, not read.
_ANSWER_AT_MOST = 1 << 20

#: Idle connections are kept this long: shorter than what load balancers keep, or a request could meet a closed one.
_KEEP_IDLE_S = 30.0


class NeverLeftError(Exception):
    """The request surely did not leave this machine."""


class MayHaveLeftError(Exception):
    """The request may have reached the other side; what became of it is not known."""


class Courier:
    """Keeps connections to providers open and carries single requests over them.

    Follows no redirects and repeats nothing. To be used from one event loop; opened by the first request.
    """

    def __init__(self, *, timeout_s: float = 8.0, connect_timeout_s: float = 4.0, connections: int = 40) -> None:
        """Make it; `timeout_s` bounds the whole request with its answer, `connect_timeout_s` the part before it leaves.

        Both should be shorter than the dispatcher's time-out, so that the better-informed side speaks first.
        """
        self.timeout_s = timeout_s
        self._timeout = httpx.Timeout(timeout_s, connect=connect_timeout_s, pool=connect_timeout_s)
        self._limits = httpx.Limits(
            max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=_KEEP_IDLE_S
        )
        self._client: httpx.AsyncClient | None = None

    async def warm_up(self) -> None:
        """Load what the first request would have to wait for: certificates take some milliseconds."""
        if self._client is None:
            client = await asyncio.to_thread(
                httpx.AsyncClient, timeout=self._timeout, limits=self._limits, follow_redirects=False
            )
            if self._client is None:
                self._client = client

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        form: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
    ) -> httpx.Response:
        """Make one request and give the answer, whatever its status.

        Raises NeverLeftError or MayHaveLeftError with a few words where there is none; they never name the address.
        """
        await self.warm_up()
        assert self._client is not None  # noqa: S101 - for the type checker: warm_up has just made it
        left = _Watch()
        try:
            async with asyncio.timeout(self.timeout_s):
                request = self._client.build_request(
                    method,
                    url,
                    params=dict(params) if params else None,
                    data=dict(form) if form is not None else None,
                    content=content,
                    headers=headers,
                    extensions={"trace": left.see},
                )
                answer = await self._client.send(request, auth=auth, stream=True)
                try:
                    body = b""
                    async for part in answer.aiter_bytes():
                        body += part
                        if len(body) > _ANSWER_AT_MOST:
                            break
                finally:
                    await answer.aclose()
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
            words = _words(error)
            raise (MayHaveLeftError if left.left else NeverLeftError)(words) from error
        # Its body has been taken out of it; this one can be read without waiting.
        return httpx.Response(answer.status_code, headers=_without_encoding(answer.headers), content=body)

    async def aclose(self) -> None:
        """Close all connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None


class _Watch:
    """Sees whether the request itself began to be written to a connection."""

    def __init__(self) -> None:
        self.left = False

    async def see(self, event: str, info: Mapping[str, Any]) -> None:
        """Be told of one step of the request by the connection."""
        if event.endswith("send_request_headers.started"):
            # A CONNECT only opens the way through a proxy.
            self.left |= getattr(info.get("request"), "method", b"") != b"CONNECT"


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Read Retry-After, as seconds or as a date; None where there is none that makes sense."""
    value = headers.get("retry-after", "").strip()
    try:
        return max(float(value), 0.0) if value.replace(".", "", 1).isdecimal() else _until(value, now)
    except (ValueError, OverflowError):
        return None


def _until(value: str, now: datetime) -> float:
    at = parsedate_to_datetime(value)
    return max((at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds(), 0.0)


def _words(error: Exception) -> str:
    """Say what went wrong. The library's own words may hold an address, and most of them hold nothing."""
    if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
        return "no connection in time"
    if isinstance(error, httpx.ConnectError):
        return "no connection"
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return "no answer in time"
    if isinstance(error, httpx.RemoteProtocolError | httpx.ReadError | httpx.WriteError):
        return "the connection broke before an answer"
    if isinstance(error, httpx.ProxyError):
        return "the proxy refused"
    return type(error).__name__


def _without_encoding(headers: httpx.Headers) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers.items() if name not in {"content-encoding", "content-length"}]
