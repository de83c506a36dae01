"""The gradients of all outputs that need no measurement of their own."""

import numpy as np

from xcheck.dtypes import FLOAT64
from xcheck.layout import Layout, Vector
from xcheck.oracle.engines.evaluator import Evaluator
from xcheck.oracle.function_gradient import measure_function
from xcheck.oracle.options import FunctionOptions
from xcheck.oracle.output_gradients import measure_settled_outputs

THETA, LAYOUT = np.linspace(0.3, 1.1, 5), Layout.of({"x": (5,)})
ROUNDOFFS = {"x": FLOAT64}


def losses(points: Vector) -> Vector:
    """Three outputs, the second with a kink at θ, shape (3, k)."""
    return np.stack([np.exp(points).sum(1), np.abs(points - 0.3).sum(1), np.sin(points).prod(1)])


def test_estimates_are_those_of_each_output_by_itself() -> None:
    """Every number of them but for the time; the output with a kink has none."""
    options = FunctionOptions(scope="all")
    done: list[int] = []
    found = measure_settled_outputs(
        Evaluator(losses), THETA, LAYOUT, 3, roundoffs=ROUNDOFFS, options=options, name="three", progress=done.append
    )
    assert sorted(found) == [0, 2]
    assert done == [15]
    for number, estimate in found.items():
        evaluator = Evaluator(lambda points, number=number: losses(points)[number])  # type: ignore[misc]
        oracle = measure_function(evaluator, THETA, LAYOUT, roundoffs=ROUNDOFFS, options=options)
        own = oracle.estimate("three")
        for name in ("value", "error_bar", "lower", "upper", "conventions", "spread", "magnitude", "terms"):
            np.testing.assert_array_equal(getattr(estimate, name), getattr(own, name))
        np.testing.assert_array_equal(estimate.rounding.gradient, own.rounding.gradient)
        for name in ("loss", "ties", "engine", "epsilon", "evaluations"):
            assert getattr(estimate, name) == getattr(own, name)
        assert estimate.rounding.loss == own.rounding.loss


def test_a_fixed_step_settles_nothing() -> None:
    """It says nothing of kinks and noise."""
    options = FunctionOptions(scope="all", epsilon=1e-5)
    found = measure_settled_outputs(
        Evaluator(losses), THETA, LAYOUT, 3, roundoffs=ROUNDOFFS, options=options, name="three"
    )
    assert found == {}
