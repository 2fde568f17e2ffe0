"""What can go wrong at the fake, and what is stored while it does. Asked with httpx, whose errors say what happened."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest

from simulators import phones
from simulators.clock import HandClock
from simulators.twilio import FakeTwilio

FROM = "+15005550006"
WORKER = "+8613800000001"
OTHER = "+8613800000002"

Go = Callable[[float], Awaitable[None]]
Send = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
async def api(fake: FakeTwilio) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        base_url=f"{fake.base_url}/2010-04-01/Accounts/{fake.account_sid}/",
        auth=(fake.account_sid, fake.auth_token),
        timeout=0.3,
    ) as api:
        yield api


@pytest.fixture
def send(api: httpx.AsyncClient) -> Send:
    async def send(to: str = WORKER, **fields: Any) -> httpx.Response:
        return await api.post("Messages.json", data={"To": to, "From": FROM, "Body": "燃气泄漏 K7", **fields})

    return send


@pytest.mark.parametrize(
    ("kind", "error", "stored"),
    [
        ("refuse", httpx.NetworkError, False),
        ("answer_lost", httpx.NetworkError, True),
        ("hang", httpx.ReadTimeout, True),
        ("hang_before", httpx.ReadTimeout, False),
    ],
)
async def test_no_answer_comes(fake: FakeTwilio, send: Send, kind: str, error: type[Exception], stored: bool) -> None:
    """The ledger knows what the caller cannot: whether the message was stored."""
    fake.faults.add(kind, times=1)
    with pytest.raises(error):
        await send()
    [entry] = fake.requests
    assert (entry.fault, entry.accepted) == (kind, stored)
    assert entry.status is None
    assert len(fake.messages) == stored
    assert (await send()).status_code == 201


@pytest.mark.parametrize(
    ("fault", "status", "code", "stored"),
    [
        ({"kind": "error_before"}, 500, 20500, False),
        ({"kind": "error_before", "status": 503}, 503, 20503, False),
        ({"kind": "error_after"}, 500, 20500, True),
        ({"kind": "rate_limited"}, 429, 20429, False),
        ({"kind": "reject", "code": 21610}, 400, 21610, False),
    ],
)
async def test_error_is_answered(
    *, fake: FakeTwilio, send: Send, fault: dict[str, Any], status: int, code: int, stored: bool
) -> None:
    fake.faults.add(**fault, times=2)
    for _ in range(2):
        answer = await send()
        assert (answer.status_code, answer.json()["code"], answer.json()["status"]) == (status, code, status)
        assert answer.json()["more_info"].endswith(f"/{code}")
    assert (await send()).status_code == 201
    assert [entry.accepted for entry in fake.requests] == [stored, stored, True]


async def test_429_may_say_how_long_to_wait(fake: FakeTwilio, send: Send) -> None:
    fake.faults.add("rate_limited", times=1, retry_after=7)
    fake.faults.add("rate_limited", times=1)
    assert (await send()).headers["Retry-After"] == "7"
    assert "Retry-After" not in (await send()).headers


async def test_slow_answer_comes_and_the_message_was_there_before(fake: FakeTwilio, send: Send) -> None:
    """Slowness is real time, so that a client's timeout really strikes."""
    fake.faults.add("slow", times=1, seconds=0.05)
    assert (await send()).status_code == 201
    fake.faults.add("slow", times=1, seconds=30)
    with pytest.raises(httpx.ReadTimeout):
        await send()
    assert len(fake.messages) == 2


async def test_request_that_lands_late(fake: FakeTwilio, send: Send, api: httpx.AsyncClient, go: Go) -> None:
    """For a while the provider says it has nothing, and then it has."""
    fake.faults.add("lands_late", times=1, seconds=20)
    with pytest.raises(httpx.ReadTimeout):
        await send()
    assert (await api.get("Messages.json", params={"To": WORKER})).json()["messages"] == []
    await go(20)
    assert len((await api.get("Messages.json", params={"To": WORKER})).json()["messages"]) == 1
    assert fake.requests[0].accepted


async def test_fault_of_one_number_spares_the_others(fake: FakeTwilio, send: Send) -> None:
    fault = fake.faults.add("error_before", WORKER)
    assert (await send(OTHER)).status_code == 201
    assert (await send(WORKER)).status_code == 500
    fake.faults.remove(fault)
    assert (await send(WORKER)).status_code == 201
    assert fault.met == 1


async def test_fault_for_a_time_ends_by_the_providers_clock(
    fake: FakeTwilio, send: Send, api: httpx.AsyncClient, clock: HandClock
) -> None:
    """500 to everything, lists as well, for two minutes."""
    fake.faults.add("error_before", for_s=120, on="all")
    assert (await send()).status_code == 500
    assert (await api.get("Messages.json")).status_code == 500
    clock.move(119)
    assert (await send()).status_code == 500
    clock.move(1)
    assert (await send()).status_code == 201
    assert (await api.get("Messages.json")).status_code == 200


