"""How the messages of a gateway of one's own are laid out, as people write it (dialect json)."""

from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, field_validator, model_validator

from ingest.dialects.json_paths import PathError, Template, path
from ingest.dialects.json_times import FORMATS
from ingest.dialects.meanings import as_text
from rules.community import Availability, Layout
from shouwang.config.problems import one_of
from shouwang.config.scalars import OneOrMany, OneOrSeveral, OrText, Text, sentence

#: The dialect that has layouts.
JSON: Final = "json"


def _texts(value: Any) -> Any:
    """Read one value or several as the texts that a payload's are compared with: true, 1, ON."""
    if isinstance(value, dict) or value is None:
        return value
    return [as_text(one) for one in (value if isinstance(value, list) else [value])]


_Scalar = str | int | float | bool
Scalars = Annotated[list[Text], BeforeValidator(_texts, json_schema_input_type=list[_Scalar] | _Scalar)]
Conditions = dict[Text, Scalars]


def path_problem(text: str) -> str | None:
    """Say in a sentence why a path cannot be read; None where it can."""
    try:
        path(text)
    except PathError as error:
        return str(error)
    return None


def checked_path(text: str, *at: str) -> str:
    """Give a path that can be read; else the sentence that says why not."""
    if problem := path_problem(text):
        raise sentence(problem, *at)
    return text


def checked_template(text: str, *at: str | int) -> str:
    """Give a template of topics that can be read; else the sentence that says why not."""
    try:
        Template(text)
    except PathError as error:
        raise sentence(str(error), *at) from None
    return text


Path = Annotated[Text, BeforeValidator(lambda value: checked_path(value) if isinstance(value, str) else value)]
TopicTemplate = Annotated[
    Text, BeforeValidator(lambda value: checked_template(value) if isinstance(value, str) else value)
]


class Part(BaseModel):
    """An entry as all are (entries.Entry stands on this file): a key it does not know is a mistake."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class TimeEntry(Part):
    """Where a device's own time is."""

    path: Path
    """Where it stands in the payload."""
    format: Text | None = None
    """s, ms, us or ns since 1970, iso, or how it is written, e.g. "%Y-%m-%d %H:%M:%S"; otherwise it is found out."""
    zone: Text | None = None
    """The zone of a time that is written without one, e.g. Asia/Shanghai."""

    @model_validator(mode="before")
    @classmethod
    def _from_a_path(cls, value: Any) -> Any:
        return {"path": value} if isinstance(value, str) else value

    @field_validator("format")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if value is not None and value not in FORMATS and "%" not in value:
            raise sentence(f"'{value}' is no form of a time such as \"%Y-%m-%d %H:%M:%S\"; {one_of(value, FORMATS)}")
        return value

    @field_validator("zone")
    @classmethod
    def _exists(cls, value: str | None) -> str | None:
        try:
            if value is not None:
                ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise sentence(f"there is no time zone '{value}'; write one such as Asia/Shanghai") from None
        return value


class AvailabilityEntry(Part):
    """Where a gateway says whether it, or a device of it, is there."""

    topic: TopicTemplate
    """The topic behind the base; with {device} in it, it is the device's word, else the gateway's."""
    path: Path = "."
    """Where it stands in the payload; the whole of it, where nothing is said."""
    online: Scalars = ["online"]
    """What is said of who is there."""
    offline: Scalars = ["offline"]
    """What is said of who is not."""

    @model_validator(mode="before")
    @classmethod
    def _from_a_topic(cls, value: Any) -> Any:
        return {"topic": value} if isinstance(value, str) else value

    def value(self) -> Availability:
        """The place it describes."""
        return Availability(
            topic=self.topic,
            path=self.path,
            online=tuple(one.lower() for one in self.online),
            offline=tuple(one.lower() for one in self.offline),
        )


class LayoutEntry(Part):
    """How the messages of a gateway of one's own are laid out."""

    topics: Annotated[list[TopicTemplate], OneOrMany()] = []
    """Further forms of its topics, beside `topic`."""
    each: Path | None = None
    """Where the list of devices is, if a message tells of several, e.g. params[*]; all other paths then begin there."""
    device: Path | None = None
    """Where the payload names the device, if the topic does not."""
    time: Annotated[TimeEntry, OrText()] | None = None
    """Where the device's own time is."""
    availability: Annotated[list[Annotated[AvailabilityEntry, OrText()]], OneOrSeveral()] = []
    """Where it says whether it is there."""
    ignore: Annotated[list[TopicTemplate], OneOrMany()] = []
    """Topics that are of no interest."""
    ignore_where: Conditions = {}
    """Messages that are of no interest: a path, and what stands there, e.g. {cmd: [read_rsp, write_rsp]}."""
    historic_where: Conditions = {}
    """Messages that tell of an earlier time and so page nobody: a path, and what stands there, e.g. {type: history}."""

    @field_validator("ignore_where", "historic_where")
    @classmethod
    def _paths(cls, value: dict[str, list[str]]) -> dict[str, list[str]]:
        for name in value:
            checked_path(name, name)
        return value

    def value(self) -> Layout:
        """The layout it describes."""
        time = self.time
        return Layout(
            topics=tuple(self.topics),
            each=self.each,
            device=self.device,
            time=None if time is None else time.path,
            time_format=None if time is None else time.format,
            time_zone=None if time is None else time.zone,
            availability=tuple(one.value() for one in self.availability),
            ignore=tuple(self.ignore),
            ignore_where={name: tuple(values) for name, values in self.ignore_where.items()},
            historic_where={name: tuple(values) for name, values in self.historic_where.items()},
        )
