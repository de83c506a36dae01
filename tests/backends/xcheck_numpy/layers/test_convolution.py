"""Convolutions, forward and backward."""

from itertools import product

import numpy as np
import pytest

from tests.backends.xcheck_numpy.layers.halves import assert_halves_fit
from xcheck.networks.layers import Convolution
from xcheck_numpy.layers.convolution import CONVOLUTION, convolve


def test_the_sum_of_the_specification() -> None:
    """Term by term, in loops."""
    layer = Convolution(channels=2, kernel=(2, 3), stride=(2, 1), padding=(1, 0))
    rng = np.random.default_rng(1)
    W, b, x = rng.normal(size=(2, 3, 2, 3)), rng.normal(size=2), rng.normal(size=(2, 3, 4, 5))
    padded = np.pad(x, [(0, 0), (0, 0), (1, 1), (0, 0)])
    expected = np.zeros((2, *layer.output((3, 4, 5))))
    for e, o, i, j in product(*map(range, expected.shape)):
        window = padded[e, :, 2 * i : 2 * i + 2, j : j + 3]
        expected[e, o, i, j] = b[o] + (W[o] * window).sum()
    np.testing.assert_allclose(convolve(layer, {"W": W, "b": b}, x)[0], expected, rtol=1e-12)


@pytest.mark.parametrize(("stride", "padding"), [((1, 1), (0, 0)), ((2, 1), (1, 0)), ((3, 2), (0, 2))])
def test_backward_along_two_axes(stride: tuple[int, int], padding: tuple[int, int]) -> None:
    """Also where some numbers of x stand in no window."""
    assert_halves_fit(CONVOLUTION, Convolution(channels=2, kernel=(3, 2), stride=stride, padding=padding), (3, 6, 5))


@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (2, 1)])
def test_backward_along_one_axis(stride: int, padding: int) -> None:
    """The same code."""
    layer = Convolution(channels=2, kernel=(3,), stride=(stride,), padding=(padding,))
    assert_halves_fit(CONVOLUTION, layer, (3, 6))
