"""Method: one way of checking a gradient, made ready for one problem. xcheck's engines and the peers are methods.

All are asked about the same problem, and about the same gradient: the one in extended precision, rounded to float64.
A method that does not accept it is wrong, however fast.
"""

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from xcheck import Problem
from xcheck.layout import Vector

Judgement = Literal["agree", "disagree", "undecided"]

_SAMPLE_STREAM = 23
# Seconds that one run may take by the prediction of `_affordable`; beyond that a sample of the components is checked.
_RUN_SECONDS = 1.5
_MULTIPLICATIONS_PER_SECOND = 1e10


class SkippedError(Exception):
    """The method does not take part in this scenario; the text says why."""


class Method(ABC):
    """A way of checking a gradient.

    Attributes:
        losses_per_component: losses it evaluates for each component of θ; None if it checks all components at once.
        losses_to_reject: losses per component that it takes to reject another gradient after a run; 0 if hardly any.
        overhead: seconds per loss beside its multiplications; decides how many components are affordable.
        problem: the network at θ.
        gradient: the right gradient at θ, shape (n,).
        indices: the components it checks, shape (k,): all, or a random sample.
        note: what a reader of its numbers must know.
        compile_seconds: of which the first run consisted of tracing and compiling, None where nothing is compiled.
        evaluations: losses evaluated in the last run.
        value: the gradient it found in the last run, shape (k,); None if it keeps that to itself.
        bar: the error that it owns up to, shape (k,); None if it has no error bars.
    """

    losses_per_component: ClassVar[int | None] = 2
    losses_to_reject: ClassVar[int] = 0
    overhead: ClassVar[float] = 3e-5

    def __init__(self, problem: Problem, gradient: Vector, device: str) -> None:
        self.problem = problem
        self.gradient = gradient
        self.device = device
        self.indices: NDArray[np.intp] = _sampled(problem, self._affordable())
        self.note = ""
        self.compile_seconds: float | None = None
        self.evaluations = 0
        self.value: Vector | None = None
        self.bar: Vector | None = None

    @abstractmethod
    def run(self) -> None:
        """Check the right gradient, from the beginning; this is what is timed."""

    @abstractmethod
    def judge(self, gradient: Vector) -> Judgement:
        """Return what the method says of another gradient; numbers that the last run left need not be taken again."""

    def verdict(self) -> Judgement:
        """Return what the method says of the right gradient, after a run."""
        return self.judge(self.gradient)

    def run_passes(self) -> int:
        """Take central differences of everything and nothing else; return how many, 0 if `run` does just that."""
        return 0

    @property
    def losses_per_pass(self) -> int | None:
        """Losses in one central difference of everything that is perturbed; None if that is not what it does."""
        return None if self.losses_per_component is None else 2 * self.problem.layout.size

    @property
    def seconds_to_reject(self) -> float:
        """Predict how long it takes to reject a gradient."""
        return self.losses_to_reject * self.problem.layout.size * self._seconds_per_loss

    @property
    def _seconds_per_loss(self) -> float:
        """Predict how long a loss takes; so roughly that the same components are chosen on every machine."""
        return self.overhead + self.problem.examples * self.problem.layout.size / _MULTIPLICATIONS_PER_SECOND

    def _affordable(self) -> int:
        """Return how many components are checked: all, or a power of two."""
        size = self.problem.layout.size
        if self.losses_per_component is None:
            return size
        components = int(_RUN_SECONDS / (self.losses_per_component * self._seconds_per_loss))
        return size if components >= size else 1 << (max(components, 16).bit_length() - 1)


def _sampled(problem: Problem, components: int) -> NDArray[np.intp]:
    rng = np.random.default_rng([problem.seed, _SAMPLE_STREAM])
    return np.sort(rng.choice(problem.layout.size, size=components, replace=False))


class Differences(Method):
    """A method that hands out a numerical gradient; whoever uses it compares."""

    @abstractmethod
    def estimate(self) -> Vector:
        """Return the numerical gradient of the components in `indices`, and count the losses."""

    def run(self) -> None:
        """Take all differences."""
        self.evaluations = 0
        self.value = self.estimate()

    def judge(self, gradient: Vector) -> Judgement:
        """Compare with what the last run has found."""
        if self.value is None:
            raise RuntimeError("nothing to compare with: call run() first")
        return "agree" if self.accepts(gradient[self.indices], self.value) else "disagree"

    def accepts(self, gradient: Vector, value: Vector) -> bool:
        """Compare with numpy.allclose at its defaults: these methods have no verdict of their own."""
        return bool(np.allclose(gradient, value))
