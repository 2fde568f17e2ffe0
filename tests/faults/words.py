"""What people read and hear, as they would: which homes, whether they are asked to go, and what came of an answer."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.faults.ledger import Message, Verdict
from tests.real.community import ADDRESS

_CODE = r"[A-Z]+\d+"
_ASKED = re.compile(rf"接单回\s*({_CODE})")
#: What asks under several homes.
_ASKED_OF_SEVERAL = "接单回编号"
#: What asks in the news that somebody cannot go after all.
_ASKED_ANEW = "能去请回"
#: A line of a text that names several homes.
_HOME_AND_CODE = re.compile(rf"^{ADDRESS.pattern}.* ({_CODE})$", re.MULTILINE)
_CODES = re.compile(_CODE)

#: What is answered to a reply or a key; the first that is found counts.
_ANSWERS: tuple[tuple[re.Pattern[str], Verdict], ...] = tuple(
    (re.compile(pattern), verdict)
    for pattern, verdict in (
        (rf"没有别的在等您接单。您名下：(?P<codes>{_CODE}(?: {_CODE})*)", "mine"),
        (r"现在没有等您答复的事件", "none"),
        (rf"已接单(?P<count>\d+)件：(?P<codes>{_CODE}(?: {_CODE})*)", "mine"),
        (r"好的，(?P<count>\d+)件都由您负责", "mine"),
        (rf"好的，由您前往{ADDRESS.pattern.replace('(', '(?P<home>', 1)}", "mine"),
        (rf"已接单(?P<codes>{_CODE})：", "mine"),
        (rf"已先接单(?P<codes>{_CODE})", "other"),
        (rf"您说过去不了，已在通知其他人（(?P<codes>{_CODE})）", "declined before"),
        (rf"正通知其他人（(?P<codes>{_CODE})）", "declined"),
        (rf"(?P<count>\d+)件正通知其他人：(?P<codes>{_CODE}(?: {_CODE})*)", "declined"),
        (rf"已在路上（(?P<codes>{_CODE})）", "other"),
        (rf"(?:已记录您到场|您到场已记录)(?P<codes>{_CODE})", "there"),
        (rf"也在现场（(?P<codes>{_CODE})）", "other"),
        (rf"已在现场（(?P<codes>{_CODE})）", "other"),
        (rf"已在现场，请回报结果：属实(?P<codes>{_CODE})", "other"),
        (rf"已结束(?P<codes>{_CODE})：", "closed"),
        (rf"(?P<codes>{_CODE})已由.*结束", "other"),
    )
)


def read_text(sid: str, to: str, body: str, at: float, delivery: int | None = None) -> Message:
    """Read a text message as its reader would: which homes it names, and whether it asks somebody to go."""
    homes = frozenset(int(number) for number in ADDRESS.findall(body))
    page = _ASKED.search(body) is not None or _ASKED_OF_SEVERAL in body
    anew = frozenset(_asked_anew(body))
    return Message(sid=sid, to=to, body=body, homes=homes, page=page, asks_anew=anew, at=at, delivery=delivery)


def _asked_anew(body: str) -> Iterator[int]:
    """Give the homes that stand beside the words that ask, or below them in a text that names several."""
    asks = False
    for line in body.split("\n"):
        homes = ADDRESS.findall(line)
        if _ASKED_ANEW in line or not homes:
            asks = _ASKED_ANEW in line
        yield from (int(number) for number in homes if asks)


def homes_heard(speech: str) -> frozenset[int]:
    """Give the homes that a call has named; "you need not go" is no page, but it names its home too."""
    return frozenset(int(number) for number in ADDRESS.findall(speech))


def codes_in(body: str) -> list[tuple[int, str]]:
    """Give each home of a page with the code to answer it by: at the end of its line, or after the words that ask."""
    if "\n" in body:
        return [(int(home), code) for home, code in _HOME_AND_CODE.findall(body)]
    return [(int(home), code) for home in ADDRESS.findall(body) for code in _ASKED.findall(body)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """What an answer says."""

    verdict: Verdict
    #: The incidents it names; of a key for several homes it says only how many (`count`).
    codes: tuple[str, ...] = ()
    home: int | None = None
    count: int = 1


def understand(answer: str) -> Understood | None:
    """Say what somebody is told who has answered; None where it is none of the things they could be told."""
    for pattern, verdict in _ANSWERS:
        if found := pattern.search(answer):
            named = found.groupdict()
            codes = tuple(_CODES.findall(named.get("codes") or ""))
            home, count = named.get("home"), named.get("count")
            return Understood(
                verdict=verdict,
                codes=codes,
                home=int(home) if home else None,
                count=int(count) if count else 1,
            )
    return None
