"""The oracle's own forward pass: losses of all examples, in float64, written for differences and not for gradients.

Two things are done differently from what one would write in a framework:

- Losses keep their relative accuracy when they are close to zero (no log(1 + x) − x, no difference of large logits),
  so that differences of saturated losses still mean something.
- Every piecewise activation is continued past its kink: relu, leaky_relu and elu are smooth on either side of z = 0,
  and `pieces` says which side each unit of each example is on *at θ*. The function so obtained equals J in a
  neighbourhood of θ and has the same derivative at θ, but no step, however large, crosses a kink. A finite
  difference that straddles a kink is the commonest false alarm in gradient checking of relu networks.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from xcheck.network import LEAKY_SLOPE, ActivationName, LossName, Network

Parameters = Sequence[tuple[Array, Array]]

# Slope on the side z < 0 of the activations that are linear on both sides of zero.
LEFT_SLOPE: dict[ActivationName, float] = {"relu": 0.0, "leaky_relu": LEAKY_SLOPE}
PIECEWISE = frozenset({*LEFT_SLOPE, "elu"})


@contextmanager
def float64_on(device: jax.Device) -> Iterator[None]:
    """Compute in float64 on `device`, whatever flags the caller has set; they are restored."""
    with ExitStack() as stack:
        stack.enter_context(jax.enable_x64(True))
        stack.enter_context(jax.default_device(device))
        stack.enter_context(jax.default_matmul_precision("highest"))
        stack.enter_context(jax.numpy_rank_promotion("allow"))
        stack.enter_context(jax.numpy_dtype_promotion("standard"))
        stack.enter_context(jax.debug_nans(False))
        stack.enter_context(jax.debug_infs(False))
        yield


SMOOTH: dict[ActivationName, Callable[[Array], Array]] = {
    "identity": lambda z: z,
    "sigmoid": jax.lax.logistic,
    "tanh": jnp.tanh,
    "softplus": lambda z: jnp.maximum(z, 0) + jnp.log1p(jnp.exp(-jnp.abs(z))),
    # Φ by erfc: 1 + erf(z/√2) would cancel for negative z.
    "gelu": lambda z: z * jax.lax.erfc(-z * np.sqrt(0.5)) / 2,
    "silu": lambda z: z * jax.lax.logistic(z),
}

NATURAL: dict[ActivationName, Callable[[Array], Array]] = {
    **SMOOTH,
    "relu": lambda z: jnp.where(z > 0, z, 0.0),
    "leaky_relu": lambda z: jnp.where(z > 0, z, LEAKY_SLOPE * z),
    "elu": lambda z: jnp.where(z > 0, z, jnp.expm1(z)),
}


def continued(name: ActivationName, z: Array, piece: Array | None) -> Array:
    """Return g(z) on the piece that was active at θ, continued beyond it.

    Args:
        name: the activation.
        z: pre-activations, shape (m, units).
        piece: for relu and leaky_relu the slope of each unit's piece; for elu 1 on the side z > 0, else 0; None for
            smooth activations. Shape (m, units).
    """
    if piece is None:
        return SMOOTH[name](z)
    if name == "elu":
        return jnp.where(piece > 0, z, jnp.expm1(z))
    return piece * z


def _binary_cross_entropy(z: Array, y: Array) -> Array:
    # log(1 + eᶻ) − y z = y log(1 + e⁻ᶻ) + (1 − y) log(1 + eᶻ): both terms positive, nothing cancels.
    tail = jnp.log1p(jnp.exp(-jnp.abs(z)))
    return jnp.sum(y * (jnp.maximum(-z, 0) + tail) + (1 - y) * (jnp.maximum(z, 0) + tail), axis=1)


def _softmax_cross_entropy(z: Array, y: Array) -> Array:
    # With d = z − Σ y z: L = log Σ e^dₖ. Where a class has all of y, d is 0 there, and log1p of the others keeps the
    # digits of a loss close to zero.
    d = z - jnp.sum(y * z, axis=1, keepdims=True)
    top = jnp.maximum(jnp.max(d, axis=1), 0.0)
    certain = jnp.max(y, axis=1) == 1
    whole = top + jnp.log(jnp.sum(jnp.exp(d - top[:, None]), axis=1))
    others = jnp.log1p(jnp.sum(jnp.where(y == 1, 0.0, jnp.exp(jnp.minimum(d, 0.0))), axis=1))
    return jnp.where(certain & (top == 0), others, whole)


def _mean_squared_error(z: Array, y: Array) -> Array:
    return 0.5 * jnp.sum((z - y) ** 2, axis=1)


LOSSES: dict[LossName, Callable[[Array, Array], Array]] = {
    "binary_cross_entropy": _binary_cross_entropy,
    "softmax_cross_entropy": _softmax_cross_entropy,
    "mean_squared_error": _mean_squared_error,
}


@dataclass(frozen=True, slots=True)
class Trace:
    """What the network computes at θ.

    Attributes:
        a: A⁽⁰⁾..A⁽ᴸ⁾ after dropout, shapes (m, nₗ).
        z: Z⁽¹⁾..Z⁽ᴸ⁾.
        reach: per layer Σⱼ |Wᵢⱼ aⱼ| + |bᵢ|, shapes (m, nₗ): rounding of z is a small multiple of u · reach.
        losses: loss of each example, shape (m,).
    """

    a: list[Array]
    z: list[Array]
    reach: list[Array]
    losses: Array


jax.tree_util.register_dataclass(Trace, ["a", "z", "reach", "losses"], [])


def dropped(a: Array, keep: Array | None) -> Array:
    """Inverted dropout; `keep` is mask/keep_prob."""
    return a if keep is None else a * keep


def trace(
    network: Network,
    parameters: Parameters,
    inputs: Array,
    targets: Array,
    keeps: Sequence[Array | None],
) -> Trace:
    """Run the network as it is and keep everything."""
    a = [dropped(inputs, keeps[0])]
    z, reach = [], []
    for (W, b), layer, keep in zip(parameters, network.layers, keeps[1:], strict=True):
        z.append(a[-1] @ W.T + b)
        reach.append(jnp.abs(a[-1]) @ jnp.abs(W).T + jnp.abs(b))
        a.append(dropped(NATURAL[layer.activation](z[-1]), keep))
    return Trace(a, z, reach, LOSSES[network.loss](a[-1], targets))


def losses(
    network: Network,
    parameters: Parameters,
    inputs: Array,
    targets: Array,
    keeps: Sequence[Array | None],
    pieces: Sequence[Array | None],
) -> Array:
    """Return the loss of each example on the pieces given, shape (m,)."""
    a = dropped(inputs, keeps[0])
    for (W, b), layer, keep, piece in zip(parameters, network.layers, keeps[1:], pieces, strict=True):
        a = dropped(continued(layer.activation, a @ W.T + b, piece), keep)
    return LOSSES[network.loss](a, targets)
