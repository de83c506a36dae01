"""Convolution: its shapes."""

import pytest

from xcheck.networks.layers import Convolution, ShapeError
from xcheck.networks.layers.convolution import slide


def conv2d(kernel: int, stride: int = 1, padding: int = 0) -> Convolution:
    """A convolution with 5 output channels."""
    return Convolution(channels=5, kernel=(kernel, kernel), stride=(stride, stride), padding=(padding, padding))


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "expected"),
    [(3, 1, 0, (5, 6, 4)), (3, 1, 1, (5, 8, 6)), (3, 2, 1, (5, 4, 3)), (6, 1, 0, (5, 3, 1)), (3, 3, 0, (5, 2, 2))],
)
def test_places_of_the_kernel(kernel: int, stride: int, padding: int, expected: tuple[int, ...]) -> None:
    """As many as fit, from the first on."""
    assert conv2d(kernel, stride, padding).output((2, 8, 6)) == expected


def test_tensors() -> None:
    """Output channels first, as in PyTorch; a weight's inputs are those of one place."""
    weights, biases = conv2d(3).parameters((2, 8, 6))
    assert (weights.shape, weights.inputs, biases.shape) == ((5, 2, 3, 3), 18, (5,))


def test_along_one_axis() -> None:
    """A signal has one axis behind its channels."""
    layer = Convolution(channels=5, kernel=(3,), stride=(2,), padding=(0,))
    assert (layer.output((2, 9)), layer.title) == ((5, 4), "conv1d 5")


@pytest.mark.parametrize(
    ("layer", "inputs", "text"),
    [
        (
            conv2d(3),
            (64,),
            r"takes an image \[channels, height, width\], not 64: give data.image, or put .*\[1, 1, 64\]",
        ),
        (conv2d(9), (1, 8, 8), "a window of 9 x 9 does not fit into 8 x 8$"),
        (conv2d(11, padding=1), (1, 8, 8), "does not fit into 10 x 10 with its padding"),
    ],
)
def test_what_does_not_fit(layer: Convolution, inputs: tuple[int, ...], text: str) -> None:
    """The text says what came."""
    with pytest.raises(ShapeError, match=text):
        layer.output(inputs)


def test_windows_that_do_not_fit_are_left_out() -> None:
    """The last number of seven has no place in windows of two."""
    assert slide((7,), (2,), (2,), (0,)) == (3,)
