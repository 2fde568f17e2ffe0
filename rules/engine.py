"""What the rules say of facts, and of silence.

Made once for a rulebook; its methods are pure and keep nothing between calls. What is known (`states`), what stands
(`standing`) and the time are arguments, and whatever follows is returned.
"""

from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rules.batch import Batch
from rules.community import Device
from rules.conditions import MISSED_HEARTBEATS, States, Verdict, can_tell, judge, life, silent_at
from rules.decisions import CancelDue, DueKind, Finding, FindingEvent, SetDue
from rules.hearing import Gap, credited, not_before
from rules.liveness import look_at_homes
from rules.readings import ALARM_STATES, UNKNOWN, Freshness, Reading
from rules.reasons import Reasons
from rules.rulebook import Absent, GatewayOffline, Offline, Rule, Rulebook, StateIs, Threshold, Untested, Unwatched
from rules.watch import ABSENCE, LOOK_AGAIN, OFFLINE, UNWATCHED, Evaluation, Rulings, Standing, Watch

__all__ = ["Engine", "Evaluation"]


class _Every(Container[str | None]):
    """Holds every state: one press of a button like another is news each time."""

    def __contains__(self, state: object) -> bool:
        return True


#: States of which a plain live repeat shows a person's activity.
_ACTIVITY: dict[str, Container[str | None]] = {
    "motion": {"detected"},
    "presence": {"detected"},
    "vibration": {"detected"},
    "button": _Every(),
} | {kind: {state} for kind, state in ALARM_STATES.items()}


