"""Alive and ready."""

import asyncio
from typing import Any

import pytest


async def test_alive_does_not_depend_on_being_ready(site: Any) -> None:
    site.health.found = ["The broker is not connected."]
    answer = await site.request("GET", "/healthz")

    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


async def test_ready(site: Any) -> None:
    answer = await site.request("GET", "/readyz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "problems": []})


async def test_not_ready_says_why(site: Any) -> None:
    site.health.found = ["The broker is not connected.", "The oldest page has waited 95 s."]
    answer = await site.request("GET", "/readyz")

    assert answer.status_code == 503
    assert answer.json() == {"status": "not_ready", "problems": site.health.found}


async def test_checks_that_hang_are_a_problem_of_their_own(make_site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    site = make_site(check_timeout_s=0.01)
    monkeypatch.setattr(site.health, "problems", asyncio.Event().wait)
    answer = await site.request("GET", "/readyz")

    assert answer.status_code == 503
    assert answer.json()["problems"] == ["The checks did not end within 0.01 s."]


async def test_checks_that_fail_say_so_without_their_words(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail() -> list[str]:
        raise OSError("postgresql://user:secret@host")

    monkeypatch.setattr(site.health, "problems", fail)
    answer = await site.request("GET", "/readyz")

    assert answer.status_code == 503
    assert answer.json()["problems"] == ["The checks failed; the log says why."]
