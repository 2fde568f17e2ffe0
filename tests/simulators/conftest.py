"""What the tests of the simulators share: a hand clock, the fake, Twilio's own client, a service, a Mosquitto."""

import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from simulators.clock import HandClock
from simulators.twilio import AUTH_TOKEN, FakeTwilio


@dataclass
class Seen:
    """A request the service got."""

    path: str
    method: str
    params: dict[str, str]
    valid: bool
    host: str


@dataclass
class Service:
    """Stands for the product: gets signed requests, validates them with Twilio's own code, answers what it is told."""

    url: str = ""
    #: What the address is from outside, for the signature; "" is `url`.
    public: str = ""
    seen: list[Seen] = field(default_factory=list)
    answers: dict[str, str | int] = field(default_factory=dict)

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.post()
        params = {name: str(value) for name, value in body.items()}
        valid = RequestValidator(AUTH_TOKEN).validate(
            (self.public or self.url) + request.path_qs, params, request.headers.get("X-Twilio-Signature", "")
        )
        self.seen.append(
            Seen(request.path, request.method, params or dict(request.query), valid, request.headers["Host"])
        )
        answer = self.answers.get(request.path, "")
        if isinstance(answer, int):
            return web.Response(status=answer)
        return web.Response(text=answer, content_type="application/xml")

    def statuses(self, path: str = "/status") -> list[str]:
        return [
            seen.params.get("MessageStatus") or seen.params.get("CallStatus", "")
            for seen in self.seen
            if seen.path == path
        ]


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    service = Service()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", service.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    service.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield service
    await runner.cleanup()


@pytest.fixture
async def fake(clock: HandClock) -> AsyncIterator[FakeTwilio]:
    async with FakeTwilio(now=clock.now) as fake:
        yield fake


@pytest.fixture
async def http() -> AsyncIterator[AsyncTwilioHttpClient]:
    async with AsyncTwilioHttpClient() as http:
        yield http


@pytest.fixture
def connect(http: AsyncTwilioHttpClient) -> Callable[..., Client]:
    """Twilio's own client, pointed at a fake; with the right token or another."""

    def connect(fake: FakeTwilio, token: str | None = None) -> Client:
        client = Client(fake.account_sid, token or fake.auth_token, http_client=http)
        client.api.base_url = fake.base_url
        return client

    return connect


@pytest.fixture
def client(fake: FakeTwilio, connect: Callable[..., Client]) -> Client:
    return connect(fake)


@pytest.fixture
def go(fake: FakeTwilio, clock: HandClock) -> Callable[[float], Awaitable[None]]:
    """Let so many seconds pass, stopping wherever something is due."""

    async def go(seconds: float) -> None:
        end = clock.time + timedelta(seconds=seconds)
        while (due := fake.next_at()) is not None and due <= end:
            clock.move_to(due)
            await fake.advance()
        clock.move_to(end)

    return go


@pytest.fixture(scope="session")
def mosquitto(tmp_path_factory: pytest.TempPathFactory, real_part: Callable[[str, str], None]) -> Iterator[str]:
    """The address of a Mosquitto with a configuration of its own."""
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        real_part("Mosquitto", "it is not installed")
        return
    folder: Path = tmp_path_factory.mktemp("mosquitto")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    configuration = folder / "mosquitto.conf"
    configuration.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n")
    with (folder / "log").open("w") as log, subprocess.Popen([program, "-c", configuration], stderr=log) as process:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield f"mqtt://127.0.0.1:{port}"
        process.terminate()
