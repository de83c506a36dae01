"""Many θ at once: the losses, or the outputs, of a function in JAX by jit(vmap), or by NumPy from a trace.

The losses of a small function are evaluated by NumPy (`xcheck_jax.in_numpy`): to compile takes most of the time of a
check.
"""

from collections.abc import Callable, Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from xcheck.backend.function_objective import FunctionObjective
from xcheck.layout import Vector
from xcheck_jax import in_numpy
from xcheck_jax.traceable import contract, operations_of, split_arrays

# Losses that take fewer operations altogether are evaluated by NumPy, at some nanoseconds each, before XLA would have
# compiled them.
_SMALL_LOSSES = 2.0**26


def is_slow_in_batches(trace: Any, devices: Iterable[jax.Device]) -> bool:
    """Return whether a trace has convolutions, and runs on a CPU.

    Of a batch of kernels XLA makes groups of channels, for which its code on a CPU is ten times slower and more.
    """
    convolves = any(operation.primitive.name == "conv_general_dilated" for operation in operations_of(trace.jaxpr))
    return convolves and all(device.platform == "cpu" for device in devices)


class BatchedLosses:
    """A function at many θ. What it is traced and compiled to is kept.

    Args:
        function: the function, of one θ.
        in_numpy: whether NumPy is to be tried.

    Attributes:
        in_numpy: whether NumPy evaluates it, as far as is known.
    """

    def __init__(self, function: FunctionObjective, *, in_numpy: bool = True) -> None:
        self.in_numpy = in_numpy
        self._function = function
        self._mapping: Callable[..., Any] | None = None
        # By number of θ, and whether there is a cotangent: traces that NumPy evaluates.
        self._traces: dict[tuple[int, bool], Any] = {}

    def at(self, thetas: Vector, cotangent: Any = None, width: int = 0) -> Vector:
        """Return the losses, shape (k, n) -> (k,), by NumPy where it can; without a cotangent all outputs, (k, ...).

        Args:
            thetas: where, shape (k, n).
            cotangent: v, shape of the outputs; None where the loss is a number, or all outputs are wanted.
            width: how many θ are compiled for, where more than k.
        """
        if self.in_numpy:
            try:
                return self.by_numpy(thetas, cotangent)
            except in_numpy.UnsupportedError:
                self.in_numpy = False
        return self.by_vmap(thetas, cotangent, width)

    def by_vmap(self, thetas: Vector, cotangent: Any = None, width: int = 0) -> Vector:
        """Return what `at` does, by jit(vmap)."""
        arrays, _ = split_arrays(self._function.shared_data())
        with self._function.modes():
            # Repetitions fill up a short batch, so that there is one compilation.
            rows = jnp.asarray(np.resize(thetas, (max(width, len(thetas)), thetas.shape[1])))
            if self._mapping is None:
                trace = jax.make_jaxpr(self._losses_at())(rows[:1], arrays, cotangent)
                self._mapping = jax.jit(self._losses_at(one_by_one=is_slow_in_batches(trace, rows.devices())))
            losses = self._mapping(rows, arrays, cotangent)
            return np.asarray(losses, dtype=np.float64)[: len(thetas)]

    def by_numpy(self, thetas: Vector, cotangent: Any = None) -> Vector:
        """Return what `at` does, as NumPy evaluates it.

        Raises:
            UnsupportedError: it cannot, or there is so much to compute that XLA is quicker.
        """
        arrays, _ = split_arrays(self._function.shared_data())
        # Few sizes, and so few traces: repetitions fill up a batch to a power of two.
        count, size = 1 << max(3, (len(thetas) - 1).bit_length()), thetas.shape[1]
        rows = np.resize(thetas, (count, size))
        with self._function.modes():
            kind = (count, cotangent is None)
            if kind not in self._traces:
                self._traces[kind] = jax.make_jaxpr(self._losses_at())(rows, arrays, cotangent)
            trace = self._traces[kind]
            # Two sides of three steps, and a half more, as in `xcheck.oracle.scope`.
            if in_numpy.work_of(trace.jaxpr) / count * 9 * size > _SMALL_LOSSES:
                raise in_numpy.UnsupportedError("too large")
            (losses,) = in_numpy.evaluate(trace, jax.tree.leaves((rows, arrays, cotangent)))
        return np.asarray(losses, dtype=np.float64)[: len(thetas)]

    def _losses_at(self, *, one_by_one: bool = False) -> Callable[..., Any]:
        """Return θ of shape (k, n), arrays of the data and cotangent -> losses, shape (k,); by one loop, or by vmap."""
        _, whole = split_arrays(self._function.shared_data())

        # The data are put together from what is traced; what of them is no array is the same in every call.
        def loss_at(theta: Any, arrays: Any, cotangent: Any) -> Any:
            return self._loss_at(theta, whole(arrays), cotangent)

        if one_by_one:
            return lambda thetas, arrays, v: jax.lax.map(lambda theta: loss_at(theta, arrays, v), thetas)
        return jax.vmap(loss_at, (0, None, None))

    def _loss_at(self, theta: jax.Array, data: tuple[Any, ...], cotangent: Any) -> Any:
        """Return the loss at θ, with all operations in JAX: also those that make arrays of θ are batched."""
        parameters = self._function.parameters
        own = {name: jnp.asarray(part, parameters.dtype(name)) for name, part in parameters.at(theta).items()}
        return contract(self._function.call_loss(own, data), cotangent)
