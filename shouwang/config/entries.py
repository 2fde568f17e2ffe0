"""The entries of devices.yaml and grids.yaml as people write them, and the values of rules.community they become."""

from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ingest.decoded import ANYWHERE
from ingest.dialects.meanings import ASIDE, as_text
from rules.community import (
    ContactMethod,
    Device,
    FamilyContact,
    Grid,
    GridLevel,
    Home,
    Location,
    Mapped,
    Resident,
    Role,
    Source,
    Worker,
)
from rules.readings import UNKNOWN
from shouwang.config.layout_entries import JSON, LayoutEntry, Scalars, checked_path, checked_template
from shouwang.config.problems import one_of
from shouwang.config.scalars import (
    AppriseAddress,
    Base,
    Id,
    Name,
    OneOf,
    OneOrMany,
    OrText,
    Phone,
    PositiveDuration,
    ShiftOfWeek,
    Text,
    WebAddress,
    sentence,
)
from shouwang.config.vocabulary import CHANNELS, DEVICE_KINDS, DIALECTS, NO_KIND, READING_KINDS, RESERVED_IDS, STATES


class Entry(BaseModel):
    """What every entry has in common: a key it does not know is a mistake."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class LocationEntry(Entry):
    """Where a home is."""

    lat: float = Field(ge=-90, le=90)
    """Latitude in degrees, north positive."""
    lon: float = Field(ge=-180, le=180)
    """Longitude in degrees, east positive."""
    datum: Literal["wgs84", "gcj02", "bd09"] = "wgs84"
    """What the degrees are measured in: wgs84 (GPS), gcj02 (Amap, Tencent), bd09 (Baidu)."""

    def value(self) -> Location:
        """The location it describes."""
        return Location(lat=self.lat, lon=self.lon, datum=self.datum)


class ResidentEntry(Entry):
    """A person who lives in the home."""

    name: Text
    """The person's name."""
    born: int | None = Field(default=None, ge=1900, le=2100)
    """The year of birth."""
    phone: Phone | None = None
    """A number under which the person can be called."""
    living_alone: bool = True
    """Whether the person lives alone."""
    care: Text | None = None
    """The community's own mark for how much care is needed, e.g. red, yellow, blue."""
    notes: list[Text] = []
    """What whoever comes must know, e.g. 听力差. Sensitive: kept out of lists and logs."""

    def value(self) -> Resident:
        """The resident it describes."""
        return Resident(
            name=self.name,
            born=self.born,
            phone=self.phone,
            living_alone=self.living_alone,
            care=self.care,
            notes=tuple(self.notes),
        )


class FamilyContactEntry(Entry):
    """Somebody close to a resident."""

    name: Text
    """The person's name."""
    relation: Text | None = None
    """Who it is to the resident, e.g. 儿子."""
    phone: Phone | None = None
    """The person's phone number."""
    notify: bool = False
    """Whether the person is told when an escalation step goes to `contacts`."""

    @model_validator(mode="after")
    def _can_be_told(self) -> "FamilyContactEntry":
        if self.notify and self.phone is None:
            raise sentence("without a phone nobody can be told", "notify")
        return self

    def value(self) -> FamilyContact:
        """The contact it describes."""
        return FamilyContact(name=self.name, relation=self.relation, phone=self.phone, notify=self.notify)


class MappedEntry(Entry):
    """What a field means."""

    kind: Annotated[str, OneOf(READING_KINDS)]
    """What it tells of; `none` where it is of no interest."""
    states: dict[str, Text] = {}
    """What each of its values means, e.g. {"1": alarm, "0": clear}; one that tells of the detector itself is test, \
warmup, fault, mute, end_of_life or tamper. Without it, the usual words are understood."""
    unit: Text | None = None
    """The unit of a number."""
    scale: float = Field(default=1.0, allow_inf_nan=False)
    """What a number is multiplied by."""
    invert: bool = False
    """Whether true, on and 1 stand for the good state."""
    unknown: Scalars = []
    """Values that say that nothing is known, e.g. [-1, 999]."""

    @model_validator(mode="before")
    @classmethod
    def _from_a_word(cls, value: Any) -> Any:
        return {"kind": value} if isinstance(value, str) else value

    @field_validator("states", mode="before")
    @classmethod
    def _as_texts(cls, value: Any) -> Any:
        # YAML reads 1, on and true as what they are; a message's value is compared as text.
        return {as_text(key): state for key, state in value.items()} if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _states_of_the_kind(self) -> "MappedEntry":
        allowed = STATES.get(self.kind)
        for said, state in self.states.items():
            if allowed is not None and state != UNKNOWN and state not in allowed and state not in ASIDE:
                raise sentence(f"{self.kind} has no state '{state}'; {one_of(state, allowed)}", "states", said)
        return self

    def value(self) -> Mapped:
        """The meaning it describes."""
        kind = None if self.kind == NO_KIND else self.kind
        return Mapped(
            kind=kind,
            states=self.states,
            unit=self.unit,
            scale=self.scale,
            invert=self.invert,
            unknown=tuple(self.unknown),
        )


