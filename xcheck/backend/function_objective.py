"""FunctionObjective: a person's function as a function of θ, whatever the framework.

θ becomes named arrays, these take the function's own names and axes, the framework makes its arrays of them, and the
person's tree is put together. The gradient goes the same way back. Everything that the function is given is a copy;
what it writes into is noticed.

With `wide` every floating array is one of 64 bits: so the oracle evaluates a float32 function in float64. With a
cotangent v a loss that returns an array y becomes Re Σ v̄ y.
"""

from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xcheck.backend.contract import Objective, failing_as
from xcheck.backend.hand_written import named_gradient
from xcheck.backend.naming import match_parameters
from xcheck.dtypes import widened
from xcheck.errors import BackendError, Complaint, DefinitionError
from xcheck.functions.arguments import Arguments, Leaf, Numbers
from xcheck.functions.function import Function
from xcheck.functions.tree import leaves, nest, rebuild
from xcheck.layout import Layout, Vector

# What arrives at a person's backward pass: one that is not linear in it shows when that is not 1, and powers of 2 round
# nothing.
WEIGHT = -2.0


class FunctionObjective(Objective):
    """J(θ) of a person's function.

    A framework implements `array`, `value`, `value_and_gradient` and, where it can evaluate many θ at once, `batch`.

    Attributes:
        unused: parameters that the loss does not depend on, as the framework says: their gradient is None.
        overwritten: what the function has written into, by name.
        engine: how `losses` evaluates.
        conjugates: whether the framework's complex gradients are conjugated to become xcheck's.
        width: how many θ will come at a time, for frameworks that compile for one number of them.
    """

    conjugates = False

    def __init__(
        self, backend: str, function: Function, arguments: Arguments, *, wide: bool = False, cotangent: Any = None
    ) -> None:
        super().__init__(backend, arguments.layout.size)
        self.function = function
        self.arguments = arguments
        self.leaf = arguments.read
        self.wide = wide
        self.cotangent = cotangent
        self.unused: frozenset[str] = frozenset()
        self.overwritten: set[str] = set()
        self.engine = "loop"
        self.width = 0
        shapes = {name: leaf.values.shape for name, leaf in arguments.leaves.items()}
        self._names = match_parameters(shapes, function.rename, function.layout, self._own_shapes())
        self._data = self._given()

    # --- what a framework implements ----------------------------------------------------------------------------------

    @abstractmethod
    def array(self, values: Numbers, leaf: Leaf, dtype: str) -> Any:
        """Return an array of this framework; laid out in memory, and placed, like the leaf's source where it is one."""

    @abstractmethod
    def value(self, params: Mapping[str, Any], data: tuple[Any, ...]) -> Any:
        """Return the loss, a number, or an array of this framework."""

    @abstractmethod
    def value_and_gradient(
        self, params: Mapping[str, Any], data: tuple[Any, ...]
    ) -> tuple[float, Mapping[str, Numbers | None]]:
        """Return the loss and the framework's own gradient by own name; None where there is no dependence."""

    def hessian_product(self, theta: Vector, vector: Vector) -> Vector:
        """Return H v by the framework's own differentiation of its gradient, shape (n,).

        Raises:
            BackendError: the framework cannot differentiate twice, or the function fails.
        """
        with failing_as(self.backend):
            return self.flat(self.second(self.own(theta), self.own(vector), self._given()))

    def second(
        self, params: Mapping[str, Any], vector: Mapping[str, Any], data: tuple[Any, ...]
    ) -> Mapping[str, Numbers | None]:
        """Return H v by own name."""
        raise BackendError(self.backend, "second derivatives are not supported")

    def modes(self) -> AbstractContextManager[None]:
        """Return the framework's own settings, for whatever of the person's code is called."""
        return nullcontext()

    def batch(self, thetas: Vector) -> Vector | None:
        """Return the losses at all of `thetas` at once, shape (k, n) -> (k,), or None where that is impossible."""
        return None

    def cautions(self) -> list[str]:
        """Return what of a module depends on the mode it is in."""
        return []

    @property
    def moved(self) -> Callable[[Vector, NDArray[np.intp], Vector], Vector] | None:
        """θ, components (k,) of one tensor and values (k,) -> losses (k,); None where whole θ are as good."""
        return None

    # --- the objective ------------------------------------------------------------------------------------------------

    def compute(self, theta: Vector) -> tuple[float, Vector]:
        """Return J(θ) and ∂J/∂θ."""
        given, data = self.own(theta), self._given()
        gradient: Mapping[str, Numbers | None]
        if self.function.hand_written:
            loss, gradient = self._by_hand(given, data)
        else:
            loss, gradient = self.value_and_gradient(given, data)
        self._look_for_writing(theta, given, data)
        self.unused = frozenset(name for name, part in gradient.items() if part is None)
        return loss, self.flat(gradient)

    def losses(self, thetas: Vector) -> Vector:
        """Return the loss at each row of `thetas`, shape (k, n) -> (k,).

        Raises:
            BackendError: the function fails (the cause is chained).
        """
        with failing_as(self.backend):
            found = self.batch(thetas) if len(thetas) > 1 else None
        return np.asarray(self._one_by_one(thetas) if found is None else found, dtype=np.float64)

    def _one_by_one(self, thetas: Vector) -> Vector:
        """Return the losses; nan where the function raises, unless it does so everywhere."""
        found, failures = np.full(len(thetas), np.nan), []
        for row, theta in enumerate(thetas):
            try:
                found[row] = self.single(theta)
            except DefinitionError:
                raise
            except Exception as error:  # noqa: BLE001 - a step may lead out of the function's domain
                failures.append(error)
        if len(failures) == len(thetas):
            first = failures[0]
            raise BackendError(self.backend, f"{type(first).__name__}: {first}") from first
        return found

    def single(self, theta: Vector) -> float:
        """Return the loss at one θ, by a call of its own."""
        return self.number(self.value(self.own(theta), self._shared()))

    def confirms(self, found: Vector, singly: Sequence[float] | Vector) -> bool:
        """Return whether losses from a batch are those of calls one by one, but for rounding."""
        close = 1e-6 if self.wide else 1e-3
        return np.allclose(found, singly, rtol=close, atol=0.0, equal_nan=True)

    def shape(self) -> tuple[tuple[int, ...], bool]:
        """Return the shape of the loss, and whether it is complex.

        Raises:
            BackendError: the function fails (the cause is chained).
        """
        with failing_as(self.backend):
            value = self.value(self.own(self.arguments.theta), self._given())
        leaf = self.leaf(value)
        values = np.asarray(value if leaf is None else leaf.values)
        return values.shape, values.dtype.kind == "c"

    # --- θ and trees --------------------------------------------------------------------------------------------------

    def own(self, theta: Vector) -> dict[str, Any]:
        """Return the arrays of this function at θ, by own name."""
        named = self._names.own(self.arguments.named(theta))
        return {name: self.array(values, self.source(name), self.dtype(name)) for name, values in named.items()}

    def stacked(self, thetas: Vector) -> dict[str, tuple[Numbers, bool]]:
        """Return the own arrays at all rows of `thetas`, and whether they differ from row to row.

        Those that differ have shape (k, ...); the others are there once: what depends on them alone need not be
        computed k times.
        """
        found: dict[str, tuple[Numbers, bool]] = {}
        for name, there in self._names.canonical.items():
            parts = [self.arguments.layout[part].span for part in self.arguments.parts(there)]
            varied = any(bool((thetas[:, span] != thetas[0, span]).any()) for span in parts)
            rows = thetas if varied else thetas[:1]
            shape = (len(rows), *self.source(name).values.shape)
            values = rows[:, parts[0]].reshape(shape)
            if len(parts) > 1:
                values = values + 1j * rows[:, parts[1]].reshape(shape)
            axes = self._names.axes[name]
            if axes is not None:
                values = values.transpose((0, *(axis + 1 for axis in axes)))
            found[name] = (values, True) if varied else (values[0], False)
        return found

    @property
    def layout(self) -> Layout:
        """Names of the components of θ."""
        return self.arguments.layout

    def own_name(self, tensor: str) -> str | None:
        """Return the own name of a tensor of θ, if it is the own array as it is: real, with the same axes."""
        for name, there in self._names.canonical.items():
            if there == tensor and self._names.axes[name] is None and len(self.arguments.parts(there)) == 1:
                return name
        return None

    def source(self, name: str) -> Leaf:
        """Return the leaf that stands for an own name."""
        return self.arguments.leaves[self._names.canonical[name]]

    def dtype(self, name: str) -> str:
        """Return the dtype that an own array is to have."""
        found = self.source(name).dtype
        return widened(found) if self.wide else found

    def tree(self, given: Mapping[str, Any]) -> Any:
        """Return the tree that the function expects."""
        function = self.function
        if function.like is not None:
            return rebuild(function.like, given)
        return nest(given) if function.rename else rebuild(self._carried(), given)

    def flat(self, gradient: Mapping[str, Numbers | None]) -> Vector:
        """Return a gradient by own names as one vector, shape (n,); None is zero."""
        own = {}
        for name, values in self._names.own(self.arguments.named(np.zeros(self.size))).items():
            part = gradient.get(name)
            own[name] = values if part is None else np.asarray(part)
            if own[name].shape != values.shape:
                text = f"the gradient of {name} has shape {own[name].shape}, {name} itself {values.shape}"
                raise BackendError(self.backend, text)
        return self.arguments.flat(self._names.returned(own))

    def called(self, given: Mapping[str, Any], data: tuple[Any, ...]) -> Any:
        """Call the person's loss."""
        loss = self.function.loss
        if loss is None:
            raise BackendError(self.backend, "a module without a loss needs a framework that knows modules")
        return loss(self.tree(given), *data)

    def number(self, value: Any) -> float:
        """Return the loss as a number: itself, or Re Σ v̄ y with the cotangent v.

        Raises:
            DefinitionError: the loss is an array, and there is no cotangent; or it is complex.
        """
        leaf = self.leaf(value)
        values = np.asarray(value if leaf is None else leaf.values)
        if self.cotangent is not None:
            return float(np.real(np.sum(np.conj(self.cotangent) * values)))
        if values.size != 1 or values.dtype.kind not in "fiub":
            text = f"the loss has shape {values.shape} and dtype {values.dtype}; expected one real number"
            raise DefinitionError(Complaint(text))
        return float(values.reshape(()))

    # --- hand-written gradients ---------------------------------------------------------------------------------------

    def gradient_alone(self, theta: Vector) -> Vector | None:
        """Return what a hand-written `gradient` says without the loss being called first; None where there is none.

        Raises:
            BackendError: it fails (the cause is chained).
        """
        function = self.function
        if function.gradient is None:
            return None
        with failing_as(self.backend), self.modes():
            return self.flat(self._named(function.gradient(self.tree(self.own(theta)), *self._given())))

    def _by_hand(self, given: Mapping[str, Any], data: tuple[Any, ...]) -> tuple[float, dict[str, Numbers | None]]:
        function = self.function
        with self.modes():
            tree = self.tree(given)
            if function.value_and_gradient is not None:
                loss, returned = function.value_and_gradient(tree, *data)
            else:
                assert function.gradient is not None  # noqa: S101 - `hand_written` says so; for the type checker
                loss = self.called(given, data)
                returned = function.gradient(tree, *data)
            return self.number(loss), self._named(returned)

    def _named(self, returned: Any) -> dict[str, Numbers | None]:
        own = self._names.own(self.arguments.named(self.arguments.theta))
        tree = self.arguments.tree if self.function.like is None else self.function.like
        try:
            return named_gradient(returned, own, self.leaf, leaves(tree).keys())
        except ValueError as error:
            raise BackendError(self.backend, str(error)) from error

    # --- what the function is given -----------------------------------------------------------------------------------

    def _given(self) -> tuple[Any, ...]:
        """Return copies of the data as this framework's arrays."""
        return tuple(self._copied(part) for part in self.arguments.data)

    def _shared(self) -> tuple[Any, ...]:
        """Return the data for the oracle: one copy for all calls, unless the function writes into it."""
        return self._given() if self.overwritten else self._data

    def _carried(self) -> Any:
        """Return the parameters with copies of what is carried along."""
        return self._copied(self.arguments.tree, self.arguments.leaves)

    def _copied(self, tree: Any, without: Collection[str] = ()) -> Any:
        new = {}
        for name, value in leaves(tree).items():
            leaf = None if name in without else self.leaf(value)
            if leaf is not None:
                new[name] = self.array(leaf.values, leaf, widened(leaf.dtype) if self.wide else leaf.dtype)
        return rebuild(tree, new)

    def _look_for_writing(self, theta: Vector, given: Mapping[str, Any], data: tuple[Any, ...]) -> None:
        for name, before in self._names.own(self.arguments.named(theta)).items():
            after = self.leaf(given[name])
            if after is not None and not np.array_equal(self._rounded(before, name), after.values, equal_nan=True):
                self.overwritten.add(name)
        for number, (was, part) in enumerate(zip(self.arguments.data, data, strict=True)):
            for name, value in leaves(part).items():
                before_leaf, after = self.leaf(leaves(was)[name]), self.leaf(value)
                if before_leaf is None or after is None:
                    continue
                if not np.array_equal(before_leaf.values, after.values, equal_nan=after.values.dtype.kind in "fc"):
                    where = f"data[{number}]"
                    self.overwritten.add(where if name == "params" else f"{where}.{name}")

    def _rounded(self, values: Numbers, name: str) -> Numbers:
        """Return numbers as this function's dtype stores them."""
        leaf = self.leaf(self.array(values, self.source(name), self.dtype(name)))
        return values if leaf is None else leaf.values

    def _own_shapes(self) -> dict[str, tuple[int, ...]] | None:
        """Return the shapes of the own arrays where they are known."""
        known = self.parameters()
        if known is None:
            known = None if self.function.like is None else leaves(self.function.like)
        if known is None:
            return None
        found = {name: self.leaf(value) for name, value in known.items()}
        return {name: leaf.values.shape for name, leaf in found.items() if leaf is not None and leaf.differentiable}

    def parameters(self) -> Mapping[str, Any] | None:
        """Return the parameters of the function's module, None where it has none."""
        return None
