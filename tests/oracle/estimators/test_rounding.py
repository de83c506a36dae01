"""Rounding: what a witness that computes in float32 is off by is covered, and not by much more than there is."""

import numpy as np
import pytest

from tests.oracle.conftest import exact, wide
from xcheck.oracle.engines.loop import NetworkLoopEngine
from xcheck.oracle.estimators.rounding import Rounding, rounding_errors
from xcheck_numpy.network import NetworkObjective


def rounding(roundoff: float) -> Rounding:
    """Of a network of 40 tanh units."""
    problem = wide(40)
    engine = NetworkLoopEngine(problem)
    magnitude = np.abs(exact(problem))
    loss = float(np.abs(engine.losses).mean())
    return rounding_errors(problem, engine.trace, engine.dead, magnitude, loss, roundoff)


@pytest.mark.parametrize(("dtype", "roundoff"), [(np.float32, 2.0**-24), (np.float64, 2.0**-53)])
def test_the_error_of_a_witness_is_covered(dtype: type[np.floating], roundoff: float) -> None:
    """Component by component, and of the loss."""
    problem = wide(40)
    rounded = problem.theta.astype(np.float32).astype(np.float64)
    objective, precise = NetworkObjective(problem, dtype), NetworkObjective(problem, np.longdouble)
    loss, gradient = objective.compute(rounded.astype(dtype))
    expected_loss, expected = precise.compute(rounded)
    allowed = rounding(roundoff)
    assert (np.abs(gradient - expected) <= allowed.gradient + 4 * roundoff * np.abs(expected)).all()
    assert abs(float(loss) - float(expected_loss)) <= allowed.loss
    assert np.median(allowed.gradient) < 1e4 * roundoff * np.abs(expected).max()


def test_it_is_in_proportion_to_the_roundoff() -> None:
    """Half the precision of float64, and 2²⁹ times the error."""
    np.testing.assert_allclose(rounding(2.0**-24).gradient, 2.0**29 * rounding(2.0**-53).gradient, rtol=1e-3)
