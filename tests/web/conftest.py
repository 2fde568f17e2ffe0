"""The HTTP side over a desk, a phone and checks of the tests' own."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlencode

import httpx
import pytest
from twilio.request_validator import RequestValidator

from rules.incident import OutcomeKind, Verb
from web.app import create_app
from web.metrics import Metrics
from web.options import WebOptions
from web.ports import ActResult, CallScript

AUTH_TOKEN = "a-made-up-auth-token"
API_TOKEN = "a-made-up-api-token"
PUBLIC_URL = "https://alarm.example.org"
SCRIPT = CallScript(speech="玉林北街1号院,燃气泄漏。按1接单。", language="zh", asks=True)


@dataclass
class FakeDesk:
    """Knows one open incident, K7, and refuses whatever `refusal` says."""

    acts: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[bool, int]] = field(default_factory=list)
    figures_asked: list[float] = field(default_factory=list)
    homes_asked: list[tuple[bool, int, str]] = field(default_factory=list)
    refusal: str | None = None
    failure: Exception | None = None

    async def incidents(self, *, open_only: bool, limit: int) -> list[dict[str, Any]]:
        if self.failure:
            raise self.failure
        self.asked.append((open_only, limit))
        return [{"id": "0123abc", "code": "K7", "title": "燃气泄漏"}]

    async def incident(self, reference: str) -> dict[str, Any] | None:
        return {"id": "0123abc", "code": "K7", "journal": [], "deliveries": []} if reference == "K7" else None

    async def homes(self, *, unwatched_only: bool, limit: int, after: str = "") -> dict[str, Any]:
        self.homes_asked.append((unwatched_only, limit, after))
        return {"homes": [{"id": "h1", "watched": False}], "next": None, "deaf_since": None}

    async def delivery_figures(self, *, days: float) -> dict[str, Any]:
        self.figures_asked.append(days)
        return {"since": "2026-03-01T00:00:00.000+00:00", "figures": [], "providers": [{"provider": "twilio"}]}

    async def act(
        self,
        reference: str,
        verb: Verb,
        *,
        by: str,
        via: str,
        outcome: OutcomeKind | None = None,
        note: str | None = None,
    ) -> ActResult:
        if reference != "K7":
            return ActResult(found=False)
        if self.refusal:
            return ActResult(found=True, refused=self.refusal)
        self.acts.append({"verb": verb, "by": by, "via": via, "outcome": outcome, "note": note})
        return ActResult(found=True, incident={"code": "K7"}, answer="已记录")


@dataclass
class FakePhone:
    """Handles each reply once by its provider id, as the real one does."""

    answers: dict[str, str] = field(default_factory=dict)
    answer: str = "收到,您负责K7"
    handled: list[tuple[str, str]] = field(default_factory=list)
    receipts: list[dict[str, Any]] = field(default_factory=list)
    keys: list[tuple[int, str]] = field(default_factory=list)
    script: CallScript | None = SCRIPT

    async def sms(self, *, provider_id: str, sender: str, text: str) -> str:
        if provider_id not in self.answers:
            self.handled.append((sender, text))
            self.answers[provider_id] = self.answer
        return self.answers[provider_id]

    async def receipt(
        self,
        *,
        delivery_id: int | None,
        provider_id: str,
        status: str,
        error_code: str | None,
        kind: Literal["message", "call"],
        provider: str | None = None,
    ) -> None:
        self.receipts.append(
            {
                "delivery_id": delivery_id,
                "provider_id": provider_id,
                "status": status,
                "error": error_code,
                "kind": kind,
                "provider": provider,
            }
        )

    async def call_script(self, delivery_id: int) -> CallScript:
        if self.script is None:
            raise LookupError(delivery_id)
        return self.script

    async def call_key(self, delivery_id: int, key: str) -> CallScript:
        if self.script is None:
            raise LookupError(delivery_id)
        self.keys.append((delivery_id, key))
        return CallScript(speech="收到,谢谢。", language="zh", asks=False)


@dataclass
class FakeHealth:
    found: list[str] = field(default_factory=list)

    async def problems(self) -> list[str]:
        return self.found


@dataclass
class Site:
    """The application with all that stands behind it."""

    options: WebOptions
    desk: FakeDesk = field(default_factory=FakeDesk)
    phone: FakePhone = field(default_factory=FakePhone)
    health: FakeHealth = field(default_factory=FakeHealth)
    metrics: Metrics = field(default_factory=Metrics)
    peer: str | None = "127.0.0.1"
    base_url: str = "http://127.0.0.1:8080"

    def client(self) -> httpx.AsyncClient:
        app = create_app(self.desk, self.phone, self.health, self.options, metrics=self.metrics)

        async def with_peer(scope: Any, receive: Any, send: Any) -> None:
            scope["client"] = (self.peer, 50000) if self.peer else None
            await app(scope, receive, send)

        return httpx.AsyncClient(transport=httpx.ASGITransport(with_peer), base_url=self.base_url)

    async def request(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        async with self.client() as client:
            return await client.request(method, path, **arguments)

    async def twilio(
        self, path: str, fields: dict[str, str], *, token: str = AUTH_TOKEN, host: str = PUBLIC_URL, **headers: str
    ) -> httpx.Response:
        """Call a webhook as Twilio does: signed with a token, for the address under which it knows us."""
        path = f"/webhooks/twilio/{path}"
        signature = RequestValidator(token).compute_signature(host + path, fields)
        return await self.request(
            "POST",
            path,
            content=urlencode(fields),
            headers={"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signature, **headers},
        )

    def refused(self, reason: str) -> float:
        return self.metrics.registry.get_sample_value("shouwang_webhook_refused_total", {"reason": reason}) or 0.0


@pytest.fixture
def make_site() -> Callable[..., Site]:
    def make(**options: Any) -> Site:
        return Site(WebOptions(**{"public_url": PUBLIC_URL, "twilio_auth_token": AUTH_TOKEN, **options}))

    return make


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    """On this machine alone: without a public address and without an API token."""
    return make_site(public_url=None)


@pytest.fixture
def secrets_stay_out_of_logs(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.DEBUG)
    yield
    for secret in (AUTH_TOKEN, API_TOKEN):
        assert secret not in caplog.text
