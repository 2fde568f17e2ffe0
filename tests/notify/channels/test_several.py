"""One channel by several providers."""

from typing import Any

import pytest

from notify.channel import Asks, DoubtOutcome, DoubtResult, SendOutcome, SendResult
from notify.channels.several import SeveralProviders, providers_of
from rules.decisions import Delivery


class One:
    """A provider that writes down what it is given."""

    name = "sms"

    def __init__(self) -> None:
        self.sent: list[int] = []
        self.asked: list[int] = []

    async def send(self, delivery: Delivery) -> SendResult:
        self.sent.append(delivery.id)
        return SendResult(outcome=SendOutcome.ACCEPTED)

    async def ask(self, delivery: Delivery) -> DoubtResult:
        self.asked.append(delivery.id)
        return DoubtResult(outcome=DoubtOutcome.ABSENT)


@pytest.fixture
def both() -> dict[str, One]:
    return {"twilio": One(), "twilio_2": One()}


async def test_a_delivery_goes_to_whom_it_names(both: dict[str, One], make_delivery: Any) -> None:
    channel = SeveralProviders("sms", both)
    for number, provider in enumerate(["twilio_2", "twilio", "twilio_2"], start=1):
        result = await channel.send(make_delivery(id=number, provider=provider))
        assert (result.outcome, result.speaks_against) == (SendOutcome.ACCEPTED, False)

    assert (both["twilio"].sent, both["twilio_2"].sent) == ([2], [1, 3])


async def test_a_doubt_is_asked_of_whom_it_names_and_of_nobody_else(both: dict[str, One], make_delivery: Any) -> None:
    """Invariant one-page."""
    channel = SeveralProviders("sms", both)
    assert isinstance(channel, Asks)

    assert (await channel.ask(make_delivery(id=1, provider="twilio"))).outcome is DoubtOutcome.ABSENT
    assert (both["twilio"].asked, both["twilio_2"].asked) == ([1], [])


@pytest.mark.parametrize("provider", [None, "gone"])
async def test_what_names_nobody_we_know_is_neither_sent_nor_asked_about(
    both: dict[str, One], make_delivery: Any, provider: str | None
) -> None:
    channel = SeveralProviders("sms", both)
    sent = await channel.send(make_delivery(provider=provider))
    asked = await channel.ask(make_delivery(provider=provider))

    assert (sent.outcome, sent.speaks_against) == (SendOutcome.RETRY, None)
    assert asked.outcome is DoubtOutcome.CANNOT_ASK
    assert not any(one.sent or one.asked for one in both.values())


def test_who_the_providers_of_a_channel_are(both: dict[str, One]) -> None:
    assert providers_of(SeveralProviders("sms", both)) == ("twilio", "twilio_2")
    assert providers_of(One()) == ("sms",)


@pytest.mark.parametrize(
    ("result", "against"),
    [
        (SendResult(outcome=SendOutcome.ACCEPTED), False),
        (SendResult(outcome=SendOutcome.RETRY), True),
        (SendResult(outcome=SendOutcome.UNKNOWN), True),
        (SendResult(outcome=SendOutcome.PERMANENT), False),
        (SendResult(outcome=SendOutcome.PERMANENT, account_refused=True), True),
        (SendResult(outcome=SendOutcome.RETRY, ours=True), None),
        (SendResult(outcome=SendOutcome.PERMANENT, ours=True), None),
    ],
)
def test_what_speaks_against_a_provider(result: SendResult, against: bool | None) -> None:
    assert result.speaks_against is against
