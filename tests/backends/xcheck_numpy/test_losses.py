"""Losses of the NumPy backend: each derivative alone, in extended precision."""

import numpy as np
import pytest

from xcheck.networks.network import LOSSES as LOSS_NAMES
from xcheck.networks.network import LossName
from xcheck_numpy.losses import LOSSES


@pytest.mark.parametrize("name", LOSS_NAMES)
def test_each_loss_derivative_is_the_slope_of_its_loss(name: LossName) -> None:
    """∂L/∂z against a difference of L in extended precision."""
    rng = np.random.default_rng(0)
    z = np.asarray(rng.standard_normal((6, 4)), dtype=np.longdouble)
    y = np.eye(4)[rng.integers(0, 4, 6)].astype(np.longdouble)
    derivative = LOSSES[name].derivative(z, y)
    for k in range(4):
        step = np.zeros(4, dtype=np.longdouble)
        step[k] = 1e-6
        slope = (LOSSES[name].value(z + step, y) - LOSSES[name].value(z - step, y)) / (2 * step[k])
        np.testing.assert_allclose(derivative[:, k], slope, rtol=1e-9, atol=1e-11)


def test_softmax_does_not_overflow() -> None:
    """Logits of a thousand are an ordinary loss, without a warning."""
    z, y = np.array([[1000.0, 0.0, -1000.0]]), np.array([[0.0, 1.0, 0.0]])
    assert LOSSES["softmax_cross_entropy"].value(z, y).tolist() == [1000.0]
    assert LOSSES["softmax_cross_entropy"].derivative(z, y).tolist() == [[1.0, -1.0, 0.0]]
