"""From findings to incidents: open one, join the one of the home, or say that the cause is gone."""

import logging
import uuid
from datetime import datetime, timedelta

from rules import machine, plans
from rules.community import Home
from rules.decisions import Finding, FindingEvent, StandingFinding
from rules.incident import Incident, Snapshot
from rules.readings import LIFE_SAFETY_KINDS
from rules.rulebook import Plan, Rule
from shouwang import verdicts
from shouwang.core import Core
from store import findings, incidents, outbox, registry
from store.database import Transaction

_log = logging.getLogger(__name__)

#: A sensor that still repeats its alarm this long after somebody closed the incident opens a new one: what was closed
#: is not over. A low battery waits until tomorrow.
STILL_THERE_AFTER = timedelta(minutes=10)
STILL_LOW_AFTER = timedelta(hours=24)


class StaleRulesError(Exception):
    """The rules were changed while something was evaluated by the old ones; it has to be evaluated again."""


async def settle(core: Core, tx: Transaction, finding: Finding, now: datetime) -> None:
    """Let a finding become part of an incident, or part with it.

    Raises StaleRulesError where its rule is not in force any more; the transaction must then be begun again.
    """
    rule = core.rules.rule(finding.rule_id)
    if finding.event is FindingEvent.CLEARED:
        await _cleared(core, tx, finding, rule, now)
    elif rule is None:
        # Dropped, it would never be raised again: what is known of the device has moved on with it.
        raise StaleRulesError(f"rule {finding.rule_id} is gone since it was evaluated")
    else:
        await _raised(core, tx, finding, rule, now)


async def _raised(core: Core, tx: Transaction, finding: Finding, rule: Rule, now: datetime) -> None:
    group = rule.group or rule.policy
    incident = await incidents.open_in_home(tx, finding.home_id, group, lock=True)
    known = False
    if incident is None:
        if finding.event is FindingEvent.REPEATED and await _closed_lately(tx, finding, group, now):
            return
        incident = await _open(core, tx, finding, rule, now)
        if incident is None:
            return
    else:
        joined = await findings.of_incident(tx, incident.id)
        known = any(_same(row, finding) for row in joined)
        decision = machine.join(
            incident,
            finding,
            rule=rule,
            standing=len(joined) + (not known),
            paged=await outbox.paged(tx, incident.id),
            now=now,
            plan=_plan(core, rule, incident.snapshot.home),
            policy=core.rules.rulebook.policies[rule.policy],
        )
        await verdicts.write(core, tx, decision, before=incident, now=now)
    if not (known and finding.event is FindingEvent.REPEATED):
        await findings.put(tx, _standing(finding, incident.id))


async def _open(core: Core, tx: Transaction, finding: Finding, rule: Rule, now: datetime) -> Incident | None:
    snapshot = await snapshot_for(core, tx, finding.home_id, rule)
    if snapshot is None:
        _log.error("a finding names home %s, which is not in the registry", finding.home_id)
        return None
    incident_id = uuid.uuid4().hex
    decision = machine.open_incident(
        finding,
        rule=rule,
        snapshot=snapshot,
        incident_id=incident_id,
        code=await incidents.new_code(tx, incident_id, now, core.chance),
        now=now,
    )
    await verdicts.write(core, tx, decision, before=None, now=now)
    return decision.incident


async def snapshot_for(core: Core, tx: Transaction, home_id: str, rule: Rule) -> Snapshot | None:
    """Gather what an incident of this home under this rule carries; None where the home is not known."""
    home = (await registry.homes(tx, [home_id])).get(home_id)
    if home is None:
        return None
    rulebook = core.rules.rulebook
    return Snapshot(
        home=home,
        responsibility=await registry.responsibility(tx, home.grid),
        plan=_plan(core, rule, home),
        policy=rulebook.policies[rule.policy],
        time_zone=rulebook.time_zone,
        language=rulebook.language,
    )


def _plan(core: Core, rule: Rule, home: Home) -> Plan:
    rulebook = core.rules.rulebook
    return plans.fill(rulebook.plans[rule.plan], home, language=rulebook.language)


async def _cleared(core: Core, tx: Transaction, finding: Finding, rule: Rule | None, now: datetime) -> None:
    subject = finding.subject
    standing = (await findings.standing(tx, [subject])).get((finding.rule_id, subject))
    await findings.remove(tx, finding.rule_id, subject)
    if standing is None or standing.incident_id is None or rule is None:
        return
    incident = await incidents.load(tx, standing.incident_id, lock=True)
    if incident is None or not incident.is_open:
        return
    # A finding of a rule that is no more will never be cleared, and must not keep a notice open for ever.
    left = [one for one in await findings.of_incident(tx, incident.id) if core.rules.rule(one.rule_id) is not None]
    decision = machine.join(
        incident, finding, rule=rule, standing=len(left), paged=await outbox.paged(tx, incident.id), now=now
    )
    await verdicts.write(core, tx, decision, before=incident, now=now)


async def _closed_lately(tx: Transaction, finding: Finding, group: str, now: datetime) -> bool:
    last = await incidents.last_in_home(tx, finding.home_id, group)
    if last is None or last.resolved_at is None:
        return False
    after = STILL_THERE_AFTER if finding.kind in LIFE_SAFETY_KINDS else STILL_LOW_AFTER
    return now - last.resolved_at < after


def _same(row: StandingFinding, finding: Finding) -> bool:
    return row.rule_id == finding.rule_id and row.subject == finding.subject


def _standing(finding: Finding, incident_id: str) -> StandingFinding:
    return StandingFinding(
        rule_id=finding.rule_id,
        subject=finding.subject,
        home_id=finding.home_id,
        device_id=finding.device_id,
        kind=finding.kind,
        raised_at=finding.at,
        reason=finding.reason,
        verified=finding.verified,
        incident_id=incident_id,
    )
