"""What Twilio tells us: only what it has signed, however often it says it, and never a crash."""

import asyncio
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from web import twilio

SMS = {"MessageSid": "SM1", "From": "+8613800000001", "To": "+15005550006", "Body": "1 K7"}
CALL = {"CallSid": "CA1", "From": "+15005550006", "To": "+8613800000001"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
#: Made by hand with openssl from the text that Twilio's documentation prescribes: address, then fields by name.
KNOWN_SIGNATURE = "JO4rblitUAqYTT48kafpQ9e2ZkE="

pytestmark = pytest.mark.usefixtures("secrets_stay_out_of_logs")


@pytest.fixture
def site(make_site: Any) -> Any:
    """Behind a proxy, under its public address."""
    return make_site()


def code(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["code"])


# --- signatures -------------------------------------------------------------------------------------------------------


async def test_a_signed_reply_is_handled_and_answered(site: Any) -> None:
    answer = await site.twilio("sms", SMS)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    assert [message.text for message in ET.fromstring(answer.text)] == ["收到,您负责K7"]
    assert site.phone.handled == [("+8613800000001", "1 K7")]


async def test_a_signature_made_without_the_library_is_accepted(site: Any) -> None:
    """A second opinion on what a signature is, Chinese text and a query included."""
    answer = await site.request(
        "POST",
        "/webhooks/twilio/status?delivery=12",
        content=urlencode({"MessageSid": "SM1", "MessageStatus": "delivered", "Note": "到达 & 已读"}),
        headers=FORM | {"X-Twilio-Signature": KNOWN_SIGNATURE},
    )

    assert answer.status_code == 204


@pytest.mark.parametrize("path", ["sms", "status", "voice?delivery=12", "voice/key?delivery=12"])
async def test_forged_calls_are_refused_counted_and_change_nothing(
    site: Any, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    fields = SMS | CALL | {"MessageStatus": "delivered", "CallStatus": "completed", "Digits": "1"}
    forged = [
        await site.twilio(path, fields, token="another token"),
        await site.twilio(path, fields, host="https://evil.example.org"),
        await site.twilio(path, fields, host="http://alarm.example.org"),
        await site.request("POST", f"/webhooks/twilio/{path}", content=urlencode(fields), headers=FORM),
        await site.request(
            "POST",
            f"/webhooks/twilio/{path}",
            content=urlencode(fields),
            headers=FORM | {"X-Twilio-Signature": "ü".encode()},
        ),
    ]

    assert [(answer.status_code, code(answer)) for answer in forged] == [(403, "signature")] * 5
    assert site.refused("signature") == 5
    assert (site.phone.handled, site.phone.receipts, site.phone.keys) == ([], [], [])
    assert "SHOUWANG_HTTP__PUBLIC_URL must be the address" in caplog.text


async def test_a_signature_does_not_fit_other_fields_or_another_delivery(site: Any) -> None:
    signed = await site.twilio("status?delivery=12", {"MessageSid": "SM1", "MessageStatus": "sent"})
    signature = signed.request.headers["x-twilio-signature"]
    for path, status in [("status?delivery=13", "sent"), ("status?delivery=12", "failed"), ("status", "sent")]:
        answer = await site.request(
            "POST",
            f"/webhooks/twilio/{path}",
            content=urlencode({"MessageSid": "SM1", "MessageStatus": status}),
            headers=FORM | {"X-Twilio-Signature": signature},
        )
        assert answer.status_code == 403
    assert len(site.phone.receipts) == 1


async def test_the_public_address_counts_and_not_what_a_proxy_or_a_forger_says(site: Any) -> None:
    """Behind a proxy the Host we see is an inner one, and the headers that name the outer one can be forged."""
    assert (await site.twilio("sms", SMS, Host="10.0.0.5:8080")).status_code == 200
    forged = await site.twilio(
        "sms",
        SMS,
        host="https://evil.example.org",
        **{"Host": "evil.example.org", "X-Forwarded-Host": "evil.example.org", "X-Forwarded-Proto": "https"},
    )
    assert forged.status_code == 403


@pytest.mark.parametrize("public_url", ["https://example.org/shouwang", "https://example.org/shouwang/"])
async def test_a_proxy_may_put_us_under_a_path(make_site: Any, public_url: str) -> None:
    site = make_site(public_url=public_url)
    answer = await site.twilio("voice?delivery=12", CALL, host="https://example.org/shouwang")

    assert answer.status_code == 200
    assert 'action="https://example.org/shouwang/webhooks/twilio/voice/key?delivery=12"' in answer.text


async def test_without_a_public_address_our_own_is_what_was_signed(make_site: Any) -> None:
    site = make_site(public_url=None)
    site.base_url = "http://127.0.0.1:8080"
    assert (await site.twilio("sms", SMS, host="http://127.0.0.1:8080")).status_code == 200
    assert (await site.twilio("sms", SMS, host="http://127.0.0.2:8080")).status_code == 403


@pytest.mark.parametrize(
    ("first", "second", "signed_with", "provider"),
    [
        ("a-token", "another-token", "a-token", "twilio"),
        ("a-token", "another-token", "another-token", "twilio_2"),
        (None, "another-token", "another-token", "twilio_2"),
        ("a-token", "a-token", "a-token", None),
    ],
)
async def test_a_second_provider_signs_with_its_own_token(
    make_site: Any, first: str | None, second: str, signed_with: str, provider: str | None
) -> None:
    """Whose word a receipt is shows by the token; where two share one it is not sure."""
    site = make_site(twilio_auth_token=first, twilio_2_auth_token=second)
    answer = await site.twilio("status", {"MessageSid": "SM1", "MessageStatus": "sent"}, token=signed_with)
    forged = await site.twilio("status", {"MessageSid": "SM1", "MessageStatus": "sent"}, token="a-third-token")

    assert (answer.status_code, forged.status_code) == (204, 403)
    assert [one["provider"] for one in site.phone.receipts] == [provider]


# --- what is refused before that --------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", [None, ""])
async def test_without_a_token_nothing_is_taken(make_site: Any, token: str | None) -> None:
    """An empty token would make every signature forgeable."""
    site = make_site(twilio_auth_token=token)
    answer = await site.twilio("sms", SMS, token="")

    assert (answer.status_code, code(answer)) == (503, "unconfigured")
    assert "SHOUWANG_TWILIO__AUTH_TOKEN" in answer.json()["error"]["message"]
    assert site.refused("unconfigured") == 1
    assert site.phone.handled == []


async def test_an_oversized_call_is_refused_unread(site: Any) -> None:
    answer = await site.twilio("sms", SMS | {"Body": "1" * 70_000})

    assert (answer.status_code, code(answer)) == (413, "too_large")
    assert site.refused("too_large") == 1
    assert site.phone.handled == []


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data; boundary=x", b"--x--"),
        ("", b"MessageSid=SM1"),
        (FORM["Content-Type"], b"Body=%ff%fe"),
        (FORM["Content-Type"], b"Body=\xff"),
        (FORM["Content-Type"], b"&".join(b"a%d=1" % number for number in range(300))),
    ],
)
async def test_what_is_no_form_is_refused(site: Any, kind: str, body: bytes) -> None:
    answer = await site.request("POST", "/webhooks/twilio/sms", content=body, headers={"Content-Type": kind})

    assert (answer.status_code, code(answer)) == (400, "malformed")
    assert site.refused("malformed") == 1


