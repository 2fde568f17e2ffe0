"""The harness reads as people do: what Shouwang really writes and says, put together by Shouwang's own rules."""

import pytest

from rules.texts import render
from tests.faults.words import Understood, codes_in, homes_heard, read_text, understand

SEVERAL = """共3处报警
燃气泄漏 立即上门查看
桂花巷4号 K7
桂花巷12号 王秀英 H23
[第2轮]烟雾报警
桂花巷5号 B8
接单回编号，都去回 全部"""


def test_a_page_names_its_home_and_its_code() -> None:
    text = read_text("SM1", "+86", "燃气泄漏 桂花巷4号 立即上门查看 接单回K7", 1.0)

    assert (text.homes, text.page) == ({4}, True)
    assert codes_in(text.body) == [(4, "K7")]


def test_a_page_for_several_homes_names_a_code_for_each() -> None:
    text = read_text("SM1", "+86", SEVERAL, 1.0)

    assert (text.homes, text.page) == ({4, 12, 5}, True)
    assert codes_in(text.body) == [(4, "K7"), (12, "H23"), (5, "B8")]


@pytest.mark.parametrize(
    ("body", "anew"),
    [
        ("员m4已接单，正前往桂花巷4号 燃气泄漏 编号K7", set()),
        ("员m4去不了 桂花巷4号 燃气泄漏 能去请回K7", {4}),
        ("共2处\n员m4去不了 能去请回编号\n桂花巷4号 燃气泄漏 K7\n员m5已接单，正前往\n桂花巷5号 燃气泄漏 B8", {4}),
    ],
)
def test_news_is_no_page(body: str, anew: set[int]) -> None:
    text = read_text("SM1", "+86", body, 1.0)

    assert (text.homes >= {4}, text.page, text.asks_anew) == (True, False, anew)


def test_a_call_names_the_homes_that_are_heard() -> None:
    assert homes_heard("守望报警。共5家。桂花巷4号，燃气泄漏。桂花巷12号，烟雾报警。另有3家，见短信。") == {4, 12}


@pytest.mark.parametrize(
    ("key", "understood"),
    [
        ("answer.acknowledged", Understood(verdict="mine", codes=("K7",))),
        ("answer.acknowledged_already", Understood(verdict="mine", codes=("K7",))),
        ("answer.acknowledged_by_other", Understood(verdict="other", codes=("K7",))),
        ("answer.acknowledged_spoken", Understood(verdict="mine", home=4)),
        ("answer.all_acknowledged", Understood(verdict="mine", codes=("K7", "H23"), count=2)),
        ("answer.all_acknowledged_spoken", Understood(verdict="mine", count=2)),
        ("answer.all_yours", Understood(verdict="mine", codes=("K7", "H23"))),
        ("answer.all_none", Understood(verdict="none")),
        ("answer.cannot_go", Understood(verdict="declined", codes=("K7",))),
        ("answer.cannot_go_already", Understood(verdict="declined before", codes=("K7",))),
        ("answer.cannot_go_other", Understood(verdict="other", codes=("K7",))),
        ("answer.all_cannot_go", Understood(verdict="declined", codes=("K7", "H23"), count=2)),
        ("answer.arrived", Understood(verdict="there", codes=("K7",))),
        ("answer.arrived_already", Understood(verdict="there", codes=("K7",))),
        ("answer.arrived_too", Understood(verdict="other", codes=("K7",))),
        ("answer.closed", Understood(verdict="closed", codes=("K7",))),
        ("refusal.resolved", Understood(verdict="other", codes=("K7",))),
        ("refusal.on_scene", Understood(verdict="other", codes=("K7",))),
        ("refusal.give_outcome", Understood(verdict="other", codes=("K7",))),
    ],
)
def test_every_answer_is_understood(key: str, understood: Understood) -> None:
    values = {"name": "员m4", "title": "燃气泄漏", "address": "桂花巷4号", "outcome": "属实", "first": "立即上门查看"}

    assert understand(render(key, "zh", code="K7", codes="K7 H23", count=2, **values)) == understood


@pytest.mark.parametrize(
    "key", ["answer.help", "answer.unknown_sender", "answer.outcome_each", "voice.over", "voice.menu"]
)
def test_what_is_no_answer_to_that_is_not_understood(key: str) -> None:
    assert understand(render(key, "zh", code="K7", codes="K7 H23")) is None
