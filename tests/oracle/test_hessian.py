"""Hessian-vector products from differences of gradients: within the bars, and no bars where nothing is finite."""

import numpy as np

from xcheck.layout import Vector
from xcheck.oracle.hessian import hessian_estimate

THETA = np.random.default_rng(0).standard_normal(6)
VECTORS = np.random.default_rng(1).standard_normal((2, 6))


def gradient(theta: Vector) -> Vector:
    """Of J = Σ exp θᵢ + (Σ θᵢ)⁴/4."""
    return np.asarray(np.exp(theta) + theta.sum() ** 3)


def test_products_are_within_their_bars() -> None:
    """One vector after the other, in one long estimate."""
    found = hessian_estimate(gradient, THETA, VECTORS)
    exact = np.concatenate([np.exp(THETA) * v + 3 * THETA.sum() ** 2 * v.sum() for v in VECTORS])
    assert (np.abs(found.value - exact) <= found.error_bar).all()
    assert (found.error_bar < 1e-7 * np.abs(exact).max()).all()


def test_where_the_gradient_is_not_finite_nothing_is_promised() -> None:
    """No bar, and no exception."""
    found = hessian_estimate(lambda theta: np.full(6, np.nan), THETA, VECTORS)
    assert not np.isfinite(found.error_bar).any()
