"""LayeredNetwork: layers of all kinds, each placed where its shapes and the names of its tensors are known."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from xcheck.errors import Complaint, DefinitionError, KeyPath
from xcheck.networks.layers.layer import Layer, Parameter, Shape, ShapeError, written
from xcheck.networks.layers.residual import Residual
from xcheck.networks.network import LossName


@dataclass(frozen=True, slots=True)
class Placed:
    """A layer in its network.

    Attributes:
        layer: the layer.
        number: from 1; of the second layer inside a residual that is the third "3.2".
        inputs: shape of x.
        outputs: shape of y.
        inside: the layers inside a residual.
    """

    layer: Layer
    number: str
    inputs: Shape
    outputs: Shape
    inside: tuple["Placed", ...] = ()

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The tensors of the layer; not those of layers inside it."""
        return self.layer.parameters(self.inputs)

    def named(self, parameter: Parameter) -> str:
        """Return the name of one of its tensors in the network."""
        return f"{parameter.name}{self.number}"

    def walk(self) -> Iterator["Placed"]:
        """Yield the layer itself, then those inside it, all the way down."""
        yield self
        for placed in self.inside:
            yield from placed.walk()


def place_layers(
    layers: Sequence[Layer], inputs: Shape, key: KeyPath = ("network", "layers"), prefix: str = ""
) -> tuple[Placed, ...]:
    """Return the layers with their shapes, from the first to the last.

    Args:
        layers: in order.
        inputs: shape of the first one's x.
        key: where they stand in a definition.
        prefix: of their numbers.

    Raises:
        DefinitionError: a layer does not take what comes from below; at its key.
    """
    placed: list[Placed] = []
    for place, layer in enumerate(layers):
        number, at = f"{prefix}{place + 1}", (*key, place)
        try:
            outputs = layer.output(inputs)
        except ShapeError as error:
            raise DefinitionError(Complaint(str(error), at)) from error
        inside: tuple[Placed, ...] = ()
        if isinstance(layer, Residual):
            inside = place_layers(layer.layers, inputs, (*at, "layers"), f"{number}.")
            if inside[-1].outputs != inputs:
                made = written(inside[-1].outputs)
                text = f"a residual adds what its layers make to what they take: {made} to {written(inputs)}"
                raise DefinitionError(Complaint(text, (*at, "layers")))
        placed.append(Placed(layer, number, inputs, outputs, inside))
        inputs = outputs
    return tuple(placed)


@dataclass(frozen=True, kw_only=True)
class LayeredNetwork:
    """A network of any layers; the last one gives the outputs, a vector.

    Attributes:
        input_shape: shape of one example.
        layers: the layers 1..L.
        loss: the loss of one example.
        l2: λ of the L2 penalty, at least 0.
        l1: λ of the L1 penalty, at least 0.
        input_keep_prob: probability of keeping an input, in (0, 1].

    Raises:
        DefinitionError: a layer does not take what comes from below, or the last one gives no vector.
    """

    input_shape: Shape
    layers: tuple[Layer, ...]
    loss: LossName
    l2: float = 0.0
    l1: float = 0.0
    input_keep_prob: float = 1.0

    def __post_init__(self) -> None:
        last = self.placed[-1]
        if len(last.outputs) != 1:
            text = f"the outputs are a vector, not {written(last.outputs)}: end with {{ units = ... }}"
            raise DefinitionError(Complaint(text, ("network", "layers", len(self.layers) - 1)))

    @cached_property
    def placed(self) -> tuple[Placed, ...]:
        """The layers with their shapes."""
        return place_layers(self.layers, self.input_shape)

    @property
    def outputs(self) -> int:
        """Number of outputs of one example."""
        return self.placed[-1].outputs[0]

    def walk(self) -> Iterator[Placed]:
        """Yield every layer; a residual before the layers inside it."""
        for placed in self.placed:
            yield from placed.walk()

    @property
    def shapes(self) -> dict[str, Shape]:
        """Shapes of all tensors by name, in the order of θ."""
        return {placed.named(each): each.shape for placed in self.walk() for each in placed.parameters}

    @property
    def weights(self) -> tuple[str, ...]:
        """Names of the tensors that are penalised."""
        return tuple(
            placed.named(each) for placed in self.walk() for each in placed.parameters if each.role == "weight"
        )

    def without_dropout(self) -> "LayeredNetwork":
        """Return the network as it predicts: every keep probability is 1."""
        return replace(self, layers=tuple(map(_kept, self.layers)), input_keep_prob=1.0)


def _kept(layer: Layer) -> Layer:
    if isinstance(layer, Residual):
        layer = replace(layer, layers=tuple(map(_kept, layer.layers)))
    return replace(layer, keep_prob=1.0)
