"""Watches phones and journals, and tells the screen what is new, in the order in which it happened."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from rules import texts
from rules.decisions import JournalEntry
from rules.sms import LIMIT, units
from shouwang.demo.screen import Screen
from shouwang.demo.stage import Stage
from simulators.life import Fact
from simulators.phones import PhoneCall
from store import incidents

#: A story as it happens: when, what comes first of things of one moment, and how to tell it.
_News = tuple[datetime, int, int, Callable[[], None]]

#: Of one moment: what a person does, what is decided, what reaches a phone.
_DONE, _DECIDED, _REACHED = range(3)


#: How a door is told, in Chinese and English.
_DOORS = {"open": ("打开", "door open"), "closed": ("关上", "door closed")}


@dataclass(slots=True)
class _Told:
    """What has been told of a call so far."""

    heard: int = 0
    pressed: int = 0
    answered: bool = False
    over: bool = False


@dataclass(slots=True)
class _Seen:
    """How far everything has been told."""

    messages: int = 0
    pushes: int = 0
    texts: dict[str, int] = field(default_factory=dict)
    journal: dict[str, int] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    calls: dict[int, _Told] = field(default_factory=dict)


class Reporter:
    """Tells what is new at each `look`."""

    def __init__(self, stage: Stage, screen: Screen) -> None:
        self._stage = stage
        self._screen = screen
        self._seen = _Seen()
        self._count = itertools.count()
        self._news: list[_News] = []

    async def look(self) -> None:
        """Tell what has happened since the last look."""
        self._replies()
        self._texts()
        self._pushes()
        self._calls()
        await self._journals()
        news, self._news = sorted(self._news, key=lambda one: one[:3]), []
        for *_, tell in news:
            tell()

    def life(self, at: datetime, facts: list[Fact]) -> None:
        """Tell of ordinary life what a neighbour would hear too: doors."""
        for fact in facts:
            if fact.kind == "contact" and not fact.routine and fact.state in _DOORS:
                home = self._stage.directory.home_of(fact.device.id)
                room = self._stage.directory.devices[fact.device.id].room or ""
                zh, en = _DOORS[fact.state]
                self._screen.line(at, "home", f"{home.address} {home.residents[0].name}家{room}：{zh}", en)

    def _add(self, at: datetime, rank: int, tell: Callable[..., None], *words: Any, **more: Any) -> None:
        self._news.append((at, rank, next(self._count), partial(tell, *words, **more)))

    # --- phones -------------------------------------------------------------------------------------------------------

    def _replies(self) -> None:
        messages = self._stage.twilio.messages
        for message in messages[self._seen.messages :]:
            if message.direction == "inbound":
                person = self._stage.directory.person(message.sender)
                at = message.created_at
                self._add(at, _DONE, self._screen.answer, at, person, "短信回复", "texts back", message.body)
        self._seen.messages = len(messages)

    def _texts(self) -> None:
        for number in self._stage.directory.people:
            arrived = self._stage.twilio.phone(number).texts
            for text in arrived[self._seen.texts.get(number, 0) :]:
                self._text(number, text.at, text.body)
            self._seen.texts[number] = len(arrived)

    def _text(self, number: str, at: datetime, body: str) -> None:
        person = self._stage.directory.person(number)
        length = units(body)
        note = f"{length}/{LIMIT} 字 characters" if length <= LIMIT else f"{length} 字 characters"
        self._add(at, _REACHED, self._screen.message, at, person, "sms", body, note=note)

    def _pushes(self) -> None:
        pushed = self._stage.push.pushed
        for delivery in pushed[self._seen.pushes :]:
            host = delivery.address.split("://")[-1].split("/")[0]
            name, at = delivery.recipient_name, delivery.created_at
            zh, en = f"推送给{name}（{host}），内容更全", f"pushed to {name} as well, with the whole plan"
            self._add(at, _REACHED, self._screen.line, at, "phone", zh, en)
        self._seen.pushes = len(pushed)

    def _calls(self) -> None:
        for number in self._stage.directory.people:
            for call in self._stage.twilio.phone(number).calls:
                told = self._seen.calls.setdefault(id(call), _Told(over=False, heard=-1))
                if not told.over:
                    self._call(number, call, told)

    def _call(self, number: str, call: PhoneCall, told: _Told) -> None:
        person, screen, now = self._stage.directory.person(number), self._screen, self._stage.clock.now()
        who = f"{person.name} {person.masked}"
        if told.heard < 0:
            told.heard = 0
            self._add(call.at, _REACHED, screen.line, call.at, "phone", f"{who} 电话响起", "the phone rings")
        if call.answered and not told.answered:
            told.answered = True
            self._add(now, _DONE, screen.line, now, "phone", f"{who} 接起电话", "picks up")
        for words in call.heard[told.heard :]:
            self._add(now, _REACHED, screen.message, now, person, "voice", words)
        for keys in call.pressed[told.pressed :]:
            self._add(now, _DONE, screen.answer, now, person, "按键", "presses", keys)
        told.heard, told.pressed = len(call.heard), len(call.pressed)
        if call.over:
            told.over = True
            if not call.answered:
                self._add(now, _REACHED, screen.line, now, "phone", f"{who} 没有接听", "no answer")

    # --- the journal --------------------------------------------------------------------------------------------------

    async def _journals(self) -> None:
        changed = [
            one for one in self._stage.incidents if self._seen.versions.get(one.id) != one.version or one.is_open
        ]
        if not changed:
            return
        async with self._stage.database.read() as tx:
            journals = [(one, await incidents.journal(tx, one.id)) for one in changed]
        for incident, journal in journals:
            self._seen.versions[incident.id] = incident.version
            for entry in journal[self._seen.journal.get(incident.id, 0) :]:
                self._add(entry.at, _DECIDED, self._decided, entry)
            self._seen.journal[incident.id] = len(journal)

    def _decided(self, entry: JournalEntry) -> None:
        zh, en = (texts.render_journal(entry, language) for language in texts.LANGUAGES)
        if entry.event == "opened":
            # What was raised is in the community's words, in either language.
            self._screen.line(entry.at, "alarm", zh, "an incident is opened")
        else:
            self._screen.line(entry.at, "shouwang", zh, en)
