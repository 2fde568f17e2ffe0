"""TwiML: what the service wants said and done in a call, or sent back for a text.

The verbs that a service of alerts uses: Say, Play, Pause, Gather, Redirect, Hangup, Reject; Message and Redirect for
texts. Others are an error here as an unknown one is at Twilio, so that nobody relies on what is not simulated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

#: Characters of speech a second: Mandarin is read at about four syllables a second.
SPEECH_PER_S = 4.0


class TwimlError(ValueError):
    """The document is not TwiML; `code` is Twilio's (12100 not XML, 12200 not as the schema has it)."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """Speak a text (or play the sound at a URL)."""

    text: str
    language: str = "en-US"
    voice: str | None = None
    loop: int = 1

    @property
    def seconds(self) -> float:
        """About how long it takes."""
        return len(self.text) / SPEECH_PER_S * self.loop


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Be silent."""

    seconds: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Gather:
    """Speak, and wait for keys meanwhile and `timeout_s` longer."""

    #: None: the document's own URL.
    action: str | None
    method: str
    num_digits: int | None
    timeout_s: float
    finish_on_key: str
    action_on_empty_result: bool
    prompts: tuple[Say | Pause, ...]

    @property
    def seconds(self) -> float:
        """How long it waits where no key is pressed."""
        return sum(prompt.seconds for prompt in self.prompts) + self.timeout_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """Go on with another document."""

    url: str
    method: str = "POST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hangup:
    """End the call."""


Verb = Say | Pause | Gather | Redirect | Hangup


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A text to send back."""

    body: str
    to: str | None = None
    sender: str | None = None
    action: str | None = None


def _root(document: str) -> ET.Element:
    try:
        # The document comes from the service under test, which has no reason to attack its own simulator.
        root = ET.fromstring(document.strip())  # noqa: S314
    except ET.ParseError as exc:
        raise TwimlError(12100, f"Document parse failure: {exc}") from exc
    if root.tag != "Response":
        raise TwimlError(12200, f"Schema validation warning: the root is <{root.tag}>, not <Response>")
    return root


def _prompt(element: ET.Element) -> Say | Pause:
    text = " ".join("".join(element.itertext()).split())
    match element.tag:
        case "Say":
            return Say(
                text=text,
                language=element.get("language", "en-US"),
                voice=element.get("voice"),
                loop=int(element.get("loop", "1")),
            )
        case "Play":
            return Say(text=f"[{text}]")
        case "Pause":
            return Pause(seconds=float(element.get("length", "1")))
        case other:
            raise TwimlError(12200, f"Schema validation warning: <{other}> is not simulated here")


def _verb(element: ET.Element) -> Verb:
    match element.tag:
        case "Gather":
            digits = element.get("numDigits")
            if digits is not None and (not digits.isdecimal() or int(digits) < 1):
                raise TwimlError(13314, f"Gather: invalid numDigits value {digits!r}")
            return Gather(
                action=element.get("action") or None,
                method=element.get("method", "POST").upper(),
                num_digits=None if digits is None else int(digits),
                timeout_s=float(element.get("timeout", "5")),
                finish_on_key=element.get("finishOnKey", "#"),
                action_on_empty_result=element.get("actionOnEmptyResult") == "true",
                prompts=tuple(_prompt(child) for child in element),
            )
        case "Redirect":
            return Redirect(url=(element.text or "").strip(), method=element.get("method", "POST").upper())
        case "Hangup" | "Reject":
            return Hangup()
        case _:
            return _prompt(element)


def parse_voice(document: str) -> Sequence[Verb]:
    """The verbs of a call's document, in order."""
    return [_verb(element) for element in _root(document)]


def parse_messaging(document: str, content_type: str) -> Sequence[Reply]:
    """The texts a webhook's answer asks for; a plain text is one, an empty answer none."""
    if not document.strip():
        return []
    if content_type == "text/plain":
        return [Reply(body=document)]
    replies = []
    for element in _root(document):
        if element.tag != "Message":
            raise TwimlError(12200, f"Schema validation warning: <{element.tag}> is not simulated here")
        body = element.find("Body")
        replies.append(
            Reply(
                body=((element.text or "") if body is None else (body.text or "")).strip(),
                to=element.get("to"),
                sender=element.get("from"),
                action=element.get("action") or element.get("statusCallback"),
            )
        )
    return replies
