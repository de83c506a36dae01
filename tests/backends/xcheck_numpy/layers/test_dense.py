"""Dense layers and other shapes, forward and backward."""

from tests.backends.xcheck_numpy.layers.halves import assert_halves_fit
from xcheck.networks.layers import DenseLayer, Flatten, Reshape
from xcheck_numpy.layers.dense import DENSE, RESHAPE


def test_dense() -> None:
    """∂/∂x, ∂/∂W and ∂/∂b."""
    assert_halves_fit(DENSE, DenseLayer(units=3), (5,))


def test_other_shapes() -> None:
    """Both change no number."""
    assert_halves_fit(RESHAPE, Flatten(), (2, 3))
    assert_halves_fit(RESHAPE, Reshape(shape=(3, 2)), (6,))
