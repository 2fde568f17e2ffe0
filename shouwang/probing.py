"""Probes on the side of the service: through intake, outbox and dispatcher as a page goes, and an answer to each.

The answer says what became of the delivery, after that is written down. It goes out over a visit to the broker of its
own: the subscriber's connection only listens.
"""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from ingest.message import Message
from ingest.options import MqttOptions
from ingest.visit import VisitError, visit
from notify.channel import SendOutcome, SendResult
from rules import probe as deciding
from rules.decisions import Delivery
from rules.probe import RECIPIENT, Call
from shouwang import probe
from shouwang.core import Core
from shouwang.probe import Answer
from shouwang.settings import Settings
from store import outbox, probes
from store.database import Transaction

_log = logging.getLogger(__name__)

#: For how long probes are kept: longer than they may be repeated, and than limits look back.
KEEP = timedelta(days=1)

#: Answers that wait for the broker at the most.
_ANSWERS = 50
_ANSWER_WITHIN_S = 5.0

_STATES = {
    SendOutcome.ACCEPTED: probe.SENT,
    SendOutcome.PERMANENT: probe.FAILED,
    SendOutcome.RETRY: probe.WAITS,
    SendOutcome.UNKNOWN: probe.DOUBT,
}


class Taken(NamedTuple):
    """What became of some calls."""

    #: How many went into the outbox.
    let_through: int
    #: Those that are not of anybody who shares our secret, each with a sentence.
    strange: Sequence[tuple[Message, str]]


class Probing:
    """Takes calls, and answers them."""

    def __init__(self, core: Core, *, secret: str, ways: Mapping[str, str], options: MqttOptions) -> None:
        """Make it; `ways` are the operators' addresses by channel, the only ones to which a probe can go."""
        self._core = core
        self._secret = secret
        self._ways = ways
        self._options = options
        self._answers: asyncio.Queue[Answer] = asyncio.Queue(_ANSWERS)
        core.on_tries.append(self._note_try)

    def concerns(self, message: Message) -> bool:
        """Say whether a message is for us; our own answers come back where a source's subscription holds them too."""
        return probe.is_ours(message.topic)

    async def take(self, tx: Transaction, messages: Sequence[Message]) -> Taken:
        """Let calls through, within the transaction of the batch they came in."""
        let_through = 0
        strange: list[tuple[Message, str]] = []
        for message in messages:
            if probe.is_answer(message.topic):
                continue
            try:
                call = probe.read_call(message.topic, message.payload, self._secret)
            except ValueError as error:
                # No answer: nobody but ourselves shall make us publish.
                self._core.metrics.probes.labels("refused").inc()
                strange.append((message, str(error)))
            else:
                let_through += await self._let_through(tx, call, message)
        return Taken(let_through, strange)

    async def _let_through(self, tx: Transaction, call: Call, message: Message) -> int:
        now = self._core.now()
        earlier = await probes.since(tx, now - timedelta(hours=1))
        why = deciding.refusal(call, retained=message.retain, ways=self._ways, earlier=earlier, now=now)
        if why is not None:
            self._core.metrics.probes.labels("refused").inc()
            self._answer(Answer(id=call.id, state=probe.REFUSED, reason=why))
            return 0
        language = self._core.rules.rulebook.language
        return await outbox.add(tx, [deciding.delivery(call, ways=self._ways, language=language, now=now)], now)

    def _note_try(self, delivery: Delivery, result: SendResult) -> None:
        if delivery.recipient_id != RECIPIENT:
            return
        state = _STATES[result.outcome]
        if state in probe.FINAL:
            self._core.metrics.probes.labels(state).inc()
        probe_id = delivery.incident_id.removeprefix("probe:")
        self._answer(Answer(id=probe_id, state=state, reason=result.error or ""))

    # --- answering ----------------------------------------------------------------------------------------------------

    def _answer(self, answer: Answer) -> None:
        _log.info("probe %s: %s %s", answer.id, answer.state, answer.reason)
        with contextlib.suppress(asyncio.QueueFull):  # nobody waits for so many
            self._answers.put_nowait(answer)

    async def run(self) -> None:
        """Answer for ever."""
        while True:
            answers = [await self._answers.get()]
            while not self._answers.empty():
                answers.append(self._answers.get_nowait())
            try:
                async with visit(self._options, f"shouwang-answer-{secrets.token_hex(4)}") as there:
                    for one in answers:
                        payload = probe.write_answer(one, self._secret)
                        done = await there.publish(probe.answer_topic(one.id), [payload], within_s=_ANSWER_WITHIN_S)
                        if not done.acknowledged:
                            _log.warning("the broker does not take our answers to probes: %s", dict(done.refused))
            except VisitError as error:
                _log.warning("%d probes could not be answered: %s", len(answers), error)


def ways_of(settings: Settings) -> dict[str, str]:
    """Give the operators' addresses by channel, the first of each."""
    asked = settings.operators
    found = {
        "webhook": asked.webhook.get_secret_value() if asked.webhook else "",
        "apprise": asked.apprise.get_secret_value() if asked.apprise else "",
        "sms": asked.sms or "",
    }
    return {channel: addresses.split()[0] for channel, addresses in found.items() if addresses.strip()}
