"""Residuals that are multiples of θ or of its signs; of functions it is not claimed that they have a penalty."""

from functools import partial

import numpy as np
import pytest

from tests.diagnose.rules.conftest import W, causes, evidence_in_network, evidence_of, explaining, texts
from xcheck import check
from xcheck.diagnose.rules.penalties import penalty
from xcheck.layout import Vector
from xcheck.networks.problem import Problem

THETA = np.random.default_rng(1).standard_normal(W.shape)


def test_of_a_function_nobody_knows_which_side_has_the_term() -> None:
    """The residual is stated first, and what it may come from."""
    evidence = evidence_of({"W": W + 0.1 * THETA}, {"W": W}, {"W": THETA})
    (said,) = texts(evidence, penalty(evidence))
    assert said == (
        "gradient − oracle = 0.1 θ, as if an L2 penalty were in the gradient and not in the loss, or the other way "
        "round"
    )


def test_signs_are_told_from_values() -> None:
    """An L1 term has one size everywhere."""
    evidence = evidence_of({"W": W + 0.1 * np.sign(THETA)}, {"W": W}, {"W": THETA})
    (found,) = explaining(evidence, penalty(evidence))
    assert found.code == "XC214"
    assert found.text.startswith("gradient − oracle = 0.1 sign θ, as if an L1 penalty were in the gradient")


def scaled(factor: float, gradient: dict[str, Vector], problem: Problem) -> None:
    """Scale the penalty's share of the weights."""
    theta = problem.layout.unflatten(problem.theta)
    for tensor in problem.layout:
        if tensor.role == "weight":
            share = problem.network.l2 / problem.examples * theta[tensor.name]
            gradient[tensor.name] += (factor - 1) * share


@pytest.mark.parametrize(
    ("factor", "what"), [(0.0, "is missing"), (2.0, "is counted twice"), (-1.0, "has the opposite sign")]
)
def test_the_penalty_of_a_network_is_missing_or_counted_twice(factor: float, what: str) -> None:
    """In all weights together."""
    evidence = evidence_in_network(partial(scaled, factor), l2=0.7)
    (said,) = texts(evidence, penalty(evidence))
    assert said.startswith(f"the L2 penalty {what}: gradient − oracle = ")


def test_a_penalty_on_biases_is_told_by_their_role() -> None:
    """Weights are right."""

    def spoil(gradient: dict[str, Vector], problem: Problem) -> None:
        theta = problem.layout.unflatten(problem.theta)
        for tensor in problem.layout:
            if tensor.role == "bias":
                gradient[tensor.name] += 0.01 * theta[tensor.name]

    evidence = evidence_in_network(spoil)
    (found,) = explaining(evidence, penalty(evidence))
    assert (found.code, found.text.partition(":")[0]) == ("XC213", "the penalty is applied to a bias, too")


def test_a_constant_is_no_penalty() -> None:
    """Where all θ are positive, their signs are a constant."""
    x = np.abs(np.random.default_rng(0).standard_normal(6))
    report = check(lambda x: float((x**3).sum()), x, gradient=lambda x: 3 * x**2 + 0.1)
    assert causes(report) == {"XC200"}
