"""FunctionObjective: a person's function as a function of θ, whatever the framework.

θ becomes what the function is called with (`xcheck.backend.call_arguments`). The gradient goes the same way back.

With `wide` every floating array is one of 64 bits: so the oracle evaluates a float32 function in float64. With a
cotangent v a loss that returns an array y becomes Re Σ v̄ y.
"""

import math
from abc import abstractmethod
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from xcheck.backend.batches import evaluate_one_by_one
from xcheck.backend.by_hand.curvature import hessian_product_by_hand
from xcheck.backend.by_hand.forms import differentiate_by_hand, rows_by_hand
from xcheck.backend.by_hand.linearity import faults_of_vjp
from xcheck.backend.capabilities import Capabilities
from xcheck.backend.contract import wrap_errors
from xcheck.backend.cotangents import CotangentFault
from xcheck.backend.outputs import read_numbers, require_array
from xcheck.backend.own_parameters import OwnParameters
from xcheck.errors import BackendError, Complaint, DefinitionError
from xcheck.functions.arguments import Leaf, Numbers, place_inputs
from xcheck.layout import Vector

if TYPE_CHECKING:
    from xcheck.backend.output_table import OutputTable


class FunctionObjective(Capabilities):
    """J(θ) of a person's function.

    A framework implements `array`, `value`, `value_and_gradient` and, where it can evaluate many θ at once, `batch`.

    Attributes:
        cotangent: v, shape of the loss, where that is an array y: J is Re Σ v̄ y; None where the loss is a number.
        unused: parameters that the loss does not depend on, as the framework says: their gradient is None.
        engine: how `losses` evaluates.
        conjugates: whether the framework's complex gradients are conjugated to become xcheck's.
        pads: whether `batch` fills up what comes to `width`, so that there is one compilation.
        width: how many θ will come at a time, for frameworks that compile for one number of them.
        table: all outputs of a loss that is seen output by output; None where it is not.
    """

    conjugates = pads = False

    def __init__(self, backend: str, parameters: OwnParameters, *, cotangent: Any = None) -> None:
        super().__init__(backend, parameters)
        self.cotangent = cotangent
        self.unused: frozenset[str] = frozenset()
        self.engine = "loop"
        self.width = 0
        self.table: OutputTable | None = None

    def through(self, cotangent: Any) -> Self:
        """Return the same function through another cotangent, with all that is known of it, and compiled."""
        # What copy.copy does, in a tenth of the time: it is made anew several times in a check.
        other = object.__new__(type(self))
        vars(other).update(vars(self), cotangent=cotangent)
        return other

    # --- what a framework implements ----------------------------------------------------------------------------------

    @abstractmethod
    def value(self, params: Mapping[str, Any], data: tuple[Any, ...]) -> Any:
        """Return the loss, a number, or an array of this framework."""

    @abstractmethod
    def value_and_gradient(
        self, params: Mapping[str, Any], data: tuple[Any, ...]
    ) -> tuple[float, Mapping[str, Numbers | None]]:
        """Return the loss and the framework's own gradient by own name; None where there is no dependence."""

    def outputs(self, thetas: Vector) -> Vector | None:
        """Return all outputs at once, shape (k, n) -> (k, outputs), nan where the function raises.

        None where that is impossible, or the function fails everywhere: each output is then asked for by itself, and
        says why.
        """
        found, failed = np.full((len(thetas), np.size(self.cotangent)), np.nan), 0
        for row, theta in zip(found, thetas, strict=True):
            try:
                with self.modes():
                    row[:] = self._all_numbers(self.value(self.own(theta), self.shared_data()))
            except DefinitionError:
                return None
            except Exception:  # noqa: BLE001 - a step may lead out of the function's domain
                failed += 1
        return None if failed == len(thetas) else found

    def try_cotangents(self, theta: Vector) -> list[CotangentFault]:
        """Return what a person's own backward passes do wrong with cotangents of another kind than this loss sends."""
        return faults_of_vjp(self, theta) if "vjp" in self.function.forms else []

    # --- the objective ------------------------------------------------------------------------------------------------

    def compute(self, theta: Vector) -> tuple[float, Vector]:
        """Return J(θ) and ∂J/∂θ."""
        if self.table is not None:
            answer = self.table.gradient(self, theta)
            if answer is not None:
                return answer
        # New copies for each call: what an earlier call has written must not change this one.
        given, data = self.own(theta), self.copy_data()
        if self.function.hand_written:
            with self.modes():
                loss, gradient, self.unused = differentiate_by_hand(self, given, data)
            self.note_writing(theta, given, data)
            return loss, gradient
        loss, named = self.value_and_gradient(given, data)
        self.note_writing(theta, given, data)
        self.unused = frozenset(name for name, part in named.items() if part is None)
        return loss, self.flat(named)

    def rows(self, theta: Vector) -> tuple[Vector, Vector] | None:
        """Return all outputs at θ and their gradients, shapes (outputs,) and (outputs, n), or None.

        Raises:
            BackendError: a Jacobian that is written by hand cannot be read.
        """
        function = self.function
        if not function.hand_written:
            return self.jacobian(theta)
        if not function.tells_all:
            return None
        given, data = self.own(theta), self.copy_data()
        with self.modes():
            value, rows = rows_by_hand(self, given, data)
        self.note_writing(theta, given, data)
        return self._all_numbers(value), np.real(rows)

    def gradient_alone(self, theta: Vector) -> Vector | None:
        """Return what a hand-written `gradient` says without the loss being called first; None where there is none.

        Raises:
            BackendError: it fails (the cause is chained).
        """
        if "gradient" not in self.function.forms:
            return None
        with wrap_errors(self.backend), self.modes():
            returned = self.function.forms["gradient"](self.build_tree(self.own(theta)), *self.copy_data())
            return self.flat(self.read_gradient(returned))

    def hessian_product(self, theta: Vector, vector: Vector) -> Vector:
        """Return H v as it is written by hand, or else by the framework's differentiation of its gradient, shape (n,).

        Raises:
            BackendError: the framework cannot differentiate twice, or the function fails.
        """
        with wrap_errors(self.backend):
            if self.function.curved:
                with self.modes():
                    return hessian_product_by_hand(self, theta, vector)
            return self.flat(self.second(self.own(theta), self.own(vector), self.copy_data()))

    def losses(self, thetas: Vector) -> Vector:
        """Return the loss at each row of `thetas`, shape (k, n) -> (k,); nan where the function raises.

        Raises:
            BackendError: the function fails everywhere (the cause is chained).
        """
        found = None if self.table is None else self.table.losses(self, thetas)
        if found is not None:
            return found
        with wrap_errors(self.backend):
            # For one θ alone a batch would be compiled, or tried out, in vain.
            losses = self.batch(thetas) if len(thetas) > 1 else None
        if losses is None:
            losses = evaluate_one_by_one(self.evaluate, thetas, self.backend)
        return np.asarray(losses, dtype=np.float64)

    def evaluate(self, theta: Vector) -> float:
        """Return the loss at one θ, by a call of its own."""
        return self.number(self.value(self.own(theta), self.shared_data()))

    def shape(self) -> tuple[tuple[int, ...], bool]:
        """Return the shape of the loss, and whether it is complex.

        Raises:
            BackendError: the function fails (the cause is chained).
        """
        with wrap_errors(self.backend):
            values = read_numbers(self.value(self.own(self.arguments.theta), self.copy_data()), self.arguments.read)
        return values.shape, values.dtype.kind == "c"

    # --- the person's function ----------------------------------------------------------------------------------------

    def call_loss(self, given: Mapping[str, Any], data: tuple[Any, ...]) -> Any:
        """Call the person's loss."""
        loss = self.function.loss
        if loss is None:
            raise BackendError(self.backend, "a module without a loss needs a framework that knows modules")
        placed = place_inputs(data, given) if self.arguments.inputs else data
        return self.require_loss(loss(self.build_tree(given), *placed))

    def require_loss(self, value: Any) -> Any:
        """Return what a function has returned if it is one array, of the cotangent's shape where there is one.

        Raises:
            DefinitionError: it is no array.
            BackendError: it has another shape than what the cotangent was made for, that of the first function.
        """
        # The usual case in NumPy, for every loss of a small function.
        if self.cotangent is None and isinstance(value, float):
            return value
        require_array(value, module=self.function.loss is None)
        shape = tuple(np.shape(value))
        if self.cotangent is None or shape == self.cotangent.shape or math.prod(shape) == self.cotangent.size == 1:
            return value
        text = (
            f"the value has shape {shape}, expected {self.cotangent.shape}: all functions of a check return one shape"
        )
        raise BackendError(self.backend, text)

    def number(self, value: Any) -> float:
        """Return the loss as a number: itself, or Re Σ v̄ y with the cotangent v.

        Raises:
            DefinitionError: the loss is an array, and there is no cotangent; or it is complex.
        """
        # The usual case, for every loss of a small function in NumPy: not worth the question whose array it is.
        if self.cotangent is None and isinstance(value, float):
            return float(value)
        values = read_numbers(self.require_loss(value), self.arguments.read)
        if self.cotangent is not None:
            # One real number also for complex y; its gradient combines the rows of the Jacobian with the weights v. An
            # output of weight zero counts for nothing, be it infinite.
            with np.errstate(invalid="ignore"):
                terms = np.where(self.cotangent == 0, 0.0, np.conj(self.cotangent) * values)
            return float(np.real(np.sum(terms)))
        if values.size != 1 or values.dtype.kind not in "fiub":
            text = f"the loss has shape {values.shape} and dtype {values.dtype}; expected one real number"
            raise DefinitionError(Complaint(text))
        return float(values.reshape(()))

    def _all_numbers(self, value: Any) -> Vector:
        """Return a real array that a function has returned, shape (outputs,)."""
        return np.asarray(read_numbers(self.require_loss(value), self.arguments.read).ravel(), dtype=np.float64)

    @cached_property
    def _name_gradient(self) -> Callable[[Any], dict[str, Numbers | None]]:
        return self.parameters.gradient_reader()

    def numbers(self, value: Any) -> Numbers:
        """Return the numbers of what the function has returned, of any shape."""
        return read_numbers(value, self.arguments.read)

    def leaf_of(self, value: Any) -> Leaf:
        """Return the numbers of what the function has returned with its dtype and framework."""
        leaf = self.arguments.read(value)
        return Leaf(self.numbers(value), "float64", "numpy", value) if leaf is None else leaf

    def read_gradient(self, returned: Any) -> dict[str, Numbers | None]:
        """Return a gradient that was returned by hand, by own name.

        Raises:
            BackendError: it cannot be read.
        """
        try:
            return self._name_gradient(returned)
        except ValueError as error:
            raise BackendError(self.backend, str(error)) from error
