"""CallArguments: what a person's function is called with, as copies in its framework.

θ becomes the function's own parameters, under its names, in its dtypes and its tree; the data are copied. What the
function writes into its copies is noticed (`xcheck.backend.copies`).
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from xcheck.backend.contract import Objective
from xcheck.backend.copies import changed_arrays, changed_data, copy_arrays
from xcheck.backend.own_parameters import OwnParameters
from xcheck.errors import BackendError, Complaint, DefinitionError
from xcheck.functions.arguments import Leaf, Numbers
from xcheck.functions.tree import leaves, rebuilder
from xcheck.layout import Vector


class CallArguments(Objective):
    """Parameters and data of a function at any θ.

    Attributes:
        parameters: the function's own parameters at any θ.
        function: what is computed.
        arguments: θ, and the data.
        overwritten: what the function has written into, by name.
    """

    def __init__(self, backend: str, parameters: OwnParameters) -> None:
        super().__init__(backend, parameters.arguments.layout.size)
        self.parameters = parameters
        self.function = parameters.function
        self.arguments = parameters.arguments
        self.overwritten: set[str] = set()

    @abstractmethod
    def array(self, values: Numbers, leaf: Leaf, dtype: str) -> Any:
        """Return an array of this framework; laid out in memory, and placed, like the leaf's source where it is one."""

    def maker(self, leaf: Leaf, dtype: str) -> Callable[[Numbers], Any]:
        """Return `values -> array(a copy of values, leaf, dtype)`, for every loss; a framework may know a shorter way.

        A copy, because an array may keep the numbers that it is made of, and a function may write into it.
        """
        return lambda values: self.array(values.copy(), leaf, dtype)

    def view(self, value: Any) -> Numbers | None:
        """Return the numbers of an array, maybe where they lie, not to be written into; None for what is no array."""
        # The usual case in NumPy, tens of times in a check.
        if type(value) is np.ndarray and value.dtype == np.float64:
            return value
        leaf = self.arguments.read(value)
        return None if leaf is None else leaf.values

    @cached_property
    def is_float64(self) -> bool:
        """Whether all floating arrays that the function is called with have 64 bits."""
        return self.parameters.wide or not self.arguments.is_narrow

    def own(self, theta: Vector) -> dict[str, Any]:
        """Return the function's parameters at θ as arrays of this framework, by own name."""
        own, plain = self.parameters, self._plain
        if plain is not None:
            return {name: make(theta[span].reshape(shape)) for name, span, shape, make, _ in plain}
        return {name: self.array(part, own.source(name), own.dtype(name)) for name, part in own.at(theta).items()}

    @cached_property
    def _plain(self) -> list[tuple[str, slice, tuple[int, ...], Callable[[Numbers], Any], str]] | None:
        """Name, place, shape, maker and dtype of each parameter, if none is complex or has other axes than in θ.

        They are looked up once: for a small function that takes longer than its loss.
        """
        own, arguments, found = self.parameters, self.arguments, []
        for name, canonical in own.naming.canonical.items():
            parts = arguments.parts(canonical)
            if own.naming.axes[name] is not None or len(parts) > 1:
                return None
            tensor = arguments.layout[parts[0]]
            make = self.maker(own.source(name), own.dtype(name))
            found.append((name, tensor.span, tensor.shape, make, own.dtype(name)))
        return found

    def own_frozen(self) -> dict[str, Any]:
        """Return the parameters that are no part of θ as arrays of this framework, by own name."""
        return {name: self.array(*made) for name, made in self.parameters.frozen_arrays().items()}

    def _numbers_of(self, theta: Vector) -> dict[str, Any]:
        """Return the parameters at θ by own name."""
        plain = self._plain
        # Where θ is no float64 the arrays are made again: a narrow dtype does not hold θ as it is.
        if plain is None or any(dtype != "float64" for *_, dtype in plain):
            return self.own(theta)
        return {name: theta[span].reshape(shape) for name, span, shape, _, _ in plain}

    def copy_data(self) -> tuple[Any, ...]:
        """Return new copies of the data as this framework's arrays."""
        wide, read = self.parameters.wide, self.arguments.read
        return tuple(copy_arrays(part, read, self._copy, wide=wide) for part in self.arguments.data)

    def shared_data(self) -> tuple[Any, ...]:
        """Return the data for the oracle: one copy for all calls, unless the function writes into it."""
        return self.copy_data() if self.overwritten else self._kept_data

    @cached_property
    def _kept_data(self) -> tuple[Any, ...]:
        return self.copy_data()

    def _copy(self, values: Numbers, leaf: Leaf, dtype: str) -> Any:
        """Return a copy of an array that is no parameter."""
        if leaf.stored and leaf.framework != self.backend:
            text = f"the data hold a {leaf.stored} array of {leaf.framework}: {self.backend} needs a dense one"
            raise DefinitionError(Complaint(text))
        return self.array(values, leaf, dtype)

    def build_tree(self, given: Mapping[str, Any]) -> Any:
        """Return the tree that the function expects; arrays in it that are no parameters are copies."""
        return self._build_tree(given)

    @cached_property
    def _build_tree(self) -> Callable[[Mapping[str, Any]], Any]:
        own, arguments = self.parameters, self.arguments
        named = leaves(arguments.tree, arguments.root)
        others = [value for name, value in named.items() if name not in arguments.leaves]
        is_copied = arguments.frozen or any(arguments.read(value) is not None for value in others)
        if own.function.like is None and not own.function.rename and not is_copied:
            # A walk through the tree takes longer than a small function: it is walked once.
            return rebuilder(arguments.tree, arguments.root)

        def copy_carried() -> Any:
            return copy_arrays(
                arguments.tree,
                arguments.read,
                self._copy,
                wide=own.wide,
                without=arguments.leaves,
                root=arguments.root,
            )

        return lambda given: own.build_tree({**self.own_frozen(), **given}, copy_carried)

    def note_writing(self, theta: Vector, given: Mapping[str, Any], data: tuple[Any, ...]) -> None:
        """Note which arrays no longer hold what they held before the function was called with them at θ."""
        self.overwritten.update(changed_arrays(self._numbers_of(theta), given, self.view))
        self.overwritten.update(changed_data(self.arguments.data, data, self.view))

    def traced_arrays(self, vector: Vector) -> list[Numbers]:
        """Return a vector like θ as the function's own parameters, in the order of their names.

        A complex one is two arrays: its real and its imaginary part.
        """
        own = self.parameters.at(vector).values()
        return [part for one in own for part in ((one.real, one.imag) if one.dtype.kind == "c" else (one,))]

    def flat(self, gradient: Mapping[str, Numbers | None]) -> Vector:
        """Return a gradient by own name as one vector, shape (n,).

        Raises:
            BackendError: a shape does not fit.
        """
        plain = self._plain
        given = [] if plain is None else [(each, part) for each in plain if (part := gradient.get(each[0])) is not None]
        if plain is not None and all(np.shape(part) == shape for (_, _, shape, *_), part in given):
            flat = np.zeros(self.size)
            for (_, span, *_), part in given:
                flat[span] = np.real(part).reshape(-1)
            return flat
        try:
            return self.parameters.flatten(gradient)
        except ValueError as error:
            raise BackendError(self.backend, str(error)) from error

    def flat_rows(self, gradients: Mapping[str, Numbers | None], count: int) -> Vector:
        """Return several gradients by own name, shape (count, ...) each, as one row each, shape (count, n).

        Raises:
            BackendError: a shape does not fit.
        """
        plain = self._plain
        if plain is None:
            named = (
                {name: None if part is None else part[row] for name, part in gradients.items()} for row in range(count)
            )
            return np.stack([self.flat(each) for each in named])
        rows = np.zeros((count, self.size))
        for name, span, shape, *_ in plain:
            part = gradients.get(name)
            if part is None:
                continue
            if part.shape != (count, *shape):
                text = f"the gradients of {name} have shape {part.shape}, expected {(count, *shape)}"
                raise BackendError(self.backend, text)
            rows[:, span] = np.real(part).reshape(count, -1)
        return rows
