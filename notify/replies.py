"""What a person means by a reply. Pure: text in, meaning out; never raises.

A reply is read from its beginning: words, digits, the code, in any order, with or without blanks; where nothing known
follows, the note begins. `1 K7`, `K7 1`, `接单K7`, `ack k7 5 minutes`, `误报，K7，炒菜` and plain `K7` are understood.

What is not surely understood is UNCLEAR, and answered with an explanation: escalation goes on meanwhile, so a reply too
few costs a minute, while a reply misread as "I go" or as an outcome could cost everything. So negations and questions
are never read as what they deny or ask, digits count only beside a code or alone (`2小时后到` is not `2`), and two
codes in one reply are none.

Instead of a code a reply may say that it means all: `全部`, `1 全部`, `ack all`. With an exception, or a code beside
it, it is not understood: nobody takes over a home by a slip. `去不了全部` may mean that all of them are too many, while
`全部去不了` is clear; and `all 2` may be a number.

STOP and START come first, as the whole reply. See words.py for every word.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum

from notify import words
from notify.words import Meaning
from rules.incident import OutcomeKind, Verb

#: Characters of a reply that are read, and of a note that are kept; Twilio brings up to 1,600.
_READ_AT_MOST = 1600
_NOTE_AT_MOST = 200


class ReplyKind(StrEnum):
    """What kind of reply it is."""

    VERB = "verb"
    STOP = "stop"
    START = "start"
    HELP = "help"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a reply says. `verb` is set for kind VERB alone, `outcome` for the verb OUTCOME alone."""

    kind: ReplyKind
    verb: Verb | None = None
    outcome: OutcomeKind | None = None
    #: As it stands in the reply, in capitals; whether there is such a code is for others to know.
    code: str | None = None
    note: str | None = None
    #: It means everything this person was paged for; then there is no code.
    all: bool = False


def parse(text: str) -> Reply:
    """Read a reply."""
    shown = _cleaned(text)
    low = shown.translate(_ASCII_LOWER)
    whole = " ".join(re.sub(r"[^\w']|_", " ", low).split())
    for kind, those in _WHOLE.items():
        if whole in those:
            return Reply(kind=kind)
    if re.fullmatch(r"[\s?]*\?[\s?]*", low):
        return Reply(kind=ReplyKind.HELP)
    scan = _Scan(low)
    scan.run()
    note = shown[scan.known :].strip(_AROUND_NOTES)[:_NOTE_AT_MOST] or None if scan.rest else None
    code = scan.code if len(scan.codes) == 1 else None
    meaning = scan.meaning()
    if meaning is None:
        return Reply(kind=ReplyKind.UNCLEAR, code=code, note=note)
    return Reply(kind=ReplyKind.VERB, verb=meaning[0], outcome=meaning[1], code=code, note=note, all=scan.all)


# --- reading ----------------------------------------------------------------------------------------------------------

_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}

#: Characters that stand between words. The question mark speaks.
_BETWEEN = re.compile(r"(?:[^\w?']|_)*")
_AROUND_NOTES = " \t,.;:!?-_/()[]{}<>\"'#*，。；：！？、（）【】《》“”‘’—…·~"

#: A letter and digits, and none of those that look alike: 0 O, 1 I L. `B2栋` is a house.
_LETTER, _NUMBER = "[a-hjkmnp-z]", "[2-9]{1,6}"
_CODE = re.compile(rf"({_LETTER}{_NUMBER})(?![a-z0-9])(?! *[栋楼幢座单室层区])")
#: With a word or a digit glued to its end: `k7ok`, `k71`.
_GLUED_CODE = re.compile(rf"({_LETTER}{_NUMBER})(?=[a-z1])")
#: With a blank in it, where nothing follows that the number could belong to.
_PARTED_CODE = re.compile(rf"({_LETTER})[ .\-]({_NUMBER})\W*\Z")
_CODE_ANYWHERE = re.compile(rf"(?<![a-z0-9]){_CODE.pattern}")

_DIGITS = re.compile(r"(4[1-5]|[123])(?![0-9])")


def _any_of(those: list[str]) -> re.Pattern[str]:
    """Match the longest of some words."""
    return re.compile("|".join(re.escape(one) for one in sorted(those, key=len, reverse=True)) or r"(?!)")


def _meanings(table: dict[Meaning, words.Words]) -> dict[str, Meaning]:
    return {word: meaning for meaning, those in table.items() for word in those.each()}


