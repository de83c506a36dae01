"""Both halves of an operation: the backward half is held against differences of the forward half."""

from typing import Any

import numpy as np

from xcheck.networks.layers import Layer
from xcheck_numpy.layers.operation import Operation

# A central difference over it is off by about its square, 1e-10, and by 1e-16/1e-5 of rounding.
STEP = 1e-5


def assert_halves_fit(operation: Operation, layer: Layer, inputs: tuple[int, ...], examples: int = 4) -> None:
    """Compare ∂/∂x and ∂/∂ every tensor with differences of Σ Δ ∘ y along random directions."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(examples, *inputs))
    tensors = {each.name: rng.normal(size=each.shape) for each in layer.parameters(inputs)}
    y, kept = operation.forward(layer, tensors, x)
    assert y.shape == (examples, *layer.output(inputs))
    delta = rng.normal(size=y.shape)
    dx, own = operation.backward(layer, tensors, kept, delta)
    assert set(own) == set(tensors)

    def value(moved: dict[str, Any]) -> float:
        return float((delta * operation.forward(layer, {**tensors, **moved}, moved.get("x", x))[0]).sum())

    for name, array, gradient in [("x", x, dx), *((name, tensors[name], own[name]) for name in tensors)]:
        assert gradient.shape == array.shape
        for _ in range(3):
            along = rng.normal(size=array.shape)
            difference = (value({name: array + STEP * along}) - value({name: array - STEP * along})) / (2 * STEP)
            np.testing.assert_allclose((gradient * along).sum(), difference, rtol=1e-6, atol=1e-7)
