"""The dropout mask of a backward pass, worked out from the gradient where that determines it."""

from typing import Any

import numpy as np

from tests.diagnose.rules.conftest import evidence_in_network, explaining
from xcheck.diagnose import Evidence
from xcheck.diagnose.rules.networks.backprop import Backprop, Steps, apply_mask
from xcheck.diagnose.rules.networks.masks import redrawn_mask
from xcheck.layout import Vector
from xcheck.networks.problem import Problem

NEEDS: dict[str, Any] = {"keep": 0.5, "first": "tanh", "depth": 1, "square": True, "examples": 4}


def with_mask(seed: int | None) -> Evidence:
    """Return the evidence against a backward pass with a new mask, or with half of the right one."""

    def spoil(gradient: dict[str, Vector], problem: Problem) -> None:
        passes = Backprop(evidence_in_network(lambda gradient, problem: None, **NEEDS), problem)
        mask = np.asarray(problem.masks[1])
        if seed is None:
            mask = mask & (np.arange(mask.size).reshape(mask.shape) % 2 == 0)
        else:
            mask = np.random.default_rng(seed).random(mask.shape) < 0.5
        wrong = passes.gradient(Steps(drop={1: apply_mask(mask, 0.5)}))
        for name, array in problem.layout.unflatten(wrong).items():
            gradient[name][...] = array

    return evidence_in_network(spoil, **NEEDS)


def test_a_mask_that_was_drawn_anew_is_recognised() -> None:
    """The first layer's, which is the only one that drops."""
    evidence = with_mask(1)
    (found,) = explaining(evidence, redrawn_mask(evidence))
    assert (found.code, found.place) == ("XC245", "layer 1")


def test_the_right_mask_with_gaps_was_not_drawn_anew() -> None:
    """It keeps nothing that the other dropped."""
    evidence = with_mask(None)
    assert list(redrawn_mask(evidence)) == []
