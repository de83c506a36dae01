"""The backward pass whose steps can be replaced is right where none is."""

from typing import Any

import numpy as np
import pytest

from tests.diagnose.rules.conftest import evidence_in_network
from xcheck.diagnose.rules.networks.backprop import Backprop, Steps, apply_mask
from xcheck.layout import Vector
from xcheck.networks.problem import Problem


def backprop(number: int, **needs: Any) -> tuple[Backprop, Vector]:
    """Return the backward pass of a network, and the oracle's gradient."""
    evidence = evidence_in_network(lambda gradient, problem: None, number, **needs)
    assert isinstance(evidence.problem, Problem)
    return Backprop(evidence, evidence.problem), evidence.trusted


@pytest.mark.parametrize("number", range(4))
def test_without_a_mistake_it_gives_the_gradient(number: int) -> None:
    """Of random networks with dropout and penalties, to what the oracle knows."""
    passes, trusted = backprop(number, keep=0.5)
    assert np.allclose(passes.gradient(), trusted, rtol=1e-6, atol=1e-9)


def test_a_replaced_step_changes_its_own_layer_and_those_below() -> None:
    """The derivative of the first of two hidden layers: W1 and b1 change, and nothing else."""
    passes, _ = backprop(0, depth=2)
    wrong = passes.gradient(Steps(slope={1: 2 * passes.slope(1)}))
    changed = {t.name for t in passes.layout if not np.array_equal(wrong[t.span], passes.gradient()[t.span])}
    assert changed == {"W1", "b1"}


def test_the_deltas_are_those_of_the_biases() -> None:
    """Their means over the examples are the gradients of the biases."""
    passes, _ = backprop(1)
    for layer, delta in passes.deltas.items():
        bias = passes.layout.tensor(layer, "bias").span
        assert np.allclose(delta.mean(axis=0), passes.gradient()[bias])


def test_a_mask_is_applied_with_its_probability() -> None:
    """Dropped units pass nothing, the others the inverse of keep_prob."""
    step = apply_mask(np.array([True, False]), 0.5)
    assert step(np.array([3.0, 3.0])).tolist() == [6.0, 0.0]
