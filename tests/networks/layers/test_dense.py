"""DenseLayer: its shapes."""

import pytest

from xcheck.networks.layers import DenseLayer, ShapeError


def test_shapes() -> None:
    """W (units, n) and b (units,)."""
    layer = DenseLayer(units=4)
    assert (layer.output((3,)), layer.title) == ((4,), "dense 4")
    assert [(each.name, each.shape, each.inputs) for each in layer.parameters((3,))] == [
        ("W", (4, 3), 3),
        ("b", (4,), 1),
    ]


def test_an_image_has_to_be_flattened() -> None:
    """The text says how."""
    with pytest.raises(ShapeError, match=r'takes a vector, not 1 x 8 x 8: put \{ kind = "flatten" \} before it'):
        DenseLayer(units=4).output((1, 8, 8))
