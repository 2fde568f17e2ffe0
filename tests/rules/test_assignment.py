"""Who is told of a home at a moment."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from rules.assignment import FAMILY, assign, person
from rules.community import FamilyContact, Grid, GridLevel, Role, Worker

#: A Thursday in Shanghai.
DAY = datetime(2026, 1, 1, 4, 0, tzinfo=UTC)
NIGHT = datetime(2026, 1, 1, 19, 0, tzinfo=UTC)


def names(snapshot: Any, *targets: str, now: datetime = DAY) -> list[str]:
    return [one.name for one in assign(targets, snapshot, now).people]


def remarks(snapshot: Any, *targets: str, now: datetime = DAY) -> list[str]:
    return [one.event for one in assign(targets, snapshot, now).remarks]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("assigned", ["李明"]),
        ("backup", ["赵芳"]),
        ("general", ["张伟"]),
        ("desk", ["值守台"]),
        ("contacts", ["王强"]),
        ("zhangwei", ["张伟"]),
        ("nobody-of-that-name", []),
    ],
)
def test_every_word_of_a_step(village: Any, target: str, expected: list[str]) -> None:
    assert names(village.snapshot(), target) == expected
    assert remarks(village.snapshot(), target) == []


def test_each_person_once_whatever_the_words(village: Any) -> None:
    assert names(village.snapshot(), "general", "zhangwei", "desk", "general") == ["张伟", "值守台"]


# --- nobody on duty ---------------------------------------------------------------------------------------------------


def test_nobody_on_duty_goes_to_the_next_level_up_at_once(village: Any) -> None:
    workers = (village.on_duty(village.liming, "07:00", "22:00"), village.zhaofang, village.zhangwei, village.desk)
    snapshot = village.snapshot(workers=workers)
    assert names(snapshot, "assigned", now=DAY) == ["李明"]
    assert names(snapshot, "assigned", now=NIGHT) == ["张伟"]
    chosen = assign(["assigned"], snapshot, NIGHT)
    assert [one.detail for one in chosen.remarks] == [{"wanted": "玉林北街1号院", "instead": "第一网格"}]


def test_a_level_whose_people_are_off_duty_is_passed_over(village: Any) -> None:
    day = [village.on_duty(one, "07:00", "22:00") for one in (village.liming, village.zhaofang, village.zhangwei)]
    snapshot = village.snapshot(workers=[*day, village.desk])
    assert names(snapshot, "assigned", now=NIGHT) == ["值守台"]


def test_nobody_on_duty_anywhere_wakes_the_nearest(village: Any) -> None:
    snapshot = village.snapshot(workers=[village.on_duty(one, "07:00", "22:00") for one in village.workers])
    assert names(snapshot, "assigned", now=NIGHT) == ["李明"]
    assert remarks(snapshot, "assigned", now=NIGHT) == ["nobody_on_duty_anywhere"]


def test_a_grid_without_people_goes_up_too(village: Any) -> None:
    snapshot = village.snapshot(workers=[village.zhangwei, village.desk])
    assert names(snapshot, "assigned") == ["张伟"]
    assert remarks(snapshot, "assigned") == ["nobody_on_duty"]


def test_shifts_are_of_the_communitys_days(village: Any) -> None:
    """03:00 on Friday in Shanghai is Thursday in UTC, and belongs to the shift that began on Thursday."""
    night = village.on_duty(village.liming, "22:00", "06:00", days="3")
    snapshot = village.snapshot(workers=[night, village.zhangwei])
    assert names(snapshot, "assigned", now=NIGHT) == ["李明"]
    friday_night = datetime(2026, 1, 2, 19, 0, tzinfo=UTC)
    assert names(snapshot, "assigned", now=friday_night) == ["张伟"]


def test_whoever_cannot_be_reached_at_all_does_not_count(village: Any) -> None:
    mute = replace(village.liming, contact=())
    assert names(village.snapshot(workers=[mute, village.zhangwei]), "assigned") == ["张伟"]
    assert names(village.snapshot(workers=[mute]), "assigned", "liming") == []


def test_nobody_at_all(village: Any) -> None:
    snapshot = village.snapshot(workers=[])
    assert names(snapshot, "assigned", "backup", "general", "desk") == []


# --- back-ups, general grids, the desk --------------------------------------------------------------------------------


@pytest.mark.parametrize("stands_in_for", ["liming", "w07"])
def test_a_backup_stands_in_for_a_person_or_a_grid(village: Any, stands_in_for: str) -> None:
    other = replace(village.zhaofang, backup_for=(stands_in_for,))
    assert names(village.snapshot(workers=[village.liming, other]), "backup") == ["赵芳"]


def test_a_backup_of_somebody_else_is_none_of_ours(village: Any) -> None:
    other = replace(village.zhaofang, backup_for=("w09",))
    assert names(village.snapshot(workers=[village.liming, other]), "backup") == []


def test_a_backup_off_duty_is_not_called(village: Any) -> None:
    other = village.on_duty(village.zhaofang, "07:00", "22:00")
    assert names(village.snapshot(workers=[village.liming, other]), "backup", now=NIGHT) == []


def test_two_of_a_grid_who_stand_in_for_each_other_are_both_assigned(village: Any) -> None:
    one = replace(village.liming, backup_for=("zhaofang",))
    other = replace(village.zhaofang, grids=("w07",), backup_for=("liming",))
    snapshot = village.snapshot(workers=[one, other])
    assert names(snapshot, "assigned") == ["李明", "赵芳"]
    assert names(snapshot, "backup") == []


def test_whoever_is_off_duty_is_stood_in_for(village: Any) -> None:
    workers = [village.on_duty(village.liming, "07:00", "22:00"), village.zhaofang, village.zhangwei]
    assert names(village.snapshot(workers=workers), "backup", now=NIGHT) == ["赵芳"]


def test_without_a_general_grid_the_nearest_level_up_is_general(village: Any) -> None:
    leader = Worker(id="leader", name="陈静", role=Role.RESPONDER, grids=("street",), contact=village.desk.contact)
    grids = (
        Grid(id="tower", level=GridLevel.EXCLUSIVE, name="天府大厦"),
        Grid(id="xinsheng", level=GridLevel.COMMUNITY, name="新盛社区"),
        Grid(id="street", level=GridLevel.STREET, name="肖家河街道"),
    )
    snapshot = village.snapshot(workers=[village.desk, leader])
    snapshot = replace(snapshot, responsibility=replace(snapshot.responsibility, grids=grids))
    assert names(snapshot, "general") == ["陈静"]


def test_a_general_grid_without_people_on_duty_is_nobody(village: Any) -> None:
    snapshot = village.snapshot(workers=[village.liming, village.on_duty(village.zhangwei, "07:00", "22:00")])
    assert names(snapshot, "general", now=NIGHT) == []


def test_the_desk_off_duty_is_told_all_the_same(village: Any) -> None:
    snapshot = village.snapshot(workers=[village.liming, village.on_duty(village.desk, "07:00", "22:00")])
    assert names(snapshot, "desk", now=NIGHT) == ["值守台"]
    assert remarks(snapshot, "desk", now=NIGHT) == ["desk_off_duty"]


def test_a_further_desk_on_duty_goes_before_a_near_one_off_duty(village: Any) -> None:
    near = village.on_duty(village.desk, "07:00", "22:00")
    far = replace(village.desk, id="desk-2", name="街道值守", grids=("xiaojiahe",))
    snapshot = village.snapshot(workers=[near, far])
    assert names(snapshot, "desk", now=DAY) == ["值守台"]
    assert names(snapshot, "desk", now=NIGHT) == ["街道值守"]


def test_without_a_desk_the_assigned_are_the_desk(village: Any) -> None:
    snapshot = village.snapshot(workers=[village.liming])
    assert names(snapshot, "desk") == ["李明"]
    assert remarks(snapshot, "desk") == ["no_desk"]


# --- family -----------------------------------------------------------------------------------------------------------


def test_family_are_told_and_not_asked(village: Any) -> None:
    (son,) = assign(["contacts"], village.snapshot(), DAY).people
    assert not son.asked
    assert son.id.startswith(FAMILY)
    assert [method.channel for method in son.methods] == ["sms", "voice"]


def test_a_daughter_who_is_a_worker_here_is_asked(village: Any) -> None:
    home = replace(village.home, contacts=(FamilyContact(name="赵女士", phone="+8613800000002", notify=True),))
    (daughter,) = assign(["contacts"], village.snapshot(home=home), DAY).people
    assert (daughter.id, daughter.asked) == ("zhaofang", True)


def test_family_without_a_number_are_not_told(village: Any) -> None:
    home = replace(village.home, contacts=(FamilyContact(name="王强", notify=True),))
    assert names(village.snapshot(home=home), "contacts") == []


def test_a_person_is_found_on_duty_or_not(village: Any) -> None:
    snapshot = village.snapshot(workers=[village.on_duty(village.liming, "07:00", "22:00")])
    found = person(snapshot, "liming")
    assert found
    assert found.name == "李明"
    assert person(snapshot, "desk") is None
