"""Prove what gradients are: hold them against slopes of the loss that are enclosed by ball arithmetic.

The loss of the first function that can be traced is evaluated; every gradient is held against its slopes. How far
rounding may move a gradient is asked of its own program, or where that cannot be traced of that of another function.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any

import numpy as np

from xcheck.backend.contract import Objective
from xcheck.certificates.claims import Proof
from xcheck.checks.answer import Answer
from xcheck.compare.evaluation import Evaluation
from xcheck.dtypes import FLOAT64
from xcheck.errors import BackendError
from xcheck.findings import NOT_PROVED, PROVED_INACCURATE, PROVED_WRONG, Finding
from xcheck.layout import Vector
from xcheck.seeds import Stream, generator
from xcheck.text import join_names
from xcheck.trace import Trace, UntraceableError

# Slopes along random signs. An error of one component shows in each of them; a dense one is missed by all six, where it
# is as large as what rounding may do, once in 10⁵.
DIRECTIONS = 6
# The loss that was traced and the function's own may part by so many roundings: far above what is met, far below what a
# mistake in a trace would do.
_SAME_LOSS = 2.0**20
# In a narrow dtype, whose digits are few, so many of its roundings: a guess.
_SAME_NARROW = 64.0
INSTALL = "pip install 'xcheck-grad[proof]'"


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A function whose loss, or whose gradient's program, may be traced.

    Attributes:
        name: of the witness, or of the oracle's function.
        objective: the function in 64 bits.
    """

    name: str
    objective: Objective


def prove(
    candidates: Sequence[Candidate], claims: Sequence[tuple[Evaluation, float]], theta: Vector, seed: int
) -> Proof:
    """Hold gradients against proved slopes.

    Args:
        candidates: functions, the preferred one first.
        claims: what the witnesses say, each with the unit roundoff of what it was computed in.
        theta: θ, shape (n,).
        seed: of the directions.
    """
    start = time.perf_counter()
    if not has_flint():
        return Proof(why_not=(f"python-flint is not installed; {INSTALL} gets it",))
    random = generator(seed, Stream.PROOF)
    directions = [random.choice([-1.0, 1.0], theta.size) for _ in range(DIRECTIONS)]
    reasons: list[str] = []
    for candidate in candidates:
        try:
            found = _prove_by(candidate, candidates, claims, theta, directions)
        except (UntraceableError, BackendError) as error:
            reasons.append(f"{candidate.name}: {error}")
            continue
        return replace(found, seconds=time.perf_counter() - start)
    return Proof(why_not=tuple(reasons), seconds=time.perf_counter() - start)


def _prove_by(
    candidate: Candidate,
    candidates: Sequence[Candidate],
    claims: Sequence[tuple[Evaluation, float]],
    theta: Vector,
    directions: Sequence[Vector],
) -> Proof:
    # Imported only where there is something to be proved: FLINT is an extra.
    from xcheck.certificates.decisions import NotProvedError
    from xcheck.certificates.judge import Claimed, judge, norm_of
    from xcheck.certificates.slopes import prove_slopes

    objective = candidate.objective
    trace, arrays = objective.trace(), objective.traced_arrays(theta)
    try:
        slopes = prove_slopes(trace, arrays, [objective.traced_arrays(one) for one in directions])
    except NotProvedError as error:
        raise UntraceableError(str(error)) from error
    loss = float(objective.losses(theta[None])[0])
    if not is_same_loss(float(slopes.value), loss, FLOAT64):
        text = f"its operations in real arithmetic give the loss {float(slopes.value):.9g}, the program {loss:.9g}"
        raise UntraceableError(text)
    spreads = spreads_along(candidates, theta, directions)
    judged = []
    for evaluation, roundoff in claims:
        # What computes another loss has another gradient, which is no mistake in it; the check says so.
        if not is_same_loss(evaluation.loss, loss, roundoff):
            continue
        spread = spreads.get(evaluation.rerun_of or evaluation.name)
        known = spread if spread is not None else next(iter(spreads.values()), None)
        claimed = Claimed(name=evaluation.name, gradient=evaluation.gradient, roundoff=roundoff, spread=known)
        judged.append(judge(claimed, slopes, directions))
    norm = norm_of(slopes) or 1.0
    return Proof(
        function=candidate.name,
        directions=len(directions),
        precision=slopes.precision,
        radius=max(float(slope.rad()) for slope in slopes.slopes) / norm,
        witnesses=tuple(judged),
        kinks=slopes.kinks,
        remarks=slopes.remarks,
    )


