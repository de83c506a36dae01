"""Node estimates: one evaluation per unit gives what one per weight gives, at kinks as well."""

import numpy as np
import pytest

from tests.oracle.conftest import exact
from xcheck.oracle.engines.node import NodeEngine
from xcheck.oracle.engines.structured import StructuredEngine
from xcheck.oracle.estimators.central import estimate_central
from xcheck.oracle.estimators.node import estimate_by_nodes
from xcheck.testing import scenario


@pytest.mark.parametrize("number", [0, 7, 9, 14, 20, 21])
def test_nodes_agree_with_weights(number: int) -> None:
    """Within the bars of both: the value, both ends of the interval, and every convention."""
    problem = scenario(number)
    noise = np.full(problem.layout.size, 1e-16)
    nodes = estimate_by_nodes(NodeEngine(problem), noise)
    weights = estimate_central(StructuredEngine(problem), noise, tolerance=1e-7)
    allowed = nodes.bar + weights.bar + 1e-12 * weights.magnitude
    for one, other in ((nodes.value, weights.value), (nodes.lower, weights.lower), (nodes.upper, weights.upper)):
        assert (np.abs(one - other) <= allowed).all()
    assert (np.abs(nodes.conventions - weights.conventions) <= allowed).all()


def test_six_losses_for_every_unit() -> None:
    """However many weights it has; and the gradient is right."""
    problem = scenario(20)
    found = estimate_by_nodes(NodeEngine(problem), np.full(problem.layout.size, 1e-16))
    assert found.evaluations == 6 * sum(problem.network.widths[1:])
    np.testing.assert_allclose(found.value, exact(problem), atol=1e-9 * np.abs(exact(problem)).max())
