"""Weight sizes: how large W and z are, layer by layer, and what the penalty has to do with it.

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
from xcheck.training.curves import predict

# A guess, chosen so that weights that L1 holds at zero to within a step are counted, and others are not:
# test_l1_makes_weights_sparse_and_l2_does_not holds it.
_SMALL = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """One number per layer, dropout off.

    Attributes:
        weights: root mean square of W⁽ˡ⁾.
        inputs: root mean square of Z⁽ˡ⁾ over units and examples of the training part.
        small: the share of weights in W⁽ˡ⁾ that are below a hundredth of the largest: what L1 does.
    """

    weights: tuple[float, ...]
    inputs: tuple[float, ...]
    small: tuple[float, ...]


def measure_sizes(network: Network, theta: Vector, data: Dataset) -> Sizes:
    """Return the sizes of W and z at θ.

    Args:
        network: as it predicts, without dropout.
        theta: θ, shape (n,).
        data: the inputs that z is computed from.
    """
    weights = [W for W, _ in tensors_of(network_layout(network), theta)]
    return Sizes(
        weights=tuple(_root_mean_square(W) for W in weights),
        inputs=tuple(_root_mean_square(z) for z in predict(network, theta, data).z),
        small=tuple(float(np.mean(np.abs(W) < _SMALL * np.abs(W).max())) for W in weights),
    )


def _root_mean_square(values: Vector) -> float:
    with np.errstate(all="ignore"):
        return float(np.sqrt(np.mean(np.square(values))))
