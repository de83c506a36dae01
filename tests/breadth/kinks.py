"""Piecewise linear and kinked functions, in three frameworks, with points on their kinks, near them and away from them.

Each entry is a loss and a point θ at which some of its entries sit on kinks: at 0, at a bound, or tied with another.
"""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch
import torch.nn.functional as F

Loss = Callable[[Any], Any]
Entry = tuple[Loss, list[float]]

# Weights that make every entry count differently.
_A = [1.3, -0.7, 2.1, 0.4, -1.9]
W = torch.tensor(_A, dtype=torch.float64)
J = jnp.array(_A, dtype=jnp.float32)  # float32 numbers, whatever the precision of JAX is when this is imported

AT_ZERO = [0.0, 0.8, -0.6, 0.0, 1.7]
AT_ONE = [1.0, 0.8, -0.6, -1.0, 1.7]
TIED = [1.1, 0.3, 1.1, -0.4, 0.3]
# Distances from the kinks: on them, near them, and away.
DISTANCES = (0.0, 1e-12, 1e-9, 1e-6, 1e-3, 0.07)


def _lookup(x: Any) -> Any:
    table = torch.tensor([0.0, 1.0, 4.0, 9.0], dtype=torch.float64)
    return table[torch.bucketize(x.detach(), torch.tensor([-0.5, 0.5, 1.0], dtype=torch.float64))]


def _interpolated(x: Any) -> Any:
    """Linear between the entries of a table."""
    grid, table = torch.tensor([-2.0, -1.0, 0.0, 1.0, 2.0]).double(), torch.tensor([3.0, 1.0, 0.5, 2.0, 2.5]).double()
    cell = torch.clamp(torch.bucketize(x.detach(), grid) - 1, 0, 3)
    share = x - grid[cell]
    return table[cell] + share * (table[cell + 1] - table[cell])


TORCH: dict[str, Entry] = {
    "relu": (lambda x: (W * torch.relu(x)).sum(), AT_ZERO),
    "relu of a sum": (lambda x: torch.relu(x[0] + x[3]) + x.square().sum(), AT_ZERO),
    "relu6": (lambda x: (W * F.relu6(6 * x)).sum(), AT_ONE),
    "leaky relu": (lambda x: (W * F.leaky_relu(x, 0.2)).sum(), AT_ZERO),
    "elu": (lambda x: (W * F.elu(x, 2.0)).sum(), AT_ZERO),
    "hardtanh": (lambda x: (W * F.hardtanh(x)).sum(), AT_ONE),
    "hardswish": (lambda x: (W * F.hardswish(3 * x)).sum(), AT_ONE),
    "hinge": (lambda x: (W * torch.clamp(1 - x, min=0)).sum(), AT_ONE),
    "squared hinge": (lambda x: (W * torch.clamp(1 - x, min=0) ** 2).sum(), AT_ONE),
    "clamp": (lambda x: (W * torch.clamp(x, -1.0, 1.0)).sum(), AT_ONE),
    "abs": (lambda x: (W * x.abs()).sum(), AT_ZERO),
    "l1 loss": (lambda x: F.l1_loss(x, torch.zeros(5).double()), AT_ZERO),
    "smooth l1": (lambda x: F.smooth_l1_loss(x, torch.zeros(5).double(), beta=1.0), AT_ONE),
    "pinball": (lambda x: torch.maximum(0.9 * x, -0.1 * x).sum(), AT_ZERO),
    "soft shrinkage": (lambda x: (W * F.softshrink(x, 1.0)).sum(), AT_ONE),
    "max": (lambda x: x.max() + x.sin().sum(), TIED),
    "amax": (lambda x: x.amax() + x.sin().sum(), TIED),
    "min of two": (lambda x: torch.minimum(x[:2], x[2:4]).square().sum(), [1.1, 0.3, 1.1, 0.3, 2.0]),
    "largest of a window": (lambda x: F.max_pool1d(x[None], 2, 1).square().sum(), [0.3, 1.1, 1.1, 0.2, 0.2]),
    "median": (lambda x: x.median() + x.square().sum(), TIED),
    "quantile": (lambda x: torch.quantile(x, 0.6) + x.square().sum(), TIED),
    "sort": (lambda x: (W * x.sort().values).sum(), TIED),
    "top two": (lambda x: x.topk(2).values.square().sum(), TIED),
    "cumulative maximum": (lambda x: (W * x.cummax(0).values).sum(), TIED),
    "total variation": (lambda x: x.diff().abs().sum(), [0.4, 0.4, 1.2, 1.2, 0.1]),
    "largest norm": (lambda x: torch.linalg.vector_norm(x, ord=float("inf")), [1.1, 0.3, -1.1, -0.4, 0.3]),
    "difference of maxima": (lambda x: x[:2].max() - x[2:4].max() + x[4] ** 2, [0.9, 0.9, 0.2, 0.2, 0.5]),
    "where": (lambda x: torch.where(x > 0, x, 0.5 * x.sin()).sum(), AT_ZERO),
    "interpolated": (lambda x: _interpolated(x).sum(), [1.0, 0.4, -1.0, 0.0, 1.7]),
    "stairs beside a slope": (lambda x: (torch.floor(2 * x) + x.square()).sum(), [0.7, 0.3, -0.6, 0.15, 1.8]),
    "lookup beside a slope": (lambda x: (_lookup(x) + x.square()).sum(), [0.7, 0.3, -0.65, 0.15, 1.8]),
    "remainder": (lambda x: (W * torch.frac(x)).sum(), [0.75, 0.3, -0.6, 0.15, 1.8]),
}

