"""Normalisation: shapes and tensors."""

import pytest

from xcheck.networks.layers import BatchNorm, LayerNorm, RmsNorm, ShapeError

EPSILON = 1e-5


def test_gain_and_bias_of_a_layer_norm() -> None:
    """They have the shape of what is normalised over: all of an example, or its last axes."""
    whole, last = LayerNorm(epsilon=EPSILON), LayerNorm(epsilon=EPSILON, axes=1)
    assert [(each.name, each.shape, each.role) for each in whole.parameters((2, 3))] == [
        ("gamma", (2, 3), "gain"),
        ("beta", (2, 3), "bias"),
    ]
    assert [each.shape for each in last.parameters((2, 3))] == [(3,), (3,)]


def test_an_rms_norm_has_no_bias() -> None:
    """Only a gain."""
    assert [each.name for each in RmsNorm(epsilon=EPSILON).parameters((4,))] == ["gamma"]


def test_a_batch_norm_has_one_number_per_channel() -> None:
    """Of an image and of a vector."""
    assert [each.shape for each in BatchNorm(epsilon=EPSILON).parameters((3, 8, 8))] == [(3,), (3,)]
    assert BatchNorm(epsilon=EPSILON).output((3,)) == (3,)


def test_more_axes_than_there_are() -> None:
    """A vector has one."""
    with pytest.raises(ShapeError, match="axes = 2, but 4 comes from below"):
        LayerNorm(epsilon=EPSILON, axes=2).output((4,))
