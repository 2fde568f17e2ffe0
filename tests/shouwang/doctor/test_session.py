"""What it means when messages to a client that was away do not come back."""

from collections import Counter

import pytest

from ingest.visit import Heard, Published
from shouwang.doctor.diagnosis import Grade
from shouwang.doctor.session import Inbox, judge

FINDING, NOTE, FINE = Grade.FINDING, Grade.NOTE, Grade.FINE


@pytest.mark.parametrize(
    ("published", "present", "came", "grades", "words"),
    [
        (Published(100, Counter()), True, 100, [FINE], "all of them came back"),
        (Published(100, Counter()), True, 60, [FINDING], "of 100 that it acknowledged, 40 did not come back"),
        (Published(100, Counter()), False, 0, [FINDING], "forgets the session"),
        (Published(100, Counter()), False, 100, [NOTE, FINE], "no session for us, and yet"),
        (Published(60, Counter({"Quota exceeded": 40})), True, 60, [FINDING], "40 of 100 (Quota exceeded)"),
        (Published(60, Counter()), True, 60, [FINDING], "acknowledged 60 of 100 messages"),
    ],
)
def test_what_became_of_the_messages(
    published: Published, present: bool, came: int, grades: list[Grade], words: str
) -> None:
    told = judge(100, published, present=present, came=came)

    assert [one.grade for one in told] == grades
    assert words in told[0].what
    assert all(one.advice for one in told if one.grade is FINDING)


async def test_an_inbox_counts_different_messages_and_waits_no_longer_than_it_must() -> None:
    """A broker may send one again that it has sent."""
    inbox = Inbox()
    for payload in (b"1", b"2", b"2"):
        inbox.put(Heard("t", payload, 1, retain=False))

    await inbox.fill(2, silence_s=60, last_s=60)
    await inbox.fill(3, silence_s=0.001, last_s=60)
    await inbox.fill(3, silence_s=60, last_s=0.001)

    assert inbox.payloads == {b"1", b"2"}
