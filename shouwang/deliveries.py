"""The outbox as the dispatcher sees it: claims, results and doubts, each with the decision it calls for."""

import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from notify import backoff
from notify.channel import DoubtOutcome, DoubtResult, SendOutcome, SendResult
from notify.channels.twilio_status import StatusMeaning, meaning_of
from rules import machine
from rules.bundle import Bundling
from rules.decisions import Decision, Delivery, DeliveryState, JournalEntry, Paged, Priority, Purpose
from rules.incident import IncidentState
from rules.pace import Pacing
from rules.providers import Turn
from shouwang import verdicts
from shouwang.core import Core
from store import incidents, outbox
from store.database import Transaction
from web.metrics import priority_label

_log = logging.getLogger(__name__)

#: How long the dispatcher may hold a delivery before it counts as being in doubt; longer than any request may take.
LEASE_S = 30.0

#: A page that will be neither gone nor refused within this long has the person's next contact method tried beside it.
ELSEWHERE_AFTER = timedelta(seconds=20)

#: An absence at the provider counts only this long after the doubt began: its listing may lag behind.
BELIEVE_ABSENT_AFTER = timedelta(seconds=15)


#: What may repeat a page that was perhaps heard already ends at this try; a service that hangs, and delivers all the
#: same, would otherwise tell it every half minute.
UNASKED_TRIES = 3


