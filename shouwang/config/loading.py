"""The three files as values: read, checked against one another, and looked at for holes."""

import gc
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from notify.masking import mask_phone
from rules.community import Device, Registry, Source
from rules.rulebook import Rulebook
from shouwang.config import files
from shouwang.config.coverage import Remark, coverage
from shouwang.config.files import Found
from shouwang.config.models import models
from shouwang.config.notes import Notes
from shouwang.config.problems import ConfigError, Problem
from shouwang.config.reading import Item, Reading
from shouwang.config.references import References
from shouwang.environment import environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Community:
    """What the three files say."""

    registry: Registry
    rulebook: Rulebook
    #: By file (`devices.yaml`, `grids.yaml`, `rules.yaml`): as `digests` gives them, of exactly what was read.
    digests: dict[str, str]
    #: What is allowed, and yet probably not meant.
    warnings: list[Problem]


def load(directory: Path, *, environ: Mapping[str, str] | None = None) -> Community:
    """Read devices.yaml, grids.yaml and rules.yaml (or the folders of that name) in a folder.

    Values of `${NAME}` come from `environ`; by default from the environment and `.env`. The rulebook has the default
    time zone and language; whoever knows the settings replaces them.
    Raises ConfigError with every problem of all files.
    """
    reading = _read(directory, files.KINDS, environ)
    households = reading.values("homes")
    sources = tuple(reading.values("sources"))
    registry = Registry(
        sources=sources,
        homes=tuple([household.home for household in households]),
        devices=with_heartbeats((device for household in households for device in household.devices), sources),
        grids=tuple(reading.values("grids")),
        workers=tuple(reading.values("workers")),
    )
    rulebook = _rulebook(reading)
    warnings = _placed([*coverage(registry, rulebook, mask_phone), *models(registry.devices)], reading)
    return Community(registry=registry, rulebook=rulebook, digests=reading.digests, warnings=warnings)


def with_heartbeats(devices: Iterable[Device], sources: Iterable[Source]) -> tuple[Device, ...]:
    """Give devices that have no heartbeat of their own the one of their source, where that has one."""
    given = {source.id: source.heartbeat_s for source in sources if source.heartbeat_s is not None}
    if not given:
        return tuple(devices)
    return tuple(
        [
            device
            if device.heartbeat_s is not None or device.source not in given
            else replace(device, heartbeat_s=given[device.source])
            for device in devices
        ]
    )


def load_rulebook(directory: Path, *, environ: Mapping[str, str] | None = None) -> Rulebook:
    """Read rules.yaml alone, checked against the workers of grids.yaml: quick, however many homes there are.

    Raises ConfigError with every problem of the two files.
    """
    return _rulebook(_read(directory, ("grids", "rules"), environ))


def load_devices(path: Path, *, environ: Mapping[str, str] | None = None) -> tuple[list[Source], list[Device]]:
    """Read the sources and devices of a folder's devices.yaml, or of a file that is written like one.

    Raises ConfigError with every problem of it; what it says of grids is not looked at.
    """
    reading = Reading(environment() if environ is None else environ)
    with _without_collector():
        if path.is_dir():
            reading.read(path, "devices")
        else:
            reading.read_files([Found(path, str(path))], "devices")
        References(reading).check()
    if problems := reading.notes.problems():
        raise ConfigError(problems)
    return reading.values("sources"), [device for one in reading.values("homes") for device in one.devices]


def digests(directory: Path, *, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Digest the content of each of the three files, without parsing it: equal digests mean an equal community.

    The values of the variables that a file names, and the version of the format, go into its digest. A file that is
    missing has none.
    """
    return files.digests(directory, environment() if environ is None else environ)


def _read(directory: Path, kinds: tuple[str, ...], environ: Mapping[str, str] | None) -> Reading:
    reading = Reading(environment() if environ is None else environ)
    if not directory.is_dir():
        message = "there is no such folder; give the one that has the files (SHOUWANG_CONFIG__DIR)"
        raise ConfigError([Problem(file=str(directory), message=message)])
    with _without_collector():
        for kind in kinds:
            reading.read(directory, kind)
        References(reading).check()
    if problems := reading.notes.problems():
        raise ConfigError(problems)
    return reading


def _rulebook(reading: Reading) -> Rulebook:
    return Rulebook(
        rules=tuple(reading.values("rules")),
        plans={plan.id: plan for plan in reading.values("plans")},
        policies={policy.id: policy for policy in reading.values("policies")},
    )


def _placed(remarks: list[Remark], reading: Reading) -> list[Problem]:
    notes = Notes(files=reading.notes.files, substituted=reading.notes.substituted)
    sections = {remark.section for remark in remarks}
    items: dict[tuple[str, str], Item] = {
        (section, item.id): item for section in sections for item in reading.items[section]
    }
    for remark in remarks:
        item = items[remark.section, remark.id]
        # Plans and policies are told at their names; below one there may be a screenful.
        notes.add(item.at(*remark.loc, at_key=isinstance(item.key, str) and not remark.loc), remark.message)
    return notes.problems()


@contextmanager
def _without_collector() -> Iterator[None]:
    """Millions of new values, all of them kept, make the garbage collector walk them over and over for nothing."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
