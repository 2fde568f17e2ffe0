"""Messages in: decode, decide and write a batch in one transaction; only then may it be acknowledged."""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from time import perf_counter

from ingest import quirks
from ingest.decode import Decoded, Decoder, Gateway, World
from ingest.dialects.common import shorten
from ingest.message import Message
from rules.decisions import FindingEvent
from rules.readings import ALARM_STATES, LIFE_SAFETY_KINDS, Reading
from shouwang import liveness, situations, verdicts
from shouwang.aside import Allowance
from shouwang.core import Core
from shouwang.departures import Departures
from shouwang.history import History
from shouwang.known import Known
from shouwang.meeting import Meetings
from shouwang.ordered import Ordered
from shouwang.probing import Probing
from shouwang.security import Security
from shouwang.sieve import Sieve
from store import commissioning, due, findings, hearing, locks, quarantine, registry, states, strangers
from store.database import Transaction
from store.errors import DatabaseError, StaleIncident
from store.quarantine import Quarantined
from store.strangers import Stranger

_log = logging.getLogger(__name__)

#: So many life-safety alarms close a transaction: deciding on one takes a millisecond or two, and the first of a
#: thousand must not wait for the last. As many as the dispatcher has room for.
ALARMS_AT_ONCE = 12
#: So many bytes of a payload are kept of what is set aside: enough to see what it was.
MOST_KEPT = 16_384
_ALARMING = frozenset({"alarm", *ALARM_STATES.values()})


