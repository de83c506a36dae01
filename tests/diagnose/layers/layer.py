"""A layer with its gradient written by hand, in which ordinary mistakes can be made one at a time.

Every layer has its tensors and its input for parameters. The loss is half the mean squared distance of its output from
a target, unless the layer is a loss itself.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Params = dict[str, Array]
Data = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Layer:
    """An ordinary layer, and what people get wrong in its gradient.

    Attributes:
        name: such as "batch norm".
        make: draws sizes, parameters and data.
        loss: `loss(params, *data)`, a scalar.
        gradient: `gradient(params, *data, made="")`, one array for each parameter; `made` is one of the mistakes.
        mistakes: names of the mistakes, each with the codes of the causes that name it.
    """

    name: str
    make: Callable[[np.random.Generator], tuple[Params, Data]]
    loss: Callable[..., float]
    gradient: Callable[..., Params]
    mistakes: Mapping[str, str]

    def wrong(self, mistake: str) -> Callable[..., Params]:
        """Return the gradient with this mistake."""

        def gradient(params: Params, *data: Any) -> Params:
            return self.gradient(params, *data, made=mistake)

        return gradient


def squared(output: Array, target: Array) -> float:
    """½ Σ (output − target)² / examples."""
    return float(((output - target) ** 2).sum() / 2 / len(output))


def slope(output: Array, target: Array) -> Array:
    """Its derivative by the output."""
    return np.asarray((output - target) / len(output))


def sizes(rng: np.random.Generator, *ranges: tuple[int, int]) -> list[int]:
    """Draw one size from each range, ends included, no two alike where that can be."""
    drawn: list[int] = []
    for low, high in ranges:
        free = [size for size in range(low, high + 1) if size not in drawn] or [low]
        drawn.append(int(rng.choice(free)))
    return drawn


def softmax(z: Array) -> Array:
    """Probabilities along the last axis."""
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True))


def sigmoid(z: Array) -> Array:
    """1 / (1 + e⁻ᶻ)."""
    return np.asarray(1 / (1 + np.exp(-z)))
