from collections.abc import Callable

import pytest


def test_a_missing_real_part_skips(real_part: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHOUWANG_TEST_REQUIRE_REAL_PARTS", raising=False)
    with pytest.raises(pytest.skip.Exception, match="mosquitto is missing: not on PATH"):
        real_part("mosquitto", "not on PATH")


def test_a_missing_real_part_fails_where_none_may_be_missing(
    real_part: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOUWANG_TEST_REQUIRE_REAL_PARTS", "1")
    with pytest.raises(pytest.fail.Exception, match="mosquitto is needed here: not on PATH"):
        real_part("mosquitto", "not on PATH")
