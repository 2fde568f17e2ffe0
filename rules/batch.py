"""One batch of readings while it is being evaluated: what is known evolves from reading to reading.

`Engine.evaluate` hands over only what may be more than an ordinary repeat, so here is time to look at every rule.
"""

from collections.abc import Container, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from rules.community import Device
from rules.conditions import (
    PRESENT,
    TEST,
    States,
    Verdict,
    can_tell,
    judge,
    life,
    moved,
    settle,
    shows_activity,
    silent_at,
    worn_out,
)
from rules.decisions import CancelDue, DueKind, Finding, FindingEvent, SetDue, StandingFinding
from rules.readings import KINDS, UNKNOWN, DeviceState, Freshness, Reading
from rules.rulebook import Rule
from rules.watch import LONGEST_TEST, Evaluation, Rulings, Standing, Watch

#: The same call for help said again so soon is a repeat: one press is often published several times.
_SAME_PRESS = timedelta(seconds=60)

#: Stands for the incident of a finding that this very batch has raised.
_ITS_INCIDENT = ""


class _News(NamedTuple):
    """A reading that has moved, or may mean, something."""

    device: Device
    before: DeviceState | None
    after: DeviceState
    at: datetime
    #: The state that the reading itself named.
    said: str | None
    live: bool
    #: The gateway is not known to repeat its cache in such messages.
    plain: bool
    #: Before and after say the same.
    same: bool
    redelivered: bool


