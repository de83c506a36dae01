"""What is around θ: only components at kinks are moved together, and points are the same for every component."""

from typing import Literal

import numpy as np
import pytest

from xcheck.layout import Layout, Vector
from xcheck.oracle.engines.evaluator import Evaluator
from xcheck.oracle.function_gradient import FunctionOracle, measure_function
from xcheck.oracle.options import FunctionOptions
from xcheck.oracle.surroundings import measure_nearby_slopes, measure_tied_slopes


def losses(points: Vector) -> Vector:
    """J: a tie of the first two, and a third component apart."""
    return np.asarray(points[:, :2].max(axis=1) + points[:, 2] ** 2)


def oracle(theta: list[float], epsilon: float | Literal["auto"] = "auto") -> FunctionOracle:
    """Of J at θ."""
    layout = Layout.of({"theta": (3,)})
    options = FunctionOptions(epsilon=epsilon)
    return measure_function(Evaluator(losses), np.array(theta), layout, roundoffs={"theta": 2.0**-53}, options=options)


def test_components_at_kinks_are_moved_together() -> None:
    """The third is not among them."""
    tied = measure_tied_slopes(oracle([1.0, 1.0, 1.0]))
    assert tied
    assert all(one.components.tolist() == [0, 1] for one in tied)


@pytest.mark.parametrize(("theta", "epsilon"), [([1.0, 2.0, 1.0], "auto"), ([1.0, 1.0, 1.0], 1e-7)])
def test_nothing_is_moved_where_nothing_is_tied(theta: list[float], epsilon: float | Literal["auto"]) -> None:
    """Nor with a fixed step, which shows no kinks."""
    assert not measure_tied_slopes(oracle(theta, epsilon))


def test_points_are_drawn_once() -> None:
    """Slopes of the first component are those that it has among all three."""
    whole = measure_nearby_slopes(oracle([1.0, 1.0, 1.0]), np.arange(3))
    first = measure_nearby_slopes(oracle([1.0, 1.0, 1.0]), np.arange(1))
    np.testing.assert_array_equal(first.points, whole.points)
    np.testing.assert_array_equal(first.slopes[:, 0], whole.slopes[:, 0])
