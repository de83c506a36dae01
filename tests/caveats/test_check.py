"""Findings and warnings about pairs."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from xcheck import Dense, Network, Problem, verify
from xcheck.backend import registry
from xcheck.caveats.check import check_caveats
from xcheck.layout import Vector
from xcheck.oracle import numerical_gradient
from xcheck.oracle.estimators.audit import Audit
from xcheck.report.text import render
from xcheck.testing import Fault, Planted

EXAMPLES = Path(__file__).parents[2] / "xcheck" / "examples"
# The engines that are audited know no other networks.
FULLY_CONNECTED = [path for path in sorted(EXAMPLES.glob("*.toml")) if path.stem != "digits_images"]
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
    failed = Audit("node", "structured", components=4, decided=4, worst=7.0, evaluations=24)
    estimate = replace(numerical_gradient(problem), audits=(failed,))
    (warning,) = [one for one in check_caveats([], estimate, problem.layout) if one.code == "XC418"]
    assert "the node engine was contradicted by the structured engine" in warning.text
    assert warning.value == 7.0


def test_an_audit_that_decided_nothing_is_reported() -> None:
    """Outputs of 1e12 beside targets that are off by 1: their rounding hides any mistake that the loop might find."""
    network = Network(inputs=1, layers=(Dense(units=1),), loss="mean_squared_error")
    far = Problem.create(network, [[1.0], [2.0]], [[1e12 + 1], [1e12 - 1]], theta=[0.5, 1e12])
    report = verify(far, backends=["numpy"], engine="structured")
    (audit,) = report.oracle.audits
    assert (audit.passed, audit.components, audit.decided) == (True, 2, 0)
    (warning,) = [warning for warning in report.warnings if warning.code == "XC419"]
    assert "the structured engine was audited by the loop engine, and the audit shows nothing" in warning.text
    assert warning.value == audit.components


def test_an_audit_counts_what_it_has_decided() -> None:
    """In a network that hardly moves its loss, the biases of the outputs and little else."""
    report = verify(DEEP, backends=["numpy"], engine="structured", seed=4)
    (audit,) = report.oracle.audits
    assert 0 < audit.decided < audit.components
    assert f"{audit.components} components, {audit.decided} of them decided" in render(report, width=400, verbose=True)
    assert report.to_dict()["oracle"]["audits"][0]["decided"] == audit.decided
    assert "XC419" not in {warning.code for warning in report.warnings}


@pytest.mark.parametrize("engine", ["structured", "node"])
@pytest.mark.parametrize("path", FULLY_CONNECTED, ids=lambda path: path.stem)
def test_audits_of_the_examples_decide(path: Path, engine: str) -> None:
    """On real data at an ordinary θ every auditor decides nearly all of what it looks at."""
    report = verify(path, backends=["numpy"], engine=engine, examples=64)
    assert all(audit.decided > 0.9 * audit.components for audit in report.oracle.audits)
    assert "XC419" not in {warning.code for warning in report.warnings}


@pytest.mark.parametrize(("l2", "size"), [(0.0, 0.0), (0.7, 0.3)])
def test_zeros_are_decided(l2: float, size: float) -> None:
    """Where nothing but the penalty depends on θ, both engines say so, and there is nothing left to decide."""
    layers = (Dense(units=3, activation="tanh"), Dense(units=1))
    network = Network(inputs=2, layers=layers, loss="mean_squared_error", l2=l2)
    theta = np.concatenate([np.full(6, size), np.zeros(7)])
    flat = Problem.create(network, np.zeros((4, 2)), np.zeros((4, 1)), theta=theta)
    report = verify(flat, backends=["numpy"], engine="node")
    assert [audit.decided == audit.components for audit in report.oracle.audits] == [True, True]
