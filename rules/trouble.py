"""Shouwang's own trouble: what is wrong with the service itself, what of it is news, and in which words.

It is kept apart from the incidents of homes: those are told by way of the database, the outbox and the provider, and
here one of these is what broke. Whoever looks (shouwang/trouble.py) gives the symptoms of the moment; what they amount
to is decided here. Times are those of a steady clock: the time of day may be what is wrong.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from rules import texts


class TroubleKind(StrEnum):
    """What can be wrong; the order is that of urgency. docs/runbook.md has a section of each."""

    #: The database does not answer, or refuses to write: nothing is decided, nothing acknowledged.
    DATABASE = "database"
    #: Not connected to the broker: nothing arrives.
    BROKER = "broker"
    #: A page has waited in the outbox for too long.
    OUTBOX = "outbox"
    #: A provider refuses us or is not reached. Subject: the provider (`twilio`, `twilio_2`), or the channel.
    PROVIDER = "provider"
    #: A provider's quota is at its end or near it: the balance, or it asks us to slow down. Subject: as above.
    QUOTA = "quota"
    #: The time of day jumped.
    CLOCK = "clock"
    #: A disk we write to is nearly full. Subject: the folder.
    DISK = "disk"
    #: A part of the service failed and was started again. Subject: its name.
    PART = "part"
    #: The auditor found open incidents that stood still.
    AUDITOR = "auditor"
    #: The database answers too slowly.
    SLOW_DATABASE = "slow_database"
    #: Edited files are refused; what was in force stays in force.
    CONFIGURATION = "configuration"
    #: Messages that look as if somebody meant harm, or that do some. Subject: which kind, and of which source.
    SECURITY = "security"


class Nature(NamedTuple):
    """How one kind behaves."""

    #: For how long it must last before it is a trouble: a reconnect is none.
    hold: timedelta
    #: For how long it must be gone before it is over.
    ease: timedelta
    #: Whether the heartbeat is withheld while it stands.
    stops_heart: bool = False


def _nature(hold_s: float, ease_s: float, *, stops_heart: bool = False) -> Nature:
    return Nature(timedelta(seconds=hold_s), timedelta(seconds=ease_s), stops_heart)


NATURES: dict[TroubleKind, Nature] = {
    TroubleKind.DATABASE: _nature(5, 10, stops_heart=True),
    TroubleKind.BROKER: _nature(10, 10, stops_heart=True),
    TroubleKind.OUTBOX: _nature(0, 15, stops_heart=True),
    TroubleKind.PROVIDER: _nature(0, 60),
    TroubleKind.QUOTA: _nature(0, 600),
    TroubleKind.CLOCK: _nature(0, 0, stops_heart=True),
    TroubleKind.DISK: _nature(0, 300),
    TroubleKind.PART: _nature(0, 0),
    TroubleKind.AUDITOR: _nature(0, 0),
    TroubleKind.SLOW_DATABASE: _nature(30, 120),
    TroubleKind.CONFIGURATION: _nature(0, 0),
    TroubleKind.SECURITY: _nature(0, 0),
}

#: What comes again within this time of its last telling waits until it has passed: something that comes and goes is
#: told every few minutes, not every few seconds.
COOL = timedelta(minutes=5)

#: What lasts is told again when it has lasted twice as long as at the last telling, within these bounds.
REMIND_FIRST = timedelta(hours=1)
REMIND_AT_LEAST = timedelta(hours=24)

#: For how long what is over is remembered, so that what comes again is known to.
MEMORY = timedelta(hours=1)

#: Seconds until the next try to tell, after the first, second … failure.
TELL_AGAIN_S = (5, 15, 30, 60, 120, 300)

#: What one event (a repair, a jump of the clock) counts as for so long.
EVENT_LASTS: dict[TroubleKind, timedelta] = {
    TroubleKind.CLOCK: timedelta(minutes=5),
    TroubleKind.AUDITOR: timedelta(minutes=15),
    TroubleKind.PART: timedelta(minutes=15),
    TroubleKind.SECURITY: timedelta(hours=1),
}

Key = tuple[TroubleKind, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """Something that is wrong at this moment."""

    kind: TroubleKind
    subject: str = ""
    #: What is known of it, for people; without numbers of phones and secrets.
    detail: str = ""
    #: For how many seconds it has lasted already, where that is known: it took so long to find out.
    lasted_s: float = 0.0

    @property
    def key(self) -> Key:
        """What makes two symptoms the same trouble."""
        return self.kind, self.subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something that is, or lately was, wrong. A row of table `troubles`, but for the two fields at the end."""

    kind: TroubleKind
    subject: str
    detail: str
    #: When this spell of it began, and when it was seen last.
    began_at: datetime
    seen_at: datetime
    #: It has lasted long enough to count, and is not over.
    stands: bool = False
    ended_at: datetime | None = None
    #: How often it has come, as far as is remembered.
    spells: int = 1
    #: What the operators believe: whether they were last told that it stands. And when.
    told: bool = False
    told_at: datetime | None = None
    #: Tellings that failed in a row, and before when there is no further one.
    failures: int = 0
    not_before: datetime | None = None

    @property
    def key(self) -> Key:
        """See Symptom.key."""
        return self.kind, self.subject


