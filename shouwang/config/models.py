"""What is known of the models of devices, and worth a warning: an alarm that has been seen not to arrive."""

from collections.abc import Iterable, Iterator

from ingest.quirks import Quirk, known
from rules.community import Device
from shouwang.config.coverage import Remark
from shouwang.config.problems import listed


def models(devices: Iterable[Device]) -> Iterator[Remark]:
    """Remark on devices whose model devices.yaml names, one remark for all of a model."""
    found: dict[int, tuple[Quirk, list[Device]]] = {}
    quirks = known()
    for device in devices:
        if device.model is None:
            continue
        quirk = quirks.of(device.vendor, device.model)
        if quirk is not None and device.kind in quirk.never_sets:
            found.setdefault(id(quirk), (quirk, []))[1].append(device)
    for quirk, of_model in found.values():
        first = of_model[0]
        message = (
            f"the {first.kind} alarm of {quirk.vendor} {first.model} has been seen not to arrive: {quirk.because};"
            f" press the test button and see whether it does ({listed([device.id for device in of_model])})"
        )
        yield Remark("homes", first.home_id, message)
