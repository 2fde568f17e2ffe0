"""The fake as another process sees it: pages under /_fake/, and time that goes by itself."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from simulators import phones
from simulators.clock import HandClock
from simulators.twilio import FakeTwilio, Pace

FROM = "+15005550006"
WORKER = "+8613800000001"

Go = Callable[[float], Awaitable[None]]


@pytest.fixture
async def page(fake: FakeTwilio) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=fake.base_url) as page:
        yield page


async def send(fake: FakeTwilio) -> httpx.Response:
    async with httpx.AsyncClient(auth=(fake.account_sid, fake.auth_token)) as api:
        return await api.post(
            f"{fake.base_url}/2010-04-01/Accounts/{fake.account_sid}/Messages.json",
            data={"To": WORKER, "From": FROM, "Body": "K7"},
        )


async def test_ledger(fake: FakeTwilio, page: httpx.AsyncClient, go: Go) -> None:
    await send(fake)
    await go(5)
    ledger = (await page.get("/_fake/ledger")).json()
    [request], [message] = ledger["requests"], ledger["messages"]
    assert (request["accepted"], request["params"]["To"], request["status"]) == (True, WORKER, 201)
    assert [status for _, status in message["history"]] == ["queued", "sent", "delivered"]


async def test_faults(fake: FakeTwilio, page: httpx.AsyncClient) -> None:
    made = await page.post("/_fake/faults", json={"kind": "error_before", "number": WORKER, "times": 1, "status": 503})
    assert made.status_code == 201
    assert (await send(fake)).status_code == 503
    [fault] = (await page.get("/_fake/faults")).json()
    assert (fault["kind"], fault["times"], fault["met"]) == ("error_before", 0, 1)
    await page.delete("/_fake/faults")
    assert list(fake.faults) == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/_fake/faults", {"kind": "earthquake"}),
        ("/_fake/faults", {"colour": "red"}),
        ("/_fake/faults", [1]),
        ("/_fake/incoming", {"from": WORKER}),
        ("/_fake/phones/+8613800000001", {"call": [{"do": "sing"}]}),
    ],
)
async def test_mistakes_are_said(page: httpx.AsyncClient, path: str, body: Any) -> None:
    answer = await page.post(path, json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]


async def test_incoming_and_settings(fake: FakeTwilio, page: httpx.AsyncClient, service: Any) -> None:
    await page.post("/_fake/settings", json={"sms_url": f"{service.url}/sms"})
    answer = (await page.post("/_fake/incoming", json={"from": WORKER, "body": "1 K7"})).json()
    assert (answer["status"], answer["replies"]) == (200, [])
    assert service.seen[0].params["Body"] == "1 K7"


async def test_phone_is_scripted_and_read(fake: FakeTwilio, page: httpx.AsyncClient, go: Go) -> None:
    await page.post(f"/_fake/phones/{WORKER}", json={"text": [{"reply": "1 K7", "after_s": 2}, {}]})
    await send(fake)
    await go(10)
    phone = (await page.get(f"/_fake/phones/{WORKER}")).json()
    assert [text["body"] for text in phone["texts"]] == ["K7"]
    assert phone["sent"] == ["1 K7"]


async def test_advance_and_reset(fake: FakeTwilio, page: httpx.AsyncClient, clock: HandClock) -> None:
    await send(fake)
    clock.move(10)
    assert (await page.post("/_fake/advance")).json() == {"done": 2}
    await page.post("/_fake/reset")
    assert (await page.get("/_fake/ledger")).json()["messages"] == []


async def test_any_other_address_is_20404(page: httpx.AsyncClient) -> None:
    answer = await page.get("/2010-04-01/Accounts.json")
    assert (answer.status_code, answer.json()["code"]) == (404, 20404)


async def test_by_the_wall_clock_things_happen_by_themselves() -> None:
    async with FakeTwilio(pace=Pace(sent_s=0.01, delivered_s=0.01)) as fake:
        await send(fake)
        text = await fake.phone(WORKER).expect_sms(contains="K7")
        assert abs((datetime.now(UTC) - text.at).total_seconds()) < 60


async def test_with_a_clock_and_a_speed_things_happen_by_themselves() -> None:
    """A demo's compressed time."""
    clock = HandClock()
    async with FakeTwilio(now=clock.now, speed=1000) as fake:
        await send(fake)
        clock.move(2)
        await fake.phone(WORKER).expect_sms(contains="K7")


async def test_phone_waits_in_vain(fake: FakeTwilio, go: Go) -> None:
    """What came instead is said."""
    await send(fake)
    await go(5)
    phone = fake.phone(WORKER)
    with pytest.raises(AssertionError, match=r"no text with 'gas'.*K7"):
        await phone.expect_sms(contains="gas", within_s=0.01)
    assert (await phone.expect_sms()).body == "K7"
    with pytest.raises(AssertionError):
        await phone.expect_sms(within_s=0.01)
    with pytest.raises(AssertionError):
        await phone.expect_call(within_s=0.01)


async def test_phone_waits_for_a_call(fake: FakeTwilio, go: Go) -> None:
    fake.phone(WORKER).on_call(phones.BUSY)
    async with httpx.AsyncClient(auth=(fake.account_sid, fake.auth_token)) as api:
        await api.post(
            f"{fake.base_url}/2010-04-01/Accounts/{fake.account_sid}/Calls.json",
            data={"To": WORKER, "From": FROM, "Twiml": "<Response/>"},
        )
    await go(5)
    assert (await fake.phone(WORKER).expect_call()).caller == FROM
