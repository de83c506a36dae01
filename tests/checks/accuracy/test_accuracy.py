"""Accuracy as a value: its sentences, and how numbers are written."""

from dataclasses import replace

import pytest

from xcheck.checks.accuracy.accuracy import Accuracy, Explained, LostDigits, TensorAccuracy, WitnessAccuracy, ulps
from xcheck.verdict import Verdict

TENSOR = TensorAccuracy(
    tensor="W",
    dtype="float64",
    of=4,
    median=0.5,
    ninety=2.0,
    worst=200.0,
    component="W[1, 0]",
    least=200.0,
    exceeding=(2, 2, 1, 1),
    of_largest=1.5,
    component_of_largest="W[0, 1]",
)
WITNESS = WitnessAccuracy(name="jax", median=0.5, worst=200.0, component="W[1, 0]", tensors=(TENSOR,))
MEASURED = Accuracy(model="model", verdict=Verdict.AGREE, witnesses=(WITNESS,), parameters=4, looked=4)


def test_the_headline_is_about_the_worst_component() -> None:
    """And about the median; what is wrong, or cannot be proved, comes before numbers."""
    assert MEASURED.headline == "jax is off by 200 ulps at most, at W[1, 0]; the median is 0.5 ulp"
    assert replace(MEASURED, findings=("wrong", "more")).headline == "wrong"
    nothing = Accuracy(model="model", verdict=Verdict.UNDECIDED)
    assert replace(nothing, parameters=1, reasons=("no rule",)).headline == "nothing is proved: no rule"
    assert nothing.headline == "there are no components to look at"
    at_kink = replace(nothing, parameters=1, kinks=1, operations=("`abs` at a.py:1",))
    assert at_kink.headline == "every component that was looked at is at a kink (`abs` at a.py:1)"
    assert replace(nothing, parameters=1).headline == "no gradient came"
    assert repr(MEASURED).startswith("<Accuracy AGREE model: jax is off")


@pytest.mark.parametrize(
    ("explained", "words"),
    [
        ("yes", "is unstable"),
        ("no", "less accurate than its dtype"),
        ("wrong", "proved to be wrong"),
        ("unknown", "nobody knows"),
    ],
)
def test_lost_digits_say_why(explained: Explained, words: str) -> None:
    """Rounding of the program explains them, or does not, or nobody knows."""
    lost = LostDigits(component="x[3]", digits=12.2, of=15.95, ulps=1.6e12, explained=explained)
    assert str(lost).startswith("x[3] has lost 12 of its 16 digits: ")
    assert words in str(lost)


def test_small_components_cancel_where_no_digits_are_lost_beside_the_largest() -> None:
    """Both are told from the same errors in two units."""
    assert TENSOR.cancels
    assert not replace(TENSOR, worst=50.0).cancels
    lost = LostDigits(component="x", digits=2, of=16, ulps=200, explained="yes")
    assert not replace(TENSOR, lost=lost).cancels


def test_what_another_gradient_keeps_could_be_kept() -> None:
    """Two digits more of the same component; of one gradient alone nobody knows."""
    assert not TENSOR.avoidable
    assert replace(TENSOR, least=0.3).avoidable
    assert not replace(TENSOR, least=30.0).avoidable


def test_one_ulp_is_singular() -> None:
    """And so is less."""
    assert [ulps(count) for count in (0.5, 1.0, 1.5, float("inf"))] == ["0.5 ulp", "1 ulp", "1.5 ulps", "inf ulps"]
