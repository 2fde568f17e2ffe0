"""Several messages to one person in one: what goes together, and what it then says.

Fifty homes may alarm in one second, and their worker has one telephone. What waits for the same person by the same way
when a message leaves goes along in it, each home with its own code. A message alone stays as it is.

Life-safety pages go together with life-safety pages and with nothing else, and a page is never in a message with news.
A text may take three parts: what is lost with one of them is named again by the call a minute later, and three parts
name three times as many homes as three texts do in the time that a provider takes for each.
"""

import re
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace

from rules import sms
from rules.decisions import Brief, Delivery, DeliveryState, Priority, Purpose
from rules.texts import render

#: Channels by which every message goes alone: a machine reads them, one incident each.
ALONE = frozenset({"webhook"})
#: Channels whose text is counted in parts of an SMS, and those that speak.
_SHORT = frozenset({"sms"})
_SPOKEN = frozenset({"voice"})
_FALLBACK = "zh"

#: UTF-16 units of one part of a text that takes several.
_UNITS_A_PART = 67
#: Bytes of a text on channels without parts; WeCom's robot takes 2,048.
_BYTES_AT_MOST = 1_900
#: How the line of a home ends, and hardly any heading.
_ENDS_WITH_CODE = re.compile(r" [A-Z]\d+$")
#: Homes that a call names; it says how many there are.
_SPOKEN_HOMES = 3
#: A call takes along what waits: it names the first ones, and one key takes all.
_HOMES_A_CALL = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundling:
    """How much goes into one message."""

    #: Homes in one message at the most; 1: every message goes alone.
    homes: int = 12
    #: Parts of 67 characters that a text may take.
    sms_parts: int = 3


NO_BUNDLING = Bundling(homes=1)


def together(delivery: Delivery) -> Hashable | None:
    """What deliveries have in common that may go together; None for one that goes alone.

    What was under way together before, and may have arrived, is never mixed with anything else: a late receipt says
    something of exactly those.
    """
    if delivery.bundle is not None:
        return "again", delivery.bundle
    if delivery.brief is None or delivery.channel in ALONE or delivery.state is DeliveryState.UNKNOWN:
        return None
    return (
        delivery.priority,
        delivery.recipient_id,
        delivery.channel,
        delivery.address,
        delivery.purpose,
        delivery.drill,
    )


def messages(deliveries: Iterable[Delivery], bundling: Bundling = NO_BUNDLING) -> list[list[Delivery]]:
    """Part deliveries into messages: the most urgent first, and within a message the oldest first."""
    groups: dict[Hashable, list[Delivery]] = {}
    for one in deliveries:
        among = together(one)
        groups.setdefault(("alone", one.id) if among is None else among, []).append(one)
    parted = []
    for those in groups.values():
        left = sorted(those, key=lambda one: one.id)
        while left:
            count = len(left) if left[0].bundle is not None else _fitting(left, bundling)
            parted.append(left[:count])
            left = left[count:]
    return sorted(parted, key=lambda those: (those[0].priority, those[0].id))


def as_one(those: Sequence[Delivery]) -> Delivery:
    """Give the first of some deliveries, with the others in it and the words for all; a single one as it is."""
    first, *others = sorted(those, key=lambda one: one.id)
    if not others:
        return first
    return replace(first, text=_text((first, *others)), speech=speech((first, *others)), others=tuple(others))


def is_it(delivery: Delivery, said: str) -> bool:
    """Say whether a text that is found at a provider may be a delivery's, by its words.

    A trial account puts a line of its own in front. What was in one message with others is recognised by its home's
    line under its own heading: some of the others may have been settled since, and a page and the news that somebody is
    on the way to the same home both end with its code.
    """
    if said.strip().endswith(delivery.text.strip()):
        return True
    if delivery.bundle is None:
        return False
    lines = [line.rstrip() for line in said.split("\n")]
    return all(_is_named(one, lines) for one in delivery.members)


def _is_named(one: Delivery, lines: Sequence[str]) -> bool:
    """Whether its line is there, below its heading with nothing but homes between."""
    heading, home = _lines_of(one)
    for place, line in enumerate(lines):
        if line != home:
            continue
        for above in reversed(lines[:place]):
            if above == heading:
                return True
            if not _ENDS_WITH_CODE.search(above):
                break
    return False


def speech(those: Sequence[Delivery]) -> str:
    """What a call says of several homes: how many, the first ones, and that one key takes all; empty elsewhere."""
    briefs = [one.brief for one in those if one.brief is not None]
    if those[0].channel not in _SPOKEN:
        return ""
    language = _language(those)
    said = [render("voice.bundle", language, count=len(those))]
    said += [
        render("voice.bundle_home", language, place=brief.place, what=brief.what) for brief in briefs[:_SPOKEN_HOMES]
    ]
    if len(those) > _SPOKEN_HOMES:
        said.append(render("voice.bundle_more", language, count=len(those) - _SPOKEN_HOMES))
    if those[0].purpose is Purpose.PAGE:
        said.append(render("voice.bundle_menu", language))
    else:
        said.append(render("voice.family", language))
    return ("" if language == "zh" else " ").join(said)


def _fitting(those: Sequence[Delivery], bundling: Bundling) -> int:
    """How many of them one message takes, from the first on."""
    channel = those[0].channel
    most = min(len(those), bundling.homes if channel not in _SPOKEN or bundling.homes < 2 else _HOMES_A_CALL)
    count = 1
    while count < most and (channel in _SPOKEN or _fits(_text(those[: count + 1]), channel, bundling)):
        count += 1
    return count


def _fits(text: str, channel: str, bundling: Bundling) -> bool:
    if channel in _SHORT:
        return sms.units(text) <= bundling.sms_parts * _UNITS_A_PART
    return len(text.encode()) <= _BYTES_AT_MOST


def _text(those: Sequence[Delivery]) -> str:
    """Name each home with its code, under what they have in common.

    共3处报警
    燃气泄漏 开窗关阀勿开灯
    1院1-2-301 王秀英 K7
    …
    接单回编号，都去回 全部
    """
    if len(those) == 1:
        return those[0].text
    asked = those[0].purpose is Purpose.PAGE
    groups: dict[str, list[str]] = {}
    for one in those:
        heading, home = _lines_of(one)
        groups.setdefault(heading, []).append(home)
    language = _language(those)
    alarms = asked and those[0].priority is Priority.LIFE_SAFETY_PAGE
    lines = [render("bundle.alarms" if alarms else "bundle.others", language, count=len(those))]
    for heading, homes in groups.items():
        lines += [heading, *homes]
    if asked:
        lines.append(render("bundle.ask", language))
    return "\n".join(lines)


def _lines_of(one: Delivery) -> tuple[str, str]:
    """Give the heading under which a home stands, and its line."""
    brief = one.brief or Brief(what=one.text, place="", language=_FALLBACK)
    place = sms.shorten_address(brief.place) if one.channel in _SHORT else brief.place
    return _line(brief.what, brief.first), _line(place, brief.more, one.code)


def _line(*parts: str) -> str:
    """Put parts into one line; staff may have written some of them over several."""
    return " ".join(" ".join(parts).split())


def _language(those: Sequence[Delivery]) -> str:
    return next((one.brief.language for one in those if one.brief is not None), _FALLBACK)
