"""A jax.custom_vjp alone: the gradient of a fixed point z = tanh(W z + b), by the implicit function theorem.

What one learns: no second implementation is needed, the differences of the loss are the other side. JAX cannot
differentiate the while_loop that finds z, so the rule is one's own, and nothing but a check tells whether it is right.
`buggy` solves with I − J where the adjoint needs (I − J)ᵀ: it runs, the shapes are right, and it still points downhill
(its cosine with the gradient is 0.77), so that training would look as if it worked.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import xcheck


def iterated(params: dict[str, Any]) -> Any:
    """Return z = tanh(W z + b), iterated until it stands still."""

    def step(state: Any) -> Any:
        _, z, count = state
        return z, jnp.tanh(params["W"] @ z + params["b"]), count + 1

    def moves(state: Any) -> Any:
        before, z, count = state
        return (count < 200) & jnp.any(before != z)

    start = jnp.zeros_like(params["b"])
    return jax.lax.while_loop(moves, step, (start - 1, start, 0))[1]


def implicit(adjoint: Any) -> Any:
    """Return the fixed point with a rule of its own: λ = (I − J)⁻ᵀ v, and then one step back through tanh.

    With D = diag(1 − z²) and J = D W:  ∂/∂W = (D λ) zᵀ,  ∂/∂b = D λ.
    """

    @jax.custom_vjp  # type: ignore[untyped-decorator] # jax is not analysed
    def fixed_point(params: dict[str, Any]) -> Any:
        return iterated(params)

    def forward(params: dict[str, Any]) -> Any:
        z = iterated(params)
        return z, (params["W"], z)

    def backward(kept: Any, v: Any) -> Any:
        W, z = kept
        slopes = 1 - z**2
        system = jnp.eye(len(z)) - slopes[:, None] * W
        delta = slopes * jnp.linalg.solve(adjoint(system), v)
        return ({"W": jnp.outer(delta, z), "b": delta},)

    fixed_point.defvjp(forward, backward)
    return fixed_point


def checked(fixed_point: Any) -> xcheck.Case:
    """Return the squared distance of the fixed point from a target, at a random point where the iteration converges."""

    def loss(params: dict[str, Any], target: Any) -> Any:
        return jnp.sum((fixed_point(params) - target) ** 2) / 2

    rng = np.random.default_rng(0)
    # Arrays of NumPy, because they are float64 even where JAX's own are not.
    params = {"W": 0.3 * rng.normal(size=(4, 4)), "b": rng.normal(size=4)}
    return xcheck.Case(objectives=xcheck.objective(loss, "jax"), params=params, data=(rng.normal(size=4),))


@xcheck.case
def right() -> xcheck.Case:
    """λ solves the transposed system."""
    return checked(implicit(jnp.transpose))


@xcheck.case
def buggy() -> xcheck.Case:
    """The transpose is missing."""
    return checked(implicit(lambda system: system))
