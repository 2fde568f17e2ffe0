"""The whole examination: which checks there are, and their order."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from shouwang.doctor import broker, callbacks, clock, community, database, disk, provider, sending, watching
from shouwang.doctor.checking import Check, run
from shouwang.doctor.diagnosis import Diagnosis
from shouwang.doctor.patient import Patient
from shouwang.environment import environment
from shouwang.settings import Settings

#: What the checks of the broker take beside the listening: sessions, a queue, spaces.
_BROKER_S = 120.0
_FILES_S = 120.0


async def examine(
    settings: Settings,
    *,
    now: Callable[[], datetime],
    listen_s: float = 10.0,
    queue: int = 1_500,
    send_to: tuple[str, ...] = (),
) -> list[Diagnosis]:
    """Examine an installation, beside the running service or without it; changes nothing of what is the service's."""
    read = community.Read(None, [])

    async def read_files() -> list[Diagnosis]:
        nonlocal read
        read = await community.read(settings)
        return community.of_settings(environment()) + read.told

    told = await run([Check(community.FILES, "the three files", _FILES_S, read_files)])
    patient = Patient(
        settings=settings,
        registry=read.community.registry if read.community else None,
        now=now,
        listen_s=listen_s,
        queue=queue,
        send_to=send_to,
    )
    return told + await run(_checks(patient))


def _checks(patient: Patient) -> list[Check]:
    settings, registry = patient.settings, patient.registry
    broker_s = _BROKER_S + patient.listen_s + patient.queue / 100
    checks = [
        Check(broker.SUBJECT, "the broker", broker_s, lambda: broker.look(patient)),
        Check(database.SUBJECT, "the database", 30.0, lambda: database.look(patient)),
    ]
    if settings.mqtt.is_embedded:
        folder: Path = settings.mqtt.embedded_dir
        checks.append(Check(disk.SUBJECT, "the broker's disk", 10.0, lambda: disk.look(folder, "the embedded broker")))
    checks += [
        Check(clock.SUBJECT, "the clock", 20.0, lambda: clock.look(patient)),
        Check(callbacks.SERVICE, "the service and its public address", 30.0, lambda: callbacks.look(patient)),
        Check(provider.SUBJECT, "the provider", 40.0, lambda: provider.look(patient)),
    ]
    if registry is not None:
        checks.append(Check(community.PEOPLE, "the people", 60.0, lambda: community.look(registry, settings)))
    checks.append(Check(watching.SUBJECT, "who watches the service", 30.0, lambda: watching.look(settings)))
    if patient.send_to:
        checks.append(Check(sending.SUBJECT, "test messages", 90.0, lambda: sending.look(patient)))
    return checks
