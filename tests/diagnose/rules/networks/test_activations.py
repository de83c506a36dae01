"""Derivatives of activations that are others: named with their layer, and the number that was put in their place."""

from typing import Any

import numpy as np
import pytest

from tests.diagnose.rules.conftest import explaining
from tests.diagnose.rules.networks.test_backward_pass import Make, evidence_of_steps
from xcheck.diagnose.rules.networks.backward_pass import wrong_steps


@pytest.mark.parametrize(
    ("make", "needs", "code", "words"),
    [
        (
            Make(slope=lambda p: {1: np.ones_like(p.slope(1))}),
            {"first": "tanh", "depth": 2},
            "XC241",
            "the derivative of tanh is taken to be 1: no derivative at all",
        ),
        (
            Make(slope=lambda p: {1: np.roll(p.slope(1), 1, axis=1)}),
            {"first": "tanh", "depth": 2},
            "XC243",
            "the derivative of tanh is that of the neighbouring unit",
        ),
        (
            Make(slope=lambda p: {1: np.where(p.z(1) > 0, 1.0, 0.25)}),
            {"first": "leaky_relu", "depth": 2},
            "XC241",
            "the derivative of leaky_relu is taken to be 0.25 below 0",
        ),
        (
            Make(slope=lambda p: {1: np.where(p.z(1) == 0, 3.0, p.slope(1))}),
            {"first": "relu", "depth": 2, "ties": True},
            "XC246",
            "the derivative of relu is taken to be 3 exactly at 0",
        ),
    ],
)
def test_another_derivative_is_named(make: Make, needs: dict[str, Any], code: str, words: str) -> None:
    """In the layer where it was taken."""
    evidence = evidence_of_steps(make, **needs)
    assert (code, "layer 1", words) in {(x.code, x.place, x.text) for x in explaining(evidence, wrong_steps(evidence))}


def test_a_threshold_of_relu_is_found_near_its_place() -> None:
    """relu'(z) = z > 0.2: between two of the z that were met."""
    make = Make(slope=lambda p: {1: np.where(p.z(1) > 0.2, 1.0, 0.0)})
    evidence = evidence_of_steps(make, first="relu", depth=2, examples=12)
    texts = [each.text for each in explaining(evidence, wrong_steps(evidence))]
    near = [float(text.partition("near ")[2].partition(" ")[0]) for text in texts if "threshold" in text]
    assert any(abs(value - 0.2) < 0.2 for value in near)
