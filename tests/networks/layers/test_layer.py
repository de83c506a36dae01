"""Layer: what all layers have in common."""

from xcheck.networks.layers import Flatten
from xcheck.networks.layers.layer import written


def test_a_shape_is_written_with_crosses() -> None:
    """As people write it."""
    assert written((3, 8, 8)) == "3 x 8 x 8"


def test_a_layer_without_tensors_has_the_defaults() -> None:
    """Its activation is the identity, and nothing is dropped."""
    layer = Flatten()
    assert layer.parameters((2, 3)) == ()
    assert (layer.activation, layer.initializer_name, layer.keep_prob) == ("identity", "xavier", 1.0)
