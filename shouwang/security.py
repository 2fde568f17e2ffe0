"""What looks as if somebody meant harm: gathered while messages are taken in, kept in the security journal, and told.

It costs little whatever comes: a subject is written at most once a minute, and a thousand subjects within an hour.
"""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta

from ingest.decode import Decoder
from ingest.dialects.common import shorten
from ingest.message import Message
from shouwang.sieve import Thick
from store import registry, security
from store.database import Transaction
from store.quarantine import Quarantined
from store.security import Entry

_log = logging.getLogger(__name__)

#: Reasons of the quarantine that are entries here as well.
REASONS = frozenset({"wrong_home", "too_large"})

_EACH_AFTER = timedelta(minutes=1)
_AFRESH_AFTER = timedelta(hours=1)
_AT_MOST = 1_000
_LONGEST = 200


class Security:
    """Gathers entries, a batch at a time."""

    def __init__(self) -> None:
        #: Called with kind, source and a sentence, once they are written.
        self.tell: Callable[[str, str, str], None] = lambda _kind, _source, _detail: None
        self._since: datetime | None = None
        self._noted: dict[tuple[str, str, str], datetime] = {}

    def _entry(self, kind: str, source: str | None, subject: str, detail: str, at: datetime) -> Entry:
        """Make an entry."""
        name = shorten(subject, _LONGEST)
        return Entry(kind=kind, source=source or "", subject=name, first_at=at, last_at=at, detail=detail)

    def _of_thick(self, thick: Sequence[Thick], at: datetime) -> list[Entry]:
        """Make entries of what comes too thick."""
        return [
            self._entry(
                "flood",
                one.which if one.what == "source" else None,
                one.which,
                f"{one.number} messages of {one.what} {shorten(one.which)!r} in a minute: ordinary ones are thinned",
                at,
            )
            for one in thick
        ]

    async def gather(
        self, tx: Transaction, aside: Sequence[Quarantined], thick: Sequence[Thick], decoder: Decoder, now: datetime
    ) -> list[Entry]:
        """Make and write the entries of a batch: of what was set aside of it, and of what came too thick."""
        found = self._of_thick(thick, now)
        strange: dict[tuple[str, str], str] = {}
        for row in aside:
            if row.reason in REASONS:
                source = decoder.source_of(row.topic)
                found.append(self._entry(row.reason, source, row.topic, row.sentence, now))
            elif row.reason == "unknown_device":
                message = Message(row.topic, row.payload, row.retain, row.received_at)
                strange.update(dict.fromkeys(decoder.names(message), row.topic))
        if strange:
            found += await self._of_strangers(tx, strange, now)
        chosen = self._choose(found, now)
        if chosen:
            await security.note(tx, chosen)
        return chosen

    def wrote(self, entries: Collection[Entry], now: datetime) -> None:
        """Note that entries are committed, and tell of them."""
        for one in entries:
            self._noted[one.kind, one.source, one.subject] = now
            _log.warning("security: %s: %s", one.kind, one.detail)
            self.tell(one.kind, one.source, one.detail)

    async def _of_strangers(
        self, tx: Transaction, strange: Mapping[tuple[str, str], str], now: datetime
    ) -> list[Entry]:
        """Make entries of devices (source, name) that are known by that name, but of another source."""
        found = await registry.sources_of_names(tx, {name for _, name in strange})
        return [
            self._entry(
                "wrong_source",
                source,
                topic,
                f"Source {source} speaks of {shorten(name)!r}, which is a device of source {found[name]}.",
                now,
            )
            for (source, name), topic in strange.items()
            if name in found and found[name] != source
        ]

    def _choose(self, entries: Collection[Entry], now: datetime) -> list[Entry]:
        """Give those that are to be written."""
        if self._since is None or not timedelta() <= now - self._since < _AFRESH_AFTER:
            self._since = now
            self._noted.clear()
        chosen: dict[tuple[str, str, str], Entry] = {}
        for one in entries:
            key = (one.kind, one.source, one.subject)
            last = self._noted.get(key)
            if last is None and len(self._noted) + len(chosen) >= _AT_MOST:
                continue
            if last is None or not timedelta() <= now - last < _EACH_AFTER:
                chosen[key] = one
        return list(chosen.values())
