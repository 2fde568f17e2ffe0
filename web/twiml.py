"""What Twilio is told to do, as TwiML.

The library is imported when the first call or reply comes, so that starting does not wait for it.
"""

import re

from web.ports import CallScript

#: What each language of ours is called by Twilio; anything else goes through as it is.
_SAY_LANGUAGES = {"zh": "zh-CN", "en": "en-US"}

#: How often a call says what it has to say.
_TIMES = 2

#: Seconds to wait for a key after having said it.
_KEY_TIMEOUT_S = 5

_NOT_IN_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def message(text: str) -> str:
    """Answer an SMS; with nothing where the text is empty."""
    from twilio.twiml.messaging_response import MessagingResponse  # noqa: PLC0415 - see the head of this file

    response = MessagingResponse()
    if text:
        response.message(_NOT_IN_XML.sub("", text))
    return str(response)


def call(script: CallScript, key_url: str) -> str:
    """Say a script; where it asks, say it twice and send the key that is pressed to `key_url`."""
    from twilio.twiml.voice_response import Gather, VoiceResponse  # noqa: PLC0415 - see the head of this file

    response = VoiceResponse()
    speech = _NOT_IN_XML.sub("", script.speech)
    language = _SAY_LANGUAGES.get(script.language, script.language)
    if script.asks:
        for _ in range(_TIMES):
            gather = Gather(
                input="dtmf", num_digits=1, timeout=_KEY_TIMEOUT_S, finish_on_key="", action=key_url, method="POST"
            )
            gather.say(speech, language=language)
            response.append(gather)
    elif speech:
        response.say(speech, language=language)
    response.hangup()
    return str(response)


def hang_up() -> str:
    """End a call without a word."""
    return call(CallScript(speech="", language="zh", asks=False), "")
