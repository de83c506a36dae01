"""θ: one flat vector of float64, made of named tensors, each in C-order, one after the other.

For a network the tensors are W1 (n₁, n₀), b1 (n₁,), W2, b2, ... in this order.
"""

import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Role = Literal["weight", "bias"]
# A tensor of a declared network: number of its layer, from 1, and what it is there.
LayerRole: TypeAlias = tuple[int, Role]
Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Tensor:
    """A named block of θ.

    Attributes:
        name: such as "W2".
        shape: its shape before flattening.
        offset: where it begins in θ.
        places: flat indices inside the tensor of the components that are laid out; None if all are.
        origin: where the whole tensor begins in the whole θ, if only a sample of it is laid out here.
        layer: number of its layer in a declared network, from 1; None in people's own functions.
        role: what it is in that layer; None in people's own functions.
    """

    name: str
    shape: tuple[int, ...]
    offset: int
    places: tuple[int, ...] | None = None
    origin: int | None = None
    layer: int | None = None
    role: Role | None = None

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
        inside, index = flat - self.offset if self.places is None else self.places[flat - self.offset], []
        for length in reversed(self.shape):
            inside, along = divmod(inside, length)
            index.append(int(along))
        return tuple(reversed(index))

    def sampled(self, places: Sequence[int], offset: int) -> "Tensor":
        """Return a sample of the tensor, laid out at `offset`; `places` count inside the tensor, or inside a sample."""
        if self.places is not None:
            return replace(self, offset=offset, places=tuple(self.places[place] for place in places))
        return replace(self, offset=offset, places=tuple(int(place) for place in places), origin=self.offset)


@dataclass(frozen=True, slots=True)
class Location:
    """One component of θ by name; `str` gives "W2[3, 17]", and the name alone for a scalar."""

    name: str
    index: tuple[int, ...]
    flat: int

    def __str__(self) -> str:
        return f"{self.name}[{', '.join(str(i) for i in self.index)}]" if self.index else self.name


@dataclass(frozen=True)
class Layout:
    """Names, shapes and offsets of the tensors in θ.

    >>> layout = Layout.of({"W1": (2, 3), "b1": (2,)})
    >>> layout.size, str(layout.locate(5)), str(layout.locate(7))
    (8, 'W1[1, 2]', 'b1[1]')
    """

    tensors: tuple[Tensor, ...]

    # Looked up for every component of θ: a walk over thousands of tensors each time would be quadratic.

    @cached_property
    def _by_name(self) -> Mapping[str, Tensor]:
        # Backwards, so that of two tensors of one name the first is found.
        return {tensor.name: tensor for tensor in reversed(self.tensors)}

    @cached_property
    def _by_role(self) -> Mapping[LayerRole, Tensor]:
        return {
            (tensor.layer, tensor.role): tensor
            for tensor in self.tensors
            if tensor.layer is not None and tensor.role is not None
        }

    @cached_property
    def _ends(self) -> Sequence[int]:
        return [tensor.span.stop for tensor in self.tensors]

    @cached_property
    def _blocks(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Where the tensors that have components begin, and how many each has."""
        blocks = [(tensor.offset, tensor.size) for tensor in self.tensors if tensor.size]
        starts, sizes = np.array(blocks, dtype=np.intp).reshape(-1, 2).T
        return starts, sizes

    @classmethod
    def of(cls, shapes: Mapping[str, tuple[int, ...]]) -> "Layout":
        """Lay out tensors of these shapes in the order of the mapping."""
        tensors, offset = [], 0
        for name, shape in shapes.items():
            tensors.append(Tensor(name, tuple(shape), offset))
            offset += tensors[-1].size
        return cls(tuple(tensors))

    def __iter__(self) -> Iterator[Tensor]:
        return iter(self.tensors)

    def __getitem__(self, name: str) -> Tensor:
        return self._by_name[name]

    def tensor(self, layer: int, role: Role) -> Tensor:
        """Return the tensor of a layer of a declared network that has this role.

        Raises:
            KeyError: there is none.
        """
        return self._by_role[layer, role]

    @property
    def size(self) -> int:
        """Number of components n."""
        return self._ends[-1] if self._ends else 0

    def locate(self, flat: int) -> Location:
        """Return the name and index of component `flat` of θ.

        Raises:
            IndexError: there is no such component.
        """
        if not 0 <= flat < self.size:
            raise IndexError(f"component {flat} of {self.size}")
        # The first tensor that ends beyond `flat`; tensors without components end where they begin.
        tensor = self.tensors[bisect_right(self._ends, flat)]
        whole = flat if tensor.places is None else (tensor.origin or 0) + tensor.places[flat - tensor.offset]
        return Location(tensor.name, tensor.index(flat), whole)

    def sampled(self, indices: NDArray[np.intp]) -> "Layout":
        """Return the layout of the sample θ[indices]; `indices` ascend.

        >>> layout = Layout.of({"W1": (2, 3), "b1": (2,)}).sampled(np.array([1, 5, 7]))
        >>> [str(layout.locate(place)) for place in range(layout.size)], layout.locate(2).flat
        (['W1[0, 1]', 'W1[1, 2]', 'b1[1]'], 7)
        """
        tensors, offset = [], 0
        for tensor in self.tensors:
            # Indices ascend, so those of one tensor are neighbours.
            begin, end = np.searchsorted(indices, [tensor.span.start, tensor.span.stop])
            tensors.append(tensor.sampled((indices[begin:end] - tensor.offset).tolist(), offset))
            offset += int(end - begin)
        return Layout(tuple(tensors))

    def largest(self, values: Vector) -> Vector:
        """Return for each component the largest of `values`, shape (..., n), in its tensor.

        >>> Layout.of({"W1": (2, 1), "b1": (2,)}).largest(np.array([1.0, 3.0, 2.0, 0.0])).tolist()
        [3.0, 3.0, 2.0, 2.0]
        """
        starts, sizes = self._blocks
        if not len(starts):
            return np.zeros_like(values)
        largest = np.maximum(np.maximum.reduceat(values, starts, axis=-1), 0.0)
        return np.asarray(np.repeat(largest, sizes, axis=-1))

    def flatten(self, arrays: Mapping[str, NDArray[np.generic]]) -> Vector:
        """Concatenate named arrays into θ, shape (n,)."""
        parts = [np.asarray(arrays[t.name], dtype=np.float64).reshape(-1) for t in self.tensors]
        # NumPy refuses to concatenate nothing.
        return np.concatenate(parts) if parts else np.zeros(0)

    def unflatten(self, theta: NDArray[Scalar]) -> dict[str, NDArray[Scalar]]:
        """Return the named tensors as views into θ."""
        return {t.name: theta[t.span].reshape(t.shape) for t in self.tensors}

    def by_role(self, theta: NDArray[Scalar]) -> dict[LayerRole, NDArray[Scalar]]:
        """Return the tensors of a declared network by layer and role, as views into θ."""
        return {place: theta[t.span].reshape(t.shape) for place, t in self._by_role.items()}


def unit_directions(components: Sequence[int], size: int) -> Vector:
    """Return the directions of θ along single components, shape (k, n).

    Args:
        components: flat indices, k of them.
        size: n, of θ.

    >>> unit_directions([2, 0], 3)
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """
    units = np.zeros((len(components), size))
    units[np.arange(len(components)), list(components)] = 1.0
    return units