class NewsEvent(StrEnum):
    """What there is to tell of a trouble."""

    RAISED = "raised"
    STILL = "still"
    CLEARED = "cleared"


class News(NamedTuple):
    """Something to tell the operators."""

    event: NewsEvent
    trouble: Trouble


def weigh(symptoms: Iterable[Symptom], known: Mapping[Key, Trouble], now: datetime) -> dict[Key, Trouble]:
    """Give all that is to be known from now on; what is neither there nor remembered any more is left out."""
    seen = {one.key: one for one in symptoms}
    after: dict[Key, Trouble] = {}
    for key in sorted(seen.keys() | known.keys()):
        before, symptom = known.get(key), seen.get(key)
        trouble = _there(before, symptom, now) if symptom is not None else before and _gone(before, now)
        if trouble is not None:
            after[key] = trouble
    return after


def _there(before: Trouble | None, symptom: Symptom, now: datetime) -> Trouble:
    began_at = now - timedelta(seconds=symptom.lasted_s)
    if before is None:
        trouble = Trouble(kind=symptom.kind, subject=symptom.subject, detail="", began_at=began_at, seen_at=now)
    elif before.ended_at is not None:
        trouble = replace(before, began_at=began_at, ended_at=None, spells=before.spells + 1)
    else:
        trouble = before
    stands = trouble.stands or now - trouble.began_at >= NATURES[trouble.kind].hold
    return replace(trouble, seen_at=now, detail=symptom.detail or trouble.detail, stands=stands)


def _gone(before: Trouble, now: datetime) -> Trouble | None:
    if before.stands:
        if now - before.seen_at < NATURES[before.kind].ease:
            return before
        # That something which happened once has not happened again is no news.
        return replace(before, stands=False, ended_at=now, told=before.told and before.kind not in EVENT_LASTS)
    if before.ended_at is None:
        # It has not lasted long enough to have been anything; an earlier spell of it may have.
        return replace(before, ended_at=now) if before.told_at is not None else None
    # What they believe to stand is remembered until they are told otherwise.
    return before if before.told or before.failures or now - before.ended_at < MEMORY else None


def news(known: Iterable[Trouble], now: datetime) -> list[News]:
    """Give what is to be told now, most urgent first."""
    urgency = list(TroubleKind)
    found = [News(event, one) for one in known if (event := _news_of(one, now)) is not None]
    return sorted(found, key=lambda one: (one.event is NewsEvent.CLEARED, urgency.index(one.trouble.kind)))


def next_news_at(known: Iterable[Trouble], now: datetime) -> datetime | None:
    """Give when a telling that failed is tried again; None where none did."""
    return min((one.not_before for one in known if one.not_before is not None and one.not_before > now), default=None)


def _news_of(trouble: Trouble, now: datetime) -> NewsEvent | None:
    if trouble.not_before is not None and now < trouble.not_before:
        return None
    told_at = trouble.told_at
    if not trouble.stands:
        # Also where it could not be told while it stood: it may have been the network.
        return NewsEvent.CLEARED if trouble.ended_at is not None and (trouble.told or trouble.failures) else None
    if told_at is None:
        return NewsEvent.RAISED
    if not trouble.told:
        return NewsEvent.RAISED if now - told_at >= COOL else None
    lasted = min(max(told_at - trouble.began_at, REMIND_FIRST), REMIND_AT_LEAST)
    return NewsEvent.STILL if now - told_at >= lasted else None


