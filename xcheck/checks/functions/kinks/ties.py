"""Ties: a gradient is held against slopes along directions that move several components at kinks together.

Component by component it may be between the two slopes everywhere and be no subgradient; the mathematics is in
`xcheck.oracle.estimators.kinks.ties`.
"""

from collections.abc import Sequence

import numpy as np

from xcheck.backend.function_objective import FunctionObjective
from xcheck.checks.answer import Answer
from xcheck.checks.functions.oracle import OracleRun
from xcheck.compare.comparer import Comparer
from xcheck.findings import NO_SUBGRADIENT, Finding
from xcheck.layout import Layout, Vector
from xcheck.oracle.estimators.kinks.ties import TiedSlopes
from xcheck.oracle.function_estimate import rounding
from xcheck.oracle.surroundings import measure_tied_slopes
from xcheck.text import join_names

# Components that a sentence names before it counts the others.
_NAMED = 4


def refute_at_ties(run: OracleRun, comparer: Comparer, answers: Sequence[Answer[FunctionObjective]]) -> None:
    """Note in each answer whose gradient claims a slope that the loss does not have where several components tie.

    Args:
        run: what the oracle says.
        comparer: holds gradients against it.
        answers: those to be noted in.
    """
    tied_slopes = [] if run.oracle is None else measure_tied_slopes(run.oracle)
    if not tied_slopes:
        return
    for answer in answers:
        evaluation = answer.evaluation
        # What is wrong by itself needs no second reason, and what is random has no gradient.
        if evaluation is None or evaluation.again is not None or len(comparer.wrong(run.along(evaluation))):
            continue
        margin = max(comparer.tolerance, rounding(comparer.roundoff))
        outside = [tied for tied in tied_slopes if _is_outside(tied, evaluation.gradient, margin)]
        if outside:
            # The one with fewest components says most about where.
            clearest = min(outside, key=lambda tied: np.count_nonzero(tied.direction))
            answer.refuted = True
            answer.findings.append(_finding(answer.name, clearest, evaluation.gradient, run.lines.whole))


def _is_outside(tied: TiedSlopes, gradient: Vector, margin: float) -> bool:
    claim = tied.claimed(gradient)
    allowed = margin * max(abs(claim), tied.scale)
    # A slope that is not known, or not finite, refutes nothing.
    return bool(claim < tied.lower - allowed or claim > tied.upper + allowed)


def _finding(name: str, tied: TiedSlopes, gradient: Vector, layout: Layout) -> Finding:
    moved = np.flatnonzero(tied.direction)
    signed = [
        f"{'-' if tied.direction[place] < 0 else '+'}{layout.locate(int(tied.components[place]))}" for place in moved
    ]
    rest = [f"{len(signed) - _NAMED} more"] if len(signed) > _NAMED else []
    claim, tensor = tied.claimed(gradient), layout.locate(int(tied.components[moved[0]])).name
    text = (
        f"{name}: at a kink of several components each is between its own two slopes, and together they are not: "
        f"moved together ({join_names([*signed[:_NAMED], *rest])}) the loss has slopes in "
        f"[{tied.lower:.5g}, {tied.upper:.5g}], and the gradient claims {claim:.5g}: where entries are equal, one "
        "slope must be given to one of them, or divided among them"
    )
    return Finding(code=NO_SUBGRADIENT, text=text, tensor=tensor, value=claim)
