"""Accuracy: how far gradients are from proved slopes in units of the last place, as one frozen value.

An ulp of a slope is the distance of numbers of a dtype where the slope is (`xcheck.dtypes.ulp_exponent`): a gradient
that is exact but for one rounding is off by at most 1/2 ulp everywhere. No program is expected to reach that. A
component that is small because large terms cancel loses digits, whatever computes it: what is left of the terms'
rounding is many of its own ulps, and few of those of the tensor's largest component. That is why both are shown.
"""

import math
from dataclasses import dataclass
from typing import Literal

from xcheck.checks.result import Result
from xcheck.dtypes import roundoff_of
from xcheck.text import join_names
from xcheck.verdict import Verdict

# Counted: how many components are off by more than these. Rounded once; faithful; what a short formula takes; two
# digits.
EXCEEDED = (0.5, 1.0, 4.0, 100.0)

# Whether the rounding of the gradient's own program explains an error; "wrong" where it does not, in a gradient that is
# proved to be wrong.
Explained = Literal["yes", "no", "wrong", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LostDigits:
    """A component with fewer right digits than its dtype has, by more than cancelling explains.

    Attributes:
        component: its name.
        digits: how many decimal digits are lost.
        of: how many the dtype has.
        ulps: its error.
        explained: by the rounding of the gradient's own program; "wrong" where it is not, and the gradient is proved to
            be wrong; "unknown" where that program cannot be looked into.
    """

    component: str
    digits: float
    of: float
    ulps: float
    explained: Explained

    def __str__(self) -> str:
        lost = f"{self.component} has lost {self.digits:.0f} of its {self.of:.0f} digits"
        return f"{lost}: {_REASONS[self.explained]}"


_REASONS: dict[Explained, str] = {
    "yes": "the rule is right, and the rounding of its own operations explains the error: its formula is unstable here",
    "no": "more than the rounding of its own operations explains: one of them is less accurate than its dtype, or "
    "underflows",
    "wrong": "more than the rounding of its own operations explains: the gradient is proved to be wrong",
    "unknown": "its program cannot be looked into, so that nobody knows whether rounding explains that",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorAccuracy:
    """The errors of one tensor of one gradient, in ulps.

    Attributes:
        tensor: its name.
        dtype: whose ulps they are.
        of: how many components were looked at; at least one.
        median: of the errors, in ulps of each component itself.
        ninety: nine of ten are no larger.
        worst: the largest.
        component: which one that is.
        least: the smallest error that any of the gradients has there.
        exceeding: how many exceed each of `EXCEEDED`.
        of_largest: the largest error in ulps of the tensor's largest component.
        component_of_largest: which component has it.
        lost: the component that has lost most digits, where they are lost.
    """

    tensor: str
    dtype: str
    of: int
    median: float
    ninety: float
    worst: float
    component: str
    least: float
    exceeding: tuple[int, ...]
    of_largest: float
    component_of_largest: str
    lost: LostDigits | None = None

    @property
    def cancels(self) -> bool:
        """Whether digits are lost, and only in components that are small beside others of their tensor."""
        return self.worst > EXCEEDED[-1] and self.lost is None

    @property
    def avoidable(self) -> bool:
        """Whether another gradient keeps two digits more of the worst component."""
        return self.worst > EXCEEDED[-1] * max(1.0, self.least)


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessAccuracy:
    """The errors of one gradient.

    Attributes:
        name: of the witness.
        median: of all errors, in ulps of each component itself.
        worst: the largest.
        component: which one that is.
        tensors: tensor by tensor; those of which nothing was looked at are left out.
    """

    name: str
    median: float
    worst: float
    component: str
    tensors: tuple[TensorAccuracy, ...]

    def __str__(self) -> str:
        return (
            f"{self.name} is off by {ulps(self.worst)} at most, at {self.component}; the median is {ulps(self.median)}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy(Result):
    """How accurate gradients are.

    Attributes:
        model: name of what was looked at.
        verdict: AGREE where errors were measured; DISAGREE where a gradient is proved to be wrong; UNDECIDED where
            nothing is measured, or nobody knows whether a gradient is wrong or inaccurate.
        function: whose loss was evaluated; empty where none could be.
        witnesses: gradient by gradient.
        parameters: n.
        looked: how many components were to be looked at; fewer than n are drawn at random.
        kinks: how many of them are left out, because the loss has two slopes there.
        operations: that have these kinks.
        unproved: of how many nothing could be proved.
        reasons: why nothing was proved, of these or of everything.
        remarks: in what the function that was evaluated differs from the program, such as casts.
        findings: what is wrong, or failed.
        seed: of everything random.
        seconds: wall time.
        command: what was typed, if anything was.
    """

    kind = "accuracy"

    model: str
    verdict: Verdict
    function: str = ""
    witnesses: tuple[WitnessAccuracy, ...] = ()
    parameters: int = 0
    looked: int = 0
    kinks: int = 0
    operations: tuple[str, ...] = ()
    unproved: int = 0
    reasons: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    seed: int = 0
    seconds: float = 0.0
    command: tuple[str, ...] = ()

    @property
    def headline(self) -> str:
        """What came of it, in one sentence."""
        if self.findings:
            return self.findings[0]
        if self.witnesses:
            return "; ".join(map(str, self.witnesses))
        if self.reasons:
            return f"nothing is proved: {'; '.join(self.reasons)}"
        if not self.parameters:
            return "there are no components to look at"
        if self.kinks:
            return f"every component that was looked at is at a kink ({join_names(self.operations[:2])})"
        return "no gradient came"

    def __repr__(self) -> str:
        return f"<Accuracy {self.verdict} {self.model}: {self.headline}>"


def ulps(count: float) -> str:
    """Write a number of ulps.

    >>> [ulps(count) for count in (0.0, 0.4567, 12.3, 12345.0, 3.2e12)]
    ['0 ulp', '0.46 ulp', '12 ulps', '1e4 ulps', '3e12 ulps']
    """
    return f"{short(count)} ulp{'s' if count > 1 else ''}"


def short(count: float) -> str:
    """Write a number in at most six characters.

    >>> [short(count) for count in (0.4567, 1.0, 99.7, 123.4, 9999.4, 3.2e12, float("inf"))]
    ['0.46', '1', '100', '123', '9999', '3e12', 'inf']
    """
    if not math.isfinite(count):
        return "inf"
    text = f"{count:.0e}" if count >= 1e4 or 0 < count < 1e-3 else f"{count:.0f}" if count >= 10 else f"{count:.2g}"
    mantissa, _, exponent = text.partition("e")
    return f"{mantissa}e{int(exponent)}" if exponent else mantissa


def digits_of(dtype: str) -> float:
    """Return how many decimal digits a dtype has: log10 of 2^p.

    >>> round(digits_of("float64")), round(digits_of("bfloat16"), 1)
    (16, 2.4)
    """
    return -math.log10(roundoff_of(dtype))
