"""The translation table: both languages, the same places, and a sentence for every event."""

import re
import string
from datetime import UTC, datetime
from pathlib import Path

import pytest

from notify.replies import parse
from rules import texts
from rules.decisions import JournalEntry
from rules.incident import IncidentState, OutcomeKind, Verb
from rules.rulebook import Severity

ROOT = Path(__file__).parents[2]
SOURCES = [path for folder in ("rules", "shouwang", "web", "notify") for path in (ROOT / folder).rglob("*.py")]
CODE = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("key", texts.TEXTS)
def test_both_languages_have_the_same_places(key: str) -> None:
    text = texts.TEXTS[key]
    assert text.zh
    assert text.en
    assert places(text.zh) == places(text.en)
    assert "" not in places(text.zh)


@pytest.mark.parametrize("key", texts.TEXTS)
def test_chinese_is_chinese_and_english_is_not(key: str) -> None:
    text = texts.TEXTS[key]
    han = re.compile(r"[\u4e00-\u9fff]")
    assert not han.search(text.en)
    assert han.search(re.sub(r"\{\w+\}", "", text.zh)) or key in {
        "full.title",
        "full.step",
        "full.hazard",
        "voice.bundle_home",
        "answer.acknowledged_plan",
        "list.and",
        "journal.other",
        "journal.opened",
    }


def test_every_key_that_is_rendered_is_there() -> None:
    named = set(re.findall(r"""render\(\s*["']([a-z_.]+)["']""", CODE))
    named |= set(re.findall(r"""["'](tail\.[a-z_]+)["']""", CODE))
    assert named - {"journal", "told"} <= set(texts.TEXTS)
    assert len(named) > 50


def test_every_event_that_is_journalled_has_a_sentence() -> None:
    events = set(re.findall(r"""\.note\(\s*["']([a-z_]+)["']""", CODE))
    events |= set(re.findall(r"""Remark\(event=["']([a-z_]+)["']""", CODE))
    events |= set(re.findall(r"""\bevent = ["']([a-z_]+)["'] if .* else ["'][a-z_]+["']""", CODE))
    events |= set(re.findall(r"""\bevent = ["'][a-z_]+["'] if .* else ["']([a-z_]+)["']""", CODE))
    assert {f"journal.{event}" for event in events} <= set(texts.TEXTS)
    assert {"opened", "paged", "nobody_on_duty", "step_empty", "repaired"} <= events


def test_every_way_of_telling_how_it_goes_on_has_a_sentence_and_a_word() -> None:
    kinds = set(re.findall(r"""tell_(?:reached|desk|answerer)\(draft, ["']([a-z_]+)["']""", CODE))
    assert len(kinds) >= 10
    assert {f"inform.{kind}" for kind in kinds} <= set(texts.TEXTS)
    assert {f"told.{kind}" for kind in kinds} <= set(texts.TEXTS)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("outcome", OutcomeKind),
        ("state", IncidentState),
        ("severity", Severity),
        ("verb", Verb),
        ("channel", ["sms", "voice", "apprise", "webhook", "console"]),
        ("target", ["assigned", "backup", "general", "desk", "contacts"]),
    ],
)
def test_every_member_has_a_word(kind: str, names: list[str]) -> None:
    for name in names:
        assert f"{kind}.{name}" in texts.TEXTS


def test_a_language_we_do_not_speak_is_answered_in_chinese() -> None:
    assert texts.render("outcome.real", "fr") == "属实"
    assert texts.render("outcome.real", "en") == "real"


def test_a_word_that_is_not_there_is_said_as_it_is() -> None:
    assert texts.word("channel", "pigeon", "zh") == "pigeon"


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [
        (0, "0秒", "0 s"),
        (59.9, "59秒", "59 s"),
        (60, "1分钟", "1 min"),
        (7199, "119分钟", "119 min"),
        (7200, "2小时", "2 h"),
        (259_199, "71小时", "71 h"),
        (259_200, "3天", "3 days"),
    ],
)
def test_durations(seconds: float, zh: str, en: str) -> None:
    assert texts.duration(seconds, "zh") == zh
    assert texts.duration(seconds, "en") == en


def entry(event: str, **detail: object) -> JournalEntry:
    return JournalEntry(
        incident_id="i1", at=datetime(2026, 1, 1, tzinfo=UTC), event=event, actor="clock", detail=detail
    )


