"""What is done follows from the seed, and what is missing here is said."""

from itertools import islice

import pytest

from simulators.twilio.faults import FaultKind
from tests.faults import plan, tools
from tests.faults.faults.provider import ProviderFails
from tests.faults.problem import KINDS
from tests.faults.report import COLUMNS
from tests.faults.sabotage import SABOTAGES
from tests.faults.sabotaged import MUST_FIND, SCENARIOS
from tests.faults.scenario import Scenario, run
from tests.faults.tools import Tools

NOTHING_HERE = Tools(mosquitto=None, postgresql=None, strace=None, faketime=None, tmpfs=None)


def faults_of(scenario: Scenario) -> list[str]:
    return [fault.name for row in scenario.faults for fault in row]


def test_the_same_seed_gives_the_same_faults_and_another_gives_others() -> None:
    def combined(seed: int) -> list[list[str]]:
        return [faults_of(one) for one in plan.bounded(seed) if one.name.startswith("combination")]

    assert combined(1) == combined(1)
    assert combined(1) != combined(2)


def test_no_two_scenarios_share_a_name() -> None:
    """The name is part of what chance is seeded with, and of where the databases are."""
    names = [one.name for one in (*plan.bounded(1), *SCENARIOS.values())]

    assert len(names) == len(set(names))


def test_every_fault_of_the_provider_is_one_that_there_is() -> None:
    kinds = {
        fault.kind for one in plan.bounded(1) for row in one.faults for fault in row if isinstance(fault, ProviderFails)
    }

    assert kinds <= set(FaultKind)
    # What is refused for certain, whoever is asked.
    assert set(FaultKind) - kinds == {"reject", "stuck"}


@pytest.mark.parametrize(("kills", "alarms"), [(1000, 10_000), (40, 0), (0, 1500), (1000, 1)])
def test_the_long_run_comes_to_what_was_asked_for(kills: int, alarms: int) -> None:
    scenarios = list(islice(plan.long(1, kills_wanted=kills, alarms_wanted=alarms), 200))

    assert len(scenarios) < 200
    assert len(scenarios) * plan.KILLS_A_RUN >= kills
    assert sum(one.amount.alarms for one in scenarios) >= alarms
    assert len({one.name for one in scenarios}) == len(scenarios)


async def test_what_is_missing_here_is_said_and_fails_only_where_it_is_required(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    scenario = plan.bounded(1)[0]
    for required, fails in (frozenset({"faketime"}), False), (frozenset({"mosquitto"}), True):
        outcome = await run(
            scenario, seed="1", folder=tmp_path_factory.mktemp("none") / "x", tools=NOTHING_HERE, required=required
        )
        assert outcome.not_run is not None
        assert "mosquitto" in outcome.not_run
        assert outcome.failed is fails


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("", set()),
        ("1", {"mosquitto", "postgresql"}),
        ("1,strace", {"mosquitto", "postgresql", "strace"}),
        ("faketime,tmpfs", {"faketime", "tmpfs"}),
    ],
)
def test_what_must_not_be_missing_is_named(value: str, names: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOUWANG_TEST_REQUIRE_REAL_PARTS", value)

    assert tools.required() == names


def test_each_sabotage_is_run_and_known_by_what_it_does() -> None:
    assert SABOTAGES.keys() == SCENARIOS.keys() == MUST_FIND.keys()


def test_each_kind_of_problem_has_a_column() -> None:
    assert sorted(kind for kinds in COLUMNS.values() for kind in kinds) == sorted(KINDS)
