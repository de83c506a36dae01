"""Golden reports: one component from close up, at 80 and 40 columns.

After a change that is meant: `python -m tests.report.test_component` writes the golden files anew; read the difference.
"""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from xcheck.checks.explain.explanation import Explanation, Kink, WitnessValue
from xcheck.checks.explain.sweep import Step
from xcheck.layout import Location
from xcheck.report.component import render
from xcheck.verdict import Verdict

GOLDEN = Path(__file__).parent / "golden"


def explanation() -> Explanation:
    """θ³ at 1, whose noise is a tenth of a rounding: the example of the lecture notes."""
    steps = []
    for exponent in range(1, 13):
        h, noise = 10.0**-exponent, 1e-17 * 10.0**exponent
        steps.append(Step(h, 3 + h * h + noise, 3 + 3 * h + h * h + noise, 3 - 3 * h + h * h - noise))
    return Explanation(
        model="cube.py::cube",
        component=Location("theta", (0,), 0),
        theta=1.0,
        loss=1.0,
        verdict=Verdict.DISAGREE,
        headline="mine is wrong: 0.6667 x the oracle, 1e+12 bars off; jax is right",
        value=3.0,
        error_bar=1e-12,
        lower=3.0,
        upper=3.0,
        allowed=3e-7,
        statements=(
            WitnessValue(
                name="mine", value=2.0, bars=1e12, verdict=Verdict.DISAGREE, text="wrong: 0.6667 x the oracle"
            ),
            WitnessValue(name="jax", value=3.0, bars=0.0, verdict=Verdict.AGREE, text="right"),
        ),
        steps=tuple(steps),
        slopes=steps[6],
        kink=Kink(distance=-0.025, exact=True, sight=0.1),
        findings=(),
        seed=0,
        tolerance=1e-7,
        command=("python", "-m", "xcheck", "explain", "cube.py", "theta[0]"),
    )


@pytest.mark.parametrize("width", [80, 40])
def test_the_golden_explanation(width: int) -> None:
    """As it should be, and nothing is wider than the terminal but the command to be copied."""
    text = render(explanation(), width=width)
    assert text + "\n" == (GOLDEN / f"explanation_{width}.txt").read_text(encoding="utf-8")
    assert all(len(line) <= width for line in text.splitlines() if "again:" not in line)


def test_numbers_that_are_not_finite_are_strings() -> None:
    """Every JSON reader accepts it."""
    found = replace(explanation(), value=math.nan, kink=Kink(distance=math.nan, exact=False, sight=0.1))
    content = json.loads(found.to_json(), parse_constant=pytest.fail)
    assert (content["oracle"]["value"], content["kink"]["distance"]) == ("nan", "nan")


if __name__ == "__main__":
    for columns in (80, 40):
        (GOLDEN / f"explanation_{columns}.txt").write_text(
            render(explanation(), width=columns) + "\n", encoding="utf-8"
        )
