"""Golden reports: accuracy, at 80 and 40 columns.

After a change that is meant: `python -m tests.report.test_accuracy` writes the golden files anew; read the difference.
"""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from xcheck.checks.accuracy.accuracy import Accuracy, LostDigits, TensorAccuracy, WitnessAccuracy
from xcheck.report.accuracy import render
from xcheck.verdict import Verdict

GOLDEN = Path(__file__).parent / "golden"


def accuracy() -> Accuracy:
    """Two gradients of two tensors: in one digits are lost, in the other a small component cancels."""
    weights = TensorAccuracy(
        tensor="encoder.0.W",
        dtype="float64",
        of=480,
        median=0.62,
        ninety=2.3,
        worst=197.2,
        component="encoder.0.W[7, 24]",
        least=1.5,
        exceeding=(300, 120, 14, 2),
        of_largest=3.9,
        component_of_largest="encoder.0.W[9, 2]",
    )
    lost = LostDigits(component="b[3]", digits=12.2, of=15.95, ulps=1.6e12, explained="yes")
    bias = TensorAccuracy(
        tensor="b",
        dtype="float64",
        of=15,
        median=1.1,
        ninety=3.0,
        worst=1.6e12,
        component="b[3]",
        least=150.0,
        exceeding=(15, 8, 1, 1),
        of_largest=8.2e7,
        component_of_largest="b[3]",
        lost=lost,
    )
    jax = WitnessAccuracy(name="jax", median=0.66, worst=1.6e12, component="b[3]", tensors=(weights, bias))
    small = replace(bias, worst=150.0, of_largest=2.0, lost=None)
    torch = WitnessAccuracy(
        name="torch",
        median=0.6,
        worst=197.2,
        component="encoder.0.W[7, 24]",
        tensors=(weights, small),
    )
    return Accuracy(
        model="model.py::mine",
        verdict=Verdict.AGREE,
        function="jax",
        witnesses=(jax, torch),
        parameters=496,
        looked=496,
        kinks=1,
        operations=("`max` at model.py:3",),
        remarks=("`cast` to float32 at model.py:4 rounds",),
        seconds=1.25,
        command=("python", "-m", "xcheck", "accuracy", "model.py::mine"),
    )


@pytest.mark.parametrize("width", [80, 40])
def test_the_golden_accuracy(width: int) -> None:
    """As it should be, and nothing is wider than the terminal but the command to be copied."""
    text = render(accuracy(), width=width)
    assert text + "\n" == (GOLDEN / f"accuracy_{width}.txt").read_text(encoding="utf-8")
    assert all(len(line) <= width for line in text.splitlines() if "again:" not in line)


def test_many_tensors_are_not_all_shown() -> None:
    """Those with the largest errors are."""
    [jax, _] = accuracy().witnesses
    tensors = tuple(replace(jax.tensors[0], tensor=f"T{number}", worst=float(number)) for number in range(50))
    text = render(replace(accuracy(), witnesses=(replace(jax, tensors=tensors),)))
    assert "... 30 more tensors" in text
    assert "T49" in text
    assert "T29 " not in text


def test_a_sample_says_how_many() -> None:
    """And what is left out."""
    text = render(replace(accuracy(), looked=100, unproved=2, reasons=("a tie",)))
    assert "100 of 496 components, drawn at random," in text
    assert "2 left out, of which nothing is proved: a tie" in text


def test_what_is_not_measured_has_no_tables() -> None:
    """One sentence, and others beside it."""
    nothing = Accuracy(model="m", verdict=Verdict.UNDECIDED, parameters=3, reasons=("jax: `fft` has no rule",))
    assert render(nothing) == "UNDECIDED  m: nothing is proved: jax: `fft` has no rule"
    failed = Accuracy(model="m", verdict=Verdict.ERROR, findings=("jax: it fails", "torch: it fails"))
    assert render(failed) == "ERROR  m: jax: it fails\n  torch: it fails"


def test_infinite_errors_are_words_in_json() -> None:
    """JSON has no such numbers."""
    [jax, _] = accuracy().witnesses
    text = replace(accuracy(), witnesses=(replace(jax, worst=float("inf")),)).to_json()
    content = json.loads(text)
    assert content["witnesses"][0]["worst"] == "inf"
    assert content["witnesses"][0]["tensors"][1]["lost"]["component"] == "b[3]"
    assert content["exceeded"] == [0.5, 1.0, 4.0, 100.0]


if __name__ == "__main__":
    for columns in (80, 40):
        (GOLDEN / f"accuracy_{columns}.txt").write_text(render(accuracy(), width=columns) + "\n", encoding="utf-8")
