"""The sweep of one component over all steps, and the kinks that it crosses."""

import math
from dataclasses import replace

import pytest

import xcheck
from tests.checks.explain.test_explain import relu_network
from xcheck.backend import registry
from xcheck.checks.explain.component import component_of
from xcheck.checks.explain.sweep import nearest_kink, sweep_steps
from xcheck.checks.networks.check import natural_engine
from xcheck.networks.network import Dense, Network
from xcheck.networks.problem import Problem


def test_the_sweep_is_a_v(problem: Problem) -> None:
    """Truncation falls like h², roundoff rises like 1/h, and between them D(h) meets the oracle."""
    found = xcheck.explain(problem, "W3[2, 1]", backends=["numpy"])
    off = [abs(step.central - found.value) for step in found.steps]
    assert [round(math.log10(step.h)) for step in found.steps] == list(range(-1, -13, -1))
    assert 50 < off[0] / off[1] < 200
    assert min(off) < 1e-10
    assert off[-1] > 1e-6


@pytest.mark.parametrize(("name", "distance"), [("W1[0, 0]", -0.03125), ("b1[0]", -0.03125), ("W2[0, 0]", math.nan)])
def test_the_nearest_kink_is_found(name: str, distance: float) -> None:
    """z = 1/32: the unit stops when its weight or bias shrinks by so much; above it nothing has a kink."""
    problem = relu_network(bias=-0.21875)
    found = nearest_kink(problem, component_of(problem.layout, name), 0.1)
    assert found == pytest.approx(distance, abs=1e-12, nan_ok=True)


def test_the_sweep_crosses_the_kink() -> None:
    """The real loss is differenced, and no piece continued: with a step beyond the kink D(h) is off."""
    problem = relu_network(bias=-0.21875)
    found = xcheck.explain(problem, "W1[0, 0]", backends=["numpy"])
    assert abs(found.steps[0].central - found.value) > 0.1 * abs(found.value)
    assert abs(found.steps[2].central - found.value) < 1e-6


def test_the_loss_of_the_sweep_is_that_of_the_witnesses(problem: Problem) -> None:
    """With its penalties and its dropout."""
    loss, _ = registry.get("numpy").network_objective(problem).loss_and_gradient(problem.theta)
    assert natural_engine(problem).losses[0] == pytest.approx(loss, rel=1e-14)


def test_a_weight_at_the_kink_of_its_penalty(problem: Problem) -> None:
    """|w| has its kink at w = 0."""
    flat = component_of(problem.layout, "W1[0, 0]")
    theta = problem.theta.copy()
    theta[flat] = 1e-5
    assert nearest_kink(replace(problem, theta=theta), flat, 0.1) == pytest.approx(-1e-5)


def test_a_step_that_vanishes_has_no_slope() -> None:
    """1e-12 beside 1e6 cannot be taken."""
    network = Network(inputs=1, layers=(Dense(units=1),), loss="mean_squared_error")
    problem = Problem.create(network, [[1.0]], [[0.0]], theta=[1e6, 0.0])
    steps = sweep_steps(natural_engine(problem), 0, 1.0)
    assert math.isnan(steps[-1].central)
