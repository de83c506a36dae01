"""Normalisation: over the numbers of one example (layer, RMS), or over the examples (batch)."""

from dataclasses import dataclass

from xcheck.networks.layers.layer import Layer, Parameter, Shape, ShapeError, written


@dataclass(frozen=True, kw_only=True)
class _Norm(Layer):
    """A normalisation with a gain γ, and mostly a bias β.

    Attributes:
        epsilon: ε, which keeps the root from 0.
    """

    epsilon: float

    def output(self, inputs: Shape) -> Shape:
        """Return the shape of x."""
        return inputs


@dataclass(frozen=True, kw_only=True)
class _OfExample(_Norm):
    """A normalisation over the last axes of one example.

    Attributes:
        axes: how many of them; None for all.
    """

    axes: int | None = None

    def over(self, inputs: Shape) -> Shape:
        """Return the lengths of the axes that are normalised over, which is the shape of γ."""
        return inputs if self.axes is None else inputs[-self.axes :]

    def output(self, inputs: Shape) -> Shape:
        """Return the shape of x.

        Raises:
            ShapeError: x has fewer axes than are to be normalised over.
        """
        if self.axes is not None and self.axes > len(inputs):
            raise ShapeError(f"axes = {self.axes}, but {written(inputs)} comes from below")
        return inputs


@dataclass(frozen=True, kw_only=True)
class LayerNorm(_OfExample):
    """y = γ (x − μ)/√(σ² + ε) + β, with μ and σ² of the last axes of each example."""

    @property
    def title(self) -> str:
        """Its kind."""
        return "layer_norm"

    def parameters(self, inputs: Shape) -> tuple[Parameter, ...]:
        """Return γ and β."""
        over = self.over(inputs)
        return Parameter("gamma", over, "gain"), Parameter("beta", over, "bias")


@dataclass(frozen=True, kw_only=True)
class RmsNorm(_OfExample):
    """y = γ x/√(ρ + ε), with ρ the mean of x² over the last axes of each example."""

    @property
    def title(self) -> str:
        """Its kind."""
        return "rms_norm"

    def parameters(self, inputs: Shape) -> tuple[Parameter, ...]:
        """Return γ."""
        return (Parameter("gamma", self.over(inputs), "gain"),)


@dataclass(frozen=True, kw_only=True)
class BatchNorm(_Norm):
    """y = γ (x − μ)/√(σ² + ε) + β, with μ and σ² of a channel over the examples and positions at hand."""

    @property
    def title(self) -> str:
        """Its kind."""
        return "batch_norm"

    def parameters(self, inputs: Shape) -> tuple[Parameter, ...]:
        """Return γ and β, one number for every channel."""
        return Parameter("gamma", inputs[:1], "gain"), Parameter("beta", inputs[:1], "bias")
