"""The service itself, and whether its public address leads to it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from twilio.request_validator import RequestValidator

from notify.channels.http import Answer
from shouwang.doctor import callbacks
from shouwang.doctor.callbacks import judge, own_address
from shouwang.doctor.diagnosis import Diagnosis, Grade

FINDING, NOTE, FINE = Grade.FINDING, Grade.NOTE, Grade.FINE
URL = "https://alarm.example.org"


@dataclass
class Standin:
    """Something that answers at our address: by default a service that is ready."""

    token: str
    url: str = ""
    ready: tuple[int, dict[str, Any]] = (200, {"status": "ready", "problems": []})
    signed: list[bool] = field(default_factory=list)

    async def readyz(self, _request: web.Request) -> web.Response:
        return web.json_response(self.ready[1], status=self.ready[0])

    async def check(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        signature = request.headers["X-Twilio-Signature"]
        self.signed.append(RequestValidator(self.token).validate(f"{self.url}{request.path}", form, signature))
        return web.json_response({"word": form["word"]})


@pytest.fixture
async def standin(account: dict[str, Any]) -> AsyncIterator[Standin]:
    made = Standin(token=account["auth_token"])
    app = web.Application()
    app.router.add_get("/readyz", made.readyz)
    app.router.add_post(callbacks.CHECK, made.check)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


@pytest.fixture
def look(
    standin: Standin, account: dict[str, Any], make_settings: Any, make_patient: Any
) -> Callable[..., Awaitable[list[Diagnosis]]]:
    """Look at the stand-in; with an account for texts, and a public address that leads to it."""

    async def look(*, twilio: dict[str, Any] | None = None, **http: Any) -> list[Diagnosis]:
        fields = {"listen": standin.url.removeprefix("http://"), "public_url": standin.url, **http}
        settings = make_settings(twilio=account if twilio is None else twilio, http=fields)
        return await callbacks.look(make_patient(settings))

    return look


def grades(told: list[Diagnosis]) -> list[tuple[str, Grade]]:
    return [(one.subject, one.grade) for one in told]


async def test_a_service_that_is_ready_and_reached(look: Any, standin: Standin) -> None:
    assert grades(await look()) == [("service", FINE), ("callbacks", FINE)]
    assert standin.signed == [True]


async def test_each_problem_of_the_service_is_a_finding(look: Any, standin: Standin) -> None:
    standin.ready = (503, {"status": "not_ready", "problems": ["broker: not connected", "outbox: waits"]})
    told = await look()

    assert [one.what for one in told if one.subject == "service"] == ["broker: not connected", "outbox: waits"]


async def test_another_program_at_our_address_is_a_finding(look: Any, standin: Standin) -> None:
    standin.ready = (200, {"status": "welcome"})

    assert grades(await look())[0] == ("service", FINDING)


async def test_a_service_that_does_not_answer_is_a_finding(look: Any) -> None:
    """One that hangs up on whoever asks; one that is silent takes longer."""

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1_000)
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        told = await look(listen=f"127.0.0.1:{server.sockets[0].getsockname()[1]}")

    assert grades(told) == [("service", FINDING), ("callbacks", NOTE)]


async def test_where_the_service_does_not_run_the_way_to_it_is_not_tried(look: Any, standin: Standin) -> None:
    assert grades(await look(listen="127.0.0.1:9")) == [("service", NOTE), ("callbacks", NOTE)]
    assert standin.signed == []


async def test_no_public_address_is_a_finding_where_there_are_texts_to_be_answered(look: Any) -> None:
    assert grades(await look(public_url=None)) == [("service", FINE), ("callbacks", FINDING)]
    assert grades(await look(public_url=None, twilio={})) == [("service", FINE)]


async def test_a_public_address_that_leads_nowhere_is_a_finding(look: Any) -> None:
    [_, only] = await look(public_url="http://127.0.0.1:9")

    assert (only.grade, only.what) == (FINDING, "the public address does not answer: no connection")


async def test_a_public_address_that_is_not_encrypted_is_noted(look: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def asked(*_: object) -> Diagnosis:
        await asyncio.sleep(0)
        return callbacks.fine(callbacks.CALLBACKS, "")

    monkeypatch.setattr(callbacks, "_asked", asked)

    assert grades(await look(public_url="http://alarm.example.org")) == [
        ("service", FINE),
        ("callbacks", NOTE),
        ("callbacks", FINE),
    ]


@pytest.mark.parametrize(
    ("status", "body", "grade", "words"),
    [
        (200, {"word": "w"}, FINE, "leads to us"),
        (200, {"word": "another"}, FINDING, "something else answers"),
        (200, "<html>", FINDING, "something else answers at the public address (status 200)"),
        (200, ["w"], FINDING, "something else answers"),
        (502, "<html>", FINDING, "(status 502)"),
        (403, {"error": {"code": "signature"}}, FINDING, "the signature does not fit"),
        (503, {"error": {"code": "unconfigured"}}, FINDING, "no Twilio token"),
        (404, {"error": {"code": "not_found"}}, NOTE, "does not know this question"),
        (404, {"error": "not found"}, FINDING, "(status 404)"),
    ],
)
def test_what_an_answer_means(status: int, body: object, grade: Grade, words: str) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    told = judge(Answer(status_code=status, headers={}, text=text), "w", URL)

    assert (told.grade, words in told.what) == (grade, True)
    assert told.advice or grade is FINE


@pytest.mark.parametrize(
    ("listen", "url"),
    [
        ("127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("0.0.0.0:80", "http://127.0.0.1:80"),
        ("[::]:80", "http://[::1]:80"),
        ("[::1]:80", "http://[::1]:80"),
        ("10.1.2.3:80", "http://10.1.2.3:80"),
    ],
)
def test_where_a_program_on_this_machine_finds_the_service(listen: str, url: str) -> None:
    assert own_address(listen) == url
