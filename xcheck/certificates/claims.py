"""What is proved about gradients: plain values, which need no FLINT to be read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

# "right": the error is no more than rounding explains. "unstable": so it is, and rounding explains much, for the
# program of the gradient loses digits. "inaccurate": it is more, and so small that one operation whose kernel is less
# accurate than its dtype would explain it. "wrong": neither. "at a kink": θ sits on several, and the gradient is none
# that the slopes on both sides refute. "not known": it is more than a gradient with few roundings would have, and the
# program of this one cannot be looked into.
Claim = Literal["right", "unstable", "inaccurate", "wrong", "at a kink", "not known"]

# Rounding may move g·v by SPREADS times what one unit roundoff of every operation of its program does (see
# `xcheck.certificates.judge`): of 305 right gradients in float64 302 were within this and the next term together, half
# within a sixth; in the other three an operation is less accurate than float64, by 1.3 at most (`benchmarks proof`).
SPREADS = 8.0
# Roundings of the norm that storing the gradient takes: 1 on average, 4 in 10,000 directions.
STORED = 4.0


def allowed_error(roundoff: float, spread: Any, size: Any, *, stored: float = STORED) -> Any:
    """Return what rounding may do to g·v: u (8 σ + 4 N), element by element.

    Args:
        roundoff: unit roundoff u of what the gradient was computed in.
        spread: σ, how far one unit roundoff of every operation moves g·v.
        size: N, of what is stored: the norm of the gradient, or of one slope.
        stored: roundings of N.
    """
    return roundoff * (SPREADS * spread + stored * size)


@dataclass(frozen=True, slots=True)
class Named:
    """A component that is proved to be wrong.

    Attributes:
        flat: its number.
        claimed: by the gradient.
        slope: of the loss, rounded to float64.
    """

    flat: int
    claimed: float
    slope: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessProof:
    """One gradient g held against proved slopes s along directions v; the direction that tells most is shown.

    Attributes:
        name: of the witness.
        claim: what follows.
        error: the largest |g·v - s|, in units of the gradient's norm; at a kink the distance from the slopes.
        allowed: what rounding may do to g·v, in the same units: a smaller error would not have been seen.
        claimed: g·v.
        slope: s, rounded to float64.
        other: the slope on the other side, at a kink.
        named: of a gradient that is wrong, the components that are wrong by themselves, as far as they were found.
        all_named: whether nothing is wrong beside them.
    """

    name: str
    claim: Claim
    error: float
    allowed: float
    claimed: float
    slope: float
    other: float | None = None
    named: tuple[Named, ...] = ()
    all_named: bool = False

    @property
    def sides(self) -> tuple[float, ...]:
        """The slope, or at a kink both, the smaller one first."""
        return tuple(sorted({self.slope, self.slope if self.other is None else self.other}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What slopes with proved bounds say of all gradients.

    Attributes:
        function: whose loss was evaluated; empty where none could be.
        directions: how many slopes were proved.
        left_out: how many more would have taken longer than the budget.
        precision: in bits.
        radius: the widest enclosure, in units of the gradient's norm.
        seconds: wall time.
        witnesses: gradient by gradient.
        kinks: operations with a kink at θ.
        remarks: in what the function that was evaluated differs from the program, such as casts.
        narrow: the dtype that part of the loss is rounded to, where that moves the loss; empty elsewhere. The slopes
            are those of the loss without this rounding.
        refereed: how many slopes along components, or along the oracle's own directions, were proved because
            differences had left them open, or had called a gradient wrong there.
        why_not: why nothing is proved, one reason for each function; where something is, of which witnesses nothing is.
    """

    function: str = ""
    directions: int = 0
    left_out: int = 0
    precision: int = 0
    radius: float = 0.0
    seconds: float = 0.0
    witnesses: tuple[WitnessProof, ...] = ()
    kinks: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    narrow: str = ""
    refereed: int = 0
    why_not: tuple[str, ...] = ()

    def of(self, claims: Sequence[Claim]) -> list[WitnessProof]:
        """Return the witnesses of which one of these is claimed."""
        return [each for each in self.witnesses if each.claim in claims]
