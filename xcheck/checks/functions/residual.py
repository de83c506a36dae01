"""Residual: whether the error of a gradient moves smoothly with θ, as that of a wrong formula does.

The error e = g − ∇J of a wrong formula is a smooth function of θ: where θ is moved by a part h of itself, e changes by
a small multiple of h. The error of rounding is another number at every θ, as soon as θ moves by more than the spacing
of the narrow dtype. Both are seen along random directions v, where e·v = g·v − ∂J/∂v.
"""

from dataclasses import dataclass

import numpy as np

from xcheck.backend.function_objective import FunctionObjective
from xcheck.dtypes import FLOAT64
from xcheck.errors import BackendError
from xcheck.layout import Vector
from xcheck.oracle.function_gradient import FunctionOracle, measure_function
from xcheck.oracle.options import FunctionOptions
from xcheck.seeds import FIXED, Stream, generator

# Error bars beyond which a residual along a direction is certainly more than noise: as in `xcheck.diagnose.evidence`.
_CERTAIN = 4.0
# So many directions have to show a residual: with fewer it may be alike at both θ by chance. A guess.
_LEAST = 3


@dataclass(frozen=True, slots=True, eq=False)
class ResidualProbe:
    """Looks at the residual of one gradient at θ and beside it.

    Attributes:
        objective: the function, with the gradient in question.
        oracle: the oracle of the function at θ.
        theta: θ, shape (n,).
    """

    objective: FunctionObjective
    oracle: FunctionOracle
    theta: Vector

    @np.errstate(all="ignore")  # a loss may overflow where θ was moved to
    def shift(self, step: float) -> float | None:
        """Return ‖e' − e‖/‖e‖, by how much of itself the residual changes.

        Args:
            step: by how much of itself each component of θ is moved.

        Returns:
            None where the residual is too small, or the function fails beside θ.
        """
        signs = np.where(generator(FIXED, Stream.RESIDUAL).random(self.theta.size) < 0.5, -1.0, 1.0)
        beside = self.theta + step * signs * np.where(self.theta == 0, 1.0, np.abs(self.theta))
        try:
            (here, bar), (there, other) = self._along(self.theta), self._along(beside)
        except BackendError:
            return None
        shown = np.abs(here) > _CERTAIN * (bar + other)
        if shown.sum() < min(_LEAST, len(here)):
            return None
        return float(np.linalg.norm((there - here)[shown]) / np.linalg.norm(here[shown]))

    def _along(self, theta: Vector) -> tuple[Vector, Vector]:
        """Return the residual along random directions, and its error bars.

        Raises:
            BackendError: the function fails there.
        """
        layout = self.oracle.engine.lines.whole
        oracle = measure_function(
            self.oracle.engine.evaluator,
            theta,
            layout,
            roundoffs={tensor.name: FLOAT64 for tensor in layout},
            options=FunctionOptions(scope="directions"),
        )
        estimate = oracle.estimate("")
        _, gradient = self.objective.loss_and_gradient(theta)
        return oracle.lines.along(gradient) - estimate.value, estimate.error_bar