_LOOSE = _meanings(words.WORDS)
_TIGHT = _meanings(words.TIGHT_WORDS)
_WORD = _any_of([*_LOOSE, *_TIGHT])
_LOOSE_WORD = _any_of([*_LOOSE])
_ALL = _any_of(words.ALL.each())
_ALL_BEFORE_A_WORD = _any_of(words.ALL_BEFORE_A_WORD.each())
_HOW_ALL_IS = frozenset(words.HOW_ALL_IS.each())
_EXCEPTION = _any_of(words.EXCEPTIONS.each())
_ADDRESSING = _any_of(words.ADDRESSING.each())
_FILLER = _any_of(words.FILLERS.each())
#: Loose words that speak against an earlier one, wherever they stand.
_CANNOT_GO = _any_of(words.WORDS[words.CANNOT_GO].each())
_OUTCOME = _any_of([word for word, meaning in _LOOSE.items() if meaning[0] is Verb.OUTCOME])
#: What directly behind a word takes it back or asks: `我去不了`, `属实不属实`, `到场没有`.
_DENIED = re.compile(r"不|没有?(?:[\Wa-z0-9]|\Z)")
_QUESTION = _any_of(words.QUESTIONS.each())
_GUESS = _any_of(words.GUESSES.each())
_WHOLE = {
    ReplyKind.STOP: frozenset(words.STOP.each()),
    ReplyKind.START: frozenset(words.START.each()),
    ReplyKind.HELP: frozenset(words.HELP.each()),
}


def _cleaned(text: str) -> str:
    """Bring a text into one form: full-width to plain, curly apostrophes, no invisible characters."""
    plain = unicodedata.normalize("NFKC", text[:_READ_AT_MOST]).replace("’", "'").replace("`", "'")
    kept = []
    for character in plain:
        category = unicodedata.category(character)
        if category in {"Cc", "Zl", "Zp"}:
            kept.append(" ")
        elif category not in {"Cf", "Mn", "Me", "Cs", "Co", "Cn"}:  # joiners, accents, the box around a keycap …
            kept.append(character)
    return "".join(kept)


