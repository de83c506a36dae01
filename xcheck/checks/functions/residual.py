"""Residual: whether the error of a gradient moves smoothly with θ, as that of a wrong formula does.

The error e = g − ∇J of a wrong formula is a smooth function of θ: where θ is moved by a part h of itself, e changes by
a small multiple of h. The error of rounding is another number at every θ, as soon as θ moves by more than the spacing
of the narrow dtype. Both are seen along random directions v, where e·v = g·v − ∂J/∂v.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from xcheck.backend.function_objective import FunctionObjective
from xcheck.checks.functions.answers import Answers
from xcheck.checks.functions.implementations import Implementation
from xcheck.dtypes import FLOAT64
from xcheck.errors import BackendError
from xcheck.functions.arguments import Arguments, Numbers
from xcheck.layout import Vector
from xcheck.oracle.estimate import CERTAIN
from xcheck.oracle.function_gradient import FunctionOracle, measure_function
from xcheck.oracle.options import FunctionOptions
from xcheck.seeds import FIXED, Stream, generator

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
        shown = np.abs(here) > CERTAIN * (bar + other)
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


def residual_shifts(
    implementations: Sequence[Implementation], found: Answers, arguments: Arguments, device: str
) -> dict[str, Callable[[float], float | None]]:
    """Return how the residual of each function is looked at beside θ (`ResidualProbe.shift`), by its label."""
    # A row of a Jacobian is no gradient of the whole.
    if found.run.oracle is None or found.outputs:
        return {}
    # Probes are made when they are asked for: a check that passes has no residual to look at.
    make = partial(_shift, found.run.oracle, arguments, device, found.cotangent)
    return {implementation.label: partial(make, implementation) for implementation in implementations}


def _shift(
    oracle: FunctionOracle,
    arguments: Arguments,
    device: str,
    cotangent: Numbers | None,
    implementation: Implementation,
    step: float,
) -> float | None:
    objective = implementation.objective(arguments, device=device, wide=True, cotangent=cotangent)
    return ResidualProbe(objective, oracle, arguments.theta).shift(step)
