"""Extended precision: disputed components of a network are measured again with `numpy.longdouble`.

It has 64 bits of mantissa on x86, so losses that are subtracted keep three more digits. The plain NumPy forward pass is
slow, so it measures a handful of components only. Its values replace the earlier ones unless their bars are wider.
"""

from dataclasses import replace

import numpy as np

from xcheck.layout import Vector
from xcheck.networks.problem import Problem
from xcheck.oracle.columns import Indices
from xcheck.oracle.engines.loop import NetworkLoopEngine
from xcheck.oracle.estimate import Estimate
from xcheck.oracle.estimators.central import estimate_central
from xcheck.oracle.estimators.rounding import rounding_errors

# A report names ten components, and more than 64 disputes are not a matter of rounding: a guess.
_MOST = 64
# Multiplications that all cases together may take: a few seconds.
_AFFORDABLE = 2e9
# Six to measure, six more where the first bar is too wide.
_LOSSES_EACH = 12


def count_affordable(problem: Problem) -> int:
    """Return how many components can be measured again; 0 where extended precision is no better than float64."""
    if np.finfo(np.longdouble).eps >= np.finfo(np.float64).eps:
        return 0
    each = _LOSSES_EACH * problem.examples * problem.layout.size * len(problem.network.layers)
    return int(min(_MOST, max(1.0, _AFFORDABLE / each)))


def remeasure_worst(problem: Problem, estimate: Estimate, disputes: Vector, *, tolerance: float) -> Estimate:
    """Return the estimate with the worst disputes, as many as are affordable, measured again.

    Args:
        problem: the network at θ.
        estimate: the oracle's.
        disputes: how badly each component is in dispute, 0 where it is not, shape (n,).
        tolerance: relative tolerance of the check.
    """
    count = min(count_affordable(problem), int(np.count_nonzero(disputes)))
    worst = np.argsort(-disputes, kind="stable")[:count]
    return remeasure(problem, estimate, np.sort(worst), tolerance=tolerance) if count else estimate


def remeasure(problem: Problem, estimate: Estimate, disputed: Indices, *, tolerance: float) -> Estimate:
    """Return the estimate with components `disputed` measured again in extended precision.

    Args:
        problem: the network at θ.
        estimate: the oracle's.
        disputed: components, shape (k,).
        tolerance: relative tolerance of the check.
    """
    u = float(np.finfo(np.longdouble).eps) / 2
    engine = NetworkLoopEngine(problem, dtype=np.longdouble)
    loss = float(np.abs(engine.losses).mean()) + engine.penalty.value
    rounding = rounding_errors(problem, engine.trace, engine.dead, estimate.magnitude, loss, u)
    noise = np.full(problem.layout.size, rounding.loss)
    again = estimate_central(engine, noise, tolerance=tolerance, indices=disputed)
    # Where the two contradict each other, extended precision is believed even with a wider bar.
    apart = np.abs(again.value - estimate.value[disputed]) > again.bar + estimate.error_bar[disputed]
    better = apart | ~(again.bar >= estimate.error_bar[disputed])
    places, again = disputed[better], again.take(better)
    settled = replace(
        estimate.take(places),
        value=again.value,
        error_bar=again.bar,
        lower=again.lower,
        upper=again.upper,
        conventions=again.conventions,
    )
    evaluations = estimate.evaluations + again.evaluations
    return replace(estimate.put(places, settled), evaluations=evaluations, refereed=len(disputed))
