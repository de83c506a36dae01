"""Activations, put together as their kernels compute them."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tests.backends.xcheck_torch.traced import assert_traced, made, prove, randn

ACTIVATIONS = (
    *("relu", "gelu", "silu", "softplus", "elu", "celu", "selu", "leaky_relu", "relu6", "hardtanh", "hardswish"),
    *("sigmoid", "tanh", "mish", "logsigmoid", "softsign", "tanhshrink", "softshrink", "hardshrink", "glu"),
)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(name: str) -> None:
    """At numbers of both signs, small and large."""
    assert_traced(lambda x: (getattr(F, name)(x) ** 2).sum(), 3 * randn(3, 4))


def test_activations_with_options() -> None:
    """Slopes, thresholds, scales."""

    def loss(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
        parts = [
            F.gelu(x, approximate="tanh"),
            F.prelu(x, w),
            F.elu(x, 0.7),
            F.celu(x, 2.0),
            F.leaky_relu(x, 0.2),
            F.softplus(x, beta=2, threshold=1),
            F.threshold(x, 0.1, 0.5),
            F.hardtanh(x, -0.3, 0.6),
            F.rrelu(x, 0.1, 0.3, training=False),
        ]
        return sum((number + 1) * part.sum() for number, part in enumerate(parts))

    assert_traced(lambda p: loss(p["x"], p["w"]), {"x": randn(3, 4), "w": randn(4, seed=1)})


@pytest.mark.parametrize(
    ("function", "x", "slope"),
    [(F.hardsigmoid, 0.3, 1 / 6), (lambda x: F.celu(x, 1.3), -0.5, math.exp(-0.5 / 1.3))],
    ids=["hardsigmoid", "celu"],
)
def test_constants_of_torch_in_float32_are_in_its_gradients_alone(
    function: Callable[[torch.Tensor], torch.Tensor], x: float, slope: float
) -> None:
    """torch's own gradients have 1/6 and 1/α with 24 bits: what is proved is the function."""
    traced = made(lambda x: function(x).sum(), torch.tensor([x], dtype=torch.float64))
    found = prove(traced, traced.trace(), np.ones((1, 1)))
    assert float(found.slopes[0]) == pytest.approx(slope, rel=1e-14)
    assert float(found.value) == pytest.approx(traced.evaluate(np.array([x])), rel=1e-14)


def test_equal_logits_are_no_kink() -> None:
    """The largest is not subtracted: softmax is smooth."""
    found = assert_traced(
        lambda x: (F.softmax(x, 0) ** 2).sum() + F.logsigmoid(x).sum() + F.mish(x).sum(), torch.zeros(3).double()
    )
    assert found.left is None
    assert not found.kinks
