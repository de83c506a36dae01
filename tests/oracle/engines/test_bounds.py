"""Bounds of increments: no unit above moves further than its bound says, and short means short everywhere."""

from dataclasses import replace

import numpy as np
import pytest

from xcheck import Dense, Network, Problem
from xcheck.networks.network import ACTIVATIONS
from xcheck.oracle.engines.bounds import increment_bounds, is_short
from xcheck.oracle.engines.network import tensors_of
from xcheck.oracle.engines.structured import StructuredEngine
from xcheck.oracle.network.elementary import SHORT
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


def test_gains_of_all_layers_multiply() -> None:
    """Four layers of one unit with weights 3: a step in the first moves the last 27 times as far."""
    network = Network(
        inputs=1, layers=tuple(Dense(units=1, activation="identity") for _ in range(4)), loss="mean_squared_error"
    )
    problem = Problem.create(network, np.ones((2, 1)), np.ones((2, 1)))
    problem = replace(problem, theta=np.tile([3.0, 0.0], 4))
    first, *_, last = increment_bounds(StructuredEngine(problem))
    assert 27 <= first[0] <= 27 * 2 * 1.13**4
    assert last[0] <= 2 * 1.13
