"""verify: the whole way from a definition to a report."""

import json
import math
import re
from typing import Any

import numpy as np
import pytest

import xcheck
from xcheck import DefinitionError, Dense, Network, Problem, verify
from xcheck.testing import Fault, Planted, scenario

DEFINITION = {
    "data": {"synthetic": {"inputs": 3, "examples": 8}},
    "network": {"layers": [{"units": 4, "activation": "tanh"}, {"units": 2}], "loss": "mean_squared_error"},
    "check": {"backends": ["numpy", "jax"]},
}


def test_a_dict_of_the_shape_of_the_toml_is_checked() -> None:
    """The library takes the same definition without a file."""
    report = verify(DEFINITION)
    assert report.ok
    assert bool(report) is True
    assert list(report.losses) == ["numpy", "jax"]
    assert [(pair.a, pair.b) for pair in report.pairs] == [("numpy", "oracle"), ("jax", "oracle"), ("numpy", "jax")]


def test_keywords_override_the_definition() -> None:
    """backends, seed and the rest of [check] can be given to verify."""
    report = verify(DEFINITION, backends=["numpy"], seed=5)
    assert (list(report.losses), report.seed) == (["numpy"], 5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tolerance": "small"}, "tolerance: expected a number, got the string 'small'"),
        ({"tolerence": 1e-6}, "tolerence: unknown key; did you mean 'tolerance'?"),
        ({"seed": 5}, "seed: has no effect on a Problem, which is drawn already: give it to Problem.create"),
        ({"examples": 5}, "examples: has no effect on a Problem"),
    ],
)
def test_settings_are_validated_for_a_problem_too(settings: dict[str, Any], message: str, problem: Problem) -> None:
    """The same clear errors, without a definition."""
    with pytest.raises(DefinitionError, match=re.escape(message)):
        verify(problem, **settings)


def test_the_seed_is_in_the_report() -> None:
    """What was drawn can be drawn again."""
    one, same, other = (verify(DEFINITION, backends=["numpy"], seed=seed) for seed in (1, 1, 2))
    assert one.losses == same.losses != other.losses


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


def test_json_has_no_numbers_that_json_cannot_write() -> None:
    """nan and inf become strings; a strict reader reads it."""
    network = Network(inputs=2, layers=(Dense(units=1),), loss="mean_squared_error")
    report = verify(Problem.create(network, np.ones((3, 2)), np.full((3, 1), 1e200)), backends=["numpy"])

    def refuse(word: str) -> float:
        raise AssertionError(word)

    content = json.loads(report.to_json(), parse_constant=refuse)
    assert content["losses"] == {"numpy": "inf"}
    assert content["exit"] == 3


def test_json_has_the_keys_of_the_schema() -> None:
    """Every key that the schema promises, with its meaning."""
    content = verify(DEFINITION).to_dict()
    assert content["schema"] == 1
    assert (content["verdict"], content["exit"], content["parameters"]) == ("AGREE", 0, 26)
    pair = content["pairs"][0]
    assert set(pair) >= {"a", "b", "verdict", "difference", "band", "wrong", "undecided", "of", "tensors", "worst"}
    assert set(pair["worst"][0]) >= {"name", "index", "flat", "a", "b", "error_bar"}
    assert set(pair["tensors"][0]) >= {"name", "difference", "wrong", "of"}
    assert content["verified"] == 26
    assert set(content["tensors"][0]) >= {"name", "of", "verified", "zero", "below_noise"}
    assert set(content["layers"][0]) >= {"layer", "activation_rms", "gradient_rms", "dead", "saturated"}
    assert set(content["oracle"]) >= {"engine", "scope", "epsilon", "evaluations", "seconds"}
    assert set(content["environment"]) >= {"xcheck", "python", "numpy", "jax", "device"}


def test_ties_are_told(problem: Problem) -> None:
    """A unit exactly on its kink is a warning, not a disagreement; so are the blank inputs that put it there."""
    network = Network(
        inputs=2, layers=(Dense(units=3, activation="leaky_relu"), Dense(units=1)), loss="mean_squared_error"
    )
    report = verify(Problem.create(network, np.zeros((2, 2)), np.ones((2, 1))))
    assert report.verdict == "AGREE"
    assert [warning.code for warning in report.warnings] == ["XC404", "XC407", "XC408"]


@pytest.mark.parametrize("engine", ["auto", "loop", "batched", "structured", "node"])
def test_progress_reaches_its_end(engine: str) -> None:
    """The last call says that all is done, also where units are perturbed and not weights."""
    calls: list[tuple[int, int]] = []
    network = {"layers": [{"units": 30, "activation": "tanh"}, {"units": 3}], "loss": "softmax_cross_entropy"}
    definition = {"data": {"synthetic": {"inputs": 20, "examples": 16}}, "network": network}
    verify(definition, backends=["numpy"], engine=engine, progress=lambda *call: calls.append(call))
    assert calls[-1][0] == calls[-1][1]
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)


@pytest.mark.parametrize("epsilon", [1e-7, 1e-4])
@pytest.mark.parametrize("difference", ["central", "forward"])
def test_the_lectures_fixed_step_agrees_too(epsilon: float, difference: str) -> None:
    """ε = 1e-7 and plain differences: wider bars, the same verdict."""
    assert verify(DEFINITION, epsilon=epsilon, difference=difference).ok