async def test_a_body_that_never_ends_holds_nobody(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(twilio, "_READ_TIMEOUT_S", 0.01)

    async def trickle() -> AsyncIterator[bytes]:
        yield b"Body=1"
        await asyncio.Event().wait()

    answer = await site.request("POST", "/webhooks/twilio/sms", content=trickle(), headers=FORM)

    assert (answer.status_code, code(answer)) == (400, "malformed")


@pytest.mark.parametrize("path", ["sms", "status", "voice", "voice/key"])
async def test_only_post_is_taken(site: Any, path: str) -> None:
    assert (await site.request("GET", f"/webhooks/twilio/{path}")).status_code == 405


@pytest.mark.parametrize(
    ("path", "fields", "missing"),
    [
        ("sms", {"From": "+8613800000001", "Body": "1"}, "MessageSid"),
        ("sms", {"MessageSid": "SM1", "Body": "1"}, "From"),
        ("sms", {"MessageSid": "SM1", "From": "+8613800000001"}, "Body"),
        ("sms", {}, "MessageSid"),
        ("status", {"MessageStatus": "sent"}, "MessageSid"),
        ("status", {"MessageSid": "SM1"}, "MessageStatus"),
        ("status", {"CallSid": "CA1"}, "CallStatus"),
        ("voice?delivery=12", {}, "CallSid"),
        ("voice/key?delivery=12", {"CallSid": "CA1"}, "Digits"),
        ("voice/key?delivery=12", {"CallSid": "CA1", "Digits": ""}, "Digits"),
    ],
)
async def test_a_missing_field_is_named(site: Any, path: str, fields: dict[str, str], missing: str) -> None:
    answer = await site.twilio(path, fields)

    assert answer.status_code == 400
    assert answer.json()["error"] == {"code": "missing_field", "message": f"The field {missing} is missing."}
    assert site.refused("missing_field") == 1


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("voice", "missing_field"),
        ("voice?delivery=", "malformed"),
        ("voice?delivery=-1", "malformed"),
        ("voice?delivery=1%27", "malformed"),
        ("voice?delivery=１２", "malformed"),
        (f"voice?delivery={'9' * 40}", "malformed"),
    ],
)
async def test_a_call_must_name_its_delivery(site: Any, path: str, expected: str) -> None:
    answer = await site.twilio(str(httpx.URL(path)), CALL)

    assert (answer.status_code, code(answer)) == (400, expected)


# --- replies, receipts, calls -----------------------------------------------------------------------------------------


