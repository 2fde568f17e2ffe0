"""`shouwang probe` itself: sends a self-test through the real broker, and waits for the word that it has left."""

import asyncio
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from ingest.options import MqttOptions
from ingest.visit import Heard, Visit, VisitError, visit
from rules.probe import Call
from shouwang import probe
from shouwang.probe import Answer
from shouwang.settings import Settings, SettingsError


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a probe has found out."""

    #: Whether the message left in time.
    good: bool
    sentence: str
    id: str
    to: str
    #: What the service said last; empty where it said nothing.
    state: str = ""
    #: Seconds from publishing: until the broker had it, and until the word came that it had left.
    broker_s: float | None = None
    left_s: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Give it as JSON-ready values."""
        return asdict(self)


async def run(settings: Settings, *, to: str, within_s: float, now: datetime) -> Finding:
    """Send a probe, and give what is found within so many seconds. Raises SettingsError where it cannot be sent."""
    if settings.probe.secret is None:
        raise SettingsError(["SHOUWANG_PROBE__SECRET is not set; the service and the prober need the same one"])
    options = options_of(settings)
    call = Call(id=secrets.token_hex(8), at=now, to=to)
    return await _Prober(options, settings.probe.secret.get_secret_value(), call, within_s).run()


def options_of(settings: Settings) -> MqttOptions:
    """Where the broker is; the embedded one is on this machine. Raises SettingsError."""
    mqtt = settings.mqtt
    if not mqtt.is_embedded:
        return mqtt.options()
    if mqtt.embedded_port == 0:
        raise SettingsError(["SHOUWANG_MQTT__EMBEDDED_PORT is 0: set a port, or the prober cannot find the broker"])
    return mqtt.options(url=f"mqtt://127.0.0.1:{mqtt.embedded_port}?protocol=3.1.1")


class _Prober:
    """One probe."""

    def __init__(self, options: MqttOptions, secret: str, call: Call, within_s: float) -> None:
        self._options = options
        self._secret = secret
        self._call = call
        self._within_s = within_s
        self._loop = asyncio.get_running_loop()
        self._answers: asyncio.Queue[tuple[float, Answer]] = asyncio.Queue()
        self._broker_s: float | None = None
        self._last: Answer | None = None

    async def run(self) -> Finding:
        call = self._call
        try:
            async with visit(self._options, f"shouwang-probe-{call.id}", on_message=self._heard) as there:
                return await self._probe(there)
        except VisitError as error:
            return self._bad(f"the broker {self._options.address}: {error}")

    async def _probe(self, there: Visit) -> Finding:
        topic = probe.answer_topic(self._call.id)
        if (await there.subscribe([topic]))[topic] >= 0x80:
            return self._bad(f"the broker does not let us listen to {topic}; its access list must allow that")
        began = self._loop.time()
        deadline = began + self._within_s
        done = await there.publish(
            probe.event_topic(self._call.id), [probe.write_call(self._call, self._secret)], within_s=self._within_s
        )
        if not done.acknowledged:
            why = f" ({', '.join(done.refused)})" if done.refused else ""
            return self._bad(f"the broker did not take the probe within {self._within_s:g} s{why}")
        self._broker_s = self._loop.time() - began
        try:
            async with asyncio.timeout_at(deadline):
                while True:
                    at, answer = await self._answers.get()
                    self._last = answer
                    if answer.state in probe.FINAL:
                        return self._judged(answer, at - began)
        except TimeoutError:
            return self._late()

    def _heard(self, message: Heard) -> None:
        try:
            answer = probe.read_answer(message.payload, self._secret)
        except ValueError:
            return  # somebody else's; a forged word that all is well is no word
        if answer.id == self._call.id and not message.retain:
            self._answers.put_nowait((self._loop.time(), answer))

    def _judged(self, answer: Answer, after_s: float) -> Finding:
        if answer.state != probe.SENT:
            word = "refused the probe" if answer.state == probe.REFUSED else "could not send it"
            return self._bad(f"the service {word}: {answer.reason or 'no reason given'}")
        way = f" by {self._call.to}" if self._call.to else ""
        return Finding(
            good=True,
            sentence=f"all is well: the message left{way} after {after_s:.2f} s",
            id=self._call.id,
            to=self._call.to,
            state=answer.state,
            broker_s=self._broker_s,
            left_s=after_s,
        )

    def _late(self) -> Finding:
        if self._last is not None:
            return self._bad(f"it had not left within {self._within_s:g} s: {self._last.reason or self._last.state}")
        return self._bad(
            f"the broker took the probe, and nothing came back within {self._within_s:g} s. Is the service running and"
            " connected to this broker, with the same SHOUWANG_PROBE__SECRET, and may it publish answers there?"
        )

    def _bad(self, sentence: str) -> Finding:
        state = self._last.state if self._last is not None else ""
        return Finding(
            good=False, sentence=sentence, id=self._call.id, to=self._call.to, state=state, broker_s=self._broker_s
        )
