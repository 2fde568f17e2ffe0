"""Test messages: to whom, by which provider, and what became of them."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from rules.community import ContactMethod, Registry, Role, Worker
from shouwang.doctor import sending
from shouwang.doctor.diagnosis import Diagnosis, Grade
from shouwang.doctor.sending import Target, targets
from simulators.phones import CallManner
from simulators.twilio import FakeTwilio, FaultKind, Pace

FINDING, NOTE, FINE = Grade.FINDING, Grade.NOTE, Grade.FINE
PHONE = "+8613800000001"
WORKER = Worker(
    id="w07-a",
    name="李明",
    role=Role.MICRO,
    grids=("g",),
    contact=(ContactMethod(channel="sms", address=PHONE), ContactMethod(channel="voice", address=PHONE)),
)
REGISTRY = Registry(sources=(), homes=(), devices=(), grids=(), workers=(WORKER,))

Look = Callable[..., Awaitable[list[Diagnosis]]]


@pytest.fixture
def look(
    fake: FakeTwilio,
    account: dict[str, Any],
    make_settings: Any,
    make_patient: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Look:
    """Send, in a world in which nobody waits long."""
    fake.pace = Pace(sent_s=0.01, delivered_s=0.02, dialled_s=0.01, ringing_s=0.01)
    monkeypatch.setattr(sending, "_WORD_S", 1.0)
    monkeypatch.setattr(sending, "_ASK_EVERY_S", 0.02)

    async def look(*send_to: str, **more: dict[str, Any]) -> list[Diagnosis]:
        groups = {"twilio": account, "http": {"public_url": "https://alarm.example.org"}, **more}
        return await sending.look(make_patient(make_settings(**groups), REGISTRY, send_to=send_to))

    return look


@pytest.mark.parametrize(
    ("wanted", "meant"),
    [
        (PHONE, [Target("sms", PHONE)]),
        (f"voice:{PHONE}", [Target("voice", PHONE)]),
        ("ntfy://box.example.org/topic", [Target("apprise", "ntfy://box.example.org/topic")]),
        ("https://hook.example.org/x", [Target("webhook", "https://hook.example.org/x")]),
        ("apprise:https://hook.example.org/x", [Target("apprise", "https://hook.example.org/x")]),
        ("w07-a", [Target("sms", PHONE), Target("voice", PHONE)]),
    ],
)
def test_what_is_meant(wanted: str, meant: list[Target]) -> None:
    assert targets(wanted, REGISTRY) == meant


@pytest.mark.parametrize("wanted", ["nobody", "8613800000001", "fax:+8613800000001", ""])
def test_what_is_not_understood(wanted: str) -> None:
    with pytest.raises(ValueError, match="is no number"):
        targets(wanted, REGISTRY)


async def test_a_text_that_arrives(look: Look, fake: FakeTwilio) -> None:
    """No receipt of it goes to the service, which knows nothing of it."""
    [only] = await look(PHONE)

    assert (only.grade, only.what) == (FINE, "arrived (delivered)")
    assert only.where == "sms 138****0001 by twilio"
    assert [one.body[:6] for one in fake.texts_to(PHONE)] == ["守望系统测试"]
    assert fake.webhooks == []


async def test_a_call_says_what_it_is(look: Look, fake: FakeTwilio) -> None:
    phone = fake.phone(PHONE).on_call(CallManner(answers=True, after_s=0.01, hangs_up_after_s=0.2))
    [only] = await look(f"voice:{PHONE}")

    assert only.grade is FINE
    [call] = phone.calls
    assert "测试电话" in " ".join(call.heard)


async def test_by_each_provider_of_a_channel(look: Look, account: dict[str, Any], fake: FakeTwilio) -> None:
    """The second is tried too: it is needed when the first is gone."""
    first, second = await look(PHONE, twilio_2=account | {"auth_token": "another"})

    assert (first.grade, first.where) == (FINE, "sms 138****0001 by twilio")
    assert (second.grade, second.where) == (FINDING, "sms 138****0001 by twilio_2")
    assert len(fake.texts_to(PHONE)) == 1


@pytest.mark.parametrize(
    ("fault", "grade", "words"),
    [
        (FaultKind.UNDELIVERED, FINDING, "did not arrive (undelivered)"),
        (FaultKind.REJECT, FINDING, "was not taken"),
        (FaultKind.ERROR_AFTER, FINDING, "nobody knows whether it left"),
        (FaultKind.STUCK, NOTE, "no word within 1 s"),
    ],
)
async def test_a_text_that_does_not(look: Look, fake: FakeTwilio, fault: FaultKind, grade: Grade, words: str) -> None:
    fake.faults.add(fault, code=21610 if fault is FaultKind.REJECT else 30003)
    [only] = await look(PHONE)

    assert (only.grade, words in only.what) == (grade, True)


async def test_what_is_not_set_up_or_not_understood_is_a_finding(look: Look) -> None:
    told = await look("nobody", "webhook:https://hook.example.org/x", f"sms:{PHONE}", twilio={})

    assert [one.grade for one in told] == [FINDING] * 3
    assert told[1].what == "webhook is not set up"


async def test_a_channel_without_receipts_is_taken_at_its_word(look: Look, capsys: pytest.CaptureFixture[str]) -> None:
    [only] = await look("console:here")

    assert (only.grade, only.what) == (FINE, "was taken; look whether it arrived")
    assert "守望系统测试" in capsys.readouterr().out
