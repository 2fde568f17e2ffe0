"""Twilio's API, with the outcomes that an outbox needs to tell apart.

twilio-python builds the requests and reads the answers. The connection is ours, because its own asynchronous one
ignores time-outs and cannot say whether a request had left when it failed (see http.py). Nothing is repeated in here.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from notify.channel import SendOutcome, SendResult
from notify.channels.http import Courier, MayHaveLeftError, NeverLeftError, ahead_of, retry_after_s
from notify.channels.twilio_status import ERRORS, TAKEN_LATER, error_words, is_about_account
from notify.masking import mask_text


@dataclass(frozen=True, slots=True, kw_only=True)
class TwilioAccount:
    """Whose account, which sender, and where both sides find each other."""

    account_sid: str
    auth_token: str = field(repr=False)
    #: A number in E.164, or, for texts only, the SID of a messaging service (`MG…`).
    from_number: str
    #: Another endpoint that speaks Twilio's API; None: Twilio's own.
    api_base_url: str | None = None
    #: Where Twilio reaches our webhooks; without it there are no receipts and no keys on calls.
    public_url: str | None = None

    def webhook(self, name: str, delivery_id: int) -> str | None:
        """Give the address of one of our webhooks for a delivery; None without a public address."""
        if not self.public_url:
            return None
        return f"{self.public_url.rstrip('/')}/webhooks/twilio/{name}?delivery={delivery_id}"


class RefusedError(Exception):
    """Twilio answered, and not with a 2xx."""

    def __init__(self, status: int, code: int | None, message: str, *, retry_after_s: float | None = None) -> None:
        self.status = status
        self.code = code
        self.retry_after_s = retry_after_s
        reason = error_words(code) if code in ERRORS else ": ".join(str(part) for part in (code, message) if part)
        super().__init__(mask_text(f"Twilio answered {status}: {reason or 'no reason given'}"))


class UnreadableError(Exception):
    """Twilio answered with a 2xx that is not what its documentation says."""


def outcome_of(status: int, code: int | None) -> SendOutcome:
    """Say what an answer other than 2xx to a request that creates something means for it."""
    if status == 429 or code in TAKEN_LATER:
        return SendOutcome.RETRY
    if status == 408 or status >= 500 or status < 300:
        # A 5xx does not say how far it came: messages have been sent by requests that were answered with 500.
        return SendOutcome.UNKNOWN
    return SendOutcome.PERMANENT


class TwilioClient:
    """One account's connection, shared by its channels. Loads twilio-python when it is first used."""

    def __init__(self, account: TwilioAccount, *, now: Callable[[], datetime], courier: Courier | None = None) -> None:
        """Make it; `now` gives the aware time."""
        self.account = account
        self.now = now
        self._courier = courier or Courier()
        self._connection = _Connection(self._courier, now)
        self._rest: Any = None

    @property
    def ahead(self) -> timedelta:
        """How far our clock was ahead of Twilio's when it answered last; negative: behind."""
        return self._connection.ahead

    async def warm_up(self) -> None:
        """Load the library and the certificates, so that the first page does not wait for them."""
        if self._rest is None:
            self._rest = await asyncio.to_thread(self._load)
        await self._courier.warm_up()

    async def create(self, make: Callable[[Any], Awaitable[Any]]) -> SendResult:
        """Let `make` create something with twilio-python's client, and say what became of it."""
        try:
            record = await self.read(make)
        except NeverLeftError as error:
            return SendResult(outcome=SendOutcome.RETRY, error=f"Twilio was not reached: {error}")
        except MayHaveLeftError as error:
            return SendResult(outcome=SendOutcome.UNKNOWN, error=f"Twilio did not answer: {error}")
        except RefusedError as error:
            outcome = outcome_of(error.status, error.code)
            return SendResult(
                outcome=outcome,
                error=str(error),
                retry_after_s=error.retry_after_s,
                account_refused=outcome is SendOutcome.PERMANENT and is_about_account(error.status, error.code),
            )
        except UnreadableError as error:
            return SendResult(outcome=SendOutcome.UNKNOWN, error=str(error))
        if not record.sid:
            return SendResult(outcome=SendOutcome.UNKNOWN, error="Twilio's answer names no message")
        return SendResult(outcome=SendOutcome.ACCEPTED, provider_id=record.sid, status=record.status)

    async def read(self, query: Callable[[Any], Awaitable[Any]]) -> Any:
        """Let `query` read something with twilio-python's client.

        Raises NeverLeftError, MayHaveLeftError, RefusedError or UnreadableError.
        """
        await self.warm_up()
        try:
            return await query(self._rest)
        except (NeverLeftError, MayHaveLeftError, RefusedError):
            raise
        except Exception as error:  # the library raises whatever its parsing comes upon
            raise UnreadableError(f"Twilio's answer cannot be read: {type(error).__name__}: {error}") from error

    async def aclose(self) -> None:
        """Close the connections."""
        await self._courier.aclose()

    def _load(self) -> Any:
        from twilio.rest import Client  # noqa: PLC0415 - 15 MB and a tenth of a second, only where Twilio is used

        client = Client(self.account.account_sid, self.account.auth_token, http_client=self._connection)
        # Otherwise TWILIO_EDGE or TWILIO_REGION of the environment would rewrite the host; ours is settable by its URL.
        client.edge = client.region = None
        if self.account.api_base_url:
            client.api.base_url = self.account.api_base_url.rstrip("/")
        return client


class _Connection:
    """What twilio-python takes for its asynchronous HTTP client."""

    is_async = True

    def __init__(self, courier: Courier, now: Callable[[], datetime]) -> None:
        self._courier = courier
        self._now = now
        self.ahead = timedelta()

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, object] | None = None,
        data: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 - the signature is twilio-python's; ours is the courier's
        allow_redirects: bool = False,  # noqa: ARG002 - see timeout; never
    ) -> Any:
        """Make one request; raise RefusedError for every answer other than 2xx."""
        from twilio.http.response import Response  # noqa: PLC0415 - loaded by now

        answer = await self._courier.request(method, url, params=params, form=data, headers=headers, auth=auth)
        self.ahead = ahead_of(answer.headers, self._now()) or timedelta()
        if not answer.is_success:
            code, message = _reason(answer.text)
            raise RefusedError(
                answer.status_code, code, message, retry_after_s=retry_after_s(answer.headers, self._now())
            )
        return Response(answer.status_code, answer.text, answer.headers)


def _reason(body: str) -> tuple[int | None, str]:
    """Read Twilio's error body, of the old and of the new form; a proxy's page has neither."""
    try:
        document = json.loads(body)
    except ValueError:
        return None, ""
    if not isinstance(document, dict):
        return None, ""
    code = document.get("code")
    message = document.get("message") or document.get("detail") or document.get("title") or ""
    return (code if isinstance(code, int) else None), str(message)