class Batch:
    """Readings in their order, over what was known before them."""

    def __init__(self, rulings: Rulings, *, states: States, standing: Standing, away: Container[str]) -> None:
        self._rulings = rulings
        self._states = states
        self._standing = dict(standing)
        self._away = away
        #: Devices and homes of which a finding may stand.
        self.marked = {subject for _, subject in standing}
        self.rows: dict[tuple[str, str], DeviceState] = {}
        self.touches: dict[tuple[str, str], datetime] = {}
        self._changes: list[Reading] = []
        self._findings: list[Finding] = []
        self._due: dict[tuple[DueKind, str], SetDue | CancelDue] = {}

    def result(self) -> Evaluation:
        """Give what has come together."""
        for key in self.touches.keys() & self.rows.keys():
            self.rows[key] = self.rows[key]._replace(last_seen=self.touches.pop(key))
        return Evaluation(
            states=list(self.rows.values()),
            touched=[(device_id, kind, at) for (device_id, kind), at in self.touches.items()],
            changes=self._changes,
            findings=self._findings,
            due=list(self._due.values()),
        )

    def take(self, reading: Reading, device: Device) -> None:
        """Evaluate a reading that may be more than an ordinary repeat."""
        if reading.freshness is Freshness.HISTORIC:
            self._changes.append(reading)
            return
        before = self._known(reading.device_id, reading.kind)
        if device.latches is not None and before is not None and reading.kind in device.latches:
            before = worn_out(before, reading, device.latches[reading.kind])
        if reading.startup and before is None and reading.freshness is Freshness.LIVE:
            reading = reading._replace(freshness=Freshness.CACHED)
        live = reading.freshness is Freshness.LIVE
        # Whatever order messages come in, what is known never goes back in time.
        at = reading.received_at if before is None else max(reading.received_at, before.last_seen, before.true_since)
        state, value = settle(reading, before)
        watches = self._rulings.watches.get(reading.kind, ())
        same = before is not None and state == before.state and value == before.value
        # Repeated beside another fact, or kept by a broker: nothing new.
        repeated = same and (reading.merged or not live)
        if before is not None and reading.kind == "measurement" and not watches:
            # Many quantities share this kind, so that it changes all the time; that the device speaks is all it says.
            repeated = True
        # A live message shows that the device lives, but not where a gateway that has just started only remembers it.
        alive = live and not (repeated and reading.startup)
        if alive and (reading.kind != "availability" or state in PRESENT):
            self._is_back(device, at)
        if before is not None and repeated:
            if alive:
                self._store(before, before._replace(last_seen=at))
                self._confirm(watches, device, before, at)
            return
        active = live and shows_activity(reading.kind, before, state)
        after = moved(reading, before, state, value, at=at, active=active)
        self._store(before, after)
        news = _News(device, before, after, at, reading.state, live, not reading.merged, same, reading.redelivered)
        if not same or (live and any(watch.event and watch.state == state for watch in watches)):
            self._changes.append(reading._replace(state=state, value=value) if state in {TEST, UNKNOWN} else reading)
        for watch in watches:
            self._judge(watch, news)
        if active:
            self._is_active(device, reading.kind, at)
        if not same and reading.kind == "availability" and state == "offline":
            self._is_said_offline(device, at)
        if before is None and reading.kind != device.kind:
            self._watch_absence(device, reading.kind, at)

    # --- what is known ------------------------------------------------------------------------------------------------

    def _known(self, device_id: str, kind: str) -> DeviceState | None:
        key = (device_id, kind)
        row = self.rows.get(key) or self._states.get(key)
        touched = self.touches.get(key)
        return row if row is None or touched is None else row._replace(last_seen=touched)

    def _store(self, before: DeviceState | None, after: DeviceState) -> None:
        key = (after.device_id, after.kind)
        if before is not None and after == before._replace(last_seen=after.last_seen):
            if after.last_seen > before.last_seen:
                self.touches[key] = after.last_seen
        else:
            self.touches.pop(key, None)
            self.rows[key] = after

    # --- rules on one kind of fact ------------------------------------------------------------------------------------

    def _judge(self, watch: Watch, news: _News) -> None:
        was, now = judge(watch.condition, news.before), judge(watch.condition, news.after)
        stands = self._standing.get((watch.rule.id, news.device.id))
        if (was is Verdict.TEST) != (now is Verdict.TEST) and not watch.event:
            subject = watch.subject(news.device.id)
            began = SetDue(kind=DueKind.HOLD, subject=subject, due_at=news.at + LONGEST_TEST)
            self._put(began if now is Verdict.TEST else CancelDue(kind=DueKind.HOLD, subject=subject))
        if now is Verdict.TRUE:
            if watch.event:
                self._is_called(watch, news, stands, pressed=was is Verdict.TRUE)
            elif was is Verdict.TRUE or (was is Verdict.BETWEEN and stands is not None):
                self._goes_on(watch, news, stands)
            else:
                self._begins(watch, news, stands, was)
        elif now not in {Verdict.UNKNOWN, Verdict.TEST}:
            if watch.may_wait and news.before is not None and was in {Verdict.TRUE, Verdict.UNKNOWN}:
                self._put(CancelDue(kind=DueKind.HOLD, subject=watch.subject(news.device.id)))
            # A stale word moves what is known, but only a live one ends a finding. Nor does the reset of a button.
            if now is Verdict.FALSE and news.live and stands is not None and not watch.event:
                self._clear(stands, news.at, self._rulings.reasons.cleared(news.device, news.after))

    def _confirm(self, watches: Sequence[Watch], device: Device, row: DeviceState, at: datetime) -> None:
        """End what a stale word has not ended, once a live message says the same."""
        if device.id not in self.marked:
            return
        for watch in watches:
            stands = self._standing.get((watch.rule.id, device.id))
            if stands is not None and not watch.event and judge(watch.condition, row) is Verdict.FALSE:
                self._clear(stands, at, self._rulings.reasons.cleared(device, row))

    def _begins(self, watch: Watch, news: _News, stands: StandingFinding | None, was: Verdict) -> None:
        if stands is not None and stands.incident_id is not None:
            if not news.live:
                return
            if was is Verdict.UNKNOWN and stands.verified:
                self._repeat(watch, news)
                return
        due = watch.held_at(news.at, self._rulings.zone)
        if due is None:
            return
        if due <= news.at and not watch.rests(news.device.home_id, self._away):
            self._raise(watch, news, verified=news.live)
            return
        # What was unknown in between has not been said to be false: its time runs on.
        keep = was is Verdict.UNKNOWN and news.before is not None
        if due <= news.at:
            due = watch.look_again(news.at, self._rulings.zone)
        subject = watch.subject(news.device.id)
        self._put(SetDue(kind=DueKind.HOLD, subject=subject, due_at=due, if_absent=keep))

    def _goes_on(self, watch: Watch, news: _News, stands: StandingFinding | None) -> None:
        if not news.live or news.before is None:
            return
        if stands is not None:
            if not stands.verified or news.before.freshness is not Freshness.LIVE:
                self._raise(watch, news, verified=True)
            elif news.plain:
                self._repeat(watch, news)
            return
        # True, and nobody has been told: its hold runs, or the rule is new.
        lasts = watch.state is not None
        if news.same and not lasts:
            return
        if not watch.may_wait:
            self._raise(watch, news, verified=True)
            return
        due = watch.held_at(max(news.after.true_since, news.at - watch.hold) if lasts else news.at, self._rulings.zone)
        if due is not None:
            subject = watch.subject(news.device.id)
            self._put(SetDue(kind=DueKind.HOLD, subject=subject, due_at=max(due, news.at), if_absent=True))

    def _is_called(self, watch: Watch, news: _News, stands: StandingFinding | None, *, pressed: bool) -> None:
        if news.said != watch.state:
            return
        with_somebody = stands is not None and stands.incident_id is not None
        if news.live:
            last = None if news.before is None else news.before.active_at
            again = last is not None and (news.redelivered or news.at - last <= _SAME_PRESS)
            if again and stands is not None and with_somebody and stands.verified:
                self._repeat(watch, news)
                return
        elif pressed or with_somebody:
            return
        # A call outside the window is not kept for the window.
        now = watch.held_at(news.at, self._rulings.zone) == news.at
        if now and not watch.rests(news.device.home_id, self._away):
            self._raise(watch, news, verified=news.live)

    def _raise(self, watch: Watch, news: _News, *, verified: bool) -> None:
        device = news.device
        reason = self._rulings.reasons.raised(device, watch.condition, news.after, held=False, verified=verified)
        raised = _finding(FindingEvent.RAISED, watch, device, news.at, reason, verified=verified)
        self._findings.append(replace(raised, redelivered=news.redelivered))
        self._standing[watch.rule.id, device.id] = StandingFinding(
            rule_id=watch.rule.id,
            subject=device.id,
            home_id=device.home_id,
            device_id=device.id,
            kind=watch.condition.kind,
            raised_at=news.at,
            reason=reason,
            verified=verified,
            incident_id=_ITS_INCIDENT,
        )
        self.marked.add(device.id)
        if watch.may_wait:
            self._put(CancelDue(kind=DueKind.HOLD, subject=watch.subject(device.id)))

    def _repeat(self, watch: Watch, news: _News) -> None:
        reason = self._rulings.reasons.repeated(news.device, watch.condition, news.after)
        self._findings.append(_finding(FindingEvent.REPEATED, watch, news.device, news.at, reason, verified=True))

    # --- rules on silence ---------------------------------------------------------------------------------------------

    def _is_back(self, device: Device, at: datetime) -> None:
        if device.id not in self.marked:
            return
        for rule, _ in self._rulings.offline:
            stands = self._standing.get((rule.id, device.id))
            if stands is not None:
                self._clear(stands, at, self._rulings.reasons.back(device))
        for rule, _ in self._rulings.unwatched:
            # Whether the whole home is watched over again only somebody who knows all its devices can say.
            if (rule.id, device.home_id) in self._standing and not can_tell(device, life(device.id, self._states), at):
                subject = f"{rule.id}/{device.home_id}"
                self._put(SetDue(kind=DueKind.UNWATCHED, subject=subject, due_at=at))

    def _is_said_offline(self, device: Device, at: datetime) -> None:
        """Bring forward the moment at which somebody looks whether the device is still offline."""
        if device.heartbeat_s is None:
            for rule, unwatched in self._rulings.unwatched:
                due_at = at + timedelta(seconds=unwatched.hold_s)
                subject = f"{rule.id}/{device.home_id}"
                self._put(SetDue(kind=DueKind.UNWATCHED, subject=subject, due_at=due_at, if_absent=True))
            return
        rows = {(device.id, kind): row for kind in KINDS if (row := self._known(device.id, kind)) is not None}
        alive = life(device.id, rows)
        moments = [
            moment
            for rule, condition in self._rulings.offline
            if (rule.id, device.id) not in self._standing
            and (moment := silent_at(device, alive, timedelta(seconds=condition.hold_s))) is not None
        ]
        if self._rulings.unwatched and (moment := silent_at(device, alive, timedelta())) is not None:
            moments.append(moment)
        if moments:
            self._put(SetDue(kind=DueKind.OFFLINE, subject=device.id, due_at=max(min(moments), at)))

    def _is_active(self, device: Device, kind: str, at: datetime) -> None:
        for rule, condition in self._rulings.absent.get(kind, ()):
            stands = self._standing.get((rule.id, device.home_id))
            if stands is not None:
                self._clear(stands, at, self._rulings.reasons.active(kind))
                self._put(absence(rule, device.home_id, at + timedelta(seconds=condition.hold_s)))

    def _watch_absence(self, device: Device, kind: str, at: datetime) -> None:
        """Watch a kind of activity that the registry does not know the device for."""
        for rule, condition in self._rulings.absent.get(kind, ()):
            due_at = at + timedelta(seconds=condition.hold_s)
            self._put(replace(absence(rule, device.home_id, due_at), if_absent=True))

    # --- in common ----------------------------------------------------------------------------------------------------

    def _clear(self, stands: StandingFinding, at: datetime, reason: str) -> None:
        del self._standing[stands.rule_id, stands.subject]
        self._findings.append(
            Finding(
                event=FindingEvent.CLEARED,
                rule_id=stands.rule_id,
                home_id=stands.home_id,
                device_id=stands.device_id,
                kind=stands.kind,
                at=at,
                reason=reason,
            )
        )

    def _put(self, due: SetDue | CancelDue) -> None:
        key = (due.kind, due.subject)
        earlier = self._due.get(key)
        if isinstance(due, SetDue) and due.if_absent:
            if isinstance(earlier, SetDue):
                return
            if earlier is not None:
                due = replace(due, if_absent=False)
        self._due[key] = due


def absence(rule: Rule, home_id: str, due_at: datetime) -> SetDue:
    """Set when somebody looks whether a home has been quiet for too long."""
    return SetDue(kind=DueKind.ABSENCE, subject=f"{rule.id}/{home_id}", due_at=due_at)


def _finding(
    event: FindingEvent, watch: Watch, device: Device, at: datetime, reason: str, *, verified: bool
) -> Finding:
    return Finding(
        event=event,
        rule_id=watch.rule.id,
        home_id=device.home_id,
        device_id=device.id,
        kind=watch.condition.kind,
        at=at,
        reason=reason,
        verified=verified,
    )
