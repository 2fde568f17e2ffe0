"""`shouwang decode`: what recorded messages say."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from shouwang.decoding import Answer, Sitting


def decode(
    file: Annotated[
        Path | None, typer.Argument(help="The messages.", dir_okay=False, exists=True, show_default="standard input")
    ] = None,
    *,
    dialect: Annotated[str | None, typer.Option("--dialect", "-d", help="How the messages are written.")] = None,
    base: Annotated[
        list[str] | None,
        typer.Option("--base", "-b", help="Where their topics begin, where that was changed. May be given again."),
    ] = None,
    meanings: Annotated[
        Path | None,
        typer.Option("--map", help="A devices.yaml, or only what would stand under `map:` in one.", exists=True),
    ] = None,
    kind: Annotated[str | None, typer.Option("--kind", help="What the devices are, where only that tells.")] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            help="A folder with devices.yaml: only what is registered there is read, as the service would.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    topic: Annotated[str | None, typer.Option("--topic", "-t", help="Every line is a payload of this topic.")] = None,
    as_table: Annotated[bool, typer.Option("--table", help="Print how many there are of what.")] = False,
) -> None:
    """Print what each message says, as a line of JSON: its facts, or why there are none.

    A line is a JSON object with `topic` and `payload` (and, where known, retain, received_at, vendor, model, kind,
    exposes), or what `mosquitto_sub -v` prints. Earlier lines teach later ones. Nothing is written or sent.
    Exit 0: everything was understood, 1: something is broken, unknown, or needs a map, 2: wrong usage.
    """
    from shouwang.clock import SystemClock  # noqa: PLC0415 - `shouwang --help` needs none of this
    from shouwang.decoding import BadLine, read_line  # noqa: PLC0415

    sittings = _Sittings(dialect, base or [], meanings, config, kind)
    now = SystemClock().now()
    counts: Counter[tuple[str, str]] = Counter()
    good = True
    for number, text in enumerate(_lines(file), 1):
        try:
            line = read_line(text, topic=topic)
            if line is None:
                continue
            answer = sittings.of(line.dialect).hear(line, now)
        except BadLine as error:
            good = False
            counts["bad line", ""] += 1
            typer.echo(f"line {number}: {error}", err=True)
            continue
        good = good and answer.understood
        if as_table:
            counts.update(_counted(answer))
        else:
            _print_json({"line": number, **answer.as_json()})
    if as_table:
        _print_table(counts)
    if not good:
        raise typer.Exit(1)


class _Sittings:
    """One for each dialect that the lines name; a single one where the command line names it."""

    def __init__(
        self, dialect: str | None, bases: list[str], meanings: Path | None, config: Path | None, kind: str | None
    ) -> None:
        from shouwang.config import ConfigError, Problem, load_devices  # noqa: PLC0415 - see above
        from shouwang.config.problems import one_of  # noqa: PLC0415
        from shouwang.config.vocabulary import DEVICE_KINDS, DIALECTS  # noqa: PLC0415
        from shouwang.decoding import maps  # noqa: PLC0415

        if kind is not None and kind not in DEVICE_KINDS:
            raise typer.BadParameter(f"no device is a '{kind}'; {one_of(kind, DEVICE_KINDS)}", param_hint="--kind")
        if dialect is not None and dialect not in DIALECTS:
            raise typer.BadParameter(f"there is no '{dialect}'; {one_of(dialect, DIALECTS)}", param_hint="--dialect")
        if config is not None and meanings is not None:
            raise typer.BadParameter("the map is in the folder's devices.yaml already", param_hint="--map")
        self._dialect, self._bases, self._kind = dialect, bases, kind
        self._registered_only = config is not None
        self._map, sources, devices = maps.read(meanings) if meanings is not None else (None, [], [])
        if config is not None:
            sources, devices = load_devices(config)
            if not any(dialect in {None, one.dialect} for one in sources):
                raise ConfigError([Problem(file=str(config), message=f"no source in it has the dialect {dialect}")])
        self._sources, self._devices = sources, devices
        self._sittings: dict[str, Sitting] = {}

    def of(self, said: str | None) -> "Sitting":
        """Give the one for a line that says that it is of a dialect; raises BadLine where nobody knows one."""
        from dataclasses import replace  # noqa: PLC0415 - see above

        from shouwang.config.vocabulary import DIALECTS  # noqa: PLC0415
        from shouwang.decoding import BadLine, Sitting, sitting  # noqa: PLC0415

        dialect = self._dialect or ("" if self._registered_only else said)
        if dialect is None or (dialect and dialect not in DIALECTS):
            told = "does not say its dialect" if said is None else f"says that its dialect is {said!r}"
            raise BadLine(f"the line {told}; give --dialect, one of: {', '.join(sorted(DIALECTS))}")
        if dialect not in self._sittings:
            sources = [one for one in self._sources if dialect in {"", one.dialect}]
            if sources and self._bases:
                sources = [replace(sources[0], base=self._bases[0], more=tuple(self._bases[1:]))]
            if not sources:
                sources = [sitting.assumed(dialect, bases=self._bases, meanings=self._map)]
            self._sittings[dialect] = Sitting(
                sources,
                self._devices,
                kind=self._kind,
                registered_only=self._registered_only,
                # What is written in a file, or given, is meant so.
                guess_base=not (self._sources or self._bases),
            )
        return self._sittings[dialect]


def _lines(file: Path | None) -> Iterator[str]:
    opened = sys.stdin.buffer if file is None else file.open("rb")
    with opened:
        for raw in opened:
            yield raw.decode("utf-8", "surrogateescape")


def _counted(answer: "Answer") -> Iterable[tuple[str, str]]:
    decoded = answer.decoded
    for reading in decoded.readings:
        yield reading.kind, reading.state or "number"
    if decoded.gateway is not None:
        yield "gateway", decoded.gateway.state
    for one in decoded.unmapped:
        yield "needs mapping", one.what
    if decoded.ignored is not None:
        yield "ignored", decoded.ignored
    if decoded.quarantine is not None:
        yield "quarantine", decoded.quarantine[0]


def _print_json(document: dict[str, Any]) -> None:
    import json  # noqa: PLC0415 - see above

    typer.echo(json.dumps(document, ensure_ascii=False))


def _print_table(counts: Counter[tuple[str, str]]) -> None:
    from rich.console import Console  # noqa: PLC0415 - only for --table
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=None, pad_edge=False)
    table.add_column("what")
    table.add_column("says")
    table.add_column("times", justify="right")
    for (what, says), times in sorted(counts.items()):
        table.add_row(what, says, str(times))
    Console(highlight=False).print(table)
