"""The decoders against recorded messages, and against every kind of property that Zigbee2MQTT's library announces."""

from pathlib import Path

import pytest

from tests.decoding import judge, samples

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.jsonl"))


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: file.stem)
def test_nothing_that_may_cost_a_life_is_missed_or_made_up(file: Path) -> None:
    """Invariant unknown-is-not-clear, and no alarm that nobody gave."""
    verdict = judge.compare(samples.read(file))

    told = [
        f"{one.sample.where}: {one.kind} {one.what}: meant {one.meant}, said {one.said}"
        for one in verdict.vital
        # What is only not said to be all right may be explained; an alarm may not.
        if one.what != "missed" or not one.sample.about.get("open") or one.alarming
    ]
    assert told == []
    assert sum(times for (_, _, what), times in verdict.counts.items() if what == "found") > 0


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: file.stem)
def test_every_other_disagreement_is_explained(file: Path) -> None:
    """A recording may be read in more than one way; then it says in `open` why we read it so."""
    disagreements = judge.compare(samples.read(file)).disagreements

    assert [one.sample.where for one in disagreements if not one.sample.about.get("open")] == []
