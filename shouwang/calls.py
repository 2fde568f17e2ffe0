"""What a call says, and what a key does in it. A call may be about one home or about several (rules/bundle.py)."""

from dataclasses import replace

from rules import bundle, texts, wording
from rules.decisions import Delivery, Purpose
from rules.incident import Incident, IncidentState, Verb
from rules.machine import Action
from shouwang import acting, reply_for_all
from shouwang.core import Core
from store import incidents, outbox
from store.database import Transaction
from web.ports import CallScript

_KEYS = {"1": Verb.ACKNOWLEDGE, "2": Verb.CANNOT_GO}
_KEY_FOR_ALL = "3"


async def script(core: Core, tx: Transaction, delivery_id: int) -> CallScript:
    """What a call says at this moment: of the homes it was made for, those that nobody has answered."""
    about = await _about(tx, delivery_id)
    language = core.rules.rulebook.language
    if not about:
        return CallScript(speech=texts.render("voice.over", language), language=language, asks=False)
    waiting = _waiting(about)
    if len(waiting) > 1:
        those = [one for one, _ in waiting]
        said = CallScript(speech=bundle.speech(those), language=language, asks=those[0].purpose is Purpose.PAGE)
    else:
        said = _of_one(*(waiting or about)[0], language=language)
    if not said.asks:
        return said
    # The key that takes all there is, where more has come since the call was made.
    named = {incident.id for _, incident in waiting}
    others = await reply_for_all.waiting(tx, about[0][0].recipient_id, but=named)
    if not others:
        return said
    more = texts.render("voice.menu_all", language, count=len(others))
    return replace(said, speech=said.speech + ("" if language == "zh" else " ") + more)


async def press(core: Core, tx: Transaction, delivery_id: int, key: str) -> tuple[str, CallScript]:
    """Act on a key; give the verdict and what to answer. Any other key than those of the menu says it all again."""
    language = core.rules.rulebook.language
    about = await _about(tx, delivery_id)
    asks = bool(about) and about[0][0].purpose is Purpose.PAGE
    verb = _KEYS.get(key[:1])
    if not asks or (verb is None and key[:1] != _KEY_FOR_ALL):
        return "repeat", await script(core, tx, delivery_id)
    by, by_name = about[0][0].recipient_id, about[0][0].recipient_name

    async def who(_: Incident) -> tuple[str, str]:
        return by, by_name

    if verb is None:
        asked = await incidents.asked_of(tx, {by})
        verdict, answer = await reply_for_all.act_on(core, tx, Verb.ACKNOWLEDGE, asked, via="voice", mine={by}, who=who)
        return f"all_{verdict}", CallScript(speech=answer, language=language, asks=False)
    waiting = _waiting(about)
    if len(waiting) > 1:
        those = [incident for _, incident in waiting]
        verdict, answer = await reply_for_all.act_on(core, tx, verb, those, via="voice", mine={by}, who=who)
        return verdict, CallScript(speech=answer, language=language, asks=False)
    incident = (waiting or about)[0][1]
    decision = await acting.act(core, tx, incident, Action(verb=verb, by=by, by_name=by_name, via="voice"))
    if decision.refusal is not None:
        return "refused", CallScript(speech=decision.refusal, language=language, asks=False)
    return str(verb), CallScript(speech=decision.answer, language=language, asks=False)


async def _about(tx: Transaction, delivery_id: int) -> list[tuple[Delivery, Incident]]:
    """Give what a call was made for, the delivery it names first; nothing where there is no such delivery."""
    delivery = await outbox.by_id(tx, delivery_id)
    if delivery is None:
        return []
    those = sorted(await outbox.of_bundle(tx, delivery), key=lambda one: (one.id != delivery_id, one.id))
    found = [(one, await incidents.load(tx, one.incident_id)) for one in those]
    return [(one, incident) for one, incident in found if incident is not None]


def _waiting(about: list[tuple[Delivery, Incident]]) -> list[tuple[Delivery, Incident]]:
    return [
        (one, incident)
        for one, incident in about
        if incident.state is IncidentState.OPEN and one.recipient_id not in incident.declined
    ]


def _of_one(delivery: Delivery, incident: Incident, *, language: str) -> CallScript:
    """The page while it is needed, else who is on the way."""
    asks = delivery.purpose is Purpose.PAGE
    if incident.state is IncidentState.OPEN or (incident.is_open and not asks):
        return CallScript(speech=delivery.speech or delivery.text, language=language, asks=asks)
    if incident.is_open and incident.answered_by == delivery.recipient_id:
        # Their reply came while their phone rang. "You need not go" is for everybody else.
        return CallScript(speech=wording.accepted(incident, spoken=True), language=language, asks=False)
    key = "voice.answered" if incident.is_open and incident.answered_by_name else "voice.over"
    speech = texts.render(key, language, name=incident.answered_by_name or "", address=incident.snapshot.home.address)
    return CallScript(speech=speech, language=language, asks=False)
