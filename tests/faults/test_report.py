"""What is written into the document: two tables, and neither takes the other's place."""

from pathlib import Path

import pytest

from tests.faults import plan, report
from tests.faults.problem import Problem
from tests.faults.scenario import Outcome

MARKS = """before
<!-- faults: begin -->
<!-- faults: end -->
between
<!-- faults-long: begin -->
<!-- faults-long: end -->
after
"""


def outcomes(count: int) -> list[Outcome]:
    made = plan.long(1, kills_wanted=count * plan.KILLS_A_RUN, alarms_wanted=0)
    return [Outcome(scenario=one, seed="1", kills=40, alarms=400, texts=900, calls=300) for one in made]


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "reliability.md"
    path.write_text(MARKS, "utf-8")
    return path


def write(document: Path, those: list[Outcome], table: str) -> str:
    report.write_document(those, "make faults", "1.2.3", table=table, minutes=12.3, document=document)
    return document.read_text("utf-8")


def test_the_long_table_stands_beside_the_other_one(document: Path) -> None:
    write(document, outcomes(1), report.BOUNDED)
    text = write(document, outcomes(1), report.LONG)

    assert text.count("| all | 40 | 400 |") == 2
    assert "version 1.2.3, `make faults`, 1 installations, 12 minutes" in text
    assert write(document, outcomes(1), report.LONG) == text


def test_the_long_table_has_a_row_for_each_sort_of_installation(document: Path) -> None:
    text = write(document, outcomes(25), report.LONG)

    rows = [line for line in text.splitlines() if line.startswith("| ")]
    # A head, its line, six sorts and the sum.
    assert len(rows) == 9
    assert sum("two providers" in row for row in rows) == 3
    assert "| all | 1,000 | 10,000 | 22,500 | 7,500 |" in text


def test_a_sum_over_a_run_that_broke_off_is_no_zero(document: Path) -> None:
    those = outcomes(3)
    those[0].error = "it is not ready"
    those[1].problems = [Problem(kind="lost", home=1, sentence="")]
    text = write(document, those, report.LONG)

    (total,) = [line for line in text.splitlines() if line.startswith("| all")]
    assert "| 1? | 0? |" in total


def test_a_document_without_the_marks_is_refused(document: Path) -> None:
    document.write_text("nothing", "utf-8")

    with pytest.raises(ValueError, match="faults-long"):
        write(document, outcomes(1), report.LONG)
