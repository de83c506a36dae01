"""Where two losses part: the first layer whose activations differ, or a term of the loss."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.fakes import Answering, Fake, numpy_answer
from xcheck import Report, verify
from xcheck.backend import registry
from xcheck.backend.contract import Objective
from xcheck.dtypes import DtypeName
from xcheck.layout import Vector
from xcheck.networks.problem import Problem
from xcheck_numpy.activations import ACTIVATIONS
from xcheck_numpy.network import NetworkObjective


class Made(Fake):
    """A witness made of a class."""

    name = "mine"

    def __init__(self, make: Callable[[Problem, DtypeName], Objective]) -> None:
        self._make = make

    def network_objective(self, problem: Problem, *, device: str = "cpu", dtype: DtypeName = "float64") -> Objective:
        return self._make(problem, dtype)


def with_methods(**methods: Any) -> Made:
    """The NumPy witness with another step in its forward pass."""
    return Made(type("Spoiled", (NetworkObjective,), methods))


def of(report: Report, code: str) -> str:
    """The one finding with this code."""
    (found,) = [finding.text for finding in report.findings if finding.code == code]
    return found


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax"])
def test_activations_are_those_of_the_network(backend: str, problem: Problem) -> None:
    """Each witness shows what it computes, in its own way: the same in all three."""
    shown = registry.get(backend).network_objective(problem).activations(problem.theta)
    expected = NetworkObjective(problem, "float64").activations(problem.theta)
    assert shown is not None
    assert [np.shape(a) for a in shown] == [a.shape for a in expected]
    for mine, theirs in zip(shown, expected, strict=True):
        np.testing.assert_allclose(np.asarray(mine), theirs, rtol=1e-12, atol=1e-14)


def test_the_first_layer_that_differs_is_named_with_its_activation(problem: Problem) -> None:
    """Silu where relu belongs, in layer 2."""
    activations = {**ACTIVATIONS, "relu": ACTIVATIONS["silu"]}
    spoiled = Made(lambda problem, dtype: NetworkObjective(problem, dtype, activations=activations))
    text = of(verify(problem, backends=[spoiled, "torch"]), "XC261")
    assert text.startswith("mine: the forward pass first differs from the oracle's in layer 2: unit")
    assert "all layers before it are the same" in text
    assert text.endswith("the activation is silu, not relu")


def test_dropout_without_its_scale_is_named(problem: Problem) -> None:
    """Layer 1 is the one that drops."""

    def drop(self: NetworkObjective, a: Vector, number: int) -> Vector:
        mask = self.problem.masks[number]
        return a if mask is None else a * mask

    text = of(verify(problem, backends=[with_methods(drop=drop), "torch"]), "XC261")
    assert "in layer 1" in text
    assert "the 1/keep_prob of dropout is missing" in text


def spoiled_loss(change: Callable[[float, float, int], float]) -> Made:
    """A witness that says another loss and shows no activations: data term, penalty, m -> loss."""

    def make(problem: Problem, dtype: DtypeName) -> Objective:
        answer = numpy_answer(problem, dtype)

        def other(theta: Vector) -> tuple[float, Vector]:
            loss, gradient = answer(theta)
            network, m = problem.network, problem.examples
            weights = [a for name, a in problem.layout.unflatten(theta).items() if name.startswith("W")]
            squares, sizes = (sum(float(f(W).sum()) for W in weights) for f in (np.square, np.abs))
            penalty = network.l2 / (2 * m) * squares + network.l1 / (2 * m) * sizes
            return change(loss - penalty, penalty, m), gradient

        return Answering("mine", problem.layout.size, other)

    return Made(make)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data, penalty, m: data, "the penalty is missing"),
        (lambda data, penalty, m: data + 2 * penalty, "the penalty is counted twice"),
        (lambda data, penalty, m: data + m * penalty, "the penalty lacks its 1/m"),
        (lambda data, penalty, m: m * data + penalty, "the loss of the examples is summed over the examples"),
        (lambda data, penalty, m: (data + penalty) / 2, "the whole loss is halved"),
        (lambda data, penalty, m: data / np.log(2) + penalty, "a logarithm to base 2"),
    ],
)
def test_the_formula_of_the_loss(change: Callable[[float, float, int], float], said: str, problem: Problem) -> None:
    """Known by the numbers alone, without activations."""
    assert said in of(verify(problem, backends=[spoiled_loss(change), "torch"]), "XC262")


def test_what_is_not_known_is_not_said(problem: Problem) -> None:
    """A loss that is off by anything has no formula, and its gradient no cause."""
    report = verify(problem, backends=[spoiled_loss(lambda data, penalty, m: 1.2345 * data + penalty), "torch"])
    assert [finding.code for finding in report.findings] == ["XC101"]


RUBBISH: list[Any] = [["a", "b"], 3, [np.zeros(2)], "words"]


@pytest.mark.parametrize("shown", RUBBISH, ids=str)
def test_rubbish_for_activations_hurts_nobody(shown: Any, problem: Problem) -> None:
    """The formula of the loss is told all the same."""

    def make(problem: Problem, dtype: DtypeName) -> Objective:
        answer = numpy_answer(problem, dtype)

        class Showing(Answering):
            def activations(self, theta: Vector) -> Any:
                return shown

        return Showing("mine", problem.layout.size, lambda theta: (2 * answer(theta)[0], answer(theta)[1]))

    report = verify(problem, backends=[Made(make), "torch"])
    assert "XC101" in {finding.code for finding in report.findings}


def test_nothing_to_show_is_no_failure(problem: Problem) -> None:
    """A witness without activations."""
    report = verify(problem, backends=[spoiled_loss(lambda data, penalty, m: data), "torch"])
    assert {"XC101", "XC262"} <= {finding.code for finding in report.findings}
