"""Every word of Twilio's, row by row. GoAlert shows what a status table without a test costs."""

import itertools

import pytest

from notify.channel import StatusMeaning
from notify.channels.twilio_status import (
    CALL_STATUSES,
    ERRORS,
    MESSAGE_STATUSES,
    error_words,
    is_about_account,
    is_about_the_way,
    is_news,
    meaning_of,
)

W, S, D, F = StatusMeaning.WAITING, StatusMeaning.SENT, StatusMeaning.DELIVERED, StatusMeaning.FAILED


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        ("accepted", W),
        ("scheduled", W),
        ("queued", W),
        ("sending", W),
        ("sent", S),
        ("partially_delivered", S),
        ("delivered", D),
        ("read", D),
        ("undelivered", F),
        ("failed", F),
        ("canceled", F),
        ("Delivered", D),
        ("receiving", W),
        ("something-new", W),
        ("", W),
    ],
)
def test_statuses_of_messages(status: str, meaning: StatusMeaning) -> None:
    """What we do not know claims nothing."""
    assert meaning_of("sms", status) is meaning


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        ("queued", W),
        ("initiated", W),
        ("ringing", S),
        ("in-progress", S),
        ("completed", D),
        ("busy", F),
        ("no-answer", F),
        ("canceled", F),
        ("failed", F),
        ("something-new", W),
    ],
)
def test_statuses_of_calls(status: str, meaning: StatusMeaning) -> None:
    assert meaning_of("voice", status) is meaning


def test_other_channels_have_no_statuses() -> None:
    assert meaning_of("webhook", "delivered") is W


@pytest.mark.parametrize("channel", ["sms", "voice"])
def test_a_failure_is_never_overwritten(channel: str) -> None:
    """Parts of a long text report separately, and callbacks overtake each other."""
    table = MESSAGE_STATUSES if channel == "sms" else CALL_STATUSES
    failures = [status for status, meaning in table.items() if meaning is F]
    others = [status for status, meaning in table.items() if meaning is not F]
    for failure, other in itertools.product(failures, others):
        assert is_news(channel, other, failure)
        assert not is_news(channel, failure, other)


@pytest.mark.parametrize(
    ("channel", "before", "status", "news"),
    [
        ("sms", None, "queued", True),
        ("sms", "queued", "sent", True),
        ("sms", "sent", "queued", False),
        ("sms", "sent", "sent", False),
        ("sms", "sent", "delivered", True),
        ("sms", "delivered", "sent", False),
        ("sms", "delivered", "read", True),
        ("sms", "sent", "undelivered", True),
        ("sms", "from-elsewhere", "sent", True),
        ("sms", "sent", "from-elsewhere", False),
        ("voice", "ringing", "in-progress", True),
        ("voice", "in-progress", "ringing", False),
        ("voice", "ringing", "no-answer", True),
        ("voice", "completed", "in-progress", False),
        ("webhook", None, "delivered", False),
    ],
)
def test_statuses_only_move_forward(channel: str, before: str | None, status: str, news: bool) -> None:
    assert is_news(channel, before, status) is news


def test_a_voice_box_is_nobody() -> None:
    assert meaning_of("voice", "answered-by-machine") is F


@pytest.mark.parametrize(
    ("code", "passing"),
    [
        (30001, True),
        (30003, True),
        (30008, True),
        (30036, True),
        (20429, True),
        (21611, True),
        (30002, False),
        (30004, False),
        (30005, False),
        (30006, False),
        (30007, False),
        (21211, False),
        (21610, False),
        (21614, False),
    ],
)
def test_errors_that_may_pass(code: int, passing: bool) -> None:
    assert ERRORS[code].passing is passing


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (21610, "21610: the person has said STOP"),
        ("30003", "30003: the phone is off or out of reach"),
        (99999, "99999"),
        ("x", "x"),
        ("", None),
        (None, None),
    ],
)
def test_errors_in_words(code: int | str | None, words: str | None) -> None:
    assert error_words(code) == words


@pytest.mark.parametrize(
    ("status", "code", "about_account"),
    [
        (401, 20003, True),
        (401, None, True),
        (403, None, True),
        (404, 20404, True),
        (400, 21408, True),
        (400, 21606, True),
        (400, 21608, True),
        (400, 21612, True),
        (400, 21211, False),
        (400, 21610, False),
        (403, 21610, False),
        (400, 21614, False),
        (400, 21617, False),
        (400, 29999, False),
        (400, None, False),
    ],
)
def test_whether_another_provider_may_take_what_one_has_refused(
    status: int, code: int | None, about_account: bool
) -> None:
    assert is_about_account(status, code) is about_account


@pytest.mark.parametrize(
    ("channel", "error", "about_the_way"),
    [
        ("sms", "undelivered 30007", True),
        ("sms", "undelivered 30008", True),
        ("sms", "failed 30002", True),
        ("sms", "failed", True),
        ("sms", "undelivered", True),
        ("sms", "undelivered 30003", False),
        ("sms", "undelivered 30005", False),
        ("sms", "failed 30006", False),
        ("sms", "canceled", False),
        ("sms", None, False),
        ("voice", "failed", True),
        ("voice", "no-answer", False),
        ("voice", "busy", False),
        ("voice", "answered-by-machine", False),
        ("voice", None, False),
    ],
)
def test_whether_what_did_not_arrive_speaks_against_the_provider(
    channel: str, error: str | None, about_the_way: bool
) -> None:
    assert is_about_the_way(channel, error) is about_the_way
