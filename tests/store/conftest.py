"""Made-up people, homes, incidents and deliveries for the tests of the store."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from rules.community import (
    ContactMethod,
    Device,
    FamilyContact,
    Grid,
    GridLevel,
    Home,
    Location,
    Registry,
    Resident,
    Responsibility,
    Role,
    Source,
    Worker,
)
from rules.decisions import Delivery, JournalEntry, NewDelivery, Priority, Purpose
from rules.incident import Incident, IncidentState, Snapshot
from rules.periods import DailyWindow, Shift
from rules.rulebook import Plan, Policy, Severity, Step
from store import incidents, outbox
from store.database import Database, Transaction


class Make:
    """Makes values; every method takes what shall differ."""

    now = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)

    def at(self, **later: float) -> datetime:
        """Give a time later than `now`."""
        return self.now + timedelta(**later)

    def worker(self, id: str = "w07-a", **other: Any) -> Worker:  # noqa: A002 - the field's name
        number = other.pop("number", "+8613800000001")
        values: dict[str, Any] = {
            "id": id,
            "name": "李明",
            "role": Role.MICRO,
            "grids": ("xinsheng-g1-w07",),
            "contact": (
                ContactMethod(channel="sms", address=number),
                ContactMethod(channel="voice", address=number),
            ),
            "shifts": (Shift(days=frozenset({0, 6}), window=DailyWindow(start=time(22), end=time(7))),),
        }
        return Worker(**values | other)

    def home(self, id: str = "yl-1-2-301", **other: Any) -> Home:  # noqa: A002 - the field's name
        values: dict[str, Any] = {
            "id": id,
            "grid": "xinsheng-g1-w07",
            "address": "玉林北街1号院1栋2单元301",
            "location": Location(lat=30, lon=104.0432),
            "residents": (Resident(name="王秀英", born=1941, phone="+8613900000001", notes=("听力差",)),),
            "contacts": (FamilyContact(name="王强", relation="儿子", phone="+8613900000002", notify=True),),
            "access": "备用钥匙在门卫室",
            "hazards": {"gas_valve": "厨房灶台下方"},
        }
        return Home(**values | other)

    def device(self, id: str = "yl-1-2-301-gas", **other: Any) -> Device:  # noqa: A002 - the field's name
        values: dict[str, Any] = {
            "id": id,
            "home_id": "yl-1-2-301",
            "kind": "gas",
            "source": "xinsheng",
            "name": id,
            "room": "厨房",
            "heartbeat_s": 7200,
        }
        return Device(**values | other)

    def registry(self, **other: Any) -> Registry:
        values: dict[str, Any] = {
            "sources": (Source(id="xinsheng", dialect="zigbee2mqtt", base="zigbee2mqtt"),),
            "grids": (
                Grid(id="xinsheng", level=GridLevel.COMMUNITY, name="新盛社区", parent="xiaojiahe"),
                Grid(id="xinsheng-g1", level=GridLevel.GENERAL, name="第一网格", parent="xinsheng"),
                Grid(id="xinsheng-g1-w07", level=GridLevel.MICRO, name="玉林北街1号院", parent="xinsheng-g1"),
            ),
            "workers": (self.worker(),),
            "homes": (self.home(),),
            "devices": (self.device(),),
        }
        return Registry(**values | other)

    def snapshot(self, **other: Any) -> Snapshot:
        registry = self.registry()
        values: dict[str, Any] = {
            "home": self.home(),
            "responsibility": Responsibility(grids=registry.grids[::-1], workers=registry.workers),
            "plan": Plan(id="gas-leak", first="开窗关阀勿开灯", steps=("先在门外关总阀: 厨房灶台下方",)),
            "policy": Policy(
                id="life-safety",
                answer_within_s=60,
                arrive_within_s=300,
                outcome_within_s=3600,
                steps=(Step(after_s=0, to=("assigned",), by=("sms", "apprise")),),
                repeat_every_s=300,
            ),
            "time_zone": "Asia/Shanghai",
            "language": "zh",
        }
        return Snapshot(**values | other)

    def incident(self, id: str = "0a1b2c3d", **other: Any) -> Incident:  # noqa: A002 - the field's name
        values: dict[str, Any] = {
            "id": id,
            "code": "K7",
            "home_id": "yl-1-2-301",
            "group": "life-safety",
            "state": IncidentState.OPEN,
            "severity": Severity.CRITICAL,
            "title": "燃气泄漏",
            "kinds": ("gas",),
            "opened_at": self.now,
            "round_began_at": self.now,
            "snapshot": self.snapshot(),
        }
        return Incident(**values | other)

    def delivery(self, step_key: str = "r0s0", **other: Any) -> NewDelivery:
        values: dict[str, Any] = {
            "incident_id": "0a1b2c3d",
            "step_key": step_key,
            "recipient_id": "w07-a",
            "recipient_name": "李明",
            "channel": "sms",
            "address": "+8613800000001",
            "purpose": Purpose.PAGE,
            "priority": Priority.LIFE_SAFETY_PAGE,
            "text": "玉林北街1号院1栋2单元301王秀英燃气泄漏,开窗关阀勿开灯,回复K7",
            "code": "K7",
            "expires_at": self.at(minutes=30),
        }
        return NewDelivery(**values | other)

    def journal(self, event: str = "opened", **other: Any) -> JournalEntry:
        values: dict[str, Any] = {
            "incident_id": "0a1b2c3d",
            "at": self.now,
            "event": event,
            "actor": "sensor",
            "detail": {"reason": "燃气 alarm", "count": 1},
        }
        return JournalEntry(**values | other)


@pytest.fixture
def make() -> Make:
    """Give the maker."""
    return Make()


class Outbox:
    """An outbox with one incident, and shorthands for what a dispatcher does."""

    def __init__(self, database: Database, make: Make) -> None:
        self.database = database
        self.make = make

    async def put(self, *deliveries: NewDelivery) -> int:
        async with self.database.write() as tx:
            return await outbox.add(tx, deliveries, self.make.now)

    async def claim(self, at: datetime | None = None, **other: Any) -> list[Delivery]:
        values: dict[str, Any] = {"owner": "one", "limit": 100, "lease_s": 30.0}
        async with self.database.write() as tx:
            return await outbox.claim(tx, now=at or self.make.now, **values | other)

    async def only(self) -> Delivery:
        (one,) = await self.all()
        return one

    async def all(self) -> list[Delivery]:
        async with self.database.read() as tx:
            return await outbox.of_incident(tx, "0a1b2c3d")

    async def answer(self, tx: Transaction) -> None:
        """Let somebody answer the incident, without cancelling anything."""
        incident = await incidents.load(tx, "0a1b2c3d", lock=True)
        assert incident is not None
        answered = replace(incident, state=IncidentState.ACKNOWLEDGED, answered_by="w07-a", answered_at=self.make.now)
        await incidents.save(tx, answered, before=incident)


@pytest.fixture
async def box(database: Database, make: Make) -> Outbox:
    """Give an outbox with one open incident."""
    async with database.write() as tx:
        await incidents.insert(tx, make.incident())
    return Outbox(database, make)
