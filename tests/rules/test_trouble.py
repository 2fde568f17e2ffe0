"""Own trouble: what counts, what is news, and what is not told again."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rules import trouble
from rules.trouble import Key, NewsEvent, Symptom, Trouble, TroubleKind, Try

BEGAN = datetime(2026, 3, 2, 3, tzinfo=UTC)
K = TroubleKind


class Operators:
    """A watch in miniature: symptoms in, what the operators hear out."""

    def __init__(self) -> None:
        self.known: dict[Key, Trouble] = {}
        self.reachable = True
        self.told: list[tuple[int, str, str]] = []

    def at(self, seconds: float, *symptoms: Symptom) -> list[str]:
        now = BEGAN + timedelta(seconds=seconds)
        self.known = trouble.weigh(symptoms, self.known, now)
        events = []
        for event, one in trouble.news(self.known.values(), now):
            self.known[one.key] = trouble.after_telling(one, event, taken=self.reachable, now=now)
            if self.reachable:
                self.told.append((round(seconds), str(one.kind), str(event)))
                events.append(str(event))
        return events

    def through(self, begin: int, end: int, *symptoms: Symptom) -> None:
        """Look every five seconds."""
        for second in range(begin, end, 5):
            self.at(second, *symptoms)


@pytest.fixture
def operators() -> Operators:
    return Operators()


AWAY = Symptom(kind=K.BROKER)


def test_a_reconnect_is_no_trouble(operators: Operators) -> None:
    operators.at(0, AWAY)
    operators.at(9, AWAY)
    operators.at(10)

    assert operators.told == []
    assert operators.known == {}


def test_what_took_long_to_find_out_has_lasted_already(operators: Operators) -> None:
    """A database that hangs for ten seconds has been away for ten seconds."""
    operators.at(0, Symptom(kind=K.DATABASE, lasted_s=10))

    assert operators.told == [(0, "database", "raised")]
    assert operators.known[K.DATABASE, ""].began_at == BEGAN - timedelta(seconds=10)


def test_it_is_told_once_and_once_when_it_is_over(operators: Operators) -> None:
    operators.through(0, 600, AWAY)
    operators.through(600, 1200)

    assert operators.told == [(10, "broker", "raised"), (605, "broker", "cleared")]


def test_what_comes_and_goes_is_told_every_few_minutes(operators: Operators) -> None:
    """Twenty seconds away, twenty seconds back, for half an hour: not ninety messages."""
    for second in range(0, 1800, 5):
        operators.at(second, *([AWAY] if second // 20 % 2 else []))

    assert len(operators.told) <= 2 * 1800 / trouble.COOL.total_seconds()
    assert operators.known[K.BROKER, ""].spells > 10


def test_what_lasts_is_told_again_ever_more_rarely(operators: Operators) -> None:
    full = Symptom(kind=K.DISK, subject="/var")
    for minute in range(0, 72 * 60, 5):
        operators.at(minute * 60, full)

    assert [hours // 3600 for hours, _, event in operators.told if event == "still"] == [1, 2, 4, 8, 16, 32, 56]


def test_what_could_not_be_told_is_tried_again_and_told_in_the_end(operators: Operators) -> None:
    """The network is away, and with it every way to tell of it; when it is back they hear that it was."""
    operators.reachable = False
    operators.through(0, 300, AWAY)
    tries = operators.known[K.BROKER, ""].failures
    operators.reachable = True
    operators.through(300, 700)

    assert 3 <= tries <= 6
    assert [event for _, _, event in operators.told] == ["cleared"]


def test_each_subject_is_its_own_trouble_and_the_most_urgent_comes_first(operators: Operators) -> None:
    symptoms = [Symptom(kind=K.DISK, subject="/b"), Symptom(kind=K.OUTBOX), Symptom(kind=K.DISK, subject="/a")]
    operators.at(0, *symptoms)

    assert [kind for _, kind, _ in operators.told] == ["outbox", "disk", "disk"]


def test_that_an_event_has_not_happened_again_is_no_news(operators: Operators) -> None:
    repaired = Symptom(kind=K.AUDITOR, detail="2 incidents")
    operators.through(0, 900, repaired)
    operators.through(900, 4000)
    assert operators.told == [(0, "auditor", "raised")]

    operators.through(4000, 4100, repaired)
    assert operators.told[-1] == (4000, "auditor", "raised")


def test_a_restart_in_the_middle_tells_nothing_twice(operators: Operators) -> None:
    """What is written down is enough to go on with."""
    operators.through(0, 100, AWAY)
    before = len(operators.told)
    operators.known = {key: Trouble(**_columns(one)) for key, one in operators.known.items()}
    operators.through(100, 300, AWAY)
    assert len(operators.told) == before

    operators.through(300, 400)
    assert operators.told[-1][2] == "cleared"


def _columns(one: Trouble) -> dict[str, Any]:
    kept = ("kind", "subject", "detail", "began_at", "seen_at", "stands", "ended_at", "spells", "told", "told_at")
    return {name: getattr(one, name) for name in kept}


@pytest.mark.parametrize("kind", K)
def test_every_kind_has_a_nature_and_words(kind: TroubleKind) -> None:
    symptom = Symptom(kind=kind, subject="x", detail="y")
    now, known = BEGAN, dict[Key, Trouble]()
    for _ in range(20):
        known = trouble.weigh([symptom], known, now)
        now += timedelta(seconds=5)
    (one,) = known.values()
    assert one.stands

    for language in ("zh", "en"):
        for event in NewsEvent:
            text = trouble.message([trouble.News(event, one)], language, now)
            assert f" {kind}" in text
            assert "x" in text


def test_the_heart_stops_for_what_the_service_cannot_do_without(operators: Operators) -> None:
    operators.through(0, 60, *(Symptom(kind=kind) for kind in K))

    stopped = {one.kind for one in trouble.heart_stoppers(operators.known.values())}
    assert stopped == {K.DATABASE, K.BROKER, K.OUTBOX, K.CLOCK}


# --- providers --------------------------------------------------------------------------------------------------------


def tries(*each: dict[str, Any]) -> list[Try]:
    base = {"provider": "twilio", "address": "+8613800000001", "accepted": False}
    return [Try(at=BEGAN + timedelta(seconds=number), **{**base, **one}) for number, one in enumerate(each)]


AGAINST = {"against": True, "error": "no connection"}


@pytest.mark.parametrize(
    ("each", "kinds"),
    [
        ([], []),
        ([AGAINST, AGAINST], []),
        ([AGAINST, AGAINST, AGAINST], [K.PROVIDER]),
        ([AGAINST, {"accepted": True}, AGAINST, AGAINST], []),
        ([{"account_refused": True}], [K.PROVIDER]),
        ([{"account_refused": True}, {"accepted": True}], []),
        # A number that is refused says nothing of the provider, however often.
        ([{}, {}, {}, {}, {}], []),
        ([{**AGAINST, "limited": True}] * 2, []),
        ([{"limited": True}, {"accepted": True}] * 3, [K.QUOTA]),
        # Another service may stand behind each address.
        ([{**AGAINST, "one_for_all": False}] * 4, []),
        ([{**AGAINST, "one_for_all": False, "address": f"ntfy://{n}"} for n in range(3)], [K.PROVIDER]),
    ],
)
def test_what_tries_say_of_their_provider(each: list[dict[str, Any]], kinds: list[TroubleKind]) -> None:
    found = trouble.of_tries(tries(*each), BEGAN + timedelta(minutes=1))

    assert [one.kind for one in found] == kinds
    assert {one.subject for one in found} <= {"twilio"}


def test_what_was_long_ago_says_nothing() -> None:
    row = tries(AGAINST, AGAINST, AGAINST)

    assert trouble.of_tries(row, BEGAN + timedelta(minutes=10, seconds=1)) == []
