"""Sentences of findings."""

import string

import pytest

from rules.readings import KINDS
from rules.reasons import _NAMES, REASONS, Reasons


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("key", REASONS["zh"])
def test_both_languages_say_the_same(key: str) -> None:
    assert places(REASONS["zh"][key]) == places(REASONS["en"][key])


def test_both_languages_have_the_same_sentences() -> None:
    assert REASONS["zh"].keys() == REASONS["en"].keys()


def test_every_kind_has_a_chinese_name() -> None:
    assert set(_NAMES["zh"]) >= KINDS


def test_a_language_we_do_not_speak_is_answered_in_chinese() -> None:
    assert Reasons("fr").active("motion") == Reasons("zh").active("motion")
