"""Examination: is a function one at all? Called twice, then elsewhere, then again; and what it writes into is noticed.

Only what gives the same answer at the same θ has a gradient. What differs from call to call is judged by
`xcheck.diagnose.determinism`; a function that overwrites its arguments cannot be trusted with the next call, and is
undecided.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from xcheck.backend.function_objective import FunctionObjective
from xcheck.checks.functions.implementations import Implementation
from xcheck.checks.tracebacks import own_traceback
from xcheck.compare.evaluation import Evaluation
from xcheck.errors import BackendError
from xcheck.findings import BACKEND_FAILED, DEPENDS_ON_HISTORY, OVERWRITTEN, UNUSED_PARAMETERS, Finding
from xcheck.layout import Vector

_STEPS, _SHORT, _DIRECTIONS = (0.1, 1e-3), 1e-4, 5


@dataclass(slots=True)
class Answer:
    """What came of calling one function.

    Attributes:
        contender: the function with its label and framework.
        objective: the function.
        evaluation: what it says; None where it fails.
        findings: why the check cannot pass.
        warnings: what else was noticed.
        seconds: wall time.
        stale: whether its gradient is kept from the first call.
    """

    contender: Implementation
    objective: FunctionObjective
    evaluation: Evaluation | None = None
    findings: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    seconds: float = 0.0
    stale: bool = False

    @property
    def steady(self) -> bool:
        """Whether two calls give the same loss, to rounding of the coarsest dtype."""
        if self.evaluation is None:
            return False
        first, last = self.evaluation.calls[0].loss, self.evaluation.calls[-1].loss
        close = 2.0**10 * self.objective.arguments.roundoff * max(abs(first), abs(last))
        return bool(abs(first - last) <= close) or first == last or (np.isnan(first) and np.isnan(last))

    @property
    def failed(self) -> bool:
        """Whether it raised."""
        return self.evaluation is None

    def in_float64(self, cotangent: Any, device: str) -> Evaluation | None:
        """Return what it says in 64 bits, if its parameters are narrower and it can: rounding then hides nothing."""
        arguments, evaluation = self.objective.arguments, self.evaluation
        if evaluation is None or evaluation.again is not None or arguments.roundoff <= 2.0**-53 or self.overwrites:
            return None
        try:
            wide = self.contender.objective(arguments, device=device, wide=True, cotangent=cotangent)
            return Evaluation(f"{self.contender.label} in float64", *wide.loss_and_gradient(arguments.theta))
        except BackendError:
            return None  # the oracle says so where it matters

    @property
    def by_hand(self) -> bool:
        """Whether its gradient is the person's own code."""
        return self.contender.function.hand_written

    @property
    def overwrites(self) -> bool:
        """Whether it writes into its arguments."""
        return bool(self.objective.overwritten)


def call_and_probe(contender: Implementation, objective: FunctionObjective, theta: Vector) -> Answer:
    """Call a function several times and note what is not as it should be."""
    label, start, found = contender.label, time.perf_counter(), Answer(contender, objective)
    try:
        found.evaluation = _called(found, theta)
    except BackendError as error:
        found.findings.append(failure(label, error))
    found.seconds = time.perf_counter() - start
    if found.overwrites:
        found.findings.append(_overwritten(label, sorted(objective.overwritten)))
    if objective.unused:
        found.warnings.append(_unused(label, sorted(objective.unused), objective, by_hand=found.by_hand))
    return found


def failure(label: str, error: BackendError) -> Finding:
    """Return what a function raised, with the traceback through the person's own code."""
    trace = None if error.__cause__ is None else own_traceback(error.__cause__)
    return Finding(code=BACKEND_FAILED, text=f"{label}: {error.text}", trace=trace)


