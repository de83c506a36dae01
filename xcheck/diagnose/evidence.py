"""Evidence: a wrong gradient beside a right one, and everything else that shows how it went wrong.

g is the witness's gradient, r the oracle's, and β the uncertainty of r beside g: error bar and rounding. A rule
proposes a `Hypothesis`: with this mistake the gradient would be ĝ. The hypothesis counts only if it explains the
residual g − r down to the noise, that is, if no component of g would be wrong beside ĝ:

    |g − ĝ| ≤ β' + 2¹² u max(|g|, |ĝ|)        β' = β, the uncertainty of ĝ, and 2¹² u of the tensor's largest |ĝ|

In a tensor that is wrong the residual must also shrink to a tenth: a hypothesis that leaves it as it is explains
nothing, however wide the noise. A residual at the level of the tolerance is allowed if it is a hundred times smaller
than before, for a gradient with a mistake may be rounded to float32 as well. A hypothesis with k fitted numbers must
explain k + 2 components: a line through two points explains nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xcheck.compare.bounds import Flags
from xcheck.compare.comparer import Comparer
from xcheck.compare.evaluation import Evaluation
from xcheck.diagnose.probes import Probes
from xcheck.layout import Layout, Tensor, Vector
from xcheck.networks.problem import Problem
from xcheck.oracle.engines.lines import DIRECTIONS
from xcheck.oracle.estimate import CERTAIN
from xcheck.oracle.network.forward import Trace
from xcheck.oracle.network.penalty import Penalty

# What rounding of a careful implementation may do, in units of the roundoff: four times what a comparison grants (2¹⁰).
# A guess, chosen so that a mistake is still named where ordinary rounding comes on top of it.
_FINE = 2.0**12
# The part of the residual that an explanation may leave: a tenth where noise accounts for the rest, a hundredth where
# the tolerance has to. Guesses; tests/diagnose/test_diagnosis.py holds them: no mistake there is given a wrong cause.
_LESS, _MUCH_LESS = 0.1, 1e-2
# From so many components for each fitted number on, a tenth that is left is no coincidence: that twelve residuals of
# random size all shrink to a tenth has a probability of about 10⁻¹². With fewer only a hundredth may be left.
_MANY = 12
# How close a fitted number must come to a known one: 1e-6 in float64, 64 roundings in coarser dtypes. A guess, chosen
# so that 1 and 1 + 1/m are told apart for up to 10⁵ examples.
_CLOSE, _CLOSE_ROUNDINGS = 1e-6, 64
# Columns that are more nearly parallel than this have no unique coefficients. A guess, well above roundoff.
_INDEPENDENT = 1e-10


@dataclass(frozen=True, eq=False)
class Evidence:
    """A wrong gradient of one witness, and what is known about it.

    Attributes:
        witness: its name.
        layout: names and shapes of θ, or of the sample of it that was differenced.
        theta: θ, shape (n,).
        gradient: g, shape (n,).
        trusted: r, the oracle's gradient, shape (n,).
        uncertainty: β, shape (n,).
        magnitude: mean over the examples of |slope|, which rounding is in proportion to, shape (n,).
        wrong: which components are wrong, shape (n,).
        tolerance: relative, as it was applied.
        roundoff: u of the dtype that the witness computes in.
        lengths: numbers that a factor may come from, with what they are: {32: "axis 0 of data[0]"}.
        data: the arrays that a person's function takes beside its parameters, by name, such as "data[0]".
        problem: the declared network, if it is one.
        trace: what that network computes at θ.
        probes: what else may be asked of the function.
    """

    witness: str
    layout: Layout
    theta: Vector
    gradient: Vector
    trusted: Vector
    uncertainty: Vector
    magnitude: Vector
    wrong: Flags
    tolerance: float
    roundoff: float
    lengths: Mapping[int, str] = field(default_factory=dict)
    data: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    problem: Problem | None = None
    trace: Trace = field(default_factory=Trace.empty)
    probes: Probes = field(default_factory=Probes)

    @classmethod
    def against(
        cls,
        call: Evaluation,
        comparer: Comparer,
        *,
        theta: Vector,
        problem: Problem | None = None,
        lengths: Mapping[int, str] | None = None,
        data: Mapping[str, NDArray[Any]] | None = None,
        probes: Probes | None = None,
    ) -> "Evidence":
        """Return the evidence against one call of a witness; the arguments by name are those of the attributes."""
        estimate = comparer.estimate
        return cls(
            witness=call.name,
            layout=comparer.layout,
            theta=theta,
            gradient=call.gradient,
            trusted=estimate.value,
            uncertainty=comparer.uncertainty,
            magnitude=estimate.magnitude,
            wrong=_wrong_components(call, comparer),
            tolerance=comparer.tolerance,
            roundoff=comparer.roundoff,
            lengths=lengths or {},
            data=data or {},
            problem=problem,
            trace=estimate.trace,
            probes=probes or Probes(),
        )

    @property
    def fine(self) -> float:
        """What rounding of a careful implementation may do, relative to the tensor's largest component."""
        return _FINE * self.roundoff

    @property
    def close(self) -> float:
        """How close, relative to itself, a fitted number must come to a known one to be taken for it."""
        return max(_CLOSE, _CLOSE_ROUNDINGS * self.roundoff)

    @cached_property
    def wrong_tensors(self) -> tuple[Tensor, ...]:
        """The tensors with wrong components whose gradient is finite."""
        return tuple(t for t in self.layout if self.wrong[t.span].any() and np.isfinite(self.gradient[t.span]).all())

    @cached_property
    def penalty(self) -> Vector:
        """The penalty's share of the gradient, shape (n,); zero for people's own functions."""
        if self.problem is None:
            return np.zeros_like(self.theta)
        return Penalty.at(self.problem.network, self.layout, self.theta, self.problem.examples).slope


