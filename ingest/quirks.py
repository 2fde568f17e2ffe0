"""What is known of single models that their messages do not say: quirks.yaml, applied to devices before any decoding.

A device is given what its model needs (`fitted`), so that dialects and rules go by it without knowing of models.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import yaml

from rules.community import Device
from rules.readings import KINDS

_FILE: Final = Path(__file__).with_name("quirks.yaml")
_DURATION: Final = re.compile(r"([1-9][0-9]*)(s|m|h|d)")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_KEYS: Final = frozenset(
    {"vendor", "models", "inverted", "never_clears", "never_sets", "test_button", "because", "reference"}
)
#: Stands for the vendor where a receiver names none.
_ANY: Final = "rtl_433"


class QuirksError(ValueError):
    """quirks.yaml cannot be used; the text says where and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirk:
    """What one model needs."""

    vendor: str
    models: tuple[str, ...]
    inverted: bool = False
    #: Seconds by kind, as `Device.latches`.
    never_clears: Mapping[str, int] = field(default_factory=dict)
    never_sets: frozenset[str] = frozenset()
    test_button: Literal["alarm", "silent"] | None = None
    #: What happens, in a sentence without its beginning and end.
    because: str
    reference: str


class Quirks:
    """Quirks by vendor and model."""

    def __init__(self, quirks: Sequence[Quirk]) -> None:
        self._by_model = {
            (quirk.vendor.casefold(), model.casefold()): quirk for quirk in quirks for model in quirk.models
        }

    def of(self, vendor: str | None, model: str | None) -> Quirk | None:
        """Give what is known of a model; without a vendor, of one that only one of them has."""
        if model is None:
            return None
        if vendor is not None:
            return self._by_model.get((vendor.casefold(), model.casefold()))
        found = [quirk for (_, known), quirk in self._by_model.items() if known == model.casefold()]
        return found[0] if len(found) == 1 else None

    def of_device(self, device: Device, definition: Mapping[str, Any] | None) -> Quirk | None:
        """Give what is known of a device's model: as the registry says, else as the gateway does, else by its name."""
        if device.model is not None:
            return self.of(device.vendor, device.model)
        if definition is not None and type(model := definition.get("model")) is str:
            vendor = definition.get("vendor")
            return self._by_model.get((vendor.casefold(), model.casefold())) if type(vendor) is str else None
        model, slash, _ = device.name.partition("/")
        return self._by_model.get((_ANY, model.casefold())) if slash else None

    def fitted(self, device: Device, definition: Mapping[str, Any] | None) -> Device:
        """Give a device with what its model needs."""
        quirk = self.of_device(device, definition)
        if quirk is None or not (quirk.inverted or quirk.never_clears):
            return device
        return replace(device, invert=device.invert or quirk.inverted, latches=quirk.never_clears or None)


@cache
def known() -> Quirks:
    """Give those of quirks.yaml. Raises QuirksError."""
    return Quirks(read(_FILE.read_text("utf-8")))


def read(text: str) -> list[Quirk]:
    """Read a file of quirks. Raises QuirksError with the first thing that is wrong."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise QuirksError(f"this is no YAML: {error}") from error
    if type(document) is not dict or document.get("version") != 1 or type(document.get("quirks")) is not list:
        raise QuirksError("the file must have `version: 1`, and a list `quirks`")
    quirks: list[Quirk] = []
    seen: set[tuple[str, str]] = set()
    for number, entry in enumerate(document["quirks"]):
        quirk = _read_one(number, entry)
        for model in quirk.models:
            key = (quirk.vendor.casefold(), model.casefold())
            if key in seen:
                raise QuirksError(f"quirks[{number}]: {quirk.vendor} {model} is there twice")
            seen.add(key)
        quirks.append(quirk)
    return quirks


def _read_one(number: int, entry: Any) -> Quirk:
    where = f"quirks[{number}]"
    if type(entry) is not dict:
        raise QuirksError(f"{where}: this should be a mapping")
    if unknown := entry.keys() - _KEYS:
        raise QuirksError(f"{where}: unknown key {min(map(str, unknown))!r}; known: {', '.join(sorted(_KEYS))}")
    for key in ("vendor", "because", "reference"):
        if type(entry.get(key)) is not str or not entry[key].strip():
            raise QuirksError(f"{where}: {key} is missing, or no text")
    models = entry.get("models")
    if type(models) is not list or not models or any(type(one) is not str for one in models):
        raise QuirksError(f"{where}: models should be a list of texts")
    if type(entry.get("inverted", False)) is not bool:
        raise QuirksError(f"{where}: inverted is true or false")
    if entry.get("test_button") not in {None, "alarm", "silent"}:
        raise QuirksError(f"{where}: test_button is alarm or silent")
    never_clears = entry.get("never_clears", {})
    never_sets = entry.get("never_sets", [])
    if type(never_clears) is not dict or type(never_sets) is not list:
        raise QuirksError(f"{where}: never_clears is a mapping of kinds to durations, never_sets a list of kinds")
    for kind in (*never_clears, *never_sets):
        if kind not in KINDS:
            raise QuirksError(f"{where}: there is no kind {kind!r}")
    return Quirk(
        vendor=entry["vendor"],
        models=tuple(models),
        inverted=entry.get("inverted", False),
        never_clears={kind: _seconds(where, text) for kind, text in never_clears.items()},
        never_sets=frozenset(never_sets),
        test_button=entry.get("test_button"),
        because=entry["because"].strip(),
        reference=entry["reference"].strip(),
    )


def _seconds(where: str, text: Any) -> int:
    found = _DURATION.fullmatch(text) if type(text) is str else None
    if found is None:
        raise QuirksError(f"{where}: {text!r} is no duration; write 10m, 12h or 2d")
    return int(found[1]) * _SECONDS[found[2]]
