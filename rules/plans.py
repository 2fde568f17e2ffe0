"""Response plans: what to do, filled in for a home."""

import re
from dataclasses import replace

from rules.community import Home
from rules.rulebook import Plan
from rules.texts import render

_PLACE = re.compile(r"\{([A-Za-z_]+(?:\.[^{}\s.]+)?)\}")

#: The places that need no name after a point.
_SINGLE = frozenset(
    {"address", "access", "resident.name", "resident.phone", "resident.notes", "contact.name", "contact.phone"}
)
_HAZARDS = "hazards."


def fill(plan: Plan, home: Home, *, language: str = "zh") -> Plan:
    """Put what is known of a home into the places of a plan.

    Places: {address}, {access}, {hazards.<name>}, {resident.name}, {resident.phone}, {resident.notes},
    {contact.name}, {contact.phone}. What is not known is said to be unknown, so that nobody looks for a word that is
    missing; other braces stay as they are.
    """
    known = _known(home)

    def value(found: re.Match[str]) -> str:
        place = found[1]
        if not is_place(place):
            return found[0]
        return known.get(place) or render("plan.unknown", language)

    return replace(
        plan,
        first=_PLACE.sub(value, plan.first),
        steps=tuple(_PLACE.sub(value, step) for step in plan.steps),
    )


def is_place(name: str) -> bool:
    """Say whether a plan may hold {name}."""
    return name in _SINGLE or (name.startswith(_HAZARDS) and len(name) > len(_HAZARDS))


def wrong_places(plan: Plan) -> tuple[str, ...]:
    """Name the places of a plan that nothing can ever fill, in the order of the text, for the check of rules.yaml."""
    found = (match[1] for text in (plan.first, *plan.steps) for match in _PLACE.finditer(text))
    return tuple(dict.fromkeys(place for place in found if not is_place(place)))


def _known(home: Home) -> dict[str, str]:
    known = {"address": home.address, "access": home.access or ""}
    known |= {_HAZARDS + name: where for name, where in home.hazards.items()}
    for resident in home.residents[:1]:
        known["resident.name"] = resident.name
        known["resident.phone"] = resident.phone or ""
        known["resident.notes"] = "、".join(resident.notes)
    for contact in home.contacts[:1]:
        known["contact.name"] = contact.name
        known["contact.phone"] = contact.phone or ""
    return known
