"""The server over a real socket."""

import asyncio
import contextlib
import re
import signal
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from twilio.request_validator import RequestValidator

from web.app import create_app
from web.server import ListenError, serve


@contextlib.asynccontextmanager
async def served(app: FastAPI, listen: str = "127.0.0.1:0") -> AsyncIterator[tuple[str, "asyncio.Task[None]"]]:
    where: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(app, listen, started=lambda host, port: where.set_result(f"http://{host}:{port}")))
    try:
        yield await where, task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.fixture
def app(site: Any) -> FastAPI:
    return create_app(site.desk, site.phone, site.health, site.options)


async def test_it_serves_and_stops(app: FastAPI) -> None:
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    async with served(app) as (url, task), httpx.AsyncClient() as client:
        answer = await client.get(f"{url}/healthz")
        assert answer.json() == {"status": "alive"}
        assert "server" not in answer.headers
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers

    assert task.cancelled()
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"{url}/healthz")


async def test_the_loopback_rule_over_a_real_connection(app: FastAPI) -> None:
    """The server believes no header about who is calling, not even from a proxy on this machine."""
    async with served(app) as (url, _), httpx.AsyncClient() as client:
        statuses = [
            (await client.get(f"{url}/api/v1/incidents", headers=headers)).status_code
            for headers in ({}, {"X-Forwarded-For": "127.0.0.1"}, {"X-Forwarded-For": "203.0.113.9"})
        ]

    assert statuses == [200, 403, 403]


async def test_headers_of_a_proxy_do_not_change_what_was_signed(site: Any, make_site: Callable[..., Any]) -> None:
    options = make_site(public_url=None, twilio_auth_token="a-made-up-auth-token").options
    app = create_app(site.desk, site.phone, site.health, options)
    async with served(app) as (url, _), httpx.AsyncClient() as client:
        fields = {"MessageSid": "SM1", "MessageStatus": "sent"}
        address = f"{url}/webhooks/twilio/status"
        signature = RequestValidator("a-made-up-auth-token").compute_signature(address, fields)
        headers = {"X-Twilio-Signature": signature, "X-Forwarded-Proto": "https", "X-Forwarded-Host": "example.org"}
        answer = await client.post(address, data=fields, headers=headers)

    assert answer.status_code == 204


async def test_a_request_under_way_ends_before_the_server_does(app: FastAPI) -> None:
    began, may_end = asyncio.Event(), asyncio.Event()

    @app.get("/slow")
    async def slow() -> str:
        began.set()
        await may_end.wait()
        return "done"

    async with served(app) as (url, task), httpx.AsyncClient() as client:
        request = asyncio.create_task(client.get(f"{url}/slow"))
        await began.wait()
        task.cancel()
        for _ in range(20):
            await asyncio.sleep(0)
        assert not task.done()
        may_end.set()
        answer = await request

    assert answer.json() == "done"


async def test_a_taken_port_is_said_in_a_sentence(app: FastAPI) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        sentence = (
            f"Shouwang cannot listen on {listen}: another program listens there already."
            " Set SHOUWANG_HTTP__LISTEN to another."
        )
        with pytest.raises(ListenError, match=re.escape(sentence)):
            await serve(app, listen)


@pytest.mark.parametrize(
    ("listen", "sentence"),
    [
        ("127.0.0.1", "must be host:port, such as 127.0.0.1:8080; it is '127.0.0.1'."),
        ("127.0.0.1:http", "must be host:port"),
        ("8080", "must be host:port"),
        ("127.0.0.1:８０８０", "must be host:port"),
        ("127.0.0.1:65536", "must be host:port"),
        ("192.0.2.1:8080", "this machine has no such address"),
        ("no such host:8080", "names 'no such host', which is no address of this machine."),
    ],
)
async def test_an_address_that_will_not_do_is_said_in_a_sentence(app: FastAPI, listen: str, sentence: str) -> None:
    with pytest.raises(ListenError, match=re.escape(sentence)):
        await serve(app, listen)


async def test_it_listens_on_the_other_loopback_too(app: FastAPI, make_site: Callable[..., Any]) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    async with served(app, "[::1]:0") as (url, _), httpx.AsyncClient() as client:
        port = url.rpartition(":")[2]
        assert (await client.get(f"http://[::1]:{port}/api/v1/incidents")).status_code == 200
