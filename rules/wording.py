"""The words of each message, by channel: a short text, a long one, or something to be spoken."""

from dataclasses import dataclass

from rules import sms
from rules.decisions import Brief
from rules.incident import Incident
from rules.texts import duration, render, word

#: Channels whose text is one SMS, and those that speak. All others take a long text.
SHORT = frozenset({"sms"})
SPOKEN = frozenset({"voice"})

#: An answer to a reply may take some parts of an SMS, but not a bill.
_LONGEST_ANSWER = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What goes out by one channel."""

    text: str
    #: For channels that speak.
    speech: str = ""
    #: The same in parts, for a message that names several homes.
    brief: Brief | None = None


def alarm(incident: Incident, channel: str, *, asked: bool, late_s: int = 0, again: bool = False) -> Message:
    """Tell of the alarm itself: a page, or news for those who are not `asked` to answer.

    `again` for an alarm that came back while somebody is on the way, `late_s` where it should have gone out earlier.
    """
    brief = _brief(incident, channel, asked=asked, late_s=late_s, again=again)
    if channel in SPOKEN:
        return Message(
            text=_short(incident, asked=asked, late_s=late_s, again=again),
            speech=_speech(incident, asked=asked, late_s=late_s, again=again),
            brief=brief,
        )
    if channel in SHORT:
        return Message(text=_short(incident, asked=asked, late_s=late_s, again=again), brief=brief)
    return Message(text=_full(incident, asked=asked, late_s=late_s, again=again), brief=brief)


def news(incident: Incident, what: str, *, tail: str = "tail.code", name: str = "", **values: object) -> Message:
    """Tell how it goes on, in a sentence of `inform.*`; short enough for an SMS on every channel."""
    language = incident.snapshot.language
    marks = _standing_marks(incident)

    def head(words: sms.Words) -> str:
        return marks + render(f"inform.{what}", language, name=name, place=words.place, title=words.title, **values)

    words = sms.Words(title=incident.title, place=incident.snapshot.home.address)
    brief = Brief(
        what=" ".join(head(sms.Words(title="", place="")).split()),
        place=words.place,
        # What the tail asks for, once for all; each home has its code beside it.
        first="" if tail == "tail.code" else render(tail, language, code=render("bundle.code", language)),
        more=words.title,
        language=language,
    )
    return Message(text=sms.fit(head, render(tail, language, code=incident.code), words), brief=brief)


def accepted(incident: Incident, *, spoken: bool) -> str:
    """Answer somebody who has just answered: what is theirs now, and the plan as far as it fits."""
    snapshot = incident.snapshot
    language, address = snapshot.language, snapshot.home.address
    if spoken:
        return render(
            "answer.acknowledged_spoken", language, address=address, first=snapshot.plan.first, code=incident.code
        )
    text = render("answer.acknowledged", language, code=incident.code, title=incident.title, address=address)
    more = []
    if snapshot.home.access:
        more.append(render("answer.acknowledged_access", language, access=snapshot.home.access))
    more += [
        render("answer.acknowledged_plan", language, number=number, step=step)
        for number, step in enumerate(snapshot.plan.steps, start=1)
    ]
    for line in more:
        longer = f"{text}\n{line}"
        if sms.units(longer) > _LONGEST_ANSWER:
            break
        text = longer
    return text


def person(incident: Incident) -> str:
    """The resident to look for; empty where nobody is named."""
    residents = incident.snapshot.home.residents
    return residents[0].name if residents else ""


def _standing_marks(incident: Incident) -> str:
    """What every message of an incident must show."""
    language = incident.snapshot.language
    drill = render("mark.drill", language) if incident.drill else ""
    return drill if incident.verified else drill + render("mark.unverified", language)


def _marks(incident: Incident, *, late_s: int, again: bool) -> str:
    language = incident.snapshot.language
    marks = _standing_marks(incident)
    if late_s:
        marks += render("mark.late", language, delay=duration(late_s, language))
    if again:
        marks += render("mark.realert", language)
    elif incident.round:
        # Networks drop a text that is the same as the one before; that of a later round never is.
        marks += render("mark.again", language, times=incident.round + 1)
    return marks


def _brief(incident: Incident, channel: str, *, asked: bool, late_s: int, again: bool) -> Brief:
    snapshot = incident.snapshot
    language = snapshot.language
    if channel in SPOKEN:
        marks = _spoken_marks(incident, late_s=late_s, again=again)
    else:
        marks = _marks(incident, late_s=late_s, again=again)
    return Brief(
        what=marks + incident.title,
        place=snapshot.home.address,
        first=snapshot.plan.first if asked or again else render("family.first", language),
        more=person(incident),
        language=language,
    )


def _short(incident: Incident, *, asked: bool, late_s: int, again: bool) -> str:
    snapshot = incident.snapshot
    language = snapshot.language
    return sms.compose(
        marks=_marks(incident, late_s=late_s, again=again),
        title=incident.title,
        place=snapshot.home.address,
        person=person(incident),
        first=snapshot.plan.first if asked or again else render("family.first", language),
        tail=render("tail.page" if asked else "tail.code", language, code=incident.code),
    )


def _spoken_marks(incident: Incident, *, late_s: int, again: bool) -> str:
    language = incident.snapshot.language
    marks = ""
    if incident.drill:
        marks += render("voice.drill", language)
    if not incident.verified:
        marks += render("voice.unverified", language)
    if late_s:
        marks += render("voice.late", language, delay=duration(late_s, language))
    if again:
        marks += render("voice.realert", language)
    return marks


def _speech(incident: Incident, *, asked: bool, late_s: int, again: bool) -> str:
    snapshot = incident.snapshot
    language = snapshot.language
    marks = _spoken_marks(incident, late_s=late_s, again=again)
    said = [render("voice.page", language, marks=marks, place=snapshot.home.address, title=incident.title)]
    if name := person(incident):
        said.append(render("voice.person", language, person=name))
    if asked or again:
        said.append(render("voice.first", language, first=snapshot.plan.first))
    else:
        said.append(render("voice.family", language))
    if asked:
        said.append(render("voice.menu", language))
    else:
        # Nobody can press a key for it to be said again.
        said += [render("voice.again", language), *said]
    return "".join(said) if language == "zh" else " ".join(said)


def _full(incident: Incident, *, asked: bool, late_s: int, again: bool) -> str:
    snapshot = incident.snapshot
    language, home, plan = snapshot.language, snapshot.home, snapshot.plan
    lines = [
        render(
            "full.title",
            language,
            marks=_marks(incident, late_s=late_s, again=again),
            title=incident.title,
            severity=word("severity", incident.severity, language),
        ),
        render("full.place", language, address=home.address),
    ]
    for resident in home.residents:
        key = "full.resident_phone" if resident.phone else "full.resident"
        lines.append(render(key, language, name=resident.name, phone=resident.phone))
    lines.append(render("full.first", language, first=plan.first))
    if plan.steps:
        lines.append(render("full.steps", language))
        lines += [
            render("full.step", language, number=number, step=step) for number, step in enumerate(plan.steps, start=1)
        ]
    if home.access:
        lines.append(render("full.access", language, access=home.access))
    lines += [
        render("full.hazard", language, name=word("hazard", name, language), where=where)
        for name, where in home.hazards.items()
    ]
    lines.append(render("full.ask" if asked else "full.code", language, code=incident.code))
    return "\n".join(lines)
