"""Residual: x plus what some layers make of it."""

from dataclasses import dataclass

from xcheck.networks.layers.layer import Layer, Shape


@dataclass(frozen=True, kw_only=True)
class Residual(Layer):
    """y = x + F(x), with F the layers inside, which keep the shape of x; they are placed by `LayeredNetwork`.

    Attributes:
        layers: the layers of F, in order.
    """

    layers: tuple[Layer, ...]

    @property
    def title(self) -> str:
        """Such as "residual (conv2d 8, conv2d 8)"."""
        return f"residual ({', '.join(layer.title for layer in self.layers)})"

    def output(self, inputs: Shape) -> Shape:
        """Return the shape of x."""
        return inputs
