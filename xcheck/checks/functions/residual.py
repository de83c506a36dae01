"""Residual: whether the error of a gradient moves smoothly with θ, as that of a wrong formula does.

The error e = g − ∇J of a wrong formula is a smooth function of θ: where θ is moved by a part h of itself, e changes by
a small multiple of h. The error of rounding is another number at every θ, as soon as θ moves by more than the spacing
of the narrow dtype. Both are seen along random directions v, where e·v = g·v − ∂J/∂v.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from inspect import Parameter, signature

import numpy as np

from xcheck.backend.contract import wrap_errors
from xcheck.backend.function_objective import FunctionObjective
from xcheck.checks.functions.answers import Answers
from xcheck.checks.functions.implementations import Implementation
from xcheck.diagnose.probes import Jumps, Probes, Tightened, Traced, change_of_residual, point_beside
from xcheck.dtypes import FLOAT64
from xcheck.errors import BackendError
from xcheck.functions.arguments import Arguments
from xcheck.functions.function import Function
from xcheck.layout import Vector
from xcheck.oracle.engines.evaluator import Evaluator
from xcheck.oracle.function_gradient import measure_function
from xcheck.oracle.long_steps import measure_long_steps
from xcheck.oracle.options import FunctionOptions
from xcheck.seeds import FIXED, Stream, generator
from xcheck.trace import BackwardPass, UntraceableError


@dataclass(frozen=True, slots=True, eq=False)
class ResidualProbe:
    """Looks at the residual of one gradient at θ and beside it.

    Attributes:
        objective: the function, with the gradient in question.
        evaluator: evaluates its losses.
        arguments: θ, and the names in it.
    """

    objective: FunctionObjective
    evaluator: Evaluator
    arguments: Arguments

    @np.errstate(all="ignore")  # a loss may overflow where θ was moved to
    def shift(self, step: float) -> float | None:
        """Return ‖e' − e‖/‖e‖, by how much of itself the residual changes.

        Args:
            step: by how much of itself each component of θ is moved.

        Returns:
            None where the residual is too small, or the function fails beside θ.
        """
        theta = self.arguments.theta
        beside = point_beside(theta, step)
        try:
            (here, bar), (there, other) = self._along(theta), self._along(beside)
        except BackendError:
            return None
        return change_of_residual(here, there, bar + other)

    def _along(self, theta: Vector) -> tuple[Vector, Vector]:
        """Return the residual along random directions, and its error bars.

        Raises:
            BackendError: the function fails there.
        """
        layout = self.arguments.layout
        oracle = measure_function(
            self.evaluator,
            theta,
            layout,
            roundoffs={tensor.name: FLOAT64 for tensor in layout},
            options=FunctionOptions(scope="directions"),
        )
        estimate = oracle.estimate("")
        _, gradient = self.objective.loss_and_gradient(theta)
        return oracle.lines.along(gradient) - estimate.value, estimate.error_bar


# Names of arguments that say when a loss stops, and whether less of them is later. Of those that count steps more is.
_STOPS: Mapping[str, bool] = {
    **dict.fromkeys(("tol", "rtol", "atol", "xtol", "ftol", "gtol", "tolerance", "threshold"), True),
    **dict.fromkeys(
        ("max_iter", "maxiter", "n_iter", "num_iter", "iterations", "n_steps", "num_steps", "steps"), False
    ),
}
# In two trials a tolerance (True) is made so many times smaller, and a number of steps (False) so many times larger;
# so much of the residual may be left: errors shrink like a tolerance, or like one over the number of steps of a method
# of first order. Guesses.
_TRIALS = ({True: (10, 0.5), False: (2, 0.7)}, {True: (100, 0.05), False: (16, 0.1)})
# Directions to look along over long steps, and the part of them in which slopes must agree (their bars are such).
_MANY, _MOST = 16, 0.75
# A loss jumps if it does by so many roundings; its slope over long steps says something if it is known so well, beside
# the dispute. Guesses.
_ROUNDINGS, _SHARP = 2.0**12, 0.1


def make_probes(
    implementations: Sequence[Implementation], found: Answers, arguments: Arguments, device: str
) -> dict[str, Probes]:
    """Return what else may be asked of each function, by its label."""
    # A row of a Jacobian is no gradient of the whole.
    if found.run.oracle is None or found.outputs:
        return {}
    # Nothing is asked yet: a check that passes has no residual to look at.
    evaluator = found.run.oracle.engine.evaluator
    asked = [_Asked(found, evaluator, arguments, device, each) for each in implementations]
    return {
        each.implementation.label: Probes(
            each.shift, each.along_paths, each.tightened, each.jumps, each.backward_pass, each.traced
        )
        for each in asked
    }


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """One function that may be asked; the attributes are the arguments of `make_probes`."""

    found: Answers
    evaluator: Evaluator
    arguments: Arguments
    device: str
    implementation: Implementation

    def _objective(self, implementation: Implementation) -> FunctionObjective:
        return implementation.objective(self.arguments, device=self.device, wide=True, cotangent=self.found.cotangent)

    def shift(self, step: float) -> float | None:
        """Return by how much of itself the residual changes where θ is moved."""
        objective = self._objective(self.implementation)
        return ResidualProbe(objective, self.evaluator, self.arguments).shift(step)

    def along_paths(self) -> Vector | None:
        """Return the gradient with each sample differentiated along its own random numbers, shape (c,)."""
        objective = self._objective(self.implementation)
        try:
            with wrap_errors(objective.backend):
                gradient = objective.gradient_along_paths(self.arguments.theta)
        except BackendError:
            return None
        return None if gradient is None else self.found.run.lines.along(gradient)

    def tightened(self) -> Tightened | None:
        """Return what becomes of the residual if the function stops later."""
        function = self.implementation.function
        given = _stops(function, len(self.arguments.data))
        stops = given and "value_and_gradient" not in function.forms
        before = self._over_long_steps(self.implementation) if stops else None
        if before is None or not (np.abs(before.residual) > before.bar).mean() > _MOST:
            return None
        left = 1.0
        for trial in _TRIALS:
            after = self._over_long_steps(_with_keywords(self.implementation, _later(given, trial)))
            if after is None:
                return None
            left = float(np.linalg.norm(np.abs(after.residual) + after.bar) / np.linalg.norm(before.residual))
            if not left <= max(trial[_STOPS[name]][1] for name in given):
                return None
        return Tightened(_in_words(given, _TRIALS[-1]), left)

    def backward_pass(self) -> BackwardPass | None:
        """Return what the function's backward pass does, operation by operation; None where it is written by hand.

        Raises:
            UntraceableError: it cannot be looked into.
        """
        if self.implementation.function.hand_written:
            return None
        objective = self._objective(self.implementation)
        try:
            with wrap_errors(objective.backend):
                return objective.backward_pass()
        except BackendError as error:  # the gradient was computed before: whatever fails now, fails for looking
            raise UntraceableError(f"it cannot be traced: {error}") from error

    def traced(self) -> Traced | None:
        """Return the operations of the loss of a gradient that is written by hand; None where it cannot be traced."""
        # Of several outputs each has a trace of its own.
        if not self.implementation.function.hand_written or self.found.outputs:
            return None
        objective = self._objective(self.implementation)
        theta = self.arguments.theta
        try:
            with wrap_errors(objective.backend):
                trace, arrays = objective.trace(), objective.traced_arrays(theta)
        except (UntraceableError, BackendError):
            return None
        names = [tensor.name for tensor in self.arguments.layout]
        return Traced(trace, arrays, names, self.found.run.lines.along) if len(names) == len(trace.inputs) else None

    def jumps(self) -> Jumps | None:
        """Return the jumps of a loss whose slope over long steps is what the gradient says."""
        found, run = self._over_long_steps(self.implementation), self.found.run
        if found is None or not run.lines.complete:
            return None
        dispute = found.directions @ (found.gradient - run.estimate.value)
        claimed = found.directions @ found.gradient
        # Where the loss is zero at θ, its jumps are compared with what it moves by.
        scale = abs(run.estimate.loss) + float(np.median(np.abs(claimed)))
        size = float(np.median(found.noise)) / scale if claimed.any() else 0.0
        agrees = (np.abs(found.residual) <= found.bar).mean() >= _MOST
        sharp = np.linalg.norm(found.bar) <= _SHARP * np.linalg.norm(dispute)
        if not (agrees and sharp and size > _ROUNDINGS * FLOAT64):
            return None
        return Jumps(size, float(np.linalg.norm(found.bar) / np.linalg.norm(claimed)))

    def _over_long_steps(self, implementation: Implementation) -> "_LongSteps | None":
        """Return a function's own residual over long steps; None where the function fails."""
        objective, theta = self._objective(implementation), self.arguments.theta
        signs = generator(FIXED, Stream.LONG_STEPS).choice([-1.0, 1.0], (_MANY, theta.size))
        directions = signs * np.where(theta == 0, 1.0, np.abs(theta))
        try:
            slopes, bar, noise = measure_long_steps(objective.losses, theta, directions)
            _, gradient = objective.loss_and_gradient(theta)
        except BackendError:
            return None
        return _LongSteps(directions, gradient, directions @ gradient - slopes, bar, noise)


