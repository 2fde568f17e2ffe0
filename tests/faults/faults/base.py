"""What a fault is."""

from typing import Protocol

from tests.faults.load import Load
from tests.faults.world import World


class Fault(Protocol):
    """Something that goes wrong, and is over again."""

    @property
    def name(self) -> str:
        """In a few words, for the table."""
        ...

    @property
    def needs(self) -> frozenset[str]:
        """Which tools (see tools.py) it takes, beside those of the layout."""
        ...

    @property
    def aftermath_s(self) -> float:
        """How long after its end something may still be late because of it, beside what a doubt takes."""
        ...

    async def strike(self, world: World, load: Load) -> None:
        """Let it happen, and let it be over on return."""
        ...


NOTHING: frozenset[str] = frozenset()
