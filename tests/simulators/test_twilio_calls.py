"""The fake's Calls: statuses, TwiML, keys, and what a telephone can do with a call."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client
from twilio.twiml.voice_response import Gather, VoiceResponse

from simulators import phones
from simulators.clock import HandClock
from simulators.twilio import FakeTwilio, Pace

FROM = "+15005550006"
WORKER = "+8613800000001"
EVENTS = ["initiated", "ringing", "answered", "completed"]

# Twilio's own asynchronous client uses what aiohttp is going to drop.
pytestmark = [
    pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated:DeprecationWarning"),
]

Go = Callable[[float], Awaitable[None]]


def ask(action: str = "/key", digits: int = 1) -> str:
    """A document that asks for a key, twice, made by Twilio's own library."""
    response = VoiceResponse()
    for _ in range(2):
        gather = Gather(num_digits=digits, action=action, timeout=10)
        gather.say("燃气泄漏 玉林北街 按1接单", language="zh-CN")
        response.append(gather)
    response.say("没有收到按键", language="zh-CN")
    return str(response)


def say(text: str) -> str:
    response = VoiceResponse()
    response.say(text, language="zh-CN")
    response.hangup()
    return str(response)


@pytest.fixture
def ring(client: Client, service: Any) -> Callable[..., Awaitable[Any]]:
    """Call the worker with everything reported."""

    async def ring(**fields: Any) -> Any:
        return await client.calls.create_async(
            **{
                "to": WORKER,
                "from_": FROM,
                "url": f"{service.url}/voice?delivery=17",
                "status_callback": f"{service.url}/status",
                "status_callback_event": EVENTS,
                **fields,
            }
        )

    return ring


async def test_answered_call_asks_for_a_key_and_gets_it(
    fake: FakeTwilio, client: Client, ring: Any, service: Any, go: Go
) -> None:
    service.answers = {"/voice": ask(), "/key": say("谢谢")}
    fake.phone(WORKER).on_call(phones.answer(press="1"))
    created = await ring()
    assert re.fullmatch(r"CA[0-9a-f]{32}", created.sid)
    assert (created.status, created.direction) == ("queued", "outbound-api")
    await go(120)
    call = await client.calls(created.sid).fetch_async()
    assert (call.status, int(call.duration)) == ("completed", fake.calls[0].duration_s)
    assert call.start_time is not None
    assert fake.calls[0].heard == ["燃气泄漏 玉林北街 按1接单", "谢谢"]
    assert [s.path for s in service.seen if s.path != "/status"] == ["/voice", "/key"]
    asked, pressed = (s for s in service.seen if s.path != "/status")
    assert asked.params["CallStatus"] == "in-progress"
    assert pressed.params.items() >= {"Digits": "1", "CallSid": created.sid, "From": FROM, "To": WORKER}.items()
    assert all(s.valid for s in service.seen)
    assert service.statuses() == ["initiated", "ringing", "in-progress", "completed"]
    last = service.seen[-1].params
    assert (last["SequenceNumber"], last["CallbackSource"]) == ("3", "call-progress-events")
    assert int(last["CallDuration"]) == fake.calls[0].duration_s > 0
    [heard] = fake.phone(WORKER).calls
    assert (heard.answered, heard.over, heard.pressed) == (True, True, ["1"])


@pytest.mark.parametrize(
    ("manner", "status", "history"),
    [
        (phones.NO_ANSWER, "no-answer", ["queued", "initiated", "ringing", "no-answer"]),
        (phones.BUSY, "busy", ["queued", "initiated", "busy"]),
        (phones.answer(after_s=61), "no-answer", ["queued", "initiated", "ringing", "no-answer"]),
    ],
)
async def test_call_that_nobody_takes(
    *, fake: FakeTwilio, ring: Any, service: Any, go: Go, manner: phones.CallManner, status: str, history: list[str]
) -> None:
    """Its document is never fetched."""
    fake.phone(WORKER).on_call(manner)
    await ring(timeout=60)
    await go(300)
    assert fake.calls[0].status == status
    assert [s for _, s in fake.calls[0].history] == history
    assert service.statuses()[-1] == status
    assert all(s.path == "/status" for s in service.seen)


async def test_ringing_lasts_as_long_as_asked(fake: FakeTwilio, ring: Any, clock: HandClock, go: Go) -> None:
    await ring(timeout=25)
    begun = clock.time
    await go(300)
    over_after = (fake.calls[0].history[-1][0] - begun).total_seconds()
    assert over_after == pytest.approx(0.2 + 1.0 + 25)


