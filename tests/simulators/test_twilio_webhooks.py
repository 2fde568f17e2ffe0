"""Signatures as Twilio's own validator computes them, and TwiML as its own library writes it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator
from twilio.twiml.messaging_response import MessagingResponse
from twilio.twiml.voice_response import Gather as TwilioGather
from twilio.twiml.voice_response import VoiceResponse

from simulators.twilio import twiml
from simulators.twilio.webhooks import absolute, sign


@given(
    st.dictionaries(st.text("AaBbZz01_", min_size=1, max_size=8), st.text(max_size=12)),
    st.sampled_from(
        ["https://example.org/a", "https://example.org:8443/a?b=%E5%AE%88&c", "http://127.0.0.1:80/", "http://h/?x=1"]
    ),
)
def test_signature(params: dict[str, str], url: str) -> None:
    assert sign("token", url, params) == RequestValidator("token").compute_signature(url, params)


def test_voice_document() -> None:
    response = VoiceResponse()
    gather = TwilioGather(num_digits=1, action="/key?d=1", timeout=8, finish_on_key="*", action_on_empty_result=True)
    gather.say("燃气泄漏 & 报警", language="zh-CN", voice="Polly.Zhiyu", loop=2)
    gather.pause(length=2)
    response.append(gather)
    response.play("https://example.org/a.mp3")
    response.redirect("/again", method="GET")
    response.hangup()
    verbs = list(twiml.parse_voice(str(response)))
    assert verbs[0] == twiml.Gather(
        action="/key?d=1",
        method="POST",
        num_digits=1,
        timeout_s=8,
        finish_on_key="*",
        action_on_empty_result=True,
        prompts=(
            twiml.Say(text="燃气泄漏 & 报警", language="zh-CN", voice="Polly.Zhiyu", loop=2),
            twiml.Pause(seconds=2),
        ),
    )
    assert verbs[1:] == [
        twiml.Say(text="[https://example.org/a.mp3]"),
        twiml.Redirect(url="/again", method="GET"),
        twiml.Hangup(),
    ]


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("", 12100),
        ("<Response>", 12100),
        ("<Reply/>", 12200),
        ("<Response><Conference/></Response>", 12200),
        ('<Response><Gather numDigits="0"/></Response>', 13314),
    ],
)
def test_bad_voice_documents(document: str, code: int) -> None:
    with pytest.raises(twiml.TwimlError) as error:
        twiml.parse_voice(document)
    assert error.value.code == code


def test_messaging_documents() -> None:
    response = MessagingResponse()
    response.message("收到 K7", to="+8613800000002")
    nested = response.message()
    nested.body("第二条")
    assert [(reply.body, reply.to) for reply in twiml.parse_messaging(str(response), "text/xml")] == [
        ("收到 K7", "+8613800000002"),
        ("第二条", None),
    ]
    assert [reply.body for reply in twiml.parse_messaging("plain", "text/plain")] == ["plain"]
    empty: list[Any] = []
    assert list(twiml.parse_messaging(" \n", "text/xml")) == empty
    assert list(twiml.parse_messaging("<Response/>", "text/xml")) == empty


@pytest.mark.parametrize(
    ("base", "reference", "url"),
    [
        ("https://example.org/voice?d=1", "/key?d=1", "https://example.org/key?d=1"),
        ("https://example.org/a/voice?d=1", "key", "https://example.org/a/key"),
        ("https://example.org/voice?d=1", "", "https://example.org/voice?d=1"),
        ("https://example.org/voice", "https://other.example/x", "https://other.example/x"),
    ],
)
def test_relative_addresses(base: str, reference: str, url: str) -> None:
    assert absolute(base, reference) == url
