"""Propagation: a perturbation that is carried up the network arrives as the change of each example's loss."""

import numpy as np
import pytest

from xcheck.oracle.engines.network import tensors_of
from xcheck.oracle.engines.structured import StructuredEngine
from xcheck.oracle.network.forward import NUMPY, float64_on, losses
from xcheck.testing import scenario


@pytest.mark.parametrize("short", [True, False])
@pytest.mark.parametrize("layer", [0, 1])
def test_increments_arrive_example_by_example(layer: int, short: bool) -> None:
    """As by running the network anew, one weight at a time."""
    problem = scenario(20)
    engine = StructuredEngine(problem)
    W = problem.layout[f"W{layer + 1}"]
    units, columns = np.arange(W.shape[0]), np.zeros(W.shape[0], dtype=np.intp)
    steps = 2.0**-20 * np.stack([np.ones(W.shape[0]), -np.ones(W.shape[0])])
    with float64_on(engine.device):
        moved = np.asarray(engine.propagator.loss_increments(layer, 0, units, columns, steps, short=short))
    for unit in units:
        theta = problem.theta.copy()
        theta[W.offset + unit * W.shape[1]] += steps[0, unit]
        run = losses(
            NUMPY,
            problem.network,
            tensors_of(problem.layout, theta),
            problem.inputs,
            problem.targets,
            engine.keeps,
            [None if slope is None else slope[0] for slope in engine.branches.per_layer],
        )
        np.testing.assert_allclose(moved[0, unit], run - engine.trace.losses, atol=1e-13 * max(1, run.max()))
