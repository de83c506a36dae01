"""Estimate: the numerical gradient and what is known about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from xcheck.layout import Vector
from xcheck.oracle.columns import TOTAL, Columns, Flags
from xcheck.oracle.estimators.audit import Audit
from xcheck.oracle.estimators.rounding import Rounding
from xcheck.oracle.network.forward import Trace

# Beyond so many error bars a slope, or a residual, is certainly more than noise: a bar is a bound, and 4 leaves room
# for a bad one. A guess.
CERTAIN = 4.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Estimate(Columns):
    """∂J/∂θ from differences of J, with an error bar on every component.

    Attributes:
        value: the estimate, shape (n,).
        error_bar: its error is promised to be at most this, shape (n,).
        lower: least slope of J: below `value` only at a kink, shape (n,).
        upper: largest slope of J, shape (n,).
        conventions: slopes that frameworks choose from at a kink, shape (variants, n); one variant where there is none.
        spread: what the slope of an l1 penalty may differ by at w = 0, shape (n,).
        near: whether units sit so close to a kink that rounding decides their side, each for itself.
        magnitude: mean over the examples of |slope of the loss|, plus |slope of the penalty|, shape (n,).
        terms: size of the terms of each slope, with which an error is compared where they cancel, shape (n,): of a
            network the magnitude; of a function, whose terms nobody knows, see
            `xcheck.oracle.function_estimate.terms_of`.
        loss: J(θ).
        rounding: what rounding may do to a witness's loss and gradient.
        trace: what the network computes at θ.
        ties: units that sit on a kink, over all examples, and weights that sit on that of the l1 penalty.
        engine: name of the engine.
        predicted: seconds that more direct engines were predicted to take, by name; empty where the engine was named.
        audits: how samples of the components fared with more direct engines; a failed one belongs to an engine that was
            given up.
        referred: components that the engine's own noise had left too wide, and that were measured without it.
        refereed: components that were disputed, and measured again in extended precision.
        difference: "central" or "forward".
        epsilon: the step; with epsilon = "auto" the median of the steps.
        evaluations: number of losses evaluated.
        seconds: wall time of all of it.
        compile_seconds: of which until the first differences were there: tracing and compiling.
        fitted: of a function, where a fit has confirmed a witness (`xcheck.oracle.estimators.confirmation`), (n,).
    """

    value: Vector
    error_bar: Vector
    lower: Vector
    upper: Vector
    conventions: Vector
    spread: Vector
    near: bool
    magnitude: Vector
    terms: Vector
    loss: float = field(metadata=TOTAL)
    rounding: Rounding
    trace: Trace
    ties: int = field(metadata=TOTAL)
    engine: str
    predicted: Mapping[str, float]
    audits: tuple[Audit, ...]
    referred: int
    refereed: int
    difference: str
    epsilon: float
    evaluations: int = field(metadata=TOTAL)
    seconds: float = field(metadata=TOTAL)
    compile_seconds: float
    fitted: Flags | None = None
