"""Arguments: a person's parameters as one vector θ, and named arrays of any θ again; with the data beside them.

θ is made of the leaves with floating or complex numbers. Integers, booleans and everything that is no array are no
part of it and are handed on as they are. A complex leaf `w` becomes two tensors of θ, `w.real` and `w.imag`, and its
gradient is ∂L/∂Re w + i ∂L/∂Im w.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from xcheck.dtypes import FLOAT64, roundoff_of
from xcheck.errors import Complaint, DefinitionError
from xcheck.functions.tree import ROOT, children, leaves, rebuild
from xcheck.layout import Layout, Vector

Numbers = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """An array of some framework as plain numbers.

    Attributes:
        values: its numbers as float64 or complex128; integers and booleans in their own dtype.
        dtype: name of its dtype, such as "bfloat16".
        framework: name of the backend whose array it is.
        source: the person's own array; it is never written to.
        stored: how it is stored, such as "sparse_csr", if `values` are its stored numbers only.
    """

    values: Numbers
    dtype: str
    framework: str
    source: Any
    stored: str | None = None

    @property
    def differentiable(self) -> bool:
        """Whether its numbers are floating or complex, so that there is a derivative with respect to it."""
        return self.values.dtype.kind in "fc"

    @property
    def roundoff(self) -> float:
        """Unit roundoff of its dtype."""
        return roundoff_of(self.dtype)


# Returns the numbers of an array; None for what is no array of an installed framework.
Reader: TypeAlias = Callable[[Any], Leaf | None]


@dataclass(frozen=True, eq=False)
class Arguments:
    """The parameters of a function as θ, and its data.

    Attributes:
        tree: the person's parameters.
        data: the person's further arguments.
        leaves: those that make up θ, by name: of the tree, and of the data where these are asked for.
        layout: θ; two tensors for a complex leaf.
        theta: the θ of the person's own parameters, shape (n,).
        read: returns the numbers of any installed framework's array, None for what is none.
        inputs: names of the leaves that are data, such as `data[0]`.
        root: what the parameters are called where they are one array alone.
        frozen: leaves of the tree that are handed on as they are, though they could be varied.
    """

    tree: Any
    data: tuple[Any, ...]
    leaves: Mapping[str, Leaf]
    layout: Layout
    theta: Vector
    read: Reader
    inputs: frozenset[str] = frozenset()
    root: str = ROOT
    frozen: Mapping[str, Leaf] = field(default_factory=dict)

    def parts(self, name: str) -> tuple[str, ...]:
        """Return the tensors of θ that make up a leaf."""
        return (f"{name}.real", f"{name}.imag") if self.leaves[name].values.dtype.kind == "c" else (name,)

    def unflatten(self, theta: Vector) -> dict[str, Numbers]:
        """Return the leaves at θ by name: float64 or complex128, arrays of their own."""
        tensors, named = self.layout.unflatten(theta), {}
        for name in self.leaves:
            real, *imaginary = (tensors[part] for part in self.parts(name))
            # Copies: the views into θ would let a function change θ itself.
            named[name] = real + 1j * imaginary[0] if imaginary else real.copy()
        return named

    def flatten(self, named: Mapping[str, Numbers]) -> Vector:
        """Return named arrays as one vector, shape (n,)."""
        tensors: dict[str, Numbers] = {}
        for name in self.leaves:
            both = (np.real(named[name]), np.imag(named[name]))
            # A real leaf is one tensor: its imaginary part, which is zero, has no place.
            tensors |= dict(zip(self.parts(name), both, strict=False))
        return self.layout.flatten(tensors)

    # To read the data takes longer than a small function: what is asked for often is looked up once.

    @cached_property
    def roundoff(self) -> float:
        """The coarsest unit roundoff among the leaves."""
        return max((leaf.roundoff for leaf in self.leaves.values()), default=FLOAT64)

    @cached_property
    def is_narrow(self) -> bool:
        """Whether any floating array among parameters and data has fewer than 64 bits."""
        # Narrow data count too: for the oracle they are widened like the parameters.
        data = (self.read(value) for part in self.data for value in leaves(part).values())
        floating = [
            *self.leaves.values(),
            *self.frozen.values(),
            *(leaf for leaf in data if leaf is not None and leaf.differentiable),
        ]
        return any(leaf.dtype not in ("float64", "complex128") for leaf in floating)

    @cached_property
    def data_size(self) -> int:
        """How many numbers the data hold."""
        read = (self.read(value) for part in self.data for value in leaves(part).values())
        return sum(leaf.values.size for leaf in read if leaf is not None)

    @property
    def data_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the arrays of the data by name."""
        named = [
            (full, value)
            for number, part in enumerate(self.data)
            for (full, _), value in zip(_data_names(number, part), leaves(part).values(), strict=True)
        ]
        return {name: leaf.values.shape for name, value in named if (leaf := self.read(value)) is not None}

    def floating_data(self, count: int) -> list[str]:
        """Return the names of the floating arrays in the first `count` pieces of the data that are not part of θ."""
        return [name for name in _floating(self.data[:count], self.read) if name not in self.inputs]

    @property
    def shared(self) -> tuple[tuple[str, ...], ...]:
        """Names of leaves that are one and the same array, group by group."""
        groups: dict[int, list[str]] = {}
        for name, leaf in self.leaves.items():
            # Python keeps one object for equal small numbers: that two scalars are one object means nothing.
            if leaf.values.ndim:
                groups.setdefault(id(leaf.source), []).append(name)
        return tuple(tuple(names) for names in groups.values() if len(names) > 1)


