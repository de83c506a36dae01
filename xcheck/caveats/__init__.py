"""Doubts: what a check does not prove, however well everything agrees. One warning per kind, with its numbers.

Each doubt is a function of a `CheckedPoint`: θ, and all that is known about it. It returns a warning or None.
"""

from xcheck.caveats.gradient import below_noise, blank_inputs, dead_units, penalty_dominates, zero_gradient
from xcheck.caveats.point import CheckedPoint
from xcheck.caveats.precision import float32_inside
from xcheck.caveats.scale import not_normalized
from xcheck.caveats.signals import equal_units, exploding, saturated, vanishing
from xcheck.findings import Finding

CAVEATS = (
    dead_units,
    blank_inputs,
    zero_gradient,
    below_noise,
    vanishing,
    exploding,
    saturated,
    penalty_dominates,
    equal_units,
    not_normalized,
    float32_inside,
)


def caveats_at(point: CheckedPoint) -> list[Finding]:
    """Return the warnings that this point gives cause for."""
    return [warning for doubt in CAVEATS if (warning := doubt(point))]


__all__ = ["CAVEATS", "CheckedPoint", "caveats_at"]
