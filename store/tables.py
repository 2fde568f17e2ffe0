"""The tables. The database itself refuses what must never be: see the CHECK and UNIQUE constraints.

A change here needs a migration beside it (migrations/versions); a test holds the two together.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from rules.decisions import DeliveryState, DueKind, Priority, Purpose
from rules.incident import IncidentState, OutcomeKind
from rules.rulebook import Severity

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(moment: datetime) -> int:
    """Give an aware datetime as whole microseconds since 1970.

    Naive ones raise TypeError: they are a mistake everywhere in Shouwang.
    """
    return (moment - _EPOCH) // _MICROSECOND


def moment(value: int) -> datetime:
    """Give whole microseconds since 1970 as an aware datetime in UTC.

    By way of a float, which is exact to the microsecond until the year 2242 and takes a third of the time of adding a
    timedelta.
    """
    return datetime.fromtimestamp(value / 1e6, UTC)


class UtcTime(TypeDecorator[datetime]):
    """An aware datetime, kept as whole microseconds since 1970 in UTC: one order, one form, on every database."""

    impl = sa.BigInteger
    cache_ok = True

    # The processors are given whole, not as process_bind_param and process_result_value: these run for every time of
    # every row, and the detour through TypeDecorator costs as much as the conversion.

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], int | None]:  # noqa: ARG002 - SQLAlchemy's signature
        """Convert on the way in."""
        return lambda value: None if value is None else microseconds(value)

    def result_processor(
        self,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy's signature
        coltype: object,  # noqa: ARG002 - as above
    ) -> Callable[[int | None], datetime | None]:
        """Convert on the way out."""
        return lambda value: None if value is None else moment(value)


def _one_of(column: str, values: Iterable[str]) -> str:
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"


#: BIGINT on PostgreSQL; plain INTEGER on SQLite, where only that makes a row id.
_Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _only_where(condition: str) -> dict[str, Any]:
    """Make an index partial, on both databases. A query must say the condition in the same words to use it."""
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


#: What waits in the outbox for the dispatcher; what an escalation waits for.
WAITING = "state IN ('pending', 'unknown')"
ESCALATING = "kind IN ('step', 'arrival', 'outcome')"
#: Lines of the record that are tries at a provider, once a message.
TRIED = "against IS NOT NULL"
#: Of those, the ones that were not taken, or not for sure.
NOT_TAKEN = "against IS NOT NULL AND outcome <> 'sent'"

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# --- the registry: what the three files say, brought in by difference -------------------------------------------------

config_files = sa.Table(
    "config_files",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("digest", sa.String, nullable=False),
    sa.Column("applied_at", UtcTime, nullable=False),
)

sources = sa.Table(
    "sources",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("dialect", sa.String, nullable=False),
    sa.Column("base", sa.String, nullable=False),
    sa.Column("document", sa.JSON, nullable=False, server_default="{}"),
    sa.Column("closed_at", UtcTime),
)

#: What gateways last said of themselves. The name is empty where a source is one gateway.
gateways = sa.Table(
    "gateways",
    metadata,
    sa.Column("source", sa.String, primary_key=True),
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("state", sa.String, nullable=False),
    #: Since when the state has been what it is.
    sa.Column("since", UtcTime, nullable=False),
    #: When it last said that it had started; its cached facts are distrusted for a while after that.
    sa.Column("started_at", UtcTime),
)

#: What a gateway says of its devices (zigbee2mqtt: bridge/devices), kept because a persistent session hears it once.
device_definitions = sa.Table(
    "device_definitions",
    metadata,
    sa.Column("source", sa.String, primary_key=True),
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("definition", sa.JSON, nullable=False),
    #: How long the device is silent at the most, by what is said of it; counts where the files say nothing.
    sa.Column("heartbeat_s", sa.Integer),
)

grids = sa.Table(
    "grids",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("level", sa.String, nullable=False),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("parent", sa.String),
    sa.Column("closed_at", UtcTime),
)

workers = sa.Table(
    "workers",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("role", sa.String, nullable=False),
    #: Contact methods, shifts, grids, backup_for, as in grids.yaml.
    sa.Column("document", sa.JSON, nullable=False),
    sa.Column("closed_at", UtcTime),
)

worker_grids = sa.Table(
    "worker_grids",
    metadata,
    sa.Column("worker_id", sa.String, primary_key=True),
    sa.Column("grid_id", sa.String, primary_key=True, index=True),
)

#: Whom, or which grids, a worker stands in for.
worker_backups = sa.Table(
    "worker_backups",
    metadata,
    sa.Column("worker_id", sa.String, primary_key=True),
    #: The id of a worker or of a grid.
    sa.Column("backs_up", sa.String, primary_key=True, index=True),
)

#: Which person an incoming phone number belongs to. Numbers in E.164.
worker_phones = sa.Table(
    "worker_phones",
    metadata,
    sa.Column("phone", sa.String, primary_key=True),
    sa.Column("worker_id", sa.String, primary_key=True),
)

homes = sa.Table(
    "homes",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("grid", sa.String, nullable=False, index=True),
    sa.Column("address", sa.String, nullable=False),
    #: Residents, contacts, access, hazards, location, as in devices.yaml.
    sa.Column("document", sa.JSON, nullable=False),
    sa.Column("away", sa.Boolean, nullable=False, server_default=sa.false()),
    #: The import that brought it in; NULL where the files did, who then have a say in it alone.
    sa.Column("origin", sa.String),
    sa.Column("closed_at", UtcTime),
)

devices = sa.Table(
    "devices",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("home_id", sa.String, nullable=False, index=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("source", sa.String, nullable=False),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("room", sa.String),
    sa.Column("heartbeat_s", sa.Integer),
    sa.Column("invert", sa.Boolean, nullable=False, server_default=sa.false()),
    #: Vendor, model and map, where the files say something of them.
    sa.Column("document", sa.JSON(none_as_null=True)),
    #: As of homes.
    sa.Column("origin", sa.String),
    sa.Column("closed_at", UtcTime),
    sa.Index("uq_devices_source_name", "source", "name", unique=True, **_only_where("closed_at IS NULL")),
)

#: Devices that are heard and in no file.
strangers = sa.Table(
    "strangers",
    metadata,
    sa.Column("source", sa.String, primary_key=True),
    sa.Column("name", sa.String, primary_key=True),
    #: Of the message in which it was first heard.
    sa.Column("topic", sa.String, nullable=False),
    sa.Column("first_seen", UtcTime, nullable=False),
    sa.Column("last_seen", UtcTime, nullable=False, index=True),
    #: The kinds of facts that it has told of.
    sa.Column("kinds", sa.JSON, nullable=False),
)

#: Homes whose devices are being tested: nobody is paged meanwhile.
testing = sa.Table(
    "testing",
    metadata,
    sa.Column("home_id", sa.String, primary_key=True),
    sa.Column("began_at", UtcTime, nullable=False),
    sa.Column("until", UtcTime, nullable=False),
    #: Who tests.
    sa.Column("by", sa.String, nullable=False),
)

#: That a device was tested, and how that went. Rows stay: they are the proof that somebody has looked.
device_tests = sa.Table(
    "device_tests",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("device_id", sa.String, nullable=False),
    sa.Column("home_id", sa.String, nullable=False, index=True),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("by", sa.String, nullable=False),
    sa.Column("passed", sa.Boolean, nullable=False),
    #: What was seen of it, or why it did not pass, in words.
    sa.Column("note", sa.String),
    sa.Index("ix_device_tests_device_id_at", "device_id", "at"),
)

# --- what is known of the world ---------------------------------------------------------------------------------------

device_states = sa.Table(
    "device_states",
    metadata,
    sa.Column("device_id", sa.String, primary_key=True),
    sa.Column("kind", sa.String, primary_key=True),
    sa.Column("state", sa.String),
    sa.Column("value", sa.Float),
    sa.Column("unit", sa.String),
    sa.Column("true_since", UtcTime, nullable=False),
    sa.Column("last_seen", UtcTime, nullable=False),
    sa.Column("active_at", UtcTime),
    sa.Column("freshness", sa.String, nullable=False),
    # Read by device in every batch: all kinds of a device lie side by side. Rows are rewritten in place.
    sqlite_with_rowid=False,
    postgresql_with={"fillfactor": 80},
)

#: Changes of state, kept for as long as the retention setting says.
state_changes = sa.Table(
    "state_changes",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("device_id", sa.String, nullable=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("state", sa.String),
    sa.Column("value", sa.Float),
    sa.Column("unit", sa.String),
    sa.Column("received_at", UtcTime, nullable=False, index=True),
    sa.Column("observed_at", UtcTime),
    sa.Column("freshness", sa.String, nullable=False),
    sa.Index("ix_state_changes_device_id_received_at", "device_id", "received_at"),
)

quarantine = sa.Table(
    "quarantine",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("received_at", UtcTime, nullable=False, index=True),
    sa.Column("topic", sa.String, nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Column("retain", sa.Boolean, nullable=False),
    #: A word for the counter, e.g. `unknown_device`, `malformed_json`; and a sentence for a person.
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("sentence", sa.String, nullable=False),
)

#: Until when each listener (there is one, `service`) is known to have heard its broker.
listening = sa.Table(
    "listening",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("until", UtcTime, nullable=False),
)

#: When what could not be heard: the gateway of a source, or everything where the source is empty.
hearing_gaps = sa.Table(
    "hearing_gaps",
    metadata,
    sa.Column("source", sa.String, primary_key=True),
    sa.Column("began_at", UtcTime, primary_key=True),
    #: NULL while it lasts.
    sa.Column("ended_at", UtcTime),
)

#: Findings that stand.
findings = sa.Table(
    "findings",
    metadata,
    #: The device's id, or the home's where the finding is about the home; first in the key, as it is asked for.
    sa.Column("subject", sa.String, primary_key=True),
    sa.Column("rule_id", sa.String, primary_key=True),
    sa.Column("home_id", sa.String, nullable=False, index=True),
    sa.Column("device_id", sa.String),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("raised_at", UtcTime, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("verified", sa.Boolean, nullable=False),
    sa.Column("incident_id", sa.String, index=True),
)

#: What looks as if somebody meant harm, or could do some: of a kind, source and subject one line, with a count.
security_journal = sa.Table(
    "security_journal",
    metadata,
    sa.Column("kind", sa.String, primary_key=True),
    sa.Column("source", sa.String, primary_key=True),
    #: A topic, or a device's name in its source.
    sa.Column("subject", sa.String, primary_key=True),
    sa.Column("first_at", UtcTime, nullable=False),
    sa.Column("last_at", UtcTime, nullable=False, index=True),
    sa.Column("count", sa.BigInteger, nullable=False),
    #: The latest, in a sentence.
    sa.Column("detail", sa.String, nullable=False),
)

#: Shouwang's own troubles, as they were last written down; one of a kind and subject.
troubles = sa.Table(
    "troubles",
    metadata,
    sa.Column("kind", sa.String, primary_key=True),
    #: A channel, a folder, a part; empty where there is only one of the kind.
    sa.Column("subject", sa.String, primary_key=True),
    sa.Column("detail", sa.String, nullable=False),
    sa.Column("began_at", UtcTime, nullable=False),
    sa.Column("seen_at", UtcTime, nullable=False),
    sa.Column("stands", sa.Boolean, nullable=False),
    #: NULL while it stands.
    sa.Column("ended_at", UtcTime),
    sa.Column("spells", sa.Integer, nullable=False),
    #: Whether the operators were last told that it stands, and when.
    sa.Column("told", sa.Boolean, nullable=False),
    sa.Column("told_at", UtcTime),
)

# --- incidents --------------------------------------------------------------------------------------------------------

incidents = sa.Table(
    "incidents",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("code", sa.String, nullable=False, index=True),
    sa.Column("home_id", sa.String, nullable=False, index=True),
    sa.Column("group", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("severity", sa.String, nullable=False),
    sa.Column("title", sa.String, nullable=False),
    sa.Column("kinds", sa.JSON, nullable=False),
    sa.Column("opened_at", UtcTime, nullable=False, index=True),
    sa.Column("verified", sa.Boolean, nullable=False),
    sa.Column("drill", sa.Boolean, nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("step", sa.Integer, nullable=False),
    sa.Column("round", sa.Integer, nullable=False),
    sa.Column("round_began_at", UtcTime),
    sa.Column("realerts", sa.Integer, nullable=False),
    sa.Column("declined", sa.JSON, nullable=False),
    sa.Column("answered_by", sa.String),
    sa.Column("answered_by_name", sa.String),
    sa.Column("answered_at", UtcTime),
    sa.Column("arrived_at", UtcTime),
    sa.Column("resolved_at", UtcTime),
    sa.Column("outcome", sa.String),
    sa.Column("outcome_by", sa.String),
    sa.Column("note", sa.String),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("snapshot", sa.JSON, nullable=False),
    sa.CheckConstraint(_one_of("state", IncidentState), name="state"),
    sa.CheckConstraint(_one_of("severity", Severity), name="severity"),
    sa.CheckConstraint(f"outcome IS NULL OR {_one_of('outcome', OutcomeKind)}", name="outcome"),
    sa.CheckConstraint("(state = 'resolved') = (outcome IS NOT NULL)", name="closed_only_with_outcome"),
    sa.CheckConstraint("(state = 'resolved') = (resolved_at IS NOT NULL)", name="resolved_at"),
    sa.CheckConstraint("state <> 'acknowledged' OR answered_by IS NOT NULL", name="somebody_answered"),
    sa.Index("uq_incidents_open_home_group", "home_id", "group", unique=True, **_only_where("state <> 'resolved'")),
    sa.Index("ix_incidents_state", "state", **_only_where("state <> 'resolved'")),
)

#: A code belongs to one incident until `free_after` (invariant code-is-unique).
reply_codes = sa.Table(
    "reply_codes",
    metadata,
    sa.Column("code", sa.String, primary_key=True),
    sa.Column("incident_id", sa.String, nullable=False, index=True),
    #: NULL while the incident is open; 30 days after it was resolved from then on.
    sa.Column("free_after", UtcTime, index=True),
)

journal = sa.Table(
    "journal",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("incident_id", sa.String, nullable=False, index=True),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("event", sa.String, nullable=False),
    sa.Column("actor", sa.String, nullable=False),
    sa.Column("detail", sa.JSON, nullable=False),
)

#: Everything that waits (time is data).
due = sa.Table(
    "due",
    metadata,
    # The subject first: with the kind first SQLite would rather sort all of a kind than use the index by time.
    sa.Column("subject", sa.String, primary_key=True),
    sa.Column("kind", sa.String, primary_key=True),
    sa.Column("due_at", UtcTime, nullable=False, index=True),
    sa.CheckConstraint(_one_of("kind", DueKind), name="kind"),
    sa.Index("ix_due_escalating", "due_at", **_only_where(ESCALATING)),
    sqlite_with_rowid=False,
)

# --- the outbox -------------------------------------------------------------------------------------------------------

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("incident_id", sa.String, nullable=False, index=True),
    sa.Column("step_key", sa.String, nullable=False),
    sa.Column("recipient_id", sa.String, nullable=False, index=True),
    sa.Column("recipient_name", sa.String, nullable=False),
    sa.Column("channel", sa.String, nullable=False),
    sa.Column("address", sa.String, nullable=False),
    sa.Column("purpose", sa.String, nullable=False),
    sa.Column("priority", sa.SmallInteger, nullable=False),
    sa.Column("text", sa.String, nullable=False),
    sa.Column("speech", sa.String, nullable=False),
    sa.Column("code", sa.String, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("expires_at", UtcTime, nullable=False),
    sa.Column("late_s", sa.Integer, nullable=False),
    sa.Column("drill", sa.Boolean, nullable=False),
    #: Its parts, for a message that names several homes; NULL where it goes alone.
    sa.Column("brief", sa.JSON(none_as_null=True)),
    #: The first of the deliveries that are in one message with it. Kept with a doubt, so that it is asked about, and
    #: sent again, with those; NULL where it is alone, or was surely not taken.
    sa.Column("bundle", _Id),
    sa.Column("state", sa.String, nullable=False),
    #: When the dispatcher looks at it again: a try, or a question about a doubt.
    sa.Column("next_attempt_at", UtcTime),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    #: Grows with every claim; a writer with an old fence is refused.
    sa.Column("fence", sa.Integer, nullable=False, server_default="0"),
    sa.Column("owner", sa.String),
    sa.Column("lease_until", UtcTime),
    sa.Column("claimed_at", UtcTime),
    #: When the request whose outcome is not known may have left.
    sa.Column("doubt_since", UtcTime),
    sa.Column("provider_id", sa.String, index=True),
    #: The provider's latest word on it, and its error code.
    sa.Column("provider_status", sa.String),
    sa.Column("error", sa.String),
    sa.Column("sent_at", UtcTime),
    #: Which of the channel's providers it was handed to last; written before the request leaves.
    sa.Column("provider", sa.String),
    #: When the provider said that the phone had it, or that the call had been heard.
    sa.Column("delivered_at", UtcTime),
    sa.UniqueConstraint("incident_id", "step_key", "recipient_id", "channel", "address"),
    sa.CheckConstraint(_one_of("state", DeliveryState), name="state"),
    sa.CheckConstraint(_one_of("purpose", Purpose), name="purpose"),
    sa.CheckConstraint(f"priority BETWEEN {min(Priority):d} AND {max(Priority):d}", name="priority"),
    sa.CheckConstraint(
        "(state = 'sending') = (owner IS NOT NULL AND lease_until IS NOT NULL)", name="sending_has_an_owner_and_a_lease"
    ),
    sa.CheckConstraint(
        "state NOT IN ('pending', 'unknown') OR next_attempt_at IS NOT NULL", name="what_waits_has_a_time"
    ),
    sa.CheckConstraint("state <> 'unknown' OR doubt_since IS NOT NULL", name="a_doubt_has_a_beginning"),
    sa.Index("ix_outbox_waiting", "priority", "next_attempt_at", **_only_where(WAITING)),
    sa.Index("ix_outbox_next_attempt_at", "next_attempt_at", **_only_where(WAITING)),
    #: Who else waits for the same person, when a message to them leaves.
    sa.Index("ix_outbox_waiting_for", "recipient_id", "channel", **_only_where(WAITING)),
    sa.Index("ix_outbox_bundle", "bundle", **_only_where("bundle IS NOT NULL")),
    sa.Index("ix_outbox_sending", "lease_until", **_only_where("state = 'sending'")),
    sa.Index("ix_outbox_sent_at", "sent_at", **_only_where("sent_at IS NOT NULL")),
)

attempts = sa.Table(
    "attempts",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("delivery_id", _Id, nullable=False, index=True),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("outcome", sa.String, nullable=False),
    sa.Column("detail", sa.String, nullable=False),
    #: Whom the try was made at; NULL where it was none: a question about a doubt, its end, a lease that ran out.
    sa.Column("provider", sa.String),
    #: Whether what came of the try speaks against the provider: no answer, or a refusal that is not about the message.
    #: NULL where it was no try, and for what went along in one message with another delivery, which counts for all.
    sa.Column("against", sa.Boolean),
    sa.Index("ix_attempts_provider_at", "provider", "at", **_only_where(TRIED)),
    sa.Index("ix_attempts_not_taken", "at", **_only_where(NOT_TAKEN)),
)

#: The provider's later words; one of a kind each, however often they come.
receipts = sa.Table(
    "receipts",
    metadata,
    sa.Column("provider_id", sa.String, primary_key=True),
    sa.Column("status", sa.String, primary_key=True),
    sa.Column("error_code", sa.String),
    sa.Column("received_at", UtcTime, nullable=False),
)

#: Replies already handled, by the provider's id, so that one that comes twice changes nothing.
replies = sa.Table(
    "replies",
    metadata,
    sa.Column("provider_id", sa.String, primary_key=True),
    sa.Column("sender", sa.String, nullable=False, index=True),
    sa.Column("text", sa.String, nullable=False),
    sa.Column("received_at", UtcTime, nullable=False),
    sa.Column("verdict", sa.String, nullable=False),
    sa.Column("answer", sa.String, nullable=False),
)

#: Addresses whose owner said STOP.
opted_out = sa.Table(
    "opted_out",
    metadata,
    sa.Column("address", sa.String, primary_key=True),
    sa.Column("since", UtcTime, nullable=False),
)
