"""Two functions whose losses differ: the operations at which they part are in the report."""

import json
from typing import Any

import numpy as np
import pytest

import xcheck
from tests.forward.planted import flow_in, objective_of
from tests.forward.plants import PLANTS
from tests.forward.programs import DRAWS
from xcheck import Report
from xcheck.checks.functions import parted
from xcheck.findings import NOT_LOOKED_INTO, OPERATIONS_PART

EPSILON = next(plant for plant in PLANTS if (plant.network, plant.name) == ("classifier", "epsilon"))


def checked(planted: Any) -> Report:
    """The report on a classifier in two frameworks, with a difference in that of torch."""
    params, data = DRAWS["classifier"]()
    objectives = {
        "torch": objective_of("classifier", "torch", planted),
        "jax": objective_of("classifier", "jax"),
    }
    return xcheck.check(objectives, params, data)


def test_both_lines_are_in_text_headline_and_json() -> None:
    """Another epsilon, with both numbers."""
    report = checked(EPSILON)
    [finding] = [one for one in report.findings if one.code == OPERATIONS_PART]
    assert "it computes with 1e-08 in torch, with 1e-05 in jax" in finding.text
    assert "they part at `native_layer_norm` at classifier_in_torch_epsilon.py:8 and `add` at" in report.headline
    [content] = [one for one in json.loads(report.to_json())["findings"] if one["code"] == OPERATIONS_PART]
    assert (content["where"]["line"], content["beside"]["line"]) == (8, 6)


def test_nothing_is_followed_where_losses_are_equal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that passes costs nothing more."""

    def refuse(*_: Any) -> Any:
        raise AssertionError("a forward pass was followed")

    monkeypatch.setattr(parted, "flow_of", refuse)
    assert checked(None).ok


def test_what_cannot_be_followed_is_a_warning() -> None:
    """The verdict and the other findings stay."""
    objectives = {
        "one": xcheck.objective(lambda w: (w * w.detach().numpy().sum()).sum(), "torch"),
        "two": xcheck.objective(lambda w: (w * 3).sum(), "torch"),
    }
    report = xcheck.check(objectives, {"w": np.array([1.0, 2.5])}["w"])
    assert not [one for one in report.findings if one.code == OPERATIONS_PART]
    assert [one.text for one in report.warnings if one.code == NOT_LOOKED_INTO]


def test_programs_give_the_losses_of_their_traces() -> None:
    """What is followed is what is computed."""
    losses = [float(flow.nodes[flow.loss].array) for flow in (flow_in("mlp", name, None) for name in ("torch", "jax"))]
    assert losses[0] == pytest.approx(losses[1], rel=1e-12)
