"""Anything that may happen, in any order."""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from model import letters
from model.community import DEVICES, EDITIONS, PHONES
from model.invariants import INVARIANTS
from model.provider import MOODS
from model.seen import Row
from model.trap import KINDS, TRAP
from model.world import Ground, World

from rules.incident import OutcomeKind, Verb

DEVICE = st.sampled_from(sorted(DEVICES))
SAYING = st.sampled_from(["alarm", "alarm", "alarm", "clear", *letters.SAYINGS])
PICK = st.integers(0, 9)
#: What people write; the code is put behind it.
WORDS = st.sampled_from(
    [
        "",
        "1",
        "收到",
        "到场",
        "去不了",
        "属实",
        "误报",
        "无人",
        "吗",
        "帮助",
        "hello",
        "订阅",
        "退订",
        "全部",
        "到达 全部",
    ]
)
OUTCOMES = st.sampled_from([one for one in OutcomeKind if one is not OutcomeKind.CAUSE_GONE])
STATUSES = st.sampled_from(
    ["queued", "sent", "delivered", "undelivered", "failed", "ringing", "in-progress", "completed", "no-answer", "?"]
)
SECONDS = st.sampled_from([0, 1, 5, 11, 31, 60, 61, 130, 200, 400, 1000, 4000])
#: Something that breaks soon, or a little later.
BREAKS = (
    st.none()
    | st.tuples(st.sampled_from(KINDS), st.integers(1, 10))
    | st.tuples(st.sampled_from(KINDS), st.integers(1, 30))
)
HOURS = st.sampled_from([0.01, 0.5, 3, 13, 26, 31 * 24])


