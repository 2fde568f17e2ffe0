"""What comes back from phones: replies, keys pressed, receipts. Each comes once or ten times, and counts once."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from typing import TypeVar

from notify.channels.twilio_status import StatusMeaning, meaning_of
from notify.masking import mask_address
from notify.replies import Reply, ReplyKind, parse
from rules import texts
from rules.community import Worker
from rules.decisions import Delivery, DeliveryState, Purpose
from rules.incident import Incident, Verb
from rules.machine import Action
from shouwang import acting, calls, reply_for_all
from shouwang.core import Core
from shouwang.deliveries import Deliveries
from store import incidents, outbox, registry, replies
from store.database import Transaction
from store.errors import DatabaseError
from web.ports import CallScript

_log = logging.getLogger(__name__)

#: A sender who is not understood is told so this often at the most, so that two machines do not talk for ever.
EXPLAIN_EVERY = timedelta(hours=1)
EXPLAIN_AT_MOST = 3
#: The same for workers, who may have a bad day but are no machines.
EXPLAIN_WORKERS_AT_MOST = 12

#: Seconds between the tries of writing down what a phone said. The provider waits fifteen for our answer and does not
#: ask again: what is not written by then is lost.
_AGAIN_S = (0.1, 0.3, 1.0, 3.0, 5.0)

_T = TypeVar("_T")


class Phone:
    """Implements web.ports.Phone."""

    def __init__(self, core: Core, deliveries: Deliveries) -> None:
        self._core = core
        self._deliveries = deliveries

    # --- SMS ----------------------------------------------------------------------------------------------------------

    async def sms(self, *, provider_id: str, sender: str, text: str) -> str:
        """Act on a reply, and give the text to answer with; empty where none is due."""
        now = self._core.now()

        async def unit(tx: Transaction) -> tuple[str, str]:
            earlier = await replies.earlier_answer(tx, provider_id)
            if earlier is not None:
                return "again", earlier
            verdict, answer = await self._answer(tx, parse(text), sender)
            if verdict in _EXPLANATIONS:
                told = await replies.answers_since(tx, sender, now - EXPLAIN_EVERY, verdicts=_EXPLANATIONS)
                most = EXPLAIN_AT_MOST if verdict in _TO_STRANGERS else EXPLAIN_WORKERS_AT_MOST
                answer = answer if told < most else ""
            await replies.record(
                tx, provider_id=provider_id, sender=sender, text=text, received_at=now, verdict=verdict, answer=answer
            )
            return verdict, answer

        verdict, answer = await self._write(unit)
        self._core.wake_dispatcher()
        self._core.metrics.replies.labels(verdict).inc()
        _log.info("reply from %s: %s", mask_address(sender), verdict)
        return answer

    async def _answer(self, tx: Transaction, reply: Reply, sender: str) -> tuple[str, str]:
        language = self._core.rules.rulebook.language
        if reply.kind is ReplyKind.STOP:
            await replies.opt_out(tx, sender, self._core.now())
            return "stop", texts.render("answer.stopped", language)
        if reply.kind is ReplyKind.START:
            await replies.opt_in(tx, sender)
            return "start", texts.render("answer.started", language)
        people = await registry.workers_with_phone(tx, sender)
        if reply.all and reply.verb is not None and (people or await incidents.asked_of(tx, (), sender)):
            return await reply_for_all.act(
                self._core,
                tx,
                reply.verb,
                via="sms",
                mine={worker.id for worker in people},
                sender=sender,
                who=lambda incident: self._who(tx, incident, sender, people),
            )
        if not people:
            return await self._answer_stranger(tx, reply, sender)
        if reply.kind is ReplyKind.HELP:
            return "help", texts.render("answer.help", language)
        incident = await self._meant(tx, reply, people)
        if isinstance(incident, str):
            return "which", incident
        if incident is None and reply.code:
            return "wrong_code", texts.render("answer.wrong_code", language, code=reply.code)
        if incident is None or reply.verb is None:
            return "unclear", texts.render("answer.help", language)
        who = await self._who(tx, incident, sender, people)
        if who is None:
            return "not_involved", texts.render("answer.not_involved", language, code=incident.code)
        return await self._do(tx, incident, reply, who)

    async def _do(self, tx: Transaction, incident: Incident, reply: Reply, who: tuple[str, str]) -> tuple[str, str]:
        by, by_name = who
        verb = reply.verb or Verb.ACKNOWLEDGE
        action = Action(verb=verb, by=by, by_name=by_name, via="sms", outcome=reply.outcome, note=reply.note)
        decision = await acting.act(self._core, tx, incident, action)
        if decision.refusal is not None:
            return "refused", decision.refusal
        return str(action.verb), decision.answer

    async def _answer_stranger(self, tx: Transaction, reply: Reply, sender: str) -> tuple[str, str]:
        """Family were told of it and want to help; they hear that somebody does. Nobody else is known to us.

        But whoever was asked before a file was edited is still whom the incident goes by (invariant snapshot).
        """
        language = self._core.rules.rulebook.language
        incident = await incidents.with_code(tx, reply.code) if reply.code else None
        if incident is not None and reply.verb is not None and (who := await self._who(tx, incident, sender, ())):
            return await self._do(tx, incident, reply, who)
        if incident is not None and any(row.address == sender for row in await outbox.paged(tx, incident.id)):
            return "family", texts.render("refusal.family", language, code=incident.code)
        return "unknown_sender", texts.render("answer.unknown_sender", language)

    async def _meant(self, tx: Transaction, reply: Reply, people: list[Worker]) -> Incident | str | None:
        """Find the incident a reply is about, or say what to add to it.

        Without a code only if there is just one it can mean; and an outcome closes a life-safety incident without a
        code only for whoever has answered that one: anybody else may mean another, which is closed already.
        """
        language = self._core.rules.rulebook.language
        if reply.code:
            return await incidents.with_code(tx, reply.code)
        if reply.verb is None:
            return None
        waiting = {one.id: one for worker in people for one in await incidents.paged_to(tx, worker.id)}
        if len(waiting) > 1:
            codes = " ".join(sorted(one.code for one in waiting.values()))
            key = "answer.which_or_all" if reply.verb is Verb.ACKNOWLEDGE else "answer.which"
            return texts.render(key, language, codes=codes)
        only = next(iter(waiting.values()), None)
        if (
            only is not None
            and reply.verb is Verb.OUTCOME
            and only.is_life_safety
            and only.answered_by not in {worker.id for worker in people}
        ):
            return texts.render("answer.outcome_needs_code", language, code=only.code)
        return only

    async def _who(
        self, tx: Transaction, incident: Incident, sender: str, people: Iterable[Worker]
    ) -> tuple[str, str] | None:
        """Say who has replied, as id and name, of those whose number it is: two people may share a telephone.

        Whoever has answered already; else whoever was asked by that number last, for they have just read it; else
        anybody who has to do with the incident.
        """
        told = await outbox.paged(tx, incident.id)
        involved = {worker.id for worker in incident.snapshot.responsibility.workers} | {
            row.recipient_id for row in told
        }
        at_number = {worker.id: worker.name for worker in people if worker.id in involved}
        asked: dict[str, str] = {}
        for row in told:
            if row.address == sender and row.purpose is Purpose.PAGE and row.state not in _NOT_LEFT:
                asked.pop(row.recipient_id, None)
                asked[row.recipient_id] = row.recipient_name
        at_number |= asked
        last = next(reversed(asked or at_number), None)
        who = incident.answered_by if incident.answered_by in at_number else last
        return None if who is None else (who, at_number[who])

    # --- calls --------------------------------------------------------------------------------------------------------

    async def call_script(self, delivery_id: int) -> CallScript:
        """What a call says when it is answered: the page while it is needed, else who is on the way."""
        async with self._core.database.read() as tx:
            return await calls.script(self._core, tx, delivery_id)

    async def call_key(self, delivery_id: int, key: str) -> CallScript:
        """Act on a key; any other key than those of the menu says it all again."""
        verdict, script = await self._write(lambda tx: calls.press(self._core, tx, delivery_id, key))
        self._core.wake_dispatcher()
        self._core.metrics.replies.labels(f"key_{verdict}").inc()
        return script

    # --- receipts -----------------------------------------------------------------------------------------------------

    async def receipt(
        self,
        *,
        delivery_id: int | None,
        provider_id: str,
        status: str,
        error_code: str | None,
        kind: str,
        provider: str | None = None,
    ) -> None:
        """Take the provider's later word; a page that will not arrive moves on at once."""
        now = self._core.now()
        channel = "voice" if kind == "call" else "sms"
        meaning = meaning_of(channel, status)

        async def unit(tx: Transaction) -> tuple[bool, Delivery | None]:
            delivery = await outbox.receipt(
                tx,
                provider_id=provider_id,
                delivery_id=delivery_id,
                status=status,
                error_code=error_code,
                now=now,
                provider=provider,
            )
            if delivery is None:
                return False, None
            others = await outbox.receipt_of_others(tx, delivery, status=status, error_code=error_code, now=now)
            for other in others:
                await settle(tx, other)
            return await settle(tx, delivery)

        async def settle(tx: Transaction, delivery: Delivery) -> tuple[bool, Delivery | None]:
            # A call that was answered by a machine is also called completed in the end; a text may come late after all.
            over = channel == "voice" and delivery.state is DeliveryState.FAILED
            if meaning is StatusMeaning.DELIVERED and not over:
                if await outbox.set_state(tx, delivery.id, DeliveryState.DELIVERED, at=now):
                    return False, delivery
            elif meaning is StatusMeaning.FAILED:
                reason = f"{status} {error_code}" if error_code else status
                if await outbox.set_state(tx, delivery.id, DeliveryState.FAILED, error=reason):
                    await self._deliveries.move_on(tx, delivery, reason)
                    return True, delivery
            return False, None

        # What only tells that all is well waits where alarms may be waiting too.
        if meaning is not StatusMeaning.FAILED:
            await self._core.calm()
        moved_on, settled = await self._write(unit)
        if moved_on:
            self._core.wake_dispatcher()
        self._core.metrics.deliveries.labels(channel, status).inc()
        if settled is not None and settled.provider:
            took_s = (now - (settled.sent_at or now)).total_seconds()
            self._core.metrics.note_receipt(channel, settled.provider, None if moved_on else took_s)

    async def _write(self, unit: Callable[[Transaction], Awaitable[_T]]) -> _T:
        """Write it down; where the database is away for a moment, wait for it as long as the provider waits for us."""
        for pause in _AGAIN_S:
            try:
                return await self._core.database.transact(unit)
            except DatabaseError as error:
                _log.warning("what a phone said is written down again in %g s: %s", pause, error)
            await asyncio.sleep(pause)
        return await self._core.database.transact(unit)


_NOT_LEFT = frozenset({DeliveryState.PENDING, DeliveryState.CANCELLED})

#: Verdicts whose answer only explains; rate-limited, those to people we do not know more strictly.
_TO_STRANGERS = frozenset({"unknown_sender", "family"})
_EXPLANATIONS = _TO_STRANGERS | {"wrong_code", "unclear", "help", "not_involved", "which"}
