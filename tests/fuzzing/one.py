"""One dialect under Atheris: `python -m tests.fuzzing.one DIALECT FOLDER SECONDS`."""

import json
import logging
import sys
from pathlib import Path

import atheris

# Only what is imported in here is watched for new ways through it.
with atheris.instrument_imports(include=["ingest.dialects", "ingest.decode"]):
    from shouwang.decoding import Line, Sitting
    from shouwang.decoding.sitting import assumed
    from tests.decoding import samples
    from tests.fuzzing import mutants

CORPUS = Path(__file__).parent.parent / "decoding" / "corpus"
#: Stands between topic and payload in what Atheris changes.
SEPARATOR = b"\0"
#: Only of small messages are parts taken out as well: that costs a hundred times as much.
SMALL = 200


def main(dialect: str, folder: Path, seconds: str) -> None:
    logging.disable(logging.CRITICAL)
    inputs = folder / dialect
    inputs.mkdir(parents=True, exist_ok=True)
    sitting = Sitting([assumed(dialect)])
    for number, sample in enumerate(one for file in sorted(CORPUS.glob("*.jsonl")) for one in samples.read(file)):
        if sample.dialect == dialect:
            sitting.hear(sample.line, mutants.NOON)
            (inputs / f"recorded-{number}").write_bytes(sample.line.topic.encode() + SEPARATOR + sample.line.payload)

    def once(data: bytes) -> None:
        topic, _, payload = data.partition(SEPARATOR)
        line = Line(topic=topic.decode("utf-8", "replace"), payload=payload, retain=len(data) % 2 == 1)
        decoded = sitting.hear(line, mutants.NOON).decoded
        wrong = list(mutants.problems(decoded))
        if len(payload) < SMALL and decoded.readings:
            for what, changed, same in mutants.emptied(line):
                after = sitting.read(changed, mutants.NOON).decoded
                wrong += [f"{what}: {one}" for one in mutants.problems(after)]
                wrong += [f"{what}: {one}" for one in mutants.made_up(decoded, after) if same]
        if wrong:
            raise AssertionError(json.dumps({"topic": line.topic, "payload": repr(payload), "wrong": wrong}))

    arguments = [f"-max_total_time={seconds}", "-max_len=4096", "-verbosity=0"]
    atheris.Setup([sys.argv[0], *arguments, f"-artifact_prefix={folder}/{dialect}-broken-", str(inputs)], once)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
