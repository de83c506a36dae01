"""Audit: an engine that takes a short cut is held against one that does not, on random components, in every run."""

from dataclasses import dataclass

import numpy as np

from xcheck.oracle.engine import Engine, Indices
from xcheck.oracle.estimators import Measurement, automatic
from xcheck.parameters import Vector


@dataclass(frozen=True, slots=True)
class Audit:
    """What came of an audit.

    Attributes:
        engine: name of the engine that was audited.
        by: name of the more direct engine.
        components: how many were compared.
        worst: largest difference in units of the two bars; up to 1 they agree.
        evaluations: losses evaluated for it.
    """

    engine: str
    by: str
    components: int
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
    # Any bar is narrow enough (tolerance ∞): a difference shows as soon as it is larger than both.
    again = automatic(by, noise, tolerance=np.inf, indices=chosen)
    apart = np.max([np.abs(getattr(again, end) - getattr(measured, end)[chosen]) for end in ("lower", "upper")], axis=0)
    allowed = again.bar + measured.bar[chosen]
    # What is not finite at θ or where the steps lead cannot be held against anybody.
    known = np.isfinite(apart) & np.isfinite(allowed)
    ratio = np.divide(apart, allowed, out=np.where(apart > 0, np.inf, 0.0), where=allowed > 0)
    return Audit(name, by.name, len(chosen), float(ratio[known].max(initial=0.0)), again.evaluations)