async def test_a_reply_that_comes_twice_is_handled_once_and_answered_alike(site: Any) -> None:
    first, second = await site.twilio("sms", SMS), await site.twilio("sms", SMS)

    assert first.text == second.text
    assert len(site.phone.handled) == 1


@pytest.mark.parametrize("body", ["", " ", "接单K7 & <ok>", "１　Ｋ７", "K7 👍"])
async def test_any_text_reaches_the_phone_as_it_was_sent(site: Any, body: str) -> None:
    await site.twilio("sms", SMS | {"Body": body})

    assert site.phone.handled == [("+8613800000001", body)]


async def test_nothing_to_say_is_answered_with_nothing(site: Any) -> None:
    """An unknown sender costs no SMS."""
    site.phone.answer = ""
    answer = await site.twilio("sms", SMS)

    assert list(ET.fromstring(answer.text)) == []


@pytest.mark.parametrize(
    ("path", "fields", "expected"),
    [
        (
            "status?delivery=12",
            {"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": "30003"},
            {
                "delivery_id": 12,
                "provider_id": "SM1",
                "status": "undelivered",
                "error": "30003",
                "kind": "message",
                "provider": "twilio",
            },
        ),
        (
            "status",
            {"MessageSid": "SM1", "SmsSid": "SM1", "MessageStatus": "delivered", "SmsStatus": "delivered"},
            {
                "delivery_id": None,
                "provider_id": "SM1",
                "status": "delivered",
                "error": None,
                "kind": "message",
                "provider": "twilio",
            },
        ),
        (
            "status?delivery=13",
            {"CallSid": "CA1", "CallStatus": "no-answer", "CallDuration": "0"},
            {
                "delivery_id": 13,
                "provider_id": "CA1",
                "status": "no-answer",
                "error": None,
                "kind": "call",
                "provider": "twilio",
            },
        ),
    ],
)
async def test_receipts_of_messages_and_calls(
    site: Any, path: str, fields: dict[str, str], expected: dict[str, Any]
) -> None:
    answer = await site.twilio(path, fields)

    assert (answer.status_code, answer.content) == (204, b"")
    assert site.phone.receipts == [expected]


async def test_an_answered_call_speaks_and_asks_for_a_key(site: Any) -> None:
    answer = await site.twilio("voice?delivery=12", CALL | {"CallStatus": "in-progress"})
    first, second, hangup = ET.fromstring(answer.text)

    assert (first.tag, second.tag, hangup.tag) == ("Gather", "Gather", "Hangup")
    assert first.attrib["action"] == "https://alarm.example.org/webhooks/twilio/voice/key?delivery=12"
    assert first.attrib["numDigits"] == "1"


@pytest.mark.parametrize("answered_by", ["machine_start", "fax"])
async def test_a_voice_box_has_not_heard_it(site: Any, answered_by: str) -> None:
    """Where machine detection is on: nothing is said to it, and the person counts as not reached."""
    told = {
        "provider_id": "CA1",
        "status": "answered-by-machine",
        "error": None,
        "kind": "call",
        "provider": "twilio",
        "delivery_id": 12,
    }
    answer = await site.twilio("voice?delivery=12", {"CallSid": "CA1", "AnsweredBy": answered_by})
    assert [element.tag for element in ET.fromstring(answer.text)] == ["Hangup"]

    ended = {"CallSid": "CA1", "CallStatus": "completed", "AnsweredBy": answered_by}
    await site.twilio("status?delivery=12", ended)
    assert site.phone.receipts == [told, told]


async def test_a_person_whom_machine_detection_heard_is_asked(site: Any) -> None:
    answer = await site.twilio("voice?delivery=12", CALL | {"AnsweredBy": "human"})

    assert [element.tag for element in ET.fromstring(answer.text)] == ["Gather", "Gather", "Hangup"]
    assert site.phone.receipts == []


async def test_the_address_for_the_key_is_one_that_we_take(site: Any) -> None:
    """Follow the call from its script to its key, as Twilio does."""
    script = await site.twilio("voice?delivery=12", CALL)
    action = ET.fromstring(script.text)[0].attrib["action"]
    answer = await site.twilio(action.partition("/webhooks/twilio/")[2], CALL | {"Digits": "1"})

    assert site.phone.keys == [(12, "1")]
    assert [element.tag for element in ET.fromstring(answer.text)] == ["Say", "Hangup"]


@pytest.mark.parametrize("path", ["voice?delivery=99", "voice/key?delivery=99"])
async def test_a_call_for_a_delivery_there_is_not_is_hung_up(site: Any, path: str) -> None:
    site.phone.script = None
    answer = await site.twilio(path, CALL | {"Digits": "1"})

    assert answer.status_code == 200
    assert [element.tag for element in ET.fromstring(answer.text)] == ["Hangup"]


async def test_numbers_and_texts_stay_out_of_the_log(site: Any, caplog: pytest.LogCaptureFixture) -> None:
    await site.twilio("sms", SMS)
    await site.twilio("sms", SMS, token="another token")

    assert "13800000001" not in caplog.text
    assert "1 K7" not in caplog.text
