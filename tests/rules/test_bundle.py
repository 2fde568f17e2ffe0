"""What goes together in one message, and what it then says."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify.replies import parse
from rules import bundle, sms
from rules.bundle import NO_BUNDLING, Bundling
from rules.decisions import Brief, Delivery, DeliveryState, Priority, Purpose
from rules.incident import Verb
from rules.texts import TEXTS

NOON = datetime(2026, 3, 9, 4, 0, tzinfo=UTC)
BUNDLING = Bundling()


def page(number: int, **other: Any) -> Delivery:
    """A page of one home of a worker's, as it waits."""
    values: dict[str, Any] = {
        "id": number,
        "incident_id": f"i{number}",
        "step_key": "r0s0",
        "recipient_id": "li",
        "recipient_name": "李明",
        "channel": "sms",
        "address": "+8613800000001",
        "purpose": Purpose.PAGE,
        "priority": Priority.LIFE_SAFETY_PAGE,
        "text": f"燃气泄漏 玉林北街1院1-2-{number} 接单回K{number}",
        "code": f"K{number}",
        "brief": Brief(
            what="燃气泄漏", place=f"成都市玉林北街1号院1栋2单元{number}", first="开窗关阀勿开灯", more="王秀英"
        ),
        "expires_at": NOON + timedelta(minutes=30),
        "state": DeliveryState.PENDING,
        "created_at": NOON,
        "attempts": 0,
        "fence": 0,
        "owner": None,
    }
    return Delivery(**values | other)


def ids(messages: list[list[Delivery]]) -> list[list[int]]:
    return [[one.id for one in those] for those in messages]


def test_a_message_alone_stays_as_it_is() -> None:
    (those,) = bundle.messages([page(2)], BUNDLING)
    assert bundle.as_one(those) == page(2)


def test_each_home_has_its_code_under_what_they_have_in_common() -> None:
    smoke = Brief(what="烟雾报警", place="玉林北街3号院", first="拔电源关火")
    message = bundle.as_one([page(3), page(2), page(4, brief=smoke)])

    assert message.id == 2
    assert [one.id for one in message.members] == [2, 3, 4]
    assert message.text == (
        "共3处报警\n燃气泄漏 开窗关阀勿开灯\n玉林北街1院1-2-2 王秀英 K2\n玉林北街1院1-2-3 王秀英 K3\n"
        "烟雾报警 拔电源关火\n玉林北街3院 K4\n接单回编号，都去回 全部"
    )


@pytest.mark.parametrize(
    "other",
    [
        {"recipient_id": "chen"},
        {"channel": "apprise", "address": "ntfy://example.org/li"},
        {"address": "+8613800000002"},
        {"purpose": Purpose.INFORM},
        {"priority": Priority.PAGE},
        {"drill": True},
        {"brief": None},
        {"bundle": 7},
    ],
)
def test_what_differs_goes_apart(other: dict[str, Any]) -> None:
    """Life-safety pages go with life-safety pages alone (invariant life-first), a drill with drills."""
    assert ids(bundle.messages([page(2), page(3, **other), page(4)], BUNDLING)) == [[2, 4], [3]]


def test_machines_read_one_incident_a_message() -> None:
    pages = [page(number, channel="webhook", address="https://example.org/") for number in (2, 3)]
    assert ids(bundle.messages(pages, BUNDLING)) == [[2], [3]]


def test_a_doubt_is_asked_about_with_what_it_left_with_and_nothing_else() -> None:
    """Invariant one-page: what may have arrived is not mixed with what has never left."""
    doubts = [page(number, state=DeliveryState.UNKNOWN, bundle=bundled) for number, bundled in ((2, 2), (3, 2), (4, 4))]
    old = page(5, state=DeliveryState.UNKNOWN)
    assert ids(bundle.messages([old, *reversed(doubts)])) == [[2, 3], [4], [5]]
    # The same words again, or it would not be recognised at the provider, whatever a message takes by now.
    many = [page(number, state=DeliveryState.UNKNOWN, bundle=1) for number in range(1, 12)]
    assert len(bundle.messages(many, NO_BUNDLING)) == 1


def test_it_can_be_switched_off() -> None:
    for channel in ("sms", "voice", "apprise"):
        pages = [page(number, channel=channel) for number in (2, 3)]
        assert ids(bundle.messages(pages, NO_BUNDLING)) == [[2], [3]]


