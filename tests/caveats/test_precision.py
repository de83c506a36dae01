"""Fewer digits than were asked for: witnesses that answer in float32, losses that are as noisy as that."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.caveats.conftest import X, codes, problem, warned
from tests.compare.test_comparer import estimate
from tests.fakes import Answering, Fake, numpy_answer
from xcheck import Dense, Problem, Report, verify
from xcheck.backend.contract import Objective
from xcheck.caveats.precision import noisy_as_narrow_dtype
from xcheck.dtypes import DtypeName
from xcheck.layout import Vector

TANH = Dense(units=5, activation="tanh")
Change = Callable[[float, Vector], tuple[float, Vector]]


class Cast(Fake):
    """The NumPy witness, whose answers are cast."""

    name = "cast"

    def __init__(self, change: Change) -> None:
        self._change = change

    def network_objective(self, problem: Problem, *, device: str = "cpu", dtype: DtypeName = "float64") -> Objective:
        right = numpy_answer(problem, dtype)
        return Answering(self.name, problem.layout.size, lambda theta: self._change(*right(theta)))


def rounded(number: float) -> float:
    """The nearest float32 number."""
    return float(np.float32(number))


def single(gradient: Vector) -> Vector:
    """The nearest float32 numbers."""
    return gradient.astype(np.float32).astype(np.float64)


def cast(change: Change, point: Problem | None = None, **settings: Any) -> Report:
    """The report on such a witness."""
    return verify(point or problem(TANH), backends=[Cast(change), "jax"], **settings)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda loss, gradient: (loss, single(gradient)), "gradient"),
        (lambda loss, gradient: (rounded(loss), gradient), "loss"),
        (lambda loss, gradient: (rounded(loss), single(gradient)), "loss and gradient"),
    ],
)
def test_float32_behind_float64_is_told_by_name(change: Change, what: str) -> None:
    """It passes at the default tolerance, and that is why."""
    report = cast(change)
    assert report.verdict == "AGREE"
    assert codes(report) == ["XC417"]
    assert f"every number of the {what} of cast is a float32 number" in warned(report, "XC417").text


def test_float32_that_was_asked_for_is_no_cause() -> None:
    """With dtype = float32 that is what is checked."""
    assert "XC417" not in codes(cast(lambda loss, gradient: (loss, gradient), dtype="float32"))


def test_a_whole_witness_in_float32_is_told() -> None:
    """Not the last cast, but everything before it; then the losses may differ, too, and the warning says why."""

    class Single(Cast):
        def network_objective(
            self, problem: Problem, *, device: str = "cpu", dtype: DtypeName = "float64"
        ) -> Objective:
            return super().network_objective(problem, dtype="float32")

    report = verify(problem(TANH), backends=[Single(lambda loss, gradient: (loss, gradient)), "jax"])
    assert "every number of the loss and gradient of cast" in warned(report, "XC417").text


@pytest.mark.parametrize(
    "change",
    [
        lambda loss, gradient: (loss, np.zeros_like(gradient)),
        lambda loss, gradient: (loss, np.sign(gradient)),
        lambda loss, gradient: (loss, gradient.astype(np.float16).astype(np.float64)),
    ],
)
def test_what_is_shorter_than_float32_is_another_fault(change: Change) -> None:
    """Zeros, signs and halves are float32 numbers, too, but no sign of float32; they are wrong, and that is said."""
    report = cast(change)
    assert report.verdict == "DISAGREE"
    assert "XC417" not in codes(report)


def test_exact_results_are_no_cause() -> None:
    """Least squares from W = 0 on whole numbers: twenty binary digits, all of them right."""
    whole, targets = np.round(20 * X[:16]), np.round(900 * X[:16, :2])
    point = problem(inputs=whole, targets=targets, theta=np.zeros(10))
    report = cast(lambda loss, gradient: (loss, gradient), point)
    assert (report.verdict, "XC417" in codes(report)) == ("AGREE", False)


def test_a_loss_as_noisy_as_float32_need_not_be_computed_in_it() -> None:
    """A bisection that stops at 1e-7 has the same noise: the sentence names what else it may be."""
    found = noisy_as_narrow_dtype("numpy", 2.0**-24, estimate(error_bar=np.full(6, 1e-4)))
    assert found.text.startswith("numpy: the loss is less precise than float64: its noise is that of float32")
    assert "for iterations that stop at a tolerance, or for a loss that is ill-conditioned" in found.text
    assert "half precision" in noisy_as_narrow_dtype("numpy", 2.0**-11, estimate()).text
