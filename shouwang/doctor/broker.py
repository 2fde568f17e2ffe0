"""The broker: whether it lets us in, and then what it does with messages."""

import asyncio
import contextlib
import fcntl
import os
import secrets
import tempfile
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from ingest.embedded import EmbeddedBroker
from ingest.options import MqttOptions, Protocol
from ingest.visit import Heard, NameRefusedError, RefusedVisitError, Visit, VisitError, visit
from shouwang.doctor import listening, persistence, session
from shouwang.doctor.checking import Check, aside, run
from shouwang.doctor.diagnosis import Diagnosis, counted, finding, fine, note
from shouwang.doctor.patient import Patient
from shouwang.doctor.places import is_loopback

SUBJECT = "broker"
_DAY_S = 86_400
_SYS_S = 2.0
#: Days before the end at which somebody should have renewed a certificate, and at which it is usual to.
_CERTIFICATE_SOON = 7
_CERTIFICATE_LATER = 21
_SLACK_S = 20.0


class _TakenForServiceError(Exception):
    """The broker takes the doctor for the service."""


class Reached(NamedTuple):
    """Where the broker is to be found."""

    options: MqttOptions
    #: It is one that was started for the examination, and nobody else is there.
    empty: bool
    told: list[Diagnosis]


async def look(patient: Patient) -> list[Diagnosis]:
    """Examine the broker."""
    async with _reached(patient) as reached:
        options = reached.options
        try:
            told = [*reached.told, *await _met(options, patient.now())]
        except _TakenForServiceError:
            return [*reached.told, _same()]
        except NameRefusedError as error:
            advice = f"Let clients in whose id begins with {session.TOPIC}-, and run the doctor again."
            what = f"{error}; it could not be examined"
            return [*reached.told, note(SUBJECT, what, where=options.address, advice=advice)]
        except VisitError as error:
            advice = "Nothing arrives until this is mended."
            if isinstance(error, RefusedVisitError):
                advice += f" Where clients are known by their ids, let in those that begin with {session.TOPIC}-."
            return [*reached.told, finding(SUBJECT, f"{error}", where=options.address, advice=advice)]
        embedded = patient.settings.mqtt.is_embedded
        spaced = _names_with_spaces(patient)
        # A queue of many messages takes its time.
        queue_s = 90.0 + patient.queue / session.SLOWEST_PER_S * 2
        checks = [
            Check(
                persistence.SUBJECT, "the broker's persistence", 10.0, lambda: _persistence(options, embedded=embedded)
            )
        ]
        if patient.registry is not None and not reached.empty:
            limit_s = patient.listen_s + _SLACK_S
            checks.append(Check(listening.SUBJECT, "messages", limit_s, lambda: _listened(patient, options)))
        if patient.queue:
            checks.append(Check(session.SUBJECT, "sessions", queue_s, lambda: session.look(options, patient.queue)))
        if spaced:
            checks.append(Check(session.SUBJECT, "spaces", 30.0, lambda: session.with_spaces(options, spaced)))
        return told + await run(checks)


def _same() -> Diagnosis:
    return finding(
        SUBJECT,
        "takes everybody with one user name for the same client: whoever connects as the service does throws it out and"
        " gets its messages; the doctor left at once, and examined nothing",
        where="use_username_as_clientid (Mosquitto)",
        advice="Switch that off, or let nothing but the service use its user name; give the doctor another one"
        " (SHOUWANG_MQTT__URL).",
    )


async def _met(options: MqttOptions, now: datetime) -> list[Diagnosis]:
    """Knock, with what the service would ask for. Raises VisitError.

    The name is new, so there can be no session for it, unless the broker goes by the user's name: then what we have met
    is the session of the service, of which nothing may be touched.
    """
    name = _name()
    async with visit(options, name, keep_s=options.session_expiry_s, resume=True, acknowledge=False) as here:
        if here.greeting.session_present:
            raise _TakenForServiceError
        ends = here.certificate_ends
        await here.leave(forget=True)
    # With MQTT 3.1.1 a session lasts until its client comes without one.
    async with visit(options, name):
        pass
    told = [fine(SUBJECT, f"lets us in (MQTT {_version(here)})", where=options.address)]
    if ends is not None:
        told.append(of_certificate(ends, now, options.address))
    kept_s = here.greeting.session_expiry_s
    if kept_s is not None and kept_s < min(options.session_expiry_s, _DAY_S):
        told.append(
            finding(
                SUBJECT,
                f"keeps the session of a client that is away for {kept_s} s only, and drops its messages then",
                where=options.address,
                advice="Raise the limit in the broker's configuration: longer than the longest outage.",
            )
        )
    if here.greeting.maximum_qos == 0:
        told.append(
            finding(
                SUBJECT,
                "allows QoS 0 only: whatever is on its way when a connection breaks is lost",
                where=options.address,
                advice="Allow QoS 1 in the broker's configuration.",
            )
        )
    return told


