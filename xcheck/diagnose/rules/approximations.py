"""Approximations: the gradient is right for what the loss approximates, and not for the loss as it is computed.

- Samplers that a framework differentiates implicitly have a gradient that is right on average over their random
  numbers. With the slope of each sample along its own random numbers in its place, the gradient is that of the loss.
- Solvers stop early: a bisection, a fixed point, an adaptive integrator. A gradient of the exact solution is right to
  what the solver's tolerance leaves, and the residual shrinks with it.
"""

from collections.abc import Iterator

import numpy as np

from xcheck.diagnose.evidence import Evidence, Hypothesis
from xcheck.findings import IMPLICIT_SAMPLING, STOPS_EARLY

# How well a slope along a path is known, relative to what it differs by from the other one: differences with a step of
# ∛u are good to u^⅔ = 4e-11 and to 2e-5 in float32. A guess on the safe side.
_KNOWN = 1e-6, 1e-3
# Beside a residual of more than a hundredth no solver would be called converged. A guess.
_LARGEST = 1e-2


def implicit_sampling(evidence: Evidence) -> Iterator[Hypothesis]:
    """Propose that samples are differentiated implicitly, and all else is right."""
    along = evidence.probes.along_paths()
    if along is None:
        return
    known = _KNOWN[evidence.roundoff > 2.0**-40]
    predicted, uncertainty = {}, {}
    for tensor in evidence.wrong_tensors:
        off = (evidence.gradient - along)[tensor.span]
        if not off.any():
            continue  # nothing that it depends on is sampled
        predicted[tensor.name] = evidence.trusted[tensor.span] + off
        uncertainty[tensor.name] = np.full(tensor.size, known * float(np.abs(off).max()))
    text = (
        "right on average over random numbers, and not for those that were drawn: the samples are differentiated "
        "implicitly; with the slope of each sample along its own random numbers the gradient is that of the loss"
    )
    yield Hypothesis(IMPLICIT_SAMPLING, text, predicted, uncertainty)


def solver_tolerance(evidence: Evidence) -> Iterator[Hypothesis]:
    """Propose that the loss stops early: its error shrinks where it stops later, or it jumps from place to place."""
    text = _of_keyword(evidence) or _of_jumps(evidence)
    if text is not None:
        predicted = {tensor.name: evidence.gradient[tensor.span].copy() for tensor in evidence.wrong_tensors}
        yield Hypothesis(STOPS_EARLY, text, predicted)


def _of_keyword(evidence: Evidence) -> str | None:
    """Return what a tighter keyword has shown."""
    relative = relative_residual(evidence)
    found = evidence.probes.tightened() if relative <= _LARGEST else None
    if found is None:
        return None
    return (
        f"right to {relative:.0e}, as a gradient of the exact solution is where the loss stops early: with "
        f"{found.change} {found.left:.1g} of the error is left"
    )


def _of_jumps(evidence: Evidence) -> str | None:
    """Return what long steps have shown."""
    jumps = evidence.probes.jumps()
    if jumps is None:
        return None
    return (
        f"the loss jumps by {jumps.size:.0e} of itself from place to place, and over steps that are long beside these "
        f"jumps its slope is what the gradient says, to {jumps.within:.0e}: the loss stops early, and the gradient is "
        "that of an exact solution"
    )


def relative_residual(evidence: Evidence) -> float:
    """Return the residual relative to the gradient, both as norms over the wrong tensors."""
    spans = [tensor.span for tensor in evidence.wrong_tensors]
    g, r = (np.concatenate([part[span] for span in spans]) for part in (evidence.gradient, evidence.trusted))
    size = float(np.linalg.norm(r))
    return float(np.linalg.norm(g - r)) / size if size else np.inf
