"""Pooling, forward and backward."""

import numpy as np
import pytest

from tests.backends.xcheck_numpy.layers.halves import assert_halves_fit
from xcheck.networks.layers import AveragePool, MaxPool
from xcheck_numpy.layers.pooling import AVERAGE_POOL, MAX_POOL, max_pool_backward


@pytest.mark.parametrize(("size", "stride"), [((2, 2), (2, 2)), ((3, 2), (1, 2)), ((2, 3), (3, 1))])
def test_backward_along_two_axes(size: tuple[int, int], stride: tuple[int, int]) -> None:
    """Windows that overlap add up; numbers in no window get nothing."""
    assert_halves_fit(MAX_POOL, MaxPool(size=size, stride=stride), (2, 7, 5))
    assert_halves_fit(AVERAGE_POOL, AveragePool(size=size, stride=stride), (2, 7, 5))


def test_backward_along_one_axis() -> None:
    """The same code."""
    assert_halves_fit(MAX_POOL, MaxPool(size=(3,), stride=(2,)), (2, 7))
    assert_halves_fit(AVERAGE_POOL, AveragePool(size=(3,), stride=(2,)), (2, 7))


def test_the_first_of_several_largest_numbers_has_the_slope() -> None:
    """As in PyTorch and JAX."""
    layer = MaxPool(size=(3,), stride=(3,))
    _, kept = MAX_POOL.forward(layer, {}, np.array([[[1.0, 2.0, 2.0]]]))
    assert max_pool_backward(layer, {}, kept, np.ones((1, 1, 1)))[0].tolist() == [[[0.0, 1.0, 0.0]]]
