"""What JAX traces around a person's loss: a contraction, rows of a Jacobian, the data; and what a trace holds."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr, Jaxpr

from xcheck.functions.tree import leaves, rebuild

# What a function raises that looks at its values (`if loss > 0`) or leaves JAX while it is traced.
NEEDS_VALUES = (jax.errors.JAXTypeError, jax.errors.JAXIndexError, NotImplementedError)
# Rows of a Jacobian that are computed at a time, each with the memory of a backward pass: a guess.
_ROWS = 64


def contract(value: Any, cotangent: Any) -> Any:
    """Return Re Σ v̄ y; without a cotangent the value, which should be one number."""
    if cotangent is None:
        return jnp.reshape(value, ()) if jnp.size(value) == 1 else value
    return jnp.real(jnp.sum(jnp.conj(cotangent) * value))


def jacobian_rows(loss: Callable[..., Any], weight: float) -> Callable[..., tuple[Any, Any]]:
    """Return (params, data, ...) -> outputs y, and by own name their gradients times `weight`, shape (outputs, ...).

    Args:
        loss: `loss(params, data)`, which returns an array.
        weight: what arrives at the backward pass in place of 1.
    """

    def rows(params: Mapping[str, Any], data: tuple[Any, ...], *unused: Any) -> tuple[Any, Any]:
        value, pull = jax.vjp(lambda given: loss(given, data), params)

        def row(number: Any) -> Any:
            unit = weight * (jnp.arange(value.size) == number).astype(value.dtype)
            return pull(unit.reshape(value.shape))[0]

        return value, jax.lax.map(row, jnp.arange(value.size), batch_size=_ROWS)

    return rows


def split_arrays(data: tuple[Any, ...]) -> tuple[dict[str, Any], Callable[[Mapping[str, Any]], tuple[Any, ...]]]:
    """Return the JAX arrays in the data, and a function that puts others in their places."""
    arrays = {name: value for name, value in leaves(data).items() if isinstance(value, jax.Array)}
    return arrays, lambda traced: rebuild(data, traced)


def operations_of(jaxpr: Any) -> Iterator[Any]:
    """Yield the operations of a trace, and of all functions that it calls."""
    for equation in jaxpr.eqns:
        yield equation
        for part in jax.tree.leaves(tuple(equation.params.values()), is_leaf=_is_trace):
            if _is_trace(part):
                yield from operations_of(part.jaxpr if isinstance(part, ClosedJaxpr) else part)


def _is_trace(part: Any) -> bool:
    return isinstance(part, ClosedJaxpr | Jaxpr)