def _wrong_components(call: Evaluation, comparer: Comparer) -> Flags:
    wrong = np.zeros(comparer.layout.size, dtype=bool)
    wrong[comparer.wrong(call)] = True
    for tensor in comparer.layout:
        if tensor.name == DIRECTIONS:
            wrong[tensor.span] = False  # a slope along a random direction is no component of the gradient
    return wrong


@dataclass(frozen=True, eq=False)
class Hypothesis:
    """One mistake that may have made the gradient wrong, and the gradient that it would give.

    Attributes:
        code: of the cause.
        text: what was done, such as "2 x what it should be"; the finding adds the names of the tensors.
        predicted: ĝ of the tensors that it is about, flat, by name.
        uncertainty: uncertainty of ĝ by name, where that is not β: of a multiple of r, or of r in another order.
        value: the number that the mistake turns on, such as the factor.
        free: how many numbers were fitted.
        rank: of hypotheses that are equal otherwise, the one with the lower rank is taken.
        place: what the finding names instead of the tensors, such as "layer 2".
    """

    code: str
    text: str
    predicted: Mapping[str, Vector]
    uncertainty: Mapping[str, Vector] = field(default_factory=dict)
    value: float | None = None
    free: int = 0
    rank: int = 0
    place: str = ""

    @property
    def tensors(self) -> tuple[str, ...]:
        """Names of the tensors that it is about."""
        return tuple(self.predicted)


def explains(evidence: Evidence, hypothesis: Hypothesis) -> bool:
    """Return whether a hypothesis explains the residual of its tensors down to the noise; see the module."""
    count, left = 0, 0.0
    for name, predicted in hypothesis.predicted.items():
        span = evidence.layout[name].span
        if not fits(evidence, span, predicted, hypothesis.uncertainty.get(name)):
            return False
        count += int((np.abs(predicted - evidence.trusted[span]) > CERTAIN * evidence.uncertainty[span]).sum())
        left = max(left, _left(evidence, span, predicted))
    if not hypothesis.predicted or not hypothesis.free:
        return bool(hypothesis.predicted)
    # A number that was fitted to a few components leaves a tenth of the residual now and then by chance.
    return count >= hypothesis.free + 2 and (count >= _MANY * hypothesis.free or left <= _MUCH_LESS)


@dataclass(frozen=True, eq=False)
class Share:
    """A tensor's gradient in two parts, one of which may be multiplied by some c: g = c base + rest.

    Attributes:
        base: shape (k,).
        rest: shape (k,).
        uncertainty: uncertainty of the base, shape (k,).
    """

    base: Vector
    rest: Vector
    uncertainty: Vector


