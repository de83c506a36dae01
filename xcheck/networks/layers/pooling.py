"""Pooling: the largest, or the mean, of every window of a channel."""

from dataclasses import dataclass

from xcheck.networks.layers.convolution import slide
from xcheck.networks.layers.layer import Layer, Shape, ShapeError, written


@dataclass(frozen=True, kw_only=True)
class _Pool(Layer):
    """One number of every window.

    Attributes:
        size: lengths of the window along each axis.
        stride: its steps along each axis.
    """

    size: Shape
    stride: Shape

    def output(self, inputs: Shape) -> Shape:
        """Return (c, places along each axis).

        Raises:
            ShapeError: x has another number of axes, or is smaller than the window.
        """
        if len(inputs) != len(self.size) + 1:
            text = (
                f"a window of {written(self.size)} has {len(self.size)} of the axes behind the channels, and "
                f"{written(inputs)} comes from below: size is one number for a signal, two for an image"
            )
            raise ShapeError(text)
        return (inputs[0], *slide(inputs[1:], self.size, self.stride, (0,) * len(self.size)))


@dataclass(frozen=True, kw_only=True)
class MaxPool(_Pool):
    """The largest number of every window; of several largest ones the first, in C-order, has the slope 1."""

    @property
    def title(self) -> str:
        """Such as "max_pool 2 x 2"."""
        return f"max_pool {written(self.size)}"


@dataclass(frozen=True, kw_only=True)
class AveragePool(_Pool):
    """The mean of every window."""

    @property
    def title(self) -> str:
        """Such as "average_pool 2 x 2"."""
        return f"average_pool {written(self.size)}"