async def test_only_completed_is_reported_unless_asked(fake: FakeTwilio, client: Client, service: Any, go: Go) -> None:
    await client.calls.create_async(
        to=WORKER, from_=FROM, twiml=say("x"), status_callback=f"{service.url}/status", status_callback_method="GET"
    )
    await go(300)
    assert service.statuses() == ["no-answer"]
    assert (service.seen[0].method, service.seen[0].valid) == ("GET", True)
    assert service.seen[0].params["SequenceNumber"] == "0"


async def test_instructions_may_come_with_the_request(fake: FakeTwilio, client: Client, go: Go) -> None:
    fake.phone(WORKER).on_call(phones.answer())
    await client.calls.create_async(to=WORKER, from_=FROM, twiml=say("只说一句"))
    await go(60)
    assert (fake.calls[0].heard, fake.calls[0].status) == (["只说一句"], "completed")


async def test_no_key_falls_through_to_what_follows(fake: FakeTwilio, ring: Any, service: Any, go: Go) -> None:
    """Without input the action is not asked; the next verb is done."""
    service.answers = {"/voice": ask()}
    fake.phone(WORKER).on_call(phones.answer())
    await ring()
    await go(300)
    assert fake.calls[0].heard == ["燃气泄漏 玉林北街 按1接单"] * 2 + ["没有收到按键"]
    assert [s.path for s in service.seen if s.path != "/status"] == ["/voice"]


async def test_key_that_comes_too_late_for_one_gather_is_taken_by_none(
    fake: FakeTwilio, ring: Any, service: Any, go: Go
) -> None:
    service.answers = {"/voice": ask()}
    fake.phone(WORKER).on_call(phones.answer(press=["1", ""], press_after_s=60))
    await ring()
    await go(300)
    assert "/key" not in [s.path for s in service.seen]


async def test_several_digits_and_the_finishing_key(fake: FakeTwilio, ring: Any, service: Any, go: Go) -> None:
    service.answers = {"/voice": ask(digits=4), "/key": say("好")}
    fake.phone(WORKER).on_call(phones.answer(press="12#"), phones.answer(press="1234"), phones.answer(press="12"))
    for _ in range(3):
        await ring()
        await go(300)
    digits = [(s.params["Digits"], s.params["FinishedOnKey"]) for s in service.seen if s.path == "/key"]
    assert digits == [("12", "#"), ("1234", ""), ("12", "")]


async def test_default_action_is_the_document_itself(fake: FakeTwilio, ring: Any, service: Any, go: Go) -> None:
    service.answers = {"/voice": ask(action="")}
    fake.phone(WORKER).on_call(phones.answer(press=["7", ""]))
    await ring()
    await go(300)
    paths = [(s.path, s.params.get("Digits"), s.params.get("delivery")) for s in service.seen if s.path != "/status"]
    assert paths == [("/voice", None, None), ("/voice", "7", None)]


async def test_redirect_and_pause(fake: FakeTwilio, ring: Any, service: Any, go: Go) -> None:
    response = VoiceResponse()
    response.pause(length=30)
    response.redirect("/other")
    service.answers = {"/voice": str(response), "/other": say("换了")}
    fake.phone(WORKER).on_call(phones.answer())
    await ring()
    await go(20)
    assert fake.calls[0].status == "in-progress"
    await go(100)
    assert (fake.calls[0].heard, fake.calls[0].status) == (["换了"], "completed")


async def test_hangup_at_once_says_nothing(fake: FakeTwilio, ring: Any, service: Any, go: Go) -> None:
    """What a service answers when the alarm has been taken meanwhile."""
    service.answers = {"/voice": "<Response><Hangup/></Response>"}
    fake.phone(WORKER).on_call(phones.answer(press="1"))
    await ring()
    await go(60)
    assert (fake.calls[0].heard, fake.calls[0].status, fake.calls[0].duration_s) == ([], "completed", 0)


@pytest.mark.parametrize(
    ("answer", "code"), [(500, 11200), ("not xml", 12100), ("<Other/>", 12200), ("<Response><Dial/></Response>", 12200)]
)
async def test_bad_document_ends_the_call(
    *, fake: FakeTwilio, ring: Any, service: Any, go: Go, answer: Any, code: int
) -> None:
    """The person hears an error message, and the call is `completed` all the same: nobody was told anything."""
    service.answers = {"/voice": answer}
    fake.phone(WORKER).on_call(phones.answer(press="1"))
    await ring()
    await go(60)
    assert (fake.calls[0].problems, fake.calls[0].status) == ([code], "completed")


