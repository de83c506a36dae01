"""The referee: extended precision settles what the oracle left open, and corrects the oracle itself."""

from dataclasses import replace

import numpy as np
import pytest

from xcheck import Dense, Network, Problem, verify
from xcheck.compare.comparer import Comparer
from xcheck.compare.evaluation import Evaluation
from xcheck.compare.tolerance import Tolerance
from xcheck.layout import Vector
from xcheck.oracle import Estimate, OracleOptions, numerical_gradient
from xcheck.oracle.extended_precision import count_affordable, remeasure, remeasure_worst
from xcheck.testing import scenario
from xcheck_numpy.network import NetworkObjective

pytestmark = pytest.mark.skipif(count_affordable(scenario(20)) == 0, reason="longdouble is no longer than float64 here")


def gradient(problem: Problem) -> Vector:
    """The NumPy witness's."""
    return NetworkObjective(problem, np.float64).loss_and_gradient(problem.theta)[1]


def spoiled(problem: Problem, places: list[int], *, bar: float = 0.0, shift: float = 0.0) -> Estimate:
    """The oracle with wider bars, or wrong values, in some places."""
    estimate = numerical_gradient(problem, OracleOptions(engine="structured"))
    value, error_bar = estimate.value.copy(), estimate.error_bar.copy()
    value[places] += shift
    error_bar[places] += bar
    return replace(estimate, value=value, lower=value, upper=value, error_bar=error_bar)


def test_what_was_undecided_is_decided() -> None:
    """Bars of a thousandth are replaced by bars below 1e-10; what was known better is left alone."""
    problem = scenario(20)
    before = spoiled(problem, [3, 5], bar=1e-3)
    after = remeasure(problem, before, np.array([3, 5, 7]), tolerance=1e-7)
    assert (after.error_bar[[3, 5]] < 1e-10).all()
    assert after.error_bar[7] <= before.error_bar[7]
    assert (np.abs(after.value - gradient(problem)) <= after.error_bar + after.rounding.gradient).all()
    assert after.refereed == 3
    assert after.evaluations > before.evaluations


def test_a_wrong_oracle_is_corrected() -> None:
    """Values that contradict the referee beyond both bars do not stand, however narrow their bars."""
    problem = scenario(20)
    after = remeasure(problem, spoiled(problem, [3, 5], shift=1e-4), np.array([3, 5]), tolerance=1e-7)
    assert (np.abs(after.value - gradient(problem)) <= after.error_bar + after.rounding.gradient).all()


def test_only_what_is_in_dispute_is_refereed() -> None:
    """Undecided components, and ones slightly out of bounds; not a component that is twice what it should be."""
    problem = scenario(20)
    g = gradient(problem)
    largest = int(np.argmax(np.abs(g)))
    g[largest] *= 2
    place = int(np.argsort(-np.abs(g))[1])
    comparer = Comparer(spoiled(problem, [place], bar=1.0), problem.layout, Tolerance())
    disputes = comparer.disputes(Evaluation("numpy", numerical_gradient(problem).loss, g))
    assert np.flatnonzero(disputes).tolist() == [place]


def test_the_worst_disputes_come_first() -> None:
    """Where there are more than the referee can take on, it takes the worst."""
    problem = scenario(20)
    disputes = np.arange(float(problem.layout.size))
    before = spoiled(problem, list(range(problem.layout.size)), bar=1.0)
    after = remeasure_worst(problem, before, disputes, tolerance=1e-7)
    assert np.flatnonzero(after.error_bar < before.error_bar).tolist() == list(
        range(problem.layout.size - 64, problem.layout.size)
    )
    assert remeasure_worst(problem, before, 0 * disputes, tolerance=1e-7) is before


def test_an_ordinary_check_needs_no_referee() -> None:
    """Nothing is in dispute where everything agrees, nor where a witness is plainly wrong."""
    assert verify(scenario(20), backends=["numpy"]).oracle.refereed == 0


def test_large_networks_get_fewer_cases() -> None:
    """The referee takes seconds, not hours: at least one component, at most 64."""
    network = Network(inputs=784, layers=(Dense(units=1024), Dense(units=10)), loss="mean_squared_error")
    large = Problem.create(network, np.zeros((64, 784)), np.zeros((64, 10)))
    assert 1 <= count_affordable(large) < count_affordable(scenario(20)) == 64
