"""The order of a batch, apart from what it causes."""

from collections.abc import Sequence

import pytest

from ingest.message import FULL_BATCH, Message
from shouwang.ordered import Ordered


class ByTopic:
    """A decoder for which a message is about the thing its topic begins with; `-` is of no device."""

    def __init__(self, source: str) -> None:
        self.source = source

    def names(self, message: Message) -> Sequence[tuple[str, str]]:
        first = message.topic.partition("/")[0]
        return [] if first == "-" else [(self.source, first)]


def message(topic: str, *, urgent: bool = False) -> Message:
    return Message(topic, b"", retain=False, received_at=None, urgent=urgent)  # type: ignore[arg-type]


def parts(ordered: Ordered) -> list[str]:
    taken = []
    while ordered.left:
        taken.append(" ".join(one.topic for one in ordered.next))
        ordered.done += len(ordered.next)
    return taken


@pytest.mark.parametrize(
    ("topics", "expected"),
    [
        ("a b c", ["a b c"]),
        ("a b gas! c", ["gas!", "a b c"]),
        ("gas a gas! gas", ["gas gas!", "a gas"]),
        ("a - b gas!", ["a - gas!", "b"]),
        ("a gas! - b", ["gas!", "a - b"]),
        ("gas! co!", ["gas! co!"]),
    ],
)
def test_life_first_and_nothing_overtakes_what_it_depends_on(topics: str, expected: list[str]) -> None:
    """Invariant life-first."""
    batch = [message(f"{one.rstrip('!')}/{one}", urgent=one.endswith("!")) for one in topics.split()]

    taken = parts(Ordered(batch, ByTopic("here")))  # type: ignore[arg-type]

    assert [" ".join(one.partition("/")[2] for one in part.split()) for part in taken] == expected


def test_where_more_is_waiting_a_batch_is_one_transaction() -> None:
    """The alarms of the next one wait for two longer than for one; life goes first all the same (life-first)."""
    ordinary = [message(f"a{number}") for number in range(FULL_BATCH - 1)]

    (first, *others) = parts(Ordered([*ordinary, message("gas", urgent=True)], ByTopic("here")))  # type: ignore[arg-type]

    assert others == []
    assert first.startswith("gas a0 a1 ")
    assert len(parts(Ordered([*ordinary[1:], message("gas", urgent=True)], ByTopic("here")))) == 2  # type: ignore[arg-type]


def test_each_part_asks_for_its_own_names_alone() -> None:
    ordered = Ordered([message("a"), message("gas", urgent=True)], decoder := ByTopic("here"))  # type: ignore[arg-type]

    assert ordered.names(decoder) == {("here", "gas")}  # type: ignore[arg-type]
    ordered.done += 1
    assert ordered.names(decoder) == {("here", "a")}  # type: ignore[arg-type]


def test_names_are_asked_of_the_decoder_that_will_read_the_messages() -> None:
    """Files may be read again between a batch and its transaction; its devices must not become strangers."""
    ordered = Ordered([message("a")], ByTopic("before"))  # type: ignore[arg-type]

    assert ordered.names(ByTopic("after")) == {("after", "a")}  # type: ignore[arg-type]
