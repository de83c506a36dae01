"""The oracle's own forward pass: losses of all examples, in float64, written to be differenced.

It does two things that a forward pass in a framework does not do:

- Losses keep their relative accuracy when they are close to zero (no log(1 + x) − x, no difference of large logits),
  so differences of losses that are almost zero keep their digits.
- Every piecewise activation is continued past its kink: relu, leaky_relu and elu are smooth on either side of z = 0,
  and `branches` says which side each unit of each example is on *at θ*. The function so obtained equals J near θ and
  has the same derivative at θ, but no step, however large, crosses a kink. A finite difference across a kink is the
  commonest false alarm in gradient checking of relu networks.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from xcheck.layout import Vector
from xcheck.networks.network import LEAKY_SLOPE, ActivationName, LossName, Network
from xcheck.oracle.network.erfc import erfc

Parameters = Sequence[tuple[Any, Any]]

# Slope on the side z < 0 of the activations that are linear on both sides of zero.
LEFT_SLOPE: dict[ActivationName, float] = {"relu": 0.0, "leaky_relu": LEAKY_SLOPE}
STEEPEST = 1.13  # no activation of ours is steeper (gelu)
PIECEWISE = frozenset({*LEFT_SLOPE, "elu"})


@contextmanager
def float64_on(device: jax.Device) -> Iterator[None]:
    """Compute in float64 on `device`, whatever flags the caller has set; they are restored."""
    with ExitStack() as stack:
        stack.enter_context(jax.enable_x64(True))
        stack.enter_context(jax.default_device(device))
        # Accelerators multiply in fewer bits by default.
        stack.enter_context(jax.default_matmul_precision("highest"))
        stack.enter_context(jax.numpy_rank_promotion("allow"))
        stack.enter_context(jax.numpy_dtype_promotion("standard"))
        # A loss that is not finite is a result here, not an error.
        stack.enter_context(jax.debug_nans(False))
        stack.enter_context(jax.debug_infs(False))
        yield


@dataclass(frozen=True, slots=True)
class Library:
    """An array library: the same formulas serve JAX (many perturbations at once) and NumPy (any precision).

    Attributes:
        np: numpy or jax.numpy.
        normal: the standard normal distribution function Φ, by erfc: 1 + erf(z/√2) would cancel for negative z.
    """

    np: Any
    normal: Callable[[Any], Any]


JAX = Library(jnp, lambda z: jax.lax.erfc(-z * np.sqrt(0.5)) / 2)
NUMPY = Library(np, lambda z: erfc(-z * np.sqrt(z.dtype.type(0.5))) / 2)


def logistic(lib: Library, z: Any) -> Any:
    """Return σ(z); no exponential overflows."""
    # Only e^−|z| is formed, which is at most 1.
    e = lib.np.exp(-lib.np.abs(z))
    return lib.np.where(z < 0, e, 1.0) / (1 + e)


SMOOTH: dict[ActivationName, Callable[[Library, Any], Any]] = {
    "identity": lambda lib, z: z,
    "sigmoid": logistic,
    "tanh": lambda lib, z: lib.np.tanh(z),
    "softplus": lambda lib, z: lib.np.maximum(z, 0) + lib.np.log1p(lib.np.exp(-lib.np.abs(z))),
    "gelu": lambda lib, z: z * lib.normal(z),
    "silu": lambda lib, z: z * logistic(lib, z),
}

NATURAL: dict[ActivationName, Callable[[Library, Any], Any]] = {
    **SMOOTH,
    "relu": lambda lib, z: lib.np.where(z > 0, z, 0 * z),
    "leaky_relu": lambda lib, z: lib.np.where(z > 0, z, LEAKY_SLOPE * z),
    "elu": lambda lib, z: lib.np.where(z > 0, z, lib.np.expm1(lib.np.minimum(z, 0))),
}


def evaluate_branch(lib: Library, name: ActivationName, z: Any, branch: Any | None) -> Any:
    """Return g(z) on the branch that is active at θ, continued smoothly past the kink.

    Args:
        lib: JAX or NUMPY.
        name: the activation.
        z: pre-activations, any shape.
        branch: for relu and leaky_relu the slope of each unit's branch; for elu 1 on the side z > 0, else 0; None for
            smooth activations. Its shape broadcasts with z.
    """
    if branch is None:
        return SMOOTH[name](lib, z)
    if name == "elu":
        return lib.np.where(branch > 0, z, lib.np.expm1(lib.np.where(branch > 0, 0.0, z)))
    return branch * z


def _binary_cross_entropy(lib: Library, z: Any, y: Any) -> Any:
    # log(1 + eᶻ) − y z = y log(1 + e⁻ᶻ) + (1 − y) log(1 + eᶻ): both terms positive, nothing cancels.
    xp = lib.np
    tail = xp.log1p(xp.exp(-xp.abs(z)))
    return xp.sum(y * (xp.maximum(-z, 0) + tail) + (1 - y) * (xp.maximum(z, 0) + tail), axis=1)


def _softmax_cross_entropy(lib: Library, z: Any, y: Any) -> Any:
    # With d = z − Σ y z: L = log Σ e^dₖ. Where a class has all of y, d is 0 there, and log1p of the others keeps the
    # digits of a loss close to zero.
    xp = lib.np
    d = z - xp.sum(y * z, axis=1, keepdims=True)
    top = xp.maximum(xp.max(d, axis=1), 0.0)
    certain = xp.max(y, axis=1) == 1
    whole = top + xp.log(xp.sum(xp.exp(d - top[:, None]), axis=1))
    others = xp.log1p(xp.sum(xp.where(y == 1, 0.0, xp.exp(xp.minimum(d, 0.0))), axis=1))
    return xp.where(certain & (top == 0), others, whole)


def _mean_squared_error(lib: Library, z: Any, y: Any) -> Any:
    return lib.np.sum((z - y) ** 2, axis=1) / 2


LOSSES: dict[LossName, Callable[[Library, Any, Any], Any]] = {
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
        magnitude_bound: per layer Σⱼ |Wᵢⱼ aⱼ| + |bᵢ|, shapes (m, nₗ): z is rounded by a small multiple of u times this.
        losses: loss of each example, shape (m,).
    """

    a: list[Vector]
    z: list[Vector]
    magnitude_bound: list[Vector]
    losses: Vector

    @classmethod
    def empty(cls) -> "Trace":
        """Return the trace of a function that is not a network: no layers."""
        return cls([], [], [], np.zeros(0))


