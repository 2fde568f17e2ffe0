"""HTTP for channels: one request, one try, and an honest word on whether it may have left.

Repeating a page is safe only if the first request never left this machine. No client says so directly, so the moment at
which a connection begins to write the request is watched; whatever goes wrong before it has surely not left, whatever
goes wrong after it is a doubt.

On aiohttp, because a request costs a fifth of a millisecond with it, and a whole one with httpx: when a fault in the
gas main lets five hundred detectors sound, that is the difference between the first page and the last.
"""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import certifi
from yarl import URL

#: No answer of a provider that we can use is longer; what is longer is cut, not read.
_ANSWER_AT_MOST = 1 << 20

#: Idle connections are kept this long: shorter than what load balancers keep, or a request could meet a closed one.
_KEEP_IDLE_S = 30.0

_FORM = "application/x-www-form-urlencoded"


class NeverLeftError(Exception):
    """The request surely did not leave this machine."""


class MayHaveLeftError(Exception):
    """The request may have reached the other side; what became of it is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the other side said; names of headers are in small letters."""

    status_code: int
    headers: Mapping[str, str]
    text: str

    @property
    def is_success(self) -> bool:
        """Whether the status is a 2xx."""
        return 200 <= self.status_code < 300


class Courier:
    """Keeps connections to providers open and carries single requests over them.

    Follows no redirects and repeats nothing. Proxies are those of the environment. To be used from one event loop;
    opened by the first request.
    """

    def __init__(self, *, timeout_s: float = 8.0, connect_timeout_s: float = 4.0, connections: int = 40) -> None:
        """Make it; `timeout_s` bounds the whole request with its answer, `connect_timeout_s` the part before it leaves.

        Both should be shorter than the dispatcher's time-out, so that the better-informed side speaks first.
        """
        self.timeout_s = timeout_s
        self._timeout = aiohttp.ClientTimeout(total=None, connect=connect_timeout_s)
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None
        self._proxies: dict[str, str] = {}

    async def warm_up(self) -> None:
        """Load what the first request would have to wait for: certificates take some milliseconds."""
        if self._session is None:
            trusted = await asyncio.to_thread(_trusted)
            if self._session is None:
                self._session = self._opened(trusted)

    def _opened(self, trusted: ssl.SSLContext | Literal[True]) -> aiohttp.ClientSession:
        watch = aiohttp.TraceConfig()
        watch.on_request_headers_sent.append(_see)
        self._proxies = getproxies()
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=_KEEP_IDLE_S, ssl=trusted),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=self._timeout,
            trace_configs=[watch],
        )

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
    ) -> Answer:
        """Make one request and give the answer, whatever its status.

        Raises NeverLeftError or MayHaveLeftError with a few words where there is none; they never name the address.
        """
        await self.warm_up()
        assert self._session is not None  # noqa: S101 - for the type checker: warm_up has just made it
        left = _Watch()
        sent = dict(headers or {})
        if form is not None:
            content = urlencode(form, doseq=True).encode()
            sent["Content-Type"] = _FORM
        if auth is not None:
            sent["Authorization"] = aiohttp.encode_basic_auth(*auth)
        if params:
            url += ("&" if "?" in url else "?") + urlencode(params, doseq=True)
        try:
            async with (
                asyncio.timeout(self.timeout_s),
                self._session.request(
                    method,
                    URL(url, encoded=True),
                    data=content,
                    headers=sent,
                    allow_redirects=False,
                    proxy=self._proxy(url),
                    trace_request_ctx=left,
                ) as answer,
            ):
                body = b""
                async for part in answer.content.iter_chunked(1 << 16):
                    body += part
                    if len(body) > _ANSWER_AT_MOST:
                        break
                said = {name.lower(): value for name, value in answer.headers.items()}
                return Answer(status_code=answer.status, headers=said, text=_text(body, answer.charset))
        except (aiohttp.ClientError, ValueError, TimeoutError, OSError) as error:
            words = _words(error, left=left.left)
            raise (MayHaveLeftError if left.left else NeverLeftError)(words) from error

    async def aclose(self) -> None:
        """Close all connections."""
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()

    def _proxy(self, url: str) -> str | None:
        if not self._proxies:
            return None
        parts = urlsplit(url)
        proxy = self._proxies.get(parts.scheme) or self._proxies.get("all")
        return None if proxy is None or proxy_bypass(parts.hostname or "") else proxy


class _Watch:
    """Sees whether the request itself began to be written to a connection; opening a way through a proxy is not it."""

    def __init__(self) -> None:
        self.left = False


async def _see(_session: object, context: Any, _sent: object) -> None:
    context.trace_request_ctx.left = True


def _trusted() -> ssl.SSLContext | Literal[True]:
    """Trust the system's authorities, which aiohttp has loaded; where there are none (a bare container), certifi's."""
    paths = ssl.get_default_verify_paths()
    if paths.cafile or (paths.capath and any(Path(paths.capath).iterdir())):
        return True
    return ssl.create_default_context(cafile=certifi.where())


def _text(body: bytes, charset: str | None) -> str:
    try:
        return body.decode(charset or "utf-8", "replace")
    except LookupError:
        return body.decode("utf-8", "replace")


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Read Retry-After, as seconds or as a date; None where there is none that makes sense."""
    value = headers.get("retry-after", "").strip()
    try:
        return max(float(value), 0.0) if value.replace(".", "", 1).isdecimal() else _until(value, now)
    except (ValueError, OverflowError):
        return None


def ahead_of(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """Say how far our clock, at `now`, is ahead of the one that an answer was dated by; None where it was not."""
    try:
        at = parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, OverflowError):
        return None
    return now - at.replace(tzinfo=at.tzinfo or UTC)


def _until(value: str, now: datetime) -> float:
    at = parsedate_to_datetime(value)
    return max((at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds(), 0.0)


def _words(error: Exception, *, left: bool) -> str:
    """Say what went wrong. The library's own words may hold an address, and most of them hold nothing."""
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return "no connection in time"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, aiohttp.ClientProxyConnectionError | aiohttp.ClientHttpProxyError):
        return "the proxy refused"
    if isinstance(
        error, aiohttp.ClientOSError | aiohttp.ServerDisconnectedError | aiohttp.ClientPayloadError | OSError
    ):
        return "the connection broke before an answer" if left else "no connection"
    return type(error).__name__