@given(
    st.lists(
        st.tuples(st.text(max_size=60), st.text(max_size=60), st.text(max_size=12), st.text(max_size=20)),
        min_size=1,
        max_size=40,
    ),
    st.sampled_from(["sms", "apprise"]),
    st.integers(1, 4),
)
def test_nobody_is_left_out_and_nothing_is_too_long(
    homes: list[tuple[str, str, str, str]], channel: str, parts: int
) -> None:
    """Every home is in exactly one message, with its code, in order (invariants life-first, one-page)."""
    pages = [
        page(number, channel=channel, brief=Brief(what=what, place=place, more=more, first=first))
        for number, (what, place, more, first) in enumerate(homes, start=1)
    ]
    messages = bundle.messages(reversed(pages), Bundling(homes=9, sms_parts=parts))

    assert [number for those in ids(messages) for number in those] == [one.id for one in pages]
    for those in messages:
        assert len(those) <= 9
        text = bundle.as_one(those).text
        if len(those) > 1:
            assert sms.units(text) <= 67 * parts if channel == "sms" else len(text.encode()) <= 2048
            assert all(any(line.endswith(one.code) for line in text.split("\n")) for one in those)


def test_ordinary_homes_fit_by_the_handful() -> None:
    """Three parts name as many homes as a worker can take in at a glance."""
    (first, *_) = bundle.messages([page(number) for number in range(101, 131)], BUNDLING)
    assert len(first) >= 6


def test_a_call_names_the_first_ones_and_takes_all() -> None:
    pages = [page(number, channel="voice") for number in range(1, 9)]
    (those,) = bundle.messages(pages, BUNDLING)
    said = bundle.as_one(those).speech

    assert said.startswith("守望报警。共8家。成都市玉林北街1号院1栋2单元1，燃气泄漏。")
    assert "2单元3，" in said
    assert "2单元4" not in said
    assert said.endswith("另有5家，见短信。全部接单请按1，都去不了请按2，重听请按9。")


def test_what_it_asks_for_is_understood() -> None:
    for asked in ("全部", "all"):
        assert asked in (TEXTS["bundle.ask"].zh + TEXTS["bundle.ask"].en)
        assert (parse(asked).verb, parse(asked).all) == (Verb.ACKNOWLEDGE, True)


def test_news_of_several_homes_asks_for_no_answer() -> None:
    brief = Brief(what="李明已接单，正前往", place="玉林北街1号院", more="燃气泄漏")
    news = [page(n, purpose=Purpose.INFORM, priority=Priority.LIFE_SAFETY_INFORM, brief=brief) for n in (2, 3)]
    assert bundle.as_one(news).text == ("共2处\n李明已接单，正前往\n玉林北街1院 燃气泄漏 K2\n玉林北街1院 燃气泄漏 K3")


def test_the_words_are_the_same_whatever_the_order() -> None:
    """A doubt is recognised at the provider by its words."""
    pages = [page(number) for number in (2, 3, 4)]
    again = [replace(one, state=DeliveryState.UNKNOWN, bundle=2, attempts=1) for one in reversed(pages)]
    assert bundle.as_one(again).text == bundle.as_one(pages).text


def test_what_is_left_of_a_message_is_recognised_by_its_codes() -> None:
    """Invariant one-page: some of it was settled meanwhile, and the words of all of it are at the provider."""
    whole = bundle.as_one([page(2), page(3), page(4)]).text
    left = bundle.as_one([page(number, bundle=2, state=DeliveryState.UNKNOWN) for number in (3, 4)])
    assert bundle.is_it(left, f"Sent from a trial account - {whole}")
    assert bundle.is_it(page(4, bundle=2), whole)
    assert not bundle.is_it(page(5, bundle=2), whole)
    # The news that somebody is on the way ends with the same code, and is another message.
    brief = Brief(what="李明已接单，正前往", place="玉林北街1号院", more="燃气泄漏")
    assert not bundle.is_it(page(4, bundle=4, purpose=Purpose.INFORM, brief=brief), whole)
    # Of two pages about one home each stands under its own heading, which may end like a code.
    again = replace(page(2).brief or brief, what="[第2轮]燃气泄漏", first="关阀\nV1 ")
    whole = bundle.as_one([page(2), page(3), replace(page(2, brief=again), id=7)]).text
    assert bundle.is_it(replace(page(2, bundle=2, brief=again), id=7), whole)
    assert bundle.is_it(page(2, bundle=2), whole)
    # One that was always alone is recognised by all of its words alone.
    assert not bundle.is_it(page(3), whole)
    assert bundle.is_it(page(4), page(4).text)
