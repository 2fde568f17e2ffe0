"""Which probe is let through: no stranger's wish, no flood, no worker."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rules import probe
from rules.decisions import Purpose
from rules.probe import Call, Earlier

NOW = datetime(2026, 3, 2, 3, tzinfo=UTC)
WAYS = {"sms": "+8613900000001"}


def refusal(*, earlier: list[Earlier] | None = None, retained: bool = False, **fields: Any) -> str | None:
    call = Call(**{"id": "0123456789abcdef", "at": NOW, **fields})
    return probe.refusal(call, retained=retained, ways=WAYS, earlier=earlier or [], now=NOW)


def lately(*seconds: float, channel: str = probe.CHANNEL) -> list[Earlier]:
    return [Earlier(at=NOW - timedelta(seconds=one), channel=channel) for one in seconds]


def test_one_of_this_moment_is_let_through() -> None:
    assert refusal() is None
    assert refusal(at=NOW - timedelta(seconds=119)) is None
    assert refusal(to="sms") is None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"at": NOW - timedelta(seconds=121)}, "121 s ago"),
        ({"at": NOW + timedelta(hours=8)}, "28800 s ahead"),
        ({"retained": True}, "retained"),
        ({"to": "voice"}, "set are: sms"),
        ({"to": "webhook"}, "no address for webhook"),
    ],
)
def test_what_is_not_let_through(fields: dict[str, Any], words: str) -> None:
    """Among it: what waited in a queue while the service was down, and any address but the operators' own."""
    assert words in (refusal(**fields) or "")


def test_it_cannot_flood() -> None:
    assert refusal(earlier=lately(*range(11))) is None
    assert "within a minute" in (refusal(earlier=lately(*range(12))) or "")
    assert refusal(earlier=lately(*range(61, 3600, 5))) is None

    texts = lately(*range(100, 1300, 100), channel="sms")
    assert refusal(earlier=texts) is None
    assert "within an hour" in (refusal(earlier=texts, to="sms") or "")


def test_it_asks_nobody_for_an_answer() -> None:
    made = probe.delivery(Call(id="0123456789abcdef", at=NOW), ways=WAYS, language="zh", now=NOW)
    assert (made.channel, made.address, made.purpose) == ("probe", "0123456789abcdef", Purpose.ANSWER)
    assert made.drill

    text = probe.delivery(Call(id="0123456789abcdef", at=NOW, to="sms"), ways=WAYS, language="zh", now=NOW)
    assert (text.channel, text.address) == ("sms", "+8613900000001")
    assert "自检" in text.text
