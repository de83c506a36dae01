"""DenseLayer: the fully connected layer among others."""

from dataclasses import dataclass

from xcheck.networks.layers.layer import Layer, Parameter, Shape, ShapeError, written


@dataclass(frozen=True, kw_only=True)
class DenseLayer(Layer):
    """y = W x + b, with W (units, n) and b (units,).

    Attributes:
        units: number of outputs.
    """

    units: int

    @property
    def title(self) -> str:
        """Such as "dense 10"."""
        return f"dense {self.units}"

    def output(self, inputs: Shape) -> Shape:
        """Return (units,).

        Raises:
            ShapeError: x is no vector.
        """
        if len(inputs) != 1:
            text = f'a dense layer takes a vector, not {written(inputs)}: put {{ kind = "flatten" }} before it'
            raise ShapeError(text)
        return (self.units,)

    def parameters(self, inputs: Shape) -> tuple[Parameter, ...]:
        """Return W and b."""
        (n,) = inputs
        return Parameter("W", (self.units, n), "weight", n), Parameter("b", (self.units,), "bias")
