"""The sample community, where everybody begins."""

from rules import texts
from shouwang import config
from shouwang.demo import sample
from shouwang.demo.people import Directory


def test_it_is_a_community_of_the_size_that_is_promised(directory: Directory) -> None:
    """A dozen homes in three micro-grids under two general grids, seven workers with a desk, families."""
    registry = directory.registry
    levels = [grid.level for grid in registry.grids]

    assert len(registry.homes) == 12
    assert (levels.count("micro"), levels.count("general")) == (3, 2)
    assert sorted(str(worker.role) for worker in registry.workers) == ["desk", *["general"] * 2, *["micro"] * 5]
    assert all(home.contacts for home in registry.homes)


def test_nothing_in_it_is_warned_of() -> None:
    assert config.load(sample.folder()).warnings == []


def test_every_hazard_in_it_has_words(directory: Directory) -> None:
    """What people read names it in their language, and not by its key."""
    hazards = {hazard for home in directory.registry.homes for hazard in home.hazards}

    assert {hazard for hazard in hazards if f"hazard.{hazard}" not in texts.TEXTS} == set()


def test_a_number_has_one_owner(directory: Directory) -> None:
    person = directory.named("周秀兰")
    assert person is not None
    assert directory.person(person.number) == person
    assert (person.role[1], person.masked) == ("micro-grid worker", "138****0002")
    assert directory.person("+8613800009999").role[1] == "stranger"
    assert directory.named("nobody") is None
