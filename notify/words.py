"""The words of replies, Chinese and English. Tables only; replies.py reads by them.

Written as they look after NFKC (full-width letters and digits are plain ones), in lower case. Chinese words are parted
by blanks, English ones by commas. Of several that fit at one place the longest counts, so `不属实` is never read as
`属实`, nor `no one home` as `no`.
"""

from typing import NamedTuple

from rules.incident import OutcomeKind, Verb

#: What a person may mean by a word.
Meaning = tuple[Verb, OutcomeKind | None]

ACKNOWLEDGE: Meaning = (Verb.ACKNOWLEDGE, None)
ARRIVE: Meaning = (Verb.ARRIVE, None)
CANNOT_GO: Meaning = (Verb.CANNOT_GO, None)
REAL: Meaning = (Verb.OUTCOME, OutcomeKind.REAL)
FALSE_ALARM: Meaning = (Verb.OUTCOME, OutcomeKind.FALSE_ALARM)
TEST: Meaning = (Verb.OUTCOME, OutcomeKind.TEST)
NO_ONE_HOME: Meaning = (Verb.OUTCOME, OutcomeKind.NO_ONE_HOME)
NOTHING_FOUND: Meaning = (Verb.OUTCOME, OutcomeKind.NOTHING_FOUND)


class Words(NamedTuple):
    """Words of the same meaning in each language."""

    zh: str
    en: str = ""

    def each(self) -> list[str]:
        """Give the single words."""
        return [*self.zh.split(), *filter(None, (" ".join(word.split()) for word in self.en.split(",")))]


#: Digits instead of words: 1 and 2 as on a call. An outcome takes two digits, because it closes the incident and must
#: not come of one wrong key.
DIGITS: dict[str, Meaning] = {
    "1": ACKNOWLEDGE,
    "2": CANNOT_GO,
    "3": ARRIVE,
    "41": REAL,
    "42": FALSE_ALARM,
    "43": NO_ONE_HOME,
    "44": NOTHING_FOUND,
    "45": TEST,
}

#: Words that keep their meaning whatever follows them; what follows is the note.
WORDS: dict[Meaning, Words] = {
    ACKNOWLEDGE: Words(
        """接单 接警 收到 已收到 我去 我来 马上去 马上到 马上到场 马上来 马上过去 马上就去 马上就到 马上就来 这就去
        这就来 这就过去 就去 就来 就到 快到了 赶过去 正赶过去 正在赶去 正在赶来 在路上 已出发 出发 能去 没问题""",
        """ack, acknowledge, acknowledged, accept, accepted, taking it, i take it, i'll take it, on it, on my way, omw,
        i'm going, i'm coming, will go, i'll go, i can go, got it, roger, received, no problem""",
    ),
    ARRIVE: Words(
        "到场 已到场 到了 已到 到达 已到达 到现场 已到现场 到达现场 已到达现场 在现场 我在现场",
        "arrived, arrive, on scene, on the scene, at the scene, on site",
    ),
    CANNOT_GO: Words(
        """去不了 去不成 来不了 到不了 到不了场 到不了现场 到场不了 接不了 接不了单 接单不了 不接 不接单 不去 不来
        不能去 不能来 不能接 不能接单 不能到场 不能到 不方便 不方便去 没空 没时间 没法去 没办法去 无法去
        无法前往 无法到场 无法接单 我不在 在外地 我在外地 换人 拒绝""",
        """cannot, cannot go, cannot come, can't, can't go, can't come, cant, cant go, can not, can not go, unable,
        not able, not available, unavailable, won't go, will not go, not going, not coming, decline, declined""",
    ),
    REAL: Words(
        "属实 情况属实 真实 真警 真火 真报 是真的", "real, real alarm, real fire, real gas, confirmed, genuine"
    ),
    FALSE_ALARM: Words(
        "误报 误报警 误警 虚惊 虚惊一场 假警 假警报 假报警 是假的 不属实 不真实 不是真的",
        "false, false alarm, not real, fake",
    ),
    TEST: Words("测试 演练 演习", "testing, drill"),
    NO_ONE_HOME: Words(
        """无人在家 没人在家 家里没人 家里无人 家中无人 家中没人 无人应门 没人应门 敲门无人 敲门没人 无人应答 没人应答
        老人不在家""",
        "no one home, no one at home, noone home, nobody home, nobody at home, not at home",
    ),
    NOTHING_FOUND: Words(
        "无异常 没异常 没有异常 未发现异常 没发现异常 未见异常 一切正常", "nothing found, found nothing, all clear"
    ),
}

#: Words that mean something only where a code or the end follows: `无人K7` is an outcome, `无人受伤` is news; `no K7`
#: declines, `no gas here` says something else.
TIGHT_WORDS: dict[Meaning, Words] = {
    ACKNOWLEDGE: Words("接 去 过去 好 好的 行 可以 嗯 马上", "ok, okay, yes, y, a, take, going, coming"),
    ARRIVE: Words("到", "here, i'm here"),
    CANNOT_GO: Words("不行 不在 不可以 忙", "no, n, nope, busy, i'm busy"),
    REAL: Words("真的 真", "true"),
    FALSE_ALARM: Words("假的 假"),
    TEST: Words("", "test, tests"),
    NO_ONE_HOME: Words("无人 没人 老人不在", "nobody, no one, noone, no answer"),
    NOTHING_FOUND: Words("未发现 没发现", "nothing"),
}

#: Words that may stand beside a code alone and leave it what it is: a yes.
ADDRESSING = Words("回复 回 按 代码 编号 号 您好 你好 请", "code, ref, reply, hi, hello, please")

#: Other words that say nothing by themselves.
FILLERS = Words(
    """我 我们 本人 我已 我已经 已 已经 现在 是 为 系 属于 经查 经核实 核实 确认 现场 查看 检查 结果 结果是 发现 发现是
    情况 谢谢 辛苦了 了 啦 哈 啊 哦 噢""",
    """thanks, thank you, i, i am, i'm, im, i have, i've, we, it, it is, it's, its,
    this is, was, is, a, an, the""",
)

#: Instead of a code: everything that this person was asked about and nobody has answered. `全部`, `1 全部`, `ack all`.
ALL = Words("全部 全部都 所有 所有的 全都", "all, all of them, every one")
#: The same right before a word that says what: `全接`, `都去`.
ALL_BEFORE_A_WORD = Words("全 都")
#: Behind `all` these say how things are, and not that anybody goes: `全都好`, `all ok`.
HOW_ALL_IS = Words("好 好的 行 可以 嗯 没问题", "ok, okay, yes, y, a, no problem, true, here")

#: Who says what of these does not mean all: `全部接单，除了K7`.
EXCEPTIONS = Words("除 不 没 只 别", "except, but, not, only, without, apart")

#: Behind a word these make it a question.
QUESTIONS = Words("? 吗 么 嘛")

#: Right behind an outcome these make it a guess, and a guess does not close an incident.
GUESSES = Words("吧 可能 应该 大概 也许 好像", "maybe, perhaps, probably, i think, i guess")

#: The whole reply, and nothing else. Carriers and Twilio stop texts on exactly these English words, so they cannot mean
#: anything else to us.
STOP = Words(
    "退订 取消订阅 拒收 拒收短信 停发短信",
    "stop, stopall, stop all, unsubscribe, cancel, end, quit, revoke, optout, opt out, td, t",
)
#: `yes` is not among them, although Twilio takes it for one: people mean "I go" by it.
START = Words("订阅 恢复订阅 恢复短信 开通短信", "start, unstop")
HELP = Words("帮助 怎么用 怎么回复", "help, info")
