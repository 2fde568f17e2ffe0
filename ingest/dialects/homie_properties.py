"""What a property of a Homie device says, from its id, its name and its attributes."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from ingest.dialects.common import number, parsed, shorten
from ingest.dialects.facts import Facts
from ingest.dialects.meanings import Fact, Rank, read_word
from ingest.dialects.names import Plain, Way, plain, tell
from rules.readings import UNKNOWN

_NUMBERS = frozenset({"integer", "float"})
#: Types of data that say nothing that we look for.
_OTHER_TYPES = frozenset({"color", "datetime", "duration", "json"})
#: Ids of properties that say a press.
_BUTTONS = frozenset({"button", "press", "pressed", "click", "clicked", "action", "event"})
_MOST = 500


class Property(NamedTuple):
    """What is known of a property."""

    #: As a map would name it: `<node>/<property>`.
    field: str
    id: str
    #: What may tell what it is about, the closest first.
    called: tuple[str, ...]
    datatype: str | None = None
    unit: str | None = None
    #: What false and true stand for, of a boolean whose format says so.
    words: tuple[str, str] | None = None
    settable: bool = False
    #: False: it tells of something that happens, and not of how things are.
    retained: bool = True

    @classmethod
    def of(cls, node: str, name: str, said: dict[str, Any], of_node: dict[str, Any]) -> "Property":
        """Put together what was learnt."""
        title, datatype, form = (_text(said.get(one)) for one in ("name", "datatype", "format"))
        group = _text(said.get("node")) or _text(of_node.get("name"))
        kind = _text(said.get("type")) or _text(of_node.get("type"))
        called = [name, f"{node}_{name}"]
        if title:
            called.append(title)
        called += [f"{one}_{name}" for one in (group, kind) if one]
        low, _, high = (form or "").partition(",")
        words = (low.strip(), high.strip()) if datatype == "boolean" and high and "," not in high else None
        return cls(
            f"{node}/{name}",
            name,
            tuple(called),
            datatype,
            _text(said.get("unit")),
            words,
            said.get("settable") in {True, "true"},
            said.get("retained") not in {False, "false"},
        )

    @property
    def told(self) -> tuple[str, Plain] | None:
        """What it is plainly about, and by what name."""
        # A name is not a path, whatever is in it.
        for name in (one.replace("/", "_") for one in self.called):
            if (known := plain(name)) is not None:
                return name, known
        return None


def take(facts: Facts, known: Property, value: str | None, *, retained: bool) -> str | None:
    """Take a value, or None for one that is not known; give the word why it is of no interest, or None."""
    if facts.by_map(known.field, value, what="entity", known=True):
        return None
    if facts.by_map(known.id, value, what="entity", known=True):
        return None
    if known.datatype in _OTHER_TYPES:
        return "attribute"
    told = known.told
    figure = number(value) if known.datatype in {*_NUMBERS, None} else None
    if told is None or (told[1].kind == "contact" and figure is not None):
        return _untold(facts, known, value, figure, retained=retained)
    name, meaning = told
    if retained and not known.retained:
        # It happened before; nothing that is told here can be of now.
        facts.fact(Fact(Rank.CLEAR, "button", shorten(value or UNKNOWN), shorten(value or UNKNOWN)))
        return None
    if known.datatype in _NUMBERS and figure is None:
        tell(facts, name, None, unit=known.unit)
    elif figure is not None:
        # A float is an amount of gas, a 1 an alarm of it.
        whole = known.datatype != "float" and figure.is_integer()
        tell(facts, name, int(figure) if whole else figure, unit=known.unit)
    elif value is not None and known.words is not None and value in {"true", "false"}:
        _said(facts, name, meaning, known.words[value == "true"], value)
    elif not tell(facts, name, {"true": True, "false": False}.get(value or "", value)):
        facts.by_map(known.field, value, what="entity")
    return None


def _said(facts: Facts, name: str, meaning: Plain, word: str, value: str) -> None:
    """Take what true or false stands for by the format; where that is no word of ours, what the name says."""
    if read_word(meaning.kind, word).state != UNKNOWN:
        facts.fact(read_word(meaning.kind, word))
    elif meaning.way is Way.WORDS or not tell(facts, name, value == "true"):
        facts.by_map(name, value, what="entity")


def _untold(facts: Facts, known: Property, value: str | None, figure: float | None, *, retained: bool) -> str | None:
    if figure is not None and known.id not in _BUTTONS:
        facts.number("measurement", figure, known.unit, detail=shorten(known.id))
        return None
    if known.datatype in _NUMBERS or value is None:
        return "invalid_value"
    if known.id in _BUTTONS or not known.retained:
        if retained:
            facts.fact(Fact(Rank.CLEAR, "button", shorten(value), shorten(value)))
        elif value != "false":
            facts.pressed("press" if value == "true" else value)
        else:
            return "empty_action_reset"
        return None
    if known.settable:
        return "not_a_safety_sensor"
    facts.by_map(known.field, value, what="entity")
    return None


def description(payload: bytes) -> dict[str, dict[str, Any]]:
    """Give what a `$description` says of each property, by `<node>/<property>`."""
    try:
        document = parsed(payload) if payload else None
    except ValueError:
        document = None
    if type(document) is not dict:
        return {}
    found: dict[str, dict[str, Any]] = {}
    for node, group in _each(document.get("nodes")):
        for name, said in _each(group.get("properties")):
            if len(found) >= _MOST:
                return found
            kept: dict[str, Any] = {
                one: shorten(said[one], 300)
                for one in ("name", "datatype", "format", "unit")
                if type(said.get(one)) is str
            }
            kept |= {one: said[one] for one in ("settable", "retained") if type(said.get(one)) is bool}
            kept |= {
                short: shorten(group[one])
                for one, short in (("name", "node"), ("type", "type"))
                if _text(group.get(one))
            }
            found[f"{node}/{name}"] = kept
    return found


def _each(said: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Walk over nodes or properties: an object by id, or a list of objects with ids."""
    if isinstance(said, dict):
        yield from ((name, one) for name, one in said.items() if type(one) is dict)
    elif isinstance(said, list):
        yield from ((one["id"], one) for one in said if type(one) is dict and type(one.get("id")) is str)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
