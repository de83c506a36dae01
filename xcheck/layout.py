"""θ: one flat vector of float64, made of named tensors, each in C-order, one after the other.

For a network the tensors are W1 (n₁, n₀), b1 (n₁,), W2, b2, ... in this order.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from xcheck.networks.network import Dense, Network

Vector = NDArray[np.float64]
Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Tensor:
    """A named block of θ.

    Attributes:
        name: such as "W2".
        shape: its shape before flattening.
        offset: where it begins in θ.
        places: where only a sample of it is laid out: the flat indices inside the tensor.
        origin: where the whole tensor begins in the whole θ; `offset`, unless this is a sample.
    """

    name: str
    shape: tuple[int, ...]
    offset: int
    places: tuple[int, ...] | None = None
    origin: int | None = None

    @property
    def size(self) -> int:
        """Number of components that are laid out."""
        return math.prod(self.shape) if self.places is None else len(self.places)

    @property
    def span(self) -> slice:
        """Its place in θ."""
        return slice(self.offset, self.offset + self.size)

    def index(self, flat: int) -> tuple[int, ...]:
        """Return the index inside the tensor of component `flat` of θ."""
        inside = flat - self.offset if self.places is None else self.places[flat - self.offset]
        return tuple(int(i) for i in np.unravel_index(inside, self.shape))

    def sampled(self, places: Sequence[int], offset: int) -> "Tensor":
        """Return a sample of the tensor, laid out at `offset`."""
        return Tensor(self.name, self.shape, offset, tuple(int(place) for place in places), self.offset)


@dataclass(frozen=True, slots=True)
class Location:
    """One component of θ by name; `str` gives "W2[3, 17]", and the name alone for a scalar."""

    name: str
    index: tuple[int, ...]
    flat: int

    def __str__(self) -> str:
        return f"{self.name}[{', '.join(str(i) for i in self.index)}]" if self.index else self.name


@dataclass(frozen=True, slots=True)
class Layout:
    """Names, shapes and offsets of the tensors in θ.

    >>> layout = Layout.of({"W1": (2, 3), "b1": (2,)})
    >>> layout.size, str(layout.locate(5)), str(layout.locate(7))
    (8, 'W1[1, 2]', 'b1[1]')
    """

    tensors: tuple[Tensor, ...]

    @classmethod
    def of(cls, shapes: Mapping[str, tuple[int, ...]]) -> "Layout":
        """Lay out tensors of these shapes in the order of the mapping."""
        tensors, offset = [], 0
        for name, shape in shapes.items():
            tensors.append(Tensor(name, tuple(shape), offset))
            offset += tensors[-1].size
        return cls(tuple(tensors))

    @classmethod
    def of_network(cls, network: Network) -> "Layout":
        """Lay out W1, b1, W2, b2, ... of a network."""
        shapes: dict[str, tuple[int, ...]] = {}
        for number, (before, units) in enumerate(pairwise(network.widths), start=1):
            shapes[f"W{number}"] = (units, before)
            shapes[f"b{number}"] = (units,)
        return cls.of(shapes)

    def __iter__(self) -> Iterator[Tensor]:
        return iter(self.tensors)

    def __getitem__(self, name: str) -> Tensor:
        return next(tensor for tensor in self.tensors if tensor.name == name)

    @property
    def size(self) -> int:
        """Number of components n."""
        return sum(tensor.size for tensor in self.tensors)

    def locate(self, flat: int) -> Location:
        """Return the name and index of component `flat` of θ.

        Raises:
            IndexError: there is no such component.
        """
        for tensor in self.tensors:
            if tensor.span.start <= flat < tensor.span.stop:
                whole = flat if tensor.places is None else (tensor.origin or 0) + tensor.places[flat - tensor.offset]
                return Location(tensor.name, tensor.index(flat), whole)
        raise IndexError(f"component {flat} of {self.size}")

    def sampled(self, indices: NDArray[np.intp]) -> "Layout":
        """Return the layout of a sample of θ, as θ[indices] lies; `indices` ascend.

        >>> layout = Layout.of({"W1": (2, 3), "b1": (2,)}).sampled(np.array([1, 5, 7]))
        >>> [str(layout.locate(place)) for place in range(layout.size)], layout.locate(2).flat
        (['W1[0, 1]', 'W1[1, 2]', 'b1[1]'], 7)
        """
        tensors, offset = [], 0
        for tensor in self.tensors:
            own = indices[(indices >= tensor.span.start) & (indices < tensor.span.stop)] - tensor.offset
            tensors.append(tensor.sampled(own.tolist(), offset))
            offset += len(own)
        return Layout(tuple(tensors))

    def largest(self, values: Vector) -> Vector:
        """Return for each component the largest of `values`, shape (n,), in its tensor.

        >>> Layout.of({"W1": (2, 1), "b1": (2,)}).largest(np.array([1.0, 3.0, 2.0, 0.0])).tolist()
        [3.0, 3.0, 2.0, 2.0]
        """
        largest = np.zeros_like(values)
        for tensor in self.tensors:
            largest[tensor.span] = values[tensor.span].max(initial=0.0)
        return largest

    def flatten(self, arrays: Mapping[str, NDArray[np.generic]]) -> Vector:
        """Concatenate named arrays into θ, shape (n,)."""
        parts = [np.asarray(arrays[t.name], dtype=np.float64).reshape(-1) for t in self.tensors]
        return np.concatenate(parts) if parts else np.zeros(0)

    def unflatten(self, theta: NDArray[Scalar]) -> dict[str, NDArray[Scalar]]:
        """Return the named tensors as views into θ."""
        return {t.name: theta[t.span].reshape(t.shape) for t in self.tensors}


def _weights(layer: Dense, inputs: int, rng: np.random.Generator) -> Vector:
    shape = (layer.units, inputs)
    match layer.initializer_name:
        case "he":
            return rng.standard_normal(shape) * np.sqrt(2.0 / inputs)
        case "xavier":
            return rng.standard_normal(shape) * np.sqrt(1.0 / inputs)
        case "normal":
            return rng.standard_normal(shape) * 0.01
        case "zeros":
            return np.zeros(shape)


def initialize(network: Network, rng: np.random.Generator) -> Vector:
    """Draw θ: weights by each layer's initializer, biases zero.

    he: variance 2/n, xavier: variance 1/n (n = inputs of the layer), normal: standard deviation 0.01, zeros.
    Source: lecture notes, "Weight initialization for deep NN".

    Returns:
        θ, shape (n,).
    """
    arrays: dict[str, Vector] = {}
    for number, (inputs, layer) in enumerate(zip(network.widths, network.layers, strict=False), start=1):
        arrays[f"W{number}"] = _weights(layer, inputs, rng)
        arrays[f"b{number}"] = np.zeros(layer.units)
    return Layout.of_network(network).flatten(arrays)
