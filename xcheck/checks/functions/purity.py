"""Is a function one at all? It is called twice, then elsewhere, then again; and what it writes into is noticed.

Only what gives the same answer at the same θ has a gradient. What differs from call to call is judged by
`xcheck.diagnose.determinism`; a function that overwrites its arguments cannot be trusted with the next call, and is
undecided.
"""

import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np

from xcheck.backend.cotangents import WRITTEN, CotangentFault
from xcheck.backend.function_objective import FunctionObjective
from xcheck.checks.answer import Answer, evaluate, evaluate_twice
from xcheck.checks.functions.implementations import Implementation
from xcheck.checks.tracebacks import own_traceback
from xcheck.compare.evaluation import Evaluation
from xcheck.errors import BackendError, quote
from xcheck.findings import COTANGENT_MISREAD, DEPENDS_ON_HISTORY, OVERWRITTEN, Finding
from xcheck.functions.forms import FORMS
from xcheck.layout import Vector
from xcheck.oracle.columns import Flags
from xcheck.seeds import FIXED, Stream, generator
from xcheck.text import joined

# How far from θ a function is called "elsewhere", in units of max(1, |θᵢ|): first a step that any function feels; then,
# where θ has no neighbours so far away (a logarithm close to 0), a short one.
_STEPS = (0.1, 1e-3)
# Step of the differences that a gradient at another θ is held against: a guess, chosen so that the roundoff of a
# float32 loss, 6e-8 / 1e-4, stays below the hundredth by which slopes must differ.
_SHORT = 1e-4
# What frameworks say of arrays that do not fit together: of shapes, and that they are not what they should be.
_OF_SHAPES = re.compile(
    r"(?=.*\b(shape|size|dimension)s?\b)"
    r"(?=.*\b(match|mismatch|incompatible|broadcast|multiplied|different|same|equal|expected|invalid|aligned)\b)",
    re.IGNORECASE | re.DOTALL,
)
# What Python says of a call with too few arguments, or too many.
_OF_ARGUMENTS = re.compile(r"positional argument")
# How a sentence of Python says that a module has no keys.
_OF_KEYS = re.compile(r"not subscriptable|not iterable|has no attribute")
# Arrays that such a sentence names: a guess, as many as fit on two lines.
_MOST_NAMED = 6
# Random directions in which slopes are compared; most must differ. A guess: five cost twenty losses twice.
_DIRECTIONS = 5


def call_and_probe(
    implementation: Implementation, objective: FunctionObjective, theta: Vector
) -> Answer[FunctionObjective]:
    """Call a function several times and note what is not as it should be."""
    answer = Answer(implementation.label, objective, versions=implementation.backend.versions())
    start = time.perf_counter()
    try:
        answer.evaluation = _call_at_and_around(answer, implementation, objective, theta)
    except BackendError as error:
        answer.fail(say_shapes(objective, error), trace_of(error))
    # Of a random function nothing would stay the same.
    if answer.evaluation is not None and answer.evaluation.again is None:
        for fault in objective.try_cotangents(theta):
            _note_cotangent_fault(answer, fault)
    answer.seconds = time.perf_counter() - start
    # Noted by the objective, which compares its arguments before and after every call.
    if objective.overwritten:
        answer.overwrites = True
        answer.findings.append(_overwritten(answer.name, sorted(objective.overwritten)))
    return answer


