"""Warnings: what is allowed, and yet probably not meant."""

from collections.abc import Callable

import pytest

Warnings = Callable[[], list[str]]
Edit = Callable[..., None]


def test_the_good_files_leave_nothing_to_say(warnings: Warnings) -> None:
    assert warnings() == []


@pytest.mark.parametrize(
    ("kind", "changes", "expected"),
    [
        (
            "grids",
            [
                ("grids: [w1]", 'shifts: ["mon-sun 07:00-22:00"], grids: [w1]'),
                ("grids: [g1]", 'shifts: ["mon-fri 08:00-18:00"], grids: [g1]'),
                ("grids: [c1]", 'shifts: ["mon-sun 06:00-23:00"], grids: [c1]'),
            ],
            "grids.yaml:5:5: grids[2]: nobody is on duty mon-sun 23:00-06:00 (1 home in w1)",
        ),
        (
            "grids",
            [
                ("grids: [w1]", 'shifts: ["mon-sun 07:00-22:00"], grids: [w1]'),
                ("grids: [g1]", 'shifts: ["sat,sun 22:00-07:00"], grids: [g1]'),
            ],
            "grids.yaml:5:5: grids[2]: nobody but the desk is on duty mon-fri 22:00-07:00 (1 home in w1)",
        ),
        (
            "grids",
            [("role: desk", "role: responder")],
            (
                "grids.yaml:5:5: grids[2]: no worker of role desk answers for this grid; "
                "steps to `desk` go to whoever is assigned (1 home in w1)"
            ),
        ),
        (
            "grids",
            [("backup_for: [li], ", "")],
            (
                "grids.yaml:5:5: grids[2]: nobody stands in (backup_for) for this grid or its people; "
                "steps to `backup` reach nobody (1 home in w1)"
            ),
        ),
        (
            "grids",
            [('{voice: "+8613800000090"}', '{sms: "+862885550100"}')],
            "grids.yaml:9:70: workers[2].contact[0].sms: +862****0100 is a landline and takes no text messages",
        ),
        (
            "grids",
            [('{voice: "+8613800000090"}', '{voice: "+8613800000002"}')],
            (
                "grids.yaml:9:72: workers[2].contact[0].voice: 138****0002 is also the number of 'zhang'; "
                "replies could come from either"
            ),
        ),
        (
            "devices",
            [(", heartbeat: 25h", "")],
            (
                "devices.yaml:14:7: homes[0].devices: 1 device without a heartbeat, "
                "so that nobody notices when they die: h1-door"
            ),
        ),
        (
            "devices",
            [("homes:", "homes:\n  - {id: h0, grid: w1, address: x}")],
            "devices.yaml:5:5: homes[0]: 1 home without any device: h0",
        ),
        (
            "devices",
            [("玉林北街1号院1栋2单元301", "玉林北街1号院" * 5)],
            "devices.yaml:7:14: homes[0].address: addresses of more than 30 characters are shortened in an SMS: h1",
        ),
        (
            "devices",
            [("hazards: {gas_valve: 厨房灶台下方}", "hazards: {gas_vlave: 厨房灶台下方}")],
            "rules.yaml:6:3: plans.gas-leak: {hazards.gas_valve} is not known of 1 home with a gas device: h1",
        ),
        (
            "rules",
            [("{kind: gas, state: alarm}", "{kind: smoke, state: alarm}")],
            "rules.yaml:3:39: rules[0].when: no home has a device of kind smoke, so that this rule never fires",
        ),
        (
            "rules",
            [("{kind: gas, state: alarm}", "{kind: smoke_concentration, above: 3}")],
            "rules.yaml:3:39: rules[0].when: no home has a device of kind smoke, so that this rule never fires",
        ),
        (
            "rules",
            [("{kind: gas, state: alarm}", "{absent: motion, for: 12h}")],
            "rules.yaml:3:39: rules[0].when: no home has a device of kind motion, so that this rule never fires",
        ),
        (
            "rules",
            [("{offline: device}", "{kind: battery, below: 15}")],
            (
                "rules.yaml:3:5: rules[0]: no rule looks for silent devices (`when: {offline: device}`), "
                "so that heartbeats are watched in vain"
            ),
        ),
        (
            "rules",
            [("by: [sms, voice]", "by: [sms]")],
            (
                "rules.yaml:3:110: rules[0].policy: this rule is critical, and 'life-safety' calls nobody by voice; "
                "a text wakes nobody at night"
            ),
        ),
        ("rules", [("plan: repair", "plan: gas-leak")], "rules.yaml:7:3: plans.repair: no rule names this plan"),
        (
            "rules",
            [("policy: maintenance", "policy: life-safety")],
            "rules.yaml:13:3: policies.maintenance: no rule names this policy",
        ),
    ],
)
def test_a_hole_is_told(
    kind: str, changes: list[tuple[str, str]], expected: str, edit: Edit, warnings: Warnings
) -> None:
    edit(kind, *changes)

    assert expected in warnings()


def test_nobody_at_all_is_the_only_thing_said_of_a_grid(edit: Edit, warnings: Warnings) -> None:
    """And once for all the grids that lack the same, not once for each home."""
    edit(
        "grids",
        ("workers:", "  - {id: far, level: community, name: x}\n  - {id: off, level: community, name: y}\nworkers:"),
    )
    device = "{{id: d-{0}, kind: gas, source: z2m, heartbeat: 1h}}"
    home = f"  - {{{{id: {{0}}, grid: {{1}}, address: x, hazards: {{{{gas_valve: x}}}}, devices: [{device}]}}}}\n"
    more = "".join(home.format(f"{grid}{number}", grid) for grid in ("far", "off") for number in range(40))
    edit("devices", ("homes:\n", f"homes:\n{more}"))

    assert warnings() == [
        "grids.yaml:6:5: grids[3]: nobody answers for this grid, nor for any grid above it (80 homes in far, off)"
    ]


def test_a_battery_rule_needs_no_device_of_its_own(edit: Edit, warnings: Warnings) -> None:
    """Any device may tell its battery."""
    edit("rules", ("{kind: gas, state: alarm}", "{kind: battery, below: 5}"))

    assert [warning for warning in warnings() if "never fires" in warning] == []


def test_a_stand_in_for_a_grid_counts(edit: Edit, warnings: Warnings) -> None:
    edit("grids", ("backup_for: [li]", "backup_for: [w1]"))

    assert warnings() == []


def test_homes_whose_life_safety_devices_promise_nothing_are_named(edit: Edit, warnings: Warnings) -> None:
    edit("devices", (", heartbeat: 2h", ""))

    (told,) = [one for one in warnings() if "life-safety" in one]
    assert "1 home with a life-safety device that has no heartbeat" in told
    assert told.endswith("h1")


def test_a_heartbeat_of_the_source_is_one_of_its_devices(edit: Edit, warnings: Warnings) -> None:
    edit("devices", (", heartbeat: 2h", ""), ("base: zigbee2mqtt}", "base: zigbee2mqtt, heartbeat: 1h, home: h1}"))

    assert warnings() == []
