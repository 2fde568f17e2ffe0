"""Texts from phones to the service: signed, with Twilio's fields, and the answer sent back."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from twilio.twiml.messaging_response import MessagingResponse

from simulators import phones
from simulators.twilio import FakeTwilio

FROM = "+15005550006"
WORKER = "+8613800000001"

Go = Callable[[float], Awaitable[None]]


async def send(fake: FakeTwilio, body: str = "K7") -> httpx.Response:
    async with httpx.AsyncClient(auth=(fake.account_sid, fake.auth_token)) as api:
        return await api.post(
            f"{fake.base_url}/2010-04-01/Accounts/{fake.account_sid}/Messages.json",
            data={"To": WORKER, "From": FROM, "Body": body},
        )


@pytest.fixture
def answer(fake: FakeTwilio, service: Any) -> Callable[[str], None]:
    fake.sms_url = f"{service.url}/webhooks/twilio/sms"

    def answer(text: str) -> None:
        response = MessagingResponse()
        if text:
            response.message(text)
        service.answers["/webhooks/twilio/sms"] = str(response)

    answer("")
    return answer


async def test_text_is_brought_signed_with_twilios_fields(fake: FakeTwilio, answer: Any, service: Any) -> None:
    """Empty fields are among them: a form parser that drops those breaks the signature."""
    came = await fake.incoming(WORKER, FROM, "1 K7")
    [seen] = service.seen
    assert seen.valid
    assert (
        seen.params.items()
        >= {
            "MessageSid": came.message.sid,
            "SmsSid": came.message.sid,
            "From": WORKER,
            "To": FROM,
            "Body": "1 K7",
            "SmsStatus": "received",
            "NumMedia": "0",
            "NumSegments": "1",
            "FromCountry": "CN",
            "FromCity": "",
            "AccountSid": fake.account_sid,
        }.items()
    )
    assert (came.status, came.replies, came.message.direction) == (200, (), "inbound")


async def test_answer_becomes_a_text(fake: FakeTwilio, answer: Any, go: Go) -> None:
    answer("收到 K7，请5分钟内到场")
    came = await fake.incoming(WORKER, FROM, "1 K7")
    assert [(m.direction, m.to, m.sender, m.status) for m in came.replies] == [
        ("outbound-reply", WORKER, FROM, "queued")
    ]
    await go(5)
    assert [text.body for text in fake.phone(WORKER).texts] == ["收到 K7，请5分钟内到场"]
    assert fake.requests == []


@pytest.mark.parametrize(("status", "problem"), [(500, 11200), (403, 11200)])
async def test_bad_answer_sends_nothing(fake: FakeTwilio, answer: Any, service: Any, status: int, problem: int) -> None:
    service.answers["/webhooks/twilio/sms"] = status
    came = await fake.incoming(WORKER, FROM, "1 K7")
    assert (came.status, came.replies, came.problems) == (status, (), (problem,))


async def test_answer_that_is_not_twiml(fake: FakeTwilio, answer: Any, service: Any) -> None:
    service.answers["/webhooks/twilio/sms"] = '{"ok": true}'
    assert (await fake.incoming(WORKER, FROM, "1 K7")).problems == (12100,)


async def test_same_text_can_be_brought_again(fake: FakeTwilio, answer: Any, service: Any) -> None:
    """With the same sid: what a service must not act on twice."""
    came = await fake.incoming(WORKER, FROM, "1 K7")
    await fake.redeliver(came.message.sid)
    assert [seen.params["MessageSid"] for seen in service.seen] == [came.message.sid] * 2
    assert len(fake.messages) == 1


async def test_stop_blocks_and_start_unblocks(fake: FakeTwilio, answer: Any, service: Any) -> None:
    """The service hears of it, and nothing can be sent to that number meanwhile, not even the answer."""
    answer("您已退订")
    for word in ("stop", " STOPALL "):
        came = await fake.incoming(WORKER, FROM, word)
        assert (came.replies, came.problems) == ((), (21610,))
        assert (await send(fake)).json()["code"] == 21610
        await fake.incoming(WORKER, FROM, "Start")
        assert (await send(fake)).status_code == 201
    assert len(service.seen) == 4
    await fake.incoming(WORKER, FROM, "please stop")
    assert (await send(fake)).status_code == 201


async def test_phone_replies_by_itself(fake: FakeTwilio, answer: Any, service: Any, go: Go) -> None:
    """After the seconds it was told, to the number the text came from."""
    fake.phone(WORKER).on_text(phones.IGNORE, phones.reply(lambda text: "1 " + text[-2:], after_s=20))
    await send(fake, "燃气泄漏 K7")
    await go(60)
    assert service.seen == []
    await send(fake, "燃气泄漏 K8")
    await go(21)
    assert service.seen == []
    await go(1)
    assert [(seen.params["Body"], seen.params["To"]) for seen in service.seen] == [("1 K8", FROM)]
    assert fake.phone(WORKER).sent == ["1 K8"]


async def test_phone_may_reply_by_hand(fake: FakeTwilio, answer: Any, service: Any, go: Go) -> None:
    with pytest.raises(LookupError):
        await fake.phone(WORKER).replies("1 K7")
    await send(fake)
    await go(5)
    await fake.phone(WORKER).replies("1 K7")
    assert service.seen[-1].params["Body"] == "1 K7"


async def test_without_a_webhook_the_text_is_only_kept(fake: FakeTwilio) -> None:
    came = await fake.incoming(WORKER, None, "hello")
    assert (came.status, fake.messages) == (0, [came.message])
