"""Prover: proved slopes of one function's loss, and what rounding may do to gradients of it.

FLINT is an extra: what computes with it is imported only where there is something to be proved.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from xcheck.backend.contract import Objective
from xcheck.certificates.claims import allowed_error
from xcheck.certificates.pace import Pace
from xcheck.certificates.work import work_of
from xcheck.dtypes import FLOAT64, ROUNDOFF
from xcheck.layout import Vector
from xcheck.seeds import FIXED, Stream, generator
from xcheck.trace import UntraceableError, replay
from xcheck.trace.in_numpy import carry_out, entering_loops

if TYPE_CHECKING:
    from xcheck.certificates.slopes import Slopes

# How far beside θ a trace is tried, relative to it: far enough for the loss to move, too near for much to change.
_BESIDE = 2.0**-20
# A part that was not seen shows where it is more than this share of how the loss moves; so many roundings may be
# between the trace and the program, as everywhere. Guesses.
_SAME, _ROUNDINGS = 2.0**-10, 2.0**20
# In a narrow dtype, whose digits are few, so many of its roundings: a guess.
_ROUNDINGS_OF_NARROW = 2.0**6


def has_flint() -> bool:
    """Return whether python-flint is installed, without importing it."""
    return find_spec("flint") is not None


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A function whose loss, or whose gradient's program, may be traced.

    Attributes:
        name: of the witness, or of the oracle's function.
        objective: the function in 64 bits.
    """

    name: str
    objective: Objective


@dataclass(frozen=True, slots=True, eq=False)
class _Program:
    """What is known of the program of a gradient.

    Attributes:
        objective: orders the numbers.
        samples: how rounding moves the gradient, shape (samples, n).
        coarsest: unit roundoff of the coarsest cast, 0 where there is none.
    """

    objective: Objective
    samples: Vector
    coarsest: float


def _program(objective: Objective, theta: Vector) -> _Program | None:
    """Carry out the program of a gradient with random rounding; None where it cannot be traced."""
    from xcheck.certificates.rounding import coarsest_cast, rounding_samples

    try:
        trace = objective.gradient_trace()
        samples = rounding_samples(trace, objective.traced_arrays(theta))
    except Exception:  # noqa: BLE001 - what cannot be looked into is not known, whatever the reason
        return None
    return _Program(objective, samples, coarsest_cast(trace)) if np.isfinite(samples).all() else None


