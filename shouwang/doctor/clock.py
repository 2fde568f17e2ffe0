"""The clock of this machine, beside clocks that others keep."""

import contextlib
import ctypes
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from notify.channels.http import Courier, MayHaveLeftError, NeverLeftError
from shouwang import channels
from shouwang.doctor.checking import aside
from shouwang.doctor.diagnosis import Diagnosis, finding, fine, note
from shouwang.doctor.patient import Patient
from shouwang.doctor.places import is_this_machine
from store import examination
from store.errors import DatabaseError

SUBJECT = "clock"
_TWILIO = "https://api.twilio.com"

#: Due times are wall-clock times, and providers refuse or misplace what is minutes off.
_WRONG_S = 5.0
_ODD_S = 2.0
#: adjtimex(2): the kernel knows that nothing keeps the clock.
_STA_UNSYNC = 0x40
_CLOCK_ERROR = 5
_ADVICE = "Let chrony or systemd-timesyncd keep the clock (`timedatectl set-ntp true`)."


class _Timex(ctypes.Structure):
    """The beginning of struct timex; with `modes` zero the kernel only answers."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("more", ctypes.c_long * 40),
    )


class Comparison(NamedTuple):
    """What another clock said."""

    whose: str
    #: How far ours is ahead of it, in seconds.
    ahead_s: float
    #: How far that may be off: half the way there and back, and the other clock's coarseness.
    error_s: float


def compared(whose: str, theirs: datetime, before: datetime, after: datetime, *, coarse_s: float = 0.0) -> Comparison:
    """Compare; `theirs` was read between our two times, and may have been cut to steps of `coarse_s`."""
    middle = before + (after - before) / 2
    ahead = middle - theirs - timedelta(seconds=coarse_s / 2)
    return Comparison(whose, ahead.total_seconds(), ((after - before).total_seconds() + coarse_s) / 2)


def judge(comparisons: Sequence[Comparison], *, synchronised: bool | None) -> Iterator[Diagnosis]:
    """Say whether our clock can be relied on; `synchronised` is the kernel's word, None where it has none."""
    for whose, ahead_s, error_s in comparisons:
        off_s = max(0.0, abs(ahead_s) - error_s)
        what = f"this machine is {abs(ahead_s):.0f} s {'ahead of' if ahead_s > 0 else 'behind'} {whose}"
        if off_s > _WRONG_S:
            yield finding(SUBJECT, what, advice=f"{_ADVICE} Steps of an escalation are due by this clock.")
        elif off_s > _ODD_S:
            yield note(SUBJECT, what, advice=_ADVICE)
        else:
            yield fine(SUBJECT, f"this machine agrees with {whose} within {max(error_s, 1.0):.0f} s")
    if synchronised is False:
        yield note(SUBJECT, "nothing keeps the clock of this machine, as far as its kernel knows", advice=_ADVICE)
    elif synchronised:
        yield fine(SUBJECT, "the clock is synchronised, the kernel says")
    elif not comparisons:
        yield note(SUBJECT, "nobody was found to compare the clock with", advice="Compare it with a watch.")


async def look(patient: Patient) -> list[Diagnosis]:
    """Compare with the provider and the database server, where they are other machines, and ask the kernel."""
    found: list[Comparison] = []
    courier = Courier()
    try:
        accounts = channels.accounts(patient.settings).values()
        for url in dict.fromkeys(account.api_base_url or _TWILIO for account in accounts):
            if not is_this_machine(url):
                found += await of_web(courier, url, patient)
    finally:
        await courier.aclose()
    url = patient.settings.database.url
    if not url.startswith("sqlite") and not is_this_machine(url):
        with contextlib.suppress(DatabaseError):  # whoever looks at the database says so
            found.append(await of_database(url, patient))
    return [*judge(found, synchronised=await aside(_synchronised))]


async def of_web(courier: Courier, url: str, patient: Patient) -> list[Comparison]:
    """Compare with the Date of a web server's answer, whatever else it answers; nothing where it gives none."""
    before = patient.now()
    try:
        answer = await courier.request("GET", url)
    except (NeverLeftError, MayHaveLeftError):
        return []  # whoever looks at the provider says so
    after = patient.now()
    try:
        theirs = parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        return []
    return [compared("the provider", theirs.replace(tzinfo=theirs.tzinfo or UTC), before, after, coarse_s=1.0)]


async def of_database(url: str, patient: Patient) -> Comparison:
    """Compare with the database server. Raises DatabaseError."""
    async with examination.postgresql(url) as server:
        before = patient.now()
        theirs = await server.clock()
    return compared("the database server", theirs, before, patient.now())


def _synchronised() -> bool | None:
    """Ask the kernel whether something keeps the clock (Linux)."""
    if sys.platform != "linux":
        return None
    timex = _Timex()
    state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex))
    if state < 0:
        return None
    return state != _CLOCK_ERROR and not timex.status & _STA_UNSYNC
