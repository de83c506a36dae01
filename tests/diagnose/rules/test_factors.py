"""Multiples of a gradient, or of the examples' share of it, with the number that the factor is."""

import numpy as np
import pytest

from tests.diagnose.rules.conftest import V, W, evidence_in_network, evidence_of, explaining, spoiled, texts
from xcheck.diagnose.rules.factors import constant_factor, data_factor, format_factor
from xcheck.layout import Vector
from xcheck.networks.network import Dense, Network
from xcheck.networks.problem import Problem


@pytest.mark.parametrize(
    ("factor", "text"),
    [(-1.0, "the opposite sign of what it should be"), (1.001, "1.001 x what it should be"), (7.0, "7 x what")],
)
def test_one_factor_is_found_in_all_tensors(factor: float, text: str) -> None:
    """Together, and with the digits that tell it from 1."""
    evidence = evidence_of({"V": factor * V, "W": factor * W}, {"V": V, "W": W})
    (said,) = texts(evidence, constant_factor(evidence))
    assert said.startswith(text)


def test_a_factor_is_named_after_the_length_that_it_is() -> None:
    """Nothing was fitted then."""
    evidence = evidence_of({"V": V / 7}, {"V": V}, lengths={7: "axis 0 of data[0]"})
    (found,) = explaining(evidence, constant_factor(evidence))
    assert found.text == "0.142857 x what it should be (1/7, and 7 is axis 0 of data[0])"
    assert found.free == 0


def test_no_factor_explains_what_is_not_a_multiple() -> None:
    """A constant that was added."""
    evidence = evidence_of({"V": V + 1.0}, {"V": V})
    assert texts(evidence, constant_factor(evidence)) == []


def data_times(factor: float, gradient: dict[str, Vector], problem: Problem) -> None:
    """Scale what comes from the examples and leave the penalty."""
    theta = problem.layout.unflatten(problem.theta)
    for tensor in problem.layout:
        name, rate = tensor.name, problem.network.l2 / problem.examples if tensor.role == "weight" else 0.0
        gradient[name] += (factor - 1) * (gradient[name] - rate * theta[name])


def test_the_mean_over_the_examples_is_told_from_a_factor() -> None:
    """The penalty is right, so that the whole is no multiple."""
    evidence = evidence_in_network(lambda g, p: data_times(p.examples, g, p), l2=0.7)
    assert texts(evidence, constant_factor(evidence)) == []
    (found,) = explaining(evidence, data_factor(evidence))
    assert found.code == "XC203"
    assert found.text.startswith("the mean over the examples is missing: the examples' share is ")


def test_biases_alone_are_summed_and_not_averaged() -> None:
    """Told by their role."""

    def spoil(gradient: dict[str, Vector], problem: Problem) -> None:
        for tensor in problem.layout:
            if tensor.role == "bias":
                gradient[tensor.name] *= problem.examples

    evidence = evidence_in_network(spoil)
    (found,) = explaining(evidence, data_factor(evidence))
    assert found.code == "XC206"


@pytest.mark.parametrize(("c", "text"), [(2.0, "2"), (1 + 1e-6, "1.000001"), (1 + 1e-12, "1"), (-0.5, "-0.5")])
def test_a_factor_is_written_so_that_its_difference_from_one_shows(c: float, text: str) -> None:
    """And no rounding."""
    assert format_factor(np.float64(c)) == text


def test_a_coincidence_is_mentioned() -> None:
    """m/(m + 1) is 0.9 with nine examples, and 0.9 is a factor, too."""
    layers = (Dense(units=4, activation="tanh"), Dense(units=2))
    rng = np.random.default_rng(0)
    plain = Network(inputs=3, layers=layers, loss="mean_squared_error")
    problem = Problem.create(plain, rng.standard_normal((9, 3)), rng.standard_normal((9, 2)))
    (finding,) = [one for one in spoiled(problem, lambda g, rng: 0.9 * g).findings if one.code.startswith("XC2")]
    assert "equally well by XC201 (0.9 x" in finding.text
    assert "the penalty is right" not in finding.text
