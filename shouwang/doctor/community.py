"""The three files, and whether everybody in them can be reached with these settings."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from notify.channels.apprise import understands
from notify.masking import mask_url
from rules.community import ContactMethod, Home, Registry, Worker
from shouwang import channels, config
from shouwang.config import Community, ConfigError
from shouwang.config.problems import listed
from shouwang.doctor.checking import aside
from shouwang.doctor.diagnosis import Diagnosis, counted, finding, fine, note
from shouwang.settings import Settings, unknown_variables

SETTINGS = "settings"
FILES = "files"
PEOPLE = "people"

#: What a channel needs to be there; the others need nothing.
_NEEDS = {
    "sms": "SHOUWANG_TWILIO__ACCOUNT_SID, …__AUTH_TOKEN and …__FROM_NUMBER",
    "voice": "SHOUWANG_TWILIO__ACCOUNT_SID, …__AUTH_TOKEN and …__FROM_NUMBER",
    "webhook": "SHOUWANG_WEBHOOK__SECRET",
}


class Read(NamedTuple):
    """What became of reading the files; no community where they cannot be used."""

    community: Community | None
    told: list[Diagnosis]


def of_settings(environ: Mapping[str, str]) -> list[Diagnosis]:
    """Say which variables look like settings and are none."""
    advice = "What was meant by it is not in force."
    strange = [finding(SETTINGS, sentence, advice=advice) for sentence in unknown_variables(environ)]
    return strange or [fine(SETTINGS, "every variable that looks like a setting is one")]


async def read(settings: Settings) -> Read:
    """Read the three files."""
    where = str(settings.config.dir.absolute())
    try:
        community = await aside(config.load, settings.config.dir)
    except ConfigError as error:
        advice = "`shouwang check` shows them all; the service does not start with them, nor take them in."
        what = f"{counted(len(error.problems), 'problem')}: {error.problems[0]}"
        return Read(None, [finding(FILES, what, where=where, advice=advice)])
    homes, workers = len(community.registry.homes), len(community.registry.workers)
    told = [fine(FILES, f"{counted(homes, 'home')}, {counted(workers, 'worker')}", where=where)]
    if community.warnings:
        what = counted(len(community.warnings), "warning")
        told.append(note(FILES, what, where=where, advice="See `shouwang check`."))
    return Read(community, told)


def usable(settings: Settings) -> frozenset[str]:
    """Name the channels that can send with these settings."""
    missing = set()
    if not channels.accounts(settings):
        missing |= {"sms", "voice"}
    if settings.webhook.secret is None:
        missing.add("webhook")
    return frozenset(channels.NAMES) - missing


async def look(registry: Registry, settings: Settings) -> list[Diagnosis]:
    """Look at every way to reach a worker."""
    addresses = {
        method.address for worker in registry.workers for method in worker.contact if method.channel == "apprise"
    }
    understood = await aside(lambda: {address: understands(address) for address in sorted(addresses)})
    can_send = usable(settings)
    return [*judge(registry.workers, can_send, understood), *of_families(registry.homes, can_send)]


def judge(workers: tuple[Worker, ...], usable: frozenset[str], understood: Mapping[str, bool]) -> Iterator[Diagnosis]:
    """Say who cannot be reached; `understood` says of each Apprise address whether Apprise can read it."""
    for channel in channels.NAMES:
        concerned = [worker.id for worker in workers if any(one.channel == channel for one in worker.contact)]
        if concerned and channel not in usable:
            yield finding(
                PEOPLE,
                f"{channel} is not set up, and is a way to {counted(len(concerned), 'worker')}: {listed(concerned)}",
                where="grids.yaml",
                advice=f"Set {_NEEDS[channel]}; until then the next way of these people is taken, if they have one.",
            )
    wrong = {address for address, well in understood.items() if not well}
    for worker in workers:
        for method in worker.contact:
            if method.channel == "apprise" and method.address in wrong:
                yield finding(
                    PEOPLE,
                    f"'{shown(method.address)}' of {worker.id} is no address that Apprise understands",
                    where="grids.yaml",
                    advice="Write it as https://appriseit.com/services/ says for that service.",
                )
    unreachable = [worker.id for worker in workers if not any(_works(one, usable, wrong) for one in worker.contact)]
    if unreachable:
        yield finding(
            PEOPLE,
            f"{counted(len(unreachable), 'worker')} cannot be reached in any way: {listed(unreachable)}",
            where="grids.yaml",
            advice="Give them a way (`contact:`) that is set up. `console` only prints, where the service runs.",
        )
    elif workers:
        yield fine(PEOPLE, f"each of {len(workers)} workers has a way that is set up")


def shown(address: str) -> str:
    """Give an address of Apprise that may be written wrongly, without what could be its secret."""
    return mask_url(address) if "://" in address else "****"


def of_families(homes: tuple[Home, ...], usable: frozenset[str]) -> Iterator[Diagnosis]:
    """Say whether family who want to be told can be."""
    told = [home.id for home in homes if any(one.notify and one.phone for one in home.contacts)]
    if told and not usable & {"sms", "voice"}:
        yield finding(
            PEOPLE,
            f"the family of {counted(len(told), 'home')} want to be told, and no phone is set up: {listed(told)}",
            where="devices.yaml",
            advice=f"Set {_NEEDS['sms']}.",
        )


def _works(method: ContactMethod, usable: frozenset[str], wrong: set[str]) -> bool:
    return method.channel in usable and method.channel != "console" and method.address not in wrong
