"""What would happen: a reading that nobody sent, through today's files, with nobody answering."""

import dataclasses
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console

from notify.masking import mask_address
from rules import plans
from rules.community import Device, Home, Registry, Responsibility
from rules.decisions import DueKind, Finding, FindingEvent, SetDue
from rules.engine import Engine, Evaluation
from rules.incident import Snapshot
from rules.readings import ALARM_STATES, DeviceState, Reading
from rules.rulebook import Rule
from rules.texts import render_journal
from rules.timeline import PlannedPage, rehearse
from shouwang import config
from shouwang.config import ConfigError, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The answer of `shouwang explain`."""

    device: Device
    home: Home
    state: str
    at: datetime
    #: Why nothing would happen; empty where something would.
    nothing: str
    rule: Rule | None = None
    #: When the rule would raise; later than `at` where the state has to last.
    raised_at: datetime | None = None
    reason: str = ""
    pages: tuple[PlannedPage, ...] = ()
    #: Why somebody else than expected would be told, in words.
    remarks: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Give it as JSON-ready values, phones masked."""
        return {
            "device": self.device.id,
            "home": self.home.id,
            "address": self.home.address,
            "state": self.state,
            "at": self.at.isoformat(),
            "nothing": self.nothing or None,
            "rule": self.rule.id if self.rule else None,
            "severity": str(self.rule.severity) if self.rule else None,
            "raised_at": self.raised_at.isoformat() if self.raised_at else None,
            "reason": self.reason or None,
            "remarks": list(self.remarks),
            "pages": [
                {
                    "after_s": page.at_offset_s,
                    "step": page.step,
                    "to": page.recipient,
                    "by": page.channel,
                    "address": mask_address(page.address),
                    "text": _said(page),
                }
                for page in self.pages
            ],
        }

    def print_to(self, console: Console) -> None:
        """Say it in words."""
        console.print(f"{self.device.id} ({self.device.kind}, {self.device.room or 'no room'}) says {self.state}")
        console.print(f"at {self.at:%Y-%m-%d %H:%M %Z}, in {self.home.address}")
        if self.rule is None or self.raised_at is None:
            console.print(f"[bold]nothing would happen[/]: {self.nothing}")
            return
        console.print(f"rule [bold]{self.rule.id}[/] {self.rule.title}, {self.rule.severity}: {self.reason}")
        if self.raised_at > self.at:
            console.print(f"if it is still so at {self.raised_at:%Y-%m-%d %H:%M:%S}, an incident opens then")
        console.print(f"plan {self.rule.plan}, policy {self.rule.policy}")
        for remark in self.remarks:
            console.print(f"note: {remark}", markup=False, soft_wrap=True)
        console.print("if nobody answers, at the latest (a call that is not taken moves on at once):")
        for page in self.pages:
            moment = self.raised_at + timedelta(seconds=page.at_offset_s)
            day = f"{moment:%m-%d} " if moment.date() != self.raised_at.date() else ""
            console.print(
                f"  [bold]{day}{moment:%H:%M:%S}[/] (+{page.at_offset_s:.0f} s)  {page.channel} to {page.recipient} "
                f"({mask_address(page.address)})"
            )
            for line in _said(page).splitlines():
                console.print(f"      {line}", markup=False, soft_wrap=True)


def explain(
    directory: Path, *, device_id: str, state: str, kind: str | None, at: datetime, time_zone: str, language: str
) -> Explanation:
    """Read the files and play the reading through them. Raises ConfigError for bad files and unknown devices."""
    community = config.load(directory)
    registry = community.registry
    rulebook = dataclasses.replace(community.rulebook, time_zone=time_zone, language=language)
    device = _find(registry, device_id)
    home = next(home for home in registry.homes if home.id == device.home_id)
    engine = Engine(rulebook)
    rules = {rule.id: rule for rule in rulebook.rules}
    finding, raised_at = _first_finding(
        engine, device, home, state=state, kind=kind or device.kind, at=at.astimezone(UTC)
    )
    told = Explanation(device=device, home=home, state=state, at=at, nothing="")
    if finding is None or raised_at is None:
        return dataclasses.replace(told, nothing=f"no rule looks for {kind or device.kind} {state} at this time")
    rule = rules[finding.rule_id]
    snapshot = Snapshot(
        home=home,
        responsibility=responsibility(registry, home.grid),
        plan=plans.fill(rulebook.plans[rule.plan], home, language=language),
        policy=rulebook.policies[rule.policy],
        time_zone=time_zone,
        language=language,
    )
    pages, journal = rehearse(snapshot, finding, rule, raised_at)
    return dataclasses.replace(
        told,
        rule=rule,
        raised_at=raised_at.astimezone(ZoneInfo(time_zone)),
        reason=finding.reason,
        pages=tuple(pages),
        remarks=tuple(dict.fromkeys(render_journal(one, language) for one in journal if one.event in _REMARKABLE)),
    )


