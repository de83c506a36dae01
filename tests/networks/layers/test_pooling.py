"""Pooling: its shapes."""

import pytest

from xcheck.networks.layers import AveragePool, MaxPool, ShapeError


def test_shapes() -> None:
    """The channels stay."""
    assert MaxPool(size=(2, 2), stride=(2, 2)).output((3, 8, 7)) == (3, 4, 3)
    assert AveragePool(size=(3,), stride=(1,)).output((3, 8)) == (3, 6)
    assert AveragePool(size=(3,), stride=(1,)).title == "average_pool 3"


def test_a_window_has_the_axes_of_what_it_slides_over() -> None:
    """The text says which kind of window takes what."""
    with pytest.raises(ShapeError, match="one number for a signal, two for an image"):
        MaxPool(size=(2, 2), stride=(2, 2)).output((3, 8))
