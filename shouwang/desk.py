"""The desk: incidents as JSON-ready views, and verbs on them; behind the API and the command line."""

from datetime import datetime, timedelta
from typing import Any

from notify.masking import mask_address, mask_text
from rules import machine, texts
from rules.decisions import Decision, Delivery, JournalEntry
from rules.incident import Incident, OutcomeKind, Verb
from rules.machine import Action
from shouwang import homes, verdicts
from shouwang.core import Core
from store import figures, incidents, outbox, registry
from store.database import Transaction
from store.figures import Figures
from web.ports import ActResult


class Desk:
    """Implements web.ports.Desk."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def incidents(self, *, open_only: bool, limit: int) -> list[dict[str, Any]]:
        """List incidents, the newest first."""
        async with self._core.database.read() as tx:
            return [view(one) for one in await incidents.listing(tx, open_only=open_only, limit=limit)]

    async def incident(self, reference: str) -> dict[str, Any] | None:
        """Show one, by id, beginning of an id or reply code, with its journal and deliveries."""
        async with self._core.database.read() as tx:
            found = await incidents.find(tx, reference)
            if found is None:
                return None
            language = self._core.rules.rulebook.language
            return {
                **view(found),
                "plan": {"first": found.snapshot.plan.first, "steps": list(found.snapshot.plan.steps)},
                "journal": [_journal_view(entry, language) for entry in await incidents.journal(tx, found.id)],
                "deliveries": [_delivery_view(one) for one in await outbox.of_incident(tx, found.id)],
            }

    async def act(
        self,
        reference: str,
        verb: Verb,
        *,
        by: str,
        via: str,
        outcome: OutcomeKind | None = None,
        note: str | None = None,
    ) -> ActResult:
        """Do something to an incident for somebody; `by` is a worker's id or any name the desk gives."""
        now = self._core.now()

        async def unit(tx: Transaction) -> Decision | None:
            found = await incidents.find(tx, reference)
            if found is None:
                return None
            before = await incidents.load(tx, found.id, lock=True) or found
            worker = (await registry.workers(tx, [by])).get(by)
            action = Action(
                verb=verb, by=by, by_name=worker.name if worker else by, via=via, outcome=outcome, note=note
            )
            decision = machine.act(before, action, paged=await outbox.paged(tx, before.id), now=now)
            await verdicts.write(self._core, tx, decision, before=before, now=now)
            return decision

        decision = await self._core.database.transact(unit)
        self._core.wake_dispatcher()
        if decision is None:
            return ActResult(found=False)
        return ActResult(found=True, refused=decision.refusal, incident=view(decision.incident), answer=decision.answer)

    async def homes(self, *, unwatched_only: bool, limit: int, after: str = "") -> dict[str, Any]:
        """List homes by id with whether they are watched over, from behind an id."""
        async with self._core.database.read() as tx:
            return await homes.listing(tx, self._core.now(), unwatched_only=unwatched_only, limit=limit, after=after)

    async def delivery_figures(self, *, days: float) -> dict[str, Any]:
        """What became of what was sent in the last days, by person, channel and provider, and of each provider."""
        since = self._core.now() - timedelta(days=days)
        async with self._core.database.read() as tx:
            found = await figures.since(tx, since)
        return {
            "since": _iso(since),
            "figures": [_figures_view(one) for one in found],
            "providers": [_figures_view(one) for one in figures.by_provider(found)],
        }


def view(incident: Incident) -> dict[str, Any]:
    """An incident as the API shows it. People are named only where somebody must know whom to look for."""
    home = incident.snapshot.home
    return {
        "id": incident.id,
        "code": incident.code,
        "state": str(incident.state),
        "severity": str(incident.severity),
        "title": incident.title,
        "kinds": list(incident.kinds),
        "home": home.id,
        "address": home.address,
        "grid": home.grid,
        "residents": [resident.name for resident in home.residents],
        "verified": incident.verified,
        "drill": incident.drill,
        "count": incident.count,
        "round": incident.round,
        "step": incident.step,
        "opened_at": _iso(incident.opened_at),
        "answered_by": incident.answered_by,
        "answered_by_name": incident.answered_by_name,
        "answered_at": _iso(incident.answered_at),
        "arrived_at": _iso(incident.arrived_at),
        "resolved_at": _iso(incident.resolved_at),
        "outcome": str(incident.outcome) if incident.outcome else None,
        "outcome_by": incident.outcome_by,
        "note": incident.note,
    }


def _journal_view(entry: JournalEntry, language: str) -> dict[str, Any]:
    return {
        "at": _iso(entry.at),
        "event": entry.event,
        "actor": entry.actor,
        "words": texts.render_journal(entry, language),
    }


def _delivery_view(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "step": delivery.step_key,
        "to": delivery.recipient_name,
        "channel": delivery.channel,
        "address": mask_address(delivery.address),
        "purpose": str(delivery.purpose),
        "state": str(delivery.state),
        "provider_status": delivery.provider_status,
        "provider": delivery.provider,
        "attempts": delivery.attempts,
        "late_s": delivery.late_s,
        "text": mask_text(delivery.text),
        "error": delivery.error,
        "created_at": _iso(delivery.created_at),
    }


def _figures_view(figures: Figures) -> dict[str, Any]:
    who = {"to": figures.recipient_id, "name": figures.recipient_name} if figures.recipient_id else {}
    return {
        **who,
        "channel": figures.channel,
        "provider": figures.provider,
        "accepted": figures.accepted,
        "delivered": figures.delivered,
        "failed": figures.failed,
        "unheard": figures.accepted - figures.delivered - figures.failed,
        "refused": figures.refused,
        "unanswered": figures.unanswered,
        "seconds_mean": _rounded(figures.seconds_mean),
        "seconds_max": _rounded(figures.seconds_max),
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="milliseconds") if moment else None