def say_shapes(objective: FunctionObjective, error: BackendError) -> str:
    """Return what happened; where it is about what the function was handed, behind what that was."""
    arguments = objective.arguments
    if error.__cause__ is None or quote(error.__cause__) not in error.text:
        return error.text
    if isinstance(error.__cause__, TypeError) and _OF_ARGUMENTS.search(error.text):
        count, of_module = len(arguments.data), objective.function.calls_module
        handed = f"{count} of data" if of_module else f"params and {count} of data"
        # A vjp, a jvp or a product takes one argument more.
        more = [f"the {name} as {FORMS[name]}" for name in objective.function.forms if FORMS[name].count(", ") > 1]
        called = "; ".join([f"the function is called with {handed}, which are given as data=(...)", *more])
        return f"{called}: {error.text}"
    if objective.function.handed and _OF_KEYS.search(error.text):
        text = "the function is called with the module that was handed over; params=dict(module.named_parameters())"
        return f"{text} hands over its parameters by name: {error.text}"
    if not _OF_SHAPES.search(error.text):
        return error.text
    own = objective.parameters.at(arguments.theta)
    shapes = {name: values.shape for name, values in own.items() if name not in arguments.inputs}
    handed = joined([f"{name} {shape}" for name, shape in (shapes | arguments.data_shapes).items()], _MOST_NAMED)
    return f"the function fails with what it was handed, {handed}: {error.text}"


def trace_of(error: BackendError) -> str | None:
    """Return the traceback through the person's own code of what a function raised."""
    return None if error.__cause__ is None else own_traceback(error.__cause__)


def is_steady(answer: Answer[FunctionObjective], roundoff: float) -> bool:
    """Return whether two calls give the same loss, to a thousand roundings of the coarsest dtype."""
    if answer.evaluation is None:
        return False
    first, last = answer.evaluation.calls[0].loss, answer.evaluation.calls[-1].loss
    close = 2.0**10 * roundoff * max(abs(first), abs(last))
    return bool(abs(first - last) <= close) or first == last or (np.isnan(first) and np.isnan(last))


def _call_at_and_around(
    answer: Answer[FunctionObjective], implementation: Implementation, objective: FunctionObjective, theta: Vector
) -> Evaluation:
    """Call at θ, at θ, elsewhere, and at θ; keep the first answer that differs from the first.

    Raises:
        BackendError: one of the calls fails.
    """
    first = evaluate_twice(answer.name, objective, theta)
    if first.again is not None:
        return first
    _call_elsewhere(answer, objective, first, theta)
    third = evaluate(answer.name, objective, theta)
    # A hand-written backward pass may use what the forward pass has left behind, of whatever θ it was called at last.
    if third.repeats(first) and "gradient" in implementation.function.forms:
        third = _left_behind(objective, first, theta)
    return first if third.repeats(first) else replace(first, again=third, elsewhere=True)


def _call_elsewhere(
    answer: Answer[FunctionObjective], objective: FunctionObjective, first: Evaluation, theta: Vector
) -> None:
    """Call at another θ, and note if that gives the gradient of the first one; θ may have no neighbours in reach."""
    # Every component is moved, and neighbours the other way: a sum of all must not stay the same.
    signs = np.where(np.arange(theta.size) % 2, 1.0, -1.0)
    for step in _STEPS:
        there = theta + step * signs * np.maximum(1.0, np.abs(theta))
        try:
            gradient = evaluate(answer.name, objective, there).gradient
            # A gradient of zeros is detached, not stale.
            same = gradient.any() and np.array_equal(first.gradient, gradient)
            roundoff = objective.arguments.roundoff
            if same and bool(contradicts(objective.losses, gradient, theta, there, roundoff)):
                answer.refuted = True
                answer.findings.append(_stale(answer.name))
        except BackendError:
            continue
        return


def _left_behind(objective: FunctionObjective, first: Evaluation, theta: Vector) -> Evaluation:
    """Return what a hand-written gradient says at θ when the loss was last called elsewhere."""
    gradient = None
    with suppress(BackendError):  # it may need the loss to be called first, and then at the same θ
        objective.losses(theta[None] + _SHORT)
        gradient = objective.gradient_alone(theta)
    return first if gradient is None else replace(first, gradient=gradient)


