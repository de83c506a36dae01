"""The engine of nodes: differences along them, in batches of one site."""

import numpy as np

from tests.oracle.nodes.product import Product
from xcheck.oracle.nodes.engine import NodesEngine


def test_differences_along_nodes() -> None:
    """Those of J along what is moved; J at θ itself is that of the nodes."""
    engine = NodesEngine(Product(np.sin))
    assert float(engine.losses[0]) == float(np.sin(engine.theta).sum())
    step = np.full(3, 1e-4)
    found = engine.differences(np.arange(3), step, -step)
    np.testing.assert_allclose(found.slope, np.cos(engine.theta), atol=1e-8)
    assert engine.nodes.passes == engine.evaluations + 1 == 8


def test_its_scale_is_that_of_the_site() -> None:
    """A guess for steps, in the size of the values where they are small, in their root where they are large."""
    nodes = Product(np.sin)
    for largest, expected in ((100.0, 10.0), (0.25, 0.25)):
        nodes.values = largest * nodes.values / np.abs(nodes.values).max()
        scale = NodesEngine(nodes).scale
        assert ((scale > 0.6 * expected) & (scale <= 1.01 * expected)).all()
