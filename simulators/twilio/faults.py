"""What can go wrong at a provider: settable for one number or for all, for some requests or for a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal


class FaultKind(StrEnum):
    """What happens. The first group meets requests, the second what they asked for."""

    #: The connection is dropped; nothing is stored.
    REFUSE = "refuse"
    #: 500 (or another status), and nothing is stored.
    ERROR_BEFORE = "error_before"
    #: 500, although it is stored.
    ERROR_AFTER = "error_after"
    #: Stored, and the connection is reset instead of an answer.
    ANSWER_LOST = "answer_lost"
    #: 429, with Retry-After where one is given; nothing is stored.
    RATE_LIMITED = "rate_limited"
    #: 400 with `code`, e.g. 21610; nothing is stored.
    REJECT = "reject"
    #: Stored at once, answered only after `seconds` of real time.
    SLOW = "slow"
    #: Stored at once, never answered.
    HANG = "hang"
    #: Never stored, never answered.
    HANG_BEFORE = "hang_before"
    #: Never answered, and stored only `seconds` later by the provider's clock: the request that lands late.
    LANDS_LATE = "lands_late"

    #: A message turns `undelivered` with `code`.
    UNDELIVERED = "undelivered"
    #: A message or call turns `failed` with `code`.
    FAILED = "failed"
    #: A message stays queued until its validity is over.
    STUCK = "stuck"
    #: A call is not answered, whatever the telephone would do.
    NO_ANSWER = "no_answer"
    #: A call finds the line busy.
    BUSY = "busy"
    #: Lists show it only after `seconds`.
    LATE_LISTING = "late_listing"
    #: Status callbacks come `seconds` late, twice, the last one first, or never.
    CALLBACKS_LATE = "callbacks_late"
    CALLBACKS_TWICE = "callbacks_twice"
    CALLBACKS_OUT_OF_ORDER = "callbacks_out_of_order"
    CALLBACKS_LOST = "callbacks_lost"


REQUEST_FAULTS = frozenset(
    {
        FaultKind.REFUSE,
        FaultKind.ERROR_BEFORE,
        FaultKind.ERROR_AFTER,
        FaultKind.ANSWER_LOST,
        FaultKind.RATE_LIMITED,
        FaultKind.REJECT,
        FaultKind.SLOW,
        FaultKind.HANG,
        FaultKind.HANG_BEFORE,
        FaultKind.LANDS_LATE,
    }
)

#: Which requests a fault meets: those that create something, those that only ask, or all.
Target = Literal["create", "read", "all"]


@dataclass(slots=True, kw_only=True, eq=False)
class Fault:
    """One fault in force."""

    kind: FaultKind
    #: The number called or texted; None: any.
    number: str | None = None
    #: `messages` or `calls`; None: both.
    resource: str | None = None
    #: Of request faults: which requests.
    on: Target = "create"
    #: How many more it meets; None: no end.
    times: int | None = None
    #: Until when it meets any, by the provider's clock; None: no end.
    until: datetime | None = None
    #: For the kinds that wait.
    seconds: float = 0.0
    #: Twilio's error code, for the kinds that have one.
    code: int | None = None
    #: HTTP status of ERROR_BEFORE and ERROR_AFTER.
    status: int = 500
    retry_after: int | None = None
    #: How many it has met.
    met: int = 0

    def fits(self, resource: str, number: str | None, now: datetime) -> bool:
        """Whether it meets something about this number now."""
        return (
            (self.times is None or self.times > 0)
            and (self.until is None or now < self.until)
            and (self.resource is None or self.resource == resource)
            and (self.number is None or self.number == number)
        )

    def use(self) -> "Fault":
        """Count one more that it met."""
        self.met += 1
        if self.times is not None:
            self.times -= 1
        return self

    def as_json(self) -> dict[str, Any]:
        """For the admin pages."""
        return {
            "kind": str(self.kind),
            "number": self.number,
            "resource": self.resource,
            "on": self.on,
            "times": self.times,
            "until": self.until.isoformat() if self.until else None,
            "seconds": self.seconds,
            "code": self.code,
            "status": self.status,
            "retry_after": self.retry_after,
            "met": self.met,
        }


class Faults:
    """All faults in force, in the order they were set."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._faults: list[Fault] = []

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._faults)

    def add(
        self,
        kind: FaultKind | str,
        number: str | None = None,
        *,
        resource: str | None = None,
        on: Target = "create",
        times: int | None = None,
        for_s: float | None = None,
        seconds: float = 0.0,
        code: int | None = None,
        status: int = 500,
        retry_after: int | None = None,
    ) -> Fault:
        """Set a fault: for the next `times`, or for `for_s` seconds of the provider's clock, or until cleared."""
        fault = Fault(
            kind=FaultKind(kind),
            number=number,
            resource=resource,
            on=on,
            times=times,
            until=None if for_s is None else self._now() + timedelta(seconds=for_s),
            seconds=seconds,
            code=code,
            status=status,
            retry_after=retry_after,
        )
        self._faults.append(fault)
        return fault

    def remove(self, fault: Fault) -> None:
        """Let one be over."""
        self._faults.remove(fault)

    def clear(self) -> None:
        """Everything works again; what has already gone wrong stays so."""
        self._faults.clear()

    def meet_request(self, resource: str, number: str | None, *, creates: bool) -> Fault | None:
        """The fault that meets this request, counted; the oldest that fits."""
        for fault in self._faults:
            if fault.kind not in REQUEST_FAULTS or fault.on not in {"all", "create" if creates else "read"}:
                continue
            if fault.fits(resource, number, self._now()):
                return fault.use()
        return None

    def meet_outcome(self, resource: str, number: str) -> dict[FaultKind, Fault]:
        """The faults that meet a message or call to this number, counted; the oldest of each kind."""
        met: dict[FaultKind, Fault] = {}
        for fault in self._faults:
            if fault.kind in REQUEST_FAULTS or fault.kind in met:
                continue
            if fault.fits(resource, number, self._now()):
                met[fault.kind] = fault.use()
        return met