@np.errstate(all="ignore")  # a loss may be infinite there, and a claim about it contradicts nothing
def contradicts(
    losses_at: Callable[[Vector], Vector], gradient: Vector, here: Vector, there: Vector, roundoff: float
) -> Flags:
    """Return whether a gradient that was given at θ and at another θ′ cannot be right at θ′, though it may be at θ.

    Along v it claims the slope g·v. At a kink the slopes to both sides of a point are the ends of an interval that
    every subgradient is in, so a claim inside it contradicts nothing: piecewise linear functions have the same gradient
    at many points. The claim must be outside at θ′. Unless θ and θ′ have slopes in common it must be inside at θ too: a
    gradient that is wrong by the same factor everywhere is constant for another reason.

    Two steps each, and most of a few directions: a kink between θ′ and a step is not inside a much shorter one as well.

    Args:
        losses_at: Θ, shape (k, n), -> losses (k,); of several outputs at once (outputs, k).
        gradient: shape (n,); of several outputs (outputs, n).
        here: θ, shape (n,).
        there: θ′, shape (n,).
        roundoff: unit roundoff of the losses.

    Returns:
        One flag, shape (); of several outputs (outputs,).
    """
    # A thousandfold margin: slopes of a linear loss differ by noise alone.
    roundings, count = 2.0**12 * roundoff, np.zeros(gradient.shape[:-1], dtype=int)
    rng = generator(FIXED, Stream.ELSEWHERE)
    for _ in range(_DIRECTIONS):
        v = rng.standard_normal(here.size)  # one at a time: each is as long as θ
        size, contradicted = max(1.0, float(np.abs(v).max(initial=0.0))), np.ones(count.shape, dtype=bool)
        for step in (_SHORT, _SHORT / 64):
            move = step / size * v
            losses = losses_at(np.stack([p + m for p in (here, there) for m in (-move, 0 * move, move)]))
            claim, slopes = gradient @ move, np.diff(losses.reshape(*count.shape, 2, 3), axis=-1)
            steepest = np.maximum(np.abs(slopes).max(axis=(-2, -1)), np.abs(claim))
            margin = (1e-2 * steepest + roundings * np.abs(losses).max(axis=-1))[..., None]
            low, high = slopes.min(axis=-1) - margin, slopes.max(axis=-1) + margin
            inside = (low <= claim[..., None]) & (claim[..., None] <= high)
            disjoint = (low[..., 0] > high[..., 1]) | (low[..., 1] > high[..., 0])
            contradicted &= ~inside[..., 1] & (inside[..., 0] | disjoint)
        count += contradicted
    return np.asarray(count > _DIRECTIONS // 2)


def _stale(label: str) -> Finding:
    text = (
        f"{label}: at another θ the gradient is the same to the last bit, although the loss has other slopes "
        "there: it is kept from the first call (a stale cache), or it is a constant"
    )
    return Finding(code=DEPENDS_ON_HISTORY, text=text)


def _note_cotangent_fault(answer: Answer[FunctionObjective], fault: CotangentFault) -> None:
    """Note what a backward pass does wrong with a cotangent that this loss does not send, and the next one will."""
    # Of a vjp that is written by hand the name says what it is.
    which = fault.where if fault.where == WRITTEN else f"the backward pass of {fault.where}"
    if fault.kind == "writes":
        answer.overwrites = True
        text = f"{which} writes into its grad_output, of which other gradients are still to be computed; work on a copy"
        answer.findings.append(Finding(code=OVERWRITTEN, text=f"{answer.name}: {text}"))
    elif fault.kind == "fails":
        answer.crashes = True
        answer.fail(f"{which} fails when its grad_output {fault.text}")
    elif fault.kind == "nonlinear":
        answer.refuted = True
        text = f"{which} is not linear in its cotangent: it gives another gradient than it must when that {fault.text}"
        answer.findings.append(Finding(code=COTANGENT_MISREAD, text=f"{answer.name}: {text}"))
    else:
        answer.refuted = True
        text = f"{which} gives another gradient when its grad_output {fault.text}; its numbers are the same"
        answer.findings.append(Finding(code=COTANGENT_MISREAD, text=f"{answer.name}: {text}"))


def _overwritten(label: str, names: Sequence[str]) -> Finding:
    text = (
        f"{label}: the function writes into {', '.join(names)}, so that the next call computes something else; let it "
        "work on a copy"
    )
    return Finding(code=OVERWRITTEN, text=text, tensor=names[0])
