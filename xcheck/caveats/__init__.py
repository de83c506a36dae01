"""Caveats: what a check does not show, however well everything agrees. One warning per kind, with its numbers.

`check_caveats` and `xcheck.caveats.functions` are about the check itself: kinks, undecided components, audits, samples.
`caveats_at` is about a declared network at θ: each function of a `CheckedPoint` returns a warning or None.
"""

from xcheck.caveats.coverage import below_noise, stationary, zero_gradient
from xcheck.caveats.gradient import blank_inputs, dead_units, penalty_dominates
from xcheck.caveats.point import CheckedPoint
from xcheck.caveats.precision import float32_inside
from xcheck.caveats.scale import not_normalized
from xcheck.caveats.signals import equal_units, exploding, saturated, vanishing
from xcheck.findings import Finding

# In the order in which a report shows them.
CAVEATS = (
    dead_units,
    blank_inputs,
    lambda point: zero_gradient(point.tensors),
    lambda point: below_noise(point.tensors, point.estimate, point.problem.layout),
    lambda point: stationary(point.tensors, point.estimate, point.problem.layout),
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
    return [warning for caveat in CAVEATS if (warning := caveat(point))]


__all__ = ["CAVEATS", "CheckedPoint", "caveats_at"]
