"""Layer: what all layers have in common, their activation and dropout, and what each says of its shapes."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal, TypeAlias

from xcheck.networks.network import ActivationName, InitializerName, default_initializer

Shape: TypeAlias = tuple[int, ...]
Role: TypeAlias = Literal["weight", "bias", "gain"]


class ShapeError(ValueError):
    """A layer does not fit the shape of what comes from below; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A tensor of a layer.

    Attributes:
        name: its name without the number of the layer, such as "W".
        shape: its shape.
        role: a weight is drawn by the initializer and penalised; a bias begins at 0, a gain at 1.
        inputs: of a weight, the number of inputs that each output is a sum over.
    """

    name: str
    shape: Shape
    role: Role
    inputs: int = 1


@dataclass(frozen=True, kw_only=True)
class Layer(ABC):
    """One layer of a `LayeredNetwork`.

    Attributes:
        activation: g in a = g(y).
        initializer: how W is drawn; by default what suits the activation.
        keep_prob: probability of keeping an activation in inverted dropout, in (0, 1].
    """

    activation: ActivationName = "identity"
    initializer: InitializerName | None = None
    keep_prob: float = 1.0

    @property
    def initializer_name(self) -> InitializerName:
        """The initializer that is used: the one asked for, or the default of the activation."""
        return self.initializer or default_initializer(self.activation)

    @property
    @abstractmethod
    def title(self) -> str:
        """What a report calls it in one or two words, such as "conv2d 8"."""

    @abstractmethod
    def output(self, inputs: Shape) -> Shape:
        """Return the shape of y for an x of shape `inputs`.

        Raises:
            ShapeError: the layer does not take an x of this shape.
        """

    def parameters(self, inputs: Shape) -> tuple[Parameter, ...]:
        """Return the tensors of the layer for an x of shape `inputs`, in the order of θ."""
        return ()


def written(shape: Shape) -> str:
    """Return a shape as reports write it.

    >>> written((8, 4, 4)), written((10,))
    ('8 x 4 x 4', '10')
    """
    return " x ".join(str(length) for length in shape)
