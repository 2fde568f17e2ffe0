"""Telephones that answer by a script.

A phone knows nothing of who brings it texts and calls: it gets a `Network` to answer through. How it behaves is a row
of manners, used one after the other; the last one stays. What came in is kept, and a test can wait for it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar

_T = TypeVar("_T")

#: Gives the text to send back, or None for none.
Answers = Callable[[str], str | None]
#: Gives the keys to press for what was heard, or an empty text for none.
Presses = Callable[[str], str]


class Network(Protocol):
    """What carries a phone's texts: a fake provider."""

    def later(self, seconds: float, action: Callable[[], Awaitable[object]]) -> None:
        """Do something after some seconds of the network's own clock."""

    async def text_from_phone(self, sender: str, recipient: str, body: str) -> object:
        """Carry a text from a phone to one of the service's numbers."""


class CallControl(Protocol):
    """What a person can do with a call that rings or goes on."""

    async def answer(self) -> None:
        """Take it."""

    async def press(self, keys: str) -> None:
        """Press keys, one after the other."""

    async def hang_up(self) -> None:
        """End it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextManner:
    """What a phone's owner does with a text."""

    answers: Answers | None = None
    after_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallManner:
    """What a phone's owner does with a call. Seconds count from the ringing, and from where keys are asked for."""

    answers: bool = False
    after_s: float = 4.0
    keys: Presses | None = None
    press_after_s: float = 3.0
    #: Hangs up so long after answering, whatever is being said.
    hangs_up_after_s: float | None = None
    busy: bool = False
    #: A machine answers: it listens to the end and presses nothing.
    machine: bool = False
    #: Nobody acts until `Phone.answer`, `press` or `hang_up` is called.
    by_hand: bool = False


IGNORE = TextManner()
NO_ANSWER = CallManner()
BUSY = CallManner(busy=True)
BY_HAND = CallManner(by_hand=True)


def reply(answer: str | Answers, *, after_s: float = 0.0) -> TextManner:
    """Answer each text, with this or with what a function makes of it."""
    if isinstance(answer, str):
        fixed = answer
        return TextManner(answers=lambda _text: fixed, after_s=after_s)
    return TextManner(answers=answer, after_s=after_s)


def answer(
    *,
    after_s: float = 4.0,
    press: str | Presses | Sequence[str] = "",
    press_after_s: float = 3.0,
    hangs_up_after_s: float | None = None,
) -> CallManner:
    """Take the call and press keys where they are asked for: always these, these in turn, or by what is heard."""
    if callable(press):
        keys: Presses = press
    elif isinstance(press, str):
        always = press
        keys = lambda _heard: always  # noqa: E731  (a def in each branch would be one name with two meanings)
    else:
        turns = list(press)
        keys = lambda _heard: turns.pop(0) if turns else ""  # noqa: E731
    return CallManner(
        answers=True, after_s=after_s, keys=keys, press_after_s=press_after_s, hangs_up_after_s=hangs_up_after_s
    )


def voicemail(*, after_s: float = 20.0) -> CallManner:
    """A machine takes the call."""
    return CallManner(answers=True, after_s=after_s, machine=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text that reached the phone."""

    at: datetime
    sender: str
    body: str


@dataclass(slots=True, kw_only=True, eq=False)
class PhoneCall:
    """A call that reached the phone, as its owner lived it."""

    at: datetime
    caller: str
    control: CallControl
    answered: bool = False
    over: bool = False
    heard: list[str] = field(default_factory=list)
    pressed: list[str] = field(default_factory=list)


class Phone:
    """A telephone with a number; see the manners above for what it can do."""

    def __init__(self, number: str, network: Network) -> None:
        self.number = number
        self.texts: list[Text] = []
        self.calls: list[PhoneCall] = []
        #: What this phone sent: (time is the network's business) the bodies, in order.
        self.sent: list[str] = []
        self._network = network
        self._text_manners: list[TextManner] = [IGNORE]
        self._call_manners: list[CallManner] = [NO_ANSWER]
        self._news = asyncio.Condition()
        self._seen_texts = 0
        self._seen_calls = 0

    def on_text(self, *manners: TextManner) -> "Phone":
        """What to do with the next texts, one manner each; the last one stays."""
        self._text_manners = list(manners) or [IGNORE]
        return self

    def on_call(self, *manners: CallManner) -> "Phone":
        """What to do with the next calls, one manner each; the last one stays."""
        self._call_manners = list(manners) or [NO_ANSWER]
        return self

    async def replies(self, body: str, *, to: str | None = None) -> object:
        """Send a text now: to whoever sent the last one, or to a number."""
        if to is None:
            if not self.texts:
                raise LookupError(f"{self.number} has nobody to reply to yet")
            to = self.texts[-1].sender
        self.sent.append(body)
        return await self._network.text_from_phone(self.number, to, body)

    async def answers(self) -> None:
        """Take the call that rings."""
        await self._current().control.answer()

    async def presses(self, keys: str) -> None:
        """Press keys in the call that goes on."""
        await self._current().control.press(keys)

    async def hangs_up(self) -> None:
        """End the call."""
        await self._current().control.hang_up()

    def _current(self) -> PhoneCall:
        for call in reversed(self.calls):
            if not call.over:
                return call
        raise LookupError(f"{self.number} has no call now")

    def forget(self) -> None:
        """Empty the phone's memory; its manners stay."""
        self.texts.clear()
        self.calls.clear()
        self.sent.clear()
        self._seen_texts = self._seen_calls = 0

    async def text_arrives(self, text: Text) -> None:
        """The network brings a text."""
        self.texts.append(text)
        manner = self._text_manners.pop(0) if len(self._text_manners) > 1 else self._text_manners[0]
        if manner.answers is not None and (body := manner.answers(text.body)) is not None:
            back = body
            self._network.later(manner.after_s, lambda: self.replies(back, to=text.sender))
        await self._tell()

    async def call_arrives(self, call: PhoneCall) -> CallManner:
        """The network brings a call, and is told what becomes of it."""
        self.calls.append(call)
        await self._tell()
        return self._call_manners.pop(0) if len(self._call_manners) > 1 else self._call_manners[0]

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def expect_text(self, contains: str = "", *, within_s: float = 5.0) -> Text:
        """The next text, not yet given by this function, that contains something; waits in real seconds for it.

        Raises AssertionError with what came instead.
        """

        def find() -> Text | None:
            for index in range(self._seen_texts, len(self.texts)):
                if contains in self.texts[index].body:
                    self._seen_texts = index + 1
                    return self.texts[index]
            return None

        return await self._await(find, within_s, lambda: f"no text with {contains!r}; got {self.texts}")

    #: The name that tests of an SMS provider think of first.
    expect_sms = expect_text

    async def expect_call(self, *, within_s: float = 5.0) -> PhoneCall:
        """The next call not yet given by this function; waits in real seconds for it."""

        def find() -> PhoneCall | None:
            if self._seen_calls < len(self.calls):
                self._seen_calls += 1
                return self.calls[self._seen_calls - 1]
            return None

        return await self._await(find, within_s, lambda: "no call")

    async def _await(self, find: Callable[[], _T | None], within_s: float, problem: Callable[[], str]) -> _T:
        found: list[_T] = []

        def look() -> bool:
            item = find()
            if item is not None:
                found.append(item)
            return bool(found)

        try:
            async with asyncio.timeout(within_s), self._news:
                await self._news.wait_for(look)
        except TimeoutError:
            raise AssertionError(f"{self.number}: {problem()}") from None
        return found[0]