def multiples(evidence: Evidence, shares: Mapping[str, Share]) -> list[tuple[float, dict[str, Share]]]:
    """Return each factor c with the tensors where g = c base + rest down to the noise, most tensors first.

    Every c that fits one tensor is tried in all of them: a tensor of one component fits with some c whatever it is.
    """
    candidates: list[float] = []
    for name, share in shares.items():
        target = evidence.gradient[evidence.layout[name].span] - share.rest
        coefficients = fit(target, share.base, weight=share.uncertainty + evidence.fine * np.abs(target))
        if coefficients is not None and np.isfinite(coefficients[0]) and abs(coefficients[0]) > evidence.fine:
            candidates.append(float(coefficients[0]))
    distinct: list[float] = []
    for c in sorted(candidates, key=abs, reverse=True):
        if not any(abs(c - other) <= evidence.fine * abs(c) for other in distinct):
            distinct.append(c)
    groups = [
        (c, {name: share for name, share in shares.items() if _is_multiple(evidence, name, share, c)}) for c in distinct
    ]
    return sorted(((c, group) for c, group in groups if group), key=lambda each: -len(each[1]))


def _is_multiple(evidence: Evidence, name: str, share: Share, c: float) -> bool:
    return fits(evidence, evidence.layout[name].span, c * share.base + share.rest, abs(c) * share.uncertainty)


@np.errstate(all="ignore")
def fits(evidence: Evidence, span: slice, predicted: Vector, of_predicted: Vector | None) -> bool:
    """Return whether ĝ explains one tensor down to the noise.

    Args:
        evidence: with g, r and β.
        span: the tensor's place in θ.
        predicted: ĝ of the tensor, shape (k,).
        of_predicted: uncertainty of ĝ, where that is not β, shape (k,).
    """
    g = evidence.gradient[span]
    largest = float(np.abs(predicted).max(initial=0.0))
    uncertainty = evidence.uncertainty[span] + (0.0 if of_predicted is None else of_predicted) + evidence.fine * largest
    off, size = np.abs(g - predicted), np.maximum(np.abs(g), np.abs(predicted))
    left = _left(evidence, span, predicted)
    if np.all(off <= uncertainty + evidence.fine * size):
        return left <= _LESS or not evidence.wrong[span].any()
    return bool(np.all(off <= uncertainty + evidence.tolerance * size) and left <= _MUCH_LESS)


@np.errstate(all="ignore")
def _left(evidence: Evidence, span: slice, predicted: Vector) -> float:
    """Return the part of the residual that is left, ‖g − ĝ‖/‖g − r‖."""
    g, r = evidence.gradient[span], evidence.trusted[span]
    # Scaled, so that squares of numbers below 1e-154 do not vanish and those above 1e154 do not overflow.
    scale = max(float(np.abs(g).max(initial=0.0)), float(np.abs(predicted).max(initial=0.0)))
    if not scale:
        return 0.0
    before = float(np.linalg.norm((g - r) / scale))
    return float(np.linalg.norm((g - predicted) / scale)) / before if before else 0.0


def fit(target: Vector, *bases: Vector, weight: Vector) -> Vector | None:
    """Return the coefficients of the weighted least-squares fit of `target` by `bases`; None without a unique one.

    Args:
        target: shape (k,).
        *bases: shape (k,) each.
        weight: uncertainty of each component of the target, shape (k,).
    """
    # A component that is known exactly counts as much as the best known of the others, not infinitely.
    scale = np.where(weight > 0, weight, np.inf if not (weight > 0).any() else weight[weight > 0].min())
    scale = np.where(np.isfinite(scale), scale, 1.0)
    with np.errstate(all="ignore"):
        columns, target = np.stack(bases, axis=1) / scale[:, None], target / scale
        lengths = np.linalg.norm(columns, axis=0)
    if not (np.isfinite(lengths).all() and (lengths > 0).all() and np.isfinite(target).all()):
        return None
    coefficients, _, rank, _ = np.linalg.lstsq(columns / lengths, target, rcond=_INDEPENDENT)
    return None if rank < len(bases) else np.asarray(coefficients / lengths)


def closest(value: float, known: Mapping[float, str], tolerance: float) -> float | None:
    """Return the known number that a fitted one equals to the tolerance, relative to the known one.

    >>> closest(1.9999999999, {2.0: "twice"}, 1e-6), closest(1.7, {2.0: "twice"}, 1e-6)
    (2.0, None)
    """
    near = [number for number in known if abs(value - number) <= tolerance * abs(number)]
    return min(near, key=lambda number: abs(value - number), default=None)
