"""NumpyFunction: a person's function of NumPy arrays with a hand-written gradient, since NumPy has no autodiff."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from xcheck.backend.function_objective import FunctionObjective
from xcheck.dtypes import FLOAT64, ROUNDOFF, roundoff_of
from xcheck.errors import BackendError
from xcheck.functions.arguments import Leaf, Numbers
from xcheck.trace import Trace, UntraceableError
from xcheck.trace.absorption import roundoff_of_stairs


def read_leaf(value: object) -> Leaf | None:
    """Return the numbers of a NumPy array, a NumPy scalar or a Python float or complex."""
    if type(value) is np.ndarray and value.dtype == np.float64:  # the usual case, tens of times in a check
        return Leaf(value.copy(order="K"), "float64", "numpy", value)
    if not isinstance(value, np.ndarray | np.generic | float | complex):
        return None
    array = np.asarray(value)
    if array.dtype == np.float64:  # the name of a dtype takes longer to make than all else here
        return Leaf(array.astype(np.float64), "float64", "numpy", value)
    # The narrow floats of ml_dtypes, bfloat16 among them, are of no kind that NumPy knows.
    dtype = array.dtype.name
    if array.dtype.kind in "fc" or dtype in ROUNDOFF:
        wide = np.complex128 if array.dtype.kind == "c" else np.float64
        return Leaf(array.astype(wide), dtype, "numpy", value)
    return Leaf(array, dtype, "numpy", value) if array.dtype.kind in "iub" else None


def lay_out(values: Numbers, source: object) -> Numbers:
    """Return a copy that lies in memory like the source: Fortran order, with gaps like a slice, or backwards."""
    if not isinstance(source, np.ndarray) or source.flags.c_contiguous or not values.ndim:
        return np.array(values, order="C")
    # NumPy makes arrays with positive strides only: the copy is made of the source turned forwards, and turned back.
    backwards = tuple(slice(None, None, -1 if stride < 0 else 1) for stride in source.strides)
    forwards = source[backwards]
    copy = np.empty_like(forwards, dtype=values.dtype)  # keeps the order of the axes
    # It leaves no gaps either: twice the room, of which every second number is taken.
    if copy.strides != tuple(stride // source.itemsize * copy.itemsize for stride in forwards.strides):
        copy = np.empty((*values.shape[:-1], 2 * values.shape[-1]), values.dtype)[..., ::2]
    copy = copy[backwards]
    copy[...] = values
    return copy


class NumpyFunction(FunctionObjective):
    """Loss and hand-written gradient in NumPy."""

    def array(self, values: Numbers, leaf: Leaf, dtype: str) -> Any:
        """Return a NumPy array, or a Python number where the source is one."""
        if isinstance(leaf.source, float | complex) and not isinstance(leaf.source, np.generic):
            return complex(values) if values.dtype.kind == "c" else float(values)
        return lay_out(values.astype(dtype, copy=False), leaf.source)

    def maker(self, leaf: Leaf, dtype: str) -> Callable[[Numbers], Any]:
        """Return `values -> array(values, leaf, dtype)`: in the usual case a copy, and no more."""
        plain = isinstance(leaf.source, np.ndarray) and leaf.source.flags.c_contiguous and dtype == "float64"
        return np.array if plain else super().maker(leaf, dtype)

    def value(self, params: Mapping[str, Any], data: tuple[Any, ...]) -> Any:
        """Return the loss."""
        return self.call_loss(params, data)

    def value_and_gradient(
        self, params: Mapping[str, Any], data: tuple[Any, ...]
    ) -> tuple[float, Mapping[str, Numbers | None]]:
        """Raise: NumPy has no gradient of its own."""
        raise BackendError("numpy", "NumPy has no autodiff: give the backward pass as gradient=")

    def arrangements(self, cotangent: Any) -> list[tuple[str, Any]]:
        """Return an array with gaps, in Fortran order, and backwards in memory."""
        if not isinstance(cotangent, np.ndarray) or not cotangent.ndim:
            return []
        gaps = np.zeros((*cotangent.shape[:-1], 2 * cotangent.shape[-1]), cotangent.dtype)[..., ::2]
        gaps[...] = cotangent
        backwards = cotangent[::-1].copy()[::-1]
        return [
            ("has gaps in memory", gaps),
            ("has its axes in another order in memory", np.asfortranarray(cotangent)),
            ("is backwards in memory", backwards),
        ]

    def trace(self) -> Trace:
        """Return the operations of the loss at θ."""
        from xcheck_numpy.trace import trace_of_loss

        return trace_of_loss(self)

    def gradient_trace(self) -> Trace:
        """Return the operations of the hand-written gradient at θ."""
        from xcheck_numpy.trace import trace_of_gradient

        return trace_of_gradient(self)

    def narrow(self) -> float | None:
        """Return the coarsest unit roundoff that makes a staircase of the loss, 0 without one; None where it hides.

        What is computed from θ is seen in the trace; of a loss that cannot be followed nobody knows.
        """
        try:
            operations = self.trace().operations
        except (UntraceableError, BackendError):
            return None
        results = (value for operation in operations for value in operation.outputs if value.is_floating)
        found = max((u for u in (roundoff_of(value.dtype) for value in results) if u > FLOAT64), default=0.0)
        return found or roundoff_of_stairs(self.trace, self.traced_arrays, self.arguments.theta)
