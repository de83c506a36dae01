"""The referee: what differences leave undecided, or call wrong, is decided by proved slopes of those lines.

A slope that is proved has no step and no noise: in the place of the oracle's it decides with nothing but the rounding
of the gradient itself. Lines at a kink stay as they are, and so does everything where nothing can be proved.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from xcheck.certificates.claims import allowed_error
from xcheck.checks.proof import is_same_loss
from xcheck.checks.prover import Prover
from xcheck.dtypes import FLOAT64
from xcheck.layout import Vector, unit_directions
from xcheck.oracle import Estimate
from xcheck.oracle.columns import Indices
from xcheck.oracle.engines.lines import Lines
from xcheck.trace import UntraceableError

# Lines that are decided so: a guess. Where more are open, the function itself is to blame, and 64 show it.
_MOST = 64
# Slopes that are proved at a time: each takes the memory of one more evaluation.
_AT_ONCE = 16


def decide(
    estimate: Estimate,
    lines: Lines,
    open_lines: Indices,
    prover: Prover,
    roundoff: float,
    confirming: Sequence[Vector] = (),
) -> tuple[Estimate, int]:
    """Return the estimate with proved slopes where they could be had, and how many.

    Args:
        estimate: the oracle's slopes along the lines.
        lines: what was differenced.
        open_lines: which of them are open, the most important first.
        prover: proves slopes of the same function.
        roundoff: unit roundoff of what the witnesses compute in.
        confirming: slopes that are claimed along the lines, where proved ones count only if they confirm them all.
    """
    # Another function has other slopes.
    if not open_lines.size or not is_same_loss(prover.loss, estimate.loss, FLOAT64):
        return estimate, 0
    rows = open_lines[: min(_MOST, prover.affordable)]
    if not rows.size:
        return estimate, 0
    directions = np.stack([_direction(lines, int(row)) for row in rows])
    slopes, spread = _slopes(prover, directions), prover.spread(prover.name, directions)
    known = np.isfinite(slopes)
    if spread is None or not known.any():
        return estimate, 0
    noise = allowed_error(prover.roundoff(prover.name, roundoff), spread, np.abs(slopes))
    with np.errstate(invalid="ignore"):
        known &= np.all([np.abs(claimed[rows] - slopes) <= noise for claimed in confirming] or [known], axis=0)
    return _with_slopes(estimate, rows[known], slopes[known], noise[known]), int(known.sum())


def _direction(lines: Lines, row: int) -> Vector:
    count = len(lines.components)
    if row >= count:
        return lines.directions.row(row - count)
    return unit_directions([lines.components[row]], lines.whole.size)[0]


def _slopes(prover: Prover, directions: Vector) -> Vector:
    """Return the proved slopes, rounded to float64; nan where there is a kink, or nothing could be proved."""
    found = np.full(len(directions), np.nan)
    for start in range(0, len(directions), _AT_ONCE):
        part = directions[start : start + _AT_ONCE]
        try:
            proved = prover.slopes(part)
        except UntraceableError:
            continue
        left = proved.slopes if proved.left is None else proved.left
        pairs = [(float(one), float(other)) for one, other in zip(proved.slopes, left, strict=True)]
        found[start : start + len(part)] = [one if one == other else np.nan for one, other in pairs]
    return found


def _with_slopes(estimate: Estimate, rows: Indices, slopes: Vector, noise: Vector) -> Estimate:
    """Return the estimate with these slopes, as sharp as float64 holds them."""
    part = estimate.take(rows)
    rounding = replace(part.rounding, gradient=noise)
    proved = replace(
        part,
        value=slopes,
        error_bar=np.spacing(np.abs(slopes)),
        lower=slopes,
        upper=slopes,
        conventions=np.broadcast_to(slopes, part.conventions.shape).copy(),
        spread=np.zeros_like(slopes),
        rounding=rounding,
        # Terms that cancel may be larger than what is left of them.
        magnitude=np.fmax(part.magnitude, np.abs(slopes)),
        terms=np.fmax(part.terms, np.abs(slopes)),
    )
    return estimate.put(rows, proved)
