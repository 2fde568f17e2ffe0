"""What is wrong with the service at this moment: looks at every part, and waits for none of them.

What hangs is a symptom itself. Such a look is left to itself, and not begun again before it has come to an end.
"""

import asyncio
import shutil
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from notify.channel import SendOutcome, SendResult
from notify.masking import mask_text
from rules.decisions import Delivery, Priority
from rules.trouble import EVENT_LASTS, Key, Symptom, TroubleKind, Try, of_tries
from shouwang import clock
from shouwang.core import Core
from shouwang.health import OUTBOX_LIMIT
from shouwang.patient import Patient
from store import outbox
from store.errors import DatabaseError

#: Pages that are not of life and death may wait longer: for their turn, or to be bundled.
ORDINARY_LIMIT = timedelta(minutes=5)

#: Seconds that a look at one part may take.
PATIENCE_S = 10.0

#: A database that takes so long for next to nothing, in seconds, is slow.
SLOW_S = 2.0

#: Bytes that must be free on a disk.
LEAST_FREE = 512 * 1024 * 1024

#: Seconds by which the time of day may differ, within one look, from a clock that nobody sets.
JUMP_S = 2.0

#: Tries that are looked at.
_TRIES = 200


class Senses:
    """Looks at the parts of one service, and hears what happens to them."""

    def __init__(
        self,
        core: Core,
        *,
        broker_up: Callable[[], bool],
        refused: Callable[[], str] = lambda: "",
        account: Callable[[], Sequence[Symptom]] = tuple,
        folders: Sequence[Path] = (),
        elapsed: Callable[[], float] = clock.elapsed,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """Make them; `refused` says why the edited files are refused, `account` what is known of accounts at providers.

        `folders` are those that are written to; `elapsed` gives seconds by a clock that nobody sets.
        """
        self._core = core
        self._broker_up = broker_up
        self._refused = refused
        self._account = account
        self._folders = folders
        self._elapsed = elapsed
        self._began = core.now(), elapsed()
        self._drift_s = 0.0
        self._events: dict[Key, tuple[Symptom, float]] = {}
        self._tries: deque[Try] = deque(maxlen=_TRIES)
        self._pace_s = 0.0
        self._database: Patient[list[Symptom]] = Patient(self._ask_database, patience_s)
        self._disks: Patient[list[Symptom]] = Patient(self._ask_disks, patience_s)

    def steady_now(self) -> datetime:
        """Give the time as it would be if nobody had set the clock since the start; aware, in UTC."""
        wall, elapsed = self._began
        return wall + timedelta(seconds=self._elapsed() - elapsed)

    # --- what they hear -----------------------------------------------------------------------------------------------

    def note(self, kind: TroubleKind, subject: str = "", detail: str = "") -> None:
        """Note something that happened; it counts as a symptom for as long as EVENT_LASTS says."""
        symptom = Symptom(kind=kind, subject=subject, detail=detail)
        self._events[symptom.key] = symptom, self._elapsed() + EVENT_LASTS[kind].total_seconds()

    def note_try(self, delivery: Delivery, result: SendResult) -> None:
        """Note what became of a try to send."""
        error = result.error or ""
        self._tries.append(
            Try(
                at=self.steady_now(),
                provider=delivery.provider or delivery.channel,
                address=delivery.address,
                accepted=result.outcome is SendOutcome.ACCEPTED,
                one_for_all=delivery.channel in {"sms", "voice"},
                against=bool(result.speaks_against),
                account_refused=result.account_refused,
                limited=result.outcome is SendOutcome.RETRY and " 429" in error,
                error=error,
            )
        )

    def note_pace(self, seconds: float) -> None:
        """Note how long the database took for a small write."""
        self._pace_s = seconds

    # --- what they see ------------------------------------------------------------------------------------------------

    async def look(self) -> list[Symptom]:
        """Give everything that is wrong now."""
        found = self._look_at_clock()
        if not self._broker_up():
            found.append(Symptom(kind=TroubleKind.BROKER))
        database, disks = await asyncio.gather(self._database.ask(), self._disks.ask())
        if database is None:
            hung = Symptom(kind=TroubleKind.DATABASE, detail="it does not answer", lasted_s=self._database.patience_s)
            found.append(hung)
        found += database or ()
        found += disks or ()
        if why := self._refused():
            found.append(Symptom(kind=TroubleKind.CONFIGURATION, detail=why))
        found += self._account()
        found += of_tries(self._tries, self.steady_now())
        return found + self._lasting()

    def _look_at_clock(self) -> list[Symptom]:
        drift = (self._core.now() - self.steady_now()).total_seconds()
        jump, self._drift_s = drift - self._drift_s, drift
        if abs(jump) > JUMP_S:
            self.note(TroubleKind.CLOCK, detail=f"by {jump:+.0f} s")
        return []

    def _lasting(self) -> list[Symptom]:
        now = self._elapsed()
        self._events = {key: one for key, one in self._events.items() if now < one[1]}
        return [symptom for symptom, _ in self._events.values()]

    async def _ask_database(self) -> list[Symptom]:
        began = self._elapsed()
        try:
            # As whoever writes: what keeps others from writing keeps this from it too.
            async with self._core.database.write() as tx:
                oldest = await outbox.oldest_waiting(tx)
        except DatabaseError as error:
            lasted_s = self._elapsed() - began
            return [Symptom(kind=TroubleKind.DATABASE, detail=mask_text(str(error)), lasted_s=lasted_s)]
        found = []
        if (slowest := max(self._elapsed() - began, self._pace_s)) > SLOW_S:
            found.append(Symptom(kind=TroubleKind.SLOW_DATABASE, detail=f"{slowest:.1f} s"))
        now = self._core.now()
        for priority, limit in ((Priority.LIFE_SAFETY_PAGE, OUTBOX_LIMIT), (Priority.PAGE, ORDINARY_LIMIT)):
            if priority in oldest and (age := now - oldest[priority]) > limit:
                what = "a life-safety page" if priority is Priority.LIFE_SAFETY_PAGE else "a page"
                found.append(Symptom(kind=TroubleKind.OUTBOX, detail=f"{what} has waited {age.total_seconds():.0f} s"))
                break
        return found

    async def _ask_disks(self) -> list[Symptom]:
        return await asyncio.to_thread(lambda: [found for one in self._folders if (found := _full(one))])


def _full(folder: Path) -> Symptom | None:
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return Symptom(kind=TroubleKind.DISK, subject=str(folder), detail=error.strerror or str(error))
    if free >= LEAST_FREE:
        return None
    return Symptom(kind=TroubleKind.DISK, subject=str(folder), detail=f"{free // 2**20} MiB are free")
