"""Signed JSON to any address: another system, a robot of one's own, a bridge to a provider.

    POST <address>
    Content-Type: application/json
    Idempotency-Key: <delivery id>                 the same for every try of one delivery
    X-Shouwang-Signature: t=<unix time>,v1=<hex>   HMAC-SHA256 of "<t>." and the body, with the shared secret

A receiver computes v1 with its copy of the secret, compares in constant time, refuses a `t` more than a few minutes
old, and does nothing twice for one Idempotency-Key. 2xx takes the message; 429, and 503 with Retry-After, ask for a
later try; every other 3xx and 4xx refuses it for good; everything else is a doubt that nobody can be asked about.
"""

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from notify.channel import SendOutcome, SendResult
from notify.channels.http import Courier, MayHaveLeftError, NeverLeftError, retry_after_s
from notify.masking import mask_text
from rules.decisions import Delivery, Priority

#: Characters of a receiver's words that are kept with a refusal.
_WORDS_AT_MOST = 200


class WebhookChannel:
    """Channel `webhook`."""

    name = "webhook"

    def __init__(
        self, *, now: Callable[[], datetime], secret: str | None = None, courier: Courier | None = None
    ) -> None:
        """Make it; `now` gives the aware time. Without a secret nothing is signed, and receivers cannot know us."""
        self._now = now
        self._secret = secret.encode() if secret else None
        self._courier = courier or Courier()

    async def send(self, delivery: Delivery) -> SendResult:
        """Post the delivery once."""
        if not delivery.address.startswith(("https://", "http://")):
            return SendResult(outcome=SendOutcome.PERMANENT, error="the address is not one of http or https")
        body = json.dumps(document(delivery), ensure_ascii=False, separators=(",", ":")).encode()
        now = self._now()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "shouwang",
            "Idempotency-Key": str(delivery.id),
        }
        if self._secret is not None:
            headers["X-Shouwang-Signature"] = signature(self._secret, int(now.timestamp()), body)
        try:
            answer = await self._courier.request("POST", delivery.address, content=body, headers=headers)
        except NeverLeftError as error:
            return SendResult(outcome=SendOutcome.RETRY, error=f"the webhook was not reached: {error}")
        except MayHaveLeftError as error:
            return SendResult(outcome=SendOutcome.UNKNOWN, error=f"the webhook did not answer: {error}")
        if answer.is_success:
            return SendResult(outcome=SendOutcome.ACCEPTED, status=str(answer.status_code))
        wait_s = retry_after_s(answer.headers, now)
        words = mask_text(" ".join(answer.text.split())[:_WORDS_AT_MOST])
        return SendResult(
            outcome=outcome_of(answer.status_code, wait_s),
            error=f"the webhook answered {answer.status_code}" + (f": {words}" if words else ""),
            retry_after_s=wait_s,
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._courier.aclose()


def outcome_of(status: int, retry_after: float | None) -> SendOutcome:
    """Say what an answer other than 2xx means."""
    if status == 429 or (status == 503 and retry_after is not None):
        return SendOutcome.RETRY
    if 300 <= status < 500 and status != 408:
        return SendOutcome.PERMANENT
    return SendOutcome.UNKNOWN


def signature(secret: bytes, at: int, body: bytes) -> str:
    """Give the value of X-Shouwang-Signature for a body sent at a Unix time."""
    digest = hmac.new(secret, f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def document(delivery: Delivery) -> dict[str, Any]:
    """Give what is posted. Fields are only ever added, never renamed."""
    return {
        "version": 1,
        "delivery": delivery.id,
        "incident": delivery.incident_id,
        "step": delivery.step_key,
        "purpose": str(delivery.purpose),
        "life_safety": delivery.priority in {Priority.LIFE_SAFETY_PAGE, Priority.LIFE_SAFETY_INFORM},
        "to": {"id": delivery.recipient_id, "name": delivery.recipient_name},
        "code": delivery.code,
        "text": delivery.text,
        "drill": delivery.drill,
        "late_s": delivery.late_s,
        "created_at": delivery.created_at.isoformat(),
        "expires_at": delivery.expires_at.isoformat(),
    }
