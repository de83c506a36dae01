"""Bounds of increments: no unit above moves further than its bound says, and short means short everywhere."""

import numpy as np
import pytest

from xcheck import Problem
from xcheck.networks.network import ACTIVATIONS
from xcheck.oracle.engines.bounds import increment_bounds, is_short
from xcheck.oracle.engines.elementary import SHORT
from xcheck.oracle.engines.network import tensors_of
from xcheck.oracle.engines.structured import StructuredEngine
from xcheck.oracle.network.forward import trace
from xcheck.testing import scenario


@pytest.mark.parametrize("number", range(2 * len(ACTIVATIONS)))
def test_no_unit_moves_further_than_its_bound(number: int) -> None:
    """A step in one bias, run through the network anew: every z above stays within step times bound."""
    problem = scenario(number)
    engine, step = StructuredEngine(problem), 2.0**-20
    if engine.branches.ties:
        pytest.skip("at a kink the network moves otherwise than its branches")
    for layer, bounds in enumerate(increment_bounds(engine)):
        for unit, bound in enumerate(bounds):
            moved = _run(problem, problem.layout[f"b{layer + 1}"].offset + unit, step)
            for before, after in zip(engine.trace.z[layer + 1 :], moved[layer + 1 :], strict=True):
                assert np.abs(after - before).max() <= step * bound + 1e-12 * np.abs(before).max()


def _run(problem: Problem, flat: int, step: float) -> list[np.ndarray]:
    """Pre-activations of all layers with one component of θ moved."""
    theta = problem.theta.copy()
    theta[flat] += step
    engine = StructuredEngine(problem)
    parameters = tensors_of(problem.layout, theta)
    return trace(problem.network, parameters, problem.inputs, problem.targets, engine.keeps).z


def test_the_longest_short_distance() -> None:
    """Half of what the polynomials take, and not where it is unknown."""
    assert is_short(np.array([0.0, SHORT / 2]))
    assert not is_short(np.array([0.0, SHORT]))
    assert not is_short(np.array([np.nan]))
