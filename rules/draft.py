"""A decision in the making."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from rules.assignment import Assignment, Recipient, assign
from rules.community import ContactMethod
from rules.decisions import (
    CancelDue,
    CancelUnsent,
    Decision,
    DueKind,
    JournalEntry,
    NewDelivery,
    Paged,
    Priority,
    Purpose,
    SetDue,
)
from rules.incident import Incident, Snapshot
from rules.wording import Message

#: How long a message is of use.
_LIFE_SAFETY_EXPIRES = timedelta(minutes=30)
_EXPIRES = timedelta(hours=12)


class Draft:
    """Collects what one event does to one incident, and gives it as one Decision.

    An event that does nothing leaves the incident as it was, with its version; any other counts the version up by one,
    so that two writers cannot both believe that they were first.
    """

    def __init__(self, incident: Incident, now: datetime, paged: Sequence[Paged] = (), *, new: bool = False) -> None:
        """Begin with the incident as it is, the outbox as far as it concerns it, and the aware UTC time."""
        self.incident = incident
        self.now = now
        self.paged = paged
        self._version = incident.version if new else incident.version + 1
        self._before = None if new else incident
        self._journal: list[JournalEntry] = []
        self._due: dict[DueKind, SetDue | CancelDue] = {}
        self._deliveries: dict[tuple[str, str, str, str], NewDelivery] = {}
        self._cancel: list[CancelUnsent] = []

    @property
    def snapshot(self) -> Snapshot:
        """What the incident carries."""
        return self.incident.snapshot

    @property
    def language(self) -> str:
        """The language of everything it says."""
        return self.incident.snapshot.language

    @property
    def serial(self) -> int:
        """The version this decision makes: names messages that no earlier decision can have named so."""
        return self._version

    @property
    def deliveries(self) -> Sequence[NewDelivery]:
        """What has been written so far."""
        return tuple(self._deliveries.values())

    def change(self, **fields: Any) -> None:
        """Change fields of the incident."""
        self.incident = replace(self.incident, **fields)

    def note(self, event: str, actor: str, detail: Mapping[str, Any] | None = None) -> None:
        """Write a line of the journal; the detail is JSON-ready."""
        self._journal.append(
            JournalEntry(incident_id=self.incident.id, at=self.now, event=event, actor=actor, detail=dict(detail or {}))
        )

    def set_due(self, kind: DueKind, at: datetime) -> None:
        """Let something be due; the last word on a kind counts."""
        self._due[kind] = SetDue(kind=kind, subject=self.incident.id, due_at=at)

    def cancel_due(self, *kinds: DueKind) -> None:
        """Let it not be due any more."""
        for kind in kinds:
            self._due[kind] = CancelDue(kind=kind, subject=self.incident.id)

    def cancel_unsent(self, reason: str, *purposes: Purpose, recipient_id: str | None = None) -> None:
        """Take back what has not left yet, to everybody or to one person (invariant quiet-after-answer)."""
        self._cancel.append(
            CancelUnsent(
                incident_id=self.incident.id, reason=reason, purposes=frozenset(purposes), recipient_id=recipient_id
            )
        )

    def assign(self, targets: Sequence[str], *, declined: bool = False) -> Assignment:
        """Choose people, and journal what is remarkable about it; those who declined only where asked for."""
        chosen = assign(targets, self.snapshot, self.now)
        for remark in chosen.remarks:
            self.note(remark.event, "clock", remark.detail)
        if declined:
            return chosen
        return replace(chosen, people=tuple(one for one in chosen.people if one.id not in self.incident.declined))

    def deliver(
        self,
        recipient: Recipient,
        method: ContactMethod,
        message: Message,
        *,
        step_key: str,
        purpose: Purpose,
        alarm: bool,
        late_s: int = 0,
    ) -> bool:
        """Write a message; `alarm` where it tells of the alarm itself and not only of how it goes on.

        False where the same address is told the same already: two people may share a telephone.
        """
        place = (step_key, method.channel, method.address, str(purpose))
        if place in self._deliveries:
            return False
        incident = self.incident
        life = incident.is_life_safety
        if alarm:
            priority = Priority.LIFE_SAFETY_PAGE if life else Priority.PAGE
        else:
            priority = Priority.LIFE_SAFETY_INFORM if life else Priority.INFORM
        self._deliveries[place] = NewDelivery(
            incident_id=incident.id,
            step_key=step_key,
            recipient_id=recipient.id,
            recipient_name=recipient.name,
            channel=method.channel,
            address=method.address,
            purpose=purpose,
            priority=priority,
            text=message.text,
            speech=message.speech,
            code=incident.code,
            expires_at=self.now + (_LIFE_SAFETY_EXPIRES if life else _EXPIRES),
            late_s=late_s,
            drill=incident.drill,
            brief=message.brief,
        )
        return True

    def decision(self, answer: str = "") -> Decision:
        """Give all of it."""
        nothing = not (self._journal or self._due or self._deliveries or self._cancel)
        if nothing and self.incident is self._before:
            return Decision(incident=self.incident, answer=answer)
        return Decision(
            incident=replace(self.incident, version=self._version),
            journal=tuple(self._journal),
            due=tuple(self._due.values()),
            deliveries=tuple(self._deliveries.values()),
            cancel=tuple(self._cancel),
            answer=answer,
        )
