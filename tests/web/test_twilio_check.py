"""The question by which whoever has the token learns that the provider's way to us is open."""

from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("secrets_stay_out_of_logs")


async def test_a_signed_question_gets_its_word_back_and_nothing_happens(make_site: Any) -> None:
    site = make_site()
    answer = await site.twilio("check", {"word": "0123abcd"})

    assert (answer.status_code, answer.json()) == (200, {"word": "0123abcd"})
    assert (site.phone.handled, site.phone.receipts, site.phone.keys) == ([], [], [])


async def test_who_cannot_sign_for_the_public_address_is_refused_as_the_provider_would_be(make_site: Any) -> None:
    site = make_site()
    forged = [
        await site.twilio("check", {"word": "0123abcd"}, token="another token"),
        await site.twilio("check", {"word": "0123abcd"}, host="https://elsewhere.example.org"),
    ]

    assert [(one.status_code, one.json()["error"]["code"]) for one in forged] == [(403, "signature")] * 2
    assert site.refused("signature") == 2


async def test_no_more_than_a_word_comes_back(make_site: Any) -> None:
    answer = await make_site().twilio("check", {"word": "x" * 5_000})

    assert answer.json() == {"word": "x" * 64}


async def test_without_a_token_it_says_so(make_site: Any) -> None:
    answer = await make_site(twilio_auth_token=None).twilio("check", {"word": "0123abcd"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unconfigured")
