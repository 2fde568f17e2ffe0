"""Figures, the budgets they are held against, and how they are shown."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A limit, and on which side of it is good."""

    value: float
    good: Literal["below", "above"] = "below"


#: By the beginning of a figure's name.
BUDGETS: Final = {
    "decoder zigbee2mqtt": Budget(value=12),
    "decoder": Budget(value=25),
    "cpu per 1,000 messages": Budget(value=60),
    "alarm to provider at 5,000/s, p50": Budget(value=10),
    "alarm to provider at 5,000/s, p99": Budget(value=50),
    "burst: drained": Budget(value=3),
    "burst: last alarm handed over after being read": Budget(value=1),
    "storm: last home named after": Budget(value=60),
    "sustained": Budget(value=15_000, good="above"),
    "10,000 homes: start": Budget(value=3),
    "10,000 homes: memory": Budget(value=120),
    "100,000 homes: start": Budget(value=10),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """Something that was measured."""

    name: str
    value: float
    unit: str

    @property
    def budget(self) -> Budget | None:
        """What it is held against."""
        return next((budget for name, budget in BUDGETS.items() if self.name.startswith(name)), None)

    @property
    def ratio(self) -> float | None:
        """Its share of the budget: up to 1 is good, on whichever side the limit lies."""
        budget = self.budget
        if budget is None:
            return None
        return self.value / budget.value if budget.good == "below" else budget.value / self.value


def show(figures: Sequence[Figure], machine: dict[str, Any], console: Console) -> None:
    """Print a table."""
    table = Table(title="Shouwang", caption=f"{machine['cores']} cores, {machine['processor']}, {machine['kernel']}")
    table.add_column("what")
    for name in ("measured", "budget", "of budget"):
        table.add_column(name, justify="right")
    for figure in figures:
        budget, ratio = figure.budget, figure.ratio
        limit = "" if budget is None else f"{'≤' if budget.good == 'below' else '≥'} {_number(budget.value)}"
        share = "" if ratio is None else f"[{'green' if ratio <= 1 else 'red'}]{ratio:.2f}[/]"
        table.add_row(figure.name, f"{_number(figure.value)} {figure.unit}", limit, share)
    console.print(table)


def save(figures: Sequence[Figure], machine: dict[str, Any], path: Path) -> None:
    """Write them as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        {**asdict(figure), "budget": figure.budget and figure.budget.value, "ratio": figure.ratio} for figure in figures
    ]
    path.write_text(json.dumps({"machine": machine, "figures": rows}, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
