import pytest

from rules.commissioning import Said, judge


@pytest.mark.parametrize(
    ("kind", "said", "passed", "to_do"),
    [
        ("gas", [], False, "press"),
        ("gas", ["gas clear", "battery ok"], False, "press"),
        ("gas", ["gas test"], True, None),
        ("smoke", ["smoke alarm"], True, None),
        ("smoke", ["test active"], True, None),
        ("smoke", ["test failed"], False, "press"),
        ("smoke", ["gas alarm"], False, "press"),
        ("sos", ["sos test"], True, None),
        ("sos", ["button single"], True, None),
        ("button", ["button single"], True, None),
        ("fall", ["fall test"], True, None),
        ("fall", ["fall warning"], False, "press"),
        ("contact", [], False, "open_and_close"),
        ("contact", ["contact closed"], False, "open"),
        ("contact", ["contact open"], False, "close"),
        ("contact", ["contact open", "contact closed"], True, None),
        ("contact", ["contact unknown", "contact closed"], False, "open"),
        ("motion", ["motion clear"], False, "move"),
        ("motion", ["motion detected"], True, None),
        ("measurement", ["measurement unknown"], False, "speak"),
        ("measurement", ["battery ok"], True, None),
    ],
    ids=str,
)
def test_what_must_be_heard_of_each_kind(kind: str, said: list[str], passed: bool, to_do: str | None) -> None:
    heard = [Said(*one.split()) for one in said]

    assert judge(kind, heard) == (passed, to_do)
