"""What holds for every request."""

import logging
from typing import Any

import pytest

from web.guard import masked

HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/incidents", "/nowhere", "/docs", "/redoc"])
async def test_browsers_are_told_to_keep_out(site: Any, path: str) -> None:
    answer = await site.request("GET", path, headers={"Origin": "https://evil.example.org"})

    assert HEADERS.items() <= dict(answer.headers).items()
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json", "/", "/healthz/"])
async def test_there_are_no_pages_and_what_is_not_there_is_said_in_json(site: Any, path: str) -> None:
    """The framework's own pages load scripts from elsewhere; they are off."""
    answer = await site.request("GET", path)

    assert answer.status_code == 404
    assert answer.json() == {"error": {"code": "not_found", "message": "There is nothing at this address."}}


async def test_a_wrong_method_is_said_in_json(site: Any) -> None:
    answer = await site.request("DELETE", "/api/v1/incidents")

    assert answer.status_code == 405
    assert answer.json()["error"]["code"] == "method_not_allowed"
    assert answer.headers["allow"] == "GET"


async def test_an_exception_is_logged_and_leaves_without_its_words(site: Any, caplog: pytest.LogCaptureFixture) -> None:
    site.desk.failure = RuntimeError("password=hunter2")
    answer = await site.request("GET", "/api/v1/incidents")

    assert answer.status_code == 500
    assert answer.json() == {
        "error": {"code": "internal_error", "message": "Something went wrong here; the log of this service says what."}
    }
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "RuntimeError" in caplog.text


@pytest.mark.parametrize("announced", [True, False])
async def test_a_large_body_is_refused_whether_announced_or_not(site: Any, announced: bool) -> None:
    async def pieces() -> Any:
        for _ in range(5):
            yield b" " * 20_000

    answer = await site.request(
        "POST",
        "/api/v1/incidents/K7/acknowledge",
        content=b" " * 100_000 if announced else pieces(),
        headers={"Content-Type": "application/json"},
    )

    assert answer.status_code == 413
    assert answer.json()["error"]["message"] == "The request is larger than the 65536 bytes this server reads."


async def test_a_body_announced_as_too_large_is_not_read(site: Any) -> None:
    async def body() -> Any:
        pytest.fail("it was read")
        yield b""

    headers = {"Content-Type": "application/json", "Content-Length": "100000"}
    answer = await site.request("POST", "/api/v1/incidents/K7/acknowledge", content=body(), headers=headers)

    assert answer.status_code == 413


async def test_requests_are_logged_without_query_and_with_numbers_masked(
    site: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await site.request("GET", "/api/v1/incidents/+8613900000001?note=13900000002")
    await site.request("GET", "/healthz")

    (line,) = [record.getMessage() for record in caplog.records if record.name == "web.guard"]
    assert line.startswith("GET /api/v1/incidents/+86139****0001 422 in ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/x/+8613900000001", "/x/+86139****0001"),
        ("/x/13900000001/y", "/x/139****0001/y"),
        ("/x/0123456789abcdef0123456789abcdef", "/x/0123456789abcdef0123456789abcdef"),
        ("/x/12345678901234a", "/x/12345678901234a"),
        ("/x\nGET /forged 200", "/x?GET /forged 200"),
        ("/玉林北街", "/玉林北街"),
    ],
)
def test_masked(text: str, expected: str) -> None:
    assert masked(text) == expected
