"""How problems are written, and what was probably meant."""

import pytest

from shouwang.config import ConfigError, Problem, did_you_mean
from shouwang.config.problems import listed, one_of


def test_a_problem_says_where_and_what() -> None:
    problem = Problem(file="rules.yaml", line=6, column=40, path="rules[2].when", message="wrong")

    assert str(problem) == "rules.yaml:6:40: rules[2].when: wrong"


def test_what_is_not_known_of_a_problem_is_left_out() -> None:
    assert str(Problem(file="rules.yaml", message="wrong")) == "rules.yaml: wrong"
    assert str(Problem(file="rules.yaml", line=0, column=0, message="wrong")) == "rules.yaml: wrong"


def test_an_error_shows_a_hundred_problems_and_counts_the_rest() -> None:
    error = ConfigError(Problem(file="devices.yaml", line=n, column=1, message="wrong") for n in range(1, 2_001))

    assert len(error.problems) == 2_000
    assert len(str(error).splitlines()) == 101
    assert str(error).endswith("\n… and 1,900 more")


@pytest.mark.parametrize(
    ("word", "hint"),
    [("gass", "; did you mean 'gas'?"), ("GAS", "; did you mean 'gas'?"), ("door", ""), ("", "")],
)
def test_did_you_mean(word: str, hint: str) -> None:
    assert did_you_mean(word, ["gas", "smoke"]) == hint


def test_where_nothing_is_near_everything_is_named() -> None:
    assert one_of("door", ["smoke", "gas"]) == "it must be one of: gas, smoke"
    assert one_of("door", []) == "there are none"


def test_long_lists_are_cut() -> None:
    assert listed("abc") == "a, b, c"
    assert listed("abcdefg", shown=2) == "a, b and 5 more"