class Engine:
    """The rules of one rulebook."""

    def __init__(self, rulebook: Rulebook) -> None:
        watches: dict[str, list[Watch]] = defaultdict(list)
        absent: dict[str, list[tuple[Rule, Absent]]] = defaultdict(list)
        offline: list[tuple[Rule, Offline]] = []
        gateways: list[tuple[Rule, GatewayOffline]] = []
        unwatched: list[tuple[Rule, Unwatched]] = []
        untested: list[tuple[Rule, Untested]] = []
        #: States that are looked at each time they are said anew, by kind.
        self._loud: dict[str, Container[str | None]] = dict(_ACTIVITY)
        self._watches: dict[str, Watch] = {}
        self._absences: dict[str, tuple[Rule, Absent]] = {}
        for rule in rulebook.rules:
            match rule.when:
                case StateIs() | Threshold() as condition:
                    watch = Watch.of(rule, condition)
                    self._watches[rule.id] = watch
                    watches[condition.kind].append(watch)
                case Absent() as condition:
                    self._absences[rule.id] = (rule, condition)
                    absent[condition.kind].append((rule, condition))
                case Offline() as condition:
                    offline.append((rule, condition))
                case GatewayOffline() as condition:
                    gateways.append((rule, condition))
                case Unwatched() as condition:
                    unwatched.append((rule, condition))
                case Untested() as condition:
                    untested.append((rule, condition))
        for kind, of_kind in watches.items():
            states = {watch.state for watch in of_kind if watch.state is not None}
            activity = self._loud.get(kind)
            if activity is None or isinstance(activity, set):
                self._loud[kind] = frozenset(states | (activity or set()))
        self._rulings = Rulings(
            zone=ZoneInfo(rulebook.time_zone),
            reasons=Reasons(rulebook.language),
            watches=dict(watches),
            absent=dict(absent),
            offline=offline,
            gateways=gateways,
            unwatched=unwatched,
            untested=untested,
        )

    @property
    def rulings(self) -> Rulings:
        """The rules as they are sorted here, for those who decide on whole homes and gateways (rules/liveness.py)."""
        return self._rulings

    def evaluate(
        self,
        readings: Sequence[Reading],
        *,
        devices: Mapping[str, Device],
        states: States,
        standing: Standing,
        away: Container[str],
    ) -> Evaluation:
        """Say what follows from readings, taken in their order; what each changes is known to those after it.

        `states` holds every row of the devices that speak, `standing` the findings on these devices and on their homes,
        `away` the ids of homes whose residents are elsewhere. Readings of devices not in `devices` are ignored.
        """
        batch = Batch(self._rulings, states=states, standing=standing, away=away)
        if self._rulings.unwatched:
            unwatched = {one.home_id for one in standing.values() if one.kind == UNWATCHED}
            if unwatched:
                # Any word of these may be what makes the home watched over again.
                batch.marked.update(one.id for one in devices.values() if one.home_id in unwatched)
        rows, touches, marked, loud = batch.rows, batch.touches, batch.marked, self._loud
        live = Freshness.LIVE
        #: By device, the fact of those that are repeated beside others that shows that it lives.
        lively: dict[str, tuple[str, str]] = {}
        for reading in readings:
            device = devices.get(reading.device_id)
            if device is None:
                continue
            key = reading[:2]
            row = rows.get(key) or states.get(key)
            state = reading.state
            if (
                row is not None
                and state == row.state
                and reading.value == row.value
                and reading.freshness is live
                and not reading.under_test
                and not reading.startup
                and (reading.merged or (row.freshness is live and state not in loud.get(reading.kind, ())))
                and device.id not in marked
                and device.latches is None
            ):
                # An ordinary repeat: a sign of life, and nothing else. Nearly every message is one; of the facts that a
                # gateway repeats in it beside others, one is enough to show it. A battery's two parts may come one by
                # one, and when the other was heard tells whether it is outdated.
                at = reading.received_at
                together = reading.merged and reading.kind != "battery"
                shown = lively.setdefault(reading.device_id, key) if together else key
                last = touches.get(shown)
                if last is None:
                    shown, last = key, touches.get(key, row.last_seen)
                if at > last:
                    touches[shown] = at
            else:
                batch.take(reading, device)
        return batch.result()

    def hold_due(
        self, rule_id: str, device: Device, *, states: States, standing: Standing, away: Container[str], now: datetime
    ) -> Evaluation:
        """Say what follows when a condition has stayed true for as long as its rule wants.

        That it has stayed true is known from the due time's being there still: it is cancelled when the condition ends.
        Where the device has since said something that says nothing, the finding is raised all the same.

        Raised as unverified is what is due for another look: an alarm that has been a test for LONGEST_TEST, and one
        that stands although somebody has closed its incident.
        """
        watch = self._watches.get(rule_id)
        subject = f"{rule_id}/{device.id}"
        over = Evaluation(due=[CancelDue(kind=DueKind.HOLD, subject=subject)])
        if watch is None:
            return over
        row = states.get((device.id, watch.condition.kind))
        verdict = judge(watch.condition, row)
        if row is None or verdict not in {Verdict.TRUE, Verdict.UNKNOWN, Verdict.TEST}:
            return over
        stands = standing.get((rule_id, device.id))
        detached = stands is not None and stands.incident_id is None
        if detached and verdict is Verdict.UNKNOWN and not watch.hold:
            return over
        # Nothing has changed since it was raised: it was told, and closed, and is not over.
        closed = stands is not None and detached and stands.raised_at >= row.true_since
        verified = row.freshness == Freshness.LIVE and verdict is not Verdict.TEST and not closed
        if stands is not None and not detached:
            told = stands.verified and stands.raised_at >= row.true_since
            if told or not verified:
                return over
        if watch.rests(device.home_id, away):
            later = watch.look_again(now, self._rulings.zone)
            return Evaluation(due=[SetDue(kind=DueKind.HOLD, subject=subject, due_at=later)])
        reasons = self._rulings.reasons
        if verdict is Verdict.TEST:
            reason = reasons.tested(device, watch.condition, row, now - row.true_since)
        elif closed:
            reason = reasons.still(device, watch.condition, row)
        else:
            reason = reasons.raised(device, watch.condition, row, held=True, verified=verified)
        finding = Finding(
            event=FindingEvent.RAISED,
            rule_id=rule_id,
            home_id=device.home_id,
            device_id=device.id,
            kind=watch.condition.kind,
            at=now,
            reason=reason,
            verified=verified,
        )
        return Evaluation(findings=[finding], due=over.due)

    def absence_due(
        self,
        rule_id: str,
        home_id: str,
        *,
        devices: Sequence[Device],
        states: States,
        standing: Standing,
        away: Container[str],
        now: datetime,
        unheard: Container[str] = (),
        gaps: Collection[Gap] = (),
        back_at: datetime | None = None,
    ) -> Evaluation:
        """Say what follows when a home may have been quiet for too long, or when to look again.

        `devices` are the home's; those in `unheard` (ids) cannot be heard now because their gateway is offline. Quiet
        within `gaps`, when none of them could be heard, does not count, and for a while after `back_at`, when they
        could be heard again, nothing is made of it. A home of which no sensor can tell is never called quiet
        (invariant unknown-is-not-clear).
        """
        subject = f"{rule_id}/{home_id}"
        rule, condition = self._absences.get(rule_id, (None, None))
        sensors = [
            device
            for device in devices
            if condition is not None and (device.kind == condition.kind or (device.id, condition.kind) in states)
        ]
        if rule is None or condition is None or not sensors:
            return Evaluation(due=[CancelDue(kind=DueKind.ABSENCE, subject=subject)])

        def look(at: datetime, *findings: Finding) -> Evaluation:
            return Evaluation(findings=list(findings), due=[SetDue(kind=DueKind.ABSENCE, subject=subject, due_at=at)])

        resting = "away" in rule.unless and home_id in away
        rows = {device.id: row for device in sensors if (row := states.get((device.id, condition.kind))) is not None}
        trusted = any(
            device.id in rows
            and rows[device.id].state != UNKNOWN
            and device.id not in unheard
            and can_tell(device, life(device.id, states), now)
            for device in sensors
        )
        if resting or not trusted:
            return look(now + LOOK_AGAIN)
        # Where nobody has ever been active, quiet counts from when the sensor was first known.
        active = [row.active_at for row in rows.values() if row.active_at is not None]
        quiet_since = max(active or [row.true_since for row in rows.values()])
        quiet_since = credited(quiet_since, gaps, now)
        hold = timedelta(seconds=condition.hold_s)
        moment = not_before(quiet_since + hold, back_at)
        if moment > now:
            return look(moment)
        if (rule_id, home_id) in standing:
            return look(now + hold)
        finding = Finding(
            event=FindingEvent.RAISED,
            rule_id=rule_id,
            home_id=home_id,
            device_id=None,
            kind=ABSENCE,
            at=now,
            reason=self._rulings.reasons.absent(condition.kind, now - quiet_since),
        )
        return look(now + hold, finding)

    def offline_due(
        self,
        device: Device,
        *,
        states: States,
        standing: Standing,
        now: datetime,
        gateway_offline: bool,
        gaps: Collection[Gap] = (),
        back_at: datetime | None = None,
    ) -> Evaluation:
        """Say what follows when a device may have been silent for too long, or when to look again.

        Silence within `gaps`, when its gateway (or this service) could not be heard, does not count; and for a while
        after `back_at`, when it could be heard again, nothing is made of it.
        """
        if device.heartbeat_s is None or not (self._rulings.offline or self._rulings.unwatched):
            return Evaluation(due=[CancelDue(kind=DueKind.OFFLINE, subject=device.id)])
        findings: list[Finding] = []
        looks: list[datetime] = []
        further: list[SetDue | CancelDue] = []
        alive = life(device.id, states)
        counted = alive._replace(
            seen=credited(alive.seen, gaps, now) if alive.seen else None,
            offline_since=credited(alive.offline_since, gaps, now) if alive.offline_since else None,
        )
        for rule, condition in self._rulings.offline if not gateway_offline else ():
            if (rule.id, device.id) in standing:
                continue
            moment = silent_at(device, counted, timedelta(seconds=condition.hold_s))
            if moment is not None and (moment := not_before(moment, back_at)) > now:
                looks.append(moment)
                continue
            since = alive.offline_since or alive.seen
            findings.append(
                Finding(
                    event=FindingEvent.RAISED,
                    rule_id=rule.id,
                    home_id=device.home_id,
                    device_id=device.id,
                    kind=OFFLINE,
                    at=now,
                    reason=self._rulings.reasons.offline(
                        device, now - since if since else None, said=alive.offline_since is not None
                    ),
                )
            )
        if gateway_offline:
            looks.append(now + LOOK_AGAIN)
        elif self._rulings.unwatched:
            moment = silent_at(device, counted, timedelta())
            if moment is not None and (moment := not_before(moment, back_at)) > now:
                looks.append(moment)
            else:
                further += look_at_homes(self._rulings, [device.home_id], now, waits=True)
        # The row stays also while the finding stands, so that there is one to look at once the device is back.
        due_at = min(looks, default=now + MISSED_HEARTBEATS * timedelta(seconds=device.heartbeat_s))
        look = SetDue(kind=DueKind.OFFLINE, subject=device.id, due_at=due_at)
        return Evaluation(findings=findings, due=[look, *further])

    def watch_due(self, devices: Iterable[Device], now: datetime) -> Iterator[SetDue]:
        """Give the due times that devices need which nobody has watched yet; all of them only where absent.

        One for each device with a heartbeat, and one for each home and rule on absence or tests; the latter are given
        once where the devices of a home follow one another.
        """
        home: str | None = None
        given: set[str] = set()
        for device in devices:
            if device.heartbeat_s is not None and (self._rulings.offline or self._rulings.unwatched):
                holds = [condition.hold_s for _, condition in self._rulings.offline]
                grace_s = 0 if self._rulings.unwatched else min(holds)
                due_at = now + timedelta(seconds=MISSED_HEARTBEATS * device.heartbeat_s + grace_s)
                yield SetDue(kind=DueKind.OFFLINE, subject=device.id, due_at=due_at, if_absent=True)
            if device.home_id != home:
                home = device.home_id
                given.clear()
                for rule, untested in self._rulings.untested:
                    due_at = now + timedelta(seconds=untested.hold_s)
                    yield SetDue(kind=DueKind.UNTESTED, subject=f"{rule.id}/{home}", due_at=due_at, if_absent=True)
            if device.kind in given:
                continue
            given.add(device.kind)
            for rule, condition in self._rulings.absent.get(device.kind, ()):
                due_at = now + timedelta(seconds=condition.hold_s)
                subject = f"{rule.id}/{device.home_id}"
                yield SetDue(kind=DueKind.ABSENCE, subject=subject, due_at=due_at, if_absent=True)
