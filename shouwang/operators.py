"""Those who run the service, and the ways to tell them: none of these needs the database, the outbox or the broker.

The ways are tried one after the other until one takes the message. Each has its own connection, so that a provider that
hangs for the workers' messages does not hold up this one.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol

from notify.channel import Channel, SendOutcome
from notify.channels.apprise import AppriseChannel
from notify.channels.http import Courier, MayHaveLeftError, NeverLeftError
from notify.channels.twilio_client import TwilioAccount, TwilioClient
from notify.channels.twilio_sms import TwilioSms
from notify.channels.webhook import signature
from notify.masking import mask_address, mask_text
from rules.decisions import Delivery, DeliveryState, Priority, Purpose
from rules.trouble import News, TroubleKind
from shouwang import channels
from shouwang.settings import Settings

_log = logging.getLogger(__name__)

#: Seconds that one way may take.
PATIENCE_S = 10.0


class Bulletin(NamedTuple):
    """What is told at once."""

    #: For people.
    text: str
    #: For programs.
    news: Sequence[News]


class Way(Protocol):
    """One way to one operator."""

    @property
    def name(self) -> str:
        """For logs: `sms 138****0001`."""
        ...

    @property
    def leans_on(self) -> str:
        """The provider whose trouble makes this way useless; empty where it is none that is known of."""
        ...

    async def tell(self, bulletin: Bulletin) -> str | None:
        """Tell them; None where it was taken, otherwise why not. May raise, and may take too long."""
        ...


class Operators:
    """The ways, in their order."""

    def __init__(self, ways: Sequence[Way], *, patience_s: float = PATIENCE_S) -> None:
        self._ways = ways
        self._patience_s = patience_s

    @property
    def any(self) -> bool:
        """Whether there is anybody to tell."""
        return bool(self._ways)

    async def tell(self, bulletin: Bulletin) -> bool:
        """Tell them by the first way that takes it; False where none does. Never raises."""
        for way in in_order(self._ways, bulletin.news):
            reason = await self._try(way, bulletin)
            if reason is None:
                _log.info("the operators were told by %s: %s", way.name, _in_short(bulletin))
                return True
            _log.warning("the operators could not be told by %s: %s", way.name, reason)
        return False

    async def _try(self, way: Way, bulletin: Bulletin) -> str | None:
        try:
            async with asyncio.timeout(self._patience_s):
                return await way.tell(bulletin)
        except TimeoutError:
            return f"no answer within {self._patience_s:g} s"
        except Exception as error:  # noqa: BLE001 - whatever is the matter with one way, the next has its turn
            return mask_text(f"{type(error).__name__}: {error}")


def in_order(ways: Sequence[Way], news: Sequence[News]) -> list[Way]:
    """Give the ways in the order of trying: those that lean on what is in trouble come last."""
    troubled = {TroubleKind.PROVIDER, TroubleKind.QUOTA}
    broken = {one.trouble.subject for one in news if one.trouble.kind in troubled}
    return sorted(ways, key=lambda way: way.leans_on in broken)


class WebhookWay:
    """JSON to an address.

    POST with what `document` gives, signed as other webhooks are where there is a secret. Any 2xx takes it.
    """

    #: The workers' webhooks go elsewhere.
    leans_on = ""

    def __init__(self, url: str, *, secret: str | None, now: Callable[[], datetime], courier: Courier) -> None:
        self._url = url
        self._secret = secret.encode() if secret else None
        self._now = now
        self._courier = courier
        self.name = f"webhook {mask_address(url)}"

    async def tell(self, bulletin: Bulletin) -> str | None:
        """Post it once."""
        at = self._now()
        body = json.dumps(document(bulletin, at), ensure_ascii=False, separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json", "User-Agent": "shouwang"}
        if self._secret is not None:
            headers["X-Shouwang-Signature"] = signature(self._secret, int(at.timestamp()), body)
        try:
            answer = await self._courier.request("POST", self._url, content=body, headers=headers)
        except (NeverLeftError, MayHaveLeftError) as error:
            return str(error)
        return None if answer.is_success else f"it answered {answer.status_code}"


def document(bulletin: Bulletin, at: datetime) -> dict[str, Any]:
    """Give what is posted. Fields are only ever added, never renamed."""
    return {
        "version": 1,
        "at": at.isoformat(),
        "text": bulletin.text,
        "troubles": [
            {
                "event": str(one.event),
                "kind": str(one.trouble.kind),
                "subject": one.trouble.subject,
                "detail": one.trouble.detail,
                "began_at": one.trouble.began_at.isoformat(),
                "ended_at": one.trouble.ended_at.isoformat() if one.trouble.ended_at else None,
            }
            for one in bulletin.news
        ],
    }


class ChannelWay:
    """A channel that workers are told by as well, with an address of the operators' own."""

    def __init__(self, channel: Channel, address: str, *, provider: str = "") -> None:
        self._channel = channel
        self._address = address
        self.leans_on = provider
        by = f" by {provider}" if provider else ""
        self.name = f"{channel.name} {mask_address(address)}{by}"

    async def tell(self, bulletin: Bulletin) -> str | None:
        """Send it once."""
        result = await self._channel.send(_delivery(self._channel.name, self._address, bulletin.text))
        if result.outcome is SendOutcome.ACCEPTED:
            return None
        return result.error or str(result.outcome)