def place_inputs(data: tuple[Any, ...], given: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the data with the leaves named in `given` exchanged, such as `data[0]` and `data[1].mask`."""
    return tuple(
        rebuild(part, {name: given[full] for full, name in _data_names(number, part) if full in given})
        for number, part in enumerate(data)
    )


def _data_names(number: int, part: Any) -> list[tuple[str, str]]:
    """Return the names of the leaves of one piece of the data: among all, and inside it."""
    return [(f"data[{number}]" if name == ROOT else f"data[{number}].{name}", name) for name in leaves(part)]


def _floating(data: Sequence[Any], read: Reader) -> dict[str, Leaf]:
    """Return the floating arrays of the data by name."""
    return {
        full: leaf
        for number, part in enumerate(data)
        for (full, _), value in zip(_data_names(number, part), leaves(part).values(), strict=True)
        if (leaf := read(value)) is not None and leaf.differentiable
    }


def read_arguments(
    tree: Any,
    data: Sequence[Any],
    read: Reader,
    inputs: int = 0,
    root: str = ROOT,
    frozen: Collection[str] = (),
) -> Arguments:
    """Return parameters and data as arguments.

    Args:
        tree: the parameters.
        data: further arguments.
        read: see `Arguments`.
        inputs: of so many of the data the floating arrays are parameters, too.
        root: what the parameters are called if they are one array alone.
        frozen: names of leaves of the tree that are no parameters.

    Raises:
        DefinitionError: there is nothing to differentiate with respect to, or a parameter is not finite.
    """
    # A tree with names of its own has no use for another.
    root = root if children(tree) is None else ROOT
    arrays = {name: leaf for name, value in leaves(tree, root).items() if (leaf := read(value)) is not None}
    given = _floating(data[:inputs], read)
    parameters = {name: leaf for name, leaf in (arrays | given).items() if leaf.differentiable and name not in frozen}
    # Nothing to differentiate is a mistake of the caller's, never a check that passes.
    if not parameters:
        raise DefinitionError(Complaint(_describe_undifferentiable(tree, arrays)))
    _check_dense(parameters)
    _check_finite(parameters)
    tensors: dict[str, Numbers] = {}
    for name, leaf in parameters.items():
        if leaf.values.dtype.kind == "c":
            tensors |= {f"{name}.real": leaf.values.real, f"{name}.imag": leaf.values.imag}
        else:
            tensors[name] = leaf.values
    layout = Layout.of({name: tensor.shape for name, tensor in tensors.items()})
    if not layout.size:
        text = f"the parameters have no components ({', '.join(tensors)}): there is nothing to differentiate"
        raise DefinitionError(Complaint(text))
    return Arguments(
        tree=tree,
        data=tuple(data),
        leaves=parameters,
        layout=layout,
        theta=layout.flatten(tensors),
        read=read,
        inputs=frozenset(given),
        root=root,
        frozen={name: arrays[name] for name in frozen},
    )


def _check_dense(parameters: Mapping[str, Leaf]) -> None:
    complaints = [
        Complaint(
            f"{name} is stored as {leaf.stored}, and only its stored numbers could be moved: hand these over as the "
            "parameter, and make the sparse array of them inside the function"
        )
        for name, leaf in parameters.items()
        if leaf.stored
    ]
    if complaints:
        raise DefinitionError(complaints)


def _check_finite(parameters: Mapping[str, Leaf]) -> None:
    complaints = []
    for name, leaf in parameters.items():
        bad = int(np.count_nonzero(~np.isfinite(leaf.values)))
        if bad:
            complaints.append(Complaint(f"{name}: {bad} of {leaf.values.size} numbers are not finite"))
    if complaints:
        raise DefinitionError(complaints)


def _describe_undifferentiable(tree: Any, arrays: Mapping[str, Leaf]) -> str:
    """Say what a tree holds instead of floating-point arrays."""
    if not arrays:
        kinds = sorted({type(leaf).__name__ for leaf in leaves(tree).values()})
        content = f"found {', '.join(kinds)}" if kinds else "it is empty"
        return f"params holds no array of an installed framework ({content})"
    dtypes = ", ".join(f"{name} is {leaf.dtype}" for name, leaf in arrays.items())
    return f"params holds no floating-point array ({dtypes}): there is nothing to differentiate with respect to"
