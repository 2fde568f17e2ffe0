"""Test messages, where somebody asked for them: by every provider of the channel, with what became of each.

Nothing of it is in the outbox: a running service knows nothing of these messages, and the provider brings no receipts
of them to it.
"""

import asyncio
import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple

from notify.channel import Asks, Channel, DoubtOutcome, DoubtResult, SendOutcome, SendResult, StatusMeaning
from notify.channels import twilio_status
from notify.channels.several import providers_of
from notify.masking import mask_address
from rules.community import Registry
from rules.decisions import Delivery, DeliveryState, Priority, Purpose
from rules.texts import render
from shouwang import channels
from shouwang.doctor.diagnosis import Diagnosis, finding, fine, note
from shouwang.doctor.patient import Patient

SUBJECT = "test message"

#: How long a provider's later word is waited for, and how often it is asked.
_WORD_S = 20.0
_ASK_EVERY_S = 2.0
_CODE = "T0"


class Target(NamedTuple):
    """Where a test message goes."""

    channel: str
    address: str


def targets(wanted: str, registry: Registry | None) -> list[Target]:
    """Say what was meant: a number, an address, `channel:address`, or a worker's id for each of that person's ways.

    Raises ValueError with a sentence where it was nothing of these.
    """
    channel, colon, address = wanted.partition(":")
    if colon and channel in channels.NAMES and not address.startswith("//"):
        return [Target(channel, address)]
    if re.fullmatch(r"\+[1-9]\d{6,14}", wanted):
        return [Target("sms", wanted)]
    if "://" in wanted:
        return [Target("webhook" if wanted.startswith(("http://", "https://")) else "apprise", wanted)]
    for worker in registry.workers if registry else ():
        if worker.id == wanted:
            return [Target(one.channel, one.address) for one in worker.contact]
    raise ValueError(
        f"'{mask_address(wanted)}' is no number (+8613800000001), no address (ntfy://…), no channel with an address"
        " (voice:+8613800000001) and no worker's id"
    )


async def look(patient: Patient) -> list[Diagnosis]:
    """Send a test message to everybody who was named."""
    told: list[Diagnosis] = []
    wanted: list[Target] = []
    for name in patient.send_to:
        try:
            wanted += targets(name, patient.registry)
        except ValueError as error:
            told.append(finding(SUBJECT, str(error), advice="Write it in one of these forms."))
    # Without a public address no receipts are asked for, and a call carries what it says.
    http = patient.settings.http.model_copy(update={"public_url": None})
    settings = patient.settings.model_copy(update={"http": http})
    async with channels.from_settings(settings, now=patient.now, taken=_nobodys) as sending:
        each = await asyncio.gather(*(_sent(target, sending.get(target.channel), patient) for target in wanted))
    return told + [one for some in each for one in some]


async def _nobodys(_delivery: Delivery, _provider_ids: object) -> Sequence[str]:
    return ()


async def _sent(target: Target, channel: Channel | None, patient: Patient) -> list[Diagnosis]:
    where = f"{target.channel} {mask_address(target.address)}"
    if channel is None:
        advice = "Set it up; see docs/configuration.md, section Settings."
        return [finding(SUBJECT, f"{target.channel} is not set up", where=where, advice=advice)]
    return [
        one
        for number, provider in enumerate(providers_of(channel))
        for one in await _by(channel, _delivery(target, patient, provider, number), f"{where} by {provider}")
    ]


def _delivery(target: Target, patient: Patient, provider: str, number: int) -> Delivery:
    now, language = patient.now(), patient.settings.language
    return Delivery(
        # No delivery of the service's is below 1, and no receiver takes this test for an earlier one.
        id=-(int(now.timestamp()) * 10 + number),
        incident_id="doctor",
        step_key="test",
        recipient_id="doctor",
        recipient_name="",
        channel=target.channel,
        address=target.address,
        purpose=Purpose.INFORM,
        priority=Priority.INFORM,
        # The time makes it findable at the provider among earlier ones.
        text=f"{render('test.text', language)} {now:%H:%M:%S}",
        speech=render("test.speech", language) if target.channel == "voice" else "",
        code=_CODE,
        expires_at=now + timedelta(minutes=10),
        drill=True,
        state=DeliveryState.SENDING,
        created_at=now,
        attempts=1,
        fence=1,
        owner="doctor",
        provider=provider,
    )


async def _by(channel: Channel, delivery: Delivery, where: str) -> list[Diagnosis]:
    result = await channel.send(delivery)
    if result.outcome is not SendOutcome.ACCEPTED or not isinstance(channel, Asks) or result.provider_id is None:
        return [*of_try(result, where)]
    word = DoubtResult(outcome=DoubtOutcome.FOUND, status=result.status)
    try:
        async with asyncio.timeout(_WORD_S):
            while _meaning(delivery, word) in {StatusMeaning.WAITING, StatusMeaning.SENT}:
                await asyncio.sleep(_ASK_EVERY_S)
                word = await channel.ask(delivery)
    except TimeoutError:
        pass
    return [*of_word(word, _meaning(delivery, word), where)]


def _meaning(delivery: Delivery, word: DoubtResult) -> StatusMeaning:
    if word.outcome is not DoubtOutcome.FOUND or word.status is None:
        return StatusMeaning.WAITING
    return twilio_status.meaning_of(delivery.channel, word.status)


def of_try(result: SendResult, where: str) -> Iterator[Diagnosis]:
    """Say what became of the try, where the provider has no later word on it."""
    match result.outcome:
        case SendOutcome.ACCEPTED:
            yield fine(SUBJECT, "was taken; look whether it arrived", where=where)
        case SendOutcome.UNKNOWN:
            yield finding(SUBJECT, f"nobody knows whether it left: {result.error}", where=where, advice=_LOOK)
        case _:
            yield finding(SUBJECT, f"was not taken: {result.error}", where=where, advice=_LOOK)


def of_word(word: DoubtResult, meaning: StatusMeaning, where: str) -> Iterator[Diagnosis]:
    """Say what the provider's last word on it means."""
    match meaning:
        case StatusMeaning.DELIVERED:
            yield fine(SUBJECT, f"arrived ({word.status})", where=where)
        case StatusMeaning.FAILED:
            advice = (
                "Look at the provider's log: a wrong number, a region that is not allowed, a filter of the carrier."
            )
            yield finding(SUBJECT, f"did not arrive ({word.status})", where=where, advice=advice)
        case _:
            what = (
                f"was taken, and there was no word within {_WORD_S:g} s that it arrived ({word.status or word.error})"
            )
            yield note(SUBJECT, what, where=where, advice="Look whether it arrived.")


_LOOK = "Look at the channel's settings and at the provider's own log."
