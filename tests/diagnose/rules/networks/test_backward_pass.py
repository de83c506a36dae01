"""One wrong step of backpropagation: proposed where its layer is wrong, with the place where it was taken."""

from typing import Any

import numpy as np
import pytest

from tests.diagnose.rules.conftest import evidence_in_network, evidence_of, explaining
from xcheck.diagnose import Evidence
from xcheck.diagnose.rules.networks.backprop import Backprop, Steps
from xcheck.diagnose.rules.networks.backward_pass import wrong_steps
from xcheck.layout import Vector
from xcheck.networks.problem import Problem


def evidence_of_steps(make: "Make", **needs: Any) -> Evidence:
    """Return the evidence against a network whose backward pass takes other steps."""

    def spoil(gradient: dict[str, Vector], problem: Problem) -> None:
        right = evidence_in_network(lambda gradient, problem: None, **needs)
        passes = Backprop(right, problem)
        for name, array in problem.layout.unflatten(passes.gradient(make(passes))).items():
            gradient[name][...] = array

    return evidence_in_network(spoil, **needs)


class Make:
    """Makes wrong steps for a backward pass."""

    def __init__(self, **steps: object) -> None:
        self.steps = steps

    def __call__(self, passes: Backprop) -> Steps:
        made = {name: step(passes) for name, step in self.steps.items()}  # type: ignore[operator] # functions
        return Steps(**made)


@pytest.mark.parametrize(
    ("make", "needs", "code", "place"),
    [
        (Make(drop=lambda p: {1: lambda u: u}), {"keep": 0.5}, "XC245", "layer 1"),
        (Make(drop=lambda p: {1: lambda u: 0 * u}), {"depth": 2}, "XC231", "layer 1"),
        (
            Make(bias=lambda p: {1: lambda d: np.resize(d.sum(1) / len(d), d.shape[1])}),
            {"depth": 2},
            "XC239",
            "layer 1",
        ),
        (Make(bias=lambda p: {2: lambda d: np.full(d.shape[1], d.mean(0).sum())}), {"depth": 1}, "XC239", "layer 2"),
        (Make(loss=lambda p: 2 * p.loss_slope + 1), {"loss": "mean_squared_error"}, None, ""),
    ],
)
def test_a_step_is_named_with_its_layer(make: Make, needs: dict[str, Any], code: str | None, place: str) -> None:
    """And a step that nobody takes by habit is not."""
    evidence = evidence_of_steps(make, **needs)
    found = {(each.code, each.place) for each in explaining(evidence, wrong_steps(evidence))}
    assert found == ({(code, place)} if code else set())


def test_an_example_that_is_not_counted_is_found_by_its_share() -> None:
    """Its number is said, and what the sum is divided by."""

    def weights(passes: Backprop) -> Vector:
        m = passes.problem.examples
        return np.where(np.arange(m) == 3, 0.0, m / (m - 1))

    evidence = evidence_of_steps(Make(examples=weights), examples=8)
    (found,) = explaining(evidence, wrong_steps(evidence))
    assert found.text == "example 3 of 8 is not counted (the sum is divided by 7)"


def test_functions_have_no_layers() -> None:
    """Nothing is proposed."""
    assert list(wrong_steps(evidence_of({"w": np.ones(3)}, {"w": np.zeros(3)}))) == []
