"""Parts of the estimate of an arbitrary function: roundings, magnitudes, and the estimate if nothing was measured."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from xcheck.dtypes import BFLOAT16, FLOAT32, FLOAT64
from xcheck.layout import Layout, Vector
from xcheck.oracle.columns import finite_numbers
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.engines.lines import DIRECTIONS, Lines
from xcheck.oracle.estimate import CERTAIN, Estimate
from xcheck.oracle.estimators.central import Measurement
from xcheck.oracle.estimators.rounding import Rounding
from xcheck.oracle.estimators.sides import OneSidedGradient
from xcheck.oracle.network.forward import Trace

# What rounding may do to a component, in units of u and the largest of its tensor: sums of many terms cancel. In half
# precision that would be everything.
_ROUNDINGS, _ROUNDINGS_OF_HALF = 2.0**8, 2.0**3
# What the rounding of θ may do where J bends, in units of u |θᵢ| |∂²J|: a guess, as θ is rounded where it is stored,
# and again wherever the function scales it.
_ROUNDINGS_OF_THETA = 2.0**3
# J does not move where it is known to move by less than 1e-12 of itself, ten thousand roundings: with the resolution of
# a check, 1e-6, this is a millionth. A guess.
_STILL = 2.0**-20


def quantized_roundoff(near: Vector, coarse: Vector, loss: float) -> float:
    """Return the unit roundoff that part of J is computed with if it is a staircase; 0 if it is not.

    On a staircase close samples show no noise, and samples further apart that of float32, or of bfloat16.
    """
    stairs, level = float(coarse.max(initial=0.0)), float(near.max(initial=0.0))
    # Well above float64 (2⁻⁵³), and 256 times louder than close samples: a staircase, not a kink. 2⁻¹⁷ parts float32
    # from half.
    if not (stairs > 2.0**-36 * loss and stairs > 256 * level):
        return 0.0
    return BFLOAT16 if stairs > 2.0**-17 * loss else FLOAT32


def rounding(roundoff: float) -> float:
    """Return how far rounding may move a slope, relative to the largest of its tensor."""
    return (_ROUNDINGS if roundoff < 2.0**-20 else _ROUNDINGS_OF_HALF) * roundoff


def rounding_floor(lines: Lines, theta: Vector, gradient: OneSidedGradient, roundoffs: Mapping[str, float]) -> Vector:
    """Return how far rounding may move each slope: rounding of the gradient, and rounding of θ where J bends.

    Args:
        lines: along which the slopes are.
        theta: θ, shape (n,).
        gradient: the slopes, shape (..., k).
        roundoffs: unit roundoff of each tensor of θ.
    """
    value = gradient.measured.value
    floor, sizes = np.zeros_like(value), finite_numbers(np.abs(value))
    whole = sizes.max(axis=-1, keepdims=True, initial=0.0)
    coarsest = max(roundoffs.values(), default=FLOAT64)
    # The size of θ along each line, which its rounding is relative to: 1 for directions.
    bends = finite_numbers(gradient.curvature * lines.sizes(theta, along_directions=1.0))
    # A tensor whose own gradient cancels to nothing is rounded with terms of the size of the others'; an eighth is a
    # guess.
    terms = np.maximum(lines.layout.largest(sizes), whole / 8)
    for tensor in lines.layout:
        span = tensor.span
        roundoff = coarsest if tensor.name == DIRECTIONS else roundoffs[tensor.name]
        # θ is rounded when it is stored: where J bends, that changes the slope.
        floor[..., span] = rounding(roundoff) * terms[..., span] + _ROUNDINGS_OF_THETA * roundoff * bends[..., span]
    return floor


def measure_of_errors(lines: Lines, theta: Vector, gradient: OneSidedGradient, loss: Vector) -> tuple[Vector, Vector]:
    """Return what errors of each slope are compared with, its terms and its magnitude, shape (..., k) each.

    Args:
        lines: along which the slopes are.
        theta: θ, shape (n,).
        gradient: the slopes.
        loss: J(θ), shape (..., 1).
    """
    still = still_slopes(lines, theta, loss)
    terms = terms_of(gradient, lines.sizes(theta), still)
    return terms, magnitude_of(lines.layout, gradient.measured, terms, still)


def terms_of(gradient: OneSidedGradient, sizes: Vector, still: Vector) -> Vector:
    """Return the size of the terms of each slope, shape (..., k).

    Where a slope cancels to zero, as at a minimum, its terms are not known. The slope a step away is: |∂²J| times the
    longest step, 4h, that was measured, or times |θᵢ| where that is less. The slope at θ is zero beside it, not because
    nothing depends on θ.

    Args:
        gradient: the slopes.
        sizes: |θᵢ|, 0 where it says nothing, shape (k,).
        still: the same along lines where no loss has changed, shape (..., k): see `still_slopes`.
    """
    measured = gradient.measured
    slope = np.maximum(np.abs(measured.lower), np.abs(measured.upper))
    # At a kink the difference of the two sides is the jump, and no curvature.
    longest = 4 * measured.step
    distance = np.where(sizes > 0, np.minimum(longest, sizes), longest)
    away = np.where(measured.upper > measured.lower, 0.0, gradient.curvature * distance)
    terms = finite_numbers(np.fmax(slope, away), infinite=0.0)
    return np.where(measured.magnitude == 0, still, terms)


def still_slopes(lines: Lines, theta: Vector, loss: Vector) -> Vector:
    """Return the slopes along which J would move by all of itself, where θ moves by its own size; shape (..., k).

    Where J does not move at all, an error of the gradient is compared with these.
    """
    return np.asarray(finite_numbers(np.abs(loss)) / np.maximum(lines.sizes(theta), 1.0))


def magnitude_of(layout: Layout, measured: Measurement, terms: Vector, still: Vector) -> Vector:
    """Return the magnitude of each slope, below a fraction of which an error is negligible; shape (..., k).

    It is the size of its terms. In a tensor whose slopes are all within the noise (the bias in front of a softmax,
    whose gradient cancels to zero) it is the largest of all tensors: such a tensor is zero beside the others, and is
    counted as verified only where its own terms are seen (`xcheck.compare.coverage`). Where all slopes are within the
    noise, and all terms, J does not move: then errors are compared with J itself.

    Args:
        layout: the tensors.
        measured: the slopes.
        terms: see `terms_of`, shape (..., k).
        still: see `still_slopes`, shape (..., k).
    """
    slope = np.maximum(np.abs(measured.lower), np.abs(measured.upper))
    magnitude = terms.copy()
    for tensor in layout:
        if tensor.name == DIRECTIONS:
            # At a kink the slopes to both sides may cancel, although J moves along the direction.
            magnitude[..., tensor.span] = finite_numbers(measured.magnitude[..., tensor.span], infinite=0.0)
    with np.errstate(invalid="ignore"):
        seen, moves = slope > CERTAIN * measured.bar, terms > CERTAIN * measured.bar
    largest = np.broadcast_to(magnitude.max(axis=-1, keepdims=True, initial=0.0), slope.shape)
    nothing_moves = ~(seen | moves).any(axis=-1, keepdims=True)
    largest = np.where(nothing_moves, np.maximum(largest, _STILL * still), largest)
    magnitude = np.where(layout.largest(seen.astype(np.float64)) > 0, magnitude, largest)
    # Where J jumps its slopes are infinite, which is no yardstick; yet J moves there.
    unbounded = np.isinf(slope)
    if unbounded.any():
        magnitude[unbounded] = np.fmax(np.abs(measured.value[unbounded]), np.finfo(np.float64).tiny)
    # A slope along which no loss has changed is zero for certain.
    return np.where(measured.magnitude > 0, magnitude, 0.0)


def estimates_of(
    engine: FunctionEngine,
    lines: Lines,
    gradient: OneSidedGradient,
    noise: Vector,
    roundoffs: Mapping[str, float],
    *,
    name: str,
    seconds: float,
) -> list[Estimate]:
    """Return the gradient with its bars, and the statistics of how it was measured: an estimate for every output.

    Args:
        engine: what the losses were evaluated with, of one function or of several outputs at once.
        lines: along which the slopes are.
        gradient: the slopes, shape (k,), or (outputs, k).
        noise: σ of J, shape (k,), or (outputs, k).
        roundoffs: unit roundoff of each tensor of θ.
        name: of the engine, as in reports.
        seconds: wall time of all of it.
    """
    columns, floor = _columns_of(engine, lines, gradient), rounding_floor(lines, engine.theta, gradient, roundoffs)
    floors, noises = np.atleast_2d(floor), np.atleast_2d(noise)
    kinks = np.atleast_2d((gradient.kink == 0) & ~gradient.steep).sum(axis=-1).tolist()
    step = _median(gradient.measured.step) if len(gradient.measured.step) else 0.0
    return [
        Estimate(
            **{each: column[..., row, :] for each, column in columns.items()},
            spread=np.zeros(floors.shape[-1]),
            near=True,  # any subgradient will do: nothing is known about what a function does at its kinks
            loss=loss,
            rounding=Rounding(floors[row], _loss_floor(noises[row], loss, roundoffs, engine.roundoff)),
            trace=Trace.empty(),
            ties=kinks[row],
            engine=name,
            predicted={},
            audits=(),
            referred=0,
            refereed=0,
            difference="central",
            epsilon=step,
            evaluations=engine.evaluations,
            seconds=seconds / len(kinks),
            compile_seconds=0.0,
        )
        for row, loss in enumerate(engine.losses.ravel().tolist())
    ]


def _median(values: Vector) -> float:
    """Return the median of numbers that are no nan; NumPy's own takes as long as the loss of a small function."""
    ordered = np.sort(values)
    return float((ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2)


def _columns_of(engine: FunctionEngine, lines: Lines, gradient: OneSidedGradient) -> dict[str, Any]:
    """Return by name what an estimate says of each slope, shape (..., outputs, k) each, for one output at least."""
    measured = gradient.measured
    terms, magnitude = measure_of_errors(lines, engine.theta, gradient, engine.losses)
    columns = {
        "value": measured.value,
        "error_bar": measured.bar,
        "lower": measured.lower,
        "upper": measured.upper,
        "magnitude": magnitude,
        "terms": terms,
        "fitted": gradient.fitted,
    }
    several = measured.conventions.reshape(len(measured.conventions), -1, measured.value.shape[-1])
    return {**{name: np.atleast_2d(column) for name, column in columns.items()}, "conventions": several}


def _loss_floor(noise: Vector, loss: float, roundoffs: Mapping[str, float], roundoff: float) -> float:
    coarsest = max(roundoffs.values(), default=FLOAT64)
    level = float(noise.max(initial=0.0)) * coarsest / roundoff
    # Two losses of different programs may differ by many roundings: 64 of those that were measured.
    return 64 * level + rounding(coarsest) * abs(loss)


def nothing_measured(layout: Layout) -> Estimate:
    """Return the estimate of a function that no differences could be taken of: every value is unknown."""
    unknown, zero = np.full(layout.size, np.nan), np.zeros(layout.size)
    return Estimate(
        value=unknown,
        error_bar=unknown,
        lower=unknown,
        upper=unknown,
        conventions=unknown[None],
        spread=zero,
        near=True,
        magnitude=zero,
        terms=zero,
        loss=np.nan,
        rounding=Rounding(zero, 0.0),
        trace=Trace.empty(),
        ties=0,
        engine="none",
        predicted={},
        audits=(),
        referred=0,
        refereed=0,
        difference="central",
        epsilon=0.0,
        evaluations=0,
        seconds=0.0,
        compile_seconds=0.0,
    )
