"""Time: what has become due is decided and written, one transaction each (time is data)."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from rules import machine
from rules.commissioning import untested_due
from rules.decisions import CancelDue, Due, DueKind, SetDue
from rules.engine import Evaluation
from rules.incident import Incident, IncidentState
from rules.liveness import gateway_due, look_at_homes, unwatched_due
from rules.rulebook import Absent
from rules.watch import UNWATCHED
from shouwang import liveness, situations, verdicts
from shouwang.core import Core
from shouwang.hearing import Ears
from store import commissioning, due, findings, incidents, locks, outbox, registry, states
from store.database import Transaction
from store.errors import DatabaseError

_log = logging.getLogger(__name__)

#: A due row whose handling fails is tried again after this; it never blocks the others.
_POSTPONE = timedelta(seconds=30)

#: How many rows one transaction takes.
_AT_ONCE = 50

#: What follows from silence, and what follows from nothing new having been heard.
_SILENCE = frozenset({DueKind.ABSENCE, DueKind.OFFLINE, DueKind.GATEWAY, DueKind.UNWATCHED})
_SENSED = _SILENCE | {DueKind.HOLD}

_OF_HOMES = (DueKind.ABSENCE, DueKind.UNWATCHED)

#: At a start the broker has this long to hand over what it kept for us, before silence is taken for an answer.
_LISTEN_FIRST = timedelta(seconds=5)


class Clockwork:
    """Handles due rows; woken by app.py, stepped by tests."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._began: datetime | None = None

    async def next_at(self) -> datetime | None:
        """When there is something to do next."""
        soonest: datetime | None = await self._core.database.peek(due.SOONEST)
        return soonest

    async def tick(self) -> int:
        """Handle everything that is due now; return how many rows that were."""
        if self._began is None:
            self._began = self._core.now()
        handled = 0
        while True:
            soonest = await self.next_at()
            if soonest is None or soonest > self._core.now():
                return handled
            now_handled = await self._some()
            if not now_handled:
                # Another process has them.
                return handled
            handled += now_handled
            self._core.wake_dispatcher()

    async def _some(self) -> int:
        try:
            return await self._claim(_AT_ONCE)
        except DatabaseError:
            raise
        except Exception:  # noqa: BLE001 - one bad row must not stop the others
            _log.exception("handling what is due failed; taking it one by one")
            return await self._one_by_one()

    async def _claim(self, limit: int) -> int:
        now = self._core.now()
        async with self._core.deciding, self._core.database.write() as tx:
            rows = await due.claim(tx, now, limit)
            # What could be heard is the same for all of them.
            ears = await self._ears(tx, rows, now) if any(row.kind in _SILENCE for row in rows) else None
            for row in rows:
                await self._handle(tx, row, now, ears)
            return len(rows)

    async def _one_by_one(self) -> int:
        now = self._core.now()
        for handled in range(_AT_ONCE):
            row: Due | None = None
            try:
                async with self._core.deciding, self._core.database.write() as tx:
                    rows = await due.claim(tx, now, 1)
                    if not rows:
                        return handled
                    row = rows[0]
                    await self._handle(tx, row, now)
            except DatabaseError:
                raise
            except Exception:
                if row is None:
                    raise
                _log.exception("%s of %s failed; it is tried again in %s", row.kind, row.subject, _POSTPONE)
                async with self._core.database.write() as tx:
                    await due.put(tx, [SetDue(kind=row.kind, subject=row.subject, due_at=now + _POSTPONE)])
        return _AT_ONCE

    async def _handle(self, tx: Transaction, row: Due, now: datetime, ears: Ears | None = None) -> None:
        if row.kind in _SENSED and self._began is not None and now < self._began + _LISTEN_FIRST:
            await due.put(tx, [SetDue(kind=row.kind, subject=row.subject, due_at=self._began + _LISTEN_FIRST)])
            return
        # The row is taken away first; whoever handles it sets the next one where there is one.
        await due.cancel(tx, [CancelDue(kind=row.kind, subject=row.subject)])
        match row.kind:
            case DueKind.STEP | DueKind.ARRIVAL | DueKind.OUTCOME:
                await self._incident(tx, row, now)
            case DueKind.HOLD:
                await self._hold(tx, row, now)
            case DueKind.ABSENCE:
                await self._absence(tx, row, now, ears or await self._ears(tx, [row], now))
            case DueKind.OFFLINE:
                await self._offline(tx, row, now, ears or await self._ears(tx, [row], now))
            case DueKind.GATEWAY:
                await self._gateway(tx, row, now, ears or await self._ears(tx, [row], now))
            case DueKind.UNTESTED:
                await self._untested(tx, row, now)
            case DueKind.UNWATCHED:
                await self._unwatched(tx, row, now, ears or await self._ears(tx, [row], now))

    async def _ears(self, tx: Transaction, rows: Iterable[Due], now: datetime) -> Ears:
        """Give what can be heard of all that these rows are about."""
        subjects: dict[DueKind, list[str]] = {}
        for row in rows:
            subjects.setdefault(row.kind, []).append(row.subject)
        in_homes = [one.split("/", 1)[1] for kind in _OF_HOMES for one in subjects.get(kind, ())]
        sources = {one.source for one in (await registry.devices(tx, subjects.get(DueKind.OFFLINE, ()))).values()}
        for devices in (await registry.devices_of_homes(tx, in_homes)).values():
            sources.update(device.source for device in devices)
        sources.update(one.partition("/")[0] for one in subjects.get(DueKind.GATEWAY, ()))
        return await Ears.of(tx, now, sources=sources, began=self._began)

    async def _incident(self, tx: Transaction, row: Due, now: datetime) -> None:
        incident = await incidents.load(tx, row.subject, lock=True)
        if incident is None or not _fits(incident, row.kind):
            return
        paged = await outbox.paged(tx, incident.id)
        match row.kind:
            case DueKind.STEP:
                decision = machine.step_due(incident, due_at=row.due_at, paged=paged, now=now)
            case DueKind.ARRIVAL:
                decision = machine.arrival_due(incident, due_at=row.due_at, paged=paged, now=now)
            case _:
                decision = machine.outcome_due(incident, due_at=row.due_at, paged=paged, now=now)
        await verdicts.write(self._core, tx, decision, before=incident, now=now)

    async def _hold(self, tx: Transaction, row: Due, now: datetime) -> None:
        rule_id, device_id = row.subject.split("/", 1)
        device = (await registry.devices(tx, [device_id])).get(device_id)
        if device is None or self._core.rules.rule(rule_id) is None:
            return
        await locks.homes(tx, [device.home_id])
        evaluation = self._core.rules.engine.hold_due(
            rule_id,
            device,
            states=await states.load(tx, [device_id]),
            standing=await findings.standing(tx, [device_id]),
            away=await registry.away(tx, [device.home_id]),
            now=now,
        )
        await self._write(tx, evaluation, now)

    async def _absence(self, tx: Transaction, row: Due, now: datetime, ears: Ears) -> None:
        rule_id, home_id = row.subject.split("/", 1)
        rule = self._core.rules.rule(rule_id)
        devices = (await registry.devices_of_homes(tx, [home_id])).get(home_id, [])
        if rule is None or not isinstance(rule.when, Absent) or not devices:
            return
        await locks.homes(tx, [home_id])
        evaluation = self._core.rules.engine.absence_due(
            rule_id,
            home_id,
            devices=devices,
            states=await states.load(tx, [device.id for device in devices]),
            standing=await findings.standing(tx, [home_id]),
            away=await registry.away(tx, [home_id]),
            now=now,
            unheard=ears.unheard(devices),
            gaps=ears.gaps(device for device in devices if device.kind == rule.when.kind),
            back_at=ears.back_at(device for device in devices if device.kind == rule.when.kind),
        )
        await self._write(tx, evaluation, now)

    async def _offline(self, tx: Transaction, row: Due, now: datetime, ears: Ears) -> None:
        device = (await registry.devices(tx, [row.subject])).get(row.subject)
        if device is None:
            return
        await locks.homes(tx, [device.home_id])
        evaluation = self._core.rules.engine.offline_due(
            device,
            states=await states.load(tx, [device.id]),
            standing=await findings.standing(tx, [device.id]),
            now=now,
            gateway_offline=not ears.hear(device),
            gaps=ears.gaps([device]),
            back_at=ears.back_at([device]),
        )
        await self._write(tx, evaluation, now)

    async def _gateway(self, tx: Transaction, row: Due, now: datetime, ears: Ears) -> None:
        source, _, name = row.subject.partition("/")
        rulings = self._core.rules.engine.rulings
        found = await liveness.outage(tx, source, name, ears)
        if found.outage.home_id is not None:
            await locks.homes(tx, [found.outage.home_id])
        evaluation = gateway_due(
            rulings, found.outage, standing=await findings.standing(tx, [found.outage.subject]), now=now
        )
        await self._write(tx, evaluation, now)
        if found.outage.since is None:
            homes = await findings.homes_with(tx, UNWATCHED, among=found.homes)
            await verdicts.write_due(tx, look_at_homes(rulings, homes, now, waits=False))
        else:
            await verdicts.write_due(tx, look_at_homes(rulings, found.homes, found.outage.since, waits=True))

    async def _unwatched(self, tx: Transaction, row: Due, now: datetime, ears: Ears) -> None:
        rule_id, home_id = row.subject.split("/", 1)
        devices = (await registry.devices_of_homes(tx, [home_id])).get(home_id, [])
        await locks.homes(tx, [home_id])
        evaluation = unwatched_due(
            self._core.rules.engine.rulings,
            rule_id,
            home_id,
            devices=devices,
            states=await states.load(tx, [device.id for device in devices]),
            standing=await findings.standing(tx, [home_id]),
            away=await registry.away(tx, [home_id]),
            now=now,
            audible=ears.audible(devices),
        )
        await self._write(tx, evaluation, now)

    async def _untested(self, tx: Transaction, row: Due, now: datetime) -> None:
        rule_id, home_id = row.subject.split("/", 1)
        await locks.homes(tx, [home_id])
        evaluation = untested_due(
            self._core.rules.engine.rulings,
            rule_id,
            home_id,
            devices=(await registry.devices_of_homes(tx, [home_id])).get(home_id, []),
            passed=await commissioning.last_passed(tx, home_id),
            standing=await findings.standing(tx, [home_id]),
            now=now,
        )
        await self._write(tx, evaluation, now)

    async def _write(self, tx: Transaction, evaluation: Evaluation, now: datetime) -> None:
        await states.save(tx, evaluation.states)
        await verdicts.write_due(tx, evaluation.due)
        for finding in evaluation.findings:
            await situations.settle(self._core, tx, finding, now)


_STATE_OF_DUTY = {
    DueKind.STEP: IncidentState.OPEN,
    DueKind.ARRIVAL: IncidentState.ACKNOWLEDGED,
    DueKind.OUTCOME: IncidentState.ON_SCENE,
}


def _fits(incident: Incident, kind: DueKind) -> bool:
    return incident.state is _STATE_OF_DUTY[kind]
