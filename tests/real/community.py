"""A community of made-up homes and workers, written as the three files."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

#: Six micro-grids under two general grids; each has one worker with one telephone.
MICRO = {f"m{number}": f"+8613800000{number:03}" for number in range(1, 7)}
GENERAL = {"g1": "+8613800000101", "g2": "+8613800000102"}
DESK = "+8613800000201"
_GENERAL_OF = {micro: "g1" if int(micro[1:]) <= 3 else "g2" for micro in MICRO}
ADDRESS = re.compile(r"桂花巷(\d+)号")
#: What the policy calls whom `told_of` gives, in that order.
TARGETS = ("assigned", "general", "desk")


def micro_of(home: int) -> str:
    return f"m{home % 6 + 1}"


def told_of(home: int) -> tuple[str, str, str]:
    """Whom the three steps of an incident in a home reach: its worker, the general grid's, the desk."""
    micro = micro_of(home)
    return MICRO[micro], GENERAL[_GENERAL_OF[micro]], DESK


def workers_by_number() -> dict[str, str]:
    """Who has which number."""
    return {phone: f"w-{grid}" for phones in (MICRO, GENERAL, {"c": DESK}) for grid, phone in phones.items()}


def homes_in(text: str) -> list[int]:
    """Which homes a text is about: many may wait for one person, and go in one."""
    found = ADDRESS.findall(text)
    assert found, f"no address in {text!r}"
    return [int(number) for number in found]


def home_in(text: str) -> int:
    """Which home a text is about that is about one."""
    (home,) = homes_in(text)
    return home


def steps(*after_s: float) -> list[dict[str, Any]]:
    """Steps to the worker, the general grid's worker and the desk, by text, so many seconds after the beginning."""
    return [{"after": f"{after}s", "to": to, "by": ["sms"]} for after, to in zip(after_s, TARGETS, strict=False)]


def rules_document(policy: Sequence[Mapping[str, Any]], **more: object) -> dict[str, Any]:
    """Rules for the five kinds of which a life may depend, all with one policy that is not repeated within a test.

    `more` are further keys of that policy, or other values for them.
    """
    titles = {"gas": "燃气泄漏", "smoke": "烟雾报警", "carbon_monoxide": "一氧化碳", "sos": "紧急呼救", "fall": "跌倒"}
    return {
        "version": 1,
        "rules": [
            {
                "id": kind.replace("_", "-"),
                "title": title,
                "when": {"kind": kind, "state": "pressed" if kind == "sos" else "alarm"},
                "severity": "critical",
                "plan": "look",
                "policy": "life",
            }
            for kind, title in titles.items()
        ],
        "plans": {"look": {"first": "立即上门查看", "steps": ["先打电话"]}},
        "policies": {"life": {"answer_within": "1h", "steps": list(policy), "repeat": {"every": "2h"}, **more}},
    }


def write_yaml(path: Path, document: object) -> None:
    """Write a file as editors do: under another name first, so that nobody reads half of it. JSON is YAML."""
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(document, ensure_ascii=False, indent=1), "utf-8")
    fresh.replace(path)


def write_community(
    folder: Path,
    homes: Mapping[int, Sequence[Mapping[str, Any]]],
    policy: Sequence[Mapping[str, Any]],
    sources: Sequence[Mapping[str, str]] = (),
    *,
    calls: bool = False,
    **more: object,
) -> None:
    """Write the three files.

    `homes` maps the number of a home to its devices; `sources` are further ones, `more` further keys of the policy.
    With `calls` everybody can be called as well, by the same number.
    """
    micro = [
        {"id": one, "level": "micro", "name": f"{one}院", "parent": general} for one, general in _GENERAL_OF.items()
    ]
    general = [{"id": one, "level": "general", "name": f"{one}网格", "parent": "c"} for one in GENERAL]
    workers = [
        {
            "id": f"w-{grid}",
            "name": f"员{grid}",
            "role": role,
            "grids": [grid],
            "contact": [{"sms": phone}, *([{"voice": phone}] if calls else [])],
        }
        for role, phones in (("micro", MICRO), ("general", GENERAL), ("desk", {"c": DESK}))
        for grid, phone in phones.items()
    ]
    write_yaml(
        folder / "devices.yaml",
        {
            "version": 1,
            "sources": [
                {"id": "zigbee", "dialect": "zigbee2mqtt", "base": "zigbee2mqtt"},
                {"id": "own", "dialect": "shouwang", "base": "shouwang/v1"},
                *sources,
            ],
            "homes": [
                {"id": f"h{home}", "grid": micro_of(home), "address": f"桂花巷{home}号", "devices": list(devices)}
                for home, devices in homes.items()
            ],
        },
    )
    grids = [{"id": "c", "level": "community", "name": "桂花社区"}, *general, *micro]
    write_yaml(folder / "grids.yaml", {"version": 1, "grids": grids, "workers": workers})
    write_yaml(folder / "rules.yaml", rules_document(policy, **more))