def _called(found: Answer, theta: Vector) -> Evaluation:
    """Call at θ, at θ, elsewhere, and at θ; keep the first answer that differs from the first.

    Raises:
        BackendError: one of the calls fails.
    """
    label, objective = found.contender.label, found.objective
    first = Evaluation(label, *_copied(objective, theta))
    second = Evaluation(label, *_copied(objective, theta))
    if not second.repeats(first):
        return replace(first, again=second)
    _call_elsewhere(found, first, theta)
    third = Evaluation(label, *_copied(objective, theta))
    if third.repeats(first):
        third = _left_behind(found, first, theta)
    return first if third.repeats(first) else replace(first, again=third, elsewhere=True)


def _call_elsewhere(found: Answer, first: Evaluation, theta: Vector) -> None:
    """Call at another θ, and note if that gives the gradient of the first one; θ may have no neighbours in reach."""
    signs = np.where(np.arange(theta.size) % 2, 1.0, -1.0)
    for step in _STEPS:
        there = theta + step * signs * np.maximum(1.0, np.abs(theta))
        try:
            _, gradient = _copied(found.objective, there)
            # A gradient of zeros is detached, not stale.
            if gradient.any() and np.array_equal(first.gradient, gradient) and _bends(found.objective, theta, there):
                found.stale = True
                found.findings.append(_stale(found.contender.label))
        except BackendError:
            continue
        return


def _left_behind(found: Answer, first: Evaluation, theta: Vector) -> Evaluation:
    """Return what a hand-written gradient says at θ when the loss was last called elsewhere."""
    gradient = None
    if found.contender.function.gradient is None:
        return first
    with suppress(BackendError):  # it may need the loss to be called first, and then at the same θ
        found.objective.losses(theta[None] + _SHORT)
        gradient = found.objective.gradient_alone(theta)
    return first if gradient is None else replace(first, gradient=gradient)


def _copied(objective: FunctionObjective, theta: Vector) -> tuple[float, Vector]:
    loss, gradient = objective.loss_and_gradient(theta)
    return loss, gradient.copy()  # the next call may write into the same buffer


def _bends(objective: FunctionObjective, here: Vector, there: Vector) -> bool:
    """Return whether J has other slopes at another θ, along most of a few random directions.

    Two steps each: a kink between θ and a step is not inside a much shorter one as well.
    """
    roundings, count = 2.0**12 * objective.arguments.roundoff, 0
    rng = np.random.default_rng(here.size)
    for _ in range(_DIRECTIONS):
        v = rng.standard_normal(here.size)  # one at a time: each is as long as θ
        differs = True
        for step in (_SHORT, _SHORT / 64):
            move = step / max(1.0, float(np.abs(v).max(initial=0.0))) * v
            points = np.stack([here + move, here - move, there + move, there - move])
            right, left, moved_right, moved_left = objective.losses(points)
            slopes = np.array([right - left, moved_right - moved_left])
            noise = roundings * max(abs(right), abs(moved_right))
            differs &= bool(abs(slopes[1] - slopes[0]) > 1e-2 * np.abs(slopes).max() + noise)
        count += differs
    return count > _DIRECTIONS // 2


def _stale(label: str) -> Finding:
    text = (
        f"{label}: at another θ the gradient is the same to the last bit, although the loss has other slopes there: "
        "it does not depend on θ: kept from the first call (a stale cache?), or a constant"
    )
    return Finding(code=DEPENDS_ON_HISTORY, text=text)


def _overwritten(label: str, names: Sequence[str]) -> Finding:
    text = (
        f"{label}: the function writes into {', '.join(names)}: whatever is computed from it afterwards is another "
        "function; work on a copy"
    )
    return Finding(code=OVERWRITTEN, text=text, tensor=names[0])


def _unused(label: str, names: Sequence[str], objective: FunctionObjective, *, by_hand: bool) -> Finding:
    everything = len(names) == len(objective.arguments.leaves)
    verb = "depends on no parameter" if everything else f"does not depend on {', '.join(names)}"
    text = f"{label}: the loss {verb}: the gradient is None and taken for zero; was it detached?"
    if by_hand:
        text = f"{label}: the gradient that was returned has no {', '.join(names)}: taken for zero"
    return Finding(code=UNUSED_PARAMETERS, text=text, tensor=names[0])
