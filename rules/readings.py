"""Facts: what a device said, when, and why we have the fact now."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

#: Kinds of which a raised alarm may cost a life within minutes (invariant life-first).
LIFE_SAFETY_KINDS = frozenset({"gas", "smoke", "carbon_monoxide", "sos", "fall"})

#: Every kind a reading may have. Rules may name only these.
KINDS = frozenset(
    {
        "gas",
        "smoke",
        "carbon_monoxide",
        "water_leak",
        "contact",
        "motion",
        "presence",
        "vibration",
        "sos",
        "fall",
        "button",
        "tamper",
        "battery",
        "battery_voltage",
        "availability",
        "test",
        "fault",
        "mute",
        "warmup",
        "end_of_life",
        "alarm_panel",
        "heartbeat",
        "gas_concentration",
        "smoke_concentration",
        "carbon_monoxide_concentration",
        "measurement",
    }
)

#: The states in which a kind says that something is wrong or somebody asks for help.
ALARM_STATES = {"sos": "pressed", "fall": "alarm"}

#: Stands for "we have the field, and it says nothing": null, unavailable, nan (invariant unknown-is-not-clear).
UNKNOWN = "unknown"


class Freshness(StrEnum):
    """Why we have a fact now."""

    #: The device has just said so.
    LIVE = "live"
    #: The broker kept it from an earlier time.
    RETAINED = "retained"
    #: A gateway repeated it beside another fact or at its own start.
    CACHED = "cached"
    #: A late sample of an earlier time; stored, and never raises anything.
    HISTORIC = "historic"


class Reading(NamedTuple):
    """One fact decoded from a message.

    A named tuple, because one is made for every field of every message.
    Times are aware datetimes in UTC; `received_at` is the broker side's and decides, `observed_at` is the device's own
    word and only informs.
    """

    device_id: str
    kind: str
    received_at: datetime
    #: `alarm`, `clear`, `open`, `closed`, `detected`, `pressed`, `online`, `offline`, `low`, `ok`, `unknown` …; None
    #: for a pure number.
    state: str | None = None
    value: float | None = None
    unit: str | None = None
    observed_at: datetime | None = None
    freshness: Freshness = Freshness.LIVE
    #: The message may carry fields that the gateway only repeats (zigbee2mqtt merges its cache into every message): a
    #: state equal to the one we already have then counts as cached.
    merged: bool = False
    #: The same message says that the device is being tested.
    under_test: bool = False
    #: Sub-fault, tilt, action name …
    detail: str | None = None
    #: The gateway has just started and is publishing what it remembers: a fact of which nothing is known yet counts as
    #: cached then. Where something is known, `merged` decides as always, so that a new alarm still pages.
    startup: bool = False
    #: The broker says that it has handed the message over before, and it may have been taken in then.
    redelivered: bool = False


class DeviceState(NamedTuple):
    """What we know of one kind of fact of one device. A row of table `device_states`."""

    device_id: str
    kind: str
    #: As Reading.state, or `test` for an alarm that came while the device was being tested.
    state: str | None
    value: float | None
    unit: str | None
    #: Since when the state has been what it is (receive time).
    true_since: datetime
    #: When the device last said something of this kind, whatever it was: a sign of life. Retained and cached facts do
    #: not move it; where there have been no others it equals `true_since`.
    last_seen: datetime
    #: When this kind last showed a person's activity: a live change of a contact, a live `detected`.
    active_at: datetime | None
    freshness: Freshness