class Intake:
    """Takes batches of messages; holds caches of what rarely changes, and nothing that is not in the database."""

    def __init__(self, core: Core, decoder: Decoder, *, cached_names: int = 10_000) -> None:
        self._core = core
        self._decoder = decoder
        self._known = Known(cached_names)
        self._quirks = quirks.known()
        self._gateways: dict[tuple[str, str], Gateway] | None = None
        self._aside = Allowance()
        self._meetings = Meetings()
        #: What is too much of a good thing, and what looks like no good thing at all.
        self.sieve = Sieve()
        self.history = History()
        self.security = Security()
        #: A batch that could not be committed as a whole.
        self._begun: Ordered | None = None
        #: How what is decided leaves at once; without it, the dispatcher finds it.
        self.departures: Departures | None = None
        #: Who takes probes; without it they are messages like all others.
        self.probing: Probing | None = None

    def use(self, decoder: Decoder) -> None:
        """Go on with other sources, and forget what was known of the registry: it has changed."""
        self._decoder = decoder
        self.forget()

    def forget(self) -> None:
        """Empty the caches; the next batch reads the database again."""
        self._known.forget()
        self._gateways = None
        self.sieve.sizes.clear()

    async def take_in(self, messages: Sequence[Message], *, send_at_once: bool = True) -> None:
        """Commit everything that a batch causes, in one transaction, or in several where many alarms are in it.

        Returning means that it is on disk (invariant ack-after-commit). Raises DatabaseError while the database cannot
        be written, StaleIncident or StaleRulesError where something came between; handed over again, the same batch
        goes on behind what was committed of it. Whatever else goes wrong with one message puts that message into
        quarantine and never stops the others (invariant nothing-dropped). With `send_at_once`, what was decided has
        left on return, as far as there was room.
        """
        began = perf_counter()
        self._core.note_crowd(len(messages))
        ordered = self._begun
        if ordered is None or ordered.handed_over is not messages:
            ordered = Ordered(messages, self._decoder)
            self.sieve.weigh(messages, self._core.now())
        self._begun = None
        try:
            while ordered.left:
                await self._take_part(ordered, send_at_once=send_at_once)
        except BaseException:
            if ordered.done:
                self._begun = ordered
            raise
        self._core.note_crowd(len(messages))
        metrics = self._core.metrics
        metrics.batch_size.observe(len(messages))
        metrics.message_handling.observe(perf_counter() - began)

    async def _take_part(self, ordered: Ordered, *, send_at_once: bool) -> None:
        """Commit what the next of some messages cause."""
        try:
            await self._undisturbed(ordered, self.departures if send_at_once else None)
        except (DatabaseError, StaleIncident, situations.StaleRulesError):
            self.forget()
            raise
        except Exception as error:  # noqa: BLE001 - no message may stop the others (nothing-dropped)
            self.forget()
            if send_at_once:
                # Whatever else was done in the same transaction may be what failed.
                messages = ordered.next
                _log.exception("a batch of %d messages failed; taking them one by one", len(messages))
                for message in messages:
                    await self.take_in([message], send_at_once=False)
                    ordered.done += 1
                return
            message = ordered.next[0]
            _log.exception("a message on %s failed and goes to quarantine", message.topic)
            await self._set_aside(message, "internal_error", f"{type(error).__name__} while handling it; see the log")
            ordered.done += 1

    async def _undisturbed(self, ordered: Ordered, departures: Departures | None) -> None:
        """Commit, and let what was claimed leave, also where we are told to stop meanwhile: it would be a doubt."""
        if departures is None:
            await self._commit(ordered, None)
            return
        with departures.promised():
            work = asyncio.create_task(self._commit(ordered, departures), name="a part of a batch")
            try:
                await asyncio.shield(work)
            except asyncio.CancelledError:
                await asyncio.wait([work])
                raise

    async def _commit(self, ordered: Ordered, departures: Departures | None) -> None:
        """Decide and write what stands next, up to so many alarms, in one transaction."""
        core, probing = self._core, self.probing
        async with core.deciding, core.database.write() as tx:
            decoder = self._decoder
            world = await self._world(tx, ordered.names(decoder))
            messages = ordered.next
            readings: list[Reading] = []
            heard: Counter[str | None] = Counter()
            aside: list[Quarantined] = []
            calls: list[Message] = []
            met: list[Stranger] = []
            for large in self.sieve.unsized:
                self.sieve.sizes[large] = await registry.count_devices(tx, large)
            crowd = self.sieve.crowd()
            alarms = taken = 0
            for message in messages:
                taken += 1
                if probing is not None and probing.concerns(message):
                    calls.append(message)
                    continue
                if message.size:
                    aside.append(_quarantined(message, "too_large", _too_large(message)))
                    continue
                if crowd is not None and (crowd.is_strange(message, decoder, world) or crowd.repeats(message)):
                    continue
                decoded = decoder.decode(message, world)
                heard[decoded.source] += 1
                known = len(readings)
                if message.dup:
                    readings.extend(one._replace(redelivered=True) for one in decoded.readings)
                else:
                    readings.extend(decoded.readings)
                if crowd is not None and crowd.is_thick(message, decoded.source):
                    crowd.mark(known, len(readings))
                if decoded.quarantine is not None:
                    aside.append(_quarantined(message, *decoded.quarantine))
                if decoded.strangers:
                    met.extend(self._meetings.meet(message, decoded, world, decoder))
                if decoded.unmapped:
                    aside += _to_be_mapped(message, decoded, world)
                if decoded.definitions is not None or decoded.learnt is not None or decoded.gateway is not None:
                    await self._heed_gateway(tx, decoded, world, message.received_at)
                for one in decoded.readings:
                    if one.state in _ALARMING and one.kind in LIFE_SAFETY_KINDS:
                        alarms += 1
                if alarms >= ALARMS_AT_ONCE:
                    break
            if crowd is not None:
                readings = crowd.thin(readings)
            raised = await self._decide(tx, readings, world) if readings else 0
            if calls and probing is not None:
                probes = await probing.take(tx, calls)
                raised += probes.let_through
                aside += [_quarantined(message, "strange_probe", why) for message, why in probes.strange]
            if met:
                await strangers.note(tx, met)
            kept = self._aside.choose(aside, core.now()) if aside else ()
            if kept:
                await quarantine.add(tx, kept)
            thick = self.sieve.news() if crowd is not None else ()
            entries = await self.security.gather(tx, kept, thick, decoder, core.now()) if kept or thick else ()
            leaving = await departures.claim(tx) if raised and departures else None
        if leaving and departures:
            await departures.start(leaving)
        elif raised:
            core.wake_dispatcher()
        for source, count in heard.items():
            core.metrics.messages.labels(source or "none").inc(count)
        for row in aside:
            core.metrics.quarantine.labels(row.reason).inc()
        self._aside.count(kept)
        self.sieve.took(crowd, heard, thick)
        if crowd is not None:
            for what, count in crowd.left_out.items():
                core.metrics.thinned.labels(what).inc(count)
            # Whatever is of nobody is counted as such, also where it was not looked at.
            core.metrics.quarantine.labels("unknown_device").inc(crowd.left_out["strange"])
        if entries:
            self.security.wrote(entries, core.now())
        for row in kept:
            _log.warning("quarantined %s: %s", row.topic, row.sentence)
        ordered.done += taken

    async def _world(self, tx: Transaction, names: set[tuple[str, str]]) -> World:
        """Gather what decoding a batch takes. The caches may be emptied meanwhile, and what is gathered may not."""
        epoch = self._known.epoch
        devices, definitions, missing = self._known.find(names)
        gateways = self._gateways
        if missing:
            defined = await registry.definitions(tx, missing)
            registered = await registry.devices_named(tx, missing)
            found = {name: self._quirks.fitted(device, defined.get(name)) for name, device in registered.items()}
            devices |= found
            definitions |= defined
        if gateways is None:
            gateways = {
                gateway: Gateway(state=row.state, started_at=row.started_at)
                for gateway, row in (await registry.gateways(tx)).items()
            }
        if epoch == self._known.epoch:
            self._gateways = gateways
            if missing:
                self._known.remember(missing, found, defined)
        return World(devices=devices, definitions=definitions, gateways=gateways)

    async def _heed_gateway(self, tx: Transaction, decoded: Decoded, world: World, at: datetime) -> None:
        promised = None
        if decoded.source is not None and liveness.says_heartbeats(decoded.definitions, decoded.learnt):
            promised = await registry.said_heartbeats(tx, decoded.source)
        if decoded.definitions is not None and decoded.source is not None:
            await registry.replace_definitions(tx, decoded.source, decoded.definitions)
            self._known.forget_source(decoded.source)
            for name in world.devices:
                if name[0] == decoded.source and name[1] in decoded.definitions:
                    world.definitions[name] = decoded.definitions[name[1]]
        if decoded.learnt is not None and decoded.source is not None:
            await registry.learn(tx, decoded.source, decoded.learnt)
            self._known.forget_names(decoded.source, decoded.learnt)
            for known, definition in decoded.learnt.items():
                if definition is None:
                    world.definitions.pop((decoded.source, known), None)
                else:
                    world.definitions[decoded.source, known] = definition
        if promised is not None and decoded.source is not None:
            engine = self._core.rules.engine
            if await liveness.heed_heartbeats(tx, decoded.source, promised, engine, self._core.now()):
                self._known.forget()
        if (word := decoded.gateway) is not None:
            await registry.set_gateway(tx, word.source, word.name, word.state, at=at, started_at=word.started_at)
            heard_of = hearing.key(word.source, word.name)
            await (hearing.loses if word.state == "offline" else hearing.regains)(tx, heard_of, at)
            before = world.gateways.get((word.source, word.name))
            if before is None or before.state != word.state:
                await due.put(tx, [liveness.gateway_said(word.source, word.name, at)])
            world.gateways[word.source, word.name] = Gateway(
                state=word.state, started_at=word.started_at or (before.started_at if before else None)
            )

    async def _decide(self, tx: Transaction, readings: Sequence[Reading], world: World) -> int:
        core = self._core
        devices = {device.id: device for device in world.devices.values()}
        heard = {reading.device_id for reading in readings}
        homes = {devices[device_id].home_id for device_id in heard}
        # Another process may be deciding about the same home: whoever comes second sees what the first has made of it.
        await locks.homes(tx, homes)
        tested = await commissioning.under_test(tx, homes, core.now()) if _any_alarm(readings) else set()
        if tested:
            readings = [
                one._replace(under_test=True) if devices[one.device_id].home_id in tested else one for one in readings
            ]
        away: set[str] = set()
        if core.rules.messages_need_away:
            away = await registry.away(tx, homes)
        evaluation = core.rules.engine.evaluate(
            readings,
            devices=devices,
            states=await states.load(tx, heard),
            standing=await findings.standing(tx, heard | homes),
            away=away,
        )
        if evaluation.states:
            await states.save(tx, evaluation.states)
        if evaluation.touched:
            await states.touch(tx, evaluation.touched)
        if evaluation.changes:
            changes = self.history.choose(evaluation.changes, core.now())
            core.metrics.thinned.labels("history").inc(len(evaluation.changes) - len(changes))
            await states.record_changes(tx, changes)
        if evaluation.due:
            await verdicts.write_due(tx, evaluation.due)
        found = evaluation.findings
        if found and (tested or (tested := await commissioning.under_test(tx, homes, core.now()))):
            # Somebody opens its doors and presses its buttons to see whether we hear it: nobody is paged.
            found = [one for one in found if one.event is not FindingEvent.RAISED or one.home_id not in tested]
        # Life first, also within one batch.
        for finding in sorted(found, key=lambda one: one.kind not in LIFE_SAFETY_KINDS):
            await situations.settle(core, tx, finding, core.now())
        return len(found)

    async def _set_aside(self, message: Message, reason: str, sentence: str) -> None:
        kept = self._aside.choose([_quarantined(message, reason, sentence)], self._core.now())
        async with self._core.database.write() as tx:
            await quarantine.add(tx, kept)
        self._aside.count(kept)
        self._core.metrics.quarantine.labels(reason).inc()


def _any_alarm(readings: Sequence[Reading]) -> bool:
    return any(one.state in _ALARMING for one in readings)


def _to_be_mapped(message: Message, decoded: Decoded, world: World) -> list[Quarantined]:
    """Say of each field of our devices that somebody has to write down what it means."""
    devices = {one: world.devices.get((decoded.source or "", one.name)) for one in decoded.unmapped}
    return [
        _quarantined(
            message,
            "needs_mapping",
            f"{device.id} says {one.said!r} in {one.field!r} ({one.what}), and nobody has written down what that means;"
            f" add a `map:` for {one.field!r} to the device in devices.yaml.",
        )
        for one, device in devices.items()
        if device is not None
    ]


def _too_large(message: Message) -> str:
    """Say why a message is not taken in."""
    return (
        f"The payload has {message.size:,} bytes, more than SHOUWANG_MQTT__PAYLOAD_LIMIT allows; its first"
        f" {len(message.payload):,} are kept."
    )


def _quarantined(message: Message, reason: str, sentence: str) -> Quarantined:
    return Quarantined(
        received_at=message.received_at,
        topic=shorten(message.topic, 1_000),
        payload=message.payload[:MOST_KEPT],
        retain=message.retain,
        reason=reason,
        sentence=sentence,
    )
