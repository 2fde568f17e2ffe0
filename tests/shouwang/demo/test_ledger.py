"""Messages on their way, counted."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from ingest.message import Message
from shouwang.demo.ledger import Ledger, LedgerSource, committing, errors_logged


def message(topic: str = "a", payload: bytes = b"1") -> Message:
    return Message(topic=topic, payload=payload, retain=False, received_at=datetime(2026, 3, 2, tzinfo=UTC))


def test_a_message_is_outstanding_until_it_is_committed() -> None:
    ledger = Ledger()
    ledger.on_published("a", b"1")
    ledger.on_published("b", b"1")
    assert ledger.outstanding == 2

    ledger.on_committed([message("b")])
    assert (ledger.outstanding, ledger.published, ledger.committed) == (1, 2, 1)


def test_it_may_be_committed_before_the_broker_has_said_that_it_has_it() -> None:
    ledger = Ledger()
    ledger.on_committed([message()])
    ledger.on_published("a", b"1")

    assert ledger.outstanding == 0


def test_another_message_does_not_stand_in_for_a_lost_one() -> None:
    ledger = Ledger()
    ledger.on_published("a", b"1")
    ledger.on_committed([message("a", b"2"), message("a", b"2")])

    assert ledger.outstanding == 1


async def test_what_a_batch_causes_is_committed_before_it_counts() -> None:
    """A handler that fails has committed nothing (invariant ack-after-commit)."""
    ledger = Ledger()

    async def fail(messages: Sequence[Message]) -> None:
        assert ledger.committed == 0
        raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        await committing(ledger, fail)([message()])
    assert ledger.committed == 0


async def test_acknowledgements_are_those_of_the_source() -> None:
    """A message of an old connection is not acknowledged, and not counted."""

    class Source:
        connected = True
        last_message_at = None

        async def run(self) -> None:
            raise AssertionError

        async def gather(self, limit: int, seconds: float) -> list[Message]:
            return [message()] * limit

        def acknowledge(self, messages: Sequence[Message]) -> int:
            return len(messages) - 1

    ledger = Ledger()
    source = LedgerSource(Source(), ledger)
    batch = await source.gather(3, 0.1)

    assert source.acknowledge(batch) == 2
    assert ledger.acknowledged == 2
    assert (source.connected, source.last_message_at) == (True, None)


def test_errors_are_collected_while_the_story_lasts() -> None:
    log = logging.getLogger("tests.demo")
    with errors_logged() as errors:
        log.warning("this happens")
        log.error("%s failed", "a thing", exc_info=ValueError("why"))
    log.error("after the end")

    assert errors == ["tests.demo: a thing failed (ValueError('why'))"]