class Prover:
    """Proved slopes of the loss of one function at θ.

    Attributes:
        name: of the function.
        theta: θ, shape (n,).
        objective: the function in 64 bits.
        trace: of its loss.
        arrays: θ, one array for each input of the trace.
        loss: J(θ).

    Args:
        candidate: whose loss is evaluated.
        others: whose gradients' programs may be looked into, that of the candidate included.
        theta: θ, shape (n,).
        pace: what fits the time; by default everything does.

    Raises:
        UntraceableError: the loss cannot be traced.
        BackendError: the function fails.
    """

    def __init__(
        self, candidate: Candidate, others: Sequence[Candidate], theta: Vector, pace: Pace | None = None
    ) -> None:
        self.name, self.theta, self._pace = candidate.name, theta, pace or Pace()
        self.objective, self._others = candidate.objective, others
        self.trace, self.arrays = self.objective.trace(), self.objective.traced_arrays(theta)
        self._work = work_of(self.trace)
        self.loss = float(self.objective.losses(theta[None])[0])
        # By name: what is known of the program of its gradient; None where nothing is.
        self._programs: dict[str, _Program | None] = {}

    def confirm(self) -> None:
        """Carry the trace out beside θ, where it must still give the loss: what it has not seen moves there, too.

        Raises:
            UntraceableError: it gives another loss.
        """
        signs = generator(FIXED, Stream.TRACE).choice([-1.0, 1.0], self.theta.size)
        narrow = ROUNDOFF.get(self.narrow, 0.0)
        # A loss that is rounded coarsely has to move by much more than its rounding.
        beside = self.theta + max(_BESIDE, narrow**0.5) * np.maximum(1.0, np.abs(self.theta)) * signs
        expected = float(self.objective.losses(beside[None])[0])
        with np.errstate(all="ignore"):  # θ may be at the edge of its domain: nothing is compared then
            (found,) = replay(self.trace, self.objective.traced_arrays(beside), entering_loops(carry_out))
        value, allowed = float(np.asarray(found, np.float64).reshape(())), _SAME * abs(expected - self.loss)
        allowed += max(_ROUNDINGS * FLOAT64, _ROUNDINGS_OF_NARROW * narrow) * max(1.0, abs(self.loss))
        if np.isfinite(expected) and np.isfinite(value) and abs(value - expected) > allowed:
            text = f"beside θ the operations that were traced give the loss {value:.17g}, the program {expected:.17g}"
            raise UntraceableError(text)

    @property
    def narrow(self) -> str:
        """The coarsest dtype that the loss casts to on its way; empty where none is narrower than float64."""
        from xcheck.certificates.rounding import coarsest_cast

        coarsest = coarsest_cast(self.trace)
        return next((name for name, own in ROUNDOFF.items() if own == coarsest > FLOAT64), "")

    @property
    def affordable(self) -> int:
        """How many slopes more fit the budget, proved together."""
        return self._pace.affordable(self._work)

    @property
    def seconds(self) -> float:
        """What one slope, or the value, is predicted to take."""
        return self._work.seconds

    def slopes(self, directions: Vector) -> "Slopes":
        """Return the slopes along directions, shape (k, n).

        Raises:
            UntraceableError: nothing can be proved.
        """
        from xcheck.certificates.decisions import NotProvedError
        from xcheck.certificates.slopes import prove_slopes

        self._pace.spend(self._work, len(directions), len(self.trace.operations))
        rows = [self.objective.traced_arrays(one) for one in directions]
        try:
            return prove_slopes(self.trace, self.arrays, rows, self._pace.watch)
        except NotProvedError as error:
            raise UntraceableError(str(error)) from error

    def spread(self, name: str, directions: Vector) -> Vector | None:
        """Return by how much one unit roundoff of every operation moves a witness's g·v, shape (k,).

        Where its own program is not known, that of another function stands for it; None where none is.
        """
        from xcheck.certificates.rounding import spread_of

        program = self._program_for(name)
        if program is None:
            return None
        own = [np.concatenate([np.ravel(part) for part in program.objective.traced_arrays(one)]) for one in directions]
        return spread_of(program.samples, np.stack(own))

    def roundoff(self, name: str, roundoff: float) -> float:
        """Return the unit roundoff that a witness computes in: that of its dtype, or of the coarsest cast inside."""
        program = self._program_for(name)
        return roundoff if program is None else max(roundoff, program.coarsest)

    def _program_for(self, name: str) -> "_Program | None":
        names = dict.fromkeys((name, self.name, *(other.name for other in self._others)))
        return next((found for found in map(self._program_of, names) if found is not None), None)

    def _program_of(self, name: str) -> "_Program | None":
        if name not in self._programs:
            found = (_program(other.objective, self.theta) for other in self._others if other.name == name)
            self._programs[name] = next(found, None)
        return self._programs[name]

    def errors(self, name: str, roundoff: float, gradient: Vector, directions: Vector) -> tuple[Vector, Vector]:
        """Return g·v - s along directions, and what rounding may do to each; 0 at kinks, where nothing refutes.

        Args:
            name: of the witness.
            roundoff: unit roundoff of what it was computed in.
            gradient: g, shape (n,).
            directions: shape (k, n).
        """
        from xcheck.certificates.balls import inner
        from xcheck.certificates.slopes import at_precision

        proved = self.slopes(directions)
        spread = self.spread(name, directions)
        with at_precision(proved.precision):
            found = np.array(
                [float(inner(gradient, one) - slope) for one, slope in zip(directions, proved.slopes, strict=True)]
            )
        if proved.left is not None:
            sides = zip(proved.slopes, proved.left, strict=True)
            found[[float(one) != float(other) for one, other in sides]] = 0.0
        sizes = np.abs([float(slope) for slope in proved.slopes])
        known = np.zeros(len(found)) if spread is None else spread
        return found, allowed_error(self.roundoff(name, roundoff), known, sizes)