async def test_reading_may_fail_where_writing_works(fake: FakeTwilio, send: Send, api: httpx.AsyncClient) -> None:
    fake.faults.add("error_before", on="read")
    assert (await send()).status_code == 201
    assert (await api.get("Messages.json")).status_code == 500


async def test_down_refuses_connections_and_comes_back_at_the_same_address(fake: FakeTwilio, send: Send) -> None:
    assert (await send()).status_code == 201
    async with fake.down():
        # The connection that was kept open is cut; after that there is nobody to connect to.
        with pytest.raises(httpx.NetworkError):
            await send()
        with pytest.raises(httpx.ConnectError):
            await send()
    assert (await send()).status_code == 201


@pytest.mark.parametrize(("kind", "code"), [("undelivered", 30003), ("failed", 30008)])
async def test_message_that_does_not_arrive(
    *, fake: FakeTwilio, send: Send, service: Any, go: Go, kind: str, code: int
) -> None:
    fake.faults.add(kind, WORKER, times=1)
    await send(StatusCallback=f"{service.url}/status")
    await go(60)
    assert (fake.messages[0].status, fake.messages[0].error_code) == (kind, code)
    assert service.seen[-1].params["ErrorCode"] == str(code)
    assert fake.phone(WORKER).texts == []


async def test_code_of_a_failure_can_be_chosen(fake: FakeTwilio, send: Send, api: httpx.AsyncClient, go: Go) -> None:
    fake.faults.add("undelivered", code=30007)
    sid = (await send()).json()["sid"]
    await go(60)
    resource = (await api.get(f"Messages/{sid}.json")).json()
    assert (resource["error_code"], resource["error_message"]) == (30007, "Message filtered")


@pytest.mark.parametrize(("kind", "status"), [("no_answer", "no-answer"), ("busy", "busy"), ("failed", "failed")])
async def test_call_that_fails_whatever_the_phone_would_do(
    fake: FakeTwilio, api: httpx.AsyncClient, go: Go, kind: str, status: str
) -> None:
    fake.faults.add(kind, WORKER, resource="calls", times=1)
    fake.phone(WORKER).on_call(phones.answer())
    for _ in range(2):
        await api.post("Calls.json", data={"To": WORKER, "From": FROM, "Twiml": "<Response><Say>x</Say></Response>"})
        await go(120)
    assert [call.status for call in fake.calls] == [status, "completed"]


async def test_late_listing(fake: FakeTwilio, send: Send, api: httpx.AsyncClient, go: Go) -> None:
    """Fetching by sid works at once; lists show it only later."""
    fake.faults.add("late_listing", seconds=30, times=1)
    sid = (await send()).json()["sid"]
    await go(29)
    assert (await api.get("Messages.json", params={"To": WORKER})).json()["messages"] == []
    assert (await api.get(f"Messages/{sid}.json")).json()["status"] == "delivered"
    await go(1)
    assert len((await api.get("Messages.json", params={"To": WORKER})).json()["messages"]) == 1


@pytest.mark.parametrize(
    ("fault", "statuses"),
    [
        ({}, ["sent", "delivered"]),
        ({"kind": "callbacks_twice"}, ["sent", "sent", "delivered", "delivered"]),
        ({"kind": "callbacks_out_of_order"}, ["delivered", "sent"]),
        ({"kind": "callbacks_lost"}, []),
    ],
)
async def test_callbacks_misbehave(
    *, fake: FakeTwilio, send: Send, service: Any, go: Go, fault: dict[str, Any], statuses: list[str]
) -> None:
    """The status itself is right all the same."""
    if fault:
        fake.faults.add(**fault)
    await send(StatusCallback=f"{service.url}/status")
    await go(60)
    assert service.statuses() == statuses
    assert fake.messages[0].status == "delivered"


async def test_late_callbacks_do_not_hold_up_the_text(fake: FakeTwilio, send: Send, service: Any, go: Go) -> None:
    fake.faults.add("callbacks_late", seconds=90)
    await send(StatusCallback=f"{service.url}/status")
    await go(30)
    assert len(fake.phone(WORKER).texts) == 1
    assert service.statuses() == []
    await go(70)
    assert service.statuses() == ["sent", "delivered"]


async def test_service_that_does_not_answer_callbacks_harms_nothing(
    fake: FakeTwilio, send: Send, service: Any, go: Go
) -> None:
    """A callback is asked once, whatever comes back."""
    service.answers = {"/status": 500}
    await send(StatusCallback=f"{service.url}/status")
    await send(StatusCallback="http://127.0.0.1:9/status")
    await go(60)
    assert [webhook.status for webhook in fake.webhooks] == [500, 0, 500, 0]
    assert len(fake.phone(WORKER).texts) == 2


async def test_reset_forgets_everything(fake: FakeTwilio, send: Send, go: Go) -> None:
    fake.faults.add("error_before", OTHER)
    await send()
    await send(OTHER)
    await go(1)
    fake.reset()
    await go(60)
    assert (fake.messages, fake.requests, fake.webhooks, list(fake.faults)) == ([], [], [], [])
    assert fake.phone(WORKER).texts == []