@dataclass(slots=True)
class _Scan:
    """One reading of a reply, from its beginning as far as it is understood."""

    text: str
    at: int = 0
    #: Where the last word, digit or code ended.
    known: int = 0
    #: Whether something is left that was not understood.
    rest: bool = False
    codes: list[str] = field(default_factory=list)
    said: list[Meaning] = field(default_factory=list)
    #: Whether a word, not only digits, said something.
    in_words: bool = False
    asked: bool = False
    guessed: bool = False
    all: bool = False
    #: Something was said before it was said that all are meant.
    said_before_all: bool = False
    #: Nothing but codes, digits and words of ADDRESSING so far.
    alone: bool = True
    #: The last thing read was a word.
    _after_word: bool = False

    @property
    def code(self) -> str:
        return self.codes[0].upper()

    def run(self) -> None:
        """Read on until something is not understood."""
        while self._skip() < len(self.text):
            if not self._step():
                self.rest = True
                break
        if self.rest and not self.codes:
            for found in _CODE_ANYWHERE.finditer(self.text, self.known):
                self._note_code(found[1])

    def meaning(self) -> Meaning | None:
        """Say what all of it together means; None where that is not sure."""
        if len(self.codes) > 1 or (self.asked and (self.in_words or not self.said)):
            return None
        meaning = self._together()
        if meaning is None:
            return None
        verb, _ = meaning
        if self.guessed and verb is Verb.OUTCOME:
            return None
        left = self.text[self.known :] if self.rest else ""
        if verb is Verb.ACKNOWLEDGE and _CANNOT_GO.search(left):
            return None
        if verb is Verb.OUTCOME and any(_LOOSE[other] != meaning for other in _OUTCOME.findall(left)):
            return None
        if self.all and (self.codes or _EXCEPTION.search(left) or not self._all_of_what(verb)):
            return None
        return meaning

    def _all_of_what(self, verb: Verb) -> bool:
        """Say whether it is clear what is meant of all of them."""
        return verb is not Verb.CANNOT_GO or not (self.said_before_all and self.in_words)

    def _together(self) -> Meaning | None:
        said = set(self.said)
        outcomes = [one for one in said if one[0] is Verb.OUTCOME]
        if not said:
            # A code alone takes it; a code in the midst of something else does not.
            return words.ACKNOWLEDGE if (self.codes or self.all) and self.alone and not self.rest else None
        if len(outcomes) > 1:
            return None
        if words.CANNOT_GO in said:
            return words.CANNOT_GO if said <= {words.CANNOT_GO, words.ACKNOWLEDGE} else None
        if outcomes:
            return outcomes[0]
        return words.ARRIVE if words.ARRIVE in said else words.ACKNOWLEDGE

    # --- one step -----------------------------------------------------------------------------------------------------

    def _skip(self) -> int:
        self.at = _end(_BETWEEN, self.text, self.at)
        return self.at

    def _step(self) -> bool:
        if (end := _whole_word(_QUESTION, self.text, self.at)) > self.at:
            self.asked = True
            return self._on(end)
        if self._after_word and (end := _whole_word(_GUESS, self.text, self.at)) > self.at:
            self.guessed = True
            return self._on(end)
        if found := self._code_at(self.at):
            self._note_code(found[0])
            return self._on(found[1], known=True)
        if (found := self._digits_at(self.at)) and not (self.all and words.DIGITS[found[0]] != words.ACKNOWLEDGE):
            self.said.append(words.DIGITS[found[0]])
            return self._on(found[1], known=True)
        if (found := self._word_at(self.at)) and not (self.all and found[0] in _HOW_ALL_IS):
            self.said.append(_LOOSE.get(found[0]) or _TIGHT[found[0]])
            self.in_words = True
            return self._on(found[1], known=True, after_word=True)
        if (end := self._all_at(self.at)) > self.at:
            self.all = True
            self.said_before_all = bool(self.said)
            return self._on(end, known=True)
        if (end := _whole_word(_ADDRESSING, self.text, self.at)) > self.at:
            return self._on(end, after_word=self._after_word)
        if (end := _whole_word(_FILLER, self.text, self.at)) > self.at:
            self.alone = False
            return self._on(end, after_word=self._after_word)
        return False

    def _on(self, end: int, *, known: bool = False, after_word: bool = False) -> bool:
        self.at = end
        self.known = end if known else self.known
        self._after_word = after_word
        return True

    def _note_code(self, code: str) -> None:
        if code not in self.codes:
            self.codes.append(code)

    def _code_at(self, at: int) -> tuple[str, int] | None:
        if found := _CODE.match(self.text, at):
            return found[1], found.end()
        if (found := _GLUED_CODE.match(self.text, at)) and (
            self._digits_at(found.end(), glued=True) or self._word_at(found.end())
        ):
            return found[1], found.end()
        if found := _PARTED_CODE.match(self.text, at):
            return found[1] + found[2], found.end(2)
        return None

    def _all_at(self, at: int) -> int:
        """Give where it ends that all are meant; `at` where that is not said there."""
        if (end := _whole_word(_ALL, self.text, at)) > at:
            return end
        end = _end(_ALL_BEFORE_A_WORD, self.text, at)
        said = self._word_at(end) if end > at else None
        return end if said and said[0] not in _HOW_ALL_IS else at

    def _digits_at(self, at: int, *, glued: bool = False) -> tuple[str, int] | None:
        found = _DIGITS.match(self.text, at)
        if found is None:
            return None
        after = _end(_BETWEEN, self.text, found.end())
        if after == len(self.text) or (not glued and (_CODE.match(self.text, after) or self._word_at(after))):
            return found[1], found.end()
        if self._all_at(after) > after:
            return found[1], found.end()
        if not glued and _PARTED_CODE.match(self.text, after):
            return found[1], found.end()
        return None

    def _word_at(self, at: int) -> tuple[str, int] | None:
        found = _WORD.match(self.text, at)
        while found is not None:
            word, end = found[0], found.end()
            if (
                self._ends_word(word, end)
                and (word in _LOOSE or self._is_tight(word, end))
                and not self._denied(word, end)
            ):
                return word, end
            # The longest did not fit here; a shorter one may.
            found = _WORD.match(self.text, at, end - 1)
        return None

    def _ends_word(self, word: str, end: int) -> bool:
        """Say whether an English word ends there; a code may be glued to it."""
        return not word.isascii() or _is_edge(self.text, end) or _CODE.match(self.text, end) is not None

    def _denied(self, word: str, end: int) -> bool:
        meaning = _LOOSE.get(word) or _TIGHT[word]
        return meaning != words.CANNOT_GO and _DENIED.match(self.text, end) is not None

    def _is_tight(self, word: str, end: int) -> bool:
        after = _end(_BETWEEN, self.text, end)
        if after == len(self.text) or self.text[after] == "?":
            return True
        # `好的，已到场`: a yes gives way to every other word, so it may stand before one.
        if after > end and _TIGHT[word] == words.ACKNOWLEDGE and _LOOSE_WORD.match(self.text, after):
            return True
        if _whole_word(_ALL, self.text, after) > after:
            return True
        return any(code.match(self.text, after) for code in (_CODE, _GLUED_CODE, _PARTED_CODE))


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _is_edge(text: str, at: int) -> bool:
    return at >= len(text) or not (text[at].isascii() and (text[at].isalnum() or text[at] == "'"))


def _whole_word(pattern: re.Pattern[str], text: str, at: int) -> int:
    """Give where a word of a pattern ends that begins there and is not the beginning of a longer English one."""
    end = _end(pattern, text, at)
    return end if end > at and (not text[at:end].isascii() or text[at:end] == "?" or _is_edge(text, end)) else at
