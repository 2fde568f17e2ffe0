"""Who is who in the sample community: homes, their sensors, and whose phone a number is."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from notify.masking import mask_phone
from rules.community import Device, Home, Registry

#: What each role of a worker is called, in Chinese and English.
ROLES = {
    "micro": ("微网格员", "micro-grid worker"),
    "general": ("专职网格员", "general grid worker"),
    "desk": ("值班室", "desk"),
    "responder": ("应急力量", "responder"),
}

_KINDS = {
    "gas": ("燃气", "gas"),
    "smoke": ("烟雾", "smoke"),
    "carbon_monoxide": ("一氧化碳", "carbon monoxide"),
    "water_leak": ("水浸", "water"),
    "contact": ("门", "door"),
    "motion": ("活动", "motion"),
    "presence": ("有人", "presence"),
    "vibration": ("震动", "vibration"),
    "sos": ("呼救", "SOS"),
    "fall": ("跌倒", "fall"),
    "battery": ("电量", "battery"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody with a telephone."""

    name: str
    #: What they are to the community, in Chinese and English.
    role: tuple[str, str]
    number: str

    @property
    def masked(self) -> str:
        """The number as it may be shown."""
        return mask_phone(self.number)


class Directory:
    """Looks people, homes and devices up by what one calls them."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.homes = {home.id: home for home in registry.homes}
        self.devices = {device.id: device for device in registry.devices}
        self.people = {person.number: person for person in reversed(list(_people(registry)))}

    def person(self, number: str) -> Person:
        """Whose number it is; a stranger where it is nobody's."""
        return self.people.get(number) or Person(name=mask_phone(number), role=("陌生号码", "stranger"), number=number)

    def named(self, name: str) -> Person | None:
        """The person of a name or a number."""
        return next((one for one in self.people.values() if name in {one.name, one.number}), None)

    def devices_in(self, home_id: str) -> list[Device]:
        """The sensors of a home."""
        return [device for device in self.registry.devices if device.home_id == home_id]

    def home_of(self, device_id: str) -> Home:
        """The home a device is in."""
        return self.homes[self.devices[device_id].home_id]


def resident(home: Home, today: date) -> tuple[str, int | None]:
    """The name and age of whom one would look for in a home."""
    first = home.residents[0]
    return first.name, today.year - first.born if first.born else None


def kind_words(kind: str) -> tuple[str, str]:
    """What a kind of sensor is called, in Chinese and English."""
    return _KINDS.get(kind, (kind, kind))


def _people(registry: Registry) -> Iterator[Person]:
    for worker in registry.workers:
        for method in worker.contact:
            if method.channel in {"sms", "voice"}:
                yield Person(name=worker.name, role=ROLES[worker.role], number=method.address)
    for home in registry.homes:
        for contact in home.contacts:
            if contact.phone:
                yield Person(name=contact.name, role=(contact.relation or "家属", "family"), number=contact.phone)
        for one in home.residents:
            if one.phone:
                yield Person(name=one.name, role=("住户", "resident"), number=one.phone)