class Deliveries:
    """Implements notify.dispatcher.Outbox over store and rules."""

    def __init__(self, core: Core, *, owner: str) -> None:
        """Make it for one process, named `owner`."""
        self._core = core
        self._owner = owner
        #: The channels whose provider can be asked about a doubt.
        self.asking: Collection[str] = frozenset()
        #: How much goes into one message.
        self.bundling = Bundling()
        #: How fast messages that are not urgent may leave.
        self.pacing = Pacing()

    async def next_at(self) -> datetime | None:
        """When there is something to send or to ask about next."""
        async with self._core.database.read() as tx:
            return await outbox.next_at(tx)

    async def claim(
        self, limit: int, *, channels: Collection[str] | None = None, max_priority: Priority | None = None
    ) -> Sequence[Delivery]:
        """Take what is due, marked as sending in a transaction of its own; life-safety first."""
        soonest = await self.next_at()
        if soonest is None or soonest > self._core.now():
            return ()
        async with self._core.database.write() as tx:
            return await self.claim_within(tx, limit, channels=channels, max_priority=max_priority)

    async def claim_within(
        self,
        tx: Transaction,
        limit: int,
        *,
        channels: Collection[str] | None = None,
        max_priority: Priority | None = None,
    ) -> Sequence[Delivery]:
        """Take what is due within a transaction that has just decided on it: one commit less before it leaves."""
        return await outbox.claim(
            tx,
            owner=self._owner,
            now=self._core.now(),
            limit=limit,
            lease_s=LEASE_S,
            channels=channels,
            max_priority=max_priority,
            choose=self._choose,
            bundling=self.bundling,
            pacing=self.pacing,
        )

    async def _choose(self, tx: Transaction, deliveries: Sequence[Delivery]) -> Mapping[int, str | None]:
        return await self._core.failover.choose(tx, deliveries, self._core.now())

    async def taken(self, delivery: Delivery, provider_ids: Collection[str]) -> Collection[str]:
        """Which of the provider's ids belong to other deliveries; a channel asks when it settles a doubt."""
        async with self._core.database.read() as tx:
            return await outbox.of_others(tx, delivery, provider_ids)

    async def requested(self, delivery: Delivery) -> tuple[datetime | None, Sequence[datetime]]:
        """When a delivery's request was made, and when those of others were of which it is not known either."""
        async with self._core.database.read() as tx:
            return await outbox.requested(tx, delivery)

    async def send_finished(self, delivery: Delivery, result: SendResult) -> None:
        """Record what became of a try, and let the incident move on where it failed."""
        now = self._core.now()
        self._core.metrics.deliveries.labels(delivery.channel, str(result.outcome)).inc()
        if delivery.provider and not result.ours:
            self._core.metrics.provider_tries.labels(delivery.channel, delivery.provider, str(result.outcome)).inc()
        mine = await self._core.database.transact(lambda tx: self._note_outcomes(tx, delivery, result, now))
        for hear in self._core.on_tries:
            hear(delivery, result)
        if mine and result.outcome is SendOutcome.ACCEPTED:
            for one in delivery.members:
                self._handed_over(one)
        if result.outcome is not SendOutcome.ACCEPTED:
            self._core.wake_dispatcher()
        level = logging.INFO if result.outcome is SendOutcome.ACCEPTED else logging.WARNING
        _log.log(
            level,
            "%s to %s%s%s: %s %s%s",
            delivery.channel,
            delivery.recipient_name,
            f" for {len(delivery.members)} homes" if delivery.others else "",
            "" if delivery.provider in {None, delivery.channel} else f" by {delivery.provider}",
            result.outcome,
            result.error or "",
            "" if mine else " (somebody else has it by now)",
            extra={"delivery": delivery.id, "incident": delivery.incident_id},
        )

    async def _note_outcomes(self, tx: Transaction, message: Delivery, result: SendResult, now: datetime) -> bool:
        """Record it for all that was in the message, and say whether it was still ours to say."""
        error, against = result.error or "", result.speaks_against
        mine = False
        match result.outcome:
            case SendOutcome.ACCEPTED:
                taken = {"provider_id": result.provider_id, "status": result.status}
                for one in message.members:
                    along = one is not message
                    mine |= await outbox.sent(tx, one, **taken, now=now, against=against, along=along)
            case SendOutcome.RETRY | SendOutcome.PERMANENT:
                mine = await self._not_taken(tx, message, result, now)
            case SendOutcome.UNKNOWN:
                mine = await self._in_doubt(tx, message, error, now, against=against)
        return mine

    async def _not_taken(self, tx: Transaction, message: Delivery, result: SendResult, now: datetime) -> bool:
        """It surely was not taken: another provider of the channel may take it at once, or it goes out later."""
        refused = result.outcome is SendOutcome.PERMANENT
        if refused and not result.account_refused:
            turn = Turn.NEVER
        elif result.ours:
            turn = Turn.LATER
        else:
            turn = await self._core.failover.turn(tx, message, refused=refused)
        error, against = result.error or "", result.speaks_against
        mine = False
        if turn is Turn.NEVER:
            for one in message.members:
                if await outbox.failed(tx, one, error=error, now=now, against=against, along=one is not message):
                    await self.move_on(tx, one, result.error or "refused")
                    mine = True
            return mine
        pause_s = backoff.retry_delay_s(self._core.failover.rounds(message), result.retry_after_s)
        at = now if turn is Turn.AT_ONCE else now + timedelta(seconds=pause_s)
        apart = all(one.attempts == 1 for one in message.members)
        for one in message.members:
            if await outbox.retry(
                tx,
                one,
                at=at,
                error=error,
                now=now,
                against=against,
                along=one is not message,
                refused=refused,
                apart=apart,
            ):
                await self._elsewhere_unless_soon(tx, one, at)
                mine = True
        if mine and turn is Turn.AT_ONCE:
            self._core.metrics.provider_passed_on.labels(message.channel, message.provider or "").inc()
        return mine

    async def doubt_answered(self, delivery: Delivery, result: DoubtResult) -> None:
        """Settle a doubt as far as the provider's answer allows (invariant one-page)."""
        now = self._core.now()
        self._core.metrics.deliveries.labels(delivery.channel, f"doubt_{result.outcome}").inc()
        async with self._core.database.write() as tx:
            for one in delivery.members:
                await self._settle_doubt(tx, one, result, now)
        self._core.wake_dispatcher()
        _log.warning(
            "doubt about %s to %s: %s",
            delivery.channel,
            delivery.recipient_name,
            result.outcome,
            extra={"delivery": delivery.id, "incident": delivery.incident_id},
        )

    async def _settle_doubt(self, tx: Transaction, delivery: Delivery, result: DoubtResult, now: datetime) -> None:
        since = delivery.doubt_since or now
        match result.outcome:
            case DoubtOutcome.FOUND:
                if await outbox.sent(tx, delivery, provider_id=result.provider_id, status=result.status, now=now):
                    self._handed_over(delivery)
                    await self._note(tx, delivery, "doubt_found")
                    await self._found_as(tx, delivery, result.status or "")
            case DoubtOutcome.ABSENT if now - since >= BELIEVE_ABSENT_AFTER:
                await self._send_again(tx, delivery, "not at the provider")
            case DoubtOutcome.CANNOT_ASK if not self._can_be_asked(delivery):
                await self._unaskable(tx, delivery)
            case _ if now >= delivery.expires_at:
                # It would be asked about for ever, and nobody waits for it any more.
                if await outbox.failed(tx, delivery, error="in doubt until it was of no use", now=now):
                    await self.move_on(tx, delivery, "in doubt until it was of no use")
            case _:
                at = now + timedelta(seconds=backoff.ask_delay_s((now - since).total_seconds()))
                if await outbox.unknown(tx, delivery, ask_at=at, error=result.error or "", now=now):
                    await self._elsewhere_unless_soon(tx, delivery, at)

    async def _found_as(self, tx: Transaction, delivery: Delivery, status: str) -> None:
        """Take the status with which the provider lists it for the receipt that may never come."""
        meaning = meaning_of(delivery.channel, status)
        if meaning is StatusMeaning.FAILED:
            if await outbox.set_state(tx, delivery.id, DeliveryState.FAILED, error=status):
                await self.move_on(tx, delivery, status)
        # A call that is listed as completed may have been heard by a voice box, and when a text arrived is not said.
        elif meaning is StatusMeaning.DELIVERED and delivery.channel == "sms":
            await outbox.set_state(tx, delivery.id, DeliveryState.DELIVERED)

    async def move_on(self, tx: Transaction, delivery: Delivery, reason: str) -> None:
        """Let the incident try the person's next contact method, or its next step, at once."""
        await self._decide(tx, delivery, reason=reason)

    def _can_be_asked(self, delivery: Delivery) -> bool:
        """Whether there is anybody to ask: the provider it was handed to may be gone from the settings."""
        return delivery.channel in self.asking and self._core.failover.has(delivery)

    def _handed_over(self, delivery: Delivery) -> None:
        waited = (self._core.now() - delivery.created_at).total_seconds()
        self._core.metrics.sensor_to_provider.labels(priority_label(delivery.priority)).observe(waited)

    async def _in_doubt(
        self, tx: Transaction, message: Delivery, error: str, now: datetime, *, against: bool | None
    ) -> bool:
        since = message.doubt_since or now
        # One time for all of it: what is asked about apart is sent again apart, and that is another message.
        at = now + timedelta(seconds=backoff.ask_delay_s((now - since).total_seconds()))
        mine = False
        for one in message.members:
            along = one is not message
            if await outbox.unknown(tx, one, ask_at=at, error=error, now=now, against=against, along=along):
                await self._note(tx, one, "doubt", reason=error)
                await self._elsewhere_unless_soon(tx, one, at)
                mine = True
        return mine

    async def _note(self, tx: Transaction, delivery: Delivery, event: str, **detail: str) -> None:
        """Journal what became of a doubt (invariant one-page)."""
        entry = JournalEntry(
            incident_id=delivery.incident_id,
            at=self._core.now(),
            event=event,
            actor="provider",
            detail={"name": delivery.recipient_name, "channel": delivery.channel, **detail},
        )
        await incidents.add_journal(tx, [entry])

    async def _unaskable(self, tx: Transaction, delivery: Delivery) -> None:
        """Nobody can be asked: life-safety goes out again, the rest does not (invariant one-page)."""
        again = delivery.priority is Priority.LIFE_SAFETY_PAGE and delivery.attempts < UNASKED_TRIES
        if again:
            if await self._send_again(tx, delivery, "in doubt and nobody to ask"):
                await self._elsewhere(tx, delivery)
        elif await outbox.failed(tx, delivery, error="in doubt and nobody to ask", now=self._core.now()):
            await self.move_on(tx, delivery, "in doubt and nobody to ask")

    async def _send_again(self, tx: Transaction, delivery: Delivery, why: str) -> bool:
        """Let it be sent once more, where somebody still waits for it; say whether it is."""
        now = self._core.now()
        if not await self._is_needed(tx, delivery, now):
            await outbox.spared(tx, delivery, error=f"{why}, and not needed any more", now=now)
            return False
        if not await outbox.retry(tx, delivery, at=now, error=f"{why}; sent again", now=now):
            return False
        await self._note(tx, delivery, "doubt_resent")
        return True

    async def _is_needed(self, tx: Transaction, delivery: Delivery, now: datetime) -> bool:
        incident = await incidents.load(tx, delivery.incident_id)
        if incident is None or delivery.expires_at <= now:
            return False
        if delivery.purpose is not Purpose.PAGE:
            return incident.is_open or delivery.step_key.startswith("inform:")
        return incident.state is IncidentState.OPEN and delivery.recipient_id not in incident.declined

    async def _elsewhere_unless_soon(self, tx: Transaction, delivery: Delivery, at: datetime) -> None:
        """Try another way, unless the next look at this one, at `at`, is soon enough to wait for."""
        if at >= delivery.created_at + ELSEWHERE_AFTER:
            await self._elsewhere(tx, delivery)

    async def _elsewhere(self, tx: Transaction, delivery: Delivery) -> None:
        """Let the incident try another way beside this one; asking a second time changes nothing."""
        await self._decide(tx, delivery, reason=None)

    async def _decide(self, tx: Transaction, delivery: Delivery, *, reason: str | None) -> None:
        if not _must_arrive(delivery):
            return
        now = self._core.now()
        incident = await incidents.load(tx, delivery.incident_id, lock=True)
        if incident is None or not incident.is_open:
            return
        paged = await outbox.paged(tx, incident.id)
        mine = next((row for row in paged if row.delivery_id == delivery.id), None) or _paged(delivery)
        decision: Decision
        if reason is None:
            decision = machine.delivery_in_doubt(incident, mine, paged=paged, now=now)
        else:
            decision = machine.delivery_failed(incident, mine, reason=reason, paged=paged, now=now)
        await verdicts.write(self._core, tx, decision, before=incident, now=now)


def _must_arrive(delivery: Delivery) -> bool:
    """Pages, and the news to whoever answered that it alarms again, with what takes their place."""
    return delivery.purpose is Purpose.PAGE or delivery.step_key.startswith(("re", "fb:"))


def _paged(delivery: Delivery) -> Paged:
    return Paged(
        delivery_id=delivery.id,
        step_key=delivery.step_key,
        recipient_id=delivery.recipient_id,
        recipient_name=delivery.recipient_name,
        channel=delivery.channel,
        address=delivery.address,
        purpose=delivery.purpose,
        state=delivery.state,
    )