Map = dict[Text, Annotated[MappedEntry, OrText()]]


class DeviceEntry(Entry):
    """A sensor in the home."""

    id: Id
    """Unique among all devices."""
    kind: Annotated[str, OneOf(DEVICE_KINDS)]
    """What it watches."""
    source: Id
    """The id of the source it is heard through."""
    name: Name | None = None
    """What the source calls it (the friendly name in Zigbee2MQTT); its id where nothing is said."""
    room: Text | None = None
    """Where it hangs, e.g. 厨房."""
    heartbeat: PositiveDuration | None = None
    """How long it is silent at the most while all is well; without it nobody notices that it is dead."""
    invert: bool = False
    """For a contact that is mounted or wired the other way round: open means closed."""
    vendor: Text | None = None
    """Who made it, where its messages do not say so."""
    model: Text | None = None
    """The model as its maker calls it, where its messages do not say so: some models are known to need care."""
    map: Map | None = None
    """What its fields mean where its messages do not say so, by their name or path: {Switch1: gas}."""

    def value(self, home: str) -> Device:
        """The device it describes."""
        return Device(
            id=self.id,
            home_id=home,
            kind=self.kind,
            source=self.source,
            name=self.name or self.id,
            room=self.room,
            heartbeat_s=self.heartbeat,
            invert=self.invert,
            vendor=self.vendor,
            model=self.model,
            map=_meanings(self.map),
        )


def _meanings(entries: Map | None) -> dict[str, Mapped] | None:
    return {name: entry.value() for name, entry in entries.items()} if entries else None


class Household(NamedTuple):
    """A home with its devices."""

    home: Home
    devices: tuple[Device, ...]


class HomeEntry(Entry):
    """A household and the sensors in it."""

    id: Id
    """Unique among all homes."""
    grid: Id
    """The id of the grid it lies in, as a rule a micro-grid."""
    address: Text
    """The address as a neighbour says it; it goes into every message."""
    location: LocationEntry | None = None
    """Where it is on the map."""
    residents: list[ResidentEntry] = []
    """Who lives there."""
    contacts: list[FamilyContactEntry] = []
    """Family and friends."""
    access: Text | None = None
    """How to get in, e.g. where the spare key is."""
    hazards: dict[Id, Text] = {}
    """What to know on the spot, by a name that response plans may use: {hazards.gas_valve}."""
    away: bool = False
    """Whether the residents are known to be elsewhere; inactivity rules then rest."""
    devices: list[DeviceEntry] = []
    """The sensors."""

    def value(self) -> Household:
        """The home and the devices it describes."""
        home = Home(
            id=self.id,
            grid=self.grid,
            address=self.address,
            location=None if self.location is None else self.location.value(),
            residents=tuple([resident.value() for resident in self.residents]),
            contacts=tuple([contact.value() for contact in self.contacts]),
            access=self.access,
            hazards=self.hazards,
            away=self.away,
        )
        return Household(home, tuple([device.value(self.id) for device in self.devices]))


class SourceEntry(Entry):
    """A stream of messages of one dialect."""

    id: Id
    """Unique among all sources; devices name it."""
    dialect: Annotated[str, OneOf(DIALECTS)]
    """How its messages are to be read."""
    base: Annotated[list[Base], OneOrMany(), Field(min_length=1)]
    """The beginning of its topics, without a slash at the end; or a list of several."""
    topic: Text | None = None
    """How its topics are made, where the gateway lets you choose (Tasmota's FullTopic, a gateway's own JSON)."""
    discovery: Base | None = None
    """Under which topic Home Assistant's discovery messages come, which say what each entity is: homeassistant."""
    map: Map | None = None
    """What the fields of all its devices mean, by their name or path; a device's own map goes before it."""
    heartbeat: PositiveDuration | None = None
    """How long its devices are silent at the most while all is well; for those that say nothing of their own."""
    home: Id | None = None
    """The id of the home where its gateway stands: in it, a gateway that is off is raised."""
    layout: LayoutEntry | None = None
    """How its messages are laid out; for a gateway of your own, with dialect json."""

    @model_validator(mode="after")
    def _of_one_s_own(self) -> "SourceEntry":
        if self.dialect != JSON:
            if self.layout is not None:
                raise sentence(f"only a source of dialect {JSON} has a layout; {self.dialect} knows its own", "layout")
            return self
        if ANYWHERE in self.base and self.topic is None:
            raise sentence("a source that may be anywhere has to say which topics are its own; add `topic`", "base")
        if self.topic is not None:
            checked_template(self.topic, "topic")
        templates = [self.topic or "", *([] if self.layout is None else self.layout.topics)]
        nameless = (self.layout is None or self.layout.device is None) and not all(
            "{device}" in one or "{gateway}" in one for one in templates
        )
        if self.topic is not None and nameless:
            raise sentence(
                "nothing tells which device a message is of; write {device} for its part of the topic, or say in "
                "layout.device where the payload names it",
                "topic",
            )
        for name in self.map or ():
            checked_path(name, "map", name)
        return self

    def value(self) -> Source:
        """The source it describes."""
        return Source(
            id=self.id,
            dialect=self.dialect,
            base=self.base[0],
            more=tuple(self.base[1:]),
            topic=self.topic,
            discovery=self.discovery,
            map=_meanings(self.map),
            heartbeat_s=self.heartbeat,
            home=self.home,
            layout=None if self.layout is None else self.layout.value(),
        )


