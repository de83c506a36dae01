"""Findings and warnings about pairs."""

from dataclasses import replace

import pytest

from xcheck import Dense, Network, Problem, registry, verify
from xcheck.oracle import numerical_gradient
from xcheck.oracle.audit import Audit
from xcheck.parameters import Vector
from xcheck.remarks import warnings_of
from xcheck.testing import Fault, Planted

DEEP = {
    "data": {"synthetic": {"inputs": 6, "examples": 64}},
    "network": {
        "layers": [*[{"units": 8, "activation": "gelu", "initializer": "normal"}] * 8, {"units": 3}],
        "loss": "binary_cross_entropy",
    },
}


def test_undecided_components_of_all_tensors_are_one_warning() -> None:
    """With the counts of each, and the whole count as its value."""
    report = verify(DEEP, backends=["numpy"], epsilon=1e-5)
    (warning,) = [warning for warning in report.warnings if warning.code == "XC405"]
    undecided = {
        tensor.name: f"{tensor.undecided} of {tensor.of} in {tensor.name}" for tensor in report.pairs[0].tensors
    }
    told = [name for name, text in undecided.items() if text in warning.text]
    assert told == [tensor.name for tensor in report.pairs[0].tensors if tensor.undecided]
    assert len(told) > 1
    assert (warning.tensor, warning.value) == (told[0], report.pairs[0].undecided)


def at_a_kink() -> Problem:
    """One relu unit with z = 0 exactly; δ = w (ŷ − y) = −5 arrives there."""
    network = Network(inputs=1, layers=(Dense(units=1, activation="relu"), Dense(units=1)), loss="mean_squared_error")
    return Problem.create(network, [[0.0]], [[3.0]], theta=[1.0, 0.0, 2.0, 0.5])


def test_a_kink_comes_with_its_subgradients() -> None:
    """Zero input and zero bias: frameworks answer 0, everything between 0 and −5 is a subgradient, and that is said."""
    report = verify(at_a_kink())
    (warning,) = [warning for warning in report.warnings if warning.code == "XC404"]
    assert report.ok
    assert warning.text.endswith("b1[0]: kink, subgradient [-5, 0]")


@pytest.mark.parametrize(
    ("answer", "verdict"), [(0.0, "AGREE"), (-5.0, "AGREE"), (-2.5, "AGREE"), (-1.0, "UNDECIDED"), (0.1, "DISAGREE")]
)
def test_conventions_at_a_kink(answer: float, verdict: str) -> None:
    """Either side or their mean is what frameworks choose; another subgradient is undecided, anything else is wrong."""

    def say(gradient: dict[str, Vector], problem: Problem) -> None:
        gradient["b1"][0] = answer

    witness = Planted(registry.get("numpy"), Fault("answer", "support", say))
    assert verify(at_a_kink(), backends=[witness]).verdict == verdict


def test_an_audit_that_failed_is_reported() -> None:
    """It is a mistake of ours, and nobody else is blamed for it."""
    problem = at_a_kink()
    failed = Audit("node", "structured", components=4, worst=7.0, evaluations=24)
    estimate = replace(numerical_gradient(problem), audits=(failed,))
    (warning,) = [one for one in warnings_of([], estimate, problem.layout) if one.code == "XC418"]
    assert "the node engine was contradicted by the structured engine" in warning.text
    assert warning.value == 7.0
