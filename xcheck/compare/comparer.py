"""Compare gradients pair by pair: the losses first, then the gradient as a whole, per tensor and per component.

What decides is the component. With g the witness's value, [lower, upper] the oracle's slopes there (one number except
at a kink) and β its error bar, the component is wrong when g lies further outside than

    β + τ max(|g|, |value|) + floor        τ = max(tolerance, 2¹⁰ u)

The floor is what rounding in the witness itself may do (`xcheck.oracle.estimators.rounding`), u the unit roundoff of
the dtype it computes in. Tolerances never grow with n.

A component within these bounds is *undecided* when bar and floor together are too wide to mean anything: wider than a
millionth of its tensor's largest magnitude (more with a fixed step, or in float32).
At a kink it is undecided, too, when it is a subgradient that no framework would choose.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from xcheck.compare.bounds import Bounds, Flags
from xcheck.compare.evaluation import Evaluation, beyond
from xcheck.compare.pair import ORACLE, Component, Pair, TensorComparison, norm_relative_difference
from xcheck.compare.tolerance import Tolerance
from xcheck.layout import Layout, Tensor, Vector
from xcheck.oracle import Estimate
from xcheck.oracle.engines.lines import DIRECTIONS
from xcheck.verdict import Verdict

_NEGLIGIBLE = 2.0**-40
# How blurred a random direction may be, in units of the largest slope along any.
_OF_DIRECTIONS = 1e-5


class Comparer:
    """Compares witnesses with the oracle and with each other.

    Args:
        estimate: the oracle's gradient.
        layout: names of the components.
        tolerance: how close is close enough.
        worst: how many components to keep per pair.
        despite_losses: whether to compare gradients of functions whose losses differ.
    """

    def __init__(
        self,
        estimate: Estimate,
        layout: Layout,
        tolerance: Tolerance,
        *,
        worst: int = 10,
        despite_losses: bool = True,
    ) -> None:
        self._despite_losses = despite_losses
        self._estimate = estimate
        self._layout = layout
        self._tolerance = tolerance
        self._worst = worst
        self._largest = layout.largest(estimate.magnitude)
        self._directions = np.zeros(layout.size, dtype=bool)
        for tensor in layout:
            self._directions[tensor.span] = tensor.name == DIRECTIONS
        # Where the oracle has nothing to say (an infinite loss), the witnesses are still compared with each other.
        self._floor = np.nan_to_num(estimate.rounding.gradient)
        self._loss_floor = estimate.rounding.loss
        self._judgements: dict[Evaluation, Bounds] = {}  # an evaluation is itself, not its numbers

    def given(self, estimate: Estimate) -> "Comparer":
        """Return the comparer for another estimate; this one, with all it knows already, if it is the same."""
        if estimate is self._estimate:
            return self
        return Comparer(estimate, self._layout, self._tolerance, worst=self._worst, despite_losses=self._despite_losses)

    @property
    def estimate(self) -> Estimate:
        """The oracle's gradient."""
        return self._estimate

    @property
    def layout(self) -> Layout:
        """Names of the components."""
        return self._layout

    @property
    def roundoff(self) -> float:
        """Unit roundoff of what the witnesses compute in."""
        return self._tolerance.roundoff

    @property
    def blur(self) -> Vector:
        """How well each component is known: error bar and rounding, shape (n,)."""
        return self._estimate.error_bar + self._floor

    @property
    def tolerance(self) -> float:
        """The relative tolerance as it is applied."""
        return self._tolerance.effective

    @property
    def resolution(self) -> float:
        """Widest blur (error bar and rounding) of a component, in units of its tensor's largest magnitude."""
        alive = self._largest > 0
        blur = (self._estimate.error_bar + self._floor)[alive] / self._largest[alive]
        return float(blur.max(initial=0.0))

    def with_oracle(self, a: Evaluation) -> Pair:
        """Compare a witness with the oracle; where its two calls differ, the worse one."""
        pairs = self.each_call(a)
        worst = Verdict.worst(pair.verdict for pair in pairs)
        return next(pair for pair in pairs if pair.verdict is worst)

    def each_call(self, a: Evaluation) -> list[Pair]:
        """Compare every call of a witness with the oracle."""
        oracle, spread = self._estimate, self.spread(a)
        b = Evaluation(ORACLE, oracle.loss, oracle.value)
        return [self._pair(call, b, self._judged(call), spread) for call in a.calls]

    def spread(self, a: Evaluation) -> float:
        """Return by how much the losses of two calls differ, 0 where that is no more than rounding."""
        first, last = a.calls[0].loss, a.calls[-1].loss
        if self._same_loss(first, last):
            return 0.0
        return abs(first - last) if np.isfinite(first - last) else np.inf

    def settled(self, evaluations: Sequence[Evaluation]) -> Flags:
        """Return the components that are decided, and right in every witness; none where nobody was asked."""
        settled = np.full(self._layout.size, bool(evaluations))
        for evaluation in evaluations:
            settled &= not self.spread(evaluation)
            for call in evaluation.calls:
                found = self._judged(call)
                settled &= ~(found.wrong | found.undecided)
        return settled

    def _judged(self, call: Evaluation) -> Bounds:
        """Return what becomes of each component; worked out once per call."""
        if call not in self._judgements:
            self._judgements[call] = self.bounds(call.gradient)
        return self._judgements[call]

    @np.errstate(all="ignore")  # what overflows here is not finite, and treated as such
    def bounds(self, g: Vector) -> Bounds:
        """Hold a gradient, shape (n,), against the oracle."""
        oracle = self._estimate
        outside = np.maximum(oracle.lower - g, g - oracle.upper)
        excess = np.where(np.isfinite(g), np.maximum(outside, 0.0), np.inf)
        size = np.maximum(np.abs(g), np.abs(oracle.value))
        # A number that is not finite must not make its own tolerance infinite.
        size = np.where(np.isfinite(size), size, 0.0)
        judged = np.isfinite(oracle.value) & np.isfinite(oracle.error_bar)
        blur = oracle.error_bar + self._floor
        allowed = blur + self._tolerance.effective * size
        wrong = judged & ~(excess <= allowed)
        # Zero on both sides because nothing depends on it (a dead unit) is as certain as anything; what cancels to zero
        # in the oracle may leave a rounding in a witness.
        roundings = max(_NEGLIGIBLE, 64 * self._tolerance.roundoff)
        negligible = roundings * oracle.magnitude.max(initial=0.0)
        unmoved = (np.abs(g) <= negligible) & (oracle.magnitude == 0)
        limit = self._tolerance.resolution * self._largest
        # How much directions see is said in any case.
        limit[self._directions] *= max(1.0, _OF_DIRECTIONS / self._tolerance.resolution)
        too_wide = blur > limit
        undecided = ~wrong & ~unmoved & (too_wide | self._unconventional(g, allowed) | ~judged)
        # A narrower bar would help where rounding of the witness alone is narrow enough.
        close = wrong & (excess <= 1e3 * allowed)
        return Bounds(excess, blur, allowed, wrong, undecided, close | (too_wide & (self._floor <= limit)))

    @np.errstate(all="ignore")
    def disputes(self, a: Evaluation) -> Vector:
        """Return how far out of bounds each component of a witness is if a more precise oracle might settle it, else 0.

        What is out of bounds by more than a thousandfold is not in dispute, nor what rounding of the witness itself
        leaves undecided.
        """
        judged = self._judged(a)
        return np.asarray(np.where(judged.disputed, 1.0 + judged.ratio, 0.0))

    def wrong(self, a: Evaluation) -> NDArray[np.intp]:
        """Return the components of a witness that are out of bounds, the worst first."""
        judged = self._judged(a)
        wrong = np.flatnonzero(judged.wrong)
        return wrong[np.argsort(-judged.ratio[wrong], kind="stable")]

    def _unconventional(self, g: Vector, allowed: Vector) -> Flags:
        """Return where g is a subgradient at a kink, but not one that any framework would choose."""
        oracle = self._estimate
        if oracle.near:
            return np.zeros(g.shape, dtype=bool)  # every unit has chosen for itself
        choices = oracle.conventions[:, None] + np.array([[-1.0], [0.0], [1.0]]) * oracle.spread
        return ~(np.abs(g - choices).min(axis=(0, 1)) <= allowed)

    @np.errstate(all="ignore")
    def between(self, a: Evaluation, b: Evaluation) -> Pair:
        """Compare two witnesses; at a kink they may differ by as much as the slopes do."""
        excess = np.abs(a.gradient - b.gradient)
        finite = np.isfinite(excess)
        size = np.where(finite, np.maximum(np.abs(a.gradient), np.abs(b.gradient)), 0.0)
        kink = np.nan_to_num(self._estimate.upper - self._estimate.lower)
        blur = 2 * self._floor + kink
        allowed = self._tolerance.effective * size + blur
        same = (a.gradient == b.gradient) | (np.isnan(a.gradient) & np.isnan(b.gradient))
        excess = np.where(finite, excess, np.where(same, 0.0, np.inf))
        wrong = ~(excess <= allowed) & ~same
        found = Bounds(excess, blur, allowed, wrong, np.zeros_like(wrong), np.zeros_like(wrong))
        return self._pair(a, b, found, max(self.spread(a), self.spread(b)))

    def _pair(self, a: Evaluation, b: Evaluation, found: Bounds, spread: float) -> Pair:
        losses_agree = self._same_loss(a.loss, b.loss)
        if not losses_agree and not self._despite_losses:
            found = replace(found, wrong=np.zeros_like(found.wrong), undecided=np.zeros_like(found.undecided))
        ended = beyond(self._estimate, (a, b), self._tolerance.largest)
        unjudged = bool(spread) or ended
        if unjudged:
            # Two draws of a random function say nothing about its gradient, and neither does what numbers cannot hold.
            found = replace(found, wrong=np.zeros_like(found.wrong), undecided=np.ones_like(found.undecided))
        return Pair(
            a=a.name,
            b=b.name,
            verdict=_verdict(losses_agree, unjudged, found),
            losses=(a.loss, b.loss),
            losses_agree=losses_agree,
            spread=spread,
            difference=norm_relative_difference(a.gradient, b.gradient),
            wrong=int(found.wrong.sum()),
            undecided=int(found.undecided.sum()),
            of=self._layout.size,
            tensors=tuple(_restricted(tensor, a.gradient, b.gradient, found) for tensor in self._layout),
            apart=found.apart,
            worst=self._components(a, b, found),
            beyond=ended,
        )

    def _same_loss(self, a: float, b: float) -> bool:
        if not (np.isfinite(a) and np.isfinite(b)):
            return bool(a == b or (np.isnan(a) and np.isnan(b)))
        return bool(abs(a - b) <= self._tolerance.effective * max(abs(a), abs(b)) + self._loss_floor)

    def _components(self, a: Evaluation, b: Evaluation, found: Bounds) -> tuple[Component, ...]:
        """Return the components furthest out of bounds: the wrong ones, or the tightest if none is."""
        excess, wrong, ratio = found.excess, found.wrong, found.ratio
        # A component has a name, a direction has none.
        nameless = self._directions & wrong
        # Among components that are all hopelessly out of bounds, the largest error is the most telling.
        order = np.lexsort((-np.nan_to_num(excess, posinf=np.inf), -np.minimum(ratio, 1e3), nameless))
        kept = order[wrong[order]] if wrong.any() else order
        return tuple(self._component(a, b, found, int(flat)) for flat in kept[: self._worst])

    def _component(self, a: Evaluation, b: Evaluation, found: Bounds, flat: int) -> Component:
        oracle, with_oracle = self._estimate, b.name == ORACLE
        value = float(b.gradient[flat])
        return Component(
            location=self._layout.locate(flat),
            a=float(a.gradient[flat]),
            b=value,
            error_bar=float(oracle.error_bar[flat]) if with_oracle else 0.0,
            lower=float(oracle.lower[flat]) if with_oracle else value,
            upper=float(oracle.upper[flat]) if with_oracle else value,
            excess=float(found.excess[flat]),
            allowed=float(found.allowed[flat]),
        )


def _verdict(losses_agree: bool, unjudged: bool, found: Bounds) -> Verdict:
    if unjudged:
        return Verdict.UNDECIDED
    if not losses_agree or found.wrong.any():
        return Verdict.DISAGREE
    return Verdict.UNDECIDED if found.undecided.any() else Verdict.AGREE


def _restricted(tensor: Tensor, a: Vector, b: Vector, found: Bounds) -> TensorComparison:
    span = tensor.span
    return TensorComparison(
        name=tensor.name,
        difference=norm_relative_difference(a[span], b[span]),
        wrong=int(found.wrong[span].sum()),
        undecided=int(found.undecided[span].sum()),
        of=tensor.size,
    )
