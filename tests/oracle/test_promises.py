"""What xcheck promises, over 216 random networks with half a million components, up to 12,895 in one.

Every activation and loss, l2 from 0 to 1000, 1 to 256 examples, weights a tenth to three times as large as usual.
"""

import numpy as np
import pytest

from benchmarks.suites.promises import HUNDRED_MILLIONTH, MILLIONTH, errors, found, witness
from xcheck import Problem
from xcheck.compare.comparer import Comparer
from xcheck.compare.tolerance import Tolerance
from xcheck.networks.network import ACTIVATIONS, LOSSES
from xcheck.oracle import EngineName, OracleOptions, numerical_gradient
from xcheck.testing import large_scenario

pytestmark = pytest.mark.usefixtures("optimised")

SHAPES, DRAWS = range(27), range(8)


def engine_for(problem: Problem, number: int, draw: int) -> EngineName:
    """All engines take their turn; the whole network is run for every component of small ones only.

    Those of one shape share their compiled code, which takes longer than to measure them: so they share the engine.
    """
    if draw == 0 and problem.layout.size < 2_000:
        return "batched"
    return "node" if number // 3 % 2 else "structured"


@pytest.mark.parametrize("number", SHAPES)
def test_promises(number: int) -> None:
    """No bar is exceeded, no correct gradient is doubted, and a single component that is slightly wrong is found.

    All at once, because measuring a network takes longer than everything else. The promise is that fewer than one bar
    in 100,000 is exceeded, of errors of 1e-6 all and of errors of 1e-8 nine in ten are found.
    """
    shares = []
    for draw in DRAWS:
        problem = large_scenario(number, draw)
        estimate = numerical_gradient(problem, OracleOptions(engine=engine_for(problem, number, draw)))
        assert (errors(problem, estimate) <= estimate.error_bar).all(), problem.name
        pair = Comparer(estimate, problem.layout, Tolerance()).with_oracle(witness(problem))
        assert (pair.verdict, pair.wrong, pair.undecided) == ("AGREE", 0, 0), problem.name
        assert found(problem, estimate, MILLIONTH, Tolerance()) == 1.0, problem.name
        shares.append(found(problem, estimate, HUNDRED_MILLIONTH, Tolerance(relative=1e-10)))
    assert np.mean(shares) >= 0.9


def test_the_networks_meet_everything() -> None:
    """Half a million components, 200 networks, every activation, a network of 12,000."""
    problems = [large_scenario(number, draw) for number in SHAPES for draw in DRAWS]
    assert len(problems) >= 200
    assert sum(problem.layout.size for problem in problems) > 500_000
    assert max(problem.layout.size for problem in problems) > 12_000
    assert {layer.activation for problem in problems for layer in problem.network.layers} == set(ACTIVATIONS)
    assert {problem.network.l2 for problem in problems} == {0.0, 0.7, 1000.0}
    assert {1, 256} <= {problem.examples for problem in problems}


@pytest.mark.parametrize("engine", ["structured", "node"])
def test_every_engine_meets_everything(engine: EngineName) -> None:
    """Each of the two that take short cuts has its share: every activation, loss, depth and number of examples."""
    problems = [
        problem
        for number in SHAPES
        for draw in DRAWS
        if engine_for(problem := large_scenario(number, draw), number, draw) == engine
    ]
    assert sum(problem.layout.size for problem in problems) > 100_000
    assert {layer.activation for problem in problems for layer in problem.network.layers} == set(ACTIVATIONS)
    assert {problem.network.loss for problem in problems} == set(LOSSES)
    assert {len(problem.network.layers) for problem in problems} == {2, 3, 4, 5}
    assert {problem.examples for problem in problems} == {1, 8, 64, 256}
