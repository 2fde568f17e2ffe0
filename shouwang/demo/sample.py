"""Where the sample community is: the three files at the root of a checkout, or their copies in an installed wheel."""

from pathlib import Path

_IN_WHEEL = Path(__file__).parent / "community"
_IN_CHECKOUT = Path(__file__).parents[2]


def folder() -> Path:
    """Give the folder with devices.yaml, grids.yaml and rules.yaml of the sample. Raises FileNotFoundError."""
    for place in (_IN_WHEEL, _IN_CHECKOUT):
        if (place / "devices.yaml").is_file():
            return place
    raise FileNotFoundError(f"The sample community is neither in {_IN_WHEEL} nor in {_IN_CHECKOUT}.")