def has_flint() -> bool:
    """Return whether python-flint is installed, without importing it."""
    return find_spec("flint") is not None


def is_same_loss(one: float, other: float, roundoff: float) -> bool:
    """Return whether two losses differ by no more than rounding, generously."""
    return abs(one - other) <= max(_SAME_LOSS * FLOAT64, _SAME_NARROW * roundoff) * max(1.0, abs(other))


def refute(proof: Proof, answers: Sequence[Answer[Any]], reruns: Sequence[Evaluation] = ()) -> None:
    """Note in each answer whose gradient, or whose rerun in float64, is proved to be wrong."""
    own = {rerun.name: rerun.rerun_of for rerun in reruns}
    for finding, one in zip(proof_findings(proof), proof.of(["wrong"]), strict=True):
        for answer in answers:
            if answer.name in (one.name, own.get(one.name)):
                answer.refuted = True
                answer.findings.append(finding)


def spreads_along(
    candidates: Sequence[Candidate], theta: Vector, directions: Sequence[Vector]
) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
    """Return by name what rounding does to the gradients whose programs can be traced."""
    from xcheck.certificates.rounding import spread_of

    found = {}
    for candidate in candidates:
        objective = candidate.objective
        try:
            trace: Trace = objective.gradient_trace()
            own = [np.concatenate([np.ravel(part) for part in objective.traced_arrays(one)]) for one in directions]
            spread = spread_of(trace, objective.traced_arrays(theta), np.stack(own))
        except (UntraceableError, BackendError):
            continue
        if np.isfinite(spread).all():
            found[candidate.name] = spread
    return found


# --- what is said of it -----------------------------------------------------------------------------------------------


def proof_findings(proof: Proof) -> list[Finding]:
    """Return what is proved to be wrong."""
    found = []
    for one in proof.of(["wrong"]):
        sides = {one.slope, one.slope if one.other is None else one.other}
        slope = f"slope {one.slope:.17g}" if len(sides) == 1 else "slopes {:.17g} and {:.17g}".format(*sorted(sides))
        text = (
            f"{one.name} is proved to be wrong by {one.error:.2g} of the gradient's norm, where rounding explains "
            f"{one.allowed:.1g}: along a direction of random signs the loss has the {slope}, and the gradient claims "
            f"{one.claimed:.17g}"
        )
        found.append(Finding(code=PROVED_WRONG, text=text, value=one.error))
    return found


def proof_warnings(proof: Proof) -> list[Finding]:
    """Return where digits are lost, and why something is not proved."""
    found = []
    for one in proof.of(["inaccurate"]):
        text = (
            f"{one.name}: the gradient is off by {one.error:.2g} of its norm along a direction, which is proved; "
            f"rounding explains {one.allowed:.1g}: an operation on its way is less accurate than its dtype"
        )
        found.append(Finding(code=PROVED_INACCURATE, text=text, value=one.error))
    if proof.why_not:
        found.append(Finding(code=NOT_PROVED, text=f"nothing is proved: {'; '.join(proof.why_not)}"))
    kinks = f" ({join_names(list(proof.kinks[:2]))})" if proof.kinks else ""
    for one in proof.of(["at a kink", "not known"]):
        why = f"θ sits on several kinks{kinks}" if one.claim == "at a kink" else "its program cannot be looked into"
        found.append(Finding(code=NOT_PROVED, text=f"{one.name}: nothing is proved: {why}"))
    return found
