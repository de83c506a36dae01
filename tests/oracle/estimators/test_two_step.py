"""Two steps instead of three: the bar is borrowed from a sample, and a kink nearby is suspected."""

import numpy as np

from xcheck.layout import Layout, Tensor, Vector
from xcheck.oracle.engines.evaluator import Evaluator
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.engines.lines import Lines
from xcheck.oracle.estimators.two_step import SAMPLE, draw_sample, estimate_two_step

SIZE = 200
KINKED = 17


def losses(points: Vector) -> Vector:
    """J = Σ sin θᵢ, and |θᵢ| for one of them."""
    return np.asarray(np.sin(points).sum(1) + np.abs(points[:, KINKED]))


def test_all_but_the_kink_are_within_their_bars() -> None:
    """Four losses each, and what a kink does is measured again in full."""
    theta = np.random.default_rng(0).standard_normal(SIZE)
    theta[KINKED] = 1e-6
    engine = FunctionEngine(Evaluator(losses), theta, Lines.all_of(Layout.of({"W": (SIZE,)})))
    step, noise = np.full(SIZE, 2.0**-10), np.full(SIZE, 2.0**-50)
    truncation = 4 * step[0] ** 4 / 30 * 15
    measured, suspicious, bend = estimate_two_step(engine, np.arange(SIZE), step, noise, truncation, jump=1e-9)
    np.testing.assert_array_equal(np.flatnonzero(suspicious), [KINKED])
    smooth = ~suspicious
    assert (np.abs(measured.value - np.cos(theta)) <= measured.bar)[smooth].all()
    assert (measured.bar[smooth] < 1e-9).all()
    np.testing.assert_allclose(bend[smooth], np.abs(np.sin(theta))[smooth], atol=1e-3)
    assert measured.evaluations == 4 * SIZE


def test_small_tensors_are_measured_in_full() -> None:
    """And of large ones a sample, without repetition, inside the tensor."""
    rng = np.random.default_rng(0)
    np.testing.assert_array_equal(draw_sample(Tensor("b", (63,), 5), rng), np.arange(5, 68))
    chosen = draw_sample(Tensor("W", (64,), 5), rng)
    assert len(set(chosen.tolist())) == SAMPLE
    assert chosen.min() >= 5
    assert chosen.max() < 69
