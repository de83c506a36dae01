"""Golden reports: the self-test, at 80 and 40 columns.

After a change that is meant: `python -m tests.report.test_selftest` writes the golden files anew; read the difference.
"""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from xcheck.checks.selftest.score import FaultOutcome, FaultResult, Limit, SelfTest
from xcheck.report.selftest import render
from xcheck.verdict import Verdict

GOLDEN = Path(__file__).parent / "golden"


def self_test() -> SelfTest:
    """Five faults in two classes, of which one slips through, one is undecided and one changes nothing."""
    slips = FaultResult(
        name="everything x 1.0001",
        kind="constant factor",
        outcome=FaultOutcome.SLIPS,
        missed_in=("numpy", "torch"),
        component="W1[7, 24]",
        error=1e-4,
        tolerated=5e-2,
    )
    return SelfTest(
        model="breast_cancer.toml",
        check=Verdict.AGREE,
        headline_of_check="numpy, torch agree with the oracle on all 496 parameters",
        witnesses=("numpy", "torch"),
        skipped=(),
        results=(
            FaultResult(name="W2 x 2", kind="constant factor", outcome=FaultOutcome.KILLED, named=True),
            slips,
            FaultResult(name="one component zero", kind="support", outcome=FaultOutcome.KILLED, named=False),
            replace(
                slips, name="one component + 1 %", kind="support", outcome=FaultOutcome.UNDECIDED, missed_in=("torch",)
            ),
            FaultResult(name="one bias zero", kind="support", outcome=FaultOutcome.INAPPLICABLE),
        ),
        limits=(
            Limit(tensor="W1", of=480, median=5e-2, worst=6.1e-2, component="W1[7, 24]", hidden=16, absolute=3e-15),
            Limit(tensor="b1", of=16, median=math.nan, worst=math.nan, component="", hidden=16, absolute=2e-15),
        ),
        sampled="",
        tolerance=5e-2,
        seed=0,
        check_seconds=1.25,
        seconds=0.03,
        command=("python", "-m", "xcheck", "selftest", "breast_cancer.toml", "--tolerance", "0.05"),
    )


@pytest.mark.parametrize("width", [80, 40])
def test_the_golden_self_test(width: int) -> None:
    """As it should be, and nothing is wider than the terminal but the command to be copied."""
    text = render(self_test(), width=width)
    assert text + "\n" == (GOLDEN / f"self_test_{width}.txt").read_text(encoding="utf-8")
    assert all(len(line) <= width for line in text.splitlines() if "again:" not in line)


def test_many_tensors_are_not_all_shown() -> None:
    """The bluntest are."""
    limit = self_test().limits[0]
    limits = tuple(replace(limit, tensor=f"T{number}", worst=number * 1e-6, hidden=0) for number in range(1, 101))
    text = render(replace(self_test(), limits=limits))
    assert "T100 " in text
    assert "T80 " not in text
    assert "... 80 more" in text


def test_numbers_that_are_not_finite_are_strings() -> None:
    """Every JSON reader accepts it."""
    content = json.loads(self_test().to_json(), parse_constant=pytest.fail)
    assert content["limits"][1]["worst"] == "nan"
    assert content["all"] == {"kind": "all", "killed": 2, "named": 1, "applicable": 4, "inapplicable": 1}
    assert content["score"] == 0.5


if __name__ == "__main__":
    for columns in (80, 40):
        golden = GOLDEN / f"self_test_{columns}.txt"
        golden.write_text(render(self_test(), width=columns) + "\n", encoding="utf-8")