async def test_voicemail_listens_and_presses_nothing(fake: FakeTwilio, ring: Any, service: Any, go: Go) -> None:
    service.answers = {"/voice": ask()}
    fake.phone(WORKER).on_call(phones.voicemail())
    await ring()
    await go(300)
    assert fake.calls[0].status == "completed"
    assert "/key" not in [s.path for s in service.seen]


async def test_manners_are_used_in_turn(fake: FakeTwilio, ring: Any, service: Any, go: Go) -> None:
    service.answers = {"/voice": say("好")}
    fake.phone(WORKER).on_call(phones.BUSY, phones.NO_ANSWER, phones.answer())
    for _ in range(4):
        await ring()
        await go(300)
    assert [call.status for call in fake.calls] == ["busy", "no-answer", "completed", "completed"]


async def test_call_driven_by_hand(fake: FakeTwilio, ring: Any, service: Any, go: Go) -> None:
    service.answers = {"/voice": ask(), "/key": say("谢谢")}
    phone = fake.phone(WORKER).on_call(phones.BY_HAND)
    await ring()
    await go(5)
    await phone.answers()
    await go(1)
    await phone.presses("1")
    await go(10)
    assert (fake.calls[0].pressed, fake.calls[0].status) == (["1"], "completed")
    with pytest.raises(LookupError):
        await phone.hangs_up()


async def test_refusing_a_ringing_call_is_busy(fake: FakeTwilio, ring: Any, go: Go) -> None:
    phone = fake.phone(WORKER).on_call(phones.BY_HAND)
    await ring()
    await go(5)
    await phone.hangs_up()
    assert fake.calls[0].status == "busy"


async def test_hanging_up_early_ends_it(fake: FakeTwilio, ring: Any, service: Any, go: Go) -> None:
    service.answers = {"/voice": ask()}
    fake.phone(WORKER).on_call(phones.answer(press="1", press_after_s=5, hangs_up_after_s=2))
    await ring()
    await go(300)
    assert fake.calls[0].duration_s == 2
    assert "/key" not in [s.path for s in service.seen]


async def test_call_can_be_ended_by_the_api(fake: FakeTwilio, client: Client, ring: Any, service: Any, go: Go) -> None:
    service.answers = {"/voice": ask()}
    fake.phone(WORKER).on_call(phones.answer())
    first = await ring()
    await go(2)
    assert (await client.calls(first.sid).update_async(status="canceled")).status == "canceled"
    second = await ring()
    await go(10)
    assert (await client.calls(second.sid).update_async(status="completed")).status == "completed"
    await go(300)
    assert [call.status for call in fake.calls] == ["canceled", "completed"]


async def test_list_by_number_status_and_start(
    fake: FakeTwilio, client: Client, ring: Any, clock: HandClock, go: Go
) -> None:
    """A call that has not been dialled yet has no start, and is in no list filtered by it."""
    start = clock.time
    fake.phone(WORKER).on_call(phones.BUSY, phones.NO_ANSWER)
    for _ in range(2):
        await ring()
        await go(300)
    await ring()

    async def statuses(**filters: Any) -> list[str]:
        return [call.status for call in await client.calls.list_async(**filters)]

    assert await statuses(to=WORKER) == ["queued", "no-answer", "busy"]
    assert await statuses(to=WORKER, start_time_after=start) == ["no-answer", "busy"]
    assert await statuses(status="busy") == ["busy"]
    assert await statuses(to="+8613800000002") == []
    assert await statuses(from_=FROM, status="queued") == ["queued"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"to": ""}, 21201),
        ({"to": "110"}, 21211),
        ({"from_": ""}, 21213),
        ({"from_": "+12025550123"}, 21210),
        ({"url": "voice"}, 21205),
        ({"url": "ftp://example.org/voice"}, 21205),
        ({"url": ""}, 21205),
        ({"status_callback": "status"}, 21205),
        ({"timeout": 601}, 21208),
        ({"method": "PUT"}, 21200),
        # Twilio's magic numbers.
        ({"to": "+15005550001"}, 21211),
        ({"to": "+15005550002"}, 21214),
        ({"to": "+15005550003"}, 21215),
        ({"to": "+15005550004"}, 21216),
        ({"from_": "+15005550001"}, 21210),
    ],
)
async def test_refusals(fake: FakeTwilio, ring: Any, fields: dict[str, Any], code: int) -> None:
    with pytest.raises(TwilioRestException) as refused:
        await ring(**fields)
    assert (refused.value.status, refused.value.code) == (400, code)
    assert fake.calls == []


async def test_pace_can_be_set(fake: FakeTwilio, ring: Any, go: Go) -> None:
    fake.pace = Pace(dialled_s=0, ringing_s=0)
    await ring()
    await go(0)
    assert fake.calls[0].status == "ringing"
