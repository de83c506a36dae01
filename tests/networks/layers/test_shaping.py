"""Shaping: the same numbers in another shape."""

import pytest

from xcheck.networks.layers import Flatten, Reshape, ShapeError


def test_shapes() -> None:
    """As many numbers as before."""
    assert Flatten().output((2, 3, 4)) == (24,)
    assert Reshape(shape=(4, 6)).output((2, 3, 4)) == (4, 6)


def test_another_number_of_numbers() -> None:
    """Both are told."""
    with pytest.raises(ShapeError, match="4 x 5 are 20 numbers, and 24 comes from below"):
        Reshape(shape=(4, 5)).output((24,))