def apply_dropout(a: Any, keep: Any | None) -> Any:
    """Return activations after inverted dropout; `keep` is mask/keep_prob, None where nothing is dropped."""
    return a if keep is None else a * keep


@np.errstate(all="ignore")  # a loss that is not finite is a result
def trace(
    network: Network, parameters: Parameters, inputs: Vector, targets: Vector, keeps: Sequence[Vector | None]
) -> Trace:
    """Run the network in NumPy, kinks included, and return what every layer computes."""
    a = [apply_dropout(inputs, keeps[0])]
    z, magnitude_bound = [], []
    for (W, b), layer, keep in zip(parameters, network.layers, keeps[1:], strict=True):
        z.append(a[-1] @ W.T + b)
        magnitude_bound.append(np.abs(a[-1]) @ np.abs(W).T + np.abs(b))
        a.append(apply_dropout(NATURAL[layer.activation](NUMPY, z[-1]), keep))
    return Trace(a, z, magnitude_bound, LOSSES[network.loss](NUMPY, a[-1], targets))


def losses(
    lib: Library,
    network: Network,
    parameters: Parameters,
    inputs: Any,
    targets: Any,
    keeps: Sequence[Any | None],
    branches: Sequence[Any | None],
) -> Any:
    """Return the loss of each example, shape (m,), with every unit on its given branch."""
    a = apply_dropout(inputs, keeps[0])
    for (W, b), layer, keep, branch in zip(parameters, network.layers, keeps[1:], branches, strict=True):
        a = apply_dropout(evaluate_branch(lib, layer.activation, a @ W.T + b, branch), keep)
    return LOSSES[network.loss](lib, a, targets)
