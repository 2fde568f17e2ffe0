"""The channels that the settings ask for, made once and closed at the end."""

import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from datetime import datetime

from notify.channel import Channel
from notify.channels.apprise import AppriseChannel
from notify.channels.console import ConsoleChannel
from notify.channels.several import SeveralProviders
from notify.channels.twilio_client import TwilioAccount, TwilioClient
from notify.channels.twilio_sms import TwilioSms
from notify.channels.twilio_voice import TwilioVoice
from notify.channels.webhook import WebhookChannel
from rules.decisions import Delivery
from shouwang.settings import Settings, TwilioSettings

_log = logging.getLogger(__name__)

#: Which of the provider's ids belong to deliveries other than this one.
Taken = Callable[[Delivery, Collection[str]], Awaitable[Collection[str]]]
Requested = Callable[[Delivery], Awaitable[tuple[datetime | None, Collection[datetime]]]]

#: The groups of settings with an account for texts and calls, in the order of preference.
PROVIDERS = ("twilio", "twilio_2")

#: Every channel a contact method may name.
NAMES = ("sms", "voice", "apprise", "webhook", "console")


@contextlib.asynccontextmanager
async def from_settings(
    settings: Settings, *, now: Callable[[], datetime], taken: Taken, requested: Requested | None = None
) -> AsyncIterator[Mapping[str, Channel]]:
    """Give every channel that can be used with these settings, by name; connections are closed at the end."""
    async with contextlib.AsyncExitStack() as stack:
        apprise = AppriseChannel()
        stack.push_async_callback(apprise.aclose)
        sending: dict[str, Channel] = {"apprise": apprise, "console": ConsoleChannel()}
        # Unsigned, a receiver could not tell our word from anybody's.
        if secret := settings.webhook.secret:
            webhook = WebhookChannel(now=now, secret=secret.get_secret_value())
            stack.push_async_callback(webhook.aclose)
            sending["webhook"] = webhook
        sms: dict[str, Channel] = {}
        voice: dict[str, Channel] = {}
        for name, account in accounts(settings).items():
            client = TwilioClient(account, now=now)
            stack.push_async_callback(client.aclose)
            twilio: TwilioSettings = getattr(settings, name)
            sms[name] = TwilioSms(client, taken=taken)
            voice[name] = TwilioVoice(
                client,
                language=settings.language,
                ring_s=twilio.ring_s,
                detect_machines=twilio.detect_machines,
                taken=taken,
                requested=requested,
            )
            await client.warm_up()
        if sms:
            sending |= {"sms": SeveralProviders("sms", sms), "voice": SeveralProviders("voice", voice)}
            if settings.http.public_url is None:
                _log.warning("no SHOUWANG_HTTP__PUBLIC_URL: replies, receipts and keys on calls cannot reach us")
        else:
            _log.warning("no Twilio account is set: texts and calls fail, and the next contact method is tried")
        yield sending


def accounts(settings: Settings) -> Mapping[str, TwilioAccount]:
    """Give the accounts that are set, in the order of preference; each by the name of its group of settings.

    That name is what deliveries and figures call the provider.
    """
    found = {}
    for name in PROVIDERS:
        twilio: TwilioSettings = getattr(settings, name)
        if twilio.account_sid and twilio.auth_token and twilio.from_number:
            found[name] = TwilioAccount(
                account_sid=twilio.account_sid,
                auth_token=twilio.auth_token.get_secret_value(),
                from_number=twilio.from_number,
                api_base_url=twilio.api_base_url,
                public_url=settings.http.public_url,
            )
    return found


def stubs() -> Mapping[str, Channel]:
    """Channels that print every message here instead of sending it."""
    return {name: ConsoleChannel(name=name) for name in NAMES}
