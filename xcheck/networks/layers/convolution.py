"""Convolution: along one axis (conv1d), or along two (conv2d)."""

import math
from dataclasses import dataclass

from xcheck.networks.layers.layer import Layer, Parameter, Shape, ShapeError, written

# What x is called, by the number of its axes behind the channels.
_TAKES = {1: "a signal [channels, length]", 2: "an image [channels, height, width]"}


def slide(lengths: Shape, window: Shape, stride: Shape, padding: Shape) -> Shape:
    """Return how many places a window has along each axis: ⌊(n + 2p − k)/s⌋ + 1.

    Raises:
        ShapeError: the window is larger than what it slides over.

    >>> slide((8, 8), (3, 3), (2, 2), (1, 1))
    (4, 4)
    """
    padded = tuple(length + 2 * zeros for length, zeros in zip(lengths, padding, strict=True))
    if any(size > length for size, length in zip(window, padded, strict=True)):
        behind = " with its padding" if any(padding) else ""
        raise ShapeError(f"a window of {written(window)} does not fit into {written(padded)}{behind}")
    return tuple((length - size) // step + 1 for length, size, step in zip(padded, window, stride, strict=True))


@dataclass(frozen=True, kw_only=True)
class Convolution(Layer):
    """y[o, i] = b[o] + Σ W[o, c, p] x̄[c, s i + p], with W (channels, c, *kernel) and b (channels,).

    Attributes:
        channels: number of output channels.
        kernel: lengths of the kernel, one of conv1d, two of conv2d.
        stride: steps of the kernel along each axis.
        padding: zeros at both ends of each axis.
    """

    channels: int
    kernel: Shape
    stride: Shape
    padding: Shape

    @property
    def title(self) -> str:
        """Such as "conv2d 8"."""
        return f"conv{len(self.kernel)}d {self.channels}"

    def output(self, inputs: Shape) -> Shape:
        """Return (channels, places along each axis).

        Raises:
            ShapeError: x has another number of axes, or is smaller than the kernel.
        """
        axes = len(self.kernel)
        if len(inputs) != axes + 1:
            text = (
                f"conv{axes}d takes {_TAKES[axes]}, not {written(inputs)}: give data.image, or put "
                f'{{ kind = "reshape", shape = {[1] * axes + [math.prod(inputs)]} }}, or the like, before it'
            )
            raise ShapeError(text)
        return (self.channels, *slide(inputs[1:], self.kernel, self.stride, self.padding))

    def parameters(self, inputs: Shape) -> tuple[Parameter, ...]:
        """Return W and b."""
        each = inputs[0] * math.prod(self.kernel)
        weights = Parameter("W", (self.channels, inputs[0], *self.kernel), "weight", each)
        return weights, Parameter("b", (self.channels,), "bias")
