"""The facts of one device in one message, as a dialect finds them one by one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ingest.decoded import Unmapped
from ingest.dialects.common import freshness as freshness_of
from ingest.dialects.common import number, shorten
from ingest.dialects.meanings import ASIDE, HELP, NOT_HELP, PRESSES, Fact, as_text, mapped, read, unknown
from ingest.message import Message
from rules.community import Device, Mapped
from rules.readings import UNKNOWN, Freshness, Reading


class Facts:
    """Gathers readings; where several say something of one kind, the one of the highest rank counts.

    `observed_at` is the device's own word on the time of all of them, in UTC. `merged` and `startup` are as in Reading.
    """

    def __init__(
        self,
        device: Device,
        message: Message,
        *,
        observed_at: datetime | None = None,
        freshness: Freshness | None = None,
        under_test: bool = False,
        merged: bool = False,
        startup: bool = False,
        meanings: Mapping[str, Mapped] | None = None,
    ) -> None:
        """Begin; `meanings` is the source's map, behind the device's own."""
        self._device = device
        self._message = message
        self._observed_at = observed_at
        self._freshness = freshness_of(message) if freshness is None else freshness
        self._under_test = under_test
        self._merged = merged
        self._startup = startup
        self._maps = [one for one in (device.map, meanings) if one]
        self._ranked: dict[str, Fact] = {}
        self._others: list[Reading] = []
        self._battery: tuple[float | None, str | None] | None = None
        #: What needs a map.
        self.unmapped: list[Unmapped] = []

    @property
    def has_map(self) -> bool:
        """Whether anything is written down at all."""
        return bool(self._maps)

    @property
    def readings(self) -> list[Reading]:
        """Give what has come together."""
        found = [self._reading(fact.kind, fact.state, detail=fact.detail) for fact in self._ranked.values()]
        if self._battery is not None:
            level, state = self._battery
            found.append(self._reading("battery", state, level, None if level is None else "%"))
        return [*found, *self._others]

    # --- what a dialect says ------------------------------------------------------------------------------------------

    def value(self, kind: str, value: Any, *, inverted: bool = False, detail: str | None = None) -> None:
        """Take a value in the usual words: true, 1, ON, alarm … (see meanings.read)."""
        fact = read(kind, value, inverted=inverted)
        self.fact(fact if detail is None else fact._replace(detail=detail))

    def fact(self, fact: Fact) -> None:
        """Take a fact; of several on one kind the highest rank counts."""
        if fact.kind == "battery":
            self.battery(state=fact.state)
            return
        if fact.kind == "contact" and self._device.invert:
            fact = fact._replace(state={"open": "closed", "closed": "open"}.get(fact.state, fact.state))
        known = self._ranked.get(fact.kind)
        if known is None or fact.rank > known.rank:
            self._ranked[fact.kind] = fact

    def number(self, kind: str, value: Any, unit: str | None, *, detail: str | None = None) -> None:
        """Take a number; what is none, or not finite, is unknown."""
        figure = number(value)
        state = UNKNOWN if figure is None else None
        self._others.append(self._reading(kind, state, figure, unit if figure is not None else None, detail))

    def battery(self, level: Any = None, *, state: str | None = None) -> None:
        """Take a battery's level in percent, or `low` and `ok`; what cannot be a level says nothing."""
        figure = number(level)
        if figure is not None and not 0 <= figure <= 100:
            figure = None
        if figure is None and state in {None, UNKNOWN}:
            return
        known = self._battery or (None, None)
        self._battery = (known[0] if figure is None else figure, known[1] if state in {None, UNKNOWN} else state)

    def pressed(self, action: str) -> None:
        """Take a press of a button, by its name: a call for help where its name or the device's kind says so."""
        parts = set(action.lower().replace("-", "_").replace(" ", "_").split("_"))
        helps = bool(parts & HELP) or (self._device.kind == "sos" and bool(parts & PRESSES))
        kind, state = ("sos", "pressed") if helps and not parts & NOT_HELP else ("button", shorten(action))
        self._others.append(self._reading(kind, state, detail=shorten(action)))

    def testing(self) -> None:
        """Say that the message is of a device that is being tested, where that is found on the way."""
        self._under_test = True

    def alive(self) -> None:
        """Take a sign of life that says nothing else; nothing where there is more already."""
        if not (self._ranked or self._others or self._battery):
            self._others.append(self._reading("heartbeat", "alive"))

    def by_map(self, field: str, value: Any, *, what: str, known: bool = False) -> bool:
        """Take a field as staff have written it down; say whether they have.

        Where they have not, and the dialect does not know the field otherwise (`known`), it needs a map: it is listed
        in `unmapped` as `what` (switch, input, entity, rf_code, bthome, event, alarm_bit).
        """
        for meanings in self._maps:
            how = meanings.get(field)
            if how is None:
                continue
            if how.kind is None:
                return True
            state, figure = mapped(how, value)
            if figure is not None and how.kind == "battery":
                self.battery(figure)
            elif state is None or how.kind == "battery":
                detail = shorten(field) if how.kind == "measurement" else None
                self._others.append(self._reading(how.kind, state, figure, how.unit, detail))
            elif state in ASIDE and state not in {how.kind, UNKNOWN}:
                self.fact(unknown(how.kind))
                self.fact(ASIDE[state]._replace(detail=shorten(as_text(value)) if state == "fault" else None))
            elif how.kind in {"button", "sos"}:
                # An empty action is how a press is taken back.
                if how.kind == "sos" or state != UNKNOWN:
                    self._others.append(self._reading(how.kind, state, detail=shorten(as_text(value))))
            else:
                self.fact(Fact(_RANKS.get(state, 0), how.kind, state))
            return True
        if not known:
            self.unmapped.append(Unmapped(self._device.name, what, field, shorten(as_text(value))))
        return False

    def _reading(
        self,
        kind: str,
        state: str | None,
        value: float | None = None,
        unit: str | None = None,
        detail: str | None = None,
    ) -> Reading:
        return Reading(
            self._device.id,
            kind,
            self._message.received_at,
            state,
            value,
            unit,
            self._observed_at,
            self._freshness,
            self._merged,
            self._under_test,
            detail,
            self._startup,
        )


#: Of states that staff have written down, in the order of Rank.
_RANKS = {UNKNOWN: 1, **dict.fromkeys(("alarm", "open", "detected", "active", "on", "failed", "warning"), 3)}
