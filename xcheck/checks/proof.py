"""Prove what gradients are: hold them against slopes of the loss that are enclosed by ball arithmetic.

The loss of the first function that can be traced is evaluated; every gradient is held against its slopes. How far
rounding may move a gradient is asked of its own program, or where that cannot be traced of that of another function.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from xcheck.certificates.claims import Named, Proof, WitnessProof
from xcheck.certificates.pace import Pace
from xcheck.checks.answer import Answer
from xcheck.checks.prover import Candidate, Prover, has_flint
from xcheck.compare.evaluation import Evaluation
from xcheck.dtypes import FLOAT64, ROUNDOFF
from xcheck.errors import BackendError, quote
from xcheck.findings import NOT_PROVED, PROVED_INACCURATE, PROVED_WRONG, Finding
from xcheck.layout import Layout, Vector
from xcheck.seeds import Stream, generator
from xcheck.text import join_names
from xcheck.trace import UntraceableError

if TYPE_CHECKING:  # FLINT is an extra
    from xcheck.certificates.slopes import Slopes

# Slopes along random numbers of sizes from 0.48 to 1.44. An error of one component shows in each of them by about half
# of it or more, and two of one size, as of components that were exchanged, do not cancel, as along signs alone. A dense
# error is missed by all six, where it is as large as what rounding may do, once in 10⁵.
DIRECTIONS = 6
# The loss that was traced and the function's own may part by so many roundings: far above what is met, far below what a
# mistake in a trace would do.
_SAME_LOSS = 2.0**20
# In a narrow dtype, whose digits are few, so many of its roundings: a guess.
_SAME_NARROW = 64.0
# Components that a sentence names before it counts the others.
_NAMED = 4
INSTALL = "pip install 'xcheck-grad[proof]'"


def prove(
    candidates: Sequence[Candidate],
    claims: Sequence[tuple[Evaluation, float]],
    theta: Vector,
    seed: int,
    pace: Pace | None = None,
) -> tuple[Proof, Prover | None]:
    """Hold gradients against proved slopes; return what follows, and what has proved it.

    Args:
        candidates: functions, the preferred one first.
        claims: what the witnesses say, each with the unit roundoff of what it was computed in.
        theta: θ, shape (n,).
        seed: of the directions.
        pace: what fits the time; by default everything does.
    """
    start = time.perf_counter()
    if not has_flint():
        return Proof(why_not=(f"python-flint is not installed; {INSTALL} gets it",)), None
    steady = [(evaluation, roundoff) for evaluation, roundoff in claims if is_steady(evaluation, roundoff)]
    unsteady = [evaluation.name for evaluation, roundoff in claims if not is_steady(evaluation, roundoff)]
    reasons = [f"{name}: its gradient differs from call to call: no slope has it" for name in unsteady]
    if unsteady and not steady:
        return Proof(why_not=tuple(reasons)), None
    random = generator(seed, Stream.PROOF)
    shape = (DIRECTIONS, theta.size)
    # Of mean square 1, so that the mean of s² is ‖∇J‖².
    directions = random.choice([-1.0, 1.0], shape) * random.uniform(0.5, 1.5, shape) / math.sqrt(13 / 12)
    failures: list[str] = []
    for candidate in candidates:
        try:
            prover = Prover(candidate, candidates, theta, pace)
            found = _prove_by(prover, steady, directions)
        except (UntraceableError, BackendError) as error:
            failures.append(f"{candidate.name}: {_first_line(str(error))}")
            continue
        except Exception as error:  # noqa: BLE001 - whatever breaks while a person's code is traced, the check goes on
            failures.append(f"{candidate.name}: it cannot be traced: {_first_line(quote(error))}")
            continue
        return replace(found, why_not=tuple(reasons), seconds=time.perf_counter() - start), prover
    return Proof(why_not=(*reasons, *failures), seconds=time.perf_counter() - start), None


def _first_line(text: str) -> str:
    # Further lines of a framework's exceptions advise on programs of its own; an error of the function is quoted whole.
    return text.partition("\n")[0]


def _prove_by(prover: Prover, claims: Sequence[tuple[Evaluation, float]], directions: Vector) -> Proof:
    # FLINT is an extra.
    from xcheck.certificates.judge import norm_of

    count = min(len(directions), prover.affordable)
    if not count:
        text = f"a slope and the loss are predicted to take {2 * prover.seconds:.2g} s, more than the budget allows"
        raise UntraceableError(text)
    left_out, directions = len(directions) - count, directions[:count]
    slopes, judged = prover.slopes(directions), []
    value = float(slopes.value)
    narrow = prover.narrow
    if not is_same_loss(value, prover.loss, max(FLOAT64, ROUNDOFF.get(narrow, 0.0))):
        text = f"its operations in real arithmetic give the loss {value:.9g}, the program {prover.loss:.9g}"
        raise UntraceableError(text)
    moved = not is_same_loss(value, prover.loss, FLOAT64)
    prover.confirm()
    for evaluation, roundoff in claims:
        found, gradient = hold_against(prover, slopes, directions, evaluation, roundoff)
        if found is not None:
            own = evaluation.rerun_of or evaluation.name
            if moved and found.claim == "wrong":
                # It may be the gradient of what the rounding makes of the loss, such as 0 where that underflows.
                found = replace(found, claim="inaccurate")
            judged.append(_with_names(found, prover, own, gradient, roundoff))
    norm = norm_of(slopes) or 1.0
    return Proof(
        function=prover.name,
        directions=count,
        left_out=left_out,
        precision=slopes.precision,
        radius=max(float(slope.rad()) for slope in slopes.slopes) / norm,
        witnesses=tuple(judged),
        kinks=slopes.kinks,
        remarks=slopes.remarks,
        narrow=narrow if moved else "",
    )


def hold_against(
    prover: Prover, slopes: "Slopes", directions: Vector, evaluation: Evaluation, roundoff: float
) -> tuple[WitnessProof | None, Vector]:
    """Return what proved slopes say of a gradient, and the gradient; None of one that belongs to another loss.

    Where two calls differ, that is the call which is further off: sums in another order round in another way.

    Args:
        prover: has proved the slopes.
        slopes: along the directions.
        directions: shape (k, n).
        evaluation: loss and gradient of a witness, shape (n,).
        roundoff: unit roundoff of what it was computed in.
    """
    from xcheck.certificates.judge import Claimed, judge

    # What computes another loss has another gradient, which is no mistake in it; the check says so.
    if not is_same_loss(evaluation.loss, prover.loss, roundoff):
        return None, evaluation.gradient
    own = evaluation.rerun_of or evaluation.name
    coarsest, spread = prover.roundoff(own, roundoff), prover.spread(own, directions)

    def held(gradient: Vector) -> WitnessProof:
        claimed = Claimed(name=evaluation.name, gradient=gradient, roundoff=coarsest, spread=spread)
        return judge(claimed, slopes, list(directions))

    return max(((held(call.gradient), call.gradient) for call in evaluation.calls), key=lambda pair: pair[0].error)


def _with_names(found: WitnessProof, prover: Prover, own: str, gradient: Vector, roundoff: float) -> WitnessProof:
    """Return what is claimed of a witness, with the components that are wrong by themselves."""
    if found.claim != "wrong" or not np.isfinite(gradient).all():
        return found
    from xcheck.certificates.naming import name_wrong

    try:
        named, whole = name_wrong(gradient, partial(prover.errors, own, roundoff), lambda: not prover.affordable)
    except UntraceableError:  # along one of its directions nothing can be proved
        return found
    return replace(found, named=tuple(named), all_named=whole)


def is_same_loss(one: float, other: float, roundoff: float) -> bool:
    """Return whether two losses differ by no more than rounding, generously."""
    return abs(one - other) <= _rounding(roundoff) * max(1.0, abs(other))


def is_steady(evaluation: Evaluation, roundoff: float) -> bool:
    """Return whether two calls of a witness gave the same, but for sums that were taken in another order."""
    again = evaluation.again
    if again is None:
        return True
    apart = float(np.linalg.norm(evaluation.gradient - again.gradient))
    same = apart <= _rounding(roundoff) * float(np.linalg.norm(evaluation.gradient))
    return same and is_same_loss(again.loss, evaluation.loss, roundoff)


def _rounding(roundoff: float) -> float:
    return max(_SAME_LOSS * FLOAT64, _SAME_NARROW * roundoff)


# --- what is said of it -----------------------------------------------------------------------------------------------


def refute(proof: Proof, layout: Layout, answers: Sequence[Answer[Any]], reruns: Sequence[Evaluation] = ()) -> None:
    """Note in each answer whose gradient, or whose rerun in float64, is proved to be wrong."""
    own = {rerun.name: rerun.rerun_of for rerun in reruns}
    for finding, one in zip(proof_findings(proof, layout), proof.of(["wrong"]), strict=True):
        for answer in answers:
            if answer.name in (one.name, own.get(one.name)):
                answer.refuted = True
                answer.findings.append(finding)


def proof_findings(proof: Proof, layout: Layout) -> list[Finding]:
    """Return what is proved to be wrong."""
    found = []
    for one in proof.of(["wrong"]):
        sides = [f"{side:.17g}" for side in one.sides]
        slope = f"slope{'s' if len(sides) > 1 else ''} {' and '.join(sides)}"
        text = (
            f"{one.name} is proved to be wrong by {one.error:.2g} of the gradient's norm, where rounding explains "
            f"{one.allowed:.1g}: {_where(one, layout)}along a random direction the loss has the {slope}, and "
            f"the gradient claims {one.claimed:.17g}"
        )
        found.append(Finding(code=PROVED_WRONG, text=text, value=one.error))
    return found


def _where(one: WitnessProof, layout: Layout) -> str:
    """Return the components that are wrong by themselves, the worst first, or nothing where none is named."""
    if not one.named:
        return ""
    worst = sorted(one.named, key=_off, reverse=True)
    texts = [f"{layout.locate(each.flat)} is {each.claimed:.17g} for {each.slope:.17g}" for each in worst[:_NAMED]]
    more = [f"{len(worst) - _NAMED} more"] if len(worst) > _NAMED else []
    return f"{join_names([*texts, *more])}{'' if one.all_named else ', and there is more that is wrong'}; "


def _off(named: Named) -> float:
    return abs(named.claimed - named.slope)


def proof_warnings(proof: Proof) -> list[Finding]:
    """Return where digits are lost, and why something is not proved."""
    found = []
    for one in proof.of(["unstable"]):
        text = (
            f"{one.name}: the rule is right, and its formula loses digits: along a direction the gradient is off by "
            f"{one.error:.1g} of its norm, which is proved, and rounding in its own program explains it"
        )
        if one.allowed >= 1:  # at a minimum every formula is left with rounding
            text = (
                f"{one.name}: rounding in its own program may be as large as the gradient, which is off by "
                f"{one.error:.1g} of its norm along a direction, which is proved: its terms cancel, as at a minimum, "
                "or its formula is unstable"
            )
        found.append(Finding(code=PROVED_INACCURATE, text=text, value=one.error))
    for one in proof.of(["inaccurate"]):
        why = "an operation on its way is less accurate than its dtype"
        if proof.narrow:
            why = f"it is not that of the loss without its rounding to {proof.narrow}, as far as that goes"
        text = (
            f"{one.name}: the gradient is off by {one.error:.2g} of its norm along a direction, which is proved; "
            f"rounding explains {one.allowed:.1g}: {why}"
        )
        found.append(Finding(code=PROVED_INACCURATE, text=text, value=one.error))
    if proof.why_not:
        found.append(Finding(code=NOT_PROVED, text=f"nothing is proved: {'; '.join(proof.why_not)}"))
    kinks = f" ({join_names(list(proof.kinks[:2]))})" if proof.kinks else ""
    for one in proof.of(["at a kink", "not known"]):
        why = f"θ sits on several kinks{kinks}" if one.claim == "at a kink" else "its program cannot be looked into"
        found.append(Finding(code=NOT_PROVED, text=f"nothing is proved: {one.name}: {why}"))
    return found