def after_telling(trouble: Trouble, event: NewsEvent, *, taken: bool, now: datetime) -> Trouble:
    """Give a trouble as it is once its news was told, or could not be."""
    if not taken:
        wait_s = TELL_AGAIN_S[min(trouble.failures, len(TELL_AGAIN_S) - 1)]
        return replace(trouble, failures=trouble.failures + 1, not_before=now + timedelta(seconds=wait_s))
    told = event is not NewsEvent.CLEARED
    return replace(trouble, told=told, told_at=now, failures=0, not_before=None)


def heart_stoppers(known: Iterable[Trouble]) -> list[Trouble]:
    """Give the troubles for which the heartbeat is withheld."""
    return [one for one in known if one.stands and NATURES[one.kind].stops_heart]


# --- providers --------------------------------------------------------------------------------------------------------

#: Tries of so long ago still say something of a provider.
TRIES_COUNT_FOR = timedelta(minutes=10)

#: So many tries in a row that speak against the provider are no chance.
_AGAINST_IN_A_ROW = 3

#: Where there may be another provider behind each address (Apprise, webhooks), at so many addresses.
_ADDRESSES = 2

#: So often within that time it asked us to slow down.
_LIMITED_TRIES = 3


class Try(NamedTuple):
    """What became of one try to send."""

    at: datetime
    #: The provider, or the channel where it has no name.
    provider: str
    #: Tells addresses apart; never shown.
    address: str
    accepted: bool
    #: One provider stands behind all addresses.
    one_for_all: bool = True
    #: It speaks against the provider, and not against the number or the text.
    against: bool = False
    #: The provider refuses our account.
    account_refused: bool = False
    #: The provider asks us to slow down.
    limited: bool = False
    error: str = ""


def of_tries(tries: Iterable[Try], now: datetime) -> list[Symptom]:
    """Give what the latest tries, in their order, say of their providers.

    A number that is refused says something of the number. An account that is refused, or one failure after the other
    with nothing accepted between, says something of the provider.
    """
    by_provider: dict[str, list[Try]] = {}
    for one in tries:
        if now - one.at < TRIES_COUNT_FOR:
            by_provider.setdefault(one.provider, []).append(one)
    found = []
    for provider, row in sorted(by_provider.items()):
        since = next((at for at in range(len(row), 0, -1) if row[at - 1].accepted), 0)
        failed = [one for one in row[since:] if one.against or one.account_refused]
        limited = sum(one.limited for one in row)
        if limited >= _LIMITED_TRIES:
            minutes = int(TRIES_COUNT_FOR.total_seconds() // 60)
            detail = f"asked {limited} times within {minutes} min to slow down"
            found.append(Symptom(kind=TroubleKind.QUOTA, subject=provider, detail=detail))
        if any(one.account_refused for one in failed) or _many(failed):
            detail = failed[-1].error or "no reason given"
            found.append(Symptom(kind=TroubleKind.PROVIDER, subject=provider, detail=detail))
    return found


def _many(failed: Sequence[Try]) -> bool:
    if len(failed) < _AGAINST_IN_A_ROW:
        return False
    return failed[-1].one_for_all or len({one.address for one in failed}) >= _ADDRESSES


# --- words ------------------------------------------------------------------------------------------------------------


def describe(trouble: Trouble, language: str) -> str:
    """Say what is wrong, in a sentence."""
    subject = f"（{trouble.subject}）" if language == "zh" else f" ({trouble.subject})"
    what = texts.render(f"trouble.{trouble.kind}", language, subject=subject if trouble.subject else "")
    return f"{what}{'：' if language == 'zh' else ': '}{trouble.detail}" if trouble.detail else what


def message(told: Iterable[News], language: str, now: datetime) -> str:
    """Say all the news in one message; each line begins with the word that docs/runbook.md explains."""
    lines = [texts.render("trouble.head", language)]
    for one in told:
        trouble = one.trouble
        until = trouble.ended_at or now
        lasted = texts.duration(max((until - trouble.began_at).total_seconds(), 0.0), language)
        what = describe(replace(trouble, detail="") if one.event is NewsEvent.CLEARED else trouble, language)
        lines.append(
            texts.render(f"trouble.news.{one.event}", language, kind=str(trouble.kind), what=what, lasted=lasted)
        )
    return "\n".join(lines)