JAX: dict[str, Entry] = {
    "relu": (lambda x: (J * jax.nn.relu(x)).sum(), AT_ZERO),
    "maximum": (lambda x: (J * jnp.maximum(x, 0.0)).sum(), AT_ZERO),
    "leaky relu": (lambda x: (J * jax.nn.leaky_relu(x, 0.2)).sum(), AT_ZERO),
    "hinge": (lambda x: (J * jnp.maximum(1 - x, 0.0)).sum(), AT_ONE),
    "clip": (lambda x: (J * jnp.clip(x, -1.0, 1.0)).sum(), AT_ONE),
    "abs": (lambda x: (J * jnp.abs(x)).sum(), AT_ZERO),
    "pinball": (lambda x: jnp.maximum(0.9 * x, -0.1 * x).sum(), AT_ZERO),
    "max": (lambda x: x.max() + jnp.sin(x).sum(), TIED),
    "median": (lambda x: jnp.median(x) + jnp.square(x).sum(), TIED),
    "quantile": (lambda x: jnp.quantile(x, 0.6) + jnp.square(x).sum(), TIED),
    "sort": (lambda x: (J * jnp.sort(x)).sum(), TIED),
    "top two": (lambda x: jnp.square(jax.lax.top_k(x, 2)[0]).sum(), TIED),
    "total variation": (lambda x: jnp.abs(jnp.diff(x)).sum(), [0.4, 0.4, 1.2, 1.2, 0.1]),
    "stairs beside a slope": (lambda x: (jnp.floor(2 * x) + jnp.square(x)).sum(), [0.7, 0.3, -0.6, 0.15, 1.8]),
}


def _hinge(p: Any) -> Any:
    return np.where(p < 1, -np.array(_A), 0.0)


def _largest(p: Any) -> Any:
    return np.cos(p) + (np.arange(len(p)) == np.argmax(p))


def _variation(p: Any) -> Any:
    signs = np.sign(np.diff(p))
    return np.concatenate([[0.0], signs]) - np.concatenate([signs, [0.0]])


def _sorted(p: Any) -> Any:
    gradient = np.empty(len(p))
    gradient[np.argsort(p, kind="stable")] = _A
    return gradient


# By hand: loss, gradient, point.
NUMPY: Mapping[str, tuple[Loss, Loss, list[float]]] = {
    "relu, > 0": (lambda p: np.maximum(p, 0) @ _A, lambda p: np.array(_A) * (p > 0), AT_ZERO),
    "relu, >= 0": (lambda p: np.maximum(p, 0) @ _A, lambda p: np.array(_A) * (p >= 0), AT_ZERO),
    "relu, half": (lambda p: np.maximum(p, 0) @ _A, lambda p: np.array(_A) * np.heaviside(p, 0.5), AT_ZERO),
    "hinge": (lambda p: np.maximum(1 - p, 0) @ _A, _hinge, AT_ONE),
    "abs": (lambda p: np.abs(p) @ _A, lambda p: np.array(_A) * np.sign(p), AT_ZERO),
    "clip": (lambda p: np.clip(p, -1, 1) @ _A, lambda p: np.array(_A) * (np.abs(p) <= 1), AT_ONE),
    "max": (lambda p: p.max() + np.sin(p).sum(), _largest, TIED),
    "sort": (lambda p: np.sort(p) @ _A, _sorted, TIED),
    "total variation": (lambda p: np.abs(np.diff(p)).sum(), _variation, [0.4, 0.4, 1.2, 1.2, 0.1]),
    "stairs": (lambda p: float(np.floor(p).sum()) + p @ p, lambda p: 2 * p, [0.7, 0.3, -0.6, 0.15, 1.8]),
}


def moved(theta: list[float], distance: float) -> Any:
    """θ with entries a distance away from their kinks, and different ones: every other one to the left."""
    factors = np.array([1.0, -0.5, -2.0, 1.5, -1.0])
    return np.array(theta) + distance * factors
