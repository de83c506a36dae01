"""Whether anything in a loss is computed in fewer than 64 bits, although it was asked for in 64."""

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr, Jaxpr

from xcheck.dtypes import FLOAT64, roundoff_of


def coarsest_roundoff(loss: Callable[[Any], Any], params: Any) -> float | None:
    """Return the largest unit roundoff of a narrow result, 0 without one; None where numbers leave JAX on the way."""
    equations = list(_equations(jax.make_jaxpr(loss)(params).jaxpr))
    if any("callback" in equation.primitive.name for equation in equations):
        return None
    return max((_roundoff(variable.aval) for equation in equations for variable in equation.outvars), default=0.0)


def _equations(jaxpr: Any) -> Iterator[Any]:
    """Yield the operations of a trace, and of all functions that it calls."""
    for equation in jaxpr.eqns:
        yield equation
        for part in jax.tree.leaves(tuple(equation.params.values()), is_leaf=_is_trace):
            if _is_trace(part):
                yield from _equations(part.jaxpr if isinstance(part, ClosedJaxpr) else part)


def _is_trace(part: Any) -> bool:
    return isinstance(part, ClosedJaxpr | Jaxpr)


def _roundoff(aval: Any) -> float:
    """Return the unit roundoff of a narrow floating result, 0 of any other."""
    dtype = getattr(aval, "dtype", None)
    if dtype is None or not jnp.issubdtype(dtype, jnp.inexact):
        return 0.0
    roundoff = roundoff_of(dtype.name)
    return roundoff if roundoff > FLOAT64 else 0.0
