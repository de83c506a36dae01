"""Whether anything in a loss is computed in fewer than 64 bits, although it was asked for in 64."""

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr, Jaxpr


def computes_in_narrow_dtypes(loss: Callable[[Any], Any], params: Any) -> bool | None:
    """Return whether an operation has a narrow floating result; None where numbers leave JAX on the way."""
    equations = list(_equations(jax.make_jaxpr(loss)(params).jaxpr))
    if any("callback" in equation.primitive.name for equation in equations):
        return None
    return any(_is_narrow(variable.aval) for equation in equations for variable in equation.outvars)


def _equations(jaxpr: Any) -> Iterator[Any]:
    """Yield the operations of a trace, and of all functions that it calls."""
    for equation in jaxpr.eqns:
        yield equation
        for part in jax.tree.leaves(tuple(equation.params.values()), is_leaf=_is_trace):
            if _is_trace(part):
                yield from _equations(part.jaxpr if isinstance(part, ClosedJaxpr) else part)


def _is_trace(part: Any) -> bool:
    return isinstance(part, ClosedJaxpr | Jaxpr)


def _is_narrow(aval: Any) -> bool:
    dtype = getattr(aval, "dtype", None)
    if dtype is None or not jnp.issubdtype(dtype, jnp.inexact):
        return False
    return dtype not in (jnp.float64, jnp.complex128)
