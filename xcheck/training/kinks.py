"""Kinks: how many weights and units sit exactly on one, where frameworks choose a slope by convention."""

import numpy as np

from xcheck.network import Network
from xcheck.oracle.forward import LEFT_SLOPE, Trace
from xcheck.parameters import Layout, Vector


def kinks_at(network: Network, theta: Vector, traced: Trace) -> int:
    """Return how many there are.

    Args:
        network: as it is trained; with dropout, a unit whose bias is zero may be given nothing but zeros.
        theta: θ, shape (n,).
        traced: what the network computes at θ, dropout off.
    """
    arrays = Layout.of_network(network).unflatten(theta)
    found = 0
    for number, layer in enumerate(network.layers, start=1):
        if network.l1:
            found += int(np.sum(arrays[f"W{number}"] == 0))
        if layer.activation in LEFT_SLOPE:
            found += int(np.sum(traced.z[number - 1] == 0))
            if network.keep_probs[number - 1] < 1:
                found += int(np.sum(arrays[f"b{number}"] == 0))
    return found
