"""Bounds of increments: how far a step in one unit can move anything above it, and whether that is short.

Short increments stay within the range of the polynomials of `xcheck.oracle.network.elementary`.
"""

import numpy as np

from xcheck.layout import Vector
from xcheck.oracle.engines.network import NetworkEngine
from xcheck.oracle.network.elementary import SHORT
from xcheck.oracle.network.forward import STEEPEST


def increment_bounds(engine: NetworkEngine) -> list[Vector]:
    """Return how far any δ above a unit can move when its z moves by 1, per layer an array of shape (nₗ,).

    |δ⁽ˡ⁺¹⁾| ≤ maxₖ |Wₖᵢ| |Δaᵢ| and after that |δ| ≤ ‖W‖∞ |Δa|, with |Δa| ≤ 1.13 |δ| times the mask's 1/keep_prob. Dead
    units have Δa = 0, so their weights to the layer above take no part. A step h in zᵢ is short when h times its bound
    is at most SHORT/2: then the argument of every polynomial is within its range.
    """
    network = engine.problem.network
    bounds: list[Vector] = []
    above = 2.0  # the softmax takes dₖ = δₖ − Σ y δ, which is up to twice as large as the outputs' increments
    for number in reversed(range(len(network.layers))):
        steepness = STEEPEST / network.layers[number].keep_prob
        # gelu takes e^(−zt − t²/2) for t up to δ: |z| δ must be short as well.
        own = 1.0 + (
            float(np.abs(engine.trace.z[number]).max()) if network.layers[number].activation == "gelu" else 0.0
        )
        with np.errstate(over="ignore", invalid="ignore"):
            if number == len(network.layers) - 1:
                columns, rows = np.ones(network.widths[-1]), 1.0
            else:
                W = np.where(engine.dead[number], 0.0, np.abs(engine.parameters[number + 1][0]))
                columns, rows = W.max(axis=0), float(W.sum(axis=1).max())
            # A single unit moves the layer above through its column of W, all units of a layer through its rows.
            bounds.insert(0, np.maximum(own, steepness * columns * above))
            above = max(own, steepness * rows * above)
    return bounds


def is_short(distance: Vector) -> bool:
    """Return whether increments of up to `distance` (steps times their bounds) are short."""
    return bool((distance <= SHORT / 2).all())
