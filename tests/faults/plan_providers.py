"""What providers do wrong, and what is tried with two of them."""

from collections.abc import Iterator
from dataclasses import replace

from tests.faults.faults.base import Fault
from tests.faults.faults.process import Killed
from tests.faults.faults.provider import ProviderFails, ProviderNotFound, ProviderRefuses, WrongCredentials
from tests.faults.load import Amount
from tests.faults.scenario import Scenario
from tests.faults.world import Layout

PROVIDER: tuple[ProviderFails, ...] = (
    ProviderFails(kind="answer_lost", words="answer lost after acceptance"),
    ProviderFails(kind="error_before", words="500 before it is stored"),
    ProviderFails(kind="error_after", words="500 after it is stored"),
    ProviderFails(kind="rate_limited", words="429 without Retry-After"),
    ProviderFails(kind="rate_limited", words="429 with Retry-After", settings={"retry_after": 3}),
    ProviderFails(kind="hang", words="stored, never answered", times=2),
    ProviderFails(kind="hang_before", words="neither stored nor answered", times=2),
    ProviderFails(kind="slow", words="answers after 6 s", settings={"seconds": 6.0}),
    ProviderFails(kind="lands_late", words="lands after 5 s, never answered", times=2, settings={"seconds": 5.0}),
    ProviderFails(kind="refuse", words="connection reset before anything"),
)
CALLBACKS: tuple[ProviderFails, ...] = (
    ProviderFails(kind="callbacks_late", words="callbacks 8 s late", times=5, settings={"seconds": 8.0}),
    ProviderFails(kind="callbacks_twice", words="callbacks twice", times=5),
    ProviderFails(kind="callbacks_out_of_order", words="callbacks out of order", times=5),
    ProviderFails(kind="callbacks_lost", words="callbacks lost", times=5),
    ProviderFails(kind="undelivered", words="texts undelivered", times=2),
    ProviderFails(kind="failed", words="texts failed", times=2),
)
#: A doubt about a message that the provider does not list yet.
LISTED_LATE: tuple[tuple[Fault, ...], ...] = (
    (
        ProviderFails(kind="late_listing", words="listed 8 s late", times=4, settings={"seconds": 8.0}),
        ProviderFails(kind="answer_lost", words="answer lost after acceptance", times=2),
    ),
)
#: What calls can meet beside what requests can.
CALLS: tuple[ProviderFails, ...] = (
    ProviderFails(kind="busy", words="lines busy"),
    ProviderFails(kind="no_answer", words="nobody picks up"),
    ProviderFails(kind="failed", words="calls failed", times=2),
)
#: Nobody waits for one provider to recover where there is another.
SOON_S = 10.0


def of_calls(fault: ProviderFails) -> ProviderFails:
    """Let a fault meet calls alone."""
    return replace(fault, settings={**fault.settings, "resource": "calls"}, words=f"calls: {fault.name_of_kind}")


def two_providers() -> Iterator[Scenario]:
    """Let the first of two fail: so that it has surely not taken a page, and so that nobody knows.

    Who fails is soon spared, by channel. So what shall meet texts comes first, and at once; then what shall meet calls.
    """
    beside = Layout(two_providers=True)
    kinds = {one.words: one for one in PROVIDER}
    refused = [replace(one, aftermath_s=SOON_S) for one in PROVIDER if one.kind == "rate_limited"]
    yield Scenario(
        name="two providers: the first one refuses",
        layout=beside,
        faults=(
            *((one,) for one in refused),
            (of_calls(refused[0]),),
            (ProviderRefuses(seconds=10.0, aftermath_s=SOON_S),),
            (Killed(times=3), ProviderRefuses(seconds=10.0, aftermath_s=SOON_S)),
            (ProviderNotFound(aftermath_s=SOON_S),),
        ),
        amount=Amount(alarms=40),
    )
    yield Scenario(
        name="two providers: wrong credentials at the first one",
        layout=beside,
        faults=((WrongCredentials(aftermath_s=SOON_S),),),
        amount=Amount(alarms=12),
    )
    doubts = {
        "stored, and no answer": ("answer lost after acceptance", "500 after it is stored", "stored, never answered"),
        "nothing stored": (
            "500 before it is stored",
            "neither stored nor answered",
            "connection reset before anything",
        ),
        "too late": ("lands after 5 s, never answered", "answers after 6 s", "answer lost after acceptance"),
    }
    for number, (words, names) in enumerate(doubts.items()):
        together = tuple(replace(kinds[name], times=2) for name in names)
        yield Scenario(
            name=f"two providers: {words}",
            layout=replace(beside, database="postgresql") if number == 1 else beside,
            faults=(together, tuple(of_calls(one) for one in together), (Killed(times=2), *together)),
            amount=Amount(alarms=30),
        )
