"""Reports on networks: losses before gradients, numbers that are not finite, kinks."""

import math

import numpy as np

import xcheck
from xcheck import Dense, Network, Problem, verify
from xcheck.testing import Fault, Planted, scenario


def test_a_wrong_loss_is_found_before_any_gradient() -> None:
    """The finding says which functions differ; the gradients are those of different functions."""
    problem = scenario(10)
    heavier = Network(
        inputs=problem.network.inputs,
        layers=problem.network.layers,
        loss=problem.network.loss,
        l2=problem.network.l2 + 1,
        l1=problem.network.l1,
        input_keep_prob=problem.network.input_keep_prob,
    )

    class AnotherNetwork(type(xcheck.backend.registry.get("numpy"))):  # type: ignore[misc] # the class of an instance
        def network_objective(self, problem: Problem, **settings: str) -> object:
            other = Problem(
                network=heavier,
                inputs=problem.inputs,
                targets=problem.targets,
                theta=problem.theta,
                masks=problem.masks,
            )
            return super().network_objective(other, **settings)

    report = verify(problem, backends=[AnotherNetwork(), "torch", "jax"])
    assert report.odd_one_out == ("numpy",)
    assert report.findings[0].code == "XC101"
    assert report.headline.startswith("numpy computes another loss")


def test_a_gradient_that_is_not_finite_has_its_own_finding(problem: Problem) -> None:
    """The component is named in the finding, and the verdict is DISAGREE."""

    def spoil(gradient: dict[str, np.ndarray], problem: Problem) -> None:
        gradient["W2"][3, 1] = math.nan

    planted = Planted(xcheck.backend.registry.get("numpy"), Fault("nan", "support", spoil))
    report = verify(problem, backends=[planted, "torch"])
    assert (report.verdict, report.odd_one_out) == ("DISAGREE", ("numpy",))
    assert [finding.text for finding in report.findings] == ["numpy: the gradient is nan at W2[3, 1]"]


def test_a_loss_that_is_not_finite_is_undecided_and_says_so() -> None:
    """Where J is inf there is no gradient: exit status 3, and the reason in the first line."""
    network = Network(inputs=2, layers=(Dense(units=1),), loss="mean_squared_error")
    report = verify(Problem.create(network, np.ones((3, 2)), np.full((3, 1), 1e200)))
    assert (report.verdict, report.verdict.exit_status) == ("UNDECIDED", 3)
    assert report.headline == "the loss is inf at this θ: there is no gradient to check"


def test_ties_are_told(problem: Problem) -> None:
    """A unit exactly on its kink is a warning, not a disagreement; so are the blank inputs that put it there."""
    network = Network(
        inputs=2, layers=(Dense(units=3, activation="leaky_relu"), Dense(units=1)), loss="mean_squared_error"
    )
    report = verify(Problem.create(network, np.zeros((2, 2)), np.ones((2, 1))))
    assert report.verdict == "AGREE"
    assert [warning.code for warning in report.warnings] == ["XC404", "XC407", "XC408"]
