"""What the demo promises, and how each promise is checked on what was seen at the wire and in the database."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from rules.sms import LIMIT, units


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A request of ours that the provider took."""

    #: `messages` or `calls`.
    resource: str
    to: str
    #: What it was for: incident, step, person, channel and address. Empty where the database knows nothing of it.
    step: str
    body: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an incident stands."""

    code: str
    is_open: bool
    outcome: str | None
    outcome_by: str | None
    answered_at: datetime | None
    #: When each page of it reached the provider.
    pages: tuple[datetime, ...]


@dataclass(slots=True, kw_only=True)
class Evidence:
    """Everything the promises are judged by."""

    #: Where the story could not go on, in words; empty where it came to its end.
    stuck: str = ""
    #: Real seconds from the sensor's message to our request at the provider; None where none came.
    first_text_s: float | None = None
    sent: list[Sent] = field(default_factory=list)
    incidents: list[Outcome] = field(default_factory=list)
    #: Seconds of the story from the first text to the first call; None where nobody was called.
    call_after_s: float | None = None
    #: Incidents there were before the leak, in an evening with a tested detector and much coming and going.
    incidents_before: int = 0
    published: int = 0
    outstanding: int = 0
    committed: int = 0
    acknowledged: int = 0
    quarantined: dict[str, int] = field(default_factory=dict)
    repairs: int = 0
    errors: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A promise, and whether it was kept."""

    zh: str
    en: str
    kept: bool
    figure: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What is promised in two languages, and how it is checked: kept or not, and a figure to show."""

    zh: str
    en: str
    check: Callable[[Evidence], tuple[bool, str]]

    def judge(self, evidence: Evidence) -> Verdict:
        """Say whether it was kept."""
        kept, figure = self.check(evidence)
        return Verdict(zh=self.zh, en=self.en, kept=kept, figure=figure)


#: Real seconds from a sensor's message to the provider. What is measured is some hundredths; the rest is for machines
#: that are busy with other things.
FIRST_TEXT_WITHIN_S = 3.0
_CALL_AFTER_S = 60.0


def _to_the_end(seen: Evidence) -> tuple[bool, str]:
    return not seen.stuck, seen.stuck or "完 the end"


def _quick(seen: Evidence) -> tuple[bool, str]:
    took = seen.first_text_s
    return took is not None and took <= FIRST_TEXT_WITHIN_S, "无 none" if took is None else f"{took:.3f} s"


def _short(seen: Evidence) -> tuple[bool, str]:
    lengths = [units(one.body) for one in seen.sent if one.resource == "messages"]
    longest = max(lengths, default=0)
    return bool(lengths) and longest <= LIMIT, f"{longest}/{LIMIT}，{len(lengths)} 条 texts"


def _once(seen: Evidence) -> tuple[bool, str]:
    times = Counter(one.step for one in seen.sent)
    twice = sum(count - 1 for step, count in times.items() if step) + times[""]
    return bool(times) and not twice, f"{len(seen.sent)} 次 sent，重复 twice {twice}"


def _escalated(seen: Evidence) -> tuple[bool, str]:
    after = seen.call_after_s
    return after is not None and abs(after - _CALL_AFTER_S) <= 2, "无 none" if after is None else f"{after:.0f} s"


def _quiet(seen: Evidence) -> tuple[bool, str]:
    after = sum(page > one.answered_at for one in seen.incidents if one.answered_at for page in one.pages)
    before = sum(len(one.pages) for one in seen.incidents)
    return not after, f"之前 before {before}，之后 after {after}"


def _calm(seen: Evidence) -> tuple[bool, str]:
    return not seen.incidents_before, f"{seen.incidents_before} 起 incidents"


def _accounted(seen: Evidence) -> tuple[bool, str]:
    complete = bool(seen.published) and not seen.outstanding and seen.committed >= seen.published
    return complete, f"{seen.published} → {seen.committed}"


def _acknowledged(seen: Evidence) -> tuple[bool, str]:
    return bool(seen.committed) and seen.acknowledged == seen.committed, f"{seen.acknowledged}/{seen.committed}"


def _understood(seen: Evidence) -> tuple[bool, str]:
    words = "、".join(f"{reason} {count}" for reason, count in seen.quarantined.items())
    return not seen.quarantined, words or "0"


def _never_silent(seen: Evidence) -> tuple[bool, str]:
    return not seen.repairs, f"{seen.repairs} 次 times"


def _closed(seen: Evidence) -> tuple[bool, str]:
    ended = [one for one in seen.incidents if not one.is_open and one.outcome and one.outcome_by]
    words = "、".join(f"{one.code}: {one.outcome}" for one in ended)
    return bool(ended) and len(ended) == len(seen.incidents), words or "无 none"


def _no_errors(seen: Evidence) -> tuple[bool, str]:
    return not seen.errors, seen.errors[0] if seen.errors else "0"


#: What holds whatever somebody types.
ALWAYS = (
    Promise(zh=f"每条短信不超过{LIMIT}字", en=f"no text is longer than {LIMIT} characters", check=_short),
    Promise(zh="同一步骤不通知同一人两次", en="nobody is told a step twice by one way", check=_once),
    Promise(zh="有人接单后不再呼叫别人", en="after the answer no page leaves", check=_quiet),
    Promise(zh="未结束的事件总有人或下一步", en="no open incident ever stood still", check=_never_silent),
    Promise(zh="家里的每条消息都已落盘", en="every message of the homes is on disk", check=_accounted),
    Promise(
        zh="落盘的才向消息服务器确认，一条不差", en="all of them acknowledged, after the commit", check=_acknowledged
    ),
    Promise(zh="没有看不懂的消息", en="nothing went into quarantine", check=_understood),
    Promise(zh="程序没有报错", en="nothing was logged as an error", check=_no_errors),
)

#: What this story promises.
OF_THE_STORY = (
    Promise(zh="故事讲到了结尾", en="the story came to its end", check=_to_the_end),
    Promise(zh="平常的一晚不打扰任何人", en="an ordinary evening disturbs nobody", check=_calm),
    Promise(
        zh=f"报警后{FIRST_TEXT_WITHIN_S:.0f}秒内发出第一条短信（真实时间）",
        en=f"the first text leaves within {FIRST_TEXT_WITHIN_S:.0f} real seconds",
        check=_quick,
    ),
    Promise(zh="60秒无人接单就打电话", en="unanswered for 60 s, the phone rings", check=_escalated),
    *ALWAYS,
    Promise(zh="事件有结果才算结束", en="the incident is closed, with an outcome", check=_closed),
)


def judged(evidence: Evidence, promises: tuple[Promise, ...] = OF_THE_STORY) -> list[Verdict]:
    """Judge every promise."""
    return [promise.judge(evidence) for promise in promises]
