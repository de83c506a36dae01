"""The proved slope along one component, and which witnesses it refutes."""

from typing import TYPE_CHECKING

from xcheck.checks.completed import CompletedCheck
from xcheck.checks.explain.explanation import ProvedSlope
from xcheck.checks.proof import hold_against
from xcheck.checks.prover import Prover
from xcheck.layout import unit_directions
from xcheck.trace import UntraceableError

if TYPE_CHECKING:  # FLINT is an extra
    from xcheck.certificates.slopes import Slopes

# Digits of a proved slope that are shown: some more than float64 has.
_DIGITS = 25


def prove_component(check: CompletedCheck, flat: int) -> "tuple[ProvedSlope | None, Slopes | None]":
    """Return the proved slope along a component as it is shown, and as it is.

    Args:
        check: that is done.
        flat: number of the component.

    Returns:
        None and None where no proof was asked for; the reason and None where nothing can be proved.
    """
    proof, prover = check.report.proof, check.prover
    if proof is None:
        return None, None
    if prover is None:
        return ProvedSlope(why_not="; ".join(proof.why_not)), None
    try:
        slopes = prover.slopes(unit_directions([flat], check.layout.size))
    except UntraceableError as error:
        return ProvedSlope(why_not=str(error)), None
    right = slopes.slopes[0]
    left = right if slopes.left is None else slopes.left[0]
    texts = [one.str(_DIGITS).replace("+/-", "±") for one in (right, left)]
    return ProvedSlope(right=texts[0], left=texts[1]), slopes


def refuted_by(check: CompletedCheck, prover: Prover, flat: int, slopes: "Slopes") -> dict[str, str]:
    """Return how each witness is wrong that the proved slope refutes, by its name.

    Args:
        check: that is done.
        prover: has proved the slopes.
        flat: number of the component.
        slopes: proved along it.
    """
    refuted: dict[str, str] = {}
    unit = unit_directions([flat], check.layout.size)
    for witness in check.witnesses:
        found, _ = hold_against(prover, slopes, unit, witness.whole, witness.comparer.roundoff)
        if found is not None and found.claim == "wrong":
            sides = " or ".join(f"{side:.17g}" for side in found.sides)
            refuted[witness.name] = f"proved to be wrong: {found.claimed:.17g} for {sides}"
    return refuted
