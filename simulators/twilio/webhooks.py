"""What the provider asks of the service: signed requests to its URLs."""

import base64
import hmac
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol
from urllib.parse import urlencode, urljoin, urlsplit, urlunsplit

import aiohttp
import phonenumbers
import yarl

from simulators.twilio.resources import new_sid

_log = logging.getLogger(__name__)

#: Twilio waits 15 s for an answer (its error 11205), and does not repeat the request without being told to.
ANSWER_WITHIN_S = 15.0


class Answer(NamedTuple):
    """What the service answered; status 0: nothing came."""

    status: int
    body: str
    content_type: str

    @property
    def good(self) -> bool:
        """Whether it is a 2xx."""
        return 200 <= self.status < 300


NO_ANSWER = Answer(0, "", "")


class Post(Protocol):
    """Sends one request; raises OSError or TimeoutError where nothing comes back."""

    async def __call__(self, method: str, url: str, *, params: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        """Make the request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """One request the provider made to the service, for the record."""

    at: datetime
    method: str
    url: str
    params: Mapping[str, str]
    status: int
    answer: str


def sign(auth_token: str, url: str, params: Mapping[str, str]) -> str:
    """X-Twilio-Signature: HMAC-SHA1 over the URL and the sorted form fields."""
    text = url + "".join(name + params[name] for name in sorted(params))
    return base64.b64encode(hmac.digest(auth_token.encode(), text.encode(), "sha1")).decode()


def places(**numbers: str) -> dict[str, str]:
    """The geographic fields Twilio adds to each request.

    Many of them are empty, and a parser that drops those breaks the signature.
    """
    fields: dict[str, str] = {}
    for role, number in numbers.items():
        try:
            country = phonenumbers.region_code_for_number(phonenumbers.parse(number)) or ""
        except phonenumbers.NumberParseException:
            country = ""
        fields |= {f"{role}Country": country, f"{role}State": "", f"{role}City": "", f"{role}Zip": ""}
    return fields


class HttpPost:
    """Sends over real HTTP, through `routes` from a public address to where the service really listens.

    A route is what a proxy in front of the service does: the request is signed for the public address, and arrives at
    the other one with Host and X-Forwarded-Proto of the public one.
    """

    def __init__(self, routes: Mapping[str, str]) -> None:
        self._routes = routes
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, method: str, url: str, *, params: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        """Make the request."""
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_WITHIN_S))
        target, extra = self._route(url)
        try:
            async with self._session.request(
                method,
                yarl.URL(target, encoded=True),
                data=urlencode(params).encode() if method == "POST" else None,
                headers={**headers, **extra},
                allow_redirects=False,
            ) as response:
                return Answer(response.status, await response.text(), response.content_type)
        except aiohttp.ClientError as exc:
            raise ConnectionError(f"no answer from {target}: {exc}") from exc

    def _route(self, url: str) -> tuple[str, dict[str, str]]:
        for public, real in self._routes.items():
            if url.startswith(public):
                parts = urlsplit(public)
                return real + url[len(public) :], {"Host": parts.netloc, "X-Forwarded-Proto": parts.scheme}
        return url, {}

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None


class Webhooks:
    """Makes signed requests and keeps a record of them."""

    def __init__(self, auth_token: str, post: Post) -> None:
        self.auth_token = auth_token
        self.sent: list[Webhook] = []
        self._post = post

    async def send(self, method: str, url: str, params: Mapping[str, str], *, at: datetime) -> Answer:
        """Ask the service; never raises for what the service does wrong."""
        parts = urlsplit(url)
        # What follows # are settings of the connection (Twilio's "connection overrides") and stays with the provider.
        url = urlunsplit(parts._replace(fragment=""))
        fields = dict(params)
        if method == "GET":
            url += ("&" if parts.query else "?") + urlencode(fields)
            fields = {}
        headers = {
            "X-Twilio-Signature": sign(self.auth_token, url, fields),
            "User-Agent": "TwilioProxy/1.1",
            "Accept": "*/*",
            "I-Twilio-Idempotency-Token": new_sid(""),
        }
        if method == "POST":
            headers["Content-Type"] = "application/x-www-form-urlencoded; charset=UTF-8"
        try:
            answer = await self._post(method, url, params=fields, headers=headers)
        except (OSError, TimeoutError) as exc:
            _log.info("webhook %s %s: %s", method, url, exc)
            answer = NO_ANSWER
        self.sent.append(
            Webhook(at=at, method=method, url=url, params=dict(params), status=answer.status, answer=answer.body)
        )
        return answer


def absolute(base: str, reference: str) -> str:
    """A URL from TwiML, relative to that of the document it stands in."""
    return urljoin(base, reference)
