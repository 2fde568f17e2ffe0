"""Ordinary life: the same for a seed, in order of time, and possible."""

from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise
from pathlib import Path

import pytest

from simulators.community import Community, from_documents, read, seconds
from simulators.life import battery, day, ordinary_life

START = datetime(2026, 3, 1, 0, 0, tzinfo=UTC)


@pytest.fixture
def community() -> Community:
    return from_documents(
        [
            {
                "sources": [{"id": "own", "dialect": "shouwang", "base": "shouwang/v1"}],
                "homes": [
                    {
                        "id": f"home-{number}",
                        "grid": "g",
                        "devices": [
                            {"id": f"h{number}-gas", "kind": "gas", "source": "own", "heartbeat": "2h"},
                            {"id": f"h{number}-door", "kind": "contact", "source": "own", "heartbeat": "25h"},
                            {"id": f"h{number}-motion", "kind": "motion", "source": "own"},
                            {"id": f"h{number}-sos", "kind": "sos", "source": "own", "heartbeat": "24h"},
                        ],
                    }
                    for number in range(3)
                ],
            }
        ]
    )


def test_same_seed_same_life_and_another_seed_another(community: Community) -> None:
    def facts(seed: int) -> list[object]:
        return list(islice(ordinary_life(community.homes, start=START, seed=seed), 500))

    assert facts(1) == facts(1)
    assert facts(1) != facts(2)


def test_time_never_goes_back_and_begins_at_the_start(community: Community) -> None:
    start = START + timedelta(hours=7)
    facts = list(islice(ordinary_life(community.homes, start=start), 2000))
    assert facts[0].at >= start
    assert all(earlier.at <= later.at for earlier, later in pairwise(facts))
    assert facts[-1].at - facts[0].at > timedelta(days=2)


def test_doors_open_and_close_in_turn_and_nothing_alarms(community: Community) -> None:
    """Ordinary days page nobody."""
    for offset in range(20):
        facts = day(community.homes[0], date(2026, 3, 1) + timedelta(days=offset))
        door = [fact.state for fact in facts if fact.kind == "contact" and not fact.routine]
        assert door == ["open", "closed"] * (len(door) // 2)
        assert len(door) >= 4
        assert not [fact for fact in facts if fact.state in {"alarm", "pressed"}]


def test_nobody_moves_at_home_while_out(community: Community) -> None:
    facts = day(community.homes[1], date(2026, 3, 5))
    opened = [fact.at for fact in facts if fact.kind == "contact" and fact.state == "open"]
    for left, came in zip(opened[::2], opened[1::2], strict=True):
        assert not [fact for fact in facts if fact.state == "detected" and left < fact.at < came]


def test_every_sensor_reports_within_its_heartbeat(community: Community) -> None:
    """Also one whose kind has no calm state: its battery is a sign of life."""
    facts = list(islice(ordinary_life(community.homes[:1], start=START), 2000))
    for device in community.homes[0].devices:
        times = [fact.at for fact in facts if fact.device.id == device.id]
        allowed = timedelta(seconds=device.heartbeat_s or 3600)
        assert all(later - earlier <= allowed for earlier, later in pairwise(times))


def test_battery_falls_slowly_and_is_renewed_in_time(community: Community) -> None:
    device = next(community.devices())
    charges = [battery(device, date(2026, 1, 1) + timedelta(days=offset)) for offset in range(2000)]
    assert all(30 <= charge <= 100 for charge in charges)
    assert all(-1 <= later - earlier <= 0 or later > earlier + 50 for earlier, later in pairwise(charges))


@pytest.mark.parametrize(
    ("text", "value"), [("90s", 90), ("15m", 900), ("2h", 7200), ("1d", 86400), ("1h30m", 5400), (None, None)]
)
def test_durations(text: str | None, value: int | None) -> None:
    assert seconds(text) == value


def test_reads_a_file_and_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "devices"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / f"{name}.yaml").write_text(
            f"version: 1\nhomes:\n  - id: {name}\n    grid: g\n    address: 玉林北街\n    devices:\n"
            f"      - {{id: {name}-gas, kind: gas, source: own, heartbeat: 2h}}\n",
            "utf-8",
        )
    both = read(tmp_path)
    assert [home.id for home in both.homes] == ["a", "b"]
    assert both.device("b-gas").heartbeat_s == 7200
    assert both.home("a").address == "玉林北街"
    assert [home.id for home in read(folder / "a.yaml").homes] == ["a"]
    with pytest.raises(LookupError):
        both.device("c-gas")
    with pytest.raises(FileNotFoundError):
        read(folder / "none.yaml")
