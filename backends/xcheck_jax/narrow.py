"""Whether anything in a loss is computed in fewer than 64 bits, although it was asked for in 64."""

from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp

from xcheck.dtypes import FLOAT64, roundoff_of
from xcheck_jax.traceable import operations_of


def coarsest_roundoff(loss: Callable[[Any], Any], params: Any) -> float | None:
    """Return the largest unit roundoff of a narrow result, 0 without one; None where numbers leave JAX on the way."""
    equations = list(operations_of(jax.make_jaxpr(loss)(params).jaxpr))
    if any("callback" in equation.primitive.name for equation in equations):
        return None
    return coarsest_of(equations)


def coarsest_of(equations: Iterable[Any]) -> float:
    """Return the largest unit roundoff of a narrow result of operations, 0 without one."""
    return max((_roundoff(variable.aval) for equation in equations for variable in equation.outvars), default=0.0)


def coarsest_inside(equation: Any) -> float:
    """Return the same of one operation, with what it reads, and what is computed inside of it."""
    read = max((_roundoff(variable.aval) for variable in equation.invars), default=0.0)
    return max(read, coarsest_of(operations_of(SimpleNamespace(eqns=[equation]))))


def _roundoff(aval: Any) -> float:
    """Return the unit roundoff of a narrow floating result, 0 of any other."""
    dtype = getattr(aval, "dtype", None)
    if dtype is None or not jnp.issubdtype(dtype, jnp.inexact):
        return 0.0
    roundoff = roundoff_of(dtype.name)
    return roundoff if roundoff > FLOAT64 else 0.0
