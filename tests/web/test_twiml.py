"""What Twilio is told to do."""

import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

from web import twiml
from web.ports import CallScript

KEY_URL = "https://alarm.example.org/webhooks/twilio/voice/key?delivery=12"


def test_an_answer() -> None:
    assert twiml.message("收到 <K7> & 谢谢") == (
        '<?xml version="1.0" encoding="UTF-8"?><Response><Message>收到 &lt;K7&gt; &amp; 谢谢</Message></Response>'
    )


def test_no_answer() -> None:
    assert twiml.message("") == '<?xml version="1.0" encoding="UTF-8"?><Response />'


def test_a_call_that_asks_says_it_twice_waits_for_a_key_each_time_and_hangs_up() -> None:
    text = twiml.call(CallScript(speech="燃气泄漏。按1接单。", language="zh", asks=True), KEY_URL)

    gather = (
        '<Gather action="https://alarm.example.org/webhooks/twilio/voice/key?delivery=12" finishOnKey="" input="dtmf"'
        ' method="POST" numDigits="1" timeout="5"><Say language="zh-CN">燃气泄漏。按1接单。</Say></Gather>'
    )
    assert text == f'<?xml version="1.0" encoding="UTF-8"?><Response>{gather}{gather}<Hangup /></Response>'


def test_a_call_that_does_not_ask_says_it_once_and_hangs_up() -> None:
    text = twiml.call(CallScript(speech="收到,谢谢。", language="zh", asks=False), KEY_URL)

    assert text == (
        '<?xml version="1.0" encoding="UTF-8"?><Response><Say language="zh-CN">收到,谢谢。</Say><Hangup /></Response>'
    )


@pytest.mark.parametrize(("language", "said"), [("zh", "zh-CN"), ("en", "en-US"), ("zh-TW", "zh-TW")])
def test_languages(language: str, said: str) -> None:
    text = twiml.call(CallScript(speech="x", language=language, asks=False), KEY_URL)

    assert f'<Say language="{said}">' in text


def test_a_call_without_words_hangs_up() -> None:
    assert twiml.hang_up() == '<?xml version="1.0" encoding="UTF-8"?><Response><Hangup /></Response>'


@pytest.mark.parametrize("text", ["a\x00b", "a\x0bb", "a\ud800b", "a\uffffb"])
def test_what_xml_cannot_hold_is_left_out(text: str) -> None:
    """A stray character in a file or a reply must not end a call."""
    assert ET.fromstring(twiml.message(text))[0].text == "ab"
    assert ET.fromstring(twiml.call(CallScript(speech=text, language="zh", asks=True), ""))[0][0].text == "ab"


def test_starting_does_not_wait_for_the_library() -> None:
    code = "import sys, web.app, web.server; sys.exit(any(name.split('.')[0] == 'twilio' for name in sys.modules))"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
