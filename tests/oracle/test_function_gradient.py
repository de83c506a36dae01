"""Noise that is heard late: where one component turns out to be a staircase, the bars of all others widen too."""

import numpy as np

from xcheck.layout import Layout, Vector
from xcheck.oracle.engines.evaluator import Evaluator
from xcheck.oracle.function_gradient import measure_function
from xcheck.oracle.options import FunctionOptions

LAYOUT = Layout.of({"x": (50,)})
STAIRS = 7


def losses(points: Vector) -> Vector:
    """Smooth, but for what float32 makes of one component."""
    return np.asarray(np.sin(points).sum(1) + np.sin(points[:, STAIRS]).astype(np.float32))


def test_stairs_that_are_found_in_a_dispute_widen_every_bar() -> None:
    """The noise is multiplied for what rounds unevenly, and what was measured before that is not kept as it was."""
    theta = np.linspace(0.1, 1.3, LAYOUT.size)
    oracle = measure_function(
        Evaluator(losses), theta, LAYOUT, roundoffs={"x": 2.0**-53}, options=FunctionOptions(scope="all")
    )
    before = oracle.estimate("").error_bar.copy()
    assert oracle.computed_in == 0
    assert oracle.reconsider(np.array([STAIRS]), 2 * np.cos(theta))
    assert oracle.computed_in > 0
    others = np.arange(LAYOUT.size) != STAIRS
    assert (oracle.estimate("").error_bar > before)[others].all()