class Life(RuleBasedStateMachine):
    """One community, and all that befalls it."""

    ground: Ground

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self.ground, INVARIANTS)

    def teardown(self) -> None:
        self.world.close()

    # --- sensors ------------------------------------------------------------------------------------------------------

    @initialize(
        kept=st.lists(st.tuples(DEVICE, SAYING), max_size=2), said=st.lists(st.tuples(DEVICE, SAYING), max_size=3)
    )
    def begin(self, kept: list[tuple[str, str]], said: list[tuple[str, str]]) -> None:
        """Each device has said once how it is, so that what follows is news; and something is the matter already."""
        self.world.publish([letters.saying(device, "clear") for device in sorted(DEVICES) if device != "d-gas"])
        self.world.note()
        if kept:
            self.world.publish([letters.saying(device, what, retain=True) for device, what in kept])
        if said:
            self.world.publish([letters.saying(device, what) for device, what in said])
            self.world.settle()

    @rule(said=st.lists(st.tuples(DEVICE, SAYING), min_size=1, max_size=6), settle=st.booleans(), breaks=BREAKS)
    def say(self, said: list[tuple[str, str]], breaks: tuple[str, int] | None, *, settle: bool) -> None:
        """Sensors say something now, in one batch; something may break meanwhile."""
        if breaks:
            TRAP.arm(*breaks)
        self.world.publish([letters.saying(device, what) for device, what in said])
        if settle:
            self.world.settle()

    @rule(device=DEVICE, what=SAYING, outcome=OUTCOMES, clears=st.booleans())
    def say_and_be_done(self, device: str, what: str, outcome: OutcomeKind, *, clears: bool) -> None:
        """An alarm that somebody closes right away."""
        before = set(self.world.last.incidents)
        self.world.publish([letters.saying(device, what)])
        self.world.settle()
        for new in self.world.last.incidents.keys() - before:
            self.world.act(new, Verb.OUTCOME, by="li", outcome=outcome)
        if clears:
            self.world.publish([letters.saying(device, "clear")])

    @rule(device=DEVICE, what=SAYING, retain=st.booleans())
    def say_something_old(self, device: str, what: str, *, retain: bool) -> None:
        """The broker has kept it, or it is a late sample."""
        self.world.publish([letters.saying(device, what, retain=retain, historic=not retain)])

    @rule(device=DEVICE, state=st.sampled_from(["online", "offline"]), retain=st.booleans())
    def availability(self, device: str, state: str, *, retain: bool) -> None:
        self.world.publish([letters.availability(device, state, retain=retain)])

    @rule(number=st.integers(0, len(letters.RUBBISH) - 1), retain=st.booleans(), device=DEVICE, what=SAYING)
    def say_rubbish(self, number: int, device: str, what: str, *, retain: bool) -> None:
        """Something that nobody can make sense of, or a word of a gateway, in one batch with a sensor's word."""
        self.world.publish([letters.rubbish(number, retain=retain), letters.saying(device, what)])

    @rule(device=DEVICE, payload=st.binary(max_size=12))
    def say_anything(self, device: str, payload: bytes) -> None:
        self.world.publish([letters.noise(device, payload)])

    # --- people -------------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.world.last.incidents)
    @rule(who=st.sampled_from(sorted(PHONES)), word=WORDS, which=PICK, coded=st.booleans(), breaks=BREAKS)
    def reply(self, who: str, word: str, which: int, breaks: tuple[str, int] | None, *, coded: bool) -> None:
        """A text with the code of some incident, or with none; the provider may bring it twice."""
        if breaks:
            TRAP.arm(*breaks)
        code = self.incident(which).code if coded else None
        self.world.reply(PHONES[who], f"{word}{code or ''}", code=code)
        if which % 3 == 0:
            self.world.reply(PHONES[who], f"{word}{code or ''}", code=code, again=True)

    @rule(who=st.sampled_from(sorted(PHONES)), word=WORDS, code=st.sampled_from(["K2", "K3", "K22", "Z9"]))
    def reply_with_any_code(self, who: str, word: str, code: str) -> None:
        self.world.reply(PHONES[who], f"{word}{code}", code=code)

    @precondition(lambda self: self.calls())
    @rule(which=PICK, key=st.sampled_from(["1", "2", "3", "9", ""]))
    def press(self, which: int, key: str) -> None:
        calls = self.calls()
        self.world.press(calls[which % len(calls)].delivery.id, key)

    @precondition(lambda self: self.world.provider.sent)
    @rule(which=PICK, status=STATUSES, named=st.booleans(), twice=st.booleans())
    def receipt(self, which: int, status: str, *, named: bool, twice: bool) -> None:
        """The provider's word on one of the latest messages."""
        one = self.world.provider.sent[-1 - which % len(self.world.provider.sent)]
        for _ in range(1 + twice):
            self.world.receipt(one, status, named=named)

    @precondition(lambda self: self.world.last.incidents)
    @rule(
        which=PICK,
        verb=st.sampled_from(Verb),
        who=st.sampled_from(["li", "chen", "duty-room", "王姐"]),
        outcome=OUTCOMES,
    )
    def act(self, which: int, verb: Verb, who: str, outcome: OutcomeKind) -> None:
        self.world.act(self.incident(which).id, verb, by=who, outcome=outcome if verb is Verb.OUTCOME else None)

    # --- providers ----------------------------------------------------------------------------------------------------

    @rule(moods=st.lists(st.sampled_from(MOODS), min_size=1, max_size=3))
    def next_requests(self, moods: list[str]) -> None:
        """What becomes of the next requests."""
        self.world.provider.next = moods

    @rule(channel=st.sampled_from(["sms", "voice", "apprise", "webhook"]), mood=st.sampled_from(MOODS))
    def mood(self, channel: str, mood: str) -> None:
        """A provider is in trouble, or well again."""
        self.world.provider.mood[channel] = mood

    @rule(deaf=st.booleans())
    def can_be_asked(self, *, deaf: bool) -> None:
        self.world.provider.deaf = deaf

    @precondition(lambda self: self.world.provider.hanging)
    @rule()
    def answers_come(self) -> None:
        self.world.answers_come()

    # --- time ---------------------------------------------------------------------------------------------------------

    @rule(seconds=SECONDS)
    def advance(self, seconds: int) -> None:
        """Time passes, and whatever is due happens."""
        self.world.advance(seconds)

    @rule(what=st.sampled_from(["settle", "settle", "settle", "tick", "dispatch", "audit", "tidy", "note"]))
    def routine(self, what: str) -> None:
        """What the process does by itself from time to time."""
        getattr(self.world, what)()

    @rule(seconds=SECONDS)
    def stand_still(self, seconds: int) -> None:
        """The process is suspended."""
        self.world.wait(seconds)

    @rule(hours=HOURS)
    def long_silence(self, hours: float) -> None:
        """Much time passes, of which only the beginning is watched closely."""
        self.world.advance(hours * 3600, at_most=8)

    @rule(seconds=st.sampled_from([5, 40, 3600]), audited=st.booleans())
    def clock_is_set_back(self, seconds: int, *, audited: bool) -> None:
        self.world.set_clock(timedelta(seconds=seconds))
        if audited:
            self.world.audit()

    # --- the process --------------------------------------------------------------------------------------------------

    @rule(what=st.sampled_from(["settle", "tick", "dispatch"]), kind=st.sampled_from(KINDS), after=st.integers(1, 30))
    def break_in(self, what: str, kind: str, after: int) -> None:
        """Something breaks in the midst of it, or soon after."""
        TRAP.arm(kind, after)
        getattr(self.world, what)()

    @rule(seconds=SECONDS, messages_first=st.booleans())
    def crash(self, seconds: int, *, messages_first: bool) -> None:
        self.world.crash_and_restart(timedelta(seconds=seconds), messages_first=messages_first)

    @rule(seconds=SECONDS, messages_first=st.booleans())
    def restart(self, seconds: int, *, messages_first: bool) -> None:
        self.world.restart(timedelta(seconds=seconds), messages_first=messages_first)

    @rule(data=st.data(), name=st.sampled_from(sorted(EDITIONS)))
    def edit(self, data: Any, name: str) -> None:
        """Somebody edits a file."""
        self.world.reload(name, data.draw(st.sampled_from(EDITIONS[name][1])))

    # --- what must hold -----------------------------------------------------------------------------------------------

    @invariant()
    def nothing_is_broken(self) -> None:
        """What the judges have said, after every moment of the step."""
        assert not self.world.broken, "\n".join(self.world.broken)

    # --- in common ----------------------------------------------------------------------------------------------------

    def incident(self, which: int) -> Row:
        """Give one of the latest, open ones first."""
        rows = sorted(
            self.world.last.incidents.values(), key=lambda row: (row.state == "resolved", -row.opened_at.timestamp())
        )
        return rows[which % len(rows)]

    def calls(self) -> list[Any]:
        """Give the calls that were made, the latest first."""
        return [one for one in reversed(self.world.provider.sent) if one.delivery.channel == "voice"]
