"""Whatever arrives, a decoder answers, nothing that says nothing is all right, and no alarm is made up.

Invariants nothing-dropped and unknown-is-not-clear, for every dialect that there is. `make fuzz` goes on for longer.
"""

import functools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.dialects import DIALECTS
from ingest.urgent import is_urgent
from shouwang import config
from shouwang.decoding import Line, Sitting
from shouwang.decoding.sitting import assumed
from tests.decoding import samples
from tests.decoding.shown import Example, examples
from tests.fuzzing import mutants
from tests.fuzzing.mutants import NOON

CORPUS = sorted((Path(__file__).parent.parent / "decoding" / "corpus").glob("*.jsonl"))
KINDS = ["", "gas", "contact", "sos"]
WORDS = ["ON", "off", "true", "alarm", "normal", "open", "closed", "unknown", "online", "1", "0", "-1", "nan", "1e999"]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(WORDS),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
)
RUBBISH = st.one_of(
    st.binary(max_size=60),
    VALUES.map(lambda value: json.dumps(value).encode()),
    st.sampled_from([word.encode() for word in WORDS]),
    st.sampled_from([b"", b"{", b"[" * 5000, b'{"a":' * 3000, b"\xff\xfe", b"9" * 5000]),
)


@functools.cache
def recorded() -> dict[str, list[Line]]:
    """What was recorded of each dialect; the library of Zigbee2MQTT by one in five."""
    lines: dict[str, list[Line]] = {dialect: [] for dialect in DIALECTS}
    for file in CORPUS:
        for sample in list(samples.read(file))[:: 5 if file.stem == "zigbee2mqtt_models" else 1]:
            if sample.dialect in lines:
                lines[sample.dialect].append(sample.line)
    lines["shouwang"] += [
        Line(topic="shouwang/v1/home/x/event", payload=b'{"kind":"gas","state":"alarm","at":1795000000,"test":true}'),
        Line(
            topic="shouwang/v1/home/x/event", payload=b'[{"kind":"contact","state":"closed"},{"kind":"gas","value":1}]'
        ),
        Line(topic="shouwang/v1/home/x/status", payload=b"online"),
    ]
    return lines


@functools.cache
def taught(dialect: str, kind: str) -> Sitting:
    """A sitting that has heard everything that was recorded, so that what needs learning is learnt."""
    sitting = Sitting([assumed(dialect)], kind=kind or None)
    for line in recorded()[dialect]:
        sitting.hear(line, NOON)
    return sitting


def keys(document: Any) -> set[str]:
    """Every key in a document."""
    if isinstance(document, dict):
        return set(document) | {key for value in document.values() for key in keys(value)}
    return {key for value in document for key in keys(value)} if isinstance(document, list) else set()


def documents(dialect: str) -> list[Any]:
    found = []
    for line in recorded()[dialect]:
        try:
            found.append(json.loads(line.payload))
        except ValueError:
            continue
    return found


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_what_says_nothing_is_neither_all_right_nor_an_alarm(dialect: str) -> None:
    """Each part of each recorded message is said to be nothing: null, unavailable, unknown, -1, nan, empty."""
    wrong = []
    sitting = taught(dialect, "")
    for line in recorded()[dialect]:
        before = sitting.read(line, NOON).decoded
        for what, changed, same in mutants.emptied(line):
            after = sitting.read(changed, NOON).decoded
            wrong += [(line.topic, what, problem) for problem in mutants.problems(after)]
            wrong += [(line.topic, line.payload, what, one) for one in mutants.made_up(before, after) if same]

    assert wrong == []


@pytest.mark.parametrize("example", examples(), ids=lambda one: one.name)
def test_nothing_is_made_up_of_what_is_registered_and_mapped(tmp_path: Path, example: Example) -> None:
    """The same with the files and messages of docs/sensors.md, whose devices are registered, with maps and layouts."""
    (tmp_path / "devices.yaml").write_text(example.file, "utf-8")
    sitting = Sitting(*config.load_devices(tmp_path), registered_only=True)
    for line, _ in example.messages:
        sitting.hear(line, NOON)
    wrong = []
    for line, _ in example.messages:
        before = sitting.read(line, NOON).decoded
        for what, changed, same in mutants.emptied(line):
            after = sitting.read(changed, NOON).decoded
            wrong += [(line.topic, what, problem) for problem in mutants.problems(after)]
            wrong += [(line.topic, line.payload, what, one) for one in mutants.made_up(before, after) if same]

    assert wrong == []


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_no_message_makes_a_decoder_fail(dialect: str) -> None:
    lines = recorded()[dialect] or [Line(topic=DIALECTS[dialect].default_base + "/x", payload=b"{}")]
    topics = sorted({line.topic for line in lines})
    parts = sorted({part for topic in topics for part in topic.split("/")})
    names = sorted({key for document in documents(dialect) for key in keys(document)}) or ["x"]
    topic = st.one_of(
        st.sampled_from(topics),
        st.lists(st.one_of(st.sampled_from(parts), st.text(max_size=5)), min_size=1, max_size=7).map("/".join),
    )
    # Rubbish where a field that it knows should be, as deep as the recordings are.
    known = st.recursive(
        SCALARS,
        lambda inner: (
            st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(names), inner, min_size=1, max_size=6)
        ),
        max_leaves=12,
    ).map(lambda value: json.dumps(value).encode())

    @settings(deadline=None, max_examples=60, derandomize=True)
    @given(
        topic=topic,
        payload=st.one_of(known, RUBBISH, st.sampled_from([line.payload for line in lines])),
        cut=st.integers(0, 2000),
        retain=st.booleans(),
        kind=st.sampled_from(KINDS),
    )
    def run(topic: str, payload: bytes, cut: int, retain: bool, kind: str) -> None:
        sitting = taught(dialect, kind)
        for part in (payload, payload[:cut]):
            line = Line(topic=topic, payload=part, retain=retain)
            assert list(mutants.problems(sitting.read(line, NOON).decoded)) == []
            is_urgent(topic, part)

    run()


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_no_definition_makes_a_decoder_fail(dialect: str) -> None:
    """What a device or gateway said of itself was any rubbish: what comes after is decoded all the same."""
    lines = recorded()[dialect]
    if not lines:
        pytest.skip("nothing was recorded of it")

    @settings(deadline=None, max_examples=25, derandomize=True)
    @given(
        line=st.sampled_from(lines),
        index=st.integers(0, 10**6),
        nothing=st.sampled_from([*mutants.NOTHINGS, 3, {"a": []}]),
    )
    def run(line: Line, index: int, nothing: Any) -> None:
        sitting = Sitting([assumed(dialect)])
        variants = [changed for _, changed, _ in mutants.emptied(replace(line, payload=line.payload))]
        sitting.hear(variants[index % len(variants)] if variants else line, NOON)
        for other in lines[:40]:
            assert list(mutants.problems(sitting.hear(other, NOON).decoded)) == []

    run()
