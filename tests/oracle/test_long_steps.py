"""Slopes over long steps: of a smooth loss the derivative, of one that jumps everywhere the slope between the jumps."""

import numpy as np
import pytest

from xcheck.layout import Vector
from xcheck.oracle.long_steps import measure_long_steps

THETA = np.array([0.7, 1.9, -1.2])
DIRECTIONS = np.random.default_rng(0).choice([-1.0, 1.0], (16, 3)) * np.abs(THETA)
TRUE = DIRECTIONS @ (np.cos(THETA) * np.exp(np.sin(THETA)))


def smooth(thetas: Vector) -> Vector:
    """A function with all derivatives."""
    return np.asarray(np.exp(np.sin(thetas)).sum(axis=1))


@pytest.mark.parametrize("jump", [0.0, 1e-10, 1e-7, 1e-4])
def test_the_bar_covers_the_error(jump: float) -> None:
    """Whatever the jumps are, in three of four directions at least; and it is not much wider than they make it."""

    def losses(thetas: Vector) -> Vector:
        values = smooth(thetas)
        return values if not jump else np.floor(values / jump) * jump

    slopes, bars, noise = measure_long_steps(losses, THETA, DIRECTIONS)
    assert np.mean(np.abs(slopes - TRUE) <= bars) >= 0.75
    assert np.median(bars) <= 1e-9 + 1e3 * jump
    assert np.median(noise) <= 1e-12 + 2 * jump


def test_where_the_loss_fails_nothing_is_known() -> None:
    """The bar is infinite."""
    _, bars, _ = measure_long_steps(lambda thetas: np.full(len(thetas), np.nan), THETA, DIRECTIONS)
    assert np.isinf(bars).all()
