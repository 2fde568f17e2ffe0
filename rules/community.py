"""Who lives where, who answers for them, and how to reach them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from rules.periods import Shift


class GridLevel(StrEnum):
    """A level of the grid tree, from the city down."""

    CITY = "city"
    DISTRICT = "district"
    STREET = "street"
    COMMUNITY = "community"
    GENERAL = "general"
    MICRO = "micro"
    EXCLUSIVE = "exclusive"


class Role(StrEnum):
    """What a worker is in the grid."""

    MICRO = "micro"
    GENERAL = "general"
    DESK = "desk"
    RESPONDER = "responder"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactMethod:
    """One way to reach a person: a kind of channel (`sms`, `voice`, `apprise`, `webhook`, `console`) and an address."""

    channel: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A node of the grid tree."""

    id: str
    level: GridLevel
    name: str
    parent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """A person who answers for homes."""

    id: str
    name: str
    role: Role
    grids: tuple[str, ...]
    #: In order of preference.
    contact: tuple[ContactMethod, ...]
    #: None at all: always on duty.
    shifts: tuple[Shift, ...] = ()
    #: Ids of workers, or of grids, whom this person stands in for.
    backup_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Resident:
    """A person who lives in a home. Health notes are sensitive: masked in logs and lists."""

    name: str
    born: int | None = None
    phone: str | None = None
    living_alone: bool = True
    care: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyContact:
    """Somebody close to a resident; told of an incident where `notify` is set."""

    name: str
    relation: str | None = None
    phone: str | None = None
    notify: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where a home is, in degrees of the named datum (`wgs84`, `gcj02`, `bd09`)."""

    lat: float
    lon: float
    datum: str = "wgs84"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """What a field of a message means, where the message does not say so itself."""

    #: A kind of reading; None: the field is of no interest.
    kind: str | None
    #: States by what the field says, as text; empty: the usual words (on, true, 1, open, alarm … and their opposites).
    states: dict[str, str] = field(default_factory=dict)
    #: Of a number; it is multiplied by `scale` first.
    unit: str | None = None
    scale: float = 1.0
    #: Of truth: true, on and 1 stand for the good state.
    invert: bool = False
    #: Values, as text, that say that nothing is known: -1, 999.
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A sensor in a home."""

    id: str
    home_id: str
    kind: str
    #: The id of the source it is heard through, and its name there.
    source: str
    name: str
    room: str | None = None
    #: Seconds between two signs of life at the most; None: not watched.
    heartbeat_s: int | None = None
    #: A contact mounted or wired the other way round.
    invert: bool = False
    #: Vendor and model as its documents name them, where the messages do not: some models need to be read differently.
    vendor: str | None = None
    model: str | None = None
    #: What its fields mean, by their name or path, where its messages do not say so.
    map: dict[str, Mapped] | None = None
    #: Kinds of which its model never takes an alarm back, with the seconds after which an old one stands for nothing.
    latches: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A household."""

    id: str
    grid: str
    address: str
    location: Location | None = None
    residents: tuple[Resident, ...] = ()
    contacts: tuple[FamilyContact, ...] = ()
    access: str | None = None
    #: Things to know of on the spot, e.g. where the gas valve is; plans may name them as {hazards.gas_valve}.
    hazards: dict[str, str] = field(default_factory=dict)
    #: The residents are known to be elsewhere; inactivity rules rest.
    away: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Responsibility:
    """Who may have to be told of a home: the chain of grids above it, nearest first, and the people in them."""

    grids: tuple[Grid, ...]
    workers: tuple[Worker, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """Where a gateway of one's own says whether it, or a device, is there."""

    #: A template of topics; it is the device's where it names `{device}`, else the gateway's.
    topic: str
    #: Where in the payload; `.` is all of it.
    path: str
    #: What is said there, as text in small letters.
    online: tuple[str, ...]
    offline: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How the messages of a gateway of one's own are laid out; paths and templates are those of the dialect json."""

    #: Further templates of topics, beside `Source.topic`.
    topics: tuple[str, ...] = ()
    #: The path of what each device says, where one message holds several devices; other paths then begin there.
    each: str | None = None
    #: The path of the device's name, where the topic does not hold it.
    device: str | None = None
    #: The path of the device's own time; `s`, `ms`, `us`, `ns`, `iso` or a strptime format; and its zone by name.
    time: str | None = None
    time_format: str | None = None
    time_zone: str | None = None
    availability: tuple[Availability, ...] = ()
    #: Templates of topics that are of no interest.
    ignore: tuple[str, ...] = ()
    #: Paths with the values, as text, by which a message is of no interest, or tells of an earlier time.
    ignore_where: dict[str, tuple[str, ...]] = field(default_factory=dict)
    historic_where: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A stream of messages of one dialect."""

    id: str
    dialect: str
    #: The beginning of its topics.
    base: str
    #: Further beginnings of its topics.
    more: tuple[str, ...] = ()
    #: How its topics are made, in the dialect's own words, where that can be chosen at the gateway.
    topic: str | None = None
    #: Under which topic Home Assistant's discovery messages of its devices come.
    discovery: str | None = None
    #: What the fields of every device of it mean, as `Device.map`.
    map: dict[str, Mapped] | None = None
    #: Of its devices that have none of their own, as `Device.heartbeat_s`.
    heartbeat_s: int | None = None
    #: The home in which its gateway stands; None: that of the first of its devices.
    home: str | None = None
    #: Of a gateway of one's own (dialect json).
    layout: Layout | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """What devices.yaml and grids.yaml say, as values."""

    sources: tuple[Source, ...]
    homes: tuple[Home, ...]
    devices: tuple[Device, ...]
    grids: tuple[Grid, ...]
    workers: tuple[Worker, ...]
