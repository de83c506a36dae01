"""Residual: it keeps the shape."""

from xcheck.networks.layers import DenseLayer, Residual


def test_shape_and_title() -> None:
    """A report names the layers inside."""
    layer = Residual(layers=(DenseLayer(units=3), DenseLayer(units=3)))
    assert (layer.output((3,)), layer.title) == ((3,), "residual (dense 3, dense 3)")
