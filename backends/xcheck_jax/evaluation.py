"""Functions of arrays that are called a few times each: small ones are evaluated by NumPy, the others are compiled.

To compile a function takes longer than NumPy takes to evaluate it many times; see `xcheck_jax.in_numpy`.
"""

from collections.abc import Callable
from typing import Any

import jax

from xcheck_jax.in_numpy import UnsupportedError, evaluate, work_of
from xcheck_jax.programs import Program, fingerprint, program_of

# Additions and multiplications that NumPy does in about 20 ms, tens of times before XLA would have compiled a function.
_SMALL = 2.0**22


def program_for(
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    device: jax.Device,
    for_numpy: Callable[..., Any] | None = None,
) -> Program:
    """Return what evaluates a function of arrays; its results are arrays of NumPy, or of JAX.

    Args:
        function: of JAX.
        arguments: such as it will be given, in the same shapes and dtypes.
        device: where it is computed, if it is compiled.
        for_numpy: the same function, as NumPy is to evaluate it: in fewer operations on larger arrays.
    """

    def compiled() -> Program:
        traced = jax.jit(function).trace(*arguments)
        return program_of(traced, device, fingerprint(traced.jaxpr))

    try:
        traced = jax.jit(for_numpy or function).trace(*arguments)
    except NotImplementedError:  # of an operation that JAX cannot batch
        return compiled()
    return compiled() if work_of(traced.jaxpr.jaxpr) > _SMALL else _InNumpy(traced, compiled)


class _InNumpy:
    """A trace that NumPy evaluates, and that is compiled as soon as it turns out that NumPy cannot."""

    def __init__(self, traced: Any, compile_it: Callable[[], Program]) -> None:
        self._traced, self._compile = traced, compile_it
        self._compiled: Program | None = None

    def __call__(self, *arguments: Any) -> Any:
        if self._compiled is None:
            try:
                return jax.tree.unflatten(
                    jax.tree.structure(self._traced.out_info), evaluate(self._traced.jaxpr, jax.tree.leaves(arguments))
                )
            except UnsupportedError:
                self._compiled = self._compile()
        return self._compiled(*arguments)