class GridEntry(Entry):
    """A node of the grid tree."""

    id: Id
    """Unique among all grids."""
    level: GridLevel
    """Which level of the tree it is."""
    name: Text
    """What people call it."""
    parent: Id | None = None
    """The id of the grid it is a part of; none for the top."""

    def value(self) -> Grid:
        """The grid it describes."""
        return Grid(id=self.id, level=self.level, name=self.name, parent=self.parent)


class ContactMethodEntry(Entry):
    """One way to reach a person: exactly one channel with its address."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    sms: Phone | None = None
    """A mobile number for text messages."""
    voice: Phone | None = None
    """A number to call."""
    apprise: AppriseAddress | None = None
    """An address of any service that Apprise knows, e.g. ntfy://ntfy.example.org/topic."""
    webhook: WebAddress | None = None
    """A web address that takes signed JSON."""
    console: Text | None = None
    """A name under which messages are printed where the service runs: for trials."""

    @model_validator(mode="before")
    @classmethod
    def _exactly_one(cls, value: Any) -> Any:
        if isinstance(value, dict) and len(value) != 1 and value.keys() <= CHANNELS:
            raise sentence('each contact method names one channel with its address, such as {sms: "+8613800000001"}')
        return value

    @field_validator("*", mode="before")
    @classmethod
    def _with_an_address(cls, value: Any) -> Any:
        if value is None:
            raise sentence("an address is missing here")
        return value

    def value(self) -> ContactMethod:
        """The contact method it describes."""
        [(channel, address)] = self.model_dump(exclude_none=True).items()
        return ContactMethod(channel=channel, address=address)


class WorkerEntry(Entry):
    """A person who answers for homes."""

    id: Id
    """Unique among all workers and grids."""
    name: Text
    """The person's name."""
    role: Role
    """micro: the neighbour who is told first; general: the full-time worker of a general grid; desk: the community's \
desk; responder: others who go there, such as the small fire station."""
    grids: list[Id] = []
    """The ids of the grids the person answers for."""
    contact: Annotated[list[ContactMethodEntry], Field(min_length=1)]
    """How to reach the person, in order of preference."""
    shifts: list[ShiftOfWeek] = []
    """When the person is on duty; always, where nothing is said."""
    backup_for: list[Id] = []
    """The ids of workers, or of grids, whom the person stands in for."""

    @field_validator("id")
    @classmethod
    def _is_free(cls, value: str) -> str:
        if value in RESERVED_IDS or value.startswith("family:"):
            raise sentence(f"'{value}' has a meaning of its own in escalation steps and journals; choose another id")
        return value

    @model_validator(mode="after")
    def _answers_for_something(self) -> "WorkerEntry":
        if not self.grids and not self.backup_for:
            raise sentence("this person answers for nothing; name grids or backup_for")
        return self

    def value(self) -> Worker:
        """The worker it describes."""
        return Worker(
            id=self.id,
            name=self.name,
            role=self.role,
            grids=tuple(self.grids),
            contact=tuple(contact.value() for contact in self.contact),
            shifts=tuple(self.shifts),
            backup_for=tuple(self.backup_for),
        )


class DevicesFile(Entry):
    """devices.yaml: what is where."""

    version: Literal[1]
    """The version of the format: 1."""
    sources: list[SourceEntry] = []
    """Where messages come from."""
    homes: list[HomeEntry] = []
    """The households."""


class GridsFile(Entry):
    """grids.yaml: who is responsible."""

    version: Literal[1]
    """The version of the format: 1."""
    grids: list[GridEntry] = []
    """The tree of grids, from the city (or wherever yours begins) to the micro-grids."""
    workers: list[WorkerEntry] = []
    """The people who answer."""
