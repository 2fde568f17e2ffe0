"""What people write, row by row; and what must never be read into it."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify import words
from notify.replies import Reply, ReplyKind, parse
from notify.words import (
    ACKNOWLEDGE,
    ARRIVE,
    CANNOT_GO,
    DIGITS,
    FALSE_ALARM,
    NO_ONE_HOME,
    NOTHING_FOUND,
    REAL,
    TEST,
    TIGHT_WORDS,
    WORDS,
    Meaning,
)
from rules.incident import OutcomeKind, Verb
from rules.texts import TEXTS
from store.codes import DIGITS as DIGITS_OF_CODES
from store.codes import LETTERS


def meaning_of(reply: Reply) -> Meaning | None:
    return (reply.verb, reply.outcome) if reply.verb else None


@pytest.mark.parametrize(
    ("text", "meaning", "code", "note"),
    [
        # The code alone takes it.
        ("K7", ACKNOWLEDGE, "K7", None),
        ("k7", ACKNOWLEDGE, "K7", None),
        ("k7 。", ACKNOWLEDGE, "K7", None),
        ("编号K7", ACKNOWLEDGE, "K7", None),
        ("回复 K7", ACKNOWLEDGE, "K7", None),
        ("K7,K7", ACKNOWLEDGE, "K7", None),
        ("K 7", ACKNOWLEDGE, "K7", None),
        ("K23", ACKNOWLEDGE, "K23", None),
        ("k234567", ACKNOWLEDGE, "K234567", None),
        ("1K2345", ACKNOWLEDGE, "K2345", None),
        ("K7yes", ACKNOWLEDGE, "K7", None),
        # Digits: before, behind, glued, full-width, in brackets, as an emoji.
        ("1 K7", ACKNOWLEDGE, "K7", None),
        ("K7 1", ACKNOWLEDGE, "K7", None),
        ("1K7", ACKNOWLEDGE, "K7", None),
        ("K71", ACKNOWLEDGE, "K7", None),
        ("1 K 7", ACKNOWLEDGE, "K7", None),
        ("１　Ｋ７", ACKNOWLEDGE, "K7", None),
        ("【1 K7】", ACKNOWLEDGE, "K7", None),
        ("“1、K7”", ACKNOWLEDGE, "K7", None),
        ("1️⃣ K7", ACKNOWLEDGE, "K7", None),
        ("①K7", ACKNOWLEDGE, "K7", None),
        ("1+K7", ACKNOWLEDGE, "K7", None),
        ("回1 K7", ACKNOWLEDGE, "K7", None),
        ("按1，K7", ACKNOWLEDGE, "K7", None),
        ("1 接单K7", ACKNOWLEDGE, "K7", None),
        ("1\u200bK7\n", ACKNOWLEDGE, "K7", None),
        ("2 K7", CANNOT_GO, "K7", None),
        ("3K7", ARRIVE, "K7", None),
        ("41 K7", REAL, "K7", None),
        ("K7 42", FALSE_ALARM, "K7", None),
        ("43K7", NO_ONE_HOME, "K7", None),
        ("44 k7", NOTHING_FOUND, "K7", None),
        ("45 K7", TEST, "K7", None),
        ("1", ACKNOWLEDGE, None, None),
        ("2。", CANNOT_GO, None, None),
        ("３", ARRIVE, None, None),
        ("42", FALSE_ALARM, None, None),
        # Words, with the code before or behind, with and without blanks.
        ("接单K7", ACKNOWLEDGE, "K7", None),
        ("K7接单", ACKNOWLEDGE, "K7", None),
        ("K7号接单了", ACKNOWLEDGE, "K7", None),
        ("ack K7", ACKNOWLEDGE, "K7", None),
        ("ACKk7", ACKNOWLEDGE, "K7", None),
        ("K7 ack", ACKNOWLEDGE, "K7", None),
        ("k7ok", ACKNOWLEDGE, "K7", None),
        ("收到", ACKNOWLEDGE, None, None),
        ("好的", ACKNOWLEDGE, None, None),
        ("OK!", ACKNOWLEDGE, None, None),
        ("yes", ACKNOWLEDGE, None, None),
        ("I'm on my way K7", ACKNOWLEDGE, "K7", None),
        ("到场K7", ARRIVE, "K7", None),
        ("到场，K7", ARRIVE, "K7", None),
        ("已到 k7", ARRIVE, "K7", None),
        ("我到了 K7", ARRIVE, "K7", None),
        ("arrived", ARRIVE, None, None),
        ("K7 on the scene", ARRIVE, "K7", None),
        ("不能去", CANNOT_GO, None, None),
        ("去不了K7", CANNOT_GO, "K7", None),
        ("我去不了K7", CANNOT_GO, "K7", None),
        ("cannot", CANNOT_GO, None, None),
        ("can’t go K7", CANNOT_GO, "K7", None),
        ("no K7", CANNOT_GO, "K7", None),
        ("K7 no", CANNOT_GO, "K7", None),
        ("属实K7", REAL, "K7", None),
        ("real k7", REAL, "K7", None),
        ("误报K7", FALSE_ALARM, "K7", None),
        ("Ｋ７　误报", FALSE_ALARM, "K7", None),
        ("false alarm K7", FALSE_ALARM, "K7", None),
        ("测试K7", TEST, "K7", None),
        ("test K7", TEST, "K7", None),
        ("无人K7", NO_ONE_HOME, "K7", None),
        ("nobody K7", NO_ONE_HOME, "K7", None),
        ("no one home K7", NO_ONE_HOME, "K7", None),
        ("无异常K7", NOTHING_FOUND, "K7", None),
        ("未发现K7", NOTHING_FOUND, "K7", None),
        ("nothing K7", NOTHING_FOUND, "K7", None),
        # What is said last in the life of an incident counts.
        ("好的，已到场 K7", ARRIVE, "K7", None),
        ("ok 接单 K7", ACKNOWLEDGE, "K7", None),
        ("收到，马上到场 K7", ACKNOWLEDGE, "K7", None),
        ("收到，去不了 K7", CANNOT_GO, "K7", None),
        ("到了，是误报 K7", FALSE_ALARM, "K7", None),
        ("到场没人K7", NO_ONE_HOME, "K7", None),
        # What follows is the note; a code may come after it.
        ("误报 K7 炒菜油烟", FALSE_ALARM, "K7", "炒菜油烟"),
        ("误报，炒菜油烟，K7", FALSE_ALARM, "K7", "炒菜油烟,K7"),
        ("误报K7 可能是炒菜", FALSE_ALARM, "K7", "可能是炒菜"),
        ("真实K7 需要119", REAL, "K7", "需要119"),
        ("ack k7 5 minutes", ACKNOWLEDGE, "K7", "5 minutes"),
        ("1 K7 2 hours", ACKNOWLEDGE, "K7", "2 hours"),
        ("接单K7，门牌多少?", ACKNOWLEDGE, "K7", "门牌多少"),
        ("到场 B2单元 K7", ARRIVE, "K7", "B2单元 K7"),
        # The longer word counts.
        ("不属实 K7", FALSE_ALARM, "K7", None),
        ("不是真的 K7", FALSE_ALARM, "K7", None),
        ("not real K7", FALSE_ALARM, "K7", None),
        ("no problem K7", ACKNOWLEDGE, "K7", None),
    ],
)
def test_what_is_understood(text: str, meaning: Meaning, code: str | None, note: str | None) -> None:
    assert parse(text) == Reply(kind=ReplyKind.VERB, verb=meaning[0], outcome=meaning[1], code=code, note=note)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        # Denied.
        ("不是误报K7", "K7"),
        ("not false K7", "K7"),
        ("没到场K7", "K7"),
        ("还没到", None),
        ("到场没有K7", "K7"),
        # Asked.
        ("误报?K7", "K7"),
        ("误报吗", None),
        ("到场了吗？K7", "K7"),
        ("属实不属实K7", "K7"),
        ("ok?", None),
        ("K7?", "K7"),
        # Guessed.
        ("误报吧 K7", "K7"),
        ("可能误报K7", "K7"),
        ("false i think K7", "K7"),
        # Contradicts itself.
        ("接单K7，但我去不了", "K7"),
        ("误报K7，不是误报，真实", "K7"),
        ("属实K7或误报K7", "K7"),
        ("到场 去不了 K7", "K7"),
        # Says something else with the same letters.
        ("无人受伤 K7", "K7"),
        ("没人 接单 K7", "K7"),
        ("no false alarm K7", "K7"),
        ("未发现老人", None),
        ("no gas here K7", "K7"),
        ("好像K7", "K7"),
        ("K7 怎么走", "K7"),
        ("谢谢K7", "K7"),
        ("stop K7", "K7"),
        # Numbers that are not choices.
        ("2小时后到", None),
        ("2 hours", None),
        ("K7 2 hours", "K7"),
        ("12", None),
        ("12 K7", "K7"),
        ("110", None),
        ("13800000001", None),
        # One wrong key must not close an incident.
        ("4", None),
        ("4 K7", "K7"),
        ("46 K7", "K7"),
        # Two codes are none.
        ("1 K7 M3", None),
        ("K7 M3", None),
        # Letters and digits that no code has, and house numbers.
        ("K1", None),
        ("K7M", None),
        ("K2345678", None),
        ("O7", None),
        ("B2栋", None),
        ("A5 单元", None),
        ("", None),
        ("   ", None),
        ("👍", None),
        ("取消", None),
    ],
)
def test_what_is_not_surely_understood_is_unclear(text: str, code: str | None) -> None:
    """Escalation goes on, and the person is told how to answer."""
    reply = parse(text)
    assert (reply.kind, meaning_of(reply), reply.code) == (ReplyKind.UNCLEAR, None, code)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        *[(word, ACKNOWLEDGE) for word in words.ALL.each()],
        ("1 全部", ACKNOWLEDGE),
        ("1全部", ACKNOWLEDGE),
        ("全部1", ACKNOWLEDGE),
        ("1all", ACKNOWLEDGE),
        ("ack all", ACKNOWLEDGE),
        ("OK, all!", ACKNOWLEDGE),
        ("全部接单", ACKNOWLEDGE),
        ("好的，全部接单", ACKNOWLEDGE),
        ("接单回 全部", ACKNOWLEDGE),
        ("接全部", ACKNOWLEDGE),
        ("全接", ACKNOWLEDGE),
        ("都去", ACKNOWLEDGE),
        ("我全部去", ACKNOWLEDGE),
        ("all on my way", ACKNOWLEDGE),
        ("到达 全部", ARRIVE),
        ("全部到场", ARRIVE),
        ("3 全部", ARRIVE),
        ("arrived all", ARRIVE),
        ("全部去不了", CANNOT_GO),
        ("都去不了", CANNOT_GO),
        ("all cannot go", CANNOT_GO),
        ("全部误报", FALSE_ALARM),
        ("误报 全部", FALSE_ALARM),
    ],
)
def test_one_reply_for_all(text: str, meaning: Meaning) -> None:
    reply = parse(text)
    assert (meaning_of(reply), reply.all, reply.code) == (meaning, True, None)


@pytest.mark.parametrize(
    "text",
    [
        # With a code or an exception it is not all.
        "全部 K7",
        "K7 全部",
        "全部接单 K7 M3",
        "全部接单，除了K7",
        "全部接单 除了301",
        "all on my way, not 301",
        # Too many, or none of them?
        "去不了全部",
        "cannot go all",
        "no all",
        # A number, perhaps.
        "all 2",
        "全部3",
        # How things are, and not that anybody goes.
        "all ok",
        "all good",
        "全都好",
        # Denied, asked, or half a word.
        "不是全部",
        "全部?",
        "全",
        "都",
        "allright",
    ],
)
def test_what_may_not_mean_all_is_unclear(text: str) -> None:
    """Nobody takes over a home by a slip; escalation goes on."""
    reply = parse(text)
    assert (reply.kind, reply.verb, reply.all) == (ReplyKind.UNCLEAR, None, False)


@pytest.mark.parametrize("text", ["收到 都没问题", "all clear", "stop all", "K7 5分钟都到"])
def test_what_has_its_meaning_without_it_does_not_mean_all(text: str) -> None:
    assert not parse(text).all


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        *[(word, ReplyKind.STOP) for word in words.STOP.each()],
        *[(word, ReplyKind.START) for word in words.START.each()],
        *[(word, ReplyKind.HELP) for word in words.HELP.each()],
        ("STOP", ReplyKind.STOP),
        ("Stop.", ReplyKind.STOP),
        ("  ＳＴＯＰ  ", ReplyKind.STOP),
        ("Stop  All!", ReplyKind.STOP),
        ("【退订】", ReplyKind.STOP),
        ("Start", ReplyKind.START),
        ("?", ReplyKind.HELP),
        ("？？", ReplyKind.HELP),
        ("help?", ReplyKind.HELP),
    ],
)
def test_stop_start_and_help_come_first(text: str, kind: ReplyKind) -> None:
    assert parse(text) == Reply(kind=kind)


@pytest.mark.parametrize("meaning", WORDS)
def test_every_word_is_understood_with_and_without_a_code(meaning: Meaning) -> None:
    for word in WORDS[meaning].each() + TIGHT_WORDS[meaning].each():
        for text, code in [(word, None), (f"{word} K7", "K7"), (f"{word}K7", "K7"), (f"K7 {word}", "K7")]:
            reply = parse(text)
            assert (text, meaning_of(reply), reply.code) == (text, meaning, code)


@pytest.mark.parametrize(("digits", "meaning"), DIGITS.items())
def test_every_digit_is_understood_with_and_without_a_code(digits: str, meaning: Meaning) -> None:
    for text, code in [(digits, None), (f"{digits} K7", "K7"), (f"{digits}K7", "K7"), (f"K7 {digits}", "K7")]:
        reply = parse(text)
        assert (text, meaning_of(reply), reply.code) == (text, meaning, code)


def test_no_word_has_two_meanings() -> None:
    seen: dict[str, Meaning] = {}
    for table in (WORDS, TIGHT_WORDS):
        for meaning, those in table.items():
            for word in those.each():
                assert word not in seen, word
                seen[word] = meaning
    every = {*words.STOP.each(), *words.START.each(), *words.HELP.each()}
    assert not every & set(seen)


def test_words_are_written_as_they_are_compared() -> None:
    tables = [*WORDS.values(), *TIGHT_WORDS.values(), words.FILLERS, words.ADDRESSING, words.STOP, words.START]
    for table in tables:
        for word in table.each():
            assert word == unicodedata.normalize("NFKC", word).lower()


def test_every_outcome_a_person_may_give_has_words_and_digits() -> None:
    given_by_people = {(Verb.OUTCOME, kind) for kind in OutcomeKind if kind is not OutcomeKind.CAUSE_GONE}
    assert given_by_people <= set(WORDS)
    assert given_by_people <= set(DIGITS.values())


@pytest.mark.parametrize(
    ("key", "said", "meaning"),
    [
        ("tail.page", "{code}", ACKNOWLEDGE),
        ("tail.page", "接单回{code}", ACKNOWLEDGE),
        ("tail.arrived", "到场{code}", ARRIVE),
        ("tail.arrived", "arrived {code}", ARRIVE),
        ("tail.outcome", "属实{code}", REAL),
        ("tail.outcome", "误报{code}", FALSE_ALARM),
        ("tail.outcome", "real {code}", REAL),
        ("tail.outcome", "false {code}", FALSE_ALARM),
        ("full.ask", "去不了{code}", CANNOT_GO),
        ("full.ask", "no {code}", CANNOT_GO),
        ("answer.arrived", "测试{code}", TEST),
        ("answer.arrived", "无人{code}", NO_ONE_HOME),
        ("answer.arrived", "无异常{code}", NOTHING_FOUND),
        ("answer.arrived", "test {code}", TEST),
        ("answer.arrived", "nobody {code}", NO_ONE_HOME),
        ("answer.arrived", "nothing {code}", NOTHING_FOUND),
    ],
)
def test_what_our_texts_ask_people_to_reply_is_understood(key: str, said: str, meaning: Meaning) -> None:
    assert said in TEXTS[key].zh + TEXTS[key].en
    reply = parse(said.format(code="K7"))
    assert (meaning_of(reply), reply.code) == (meaning, "K7")


def test_the_words_for_outcomes_on_our_pages_are_understood() -> None:
    for kind in OutcomeKind:
        if kind is not OutcomeKind.CAUSE_GONE:
            text = TEXTS[f"outcome.{kind}"]
            assert meaning_of(parse(text.zh)) == meaning_of(parse(text.en)) == (Verb.OUTCOME, kind)


SCRAPS = "全部 all 1 2 3 4 41 42 K7 k7 M3 Ｋ７ 接单 到场 去不了 误报 不 是 吗 ? no real k K 7 了 我 没有 stop B2 栋 ok"
PIECES = st.sampled_from([*SCRAPS.split(), " ", "\u200b", "\n"])


@given(st.one_of(st.text(max_size=2000), st.lists(PIECES, max_size=400).map("".join)))
def test_reading_never_raises_and_invents_no_code(text: str) -> None:
    """Invariant code-is-unique begins here: a code in a reply is one that stands in it."""
    reply = parse(text)
    plain = unicodedata.normalize("NFKC", text)
    if reply.code is not None:
        assert re.fullmatch(r"[A-HJKMNP-Z][2-9]{1,6}", reply.code)
        letters = iter(character for character in plain.upper() if character.isascii())
        assert all(character in letters for character in reply.code)
    assert (reply.verb is not None) == (reply.kind is ReplyKind.VERB)
    assert (reply.outcome is not None) == (reply.verb is Verb.OUTCOME)
    assert reply.outcome is not OutcomeKind.CAUSE_GONE
    assert len(reply.note or "") <= 200
    assert not reply.all or (reply.verb is not None and reply.code is None)


@given(st.text(max_size=30), st.sampled_from(["不是误报", "不是属实", "没到场", "未到场"]))
def test_a_denial_at_the_beginning_is_never_read_as_what_it_denies(after: str, denial: str) -> None:
    reply = parse(f"{denial} {after}")
    denied = parse(denial.lstrip("不是没未"))
    assert reply.kind is not ReplyKind.VERB or meaning_of(reply) != meaning_of(denied)


def test_a_long_reply_takes_no_long_time() -> None:
    """Nothing here grows worse than with the square of the length; 1,600 characters are read at the most."""
    for piece in ("K7n", "k7", "1 ", "接单", "no ", "我", "?", "a", "K "):
        parse(piece * 5000)


def test_every_code_there_can_be_is_read() -> None:
    for letter in LETTERS:
        for digits in (*DIGITS_OF_CODES, DIGITS_OF_CODES[:6]):
            for text in (f"{letter}{digits}", f"1 {letter.lower()}{digits}", f"误报{letter}{digits}"):
                assert parse(text).code == letter + digits
