"""What a call says where Twilio cannot fetch it from us.

Calls that can ask for a key, and answers to texts, are written by the webhooks themselves (web/twiml.py): only they
have an address for the key to go to.
"""

import re

#: What each language of ours is called by Twilio; anything else goes through as it is.
LANGUAGES = {"zh": "zh-CN", "en": "en-US"}

#: How often it is said: whoever was asleep has missed the first time.
TIMES = 2

_NOT_IN_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def say(speech: str, language: str) -> str:
    """Give the document that says something twice in a language (`zh`, `en`, or a full tag) and hangs up."""
    from twilio.twiml.voice_response import VoiceResponse  # noqa: PLC0415 - only where calls are made

    response = VoiceResponse()
    for turn in range(TIMES):
        if turn:
            response.pause(length=1)
        response.say(_NOT_IN_XML.sub("", speech), language=LANGUAGES.get(language, language))
    response.hangup()
    return str(response)
