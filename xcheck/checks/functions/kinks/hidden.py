"""Kinks that no line through θ shows: before a gradient is called wrong there, it is asked for near θ.

Where several kinks meet at θ, what the chain rule gives is often one of the gradients near θ, or a mean of them, and
need not be between the slopes of any line (`xcheck.oracle.estimators.kinks.nearby`). Of a gradient that agrees at
points near θ, components that are between the slopes there follow a convention, and are right; the others are
undecided.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from xcheck.backend.function_objective import FunctionObjective
from xcheck.checks.answer import Answer
from xcheck.checks.functions.oracle import OracleRun
from xcheck.compare.comparer import Comparer
from xcheck.errors import BackendError
from xcheck.layout import Vector
from xcheck.oracle.columns import Indices
from xcheck.oracle.estimators.kinks.nearby import NearbySlopes
from xcheck.oracle.function_gradient import FunctionOracle
from xcheck.oracle.surroundings import measure_nearby_slopes

# If the worst eight are wrong for another reason, so is the gradient; and numbers held at a time, for two losses per
# component and point: guesses that bound the cost.
_FIRST, _NUMBERS = 8, 2**25
# At how many points near θ the gradient is asked for, and how well it must agree beside the noise, in units of the
# distance between the slopes there: guesses; steps of 2⁻²⁶ leave no truncation.
_POINTS, _CLOSE = 3, 1e-6


def widen_at_hidden_kinks(
    run: OracleRun, comparer: Callable[[OracleRun], Comparer], answers: Sequence[Answer[FunctionObjective]]
) -> OracleRun:
    """Return the run in which kinks that the lines do not show have intervals of slopes, where a gradient needs them.

    Args:
        run: what the oracle says.
        comparer: holds witnesses against a run.
        answers: the witnesses.
    """
    for answer in answers:
        if run.oracle is None or run.oracle.options.epsilon != "auto" or answer.evaluation is None:
            continue
        disputed = comparer(run).wrong(run.along(answer.evaluation))
        nearby = _measure(run.oracle, disputed, answer.objective)
        if nearby is not None:
            _widen(run.oracle, disputed, nearby, answer.evaluation.gradient)
            run = replace(run, estimate=run.oracle.estimate(run.estimate.engine))
    return run


def _measure(oracle: FunctionOracle, disputed: Indices, objective: FunctionObjective | None) -> NearbySlopes | None:
    """Return slopes near θ of all disputed components if these have hidden kinks, and the witness is right there."""
    too_many = 2 * len(disputed) * oracle.engine.theta.size > _NUMBERS
    # Directions come after the components; where one of them is wrong, components are that were not measured.
    if not len(disputed) or objective is None or disputed.max() >= len(oracle.lines.components) or too_many:
        return None
    # A kink that a line has met at a distance parts the slopes near θ as well, and has nothing to do with that at θ.
    if (oracle.kink_distance[disputed] > 0).any():
        return None
    try:
        first = _confirmed(oracle, disputed[:_FIRST], objective)
        # The others are measured only if these were right, and if there are any.
        return first if first is None or len(disputed) <= _FIRST else _confirmed(oracle, disputed, objective)
    except BackendError:
        return None  # θ has no neighbours: what is wrong stays wrong


def _confirmed(oracle: FunctionOracle, lines: Indices, objective: FunctionObjective) -> NearbySlopes | None:
    """Return slopes near θ along these lines if all have hidden kinks, and the witness is right there."""
    nearby = measure_nearby_slopes(oracle, lines)
    right = nearby.hidden(*oracle.sides(lines)).all() and _is_right(objective, nearby, _places(oracle, lines))
    return nearby if right else None


def _widen(oracle: FunctionOracle, lines: Indices, nearby: NearbySlopes, gradient: Vector) -> None:
    """Give lines the interval of slopes near θ, and one without ends where even that does not hold the gradient."""
    known = nearby.holds(gradient[_places(oracle, lines)])
    oracle.widen(lines, np.where(known, nearby.lower, -np.inf), np.where(known, nearby.upper, np.inf), nearby.error)


def _places(oracle: FunctionOracle, lines: Indices) -> Indices:
    return oracle.lines.components[lines]


def _is_right(objective: FunctionObjective, nearby: NearbySlopes, components: Indices) -> bool:
    """Return whether the gradients at a few points near θ are the slopes there."""
    for point, slopes in zip(nearby.points[:_POINTS], nearby.slopes[:_POINTS], strict=True):
        _, gradient = objective.loss_and_gradient(point)
        if not (np.abs(gradient[components] - slopes) <= nearby.error + _CLOSE * nearby.width).all():
            return False
    return True
