"""Shaping: the same numbers in another shape."""

import math
from dataclasses import dataclass

from xcheck.networks.layers.layer import Layer, Shape, ShapeError, written


@dataclass(frozen=True, kw_only=True)
class Flatten(Layer):
    """The numbers of x as a vector, in C-order."""

    @property
    def title(self) -> str:
        """Its kind."""
        return "flatten"

    def output(self, inputs: Shape) -> Shape:
        """Return (number of numbers,)."""
        return (math.prod(inputs),)


@dataclass(frozen=True, kw_only=True)
class Reshape(Layer):
    """The numbers of x in another shape, in C-order.

    Attributes:
        shape: that shape.
    """

    shape: Shape

    @property
    def title(self) -> str:
        """Such as "reshape 1 x 64"."""
        return f"reshape {written(self.shape)}"

    def output(self, inputs: Shape) -> Shape:
        """Return `shape`.

        Raises:
            ShapeError: it has more numbers than x, or fewer.
        """
        if math.prod(inputs) != math.prod(self.shape):
            text = f"{written(self.shape)} are {math.prod(self.shape)} numbers, and {written(inputs)} comes from below"
            raise ShapeError(text)
        return self.shape
