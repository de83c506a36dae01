"""A wrong gradient ends with the operation whose backward pass is wrong, and its line."""

import json
from typing import Any

import pytest

import xcheck
from tests.operations.networks import NETWORKS
from tests.operations.planted import Plant, right_loss
from xcheck import Report
from xcheck.findings import CAUSE_UNKNOWN, NOT_LOOKED_INTO, WRONG_OPERATION, WRONG_TENSORS

PLANTS = [
    Plant("jax", "mlp", "gelu_1", "x 1.01"),
    Plant("jax", "gru", "mix_1", "sign", -1),
    Plant("jax", "decoder", "rms_norm_2", "its mean missing"),
    Plant("torch", "mlp", "add_2", "half of it x 1 + 1e-6", -1),
    Plant("torch", "gru", "sigmoid_2", "one number x 1.001"),
    Plant("torch", "encoder", "scores_1", "zero", -1),
]


def checked(framework: str, network: str, loss: Any) -> Report:
    """The report on a network."""
    params, x, y = NETWORKS[network].draw(0)
    return xcheck.check(xcheck.objective(loss, framework), params, (x, y))


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: f"{plant.framework}-{plant.network}-{plant.site}")
def test_operation_and_line_are_named(plant: Plant) -> None:
    """Those of the one that was planted, in text, headline and JSON."""
    report = checked(plant.framework, plant.network, plant.loss())
    (finding,) = [one for one in report.findings if one.code == WRONG_OPERATION]
    operation = plant.site.rpartition("_")[0]
    assert finding.where is not None
    assert (finding.where.operation, finding.where.line) == (operation, plant.line)
    assert f"wrong in `{operation}` at networks.py:{plant.line}" in report.headline
    # That the cause is not known, or somewhere on the way to these tensors, is then no news.
    assert not [one for one in report.findings if one.code in (CAUSE_UNKNOWN, WRONG_TENSORS)]
    content = json.loads(report.to_json())
    (where,) = [one["where"] for one in content["findings"] if one["code"] == WRONG_OPERATION]
    assert where == {"operation": operation, "file": finding.where.file, "line": plant.line}


@pytest.mark.parametrize("framework", ["jax", "torch"])
def test_nothing_is_looked_for_where_all_is_right(framework: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that passes costs nothing more."""

    def refuse(self: Any) -> Any:
        raise AssertionError

    monkeypatch.setattr("xcheck.checks.functions.residual._Asked.backward_pass", refuse)
    assert checked(framework, "mlp", right_loss(framework, NETWORKS["mlp"])).ok


def test_what_cannot_be_looked_into_is_a_warning() -> None:
    """The verdict, and the causes by numbers, do not depend on it."""
    import jax
    import numpy as np

    double: Any = jax.custom_vjp(lambda x: 2 * x)
    double.defvjp(lambda x: (2 * x, None), lambda _, g: (3 * g,))

    def loss(x: Any) -> Any:
        y = double(x)
        return (y**2).sum() if y[0] > 0 else y.sum()

    report = xcheck.check(xcheck.objective(loss, "jax"), np.arange(1.0, 5.0))
    assert not report.ok
    (warning,) = [one for one in report.warnings if one.code == NOT_LOOKED_INTO]
    assert "traced" in warning.text
    assert any(one.code == "XC211" for one in report.findings)
