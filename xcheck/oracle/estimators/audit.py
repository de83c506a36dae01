"""Audit: in every run, an engine that takes a short cut is compared with a more direct one on random components.

Two values always agree when their bars are wide enough, so an audit counts the components that it has *decided*: those
where the two bars together are narrower than a hundredth of the largest slope of the data in their tensor. A wrong
short cut leaves out a factor or a term, and is off by more than that. The bars cannot be required to be as narrow as
those of the gradient, because the plain loop subtracts losses. A component that changes no loss in either engine is
decided too.
"""

from dataclasses import dataclass

import numpy as np

from xcheck.layout import Vector
from xcheck.oracle.columns import Flags, Indices
from xcheck.oracle.engines.base import Engine
from xcheck.oracle.estimators.central import Measurement, estimate_central

# A hundredth of the tensor's largest slope: a wrong short cut leaves out a factor or a term, and is off by more.
_SHARP = 1e-2


@dataclass(frozen=True, slots=True)
class Audit:
    """The result of an audit.

    Attributes:
        engine: name of the engine that was audited.
        by: name of the more direct engine.
        components: how many were compared.
        decided: for how many of them a difference of a hundredth would have shown.
        worst: largest difference in units of the two bars; up to 1 they agree.
        evaluations: losses evaluated for it.
    """

    engine: str
    by: str
    components: int
    decided: int
    worst: float
    evaluations: int

    @property
    def passed(self) -> bool:
        """Whether all components agree within the bars."""
        return self.worst <= 1.0


def audit(name: str, measured: Measurement, *, by: Engine, noise: Vector, chosen: Indices) -> Audit:
    """Measure components `chosen` again with another engine.

    Args:
        name: of the engine that is audited.
        measured: all components, as it measured them, rounding included in the bars.
        by: the more direct engine.
        noise: σ of J per component as that engine evaluates it, shape (n,).
        chosen: components, shape (k,).
    """
    # With an infinite tolerance no component is refined: a difference shows as soon as it exceeds both bars.
    again = estimate_central(by, noise, tolerance=np.inf, indices=chosen)
    apart = np.max([np.abs(getattr(again, end) - getattr(measured, end)[chosen]) for end in ("lower", "upper")], axis=0)
    allowed = again.bar + measured.bar[chosen]
    # Values that are not finite, at θ or where the steps lead, say nothing about the engine.
    known = np.isfinite(apart) & np.isfinite(allowed)
    ratio = np.divide(apart, allowed, out=np.where(apart > 0, np.inf, 0.0), where=allowed > 0)
    worst = float(ratio[known].max(initial=0.0))
    decided = int(_decided(measured, again, by, allowed).sum())
    return Audit(name, by.name, len(chosen), decided, worst, again.evaluations)


@np.errstate(all="ignore")  # what overflows is not decided
def _decided(measured: Measurement, again: Measurement, by: Engine, allowed: Vector) -> Flags:
    """Return which components of `again` are decided, of which the two bars add up to `allowed`."""
    everything = np.arange(by.layout.size)
    still = np.zeros(by.layout.size)
    # The penalty is exact in all engines: an audit is about the rest.
    slopes = measured.magnitude - by.exact(everything, still, still).magnitude
    largest = by.layout.largest(np.maximum(slopes, 0.0))[again.indices]
    # Steps that are rounded leave the slope of the penalty not quite the same.
    unmoved = (slopes[again.indices] == 0) & (again.magnitude <= (1 + 1e-6) * measured.magnitude[again.indices])
    return np.asarray((allowed <= _SHARP * largest) & (largest > 0) | unmoved)
