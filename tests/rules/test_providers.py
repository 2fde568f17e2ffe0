"""Which of several providers is handed a message, and when another gets it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.decisions import Priority
from rules.providers import FULL_FROM, TRIAL_EVERY, TRIES, Health, Try, Turn, health, pick, turn

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
A, B, C = "a", "b", "c"
SICK = Health(share=0.9, last_at=NOW)
SICKER = Health(share=1.0, last_at=NOW)
REFUSED_A = Try(provider=A, refused=True)
REFUSED_B = Try(provider=B, refused=True)
TRIED_A, TRIED_B = Try(provider=A), Try(provider=B)


def picked(*before: Try, providers: str = "ab", priority: Priority = Priority.LIFE_SAFETY_PAGE, **known: Health) -> str:
    return pick([*providers], known, before=before, priority=priority, now=NOW)


@pytest.mark.parametrize(
    ("against", "sick"),
    [
        ([], False),
        ([0], False),
        ([1], True),
        ([0, 1], False),
        ([1, 1], True),
        ([0, 0, 0, 0, 1], False),
        ([0, 0, 1, 1], True),
        ([0.5], False),
        ([0.5, 0.5, 0.5], False),
        ([0.5, 0.5, 0.5, 0.5], True),
        ([1] * 3 + [0] * 7, False),
        ([0] * 5 + [1] * 5, True),
    ],
)
def test_who_is_sick(against: list[float], sick: bool) -> None:
    """A failure after silence counts more than one among many; a phone that got nothing counts half."""
    assert health(against, NOW, now=NOW).is_sick is sick


def test_recovery_takes_some_good_tries() -> None:
    """From all bad, a provider is well again after six good ones, and not before."""
    latest = [1.0] * TRIES
    states = []
    for _ in range(7):
        latest = [0.0, *latest][:TRIES]
        states.append(health(latest, NOW, now=NOW).is_sick)

    assert states == [True] * 5 + [False] * 2


@pytest.mark.parametrize(
    ("seconds", "against", "sick"),
    [
        ([0, 2.9], [], False),
        ([3], [], True),
        ([3], [0] * 9, False),
        ([3] * 4, [0] * 9, False),
        ([3] * 5, [0] * 9, True),
    ],
)
def test_whoever_has_not_answered_for_three_seconds_may_never(
    seconds: list[float], against: list[float], sick: bool
) -> None:
    """Nobody waits for the time-out to know it; one that is slow among many that are not is nothing."""
    under_way = [NOW - timedelta(seconds=one) for one in seconds]
    found = health(against, NOW - timedelta(minutes=1), under_way=under_way, now=NOW)

    assert (found.is_sick, found.last_at, found.under_way) == (sick, max(under_way), len(seconds))


def test_the_next_one_helps_out_where_many_are_under_way() -> None:
    """So a provider that hangs never holds up all that a channel can send at a time; a sick one does not help."""
    full, busy = Health(under_way=FULL_FROM), Health(under_way=FULL_FROM - 1)

    assert picked(a=busy) == A
    assert picked(a=full) == B
    assert picked(a=full, b=full) == A
    assert picked(a=full, b=SICK) == A
    assert picked(TRIED_A, TRIED_B, a=full) == B
    assert picked(a=full, priority=Priority.INFORM) == B


@pytest.mark.parametrize("priority", Priority)
def test_the_first_that_is_well_is_preferred(priority: Priority) -> None:
    assert picked(priority=priority) == A
    assert picked(priority=priority, b=SICK) == A
    assert picked(priority=priority, a=SICK) == B
    assert picked(priority=priority, a=SICKER, b=SICK) == B
    assert picked(priority=priority, a=SICK, b=SICK) == A
    assert picked(providers="abc", priority=priority, a=SICK, b=SICK) == C


@pytest.mark.parametrize(
    ("priority", "ago", "expected"),
    [
        (Priority.INFORM, TRIAL_EVERY, A),
        (Priority.PAGE, TRIAL_EVERY, A),
        (Priority.LIFE_SAFETY_INFORM, TRIAL_EVERY, A),
        (Priority.LIFE_SAFETY_PAGE, TRIAL_EVERY, B),
        (Priority.LIFE_SAFETY_PAGE, timedelta(hours=2), B),
        (Priority.PAGE, TRIAL_EVERY - timedelta(seconds=1), B),
    ],
)
def test_a_sick_one_gets_a_message_now_and_then_to_try_and_never_a_life_safety_page(
    priority: Priority, ago: timedelta, expected: str
) -> None:
    """Invariant life-first."""
    assert picked(priority=priority, a=Health(share=0.9, last_at=NOW - ago)) == expected


@pytest.mark.parametrize(
    ("before", "expected", "when"),
    [
        ([TRIED_A], B, Turn.AT_ONCE),
        ([TRIED_B], A, Turn.AT_ONCE),
        ([REFUSED_A], B, Turn.AT_ONCE),
        ([TRIED_A, TRIED_B], A, Turn.LATER),
        ([TRIED_A, TRIED_B, TRIED_B], A, Turn.AT_ONCE),
        ([REFUSED_A, TRIED_B], B, Turn.LATER),
        ([TRIED_A, REFUSED_B], A, Turn.LATER),
        ([TRIED_A, REFUSED_B, TRIED_A], A, Turn.LATER),
    ],
)
def test_whose_turn_it_is_when_it_was_not_taken(before: list[Try], expected: str, when: Turn) -> None:
    """Each gets it once before anybody gets it again; who has refused it for good never does."""
    assert picked(*before) == expected
    assert picked(*before, b=SICK, priority=Priority.PAGE) == expected
    assert turn([A, B], before) is when


def test_it_is_given_up_only_when_all_have_refused_it() -> None:
    assert turn([A, B], [REFUSED_A, REFUSED_B]) is Turn.NEVER
    assert turn([A], [REFUSED_A]) is Turn.NEVER
    assert turn([A], [TRIED_A]) is Turn.LATER
    assert turn([A, B], [REFUSED_B, Try(provider=C), REFUSED_A]) is Turn.NEVER


def test_a_provider_that_is_gone_from_the_settings_is_not_waited_for() -> None:
    assert picked(Try(provider=C), Try(provider=C), providers="ab") == A
    assert turn([A], [TRIED_A, Try(provider=C)]) is Turn.LATER


_ANY_HEALTH = st.dictionaries(
    st.sampled_from("abc"),
    st.builds(
        Health,
        share=st.floats(0, 1),
        last_at=st.none() | st.timedeltas(timedelta(), timedelta(hours=3)).map(lambda ago: NOW - ago),
    ),
)


@given(
    known=_ANY_HEALTH,
    refusals=st.lists(st.booleans(), max_size=20),
    priority=st.sampled_from(Priority),
)
def test_whatever_happens_each_has_its_turn_before_any_has_another(
    known: dict[str, Health], refusals: list[bool], priority: Priority
) -> None:
    """A message that nobody takes goes round; nobody gets it who has refused it for good; it ends when all have."""
    providers = [A, B, C]
    before: list[Try] = []
    for refused in refusals:
        left = [one for one in providers if Try(provider=one, refused=True) not in before]
        chosen = pick(providers, known, before=before, priority=priority, now=NOW)
        assert chosen in left
        before.append(Try(provider=chosen, refused=refused))
        counts = [sum(one.provider == each for one in before) for each in left]
        assert max(counts) - min(counts) <= 1
        left = [one for one in left if not (refused and one == chosen)]
        when = turn(providers, before)
        assert (when is Turn.NEVER) == (not left)
        if not left:
            return
        if when is Turn.AT_ONCE:
            assert pick(providers, known, before=before, priority=priority, now=NOW) != chosen
