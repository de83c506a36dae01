"""Residual: whether the error of a witness's gradient moves smoothly with θ, as that of a wrong formula does.

It is the same question as `checks/functions/residual.py` asks; a declared network is differenced once more, beside θ.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from xcheck.backend.contract import Objective
from xcheck.checks.answer import Answer
from xcheck.compare.comparer import Comparer
from xcheck.diagnose.probes import Probes, change_of_residual, point_beside
from xcheck.networks.problem import Problem
from xcheck.oracle import OracleOptions, numerical_gradient


def make_probes(
    answers: Sequence[Answer[Objective]], problem: Problem, comparer: Comparer, options: OracleOptions
) -> dict[str, Probes]:
    """Return what may be asked of each witness, by its name: how its residual moves. Until then it costs nothing.

    Args:
        answers: the witnesses, with what they have said at θ.
        problem: the network at θ.
        comparer: holds them against the oracle.
        options: of the oracle.
    """
    return {
        answer.name: Probes(shift=partial(_shift, answer.objective, problem, comparer, options))
        for answer in answers
        if answer.objective is not None
    }


@np.errstate(all="ignore")  # a network may overflow where θ was moved to
def _shift(
    objective: Objective, problem: Problem, comparer: Comparer, options: OracleOptions, step: float
) -> float | None:
    """Return ‖e' − e‖/‖e‖ where each component of θ is moved by `step` of itself; None where too little is known."""
    theta = problem.theta
    beside = point_beside(theta, step)
    try:
        here, there = (objective.loss_and_gradient(point)[1] for point in (theta, beside))
    except Exception:  # noqa: BLE001 - a witness that fails beside θ is judged at θ
        return None
    first, second = comparer.estimate, numerical_gradient(replace(problem, theta=beside), options)
    before, after = np.asarray(here) - first.value, np.asarray(there) - second.value
    return change_of_residual(before, after, first.error_bar + second.error_bar)
