"""The node engine: moving a unit by h moves the losses as moving its bias does."""

import numpy as np
import pytest

from xcheck.oracle.engines.batched import BatchedEngine
from xcheck.oracle.engines.node import NodeEngine
from xcheck.testing import scenario


@pytest.mark.parametrize("number", [0, 9, 20])
@pytest.mark.parametrize("layer", [0, 1])
def test_increments_are_those_of_the_bias(number: int, layer: int) -> None:
    """Summed over the examples, for both signs of the step."""
    problem = scenario(number)
    node, batched = NodeEngine(problem), BatchedEngine(problem)
    span = problem.layout[f"b{layer + 1}"].span
    units, indices = np.arange(span.stop - span.start), np.arange(span.start, span.stop)
    step = 2.0**-12 * batched.scale[indices]
    moved = np.asarray(node.increments(layer, 0, units, np.stack([step, -step])))
    assert moved.shape == (2, len(units), problem.examples)
    expected = batched.spans(indices, step, -step).conventions[0]
    np.testing.assert_allclose((moved[0] - moved[1]).mean(1), expected, rtol=1e-6, atol=1e-12)


def test_units_at_a_time_share_the_memory() -> None:
    """More steps each, fewer units; one always goes."""
    engine = NodeEngine(scenario(20))
    assert engine.units_at_a_time(0, 2) >= 3 * engine.units_at_a_time(0, 6) >= 3
    assert NodeEngine(scenario(20), memory=1).units_at_a_time(0, 6) == 1
