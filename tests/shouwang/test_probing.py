"""Probes through the service: in by a message, out by the dispatcher, and what becomes of those that are not ours."""

import json
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from ingest.message import Message
from ingest.options import MqttOptions
from notify.channel import SendOutcome, SendResult
from notify.channels.probe import ProbeChannel
from rules.probe import A_MINUTE, Call
from shouwang import housekeeping, probe
from shouwang.probe import Answer
from shouwang.probing import Probing, ways_of
from shouwang.settings import Settings
from store import incidents, outbox, probes, quarantine

Start = Callable[[], Awaitable[Any]]
SECRET = "a-secret-of-the-tests"
ID = "0123456789abcdef"


class Sms:
    """A provider of texts."""

    name = "sms"

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.result = SendResult(outcome=SendOutcome.ACCEPTED)

    async def send(self, delivery: Any) -> SendResult:
        self.sent.append((delivery.address, delivery.text))
        return self.result


@pytest.fixture
async def service(start: Start) -> Any:
    service, _ = await start()
    service.sms = Sms()
    service.send_by({"probe": ProbeChannel(), "sms": service.sms})
    service.intake.probing = Probing(
        service.core, secret=SECRET, ways={"sms": "+8613900000001"}, options=MqttOptions(host="nowhere.example.org")
    )
    return service


def call(at: datetime, *, probe_id: str = ID, to: str = "", secret: str = SECRET, retain: bool = False) -> Message:
    payload = probe.write_call(Call(id=probe_id, at=at, to=to), secret)
    return Message(topic=probe.event_topic(probe_id), payload=payload, retain=retain, received_at=at)


async def through(service: Any, *messages: Message) -> list[Answer]:
    """Let messages in, send what is to be sent, and give the answers."""
    await service.intake.take_in(list(messages))
    await service.dispatcher.run_once()
    waiting = service.intake.probing._answers
    return [waiting.get_nowait() for _ in range(waiting.qsize())]


async def in_quarantine(service: Any) -> list[tuple[str, str]]:
    async with service.core.database.read() as tx:
        return [(one.reason, one.sentence) for one in await quarantine.listing(tx, 10)]


async def test_a_probe_goes_through_the_outbox_and_is_answered(service: Any) -> None:
    now = service.core.now()

    assert await through(service, call(now)) == [Answer(id=ID, state="sent")]
    async with service.core.database.read() as tx:
        (row,) = await outbox.of_incident(tx, f"probe:{ID}")
        assert await incidents.listing(tx, open_only=False, limit=10) == []
    assert (row.channel, str(row.state)) == ("probe", "sent")
    assert service.core.metrics.registry.get_sample_value("shouwang_probe_total", {"result": "sent"}) == 1


async def test_it_can_leave_by_a_text_to_the_operators_and_to_nobody_else(service: Any) -> None:
    now = service.core.now()
    assert await through(service, call(now, to="sms")) == [Answer(id=ID, state="sent")]
    assert [address for address, _ in service.sms.sent] == ["+8613900000001"]

    (answer,) = await through(service, call(now, probe_id="1123456789abcdef", to="voice"))
    assert answer.state == "refused"
    assert len(service.sms.sent) == 1


async def test_that_it_could_not_leave_is_answered_too(service: Any) -> None:
    service.sms.result = SendResult(outcome=SendOutcome.RETRY, error="Twilio was not reached")
    (answer,) = await through(service, call(service.core.now(), to="sms"))
    assert answer == Answer(id=ID, state="waits", reason="Twilio was not reached")


