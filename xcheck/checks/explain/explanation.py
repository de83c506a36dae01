"""Explanation: everything about one component, as one frozen value. Renderings only read it."""

from dataclasses import dataclass

from xcheck.checks.explain.sweep import Step
from xcheck.checks.result import Result
from xcheck.layout import Location
from xcheck.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessValue:
    """What one witness says of the component.

    Attributes:
        name: of the witness.
        value: its ∂J/∂θᵢ.
        bars: how far it lies outside the oracle's slopes, in error bars.
        verdict: of the check on this component.
        text: the verdict in words.
    """

    name: str
    value: float
    bars: float
    verdict: Verdict
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kink:
    """Where the loss has a kink along the component.

    Attributes:
        distance: from θ, its sign the direction; 0 at θ; nan for none in sight.
        exact: whether it is there, or somewhere within that distance.
        sight: how far was looked.
    """

    distance: float
    exact: bool
    sight: float

    def __str__(self) -> str:
        if self.distance == 0:
            return "at θ: the slopes on both sides stay apart, however short the step"
        if self.distance != self.distance:  # nan
            return f"no kink in sight, within {self.sight:.1e} of θ"
        if not self.exact:
            return f"within {abs(self.distance):.1e} of θ"
        return f"at distance {abs(self.distance):.3e}, with θ {'growing' if self.distance > 0 else 'shrinking'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvedSlope:
    """The slope of the loss along the component, enclosed in ball arithmetic.

    Attributes:
        right: for θᵢ growing, as FLINT writes a ball: digits that are certain, ± a radius.
        left: the same for θᵢ shrinking; equal to `right` where there is no kink.
        why_not: why nothing is proved; empty where something is.
    """

    right: str = ""
    left: str = ""
    why_not: str = ""

    def __str__(self) -> str:
        if self.why_not:
            return f"nothing is proved: {self.why_not}"
        if self.right == self.left:
            return f"the slope is {self.right}"
        return f"the slopes are {self.right} right of θ, {self.left} left of it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation(Result):
    """One component of θ.

    Attributes:
        model: name of what was checked.
        component: which one.
        theta: θᵢ.
        loss: J(θ).
        verdict: of a check of this component alone.
        headline: the verdict in one sentence.
        value: ∂J/∂θᵢ as the oracle has it.
        error_bar: its error is promised to be at most this.
        lower: least slope; below `value` only at a kink.
        upper: largest slope.
        allowed: how far from the slopes a witness may be: bar, rounding and tolerance together.
        statements: what the witnesses say.
        steps: the slopes of the real loss, from the longest step to the shortest.
        slopes: the step that shows the one-sided slopes best; None where there is none.
        kink: where the nearest one is.
        findings: what is to be said whatever the component: witnesses that failed, or are no functions of θ.
        seed: of everything random.
        tolerance: relative, as it was applied.
        command: what was typed, if anything was.
        proved: the slope, proved; None where that was not asked for.
    """

    kind = "component"

    model: str
    component: Location
    theta: float
    loss: float
    verdict: Verdict
    headline: str
    value: float
    error_bar: float
    lower: float
    upper: float
    allowed: float
    statements: tuple[WitnessValue, ...]
    steps: tuple[Step, ...]
    slopes: Step | None
    kink: Kink
    findings: tuple[str, ...]
    seed: int
    tolerance: float
    command: tuple[str, ...] = ()
    proved: ProvedSlope | None = None

    @property
    def at_kink(self) -> bool:
        """Whether J has several slopes at θ."""
        # Each end has a bar: where both overlap, there may be one slope only.
        return self.upper - self.lower > 2 * self.error_bar

    def __repr__(self) -> str:
        return f"<Explanation {self.verdict} {self.model} {self.component}: {self.headline}>"
