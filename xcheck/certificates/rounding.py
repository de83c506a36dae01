"""How far rounding may move a gradient along a direction: the gradient's own program, carried out with random rounding.

Every result x becomes x (1 + ε ξ), with ξ random in [-1, 1] and ε far above float64's roundoff and far below anything
nonlinear; g·v then moves in proportion to ε, and the spread of (g - g₀)·v / ε over some runs is what one unit roundoff
does. So do implementations of Monte Carlo arithmetic (D. S. Parker, "Monte Carlo Arithmetic", UCLA CSD-970002, 1997).
A sum of k terms rounds its partial sums, too: its terms are perturbed by sqrt(1 + k/8), as a sum in 8 lanes would be;
those of a Fourier transform of n terms by sqrt(1 + log₂ n) (N. J. Higham, "Accuracy and Stability of Numerical
Algorithms", 2002, chapter 24).

The trace is the framework's own gradient, so that a formula which cancels shows how unstable it is: no bound from
outside would know.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from xcheck.dtypes import roundoff_of
from xcheck.seeds import FIXED, Stream, generator
from xcheck.trace.in_numpy import carry_out, entering_loops
from xcheck.trace.model import Array, Operation, Trace
from xcheck.trace.replay import replay

# 30 of 53 bits: what is nonlinear in it is 2**-30 of the spread, and float64's own rounding 2**-23.
_EPSILON = 2.0**-30
# A spread of 8 draws is within a factor 2 of the true one 99 times in 100.
_SAMPLES = 8
# Lanes of a vectorised sum: the fewest in common use round the most.
_LANES = 8
# Results that are one of the operands, or exact.
_EXACT = frozenset(
    {
        *(
            "move",
            "neg",
            "abs",
            "sign",
            "max",
            "min",
            "clamp",
            "select",
            "reduce_max",
            "reduce_min",
            "cummax",
            "cummin",
        ),
        *("lt", "le", "gt", "ge", "eq", "ne", "is_finite", "is_nan", "argmax", "argmin", "sort", "top_k", "floor"),
        *("ceil", "round", "trunc", "cast", "stop_gradient", "exact"),
    }
)


def _terms(operation: Operation, given: Sequence[Array]) -> int:
    """Return how many terms are added up for one result."""
    if operation.name == "dot":
        return int(given[0].shape[-1])
    if operation.name == "sum":
        return int(np.prod([given[0].shape[axis] for axis in operation.attributes["axes"]], dtype=int))
    return int(given[0].shape[operation.attributes["axis"]]) if operation.name == "cumsum" else 1


class _Noise:
    """Carries operations out, and perturbs what they round."""

    def __init__(self, epsilon: float, sample: int) -> None:
        self._epsilon = epsilon
        self._random = generator(FIXED, Stream.ROUNDING, sample)

    def __call__(self, operation: Operation, given: Sequence[Array]) -> Sequence[Array]:
        if operation.name == "dft":
            # Each of the log₂ n stages of a fast transform rounds whatever goes into a result.
            stages = np.log2(max(2, given[0].shape[-1]))
            given = [self._perturb(one, np.sqrt(1 + stages)) for one in given]
        if operation.name in ("dot", "sum", "cumsum"):
            given = [self._perturb(given[0], np.sqrt(1 + _terms(operation, given) / _LANES)), *given[1:]]
        found = carry_out(operation, given)
        return found if operation.name in _EXACT else [self._perturb(one, 1.0) for one in found]

    def _perturb(self, array: Array, factor: float) -> Array:
        if array.dtype.kind != "f" or not self._epsilon:
            return array
        return np.asarray(array * (1 + factor * self._epsilon * self._random.uniform(-1, 1, array.shape)))


def coarsest_cast(gradient: Trace) -> float:
    """Return the coarsest unit roundoff that a program casts to on its way, 0 where it casts to nothing narrower."""
    found = 0.0
    for operation in gradient.operations:
        if operation.name == "cast":
            found = max(found, *(roundoff_of(value.dtype) for value in operation.outputs))
        for attribute in operation.attributes.values():
            bodies = attribute if isinstance(attribute, list | tuple) else [attribute]
            found = max(found, *(coarsest_cast(body) for body in bodies if isinstance(body, Trace)), 0.0)
    return found


def rounding_samples(gradient: Trace, arrays: Sequence[Array]) -> NDArray[np.float64]:
    """Return how one unit roundoff of every operation moves the gradient, shape (samples, n).

    Args:
        gradient: trace of the gradient; its outputs are shaped like θ's arrays.
        arrays: θ, one array for each input.
    """

    def run(epsilon: float, sample: int) -> NDArray[np.float64]:
        wide = [np.asarray(array, np.float64) for array in arrays]
        with np.errstate(all="ignore"):  # a program that overflows has no spread, which the caller sees
            found = replay(gradient, wide, entering_loops(_Noise(epsilon, sample)))
        return np.concatenate([np.asarray(one, np.float64).reshape(-1) for one in found])

    clean = run(0.0, 0)
    return np.stack([(run(_EPSILON, sample) - clean) / _EPSILON for sample in range(1, _SAMPLES + 1)])


def spread_of(samples: NDArray[np.float64], directions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return by how much g·v moves for one unit roundoff of every operation, shape (directions,).

    Args:
        samples: what `rounding_samples` returns.
        directions: shape (directions, n).
    """
    with np.errstate(all="ignore"):
        return np.asarray(np.sqrt(np.mean(np.square(directions @ samples.T), axis=1)), np.float64)