def _delivery(channel: str, address: str, text: str) -> Delivery:
    """Write a message in the form in which channels take it. It is in no outbox, and nothing comes back of it."""
    now = datetime.now(UTC)
    return Delivery(
        id=0,
        incident_id="trouble",
        step_key="trouble",
        recipient_id="operators",
        recipient_name="operators",
        channel=channel,
        address=address,
        purpose=Purpose.INFORM,
        priority=Priority.INFORM,
        text=text,
        code="",
        expires_at=now + timedelta(hours=1),
        state=DeliveryState.SENDING,
        created_at=now,
        attempts=1,
        fence=1,
        owner=None,
    )


def _in_short(bulletin: Bulletin) -> str:
    return ", ".join(f"{one.trouble.kind} {one.event}" for one in bulletin.news)


@contextlib.asynccontextmanager
async def from_settings(settings: Settings, *, now: Callable[[], datetime]) -> AsyncIterator[Operators]:
    """Give the ways that are set; connections are closed at the end."""
    asked, ways = settings.operators, list[Way]()
    async with contextlib.AsyncExitStack() as stack:
        if asked.webhook is not None:
            courier = Courier()
            stack.push_async_callback(courier.aclose)
            secret = settings.webhook.secret
            signed = secret.get_secret_value() if secret else None
            ways.append(WebhookWay(asked.webhook.get_secret_value(), secret=signed, now=now, courier=courier))
        if asked.apprise is not None:
            apprise = AppriseChannel()
            stack.push_async_callback(apprise.aclose)
            ways += [ChannelWay(apprise, one) for one in asked.apprise.get_secret_value().split()]
        numbers = asked.sms.split() if asked.sms is not None else []
        accounts = channels.accounts(settings)
        for name in accounts if numbers else ():
            client = private_client(accounts[name], now=now)
            stack.push_async_callback(client.aclose)
            sms = TwilioSms(client)
            ways += [ChannelWay(sms, one, provider=name) for one in numbers]
        if numbers and not accounts:
            _log.warning("SHOUWANG_OPERATORS__SMS is set, but no Twilio account to send by")
        if not ways:
            _log.warning("no SHOUWANG_OPERATORS__… is set: of its own trouble Shouwang can tell only the log")
        yield Operators(ways)


def private_client(account: TwilioAccount, *, now: Callable[[], datetime]) -> TwilioClient:
    """Make a connection to an account beside that of the channels; nothing that is sent by it has receipts."""
    return TwilioClient(replace(account, public_url=None), now=now)
