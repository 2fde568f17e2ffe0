"""The files of a kind read into values; what is wrong is gathered, and nothing stops at the first mistake."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, get_args, get_origin

from pydantic import TypeAdapter, ValidationError

from shouwang.config.entries import DevicesFile, Entry, GridsFile
from shouwang.config.files import Digester, Found, find
from shouwang.config.notes import At, Notes
from shouwang.config.places import Place
from shouwang.config.problems import Problem, nearest
from shouwang.config.reader import RawEntry, Reader
from shouwang.config.rule_entries import RulesFile
from shouwang.config.sentences import sentences

FILES: Final[dict[str, type[Entry]]] = {"devices": DevicesFile, "grids": GridsFile, "rules": RulesFile}


@dataclass(slots=True)
class Item:
    """An entry of a section: where it is, and the value of `rules` that it stands for; None where it is wrong."""

    file: Found
    section: str
    key: str | int
    id: str
    value: Any = None

    def at(self, *loc: str | int, at_key: bool = False) -> At:
        """Give the place of something in the entry."""
        return At(self.file, Place((self.section, self.key, *loc), at_key))


@dataclass(slots=True)
class Reading:
    """What has been read of all the files so far, and everything that is wrong with it."""

    environ: Mapping[str, str]
    notes: Notes = field(default_factory=Notes)
    #: By section (`homes`, `grids`, `rules` …), in the order of the files.
    items: dict[str, list[Item]] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    #: Sections of which not everything could be read, so that what seems to be missing may be there.
    incomplete: set[str] = field(default_factory=set)

    def values(self, section: str) -> list[Any]:
        """The values of a section, without those that are wrong."""
        return [item.value for item in self.items[section] if item.value is not None]

    def read(self, directory: Path, kind: str) -> None:
        """Read the files of one kind."""
        found, problems = find(directory, kind)
        self.notes.add_placed(*problems)
        self.read_files(found, kind)

    def read_files(self, found: Sequence[Found], kind: str) -> None:
        """Read these files as those of one kind, whatever they are called."""
        sections = FILES[kind].model_fields.keys() - {"version"}
        self.items.update({section: [] for section in sections})
        if not found:
            self.incomplete |= sections
        digester = Digester(self.environ)
        for file in found:
            self.notes.files.append(file)
            try:
                content = file.path.read_bytes()
            except OSError as error:
                self.notes.add_placed(Problem(file=file.name, message=f"the file cannot be read: {error.strerror}"))
                self.incomplete |= sections
                continue
            digester.add(file.path.name, [content])
            self._read_file(FILES[kind], file, content)
        self.digests[f"{kind}.yaml"] = digester.result()

    def _read_file(self, model: type[Entry], file: Found, content: bytes) -> None:
        reader = Reader(file.name, content, self.environ)
        versioned = False
        for raw in reader.entries():
            if raw.section == "version":
                versioned = True
                if raw.value != 1 or raw.value is True:
                    self.notes.add(At(file, Place(("version",))), "this can only be 1, the version of the format")
            elif raw.section in model.model_fields:
                self._read_entry(file, raw)
            else:
                self._unknown_section(file, raw.section, model)
        if not versioned and not reader.problems:
            self.notes.add(At(file, Place(())), "`version: 1` is missing; write it as the first line")
        self.notes.add_placed(*reader.problems)
        self.notes.substituted |= reader.substituted
        if reader.broken:
            self.incomplete |= model.model_fields.keys()

    def _unknown_section(self, file: Found, word: str, model: type[Entry]) -> None:
        known = list(model.model_fields)
        elsewhere = next((kind for kind, other in FILES.items() if word in other.model_fields), None)
        meant = nearest(word, known)
        if elsewhere is not None:
            hint = f"it belongs into {elsewhere}.yaml"
        elif meant is not None:
            # What stands under it is not read, so nothing is known of it.
            self.incomplete.add(meant)
            hint = f"did you mean '{meant}'?"
        else:
            hint = f"known here: {', '.join(known)}"
        self.notes.add(At(file, Place((word,), at_key=True)), f"unknown key '{word}'; {hint}")

    def _read_entry(self, file: Found, raw: RawEntry) -> None:
        shape = _SHAPES[raw.section]
        if raw.key is None and raw.value is None:
            return  # an empty section
        if raw.key is None or isinstance(raw.key, int) is not shape.is_list:
            wanted = "a list: lines that begin with `- `" if shape.is_list else "a mapping: indented lines of `name: …`"
            self.notes.add(At(file, Place((raw.section,))), f"this should be {wanted}")
            self.incomplete.add(raw.section)
            return
        if shape.is_list:
            identity = str(raw.value.get("id", "")) if isinstance(raw.value, dict) else ""
            item = Item(file, raw.section, raw.key, identity)
            entry = self._validate(item, shape.entry, raw.value)
            item.value = None if entry is None else entry.value()
        else:
            item = Item(file, raw.section, raw.key, str(raw.key))
            name = self._validate(item, shape.key, raw.key, at_key=True)
            entry = self._validate(item, shape.entry, raw.value)
            item.value = None if entry is None or name is None else entry.value(name)
        self.items[raw.section].append(item)

    def _validate(self, item: Item, part: "_Part", value: Any, *, at_key: bool = False) -> Any:
        try:
            return part.adapter.validate_python(value)
        except ValidationError as error:
            for said in sentences(part.annotation, error.errors(include_url=False)):
                place = item.at(*said.place.loc, at_key=at_key or said.place.at_key)
                self.notes.add(place, said.message)
        return None


class _Part:
    """A type, as it is written and as it is validated."""

    def __init__(self, annotation: Any) -> None:
        self.annotation = annotation
        self.adapter: TypeAdapter[Any] = TypeAdapter(annotation)


class _Shape:
    """What a section holds: entries in a list, or entries by name."""

    def __init__(self, annotation: Any) -> None:
        arguments = get_args(annotation)
        self.is_list = get_origin(annotation) is list
        self.key = _Part(arguments[0])
        self.entry = _Part(arguments[-1])


_SHAPES: Final = {
    name: _Shape(section.annotation)
    for model in FILES.values()
    for name, section in model.model_fields.items()
    if name != "version"
}
