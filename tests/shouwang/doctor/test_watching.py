"""Whether anybody hears of the service's own trouble."""

from typing import Any

import pytest

from shouwang.doctor import watching
from shouwang.doctor.diagnosis import Grade

FINDING, NOTE, FINE = Grade.FINDING, Grade.NOTE, Grade.FINE
HEARTBEAT = {"url": "https://beat.example.org/secret"}


@pytest.mark.parametrize(
    ("operators", "heartbeat", "understood", "grades"),
    [
        ({}, {}, {}, [NOTE, NOTE]),
        ({"webhook": "https://hook.example.org/secret"}, HEARTBEAT, {}, [FINE]),
        ({"apprise": "ntfy://box.example.org/secret"}, HEARTBEAT, {"ntfy://box.example.org/secret": True}, [FINE]),
        (
            {"apprise": "ntfy://box.example.org/secret"},
            HEARTBEAT,
            {"ntfy://box.example.org/secret": False},
            [FINDING, NOTE],
        ),
        # By text alone, and nothing to send texts with.
        ({"sms": "+8613800000001"}, HEARTBEAT, {}, [FINDING, NOTE]),
    ],
)
def test_who_is_told(
    make_settings: Any,
    operators: dict[str, str],
    heartbeat: dict[str, str],
    understood: dict[str, bool],
    grades: list[Grade],
) -> None:
    told = list(watching.judge(make_settings(operators=operators, heartbeat=heartbeat), understood))

    assert [one.grade for one in told] == grades
    assert "secret" not in f"{told}"


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
async def test_addresses_are_read_by_apprise(make_settings: Any) -> None:
    settings = make_settings(operators={"apprise": "ntfy://box.example.org/topic"}, heartbeat=HEARTBEAT)

    assert [one.grade for one in await watching.look(settings)] == [FINE]