async def test_one_that_is_repeated_leaves_once(service: Any) -> None:
    """Invariant one-page, for whoever listens in and publishes what they heard once more."""
    one = call(service.core.now(), to="sms")
    assert len(await through(service, one, one)) == 1
    assert await through(service, one) == []
    assert len(service.sms.sent) == 1


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b"", "not valid JSON"),
        (b"\xff\xfe", "not valid JSON"),
        (b"[]", "not signed"),
        (b"{}", "not signed"),
        (b'{"id": 1, "sig": 1}', "not signed"),
        (b'{"id": "0123456789abcdef", "at": "2026-03-02T04:00:00+00:00", "to": "", "sig": "00"}', "another secret"),
        (b'{"sig": "' + "守".encode() + b'"}', "another secret"),
        (b"x" * 3000, "longer"),
    ],
)
async def test_a_stranger_causes_no_message_and_no_answer(service: Any, payload: bytes, why: str) -> None:
    """Invariant nothing-dropped: it is counted and kept, as whatever else cannot be understood."""
    strange = Message(topic=probe.event_topic(ID), payload=payload, retain=False, received_at=service.core.now())

    assert await through(service, strange) == []
    ((reason, sentence),) = await in_quarantine(service)
    assert reason == "strange_probe"
    assert why in sentence
    async with service.core.database.read() as tx:
        assert await outbox.count_waiting(tx) == 0


async def test_one_signed_for_another_topic_or_another_moment_does_not_count(service: Any) -> None:
    now = service.core.now()
    moved = call(now)._replace(topic=probe.event_topic("ffffffffffffffff"))
    assert await through(service, moved) == []

    (old,) = await through(service, call(now - timedelta(hours=1)))
    (kept,) = await through(service, call(now, probe_id="1123456789abcdef", retain=True))
    assert (old.state, kept.state) == ("refused", "refused")


async def test_more_than_a_dozen_a_minute_are_refused(service: Any) -> None:
    now = service.core.now()
    answers = await through(service, *(call(now, probe_id=f"{number:016x}") for number in range(A_MINUTE + 3)))

    assert [one.state for one in answers].count("sent") == A_MINUTE
    assert [one.state for one in answers].count("refused") == 3


async def test_it_does_not_keep_the_alarms_beside_it_from_being_handled(service: Any) -> None:
    now = service.core.now()
    gas = Message(topic="zigbee2mqtt/yl-1-2-301-gas", payload=b'{"gas":true}', retain=False, received_at=now)
    strange = Message(topic=probe.event_topic(ID), payload=b"rubbish", retain=False, received_at=now)
    await through(service, strange, gas, call(now, probe_id="1123456789abcdef"))

    async with service.core.database.read() as tx:
        assert len(await incidents.listing(tx, open_only=True, limit=10)) == 1


async def test_our_own_answer_that_comes_back_is_not_strange(service: Any) -> None:
    answer = probe.write_answer(Answer(id=ID, state="sent"), SECRET)
    back = Message(topic=probe.answer_topic(ID), payload=answer, retain=False, received_at=service.core.now())

    assert await through(service, back) == []
    assert await in_quarantine(service) == []


async def test_they_are_forgotten_after_a_day(service: Any) -> None:
    began = service.core.now()
    await through(service, call(began))
    service.core.now = lambda: began + timedelta(hours=25)
    await housekeeping.tidy(service.core, retention=timedelta(days=90))

    async with service.core.database.read() as tx:
        assert await probes.since(tx, began) == []


# --- on the wire ------------------------------------------------------------------------------------------------------


def test_an_answer_is_signed_in_its_own_direction() -> None:
    """What somebody heard of a call is no answer."""
    written = probe.write_answer(Answer(id=ID, state="sent"), SECRET)
    assert probe.read_answer(written, SECRET) == Answer(id=ID, state="sent")

    forged = {**json.loads(written), "state": "failed"}
    for payload in (json.dumps(forged).encode(), probe.write_call(Call(id=ID, at=datetime.now().astimezone()), SECRET)):
        with pytest.raises(ValueError, match="another secret"):
            probe.read_answer(payload, SECRET)


def test_the_ways_are_the_operators_first_addresses() -> None:
    settings = Settings(
        _env_file=None,
        operators={"sms": "+8613900000001 +8613900000002", "apprise": "ntfy://a.example.org/x ntfy://b.example.org/y"},
    )
    assert ways_of(settings) == {"sms": "+8613900000001", "apprise": "ntfy://a.example.org/x"}
    assert ways_of(Settings(_env_file=None)) == {}
