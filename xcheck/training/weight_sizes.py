"""Sizes: how large W and z are, layer by layer, and what the penalty has to do with it.

"If Lambda is a large number, this will cause your model weights to be smaller and consequently (z) will be relatively
smaller." Source: lecture notes, "Why regularization reduces overfitting?".
"""

from dataclasses import dataclass

import numpy as np

from xcheck.layout import Vector
from xcheck.networks.data import Dataset
from xcheck.networks.initializers import network_layout
from xcheck.networks.network import Network
from xcheck.oracle.engines.network import tensors_of
from xcheck.training.curves import predicted

_SMALL = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """One number per layer, root mean squares but for the last, dropout off.

    Attributes:
        weights: of W⁽ˡ⁾.
        inputs: of Z⁽ˡ⁾, over units and examples of the training part.
        small: of W⁽ˡ⁾ the share that is below a hundredth of the largest: what L1 does.
    """

    weights: tuple[float, ...]
    inputs: tuple[float, ...]
    small: tuple[float, ...]


def sizes_at(network: Network, theta: Vector, data: Dataset) -> Sizes:
    """Return the sizes at θ.

    Args:
        network: as it predicts.
        theta: θ, shape (n,).
        data: what z is computed of.
    """
    weights = [W for W, _ in tensors_of(network_layout(network), theta)]
    return Sizes(
        weights=tuple(_rms(W) for W in weights),
        inputs=tuple(_rms(z) for z in predicted(network, theta, data).z),
        small=tuple(float(np.mean(np.abs(W) < _SMALL * np.abs(W).max())) for W in weights),
    )


def _rms(values: Vector) -> float:
    with np.errstate(all="ignore"):
        return float(np.sqrt(np.mean(np.square(values))))
