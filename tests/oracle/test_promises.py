"""What xcheck promises, over 216 random networks with half a million components, up to 12,895 in one.

Every activation and loss, l2 from 0 to 1000, 1 to 256 examples, weights a tenth to three times as large as usual.
"""

from typing import Any

import numpy as np
import pytest

from xcheck import Problem
from xcheck.compare import Comparer, Evaluation, Tolerance
from xcheck.network import ACTIVATIONS
from xcheck.oracle import EngineName, Estimate, OracleOptions, numerical_gradient
from xcheck.testing import large_scenario
from xcheck_numpy.network import NetworkObjective

SHAPES, DRAWS = range(27), range(8)
MILLIONTH, HUNDRED_MILLIONTH = 1e-6, 1e-8


def engine_for(problem: Problem, draw: int) -> EngineName:
    """All engines take their turn; the whole network is run for every component of small ones only."""
    if draw == 0 and problem.layout.size < 2_000:
        return "batched"
    return "structured" if draw % 2 else "node"


def witness(problem: Problem) -> Evaluation:
    """What hand-written backpropagation says."""
    return Evaluation("numpy", *NetworkObjective(problem, np.float64).loss_and_gradient(problem.theta))


@pytest.mark.parametrize("number", SHAPES)
def test_promises(number: int) -> None:
    """No bar is exceeded, no correct gradient is doubted, and a single component that is slightly wrong is found.

    All at once, because measuring a network takes longer than everything else. The promise is that fewer than one bar
    in 100,000 is exceeded, of errors of 1e-6 all and of errors of 1e-8 nine in ten are found.
    """
    shares = []
    for problem in (large_scenario(number, draw) for draw in DRAWS):
        estimate = numerical_gradient(problem, OracleOptions(engine=engine_for(problem, problem.seed)))
        assert (errors(problem, estimate) <= estimate.error_bar).all(), problem.name
        pair = Comparer(estimate, problem.layout, Tolerance()).with_oracle(witness(problem))
        assert (pair.verdict, pair.wrong, pair.undecided) == ("AGREE", 0, 0), problem.name
        assert found(problem, estimate, MILLIONTH, Tolerance()) == 1.0, problem.name
        shares.append(found(problem, estimate, HUNDRED_MILLIONTH, Tolerance(relative=1e-10)))
    assert np.mean(shares) >= 0.9


def errors(problem: Problem, estimate: Estimate) -> Any:
    """How far the slopes in extended precision lie outside of the oracle's."""
    exact = NetworkObjective(problem, np.longdouble).compute(problem.theta)[1]
    return np.maximum(np.maximum(estimate.lower - exact, exact - estimate.upper), 0.0)


def found(problem: Problem, estimate: Estimate, relative: float, tolerance: Tolerance) -> float:
    """The share of ten components that are called wrong when they are off by so much, each alone."""
    comparer, evaluation = Comparer(estimate, problem.layout, tolerance), witness(problem)
    largest = problem.layout.largest(np.abs(evaluation.gradient))
    visible = np.flatnonzero((np.abs(evaluation.gradient) >= 1e-3 * largest) & (largest > 0))
    chosen = np.random.default_rng(0).choice(visible, min(10, len(visible)), replace=False)
    outcomes = []
    for place in chosen:
        gradient = evaluation.gradient.copy()
        gradient[place] *= 1 + relative
        pair = comparer.with_oracle(Evaluation("numpy", evaluation.loss, gradient))
        outcomes.append(pair.wrong == 1 and pair.worst[0].location.flat == place)
    return float(np.mean(outcomes))


def test_the_networks_meet_everything() -> None:
    """Half a million components, 200 networks, every activation, a network of 12,000."""
    problems = [large_scenario(number, draw) for number in SHAPES for draw in DRAWS]
    assert len(problems) >= 200
    assert sum(problem.layout.size for problem in problems) > 500_000
    assert max(problem.layout.size for problem in problems) > 12_000
    assert {layer.activation for problem in problems for layer in problem.network.layers} == set(ACTIVATIONS)
    assert {problem.network.l2 for problem in problems} == {0.0, 0.7, 1000.0}
    assert {1, 256} <= {problem.examples for problem in problems}
