"""Normalisations."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from tests.backends.xcheck_torch.traced import assert_traced, randn

MEAN, VARIANCE = torch.full((4,), 0.1, dtype=torch.float64), torch.full((4,), 2.0, dtype=torch.float64)
NORMALISATIONS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "layer": lambda x, w, b: F.layer_norm(x, (4,), w, b),
    "layer alone": lambda x, w, b: F.layer_norm(x, (4,)) * w + b,
    "rms": lambda x, w, b: F.rms_norm(x, (4,), w) + b,
    "group": lambda x, w, b: F.group_norm(x[:, :, None] * randn(2), 2, w, b),
    "instance": lambda x, w, b: F.instance_norm(x[:, :, None] * randn(2), weight=w, bias=b),
    "batch in training": lambda x, w, b: F.batch_norm(x, MEAN.clone(), VARIANCE.clone(), w, b, training=True),
    "batch in evaluation": lambda x, w, b: F.batch_norm(x, MEAN, VARIANCE, w, b),
    "local": lambda x, w, b: F.local_response_norm(x[:, :, None], 2)[:, :, 0] * w + b,
}


@pytest.mark.parametrize("name", NORMALISATIONS)
def test_normalisations(name: str) -> None:
    """With weights and biases."""
    params = {"x": randn(5, 4), "w": randn(4, seed=1), "b": randn(4, seed=2)}
    assert_traced(lambda p: NORMALISATIONS[name](p["x"], p["w"], p["b"]).sin().sum(), params)
