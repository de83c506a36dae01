"""The entries of `network.layers`: a table for each kind of layer, and the layer that it stands for.

The reference of the keys in the documentation is made of these tables, so a key's description is written for people.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, Discriminator, Field, Tag

from xcheck.networks.definition.values import Count, Lengths, Margins, Natural, Positive, Probability, StrictTable
from xcheck.networks.layers import (
    AveragePool,
    BatchNorm,
    Convolution,
    DenseLayer,
    Flatten,
    Layer,
    LayerNorm,
    MaxPool,
    Reshape,
    Residual,
    RmsNorm,
)
from xcheck.networks.network import ActivationName, InitializerName

_ACTIVATION = "g in a = g(y), with y what the layer computes"
_INITIALIZER = "how W is drawn; by default `he` for the relu family, else `xavier`; biases 0"
_KEEP_PROB = "probability of keeping an activation in inverted dropout"
_EPSILON = "ε under the root"
_STRIDE = "steps of the window; by default its size, so that windows do not overlap"
_AXES = "how many of the last axes are normalised over; by default all of an example"


def both(lengths: Sequence[int]) -> tuple[int, ...]:
    """Return a length for each of two axes.

    >>> both([3]), both([3, 5])
    ((3, 3), (3, 5))
    """
    return tuple(lengths) if len(lengths) > 1 else (lengths[0], lengths[0])


class DenseTable(StrictTable):
    """A fully connected layer, y = W x + b of a vector x."""

    kind: Literal["dense"] = Field(default="dense", description="may be left out")
    units: Count = Field(description="number of outputs of the layer")
    activation: ActivationName = Field(default="identity", description="g in a = g(z)")
    initializer: InitializerName | None = Field(default=None, description=_INITIALIZER)
    keep_prob: Probability = Field(default=1.0, description="probability of keeping a unit in inverted dropout")

    def layer(self) -> Layer:
        """Return the layer."""
        return DenseLayer(**self.model_dump(exclude={"kind"}))


class Conv1dTable(StrictTable):
    """A convolution along one axis, of a signal [channels, length]."""

    kind: Literal["conv1d"] = Field(description="a convolution along one axis")
    channels: Count = Field(description="number of output channels")
    kernel: Count = Field(description="length of the kernel")
    stride: Count = Field(default=1, description="steps of the kernel")
    padding: Natural = Field(default=0, description="zeros at both ends")
    activation: ActivationName = Field(default="identity", description=_ACTIVATION)
    initializer: InitializerName | None = Field(default=None, description=_INITIALIZER)
    keep_prob: Probability = Field(default=1.0, description=_KEEP_PROB)

    def layer(self) -> Layer:
        """Return the layer."""
        lengths = {"kernel": (self.kernel,), "stride": (self.stride,), "padding": (self.padding,)}
        return Convolution(**{**self.model_dump(exclude={"kind"}), **lengths})


class Conv2dTable(StrictTable):
    """A convolution along two axes, of an image [channels, height, width]."""

    kind: Literal["conv2d"] = Field(description="a convolution along two axes")
    channels: Count = Field(description="number of output channels")
    kernel: Lengths = Field(description="height and width of the kernel: `3` or `[3, 5]`")
    stride: Lengths = Field(default=[1], description="steps of the kernel: down, and to the right")
    padding: Margins = Field(default=[0], description="zeros above and below, and at the left and right")
    activation: ActivationName = Field(default="identity", description=_ACTIVATION)
    initializer: InitializerName | None = Field(default=None, description=_INITIALIZER)
    keep_prob: Probability = Field(default=1.0, description=_KEEP_PROB)

    def layer(self) -> Layer:
        """Return the layer."""
        lengths = {name: both(getattr(self, name)) for name in ("kernel", "stride", "padding")}
        return Convolution(**{**self.model_dump(exclude={"kind"}), **lengths})


class MaxPool1dTable(StrictTable):
    """The largest number of every window, of each channel of a signal."""

    kind: Literal["max_pool1d"] = Field(description="the largest number of every window of a signal")
    size: Count = Field(description="length of the window")
    stride: Count | None = Field(default=None, description=_STRIDE)

    def layer(self) -> Layer:
        """Return the layer."""
        return MaxPool(size=(self.size,), stride=(self.stride or self.size,))


class MaxPool2dTable(StrictTable):
    """The largest number of every window, of each channel of an image."""

    kind: Literal["max_pool2d"] = Field(description="the largest number of every window of an image")
    size: Lengths = Field(description="height and width of the window: `2` or `[2, 3]`")
    stride: Lengths | None = Field(default=None, description=_STRIDE)

    def layer(self) -> Layer:
        """Return the layer."""
        return MaxPool(size=both(self.size), stride=both(self.stride or self.size))


class AveragePool1dTable(StrictTable):
    """The mean of every window, of each channel of a signal."""

    kind: Literal["average_pool1d"] = Field(description="the mean of every window of a signal")
    size: Count = Field(description="length of the window")
    stride: Count | None = Field(default=None, description=_STRIDE)

    def layer(self) -> Layer:
        """Return the layer."""
        return AveragePool(size=(self.size,), stride=(self.stride or self.size,))


class AveragePool2dTable(StrictTable):
    """The mean of every window, of each channel of an image."""

    kind: Literal["average_pool2d"] = Field(description="the mean of every window of an image")
    size: Lengths = Field(description="height and width of the window: `2` or `[2, 3]`")
    stride: Lengths | None = Field(default=None, description=_STRIDE)

    def layer(self) -> Layer:
        """Return the layer."""
        return AveragePool(size=both(self.size), stride=both(self.stride or self.size))


class LayerNormTable(StrictTable):
    """A layer norm, γ (x − μ)/√(σ² + ε) + β, with mean and variance of each example."""

    kind: Literal["layer_norm"] = Field(description="mean 0 and variance 1 in each example")
    axes: Count | None = Field(default=None, description=_AXES)
    epsilon: Positive = Field(default=1e-5, description=_EPSILON)
    activation: ActivationName = Field(default="identity", description=_ACTIVATION)
    keep_prob: Probability = Field(default=1.0, description=_KEEP_PROB)

    def layer(self) -> Layer:
        """Return the layer."""
        return LayerNorm(**self.model_dump(exclude={"kind"}))


class RmsNormTable(StrictTable):
    """An RMS norm, γ x/√(ρ + ε), with the mean square ρ of each example."""

    kind: Literal["rms_norm"] = Field(description="mean square 1 in each example")
    axes: Count | None = Field(default=None, description=_AXES)
    epsilon: Positive = Field(default=1e-5, description=_EPSILON)
    activation: ActivationName = Field(default="identity", description=_ACTIVATION)
    keep_prob: Probability = Field(default=1.0, description=_KEEP_PROB)

    def layer(self) -> Layer:
        """Return the layer."""
        return RmsNorm(**self.model_dump(exclude={"kind"}))


class BatchNormTable(StrictTable):
    """A batch norm, γ (x − μ)/√(σ² + ε) + β, with mean and variance of each channel over the examples checked."""

    kind: Literal["batch_norm"] = Field(description="mean 0 and variance 1 in each channel, or number of a vector")
    epsilon: Positive = Field(default=1e-5, description=_EPSILON)
    activation: ActivationName = Field(default="identity", description=_ACTIVATION)
    keep_prob: Probability = Field(default=1.0, description=_KEEP_PROB)

    def layer(self) -> Layer:
        """Return the layer."""
        return BatchNorm(**self.model_dump(exclude={"kind"}))


class FlattenTable(StrictTable):
    """Whatever comes from below as a vector."""

    kind: Literal["flatten"] = Field(description="the same numbers as a vector")

    def layer(self) -> Layer:
        """Return the layer."""
        return Flatten()


class ReshapeTable(StrictTable):
    """Whatever comes from below in another shape."""

    kind: Literal["reshape"] = Field(description="the same numbers in another shape")
    shape: Annotated[list[Count], Field(min_length=1)] = Field(
        description="of one example, such as `[1, 64]`: one channel of 64 numbers"
    )

    def layer(self) -> Layer:
        """Return the layer."""
        return Reshape(shape=tuple(self.shape))


def _find_kind(value: Any) -> str:
    """Return the kind of an entry of `layers`; without one it is fully connected."""
    kind = value.get("kind", "dense") if isinstance(value, Mapping) else getattr(value, "kind", "dense")
    return kind if isinstance(kind, str) else repr(kind)


_InnerTable = (
    Annotated[DenseTable, Tag("dense")]
    | Annotated[Conv1dTable, Tag("conv1d")]
    | Annotated[Conv2dTable, Tag("conv2d")]
    | Annotated[MaxPool1dTable, Tag("max_pool1d")]
    | Annotated[MaxPool2dTable, Tag("max_pool2d")]
    | Annotated[AveragePool1dTable, Tag("average_pool1d")]
    | Annotated[AveragePool2dTable, Tag("average_pool2d")]
    | Annotated[LayerNormTable, Tag("layer_norm")]
    | Annotated[RmsNormTable, Tag("rms_norm")]
    | Annotated[BatchNormTable, Tag("batch_norm")]
    | Annotated[FlattenTable, Tag("flatten")]
    | Annotated[ReshapeTable, Tag("reshape")]
)


class ResidualTable(StrictTable):
    """A residual, x + F(x), with F layers of its own."""

    kind: Literal["residual"] = Field(description="x + F(x)")
    layers: Annotated[list[Annotated[_InnerTable, Discriminator(_find_kind)]], Field(min_length=1)] = Field(
        description="the layers of F, of any other kind; they keep the shape of x"
    )
    activation: ActivationName = Field(default="identity", description=_ACTIVATION)
    keep_prob: Probability = Field(default=1.0, description=_KEEP_PROB)

    def layer(self) -> Layer:
        """Return the layer."""
        inside = tuple(table.layer() for table in self.layers)
        return Residual(layers=inside, activation=self.activation, keep_prob=self.keep_prob)


LayerTable = Annotated[_InnerTable | Annotated[ResidualTable, Tag("residual")], Discriminator(_find_kind)]


def kind_of(table: type[BaseModel]) -> str | None:
    """Return the kind of layer that a table describes; None of one that describes no layer.

    >>> kind_of(Conv2dTable)
    'conv2d'
    """
    field = table.model_fields.get("kind")
    return None if field is None else str(get_args(field.annotation)[0])
