"""What a call says by itself."""

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify.twiml import TIMES, say


@pytest.mark.parametrize(("language", "tag"), [("zh", "zh-CN"), ("en", "en-US"), ("zh-HK", "zh-HK")])
def test_it_is_said_twice_and_then_it_hangs_up(language: str, tag: str) -> None:
    """Whoever was asleep has missed the first time."""
    document = ET.fromstring(say("守望报警 <燃气> & 烟雾", language))
    assert [part.tag for part in document] == ["Say", "Pause", "Say", "Hangup"]
    assert [(part.text, part.get("language")) for part in document.iter("Say")] == [
        ("守望报警 <燃气> & 烟雾", tag)
    ] * TIMES


@given(st.text())
def test_no_speech_breaks_the_document(speech: str) -> None:
    ET.fromstring(say(speech, "zh"))
