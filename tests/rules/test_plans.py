"""Plans filled in for a home."""

from dataclasses import replace
from typing import Any

import pytest

from rules import plans
from rules.community import Home, Resident
from rules.rulebook import Plan


def plan(*steps: str, first: str = "开窗") -> Plan:
    return Plan(id="p", first=first, steps=steps)


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("总阀: {hazards.gas_valve}", "总阀: 厨房灶台下方"),
        ("{access}；{address}", "备用钥匙在门卫室；玉林北街1号院1栋2单元301"),
        ("电话{resident.name} {resident.phone}", "电话王秀英 +8613900000001"),
        ("问{contact.name} {contact.phone}", "问王强 +8613900000002"),
        ("氧气: {hazards.oxygen}", "氧气: （未登记）"),
        ("{resident.notes}", "（未登记）"),
        # What is no place stays: somebody may have meant it so.
        ("{hazard.gas_valve} {} {0} {a b} {{x}} {", "{hazard.gas_valve} {} {0} {a b} {{x}} {"),
        ("{hazards.}", "{hazards.}"),
    ],
)
def test_places(village: Any, text: str, filled: str) -> None:
    done = plans.fill(plan("一", text, first=text), village.home)
    assert done.steps == ("一", filled)
    assert done.first == filled


def test_values_are_not_filled_again(village: Any) -> None:
    home = replace(village.home, access="{address}")
    assert plans.fill(plan("{access}"), home).steps == ("{address}",)


def test_a_home_of_which_little_is_known() -> None:
    home = Home(id="h", grid="g", address="玉林北街2号")
    done = plans.fill(plan("{resident.name} {contact.phone} {access}"), home, language="en")
    assert done.steps == ("(not registered) (not registered) (not registered)",)


def test_notes_are_joined(village: Any) -> None:
    home = replace(village.home, residents=(Resident(name="王秀英", notes=("听力差", "行动慢")),))
    assert plans.fill(plan("{resident.notes}"), home).steps == ("听力差、行动慢",)


def test_wrong_places_are_named_once_and_in_order() -> None:
    wrong = plan("{hazard.gas} {hazards.gas_valve} {adress}", "{hazard.gas}", first="{access}")
    assert plans.wrong_places(wrong) == ("hazard.gas", "adress")