#: What the journal of the rehearsal says that the list of pages does not.
_REMARKABLE = frozenset(
    {"nobody_on_duty", "nobody_on_duty_anywhere", "step_empty", "desk_off_duty", "no_desk", "nobody_to_page"}
)


def _said(page: PlannedPage) -> str:
    return page.speech if page.channel == "voice" and page.speech else page.text


def responsibility(registry: Registry, grid_id: str) -> Responsibility:
    """Who may have to be told of a home in a grid, from the files alone (the service asks the database)."""
    by_id = {grid.id: grid for grid in registry.grids}
    chain = []
    current: str | None = grid_id
    while current is not None and current in by_id:
        chain.append(by_id[current])
        current = by_id[current].parent
    names = {grid.id for grid in chain}
    near = {worker.id for worker in registry.workers if names & set(worker.grids)}
    return Responsibility(
        grids=tuple(chain),
        workers=tuple(
            worker for worker in registry.workers if worker.id in near or set(worker.backup_for) & (near | names)
        ),
    )


def _find(registry: Registry, device_id: str) -> Device:
    for device in registry.devices:
        if device.id == device_id:
            return device
    hint = config.did_you_mean(device_id, [device.id for device in registry.devices])
    raise ConfigError([Problem(file="devices.yaml", message=f"no device {device_id!r}{hint}")])


def _first_finding(
    engine: Engine, device: Device, home: Home, *, state: str, kind: str, at: datetime
) -> tuple[Finding | None, datetime | None]:
    """Evaluate the reading; where the rule wants it to last, go to the time at which it would raise."""
    away = {home.id} if home.away else set()
    devices = {device.id: device}
    if state == "offline":
        return _offline(engine, device, at)
    reading = _reading(device, state, kind, at)
    evaluation = engine.evaluate([reading], devices=devices, states={}, standing={}, away=away)
    if raised := _raised(evaluation):
        return raised, at
    states = {(row.device_id, row.kind): row for row in evaluation.states}
    for change in evaluation.due:
        if isinstance(change, SetDue) and change.kind is DueKind.HOLD:
            rule_id = change.subject.split("/", 1)[0]
            later = engine.hold_due(rule_id, device, states=states, standing={}, away=away, now=change.due_at)
            if raised := _raised(later):
                return raised, change.due_at
    return None, None


def _offline(engine: Engine, device: Device, at: datetime) -> tuple[Finding | None, datetime | None]:
    silent = DeviceState(
        device_id=device.id,
        kind="availability",
        state="online",
        value=None,
        unit=None,
        true_since=at,
        last_seen=at,
        active_at=None,
        freshness=_reading(device, "online", "availability", at).freshness,
    )
    due = next((change for change in engine.watch_due([device], at) if change.kind is DueKind.OFFLINE), None)
    if due is None:
        return None, None
    evaluation = engine.offline_due(
        device, states={(device.id, "availability"): silent}, standing={}, now=due.due_at, gateway_offline=False
    )
    return _raised(evaluation), due.due_at


def _raised(evaluation: Evaluation) -> Finding | None:
    return next((one for one in evaluation.findings if one.event is FindingEvent.RAISED), None)


def _reading(device: Device, state: str, kind: str, at: datetime) -> Reading:
    try:
        return Reading(device_id=device.id, kind=kind, received_at=at, value=float(state))
    except ValueError:
        word = ALARM_STATES.get(kind, state) if state == "alarm" else state
        return Reading(device_id=device.id, kind=kind, received_at=at, state=word)
