"""The decision core under anything that may happen, judged by the eleven invariants after every moment.

ack-after-commit, never-silent, one-page, quiet-after-answer, unknown-is-not-clear, stale-does-not-page, life-first,
nothing-dropped, code-is-unique, late-is-said, snapshot.
"""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from model.invariants import INVARIANTS
from model.machine import Life
from model.sabotage import SABOTAGES
from model.world import Ground

#: Each time the same here, so that a failure is of the change that was made; `make model` goes further, by chance.
EXAMPLES = 30
STEPS = 40

#: Enough to see each sabotage.
TRIES = 60


def run(site: Ground, *, examples: int, chance: bool = False, shrink: bool = True) -> None:
    """Play so many lives."""
    Life.ground = site
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            derandomize=not chance,
            database=None,
            deadline=None,
            print_blob=chance,
            phases=[Phase.generate, Phase.shrink] if shrink else [Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_the_invariants_hold(site: Ground) -> None:
    run(site, examples=EXAMPLES, shrink=False)


if "MODEL_EXAMPLES" in os.environ:  # for `make model`

    @pytest.mark.timeout(0)
    def test_the_invariants_hold_by_chance(site: Ground) -> None:
        run(site, examples=int(os.environ["MODEL_EXAMPLES"]), chance=True, shrink="MODEL_QUICK" not in os.environ)


@pytest.mark.parametrize("name", INVARIANTS)
def test_a_sabotage_is_seen(name: str, site: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """A judge that sees nothing would hold everything to be well."""
    SABOTAGES[name](monkeypatch)

    with pytest.raises(AssertionError) as seen:
        run(site, examples=TRIES, shrink=False)

    assert f"{name}: " in str(seen.value)
