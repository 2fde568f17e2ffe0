"""Who may use the API: a table of requests, and the same over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.datastructures import Headers

from web import gate
from web.options import WebOptions
from web.problems import Problem

TOKEN = "a-made-up-api-token"
LOCAL = {"host": "127.0.0.1:8080"}
pytestmark = pytest.mark.usefixtures("secrets_stay_out_of_logs")


@pytest.mark.parametrize(
    ("listen", "host"),
    [
        ("127.0.0.1:8080", "127.0.0.1"),
        ("[::1]:8080", "::1"),
        ("[::]:8080", "::"),
        ("::1", "::1"),
        (":8080", ""),
        ("localhost:0", "localhost"),
        ("localhost", "localhost"),
        ("0.0.0.0:80", "0.0.0.0"),
    ],
)
def test_host_of(listen: str, host: str) -> None:
    assert gate.host_of(listen) == host


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("localhost", True),
        ("LOCALHOST", True),
        ("localhost.example.org", False),
        ("127.0.0.1.example.org", False),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.5", False),
        ("", False),
    ],
)
def test_is_loopback(host: str, loopback: bool) -> None:
    assert gate.is_loopback(host) is loopback


def refusal(headers: dict[str, str], peer: str | None = "127.0.0.1", **options: Any) -> str | None:
    try:
        gate.admit(Headers(headers), peer, WebOptions(**options))
    except Problem as problem:
        return problem.code
    return None


@pytest.mark.parametrize(
    ("listen", "peer", "headers", "code"),
    [
        ("127.0.0.1:8080", "127.0.0.1", LOCAL, None),
        ("[::1]:8080", "::1", {"host": "[::1]:8080"}, None),
        ("127.0.0.1:8080", "127.0.0.1", {"host": "localhost:8080"}, None),
        # Listening for others without a token turns the API off, even for this machine.
        ("0.0.0.0:8080", "127.0.0.1", LOCAL, "api_off"),
        (":8080", "127.0.0.1", LOCAL, "api_off"),
        ("192.168.1.5:8080", "192.168.1.5", LOCAL, "api_off"),
        # A peer from elsewhere, or one that cannot be named.
        ("127.0.0.1:8080", "192.168.1.9", LOCAL, "loopback_only"),
        ("127.0.0.1:8080", None, LOCAL, "loopback_only"),
        # What a proxy on this machine hands on comes from loopback too, and is refused.
        ("127.0.0.1:8080", "127.0.0.1", LOCAL | {"x-forwarded-for": "203.0.113.9"}, "behind_proxy"),
        ("127.0.0.1:8080", "127.0.0.1", LOCAL | {"x-forwarded-for": "127.0.0.1"}, "behind_proxy"),
        ("127.0.0.1:8080", "127.0.0.1", LOCAL | {"forwarded": "for=203.0.113.9"}, "behind_proxy"),
        ("127.0.0.1:8080", "127.0.0.1", LOCAL | {"x-real-ip": "203.0.113.9"}, "behind_proxy"),
        # A name pointed at 127.0.0.1, or a page of another site, in a browser on this machine.
        ("127.0.0.1:8080", "127.0.0.1", {"host": "evil.example.org:8080"}, "loopback_only"),
        ("127.0.0.1:8080", "127.0.0.1", {}, "loopback_only"),
        ("127.0.0.1:8080", "127.0.0.1", LOCAL | {"origin": "https://evil.example.org"}, "loopback_only"),
    ],
)
def test_without_a_token(listen: str, peer: str | None, headers: dict[str, str], code: str | None) -> None:
    assert refusal(headers, peer, listen=listen) == code
    assert refusal(headers, peer, listen=listen, api_token="") == code, "an empty token is none"


@pytest.mark.parametrize(
    ("public_url", "code"),
    [("https://alarm.example.org", "api_off"), ("http://127.0.0.1:8080", None), ("http://localhost", None), ("", None)],
)
def test_without_a_token_behind_a_public_address(public_url: str, code: str | None) -> None:
    """A proxy that adds no header makes the whole world look like this machine."""
    assert refusal(LOCAL, public_url=public_url) == code
    assert refusal(LOCAL | {"authorization": f"Bearer {TOKEN}"}, public_url=public_url, api_token=TOKEN) is None


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (f"Bearer {TOKEN}", None),
        (f"bearer  {TOKEN} ", None),
        ("", "token_wrong"),
        ("Bearer", "token_wrong"),
        ("Bearer ", "token_wrong"),
        (f"Bearer {TOKEN}x", "token_wrong"),
        (f"Bearer {TOKEN[:-1]}", "token_wrong"),
        (f"Basic {TOKEN}", "token_wrong"),
        ("Bearer gött", "token_wrong"),
        (None, "token_missing"),
    ],
)
def test_with_a_token(sent: str | None, code: str | None) -> None:
    """The token decides alone, wherever the request came from and wherever we listen."""
    headers = {} if sent is None else {"authorization": sent}
    for listen in ("0.0.0.0:8080", "127.0.0.1:8080"):
        assert refusal(headers, "203.0.113.9", listen=listen, api_token=TOKEN) == code
    assert refusal(headers | LOCAL, api_token=TOKEN) == code, "this machine needs it as well"


def test_two_tokens_are_refused() -> None:
    headers = Headers(raw=[(b"authorization", f"Bearer {TOKEN}".encode())] * 2)
    with pytest.raises(Problem, match="once"):
        gate.admit(headers, "127.0.0.1", WebOptions(api_token=TOKEN))


def test_a_token_may_have_any_letters() -> None:
    headers = Headers(raw=[(b"authorization", "Bearer 守望者的口令".encode())])
    gate.admit(headers, "203.0.113.9", WebOptions(api_token="守望者的口令"))


def test_secrets_are_not_in_the_repr_of_the_options() -> None:
    assert TOKEN not in repr(WebOptions(api_token=TOKEN, twilio_auth_token=TOKEN))


async def test_every_api_route_is_behind_the_gate(make_site: Callable[..., Any]) -> None:
    """Nothing of a request is read, and nobody is asked, before it has been admitted."""
    site = make_site(api_token=TOKEN)
    for method, path in [
        ("GET", "/api/v1/incidents"),
        ("GET", "/api/v1/incidents/K7"),
        ("POST", "/api/v1/incidents/K7/acknowledge"),
        ("POST", "/api/v1/incidents/K7/arrive"),
        ("POST", "/api/v1/incidents/K7/cannot-go"),
        ("POST", "/api/v1/incidents/K7/outcome"),
    ]:
        for headers in ({}, {"Authorization": "Bearer wrong"}):
            answer = await site.request(method, path, headers=headers, content=b"{ not json")
            assert answer.status_code == 401, path
            assert answer.headers["www-authenticate"].startswith("Bearer")
    assert site.desk.acts == []
    assert site.desk.asked == []

    allowed = await site.request("GET", "/api/v1/incidents", headers={"Authorization": f"Bearer {TOKEN}"})
    assert allowed.status_code == 200


async def test_a_request_through_a_proxy_on_this_machine_is_refused(site: Any) -> None:
    answer = await site.request("GET", "/api/v1/incidents", headers={"X-Forwarded-For": "203.0.113.9"})

    assert answer.status_code == 403
    assert answer.json() == {
        "error": {
            "code": "behind_proxy",
            "message": "This request came through a proxy. Without SHOUWANG_HTTP__API_TOKEN the API answers only this"
            " machine.",
        }
    }


async def test_an_open_address_without_a_token_turns_the_api_off_and_says_so(
    make_site: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    site = make_site(listen="0.0.0.0:8080")
    answer = await site.request("GET", "/api/v1/incidents")

    assert answer.status_code == 403
    assert "SHOUWANG_HTTP__API_TOKEN" in answer.json()["error"]["message"]
    assert "The API is off" in caplog.text
    assert (await site.request("GET", "/healthz")).status_code == 200