def of_certificate(ends: datetime, now: datetime, where: str) -> Diagnosis:
    """Say whether the broker's certificate is good for some time yet."""
    days = (ends - now).days
    what = f"the broker's certificate is good for {counted(days, 'day')} yet"
    advice = "Renew it, and see to it that it is renewed by itself: on its last day everything stops at once."
    if days < _CERTIFICATE_SOON:
        return finding(SUBJECT, what, where=where, advice=advice)
    if days < _CERTIFICATE_LATER:
        return note(SUBJECT, what, where=where, advice=advice)
    return fine(SUBJECT, what, where=where)


def _version(here: Visit) -> str:
    return "5" if here.version.name == "MQTTv5" else "3.1.1"


def _name() -> str:
    return f"{session.TOPIC}-{secrets.token_hex(4)}"


async def _listened(patient: Patient, options: MqttOptions) -> list[Diagnosis]:
    registry = patient.registry
    assert registry is not None  # noqa: S101 - for the type checker: the check is made where there is one
    ears = listening.Listening(registry, patient.now)
    async with visit(options, _name(), on_message=ears.hear) as here:
        granted = await here.subscribe(ears.subscriptions)
        # What ends early, ends with what was heard.
        await asyncio.wait({here.ended}, timeout=patient.listen_s)
    told = [
        finding(
            listening.SUBJECT,
            "the broker does not let us read this" if qos >= 0x80 else "the broker hands this over with QoS 0 only",
            where=topic,
            advice="Allow this user to read it with QoS 1.",
        )
        for topic, qos in granted.items()
        if qos != 1
    ]
    return told + listening.judge(ears.tallies, registry, patient.listen_s)


async def _persistence(options: MqttOptions, *, embedded: bool) -> list[Diagnosis]:
    if embedded:
        return persistence.judge("", None, embedded=True)
    words: list[str] = []
    said = asyncio.Event()

    def hear(heard: Heard) -> None:
        words.append(heard.payload.decode("utf-8", "replace"))
        said.set()

    # Some brokers throw out whoever asks for these.
    with contextlib.suppress(VisitError, TimeoutError):
        async with visit(options, _name(), on_message=hear) as here:
            await here.subscribe(persistence.ABOUT_ITSELF)
            async with asyncio.timeout(_SYS_S):
                await said.wait()
    local = await aside(persistence.local_mosquitto, options.port) if is_loopback(options.host) else None
    kind = persistence.kind_of(words)
    return persistence.judge(kind, local if "EMQX" not in kind else None, embedded=False)


def _names_with_spaces(patient: Patient) -> list[str]:
    if patient.registry is None:
        return []
    bases = [source.base for source in patient.registry.sources]
    return [name for name in (*bases, *(device.name for device in patient.registry.devices)) if " " in name]


# --- where it is ------------------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def _reached(patient: Patient) -> AsyncIterator[Reached]:
    mqtt = patient.settings.mqtt
    if not mqtt.is_embedded:
        yield Reached(mqtt.options(), empty=False, told=[])
        return
    running = await aside(_is_in_use, mqtt.embedded_dir)
    if running and mqtt.embedded_port:
        url = f"mqtt://127.0.0.1:{mqtt.embedded_port}?protocol={Protocol.V311}"
        yield Reached(mqtt.options(url=url), empty=False, told=[])
        return
    if running:
        why = "the embedded broker listens on a port that nobody is told (SHOUWANG_MQTT__EMBEDDED_PORT is 0)"
        advice = "Give it a port, so that gateways find it."
    else:
        why, advice = "the embedded broker is not running", "Run the doctor again beside the running service."
    with tempfile.TemporaryDirectory(prefix="shouwang-doctor-") as folder:
        async with EmbeddedBroker(Path(folder)) as broker:
            told = [note(SUBJECT, f"{why}: another one was started and examined", advice=advice)]
            yield Reached(mqtt.options(url=broker.url), empty=True, told=told)


def _is_in_use(folder: Path) -> bool:
    """Say whether an embedded broker runs on these files: it holds a lock for as long as it lives."""
    try:
        lock = os.open(folder / "lock", os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False
