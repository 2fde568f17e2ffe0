"""The sample community at the root: what the demo and the documentation promise of it."""

from collections import Counter
from pathlib import Path

import pytest

from rules.community import GridLevel, Role
from rules.plans import fill
from rules.readings import LIFE_SAFETY_KINDS
from rules.sms import units
from shouwang import config


@pytest.fixture(scope="module")
def community() -> config.Community:
    return config.load(Path(__file__).parent.parent.parent.parent, environ={})


def test_it_has_no_warnings(community: config.Community) -> None:
    assert community.warnings == []


def test_a_dozen_homes_in_three_micro_grids_under_two_general_grids(community: config.Community) -> None:
    levels = Counter(grid.level for grid in community.registry.grids)

    assert len(community.registry.homes) == 12
    assert len({home.grid for home in community.registry.homes}) == 3
    assert levels[GridLevel.MICRO] == 3
    assert levels[GridLevel.GENERAL] == 2


def test_seven_workers_and_a_desk(community: config.Community) -> None:
    roles = Counter(worker.role for worker in community.registry.workers)

    assert sum(roles.values()) - roles[Role.DESK] == 7
    assert roles[Role.DESK] == 1
    assert any(worker.backup_for for worker in community.registry.workers)
    assert any(worker.shifts for worker in community.registry.workers)


def test_both_dialects_are_in_use(community: config.Community) -> None:
    assert {device.source for device in community.registry.devices} == {"xinsheng", "own"}


def test_every_life_safety_kind_has_a_rule_and_a_device(community: config.Community) -> None:
    ruled = {getattr(rule.when, "kind", None) for rule in community.rulebook.rules}
    owned = {device.kind for device in community.registry.devices}

    assert ruled >= LIFE_SAFETY_KINDS
    assert owned >= LIFE_SAFETY_KINDS


def test_every_plan_can_be_filled_in_for_every_home(community: config.Community) -> None:
    for plan in community.rulebook.plans.values():
        for home in community.registry.homes:
            filled = fill(plan, home)

            assert not any("{" in text for text in (filled.first, *filled.steps))


def test_the_first_words_of_a_plan_leave_room_for_the_rest(community: config.Community) -> None:
    """Place, person, kind and code have to go into the same 70 characters."""
    assert all(units(plan.first) <= 10 for plan in community.rulebook.plans.values())


def test_people_are_made_up(community: config.Community) -> None:
    """Numbers with the zeros that nobody has."""
    registry = community.registry
    numbers = [person.phone for home in registry.homes for person in (*home.residents, *home.contacts)]
    numbers += [one.address for worker in registry.workers for one in worker.contact if one.channel in {"sms", "voice"}]

    assert all(number is None or number.startswith(("+861390000", "+861380000")) for number in numbers)


@pytest.mark.parametrize("kind", ["devices", "grids", "rules"])
def test_editors_find_the_schema(kind: str, sample: Path) -> None:
    first = (sample / f"{kind}.yaml").read_text(encoding="utf-8").splitlines()[0]
    address = first.removeprefix("# yaml-language-server: $schema=")

    assert address != first
    assert (sample / address).is_file()
