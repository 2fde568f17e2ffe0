"""Who sends: the choice among the providers of a channel, with what the record of tries says of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from notify.channels.twilio_status import is_about_the_way
from rules import providers as deciding
from rules.decisions import Delivery, DeliveryState
from rules.providers import Health, Try, Turn
from store import providers
from store.database import Transaction
from store.providers import Tried


class Failover:
    """The providers of each channel. Asks nothing of the database where there is no choice."""

    def __init__(self, providers_by_channel: Mapping[str, Sequence[str]]) -> None:
        self._providers = {channel: tuple(names) for channel, names in providers_by_channel.items()}

    def has(self, delivery: Delivery) -> bool:
        """Whether the provider that a delivery was handed to is one of ours still."""
        return delivery.provider in self._providers.get(delivery.channel, (delivery.provider,))

    async def choose(self, tx: Transaction, deliveries: Sequence[Delivery], now: datetime) -> dict[int, str | None]:
        """Choose the provider of each delivery that is about to be sent; None where its channel is not set up."""
        chosen: dict[int, str | None] = {}
        open_choice: list[Delivery] = []
        for one in deliveries:
            names = self._providers.get(one.channel, ())
            if len(names) > 1 and not one.stopped:
                open_choice.append(one)
            else:
                chosen[one.id] = names[0] if names and not one.stopped else None
        if not open_choice:
            return chosen
        again = [one.id for one in open_choice if one.attempts]
        before = await providers.tries_of(tx, again) if again else {}
        health = {
            channel: await self.health(tx, channel, now) for channel in sorted({one.channel for one in open_choice})
        }
        for one in open_choice:
            known = health[one.channel]
            picked = deciding.pick(
                self._providers[one.channel],
                known,
                before=[_try(*each) for each in before.get(one.id, ())],
                priority=one.priority,
                now=now,
            )
            chosen[one.id] = picked
            # One that is sick gets one to try with, and one that is well not all of a crowd.
            known[picked] = replace(known[picked], last_at=now, under_way=known[picked].under_way + 1)
        return chosen

    async def turn(self, tx: Transaction, delivery: Delivery, *, refused: bool) -> Turn:
        """Say when a message that its provider has just not taken is tried again; `refused`: it never will."""
        names = self._providers.get(delivery.channel, ())
        just_now = Try(provider=delivery.provider or "", refused=refused)
        if len(names) < 2:
            return Turn.NEVER if refused else Turn.LATER
        earlier = (await providers.tries_of(tx, [delivery.id]))[delivery.id]
        return deciding.turn(names, [*(_try(*each) for each in earlier), just_now])

    def rounds(self, delivery: Delivery) -> int:
        """How often all providers of its channel have been tried for a delivery, at least once."""
        return max(1, delivery.attempts // max(1, len(self._providers.get(delivery.channel, ()))))

    async def health(self, tx: Transaction, channel: str, now: datetime) -> dict[str, Health]:
        """How each provider of a channel has done lately."""
        return {name: await self._health_of(tx, channel, name, now) for name in self._providers.get(channel, ())}

    async def all_health(self, tx: Transaction, now: datetime) -> dict[tuple[str, str], Health]:
        """How all providers have done lately, by channel and provider."""
        found = {channel: await self.health(tx, channel, now) for channel in self._providers}
        return {(channel, name): one for channel, each in found.items() for name, one in each.items()}

    async def _health_of(self, tx: Transaction, channel: str, provider: str, now: datetime) -> Health:
        since = now - deciding.LOOK_BACK
        tries = await providers.recent(tx, channel=channel, provider=provider, since=since, limit=deciding.TRIES)
        under_way = await providers.under_way(tx, channel=channel, provider=provider)
        last_at = tries[0].at if tries else None
        return deciding.health(_weights(channel, tries), last_at, under_way=under_way, now=now)


def _weights(channel: str, tries: Sequence[Tried]) -> list[float]:
    """Count each try from 0 to 1; what did not arrive at one phone counts once, however often that phone was tried."""
    unreached: set[str] = set()
    weights = []
    for one in tries:
        weight = 1.0 if one.against else 0.0
        if not one.against and one.state is DeliveryState.FAILED and is_about_the_way(channel, one.error):
            weight = 0.0 if one.recipient_id in unreached else deciding.UNDELIVERED
            unreached.add(one.recipient_id)
        weights.append(weight)
    return weights


def _try(provider: str, outcome: DeliveryState) -> Try:
    return Try(provider=provider, refused=outcome is DeliveryState.FAILED)