@pytest.mark.parametrize(
    ("line", "zh", "en"),
    [
        (
            entry("paged", step="r0s2", name="赵芳", channels=["sms", "voice"]),
            "第1轮第3步：短信、电话通知赵芳",
            "Round 1 step 3: 赵芳 paged by SMS, voice call",
        ),
        (
            entry("opened", title="燃气泄漏", reason="燃气：报警", verified=False),
            "燃气泄漏（待核实）：燃气：报警",
            "燃气泄漏 (unverified): 燃气：报警",
        ),
        (entry("late", step="desk:2", delay=95), "值守台第3次迟了1分钟发出", "Desk, time 3 fired 1 min late"),
        (entry("late", step="re2", delay=11), "第2次再报警迟了11秒发出", "Re-alert 2 fired 11 s late"),
        (entry("late", step="fb:7", delay=11), "改用其他方式迟了11秒发出", "Another way fired 11 s late"),
        (entry("late", step="odd", delay=11), "odd迟了11秒发出", "odd fired 11 s late"),
        (
            entry("resolved", name="李明", outcome="false_alarm", via="voice"),
            "李明结束：误报（电话按键）",
            "李明 closed it: false alarm (key on a call)",
        ),
        (
            entry("severity_raised", before="warning", after="critical"),
            "级别由注意升为危急",
            "Raised from warning to critical",
        ),
        (
            entry("step_empty", step="r0s1", targets=["backup", "general"]),
            "第1轮第2步（后备、一般网格）没有可通知的人，立即进入下一步",
            "Round 1 step 2 (back-up, general grid) has nobody; on at once",
        ),
        (entry("informed", names=["李明"], what="closed"), "告知李明：事件结束", "Told 李明: that it is over"),
        # What an older version wrote without a detail, and what nobody has a sentence for, are shown all the same.
        (entry("acknowledged", name="李明"), "李明接单（?）", "李明 acknowledged (?)"),
        (entry("moon_landing"), "moon_landing（clock）", "moon_landing (clock)"),
    ],
)
def test_journal_in_words(line: JournalEntry, zh: str, en: str) -> None:
    assert texts.render_journal(line, "zh") == zh
    assert texts.render_journal(line, "en") == en


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_what_people_are_told_to_reply_is_understood(language: str) -> None:
    """Every reply that a text asks for, code and all, is one that notify/replies.py reads as that."""
    asked = {
        "tail.page": {"zh": ["K7"], "en": ["K7"]},
        "tail.arrived": {"zh": ["到场K7"], "en": ["arrived K7"]},
        "tail.outcome": {"zh": ["属实K7", "误报K7"], "en": ["real K7", "false K7"]},
        "full.ask": {"zh": ["K7", "去不了K7"], "en": ["K7", "no K7"]},
        "answer.arrived": {
            "zh": ["属实K7", "误报K7", "测试K7", "无人K7", "无异常K7"],
            "en": ["real K7", "false K7", "test K7", "nobody K7", "nothing K7"],
        },
        "answer.help": {
            "zh": ["到场K7", "去不了K7", "属实K7", "误报K7"],
            "en": ["arrived K7", "no K7", "real K7", "false K7"],
        },
    }
    meant = {
        "K7": (Verb.ACKNOWLEDGE, None),
        "到场K7": (Verb.ARRIVE, None),
        "arrived K7": (Verb.ARRIVE, None),
        "去不了K7": (Verb.CANNOT_GO, None),
        "no K7": (Verb.CANNOT_GO, None),
    } | {
        f"{word}K7": (Verb.OUTCOME, outcome)
        for words, outcome in [
            (("属实", "real "), OutcomeKind.REAL),
            (("误报", "false "), OutcomeKind.FALSE_ALARM),
            (("测试", "test "), OutcomeKind.TEST),
            (("无人", "nobody "), OutcomeKind.NO_ONE_HOME),
            (("无异常", "nothing "), OutcomeKind.NOTHING_FOUND),
        ]
        for word in words
    }
    for key, replies in asked.items():
        text = texts.render(key, language, code="K7")
        for reply in replies[language]:
            assert reply in text
            read = parse(reply)
            assert (read.code, read.verb, read.outcome) == ("K7", *meant[reply])
