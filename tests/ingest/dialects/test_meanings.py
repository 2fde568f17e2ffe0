from typing import Any

import pytest

from ingest.dialects.meanings import mapped, read
from rules.community import Mapped


@pytest.mark.parametrize(
    ("kind", "value", "state"),
    [
        ("gas", True, "alarm"),
        ("gas", 1, "alarm"),
        ("gas", "1", "alarm"),
        ("gas", 1.0, "alarm"),
        ("gas", "ON", "alarm"),
        ("gas", "off", "clear"),
        ("gas", 0, "clear"),
        ("gas", " clear ", "clear"),
        ("smoke", "smoke alarm", "alarm"),
        ("water_leak", "dry", "clear"),
        ("contact", True, "open"),
        ("contact", "closed", "closed"),
        ("motion", "yes", "detected"),
        ("sos", "on", "pressed"),
        # Invariant unknown-is-not-clear.
        ("gas", None, "unknown"),
        ("gas", "unavailable", "unknown"),
        ("gas", "", "unknown"),
        ("gas", -1, "unknown"),
        ("gas", "-1", "unknown"),
        ("gas", "-0", "unknown"),
        ("gas", 2, "unknown"),
        ("gas", 0.5, "unknown"),
        ("gas", "nan", "unknown"),
        ("gas", float("nan"), "unknown"),
        ("gas", [False], "unknown"),
        ("gas", {}, "unknown"),
    ],
    ids=repr,
)
def test_a_value_of_which_the_kind_is_known(kind: str, value: Any, state: str) -> None:
    assert read(kind, value).state == state


def test_a_contact_that_is_made_is_closed() -> None:
    assert read("contact", True, inverted=True).state == "closed"
    assert read("contact", 0, inverted=True).state == "open"
    assert read("contact", None, inverted=True).state == "unknown"


@pytest.mark.parametrize(
    ("how", "value", "result"),
    [
        (Mapped(kind="gas"), "ON", ("alarm", None)),
        (Mapped(kind="gas"), "strange", ("unknown", None)),
        (Mapped(kind="gas", states={"1": "clear", "0": "alarm"}), 0, ("alarm", None)),
        (Mapped(kind="gas", states={"1": "clear", "0": "alarm"}), 1.0, ("clear", None)),
        (Mapped(kind="gas", states={"true": "alarm"}), True, ("alarm", None)),
        (Mapped(kind="gas", states={"true": "alarm"}), False, ("unknown", None)),
        (Mapped(kind="gas_concentration", scale=0.1), "125", (None, 12.5)),
        (Mapped(kind="gas_concentration"), "nan", ("unknown", None)),
        (Mapped(kind="battery"), 80, (None, 80.0)),
        (Mapped(kind="battery"), "low", ("low", None)),
        # A word that tells of another kind says nothing of this one.
        (Mapped(kind="gas"), "preheating", ("unknown", None)),
    ],
)
def test_what_staff_have_written_down(how: Mapped, value: Any, result: tuple[str | None, float | None]) -> None:
    assert mapped(how, value) == result


def test_a_field_of_no_interest_has_no_meaning() -> None:
    with pytest.raises(ValueError, match="no interest"):
        mapped(Mapped(kind=None), 1)