@dataclass(frozen=True, slots=True, eq=False)
class _LongSteps:
    """A gradient along some directions, shape (d, n), beside slopes over long steps, shape (d,) each."""

    directions: Vector
    gradient: Vector
    residual: Vector
    bar: Vector
    noise: Vector


def _later(given: Mapping[str, float], trial: Mapping[bool, tuple[int, float]]) -> dict[str, float]:
    """Return values with which a function stops later."""
    return {name: value / trial[True][0] if _STOPS[name] else value * trial[False][0] for name, value in given.items()}


def _in_words(given: Mapping[str, float], trial: Mapping[bool, tuple[int, float]]) -> str:
    """Return how these values differ from what they were."""
    return " and ".join(
        f"{name} {trial[_STOPS[name]][0]} times as {'small' if _STOPS[name] else 'large'}" for name in given
    )


def _stops(function: Function, data: int) -> dict[str, float]:
    """Return the arguments of a loss that say when it stops, with their defaults."""
    if function.loss is None or function.calls_module:
        return {}
    return {
        each.name: each.default
        for each in _arguments(function.loss)[1 + data :]
        if each.name in _STOPS and isinstance(each.default, int | float) and not isinstance(each.default, bool)
    }


def _arguments(function: Callable[..., object]) -> list[Parameter]:
    """Return what a function takes; nothing where it does not tell, as ufuncs do not before NumPy 2.4."""
    try:
        return list(signature(function).parameters.values())
    except (TypeError, ValueError):
        return []


def _with_keywords(implementation: Implementation, keywords: Mapping[str, float]) -> Implementation:
    """Return a function with other values of some of its arguments; its own gradient takes those that it has."""
    function = implementation.function
    loss, forms = function.loss, {}
    for name, form in function.forms.items():
        known = {each.name for each in _arguments(form)}
        forms[name] = partial(form, **{each: value for each, value in keywords.items() if each in known})
    loss = None if loss is None else partial(loss, **keywords)
    function = replace(function, loss=loss, forms=forms)
    return Implementation(implementation.label, function, implementation.backend)
