"""Samplers that JAX differentiates implicitly: `jax.random.gamma`, and what is drawn from it.

A sample z of a gamma distribution of shape α is found by rejection from random numbers ε: z = h(ε, α). What jax.grad
gives is −∂F(z; α)/∂α / p(z; α), F the distribution function and p its density. On average over ε that is the derivative
of any expectation; for one ε it is not ∂h/∂α, which differences of a loss with a fixed key show.

Source: Figurnov, Mohamed and Mnih, "Implicit reparameterization gradients", 2018.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr, Literal, jaxpr_as_fun

# As the operations are called in a trace; a function under jax.jit is a call.
_SAMPLER, _CALLS = "random_gamma", ("jit", "pjit")
# Truncation h² and rounding u/h of a central difference are equal at h = ∛u.
_POWER = 1 / 3


def gradient_along_paths(
    loss: Callable[[Mapping[str, Any]], Any], params: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    """Return the gradient of a loss with ∂h/∂α in the place of what jax.grad gives; None without such a sampler."""
    traced = jax.make_jaxpr(loss)(params)
    if _SAMPLER not in set(_names(traced.jaxpr)):
        return None
    leaves, tree = jax.tree.flatten(params)
    gradient: Mapping[str, Any] = jax.tree.unflatten(
        tree, jax.grad(lambda leaves: _evaluate(traced, leaves)[0])(leaves)
    )
    return gradient


def _names(jaxpr: Any) -> Iterator[str]:
    """Yield the names of the operations that `_evaluate` meets."""
    for equation in jaxpr.eqns:
        yield equation.primitive.name
        inner = equation.params.get("jaxpr")
        if equation.primitive.name in _CALLS and isinstance(inner, ClosedJaxpr):
            yield from _names(inner.jaxpr)


def _evaluate(traced: Any, arguments: Sequence[Any]) -> list[Any]:
    """Run what was traced, with samplers that are differentiated along their random numbers.

    Source: "Writing custom interpreters in JAX", of its documentation.
    """
    jaxpr, unnamed = traced.jaxpr, traced.jaxpr.debug_info.with_unknown_names()
    known = dict(zip((*jaxpr.constvars, *jaxpr.invars), (*traced.consts, *arguments), strict=True))

    def read(variable: Any) -> Any:
        return variable.val if isinstance(variable, Literal) else known[variable]

    for equation in jaxpr.eqns:
        inner = equation.params.get("jaxpr")
        if equation.primitive.name == _SAMPLER:
            results = [_sample(equation, *map(read, equation.invars))]
        elif equation.primitive.name in _CALLS and isinstance(inner, ClosedJaxpr):
            results = _evaluate(inner, [read(variable) for variable in equation.invars])
        else:
            free = list(dict.fromkeys(each for each in equation.invars if not isinstance(each, Literal)))
            alone = jaxpr.replace(
                constvars=[], invars=free, outvars=equation.outvars, eqns=[equation], debug_info=unnamed
            )
            results = jaxpr_as_fun(ClosedJaxpr(alone, []))(*map(read, free))
        known.update(zip(equation.outvars, results, strict=True))
    return [read(variable) for variable in jaxpr.outvars]


def _sample(equation: Any, key: Any, alpha: Any) -> Any:
    """Return the sample, whose derivative is its slope along its own random numbers."""
    alpha_here = jax.lax.stop_gradient(alpha)

    def draw(alpha: Any) -> Any:
        return equation.primitive.bind(key, alpha, **equation.params)

    step = alpha_here * jnp.finfo(alpha.dtype).eps ** _POWER
    slope = (draw(alpha_here + step) - draw(alpha_here - step)) / (2 * step)
    return draw(alpha_here) + slope * (alpha - alpha_here)
