"""Whether the broker keeps on disk what it has acknowledged: what can be known of that without killing it.

Mosquitto says its version on `$SYS`, and of its persistence nothing. Where it runs on this machine, and its
configuration can be read, the configuration tells. The words on what each setting loses are measurements; see
docs/operations.md, section 2.
"""

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from shouwang.doctor.diagnosis import Diagnosis, finding, fine, note

SUBJECT = "persistence"
#: Topics on which brokers say who they are.
ABOUT_ITSELF = ("$SYS/broker/version", "$SYS/brokers/+/version")

_SECTION = "docs/operations.md, section 2"
_DEFAULT_PORT = "1883"
_MANY_FILES = 200
#: Seconds in a unit of `persistent_client_expiration`.
_UNITS = {"h": 3600, "d": 86_400, "w": 604_800, "m": 2_592_000, "y": 31_536_000}
_DAY_S = 86_400


class Mosquitto(NamedTuple):
    """The configuration of a Mosquitto on this machine."""

    path: Path
    #: By the option's name, as last written; options of listeners and plugins are among them.
    options: Mapping[str, str]
    #: Where one could not be read.
    unreadable: tuple[Path, ...] = ()


def kind_of(words: Iterable[str]) -> str:
    """Say which broker it is, by what it says on `$SYS`; empty where it says nothing."""
    for word in words:
        if found := re.search(r"mosquitto version (\S+)", word):
            return f"Mosquitto {found[1]}"
    return next((f"EMQX {word}" for word in words if re.match(r"v?\d+\.\d+", word)), "")


def judge(kind: str, mosquitto: Mosquitto | None, *, embedded: bool) -> list[Diagnosis]:
    """Say whether a crash of the broker loses messages."""
    if embedded:
        return [fine(SUBJECT, "the embedded broker writes to disk before it acknowledges")]
    if mosquitto is not None:
        return [*_of_mosquitto(mosquitto)]
    name = kind or "this broker"
    if kind.startswith("Mosquitto"):
        advice = (
            "Look into its configuration: without `persistence true` (2.0) or the plugin persist-sqlite (2.1) a restart"
            f" loses everything; {_SECTION} has settings that lose nothing or next to nothing."
        )
    elif kind.startswith("EMQX"):
        advice = f"Ordinary sessions end with the node; look for `durable_sessions` in its configuration ({_SECTION})."
    else:
        advice = f"Stop a subscriber, publish to its session, restart the broker, and see what comes back ({_SECTION})."
    return [note(SUBJECT, f"whether {name} keeps messages on disk cannot be known from outside", advice=advice)]


def _of_mosquitto(found: Mosquitto) -> Iterator[Diagnosis]:
    options, where = found.options, str(found.path)
    if found.unreadable:
        unread = ", ".join(map(str, found.unreadable))
        yield note(SUBJECT, f"a part of Mosquitto's configuration cannot be read by this user: {unread}", where=where)
    sqlite = any("persist_sqlite" in options.get(name, "") for name in ("plugin", "global_plugin"))
    if sqlite:
        if options.get("plugin_opt_sync") == "full" and options.get("plugin_opt_flush_period") == "0":
            yield fine(SUBJECT, "Mosquitto writes to disk a millisecond after it acknowledges", where=where)
        else:
            yield finding(
                SUBJECT,
                "Mosquitto writes to disk seconds after it acknowledges: a crash loses what came since, and sessions",
                where=where,
                advice=f"`plugin_opt_sync full` and `plugin_opt_flush_period 0` below the plugin ({_SECTION}).",
            )
    elif options.get("persistence") != "true":
        if found.unreadable:
            return
        yield finding(
            SUBJECT,
            "Mosquitto keeps nothing on disk: a restart loses all messages that wait, and all sessions",
            where=where,
            advice=f"`persistence true`, `autosave_on_changes true`, `autosave_interval 1` ({_SECTION}).",
        )
    elif options.get("autosave_on_changes") != "true" or options.get("autosave_interval", "1800") != "1":
        yield finding(
            SUBJECT,
            "Mosquitto writes to disk now and then, by default every half hour: a crash or a power failure loses what"
            " came since",
            where=where,
            advice=f"`autosave_on_changes true` and `autosave_interval 1` ({_SECTION}).",
        )
    else:
        yield fine(SUBJECT, "Mosquitto writes at every change; a crash loses one message at the most", where=where)
    expiry_s = _seconds(options.get("persistent_client_expiration", ""))
    if expiry_s is not None and expiry_s < _DAY_S:
        yield finding(
            SUBJECT,
            f"Mosquitto forgets the session of a client that is away for {options['persistent_client_expiration']}",
            where=where,
            advice="`persistent_client_expiration 30d`: longer than the longest outage.",
        )
    if options.get("max_queued_messages") == "0":
        yield finding(
            SUBJECT,
            "`max_queued_messages 0` is meant to be no limit, and drops messages in some versions of Mosquitto 2.0",
            where=where,
            advice="`max_queued_messages 1000000`.",
        )


def _seconds(expiry: str) -> int | None:
    found = re.fullmatch(r"(\d+)([hdwmy])", expiry)
    return int(found[1]) * _UNITS[found[2]] if found else None


def local_mosquitto(port: int, proc: Path = Path("/proc")) -> Mosquitto | None:
    """Find the configuration of the Mosquitto on this machine that listens on a port. Blocks."""
    for process in sorted(proc.glob("[0-9]*")):
        with contextlib.suppress(OSError):  # it has ended, or is none of ours
            words = (process / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
            if Path(words[0]).name != "mosquitto":
                continue
            found = _configured(process, words)
            if found is not None and str(port) in _ports(found, words):
                return found
    return None


def _configured(process: Path, words: list[str]) -> Mosquitto | None:
    named = next((words[at + 1] for at, word in enumerate(words[:-1]) if word in {"-c", "--config-file"}), None)
    if named is None:
        return Mosquitto(Path("(no file)"), {})
    folder = Path("/")
    if not Path(named).is_absolute():
        folder = (process / "cwd").resolve()
    # A process in a container has files of its own.
    inside = process / "root" / (folder / named).relative_to("/")
    path = folder / named
    with contextlib.suppress(OSError):
        if inside.is_file():
            path = inside
    if not path.is_file():
        return None
    options: dict[str, str] = {}
    ports: list[str] = []
    unreadable: list[Path] = []
    for option, value in _lines(path, unreadable):
        if option == "listener":
            ports.append(value.split()[0])
        options[option] = value
    options["listener"] = " ".join(ports)
    return Mosquitto(Path(named) if path is inside else path, options, tuple(unreadable))


def _lines(path: Path, unreadable: list[Path]) -> Iterator[tuple[str, str]]:
    try:
        text = path.read_text("utf-8", "replace")
    except OSError:
        unreadable.append(path)
        return
    for line in text.splitlines():
        option, _, value = line.strip().partition(" ")
        if not option or option.startswith("#"):
            continue
        if option == "include_dir":
            try:
                more = sorted(Path(value.strip()).glob("*.conf"))[:_MANY_FILES]
            except OSError:
                more = []
            for one in more:
                yield from _lines(one, unreadable)
        else:
            yield option, value.strip()


def _ports(found: Mosquitto, words: list[str]) -> set[str]:
    ports = set(found.options["listener"].split()) if found.options.get("listener") else set()
    ports |= {words[at + 1] for at, word in enumerate(words[:-1]) if word in {"-p", "--port"}}
    ports |= {found.options["port"]} if "port" in found.options else set()
    return ports or {_DEFAULT_PORT}
