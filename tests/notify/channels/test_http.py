"""Whether a request may have left, against real sockets. The whole of one-page stands on this."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from notify.channels.http import Courier, MayHaveLeftError, NeverLeftError, retry_after_s

NOW = datetime(2026, 3, 9, 4, 0, tzinfo=UTC)


@asynccontextmanager
async def opened(**options: Any) -> AsyncIterator[Courier]:
    courier = Courier(**({"timeout_s": 5.0, "connect_timeout_s": 2.0} | options))
    try:
        yield courier
    finally:
        await courier.aclose()


@pytest.mark.parametrize("status", [200, 201, 204, 301, 400, 404, 429, 500, 503])
async def test_every_answer_is_an_answer(provider: Any, answer: Any, status: int) -> None:
    """What it means is for the channel to say; a redirect is not followed."""
    provider.behaviour = answer(
        status, b"" if status == 204 else b"words", {"Location": "http://127.0.0.1:1/", "X-A": "b"}
    )
    async with opened() as courier:
        got = await courier.request("POST", f"{provider.url}/x", form={"a": "甲", "b": ["1", "2"]}, auth=("u", "p"))
    assert (got.status_code, got.headers["x-a"]) == (status, "b")
    assert got.text == ("" if status == 204 else "words")
    [seen] = provider.seen
    assert seen.fields == [("a", "甲"), ("b", "1"), ("b", "2")]
    assert seen.headers["authorization"] == "Basic dTpw"


async def test_refused_connections_never_left(nobody: str) -> None:
    async with opened() as courier:
        with pytest.raises(NeverLeftError, match="no connection"):
            await courier.request("POST", nobody, content=b"x")


async def test_unknown_hosts_never_left() -> None:
    async with opened() as courier:
        with pytest.raises(NeverLeftError):
            await courier.request("POST", "http://nowhere.invalid/", content=b"x")


async def test_a_server_that_does_not_shake_hands_got_nothing(provider: Any, trouble: Any) -> None:
    """The request is only written once the encrypted connection stands."""
    provider.behaviour = trouble.RESET_AT_ONCE
    async with opened() as courier:
        with pytest.raises(NeverLeftError, match="no connection"):
            await courier.request("POST", provider.url.replace("http:", "https:"), content=b"x")


async def test_a_connection_that_never_comes_about_never_left(provider: Any) -> None:
    """The provider waits for the end of a request line that a TLS greeting does not have."""
    async with opened(connect_timeout_s=0.2) as courier:
        with pytest.raises(NeverLeftError, match="no connection in time"):
            await courier.request("POST", provider.url.replace("http:", "https:"), content=b"x")


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("HANG", "no answer in time"),
        ("RESET", "the connection broke before an answer"),
        ("RESET_AT_ONCE", "the connection broke before an answer"),
        ("CLOSE", "the connection broke before an answer"),
        ("CUT", "the connection broke before an answer"),
    ],
)
async def test_whatever_happens_after_it_began_to_be_written_is_a_doubt(
    provider: Any, trouble: Any, what: str, words: str
) -> None:
    """Invariant one-page."""
    provider.behaviour = trouble[what]
    async with opened(timeout_s=0.3) as courier:
        with pytest.raises(MayHaveLeftError, match=f"^{words}$"):
            await courier.request("POST", provider.url, content=b"x")


async def test_a_request_that_waited_in_vain_for_a_connection_never_left(provider: Any, trouble: Any) -> None:
    """With all connections hanging, the next request is not in doubt: it is still here."""
    provider.behaviour = trouble.HANG
    async with opened(connections=1, timeout_s=0.5, connect_timeout_s=0.1) as courier:
        first = asyncio.create_task(courier.request("POST", provider.url, content=b"1"))
        while not provider.seen:  # noqa: ASYNC110 - the provider is a plain list
            await asyncio.sleep(0.01)
        with pytest.raises(NeverLeftError, match="no connection in time"):
            await courier.request("POST", provider.url, content=b"2")
        with pytest.raises(MayHaveLeftError):
            await first
    assert [seen.body for seen in provider.seen] == [b"1"]


async def test_connections_are_kept(provider: Any) -> None:
    async with opened() as courier:
        for _ in range(3):
            await courier.request("POST", provider.url, content=b"x")
    assert provider.connections == 1


async def test_a_connection_closed_meanwhile_is_no_doubt(provider: Any) -> None:
    """Providers close idle connections; the next page must not pay for it."""
    async with opened() as courier:
        await courier.request("POST", provider.url, content=b"1")
        await provider.hang_up_idle()
        await courier.request("POST", provider.url, content=b"2")
    assert [seen.connection for seen in provider.seen] == [1, 2]


@pytest.mark.parametrize("url", ["", "no-scheme", "ftp://127.0.0.1/", "http://[::1"])
async def test_nonsense_never_leaves(url: str) -> None:
    async with opened() as courier:
        with pytest.raises(NeverLeftError):
            await courier.request("POST", url, content=b"x")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("30", 30.0),
        ("1.5", 1.5),
        ("0", 0.0),
        ("Mon, 09 Mar 2026 04:01:00 GMT", 60.0),
        ("Mon, 09 Mar 2026 03:00:00 GMT", 0.0),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("٣", 3.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float | None) -> None:
    assert retry_after_s({"retry-after": value}, NOW) == seconds
