"""Formulas: what two implementations may have computed of the same numbers, one of them something else."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from scipy import special

from xcheck.trace.model import Array

# Source of the approximations of gelu: Hendrycks & Gimpel, "Gaussian error linear units", 2016.
ACTIVATIONS: Mapping[str, Callable[[Array], Array]] = {
    "gelu by erf": lambda x: x * special.ndtr(x),
    "the tanh approximation of gelu": lambda x: x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))),
    "the sigmoid approximation of gelu": lambda x: x * special.expit(1.702 * x),
    "relu": lambda x: np.maximum(x, 0),
    "leaky relu with slope 0.01": lambda x: np.where(x > 0, x, 0.01 * x),
    "leaky relu with slope 0.2": lambda x: np.where(x > 0, x, 0.2 * x),
    "silu": lambda x: x * special.expit(x),
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "tanh": np.tanh,
    "a sigmoid": special.expit,
    "softplus": lambda x: np.logaddexp(x, 0),
}


def formulas_of(x: Array) -> Iterator[tuple[str, Array]]:
    """Yield names of formulas and what they give of an array."""
    with np.errstate(all="ignore"):
        yield from ((name, function(x)) for name, function in ACTIVATIONS.items())
        for axis in range(x.ndim if x.ndim > 1 else 0):
            yield f"the softmax along axis {axis}", special.softmax(x, axis)
            yield f"the logarithm of the softmax along axis {axis}", special.log_softmax(x, axis)
